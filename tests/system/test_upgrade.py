# SPDX-License-Identifier: BSD-2-Clause
"""
The schema is upgraded while clients view, click, send and answer, and the daemons that were there go on. The next release
is made here: today's migrations, and behind them what a release may do.
"""

import glob
import os
import shutil
import subprocess
import time

import pytest

import ledger
import load as load_of
import postgres
import proc
import spool_file
import spoor as spoor_of
from webhook_receiver import new_secret

DAEMONS = ("stamp", "match", "pixeld")
AGENT = "Mozilla/5.0 (upgrade)"
# A loader asks join_load and move_progress before each batch, so both change under its prepared statements.
ADDS = """-- compatible from {today}
alter table spoor.message add column mood text;
alter table spoor.event add column mood text;
create table spoor.mood (word text primary key);
comment on table spoor.mood is 'Of the next release.';
grant select on spoor.mood to spoor_admin;
do $$
declare
    rights aclitem[];
    whole text;
begin
    select proacl, pg_get_functiondef(oid) into rights, whole from pg_proc where oid = 'spoor.join_load(bigint)'::regprocedure;
    drop function spoor.join_load(bigint);
    execute replace(whole, 'join_load(known bigint)', 'join_load(known bigint, mood text default null)');
    update pg_proc set proacl = rights where oid = 'spoor.join_load(bigint, text)'::regprocedure;
    execute pg_get_functiondef(oid) from pg_proc where proname = 'move_progress' and pronamespace = 'spoor'::regnamespace;
    execute format('create or replace view spoor.message_report as select was.*, null::text as mood from (%s) was',
                   rtrim(pg_get_viewdef('spoor.message_report'::regclass), ';'));
end $$;
create index event_mood on only spoor.event (mood);
"""
INDEXES = """-- outside a transaction
create index concurrently if not exists message_mood on spoor.message (mood);
select format('create index concurrently if not exists %I on %s (mood)', c.relname || '_mood', c.oid::regclass)
from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'spoor.event'::regclass;
"""
ATTACHES = """do $$
declare
    name text;
begin
    for name in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
                where i.inhparent = 'spoor.event'::regclass and to_regclass('spoor.' || c.relname || '_mood') is not null loop
        execute format('alter index spoor.event_mood attach partition spoor.%I', name || '_mood');
    end loop;
end $$;
"""
BREAKS = """-- compatible from {number}
alter table spoor.message drop column mood;
"""


class NextRelease:
    """A folder of migrations that ends later than ours."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "next-sql")
        os.mkdir(self.folder)
        ours = sorted(glob.glob(os.path.join(spoor_of.SOURCE, "sql", "*.sql")))
        for path in ours:
            shutil.copy(path, self.folder)
        self.today = self.version = int(os.path.basename(ours[-1])[:3])

    def add(self, name, text):
        self.version += 1
        with open(os.path.join(self.folder, "%03d-%s.sql" % (self.version, name)), "w") as out:
            out.write(text.replace("{today}", str(self.today)).replace("{number}", str(self.version)))


class Upgrade:
    """spoorctl schema upgrade of another release, as it runs."""

    def __init__(self, servers, release):
        self.log = os.path.join(servers.log_folder, "upgrade-%d.log" % time.monotonic_ns())
        with open(self.log, "wb") as out:
            self.child = subprocess.Popen(
                [spoor_of.program("ctl/spoorctl"), "-c", servers.spoor.conf, "schema", "upgrade"], stdout=out, stderr=out,
                stdin=subprocess.DEVNULL, preexec_fn=proc.die_with_parent(),
                env=dict(os.environ, SPOOR_SQL_DIR=release.folder, PGUSER="postgres"))

    def text(self):
        with open(self.log) as log:
            return log.read()

    def wait_text(self, text):
        proc.wait_for(lambda: text in self.text(), "%r of spoorctl" % text, log=self.log)

    def finish(self):
        assert self.child.wait(2 * proc.PATIENCE_S) == 0, self.text()
        return self.text()


class Bench:
    def __init__(self, servers):
        self.servers = servers
        self.database = servers.postgres
        self.release = NextRelease(servers.folder)
        self.load = load_of.Load(servers, load_of.new_numbers(), AGENT, [servers.spoor.port], browsers=2)
        self.load.pace = 0.05
        self.load.start()
        self.load.wait(hits=200, mails=3, answers=3)

    def value(self, sql):
        return self.database.value(sql)

    def events(self):
        return int(self.value("SELECT count(*) FROM spoor.event")) + int(self.value("SELECT count(*) FROM spoor.message"))

    def wait_loaded(self, more=30):
        """Loaders write, whatever else is under way."""
        wanted = self.events() + more
        proc.wait_for(lambda: self.events() >= wanted, "%d rows more" % more)

    def version(self):
        return int(self.value("SELECT version FROM spoor.schema"))

    def drained(self):
        progress = {row["identity"]: (int(row["position"]), int(row["record"]), int(row["checksum"])) for row in self.database.rows(
            "SELECT replace(identity::text, '-', '') AS identity, position, record, checksum FROM spoor.spool_progress")}
        folder = self.servers.spoor.spool
        return all(spool_file.is_loaded(os.path.join(folder, name), progress) for name in DAEMONS)

    def slowest(self, since):
        """Longest answer of each kind since then, in seconds."""
        took = {}
        for request in list(self.load.requests.values()):
            if request.acknowledged_at and request.sent_at >= since:
                took[request.kind] = max(took.get(request.kind, 0), request.acknowledged_at - request.sent_at)
        return {kind: round(longest, 3) for kind, longest in took.items()}


@pytest.fixture(scope="module")
def bench(module_own):
    made = Bench(module_own())
    yield made
    made.load.stop()


@pytest.fixture
def report():
    """What holds a table: a transaction in psql that is still open."""
    opened = []

    def begin(database, sql):
        session = postgres.Session(database)
        opened.append(session)
        session.value("begin; %s; select 1" % sql)
        return session

    yield begin
    for session in opened:
        session.close()


def test_a_table_in_use_is_waited_for_and_nobody_waits_for_us(bench, report):
    bench.release.add("adds", ADDS)
    long_report = report(bench.database, "lock table spoor.message in access share mode")
    began = time.monotonic()
    upgrade = Upgrade(bench.servers, bench.release)
    upgrade.wait_text("waits for a table that is in use: process ")
    bench.wait_loaded(100)  # between our attempts, mails and hits are written
    bench.load.wait(hits=100, mails=3, answers=3)
    assert upgrade.child.poll() is None and bench.version() == bench.release.today
    long_report.value("commit; select 1")
    assert "adds.sql applied" in upgrade.finish()
    print("slowest while a table was in use: %r" % bench.slowest(began))


def test_daemons_of_before_go_on(bench):
    assert bench.version() == bench.release.today + 1
    bench.wait_loaded(100)
    for name in DAEMONS:
        assert bench.servers.spoor.restart(name) == 0
    bench.load.wait(hits=100, mails=2, answers=2)
    bench.wait_loaded(100)
    assert bench.servers.spoor.ctl("check", env={"PGUSER": "postgres"}, check=False).stdout.count(b"FAIL") == 0


def test_an_index_that_was_left_unfinished_is_made_anew_by_the_next_run(bench, report):
    bench.release.add("indexes", INDEXES)
    bench.release.add("attaches", ATTACHES)
    old_snapshot = report(bench.database, "set transaction isolation level repeatable read; select from spoor.schema")
    first = Upgrade(bench.servers, bench.release)
    proc.wait_for(lambda: bench.value("SELECT count(*) FROM pg_stat_progress_create_index") == "1", "an index is being made")
    second = Upgrade(bench.servers, bench.release)
    second.wait_text("another spoorctl schema is at work")
    bench.wait_loaded()  # nobody waits for an index
    unfinished = "SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indexrelid = to_regclass('spoor.message_mood')"
    proc.wait_for(lambda: bench.value(unfinished) == "1", "the index is there, and not finished")
    first.child.kill()
    first.child.wait()
    bench.value("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index")  # from now on the second may go on
    second.wait_text("drop index concurrently if exists spoor.message_mood")
    old_snapshot.value("commit; select 1")
    assert "indexes.sql applied" in second.finish()
    assert bench.value("SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                       " WHERE NOT i.indisvalid AND c.relnamespace = 'spoor'::regnamespace") == "0"
    assert bench.version() == bench.release.today + 3


def test_a_table_that_autovacuum_has_is_taken_from_it(bench):
    bench.database.execute("""alter table spoor.mood set (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
            autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
        insert into spoor.mood select repeat('x', 900) || n from generate_series(1, 4000) n;
        update spoor.mood set word = word || 'y'""")
    bench.database.execute("alter system set autovacuum_naptime = '1s'")
    bench.database.execute("select pg_reload_conf()")
    under_way = "SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid = 'spoor.mood'::regclass"
    proc.wait_for(lambda: bench.value(under_way) == "1", "autovacuum is at work")
    bench.release.add("vacuumed", "alter table spoor.mood add column strength integer;\n")
    assert "vacuumed.sql applied" in Upgrade(bench.servers, bench.release).finish()
    bench.database.execute("alter table spoor.mood reset (autovacuum_vacuum_cost_delay, autovacuum_vacuum_cost_limit)")


def test_daemons_that_are_too_old_say_so_and_keep_what_they_get(bench):
    spoor = bench.servers.spoor
    bench.release.add("breaks", BREAKS)
    said = {name: len(spoor.log_text(name)) for name in DAEMONS}  # some make a new session by themselves once it is there
    Upgrade(bench.servers, bench.release).finish()
    bench.value("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name LIKE 'spoor-%' AND pid <> pg_backend_pid()")
    refusal = "the database has schema %d, which programs for schema %d and newer understand; this one is for %d" % (
        bench.release.version, bench.release.version, bench.release.today)
    for name in DAEMONS:
        spoor.wait_log(name, "error: cannot load the spool: %s$" % refusal, since=said[name])
    before = bench.events()
    bench.load.wait(hits=200, mails=3, answers=3)
    assert bench.events() == before
    for name in DAEMONS:
        assert spoor.log_text(name)[said[name]:].count("error: ") == 1
        assert "set aside" not in spoor.log_text(name)

    spoor.stop("match")
    secret, _ = new_secret(bench.servers.folder, "secret")  # without a sink spoor-relay has nothing to start for
    spoor.sections["sink hook"] = {"url": "https://hooks.example.com/", "secret_files": [secret]}
    spoor.write_conf()
    for name in ("match", "relay", "render"):
        assert spoor.start_refused(name) == "spoor-%s: error: %s" % (name, refusal)
    for words, why in ((("schema", "upgrade"), b"a newer Spoor has been here"), (("invite", "alice@example.com"), refusal.encode())):
        done = spoor.ctl(*words, env={"PGUSER": "postgres"}, check=False)
        assert done.returncode == 1 and why in done.stderr, done.stderr


def test_in_the_end_all_is_there_exactly_once(bench):
    """The newer daemons have come: these, after the schema says again that they fit."""
    bench.database.execute("UPDATE spoor.schema SET compatible_from = %d" % bench.release.today)
    bench.servers.spoor.start("match")
    bench.load.wait(mails=1, answers=1)
    bench.load.hold()
    proc.wait_for(bench.drained, "all spools are loaded", 2 * proc.PATIENCE_S)
    assert ledger.assert_exactly_once(bench.database, bench.load.requests) > 1000
