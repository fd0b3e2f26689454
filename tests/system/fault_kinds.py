# SPDX-License-Identifier: BSD-2-Clause
"""
What the fault harness breaks: a function a kind, whose first words tell what happens and what is promised less than usual.
Each is called with the bench and the load of its round, and returns what it allows.
"""

import os
import re
import shutil
import signal
import time

import load as load_of
import proc
import spool_file
import web
from ledger import Broken

NAMES = ("stamp", "match", "pixeld")
SLOW_PACE_S = 0.1  # while files are copied: a spool keeps what was loaded only up to its cap


class Allowance:
    """
    What a fault permits beyond the promise above: each is asked about a request. MAY_LACK: acknowledged and not there;
    MAY_DOUBLE: there twice, acknowledged or not. UNTOUCHED: mails may pass without being tracked.
    """

    def __init__(self, may_lack=None, may_double=None, untouched=False, most_lacking=None):
        self.may_lack = may_lack or (lambda request: False)
        self.may_double = may_double or (lambda request: False)
        self.untouched = untouched
        self.most_lacking = most_lacking


NOTHING = Allowance()


def sent_before(moment):
    return lambda request: request.sent_at < moment


# --- the faults ---------------------------------------------------------------------------------------


def killing(*names):
    def kill(bench, load):
        for _ in range(bench.some(1, 3)):
            for name in names:
                bench.kill(name)
            for name in bench.random.sample(names, len(names)):
                bench.start(name)
            load.wait(hits=bench.some(20, 200), mails=bench.some(0, 2), answers=bench.some(0, 2))
        return NOTHING
    kill.__doc__ = "kill -9 of %s, several times" % " and ".join("spoor-" + name for name in names)
    return kill


def restart(bench, load):
    """A daemon is asked to end, and started again; it ends well"""
    for name in bench.random.sample(NAMES, bench.some(1, 3)):
        status = bench.spoor.restart(name)
        if status != 0:
            raise Broken("spoor-%s ended with status %d" % (name, status))
        load.wait(hits=bench.some(20, 200))
    return NOTHING


def kill_all(bench, load):
    """kill -9 of all three daemons and of PostgreSQL at once"""
    for name in NAMES:
        bench.kill(name)
    bench.servers.postgres.kill()
    for name in NAMES:
        bench.start(name)
    load.wait(hits=50)
    bench.servers.postgres.start()
    return NOTHING


def kill_backend(bench, load):
    """kill -9 of a backend of one of the loaders: PostgreSQL throws all off and recovers"""
    database = bench.servers.postgres
    for _ in range(bench.some(1, 3)):
        pids = database.rows("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'spoor-%'")
        if pids:
            os.kill(int(bench.random.choice(pids)["pid"]), signal.SIGKILL)
        load.wait(hits=bench.some(50, 300))
        database.wait_answers()
    return NOTHING


def kill_postmaster(bench, load):
    """kill -9 of PostgreSQL's first process"""
    bench.servers.postgres.kill()
    load.wait(hits=bench.some(20, 300), mails=1, answers=1)
    bench.servers.postgres.start()
    return NOTHING


def immediate(bench, load):
    """pg_ctl stop -m immediate, and a start with recovery"""
    bench.servers.postgres.stop_at_once()
    load.wait(hits=bench.some(20, 300), mails=1, answers=1)
    bench.servers.postgres.start()
    return NOTHING


def away(bench, load):
    """PostgreSQL is away until the spool of spoor-pixeld has turned to another segment"""
    bench.servers.postgres.stop_at_once()
    newest = spool_file.segments(bench.folder("pixeld"))[-1]
    proc.wait_for(lambda: spool_file.segments(bench.folder("pixeld"))[-1] != newest, "another segment", 2 * proc.PATIENCE_S)
    if bench.some(0, 1):
        bench.kill("pixeld")
        bench.start("pixeld")
    load.wait(hits=50)
    bench.servers.postgres.start()
    return NOTHING


def full(bench, load):
    """
    PostgreSQL is away until the disk of the spools is full, or a spool at its cap; then there is room again, or PostgreSQL.
    A hit answered meanwhile may lack when spoor-pixeld has counted it as lost, and mails and answers may pass untouched
    """
    before, filled = lost_hits(bench), time.monotonic()
    filler = os.path.join(bench.disk, "filler")
    bench.servers.postgres.stop_at_once()
    if bench.is_small and bench.some(0, 1):
        fill(filler)
    load.pace = 0
    proc.wait_for(lambda: lost_hits(bench) > before, "hits are lost", 2 * proc.PATIENCE_S)
    load.pace = load_of.PACE_S
    mends = [bench.servers.postgres.start] + [lambda: os.unlink(filler)] * os.path.exists(filler)
    for mend in bench.random.sample(mends, len(mends)):
        mend()
        load.wait(hits=50)
    load.hold()
    bench.wait_drained()
    freed = time.monotonic()
    load.go_on()
    load.wait(hits=200, mails=1, answers=1)
    lost = lost_hits(bench)
    return Allowance(may_lack=lambda request: request.sent_at < freed and request.acknowledged_at > filled,
                     untouched=True, most_lacking=lost - before)


def fill(path):
    with open(path, "wb", buffering=0) as filler:
        for size in (65536, 4096, 1):
            try:
                while filler.write(b"x" * size):
                    pass
            except OSError:
                pass


def lost_hits(bench):
    """As /healthz has it; 0 when it tells nothing."""
    found = re.search(rb"(\d+) lost since", web.get(bench.spoor.tracking_url + "/healthz").body)
    return int(found.group(1)) if found else 0


def memcached(bench, load):
    """memcached is gone, and comes back"""
    bench.servers.memcached.server.kill()
    load.wait(mails=2, answers=2)
    bench.servers.memcached.start()
    return NOTHING


def clock(bench, load):
    """The clock of the daemons is set back, or forward and then back; each may be killed and started meanwhile"""
    for shift in bench.random.sample((-1, -30, -3600, -86400, -40 * 86400, 20), 2) + [0]:
        bench.set_clock(shift)
        load.wait(hits=bench.some(20, 200), mails=2, answers=1)
        if bench.some(0, 1):
            name = bench.random.choice(NAMES)
            bench.kill(name)
            bench.start(name)
    return NOTHING


def torn(bench, load):
    """
    A daemon is killed and its last record is torn: what it wrote for a request that nobody was answered, or, without one,
    the beginning of a record or noise behind the last good one
    """
    name = bench.random.choice(NAMES)
    bench.kill(name)
    if name == "pixeld":
        load.wait_disconnected()
    tear(bench, load, spool_file.segments(bench.folder(name))[-1], name == "pixeld")
    bench.start(name)
    return NOTHING


def tear(bench, load, path, tell_apart):
    records = spool_file.records(path)
    behind = spool_file.end_of_records(path)
    unanswered = []
    while tell_apart and records and not load.is_acknowledged(number_of_hit(records[-1])):
        unanswered.append(records.pop())
    with open(path, "r+b") as file:
        room = os.fstat(file.fileno()).st_size - behind
        if unanswered:
            cut = unanswered[-1].at + bench.some(1, behind - unanswered[-1].at - 1)
            os.pwrite(file.fileno(), bytes(behind - cut), cut)
            return
        junk = bytes(bench.random.getrandbits(8) for _ in range(bench.some(1, 400)))
        if records and bench.some(0, 1):
            whole = os.pread(file.fileno(), behind - records[-1].at, records[-1].at)
            junk = whole[:bench.some(1, len(whole) - 1)]
        os.pwrite(file.fileno(), junk[:room], behind)


def number_of_hit(record):
    return int.from_bytes(record.payload()[1:9], "little")


def copied(bench, name, at_once, path=None):
    """A copy of a spool folder in use; AT_ONCE: as a snapshot is, all files of one moment. Its path."""
    path = path or os.path.join(bench.copies, name)
    shutil.rmtree(path, ignore_errors=True)
    server = bench.spoor.servers[name]
    if at_once:
        server.signal(signal.SIGSTOP)
    try:
        proc.run(["cp", "-a", bench.folder(name), path])
    finally:
        if at_once:
            server.signal(signal.SIGCONT)
    return path


def put_back(bench, load):
    """
    A spool folder is replaced by an older copy of it, as a backup program does; what came after the copy had been loaded.
    Mails may pass untouched until the spool has a node number again
    """
    name = bench.random.choice(NAMES)
    copy = copied(bench, name, bench.some(0, 1))
    load.wait(hits=bench.some(50, 300), mails=2, answers=2)
    load.hold()
    bench.wait_drained()
    return_folder(bench, name, copy, False)
    load.go_on()
    return Allowance(untouched=True)


def set_back(bench, load):
    """
    A spool folder is set back to an older state in place, as a snapshot of a machine does it, and so takes itself for what
    the database knows; what came after the copy had been loaded. What waited when the copy was made may come twice:
    twice rather than never. Mails may pass untouched until the spool has a node number again
    """
    name = bench.random.choice(NAMES)
    copy = copied(bench, name, True)
    moment = time.monotonic()
    load.wait(hits=bench.some(50, 300), mails=2, answers=2)
    load.hold()
    bench.wait_drained()
    return_folder(bench, name, copy, True)
    load.go_on()
    return Allowance(may_double=sent_before(moment), untouched=True)


def write_back(copy, folder):
    """The contents of the copy, in the files that are there."""
    for name in set(os.listdir(folder)) - set(os.listdir(copy)):
        os.unlink(os.path.join(folder, name))
    for name in os.listdir(copy):
        with open(os.path.join(copy, name), "rb") as source:
            content = source.read()
        path = os.path.join(folder, name)
        with open(path, "r+b" if os.path.exists(path) else "wb") as file:
            file.truncate()
            file.write(content)
        shutil.chown(path, "nobody", "nogroup")


def restored(bench, load):
    """The database is restored to an earlier point; the spools still have what came since"""
    database = bench.servers.postgres
    load.pace = SLOW_PACE_S
    database.stop_at_once()
    backup = database.copy(os.path.join(bench.copies, "database"))
    database.start()
    load.wait(hits=bench.some(100, 500), mails=2, answers=2)
    if bench.some(0, 1):
        load.hold()
        bench.wait_drained()
        load.go_on()
    database.stop_at_once()
    database.put_back(backup)
    database.start()
    return NOTHING


def site_restored(bench, load):
    """
    A folder is restored to an earlier point, and then the database to one still earlier. What came between the folder's copy
    and its return is nowhere any more. In place, what waited when the copy was made may come twice
    """
    name, in_place = bench.random.choice(NAMES), bench.some(0, 1)
    database = bench.servers.postgres
    load.pace = SLOW_PACE_S
    database.stop_at_once()
    backup = database.copy(os.path.join(bench.copies, "database"))
    database.start()
    load.wait(hits=bench.some(100, 300), mails=2, answers=2)
    load.hold()
    bench.wait_drained()
    copy = copied(bench, name, True)
    copied_at = time.monotonic()
    load.go_on()
    load.wait(hits=bench.some(50, 200))
    load.hold()
    bench.wait_drained()
    returned_at = time.monotonic()
    return_folder(bench, name, copy, in_place)
    load.go_on()
    load.wait(hits=bench.some(50, 200))
    load.hold()
    bench.wait_drained()
    database.stop_at_once()
    database.put_back(backup)
    database.start()
    load.go_on()
    return Allowance(may_lack=lambda request: copied_at < request.sent_at < returned_at,
                     may_double=sent_before(copied_at) if in_place else None, untouched=True)


def return_folder(bench, name, copy, in_place):
    bench.kill(name)
    if in_place:
        write_back(copy, bench.folder(name))
    else:
        shutil.rmtree(bench.folder(name))
        proc.run(["cp", "-a", copy, bench.folder(name)])
    bench.start(name)


def cloned(twin):
    def clone(bench, load):
        folder = copied(bench, "pixeld", True, bench.folder("pixeld-clone"))
        moment = time.monotonic()
        if twin:
            spool_file.make_twin(bench.folder("pixeld"), folder)
        other = second_pixeld(bench)
        try:
            load.add_browsers(other.port)
            load.wait(hits=bench.some(300, 600))
            bench.kill("pixeld")
            bench.start("pixeld")
            load.wait(hits=200)
            load.hold()
            bench.wait_drained()
        finally:
            status = other.server.stop()
            shutil.rmtree(folder)
        if status != 0:
            raise Broken("the clone ended with status %d" % status)
        load.go_on()
        return Allowance(may_double=sent_before(moment)) if twin else NOTHING
    clone.__doc__ = ("The folder of a running spoor-pixeld is copied, and both run at once" + (
        """; the copy takes itself for the
    original, as in a machine cloned with its disk. What waited when the copy was made may come twice: twice rather than
    never""" if twin else ", each with what the copy brought along"))
    return clone


class second_pixeld:
    """Runs in the folder pixeld-clone."""

    def __init__(self, bench):
        self.port = proc.free_port()
        conf = os.path.join(bench.servers.folder, "clone.conf")
        bench.spoor.write_conf(conf, {"pixeld": {"listen": ["127.0.0.1:%d" % self.port]}}, instance="clone")
        self.server = proc.Server("the clone", bench.spoor.command("pixeld", conf),
                                  os.path.join(bench.servers.log_folder, "clone.log"), env=bench.spoor.environment)
        self.server.wait_ready(self.port)


KINDS = {
    "kill-pixeld": killing("pixeld"), "kill-stamp": killing("stamp"), "kill-match": killing("match"),
    "kill-daemons": killing(*NAMES), "restart": restart, "kill-all": kill_all, "kill-backend": kill_backend,
    "kill-postmaster": kill_postmaster, "immediate": immediate, "away": away, "full": full, "memcached": memcached,
    "clock": clock, "torn": torn, "put-back": put_back, "set-back": set_back, "restored": restored,
    "site-restored": site_restored,
    "clone": cloned(False), "twin": cloned(True)}
