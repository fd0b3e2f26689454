# SPDX-License-Identifier: BSD-2-Clause
"""spoor-delivery on the systemd journal: a real journald that takes what a real Sendmail says."""

import os
import pwd

import pytest

import journald
import proc
from spoor import build_folder
from test_delivery import Delivery


@pytest.fixture(scope="module")
def journal(request, module_own):
    """A Delivery whose log is a journal."""
    reason = journald.missing()
    if reason:
        pytest.skip(reason)
    with open(os.path.join(build_folder(), "Makefile"), encoding="utf-8") as makefile:
        if "SYSTEMD_LIBS = -lsystemd" not in makefile.read():
            pytest.skip("built without libsystemd")
    servers = module_own(mta="sendmail")
    daemon = journald.Journald(servers.trusted, servers.log_folder, pwd.getpwnam("nobody").pw_gid)
    daemon.start()
    servers.sending.say_to(daemon.socket)
    one = Delivery(servers, log="journal:" + daemon.files)
    one.journald = daemon
    one.wait_logged = lambda *recipients: daemon.wait_lines(one.queue_id, recipients)
    yield one
    one.sink.stop()
    daemon.stop()


def test_each_recipient_has_its_own_fate(journal):
    message = journal.send("ok-a@example.net", "nobody-b@example.net", "later-c@example.net")
    rows = journal.states(message, ok_a="delivered", nobody_b="bounced", later_c="delivered")
    assert "No such user" in rows["nobody-b@example.net"]["text"]
    assert rows["later-c@example.net"]["attempts"] == "2"
    assert rows["ok-a@example.net"]["at_time"] >= rows["ok-a@example.net"]["sent_at"], "the journal knows microseconds"


def test_rotated_while_it_runs(journal):
    first = journal.send("ok-d@example.net")
    journal.journald.rotate()
    second = journal.send("ok-e@example.net")
    journal.states(first, ok_d="delivered")
    journal.states(second, ok_e="delivered")
    journal.journald.vacuum()
    journal.states(journal.send("ok-f@example.net"), ok_f="delivered")


def test_stopped_while_it_is_rotated(journal):
    spoor, sending = journal.servers.spoor, journal.servers.sending
    before = journal.send("ok-g@example.net")
    journal.states(before, ok_g="delivered")
    assert spoor.stop("delivery") == 0
    missed = journal.send("ok-h@example.net", "nobody-h@example.net")
    journal.wait_logged("ok-h@example.net", "nobody-h@example.net")
    journal.journald.rotate()
    after = journal.send("ok-i@example.net")
    sending.wait_empty()
    spoor.start("delivery")
    journal.states(missed, ok_h="delivered", nobody_h="bounced")
    journal.states(after, ok_i="delivered")
    assert journal.states(before, ok_g="delivered")["ok-g@example.net"]["attempts"] == "1"


def test_what_was_vacuumed_is_missed_aloud(journal):
    spoor, sending = journal.servers.spoor, journal.servers.sending
    journal.states(journal.send("ok-j@example.net"), ok_j="delivered")
    assert spoor.stop("delivery") == 0
    lost = journal.send("ok-k@example.net")
    journal.wait_logged("ok-k@example.net")
    journal.journald.rotate()
    journal.journald.vacuum()
    kept = journal.send("ok-l@example.net")
    sending.wait_empty()
    spoor.start("delivery")
    journal.states(kept, ok_l="delivered")
    spoor.wait_log("delivery", "what was read last of the journal is no more there")
    journal.states(lost, ok_k="accepted")


def test_the_machines_own_journal_by_its_name(journal):
    """Where it may not be read that is said, for libsystemd says nothing."""
    servers = journal.servers
    spoor, files = servers.spoor, os.path.join(journal.journald.files, journald.MACHINE)
    assert spoor.stop("delivery") == 0
    message = journal.send("ok-m@example.net")
    conf = spoor.write_conf(os.path.join(spoor.folder, "own-journal.conf"), {"delivery": {"log": ["journal"]}})
    command = journal.journald.inside(spoor.command("delivery", conf))
    current = os.path.join(files, "system.journal")
    os.chmod(current, 0o600)
    done = proc.run(command, check=False)
    assert done.returncode != 0 and b"may not read /run/log/journal/" in done.stderr, done.stderr
    os.chmod(current, 0o640)
    log = os.path.join(spoor.log_folder, "own-journal.log")
    server = proc.Server("spoor-delivery", command, log)
    try:
        journal.states(message, ok_m="delivered")
    finally:
        assert server.stop() == 0
    spoor.start("delivery")


def test_a_damaged_bookmark_is_an_error(journal):
    spoor = journal.servers.spoor
    assert spoor.stop("delivery") == 0
    name = "bookmark-journal:" + journal.journald.files.replace("/", "_")
    bookmark = os.path.join(spoor.spool, "delivery", name)
    with open(bookmark, encoding="ascii") as kept:
        text = kept.read()
    for damaged in ("journal nonsense\n", "1 2 3\n", "journal \n", text[:-1]):
        with open(bookmark, "w", encoding="ascii") as out:
            out.write(damaged)
        done = proc.run(spoor.command("delivery"), check=False)
        assert done.returncode != 0 and b"bookmark" in done.stderr, done.stderr
    with open(bookmark, "w", encoding="ascii") as out:
        out.write(text)
    spoor.start("delivery")
    journal.states(journal.send("ok-n@example.net"), ok_n="delivered")
