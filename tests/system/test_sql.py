# SPDX-License-Identifier: BSD-2-Clause
"""
What stands in tests/sql, by pgTAP, each file in a transaction that is taken back; how the reports find their rows; a migration
that leaves the schema without its version; whom spoor.prune() keeps waiting; what two sessions do at once.
"""

import glob
import os
import re
import shutil
import threading

import pytest

import postgres
import proc
import spoor as spoor_of

FILES = sorted(glob.glob(os.path.join(spoor_of.SOURCE, "tests/sql/*.sql")))


@pytest.fixture(scope="module")
def site(module_own):
    return module_own()


@pytest.fixture(scope="module")
def database(site):
    servers = site
    for name in list(servers.spoor.servers):
        servers.spoor.stop(name)
    servers.postgres.execute("CREATE SCHEMA tap; CREATE EXTENSION pgtap SCHEMA tap; GRANT USAGE ON SCHEMA tap TO PUBLIC;"
                             " ALTER DATABASE spoor SET search_path = public, tap")
    return servers.postgres


@pytest.mark.parametrize("path", FILES, ids=[os.path.basename(path) for path in FILES])
def test_tap(database, path):
    with open(path) as file:
        said = database._psql("BEGIN;\n%s\nROLLBACK;" % file.read(), "spoor", options=["-A", "-t"])
    lines = said.stdout.decode().splitlines()
    assert said.returncode == 0, said.stderr.decode() + "\n".join(lines[-5:])
    plan = re.match(r"1\.\.(\d+)$", lines[0])
    assert [line for line in lines if line.startswith(("not ok", "#"))] == []
    assert len([line for line in lines if line.startswith("ok ")]) == int(plan.group(1))


FILL = """
SELECT spoor.ensure_partitions(now() - interval '11 months', now());
INSERT INTO spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender, subject, campaign)
SELECT n, now() - n * interval '10 months' / 4000, 9000, 'individual', 1, 2, 'owner' || n % 50 || '@example.com', 'a@example.com',
       'Mail ' || n, 'campaign ' || n % 100 FROM generate_series(1, 4000) n;
INSERT INTO spoor.campaign SELECT 'campaign ' || n FROM generate_series(0, 99) n;
INSERT INTO spoor.recipient (message, address, key) SELECT m, 'reader' || m % 1500 || '@example.net', k
FROM generate_series(1, 4000) m, generate_series(1, 1) k;
INSERT INTO spoor.link SELECT m, n, 'https://shop.example/' || m % 200 || '/' || n FROM generate_series(1, 4000) m, generate_series(1, 3) n;
INSERT INTO spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
SELECT least(m.sent_at + n * interval '1 hour', now()), m.id, m.id * 100 + n, 1, 0, 1, n % 4, CASE n % 4 WHEN 0 THEN 'v' ELSE 'c' END::"char",
       'h', 0, '192.0.2.1' FROM spoor.message m, generate_series(1, 10) n;
ANALYZE;
"""
# What is asked, indexes that find it, tables that are not read as a whole. The tables are small, so it is said that reading all is dear.
PLANS = [
    ("spoor.message_report WHERE message = 77", ["message_pkey", "event_\\d+_\\d+_message_idx"], ["event", "message", "recipient"]),
    ("spoor.recipient_report WHERE message = 77", ["recipient_pkey", "event_\\d+_\\d+_message_idx"], ["event", "message", "recipient"]),
    ("spoor.link_report WHERE message = 77", ["link_pkey", "event_\\d+_\\d+_message_idx"], ["event", "message", "link"]),
    ("spoor.link_report WHERE owner = 'owner7@example.com' AND sent_at > now() - interval '7 days'", ["event_\\d+_\\d+_message_idx"], ["event", "link"]),
    ("spoor.campaign_report WHERE campaign = 'campaign 7'", ["message_campaign", "event_\\d+_\\d+_message_idx"], ["event", "message"]),
    ("spoor.sender_report(now() - interval '5 days')", ["message_sent_at"], ["message"]),
    ("spoor.recipient_domain_report(now() - interval '5 days')", ["message_sent_at", "event_\\d+_\\d+_at_time_idx"], ["event", "message"]),
    ("spoor.top_links(now() - interval '2 days')", ["event_\\d+_\\d+_at_time_idx"], ["event"]),
    ("spoor.message_report LIMIT 20", ["message_sent_at", "event_\\d+_\\d+_message_idx"], ["event", "message", "recipient"]),
    ("spoor.recipient_report LIMIT 20", ["message_sent_at", "recipient_pkey"], ["event", "message", "recipient"]),
    ("spoor.delivery_report LIMIT 20", ["message_sent_at", "recipient_pkey"], ["message", "recipient"]),
    ("spoor.stuck LIMIT 20", ["message_sent_at", "recipient_pkey"], ["message", "recipient"]),
    ("spoor.feed LIMIT 20", ["event_\\d+_\\d+_at_time_idx", "message_pkey"], ["event", "message"]),
    ("spoor.recipient WHERE address = 'reader7@example.net'", ["recipient_address"], ["recipient"]),
]


@pytest.fixture(scope="module")
def filled(database):
    database.execute(FILL)
    return database


@pytest.mark.parametrize("question, indexes, never", PLANS, ids=[row[0].split(" ")[0] + str(n) for n, row in enumerate(PLANS)])
def test_a_report_uses_the_indexes_meant_for_it(filled, question, indexes, never):
    plan = "\n".join(row["QUERY PLAN"] for row in filled.rows("SET enable_seqscan = off; EXPLAIN SELECT * FROM " + question))
    for index in indexes:
        assert re.search(r"using %s\b|on %s\b" % (index, index), plan), plan
    for table in never:
        assert not re.search(r"Seq Scan on %s(_\d+_\d+)?\b" % table, plan), plan


def test_a_report_of_a_month_reads_no_other_months(filled):
    """By what was executed: partitions of months before are never touched."""
    plan = "\n".join(row["QUERY PLAN"] for row in filled.rows(
        "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT * FROM spoor.sender_report(now() - interval '5 days')"))
    assert "Subplans Removed" in plan or len(set(re.findall(r"on (event_\d+_\d+)", plan))) <= 2, plan


@pytest.mark.parametrize("report", ["sender_report", "recipient_domain_report"])
def test_a_total_of_many_mails_looks_at_none_by_itself(filled, report):
    """What is asked of an event stands in the plan, and is no call; links and deliveries are joined."""
    plan = "\n".join(row["QUERY PLAN"] for row in filled.rows("EXPLAIN VERBOSE SELECT * FROM spoor." + report))
    assert "SubPlan" not in plan and "is_counted" not in plan, plan


@pytest.fixture
def session(filled):
    made = postgres.Session(filled)
    yield made
    made.close()


def mails_read(session):
    """So far; PostgreSQL passes its counts on once a second, also in the midst of what is looked at here."""
    return int(session.value("SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE relid = 'spoor.message'::regclass"))


# What a sender's pages ask, how many rows come back, and how many mails may be looked at: never those of others.
OF_ONE_SENDER = [("my_feed('secret', '', '', '', false, null, null, 20)", "0", 40), ("my_campaigns('secret')", "1", 40),
                 ("my_chart('secret', null)", "14", 40), ("my_chart('secret', -2)", "14", 40), ("my_mail('secret', -2)", "1", 40),
                 ("my_chart('busy secret', null)", "14", 1000)]


def test_a_senders_pages_look_at_no_mails_of_others(session):
    """One has sent three long ago, one five thousand, others more."""
    session.value("""BEGIN; INSERT INTO spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender, subject, campaign)
        SELECT n, now() - interval '9 months', 9000, 'individual'::spoor.tracking_level, 1, 2, who || '@example.com', 'a@example.com', 'Mail', 'autumn'
        FROM (VALUES ('quiet', -3, -1), ('busy', 10001, 15000)) w (who, first, last), generate_series(first, last) n
        UNION ALL
        SELECT n, now(), 9000, 'individual', 1, 2, 'other' || n % 1000, 'a@example.com', 'Mail', NULL FROM generate_series(20001, 60000) n;
        INSERT INTO spoor.sender (address) VALUES ('quiet@example.com'), ('busy@example.com');
        INSERT INTO spoor.session (hash, address, device, expires_at)
        SELECT spoor.secret_hash(secret), who || '@example.com', gen_random_uuid(), now() + interval '1 hour'
        FROM (VALUES ('secret', 'quiet'), ('busy secret', 'busy')) w (secret, who);
        ANALYZE spoor.message; SELECT 1""")
    for question, found, most in OF_ONE_SENDER:
        before = mails_read(session)
        assert session.value("SELECT count(*) FROM spoor." + question) == found
        assert mails_read(session) - before <= most, question


def test_all_campaigns_are_counted_in_one_pass(filled):
    """A hundred campaigns do not read the events a hundred times."""
    plan = [row["QUERY PLAN"] for row in filled.rows(
        "SET max_parallel_workers_per_gather = 0; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT * FROM spoor.campaign_report")]
    again = [line for line in plan if re.search(r"Seq Scan on event_\d+_\d+ ", line) and not re.search(r"loops=1\)|never executed", line)]
    assert again == [], "\n".join(plan)


@pytest.mark.parametrize("marks", ["", "-- outside a transaction\n"])
def test_a_migration_whose_version_is_not_noted_is_none(site, database, tmp_path, marks):
    """A schema without its row would be taken for none; the row that was is put back, and another attempt does no harm."""
    ours = sorted(glob.glob(os.path.join(spoor_of.SOURCE, "sql", "*.sql")))
    for path in ours:
        shutil.copy(path, tmp_path)
    number = int(os.path.basename(ours[-1])[:3])
    (tmp_path / ("%03d-loses.sql" % (number + 1))).write_text(marks + "delete from spoor.schema;\n")
    kept = database.rows("SELECT * FROM spoor.schema")
    done = site.spoor.ctl("schema", "upgrade", check=False, env={"PGUSER": "postgres", "SPOOR_SQL_DIR": str(tmp_path)})
    said = done.stderr.decode()
    assert done.returncode == 1 and "spoor.schema has 0 rows" in said and "-loses.sql: it is not applied" in said, said
    if marks:
        assert database.rows("TABLE spoor.schema") == []
        database.execute("INSERT INTO spoor.schema (version, compatible_from) VALUES (%(version)s, %(compatible_from)s)" % kept[0])
    assert int(database.value("SELECT version FROM spoor.schema")) == number


class Prune(threading.Thread):
    """spoor.prune(), at work beside us."""

    def __init__(self, database, age):
        super().__init__(daemon=True)
        self.database, self.age, self.gone, self.said = database, age, None, ""

    def run(self):
        done = self.database._psql("SET application_name = 'prune'; SELECT what, gone FROM spoor.prune('%s')" % self.age, "spoor", options=["-A", "-t"])
        self.said = done.stderr.decode()
        self.gone = dict(line.split("|") for line in done.stdout.decode().splitlines())

    def wait_waits(self):
        self.database.wait_rows("SELECT 1 FROM pg_stat_activity WHERE application_name = 'prune' AND wait_event_type = 'Lock'")

    def finish(self):
        self.join(proc.PATIENCE_S)
        assert not self.is_alive(), "prune waits for ever"


def oldest_month(database):
    return database.value("SELECT min(relname) FROM pg_class WHERE relname ~ '^event_[0-9]{4}_[0-9]{2}$'")


def test_events_are_taken_while_old_mails_are_deleted(filled, session):
    """What is long takes no lock that keeps loaders and readers out; the months go at the end."""
    session.value("BEGIN; SELECT id FROM spoor.message WHERE id = (SELECT max(id) FROM spoor.message) FOR UPDATE")
    prune = Prune(filled, "9 months 15 days")
    prune.start()
    prune.wait_waits()
    filled.execute("BEGIN; LOCK TABLE spoor.event IN ROW EXCLUSIVE MODE NOWAIT; ROLLBACK")
    session.value("COMMIT; SELECT 1")
    prune.finish()
    assert int(prune.gone["mails"]) > 0 and int(prune.gone["months of events"]) > 0, prune.said


def test_a_month_that_somebody_reads_stays_until_the_next_time(filled, session):
    """A backup or a long report holds its tables: nobody else is to wait behind it."""
    month = oldest_month(filled)
    session.value("BEGIN; LOCK TABLE spoor.%s IN ACCESS SHARE MODE; SELECT 1" % month)
    prune = Prune(filled, "5 months")
    prune.start()
    prune.finish()
    assert "WARNING:  spoor.%s is in use" % month in prune.said and prune.gone["months of events"] == "0", prune.said
    assert oldest_month(filled) == month
    session.value("COMMIT; SELECT 1")
    prune = Prune(filled, "5 months")
    prune.start()
    prune.finish()
    assert int(prune.gone["months of events"]) > 0 and oldest_month(filled) > month, prune.said


class Beside(threading.Thread):
    """SQL at work beside us, found by its application_name."""

    def __init__(self, database, sql):
        super().__init__(daemon=True)
        self.database, self.sql, self.said = database, sql, None

    def run(self):
        self.said = self.database._psql("SET application_name = 'beside'; " + self.sql, "spoor").stderr.decode()

    def wait_waits(self):
        self.database.wait_rows("SELECT 1 FROM pg_stat_activity WHERE application_name = 'beside' AND wait_event_type = 'Lock'")

    def finish(self):
        self.join(proc.PATIENCE_S)
        assert self.said == "", self.said


def test_a_person_is_forgotten_while_old_mails_are_deleted(filled, session):
    """Both delete the same rows, each in an order of its own: one waits for the other, and neither fails."""
    filled.execute("""
        INSERT INTO spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender)
        SELECT 900001, date_trunc('month', now() - interval '4 months', 'UTC'), 9000, 'individual', 1, 2, 'o@example.com', 'o@example.com';
        INSERT INTO spoor.recipient (message, address, key) VALUES (900001, 'gone@example.net', 1), (900001, 'stays@example.net', 2);
        INSERT INTO spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason)
        SELECT sent_at, id, 90000100, 1, 0, 1, 0, 'v', 'h', 0 FROM spoor.message WHERE id = 900001;
        INSERT INTO spoor.sender_network (owner, network, learned_at, expires_at)
        VALUES ('o@example.com', '192.0.2.0/24', now() - interval '2 years', now() - interval '1 year')""")
    session.value("BEGIN; SELECT owner FROM spoor.sender_network WHERE owner = 'o@example.com' FOR UPDATE")
    prune = Prune(filled, "4 months")
    prune.start()
    prune.wait_waits()
    forget = Beside(filled, "SELECT spoor.forget('gone@example.net')")
    forget.start()
    forget.wait_waits()
    session.value("COMMIT; SELECT 1")
    prune.finish()
    forget.finish()
    assert "ERROR" not in prune.said and int(prune.gone["mails"]) > 0, prune.said
    assert filled.rows("SELECT 1 FROM spoor.recipient WHERE address = 'gone@example.net'") == []


def test_two_servers_tell_at_once_that_they_have_erased(database, session):
    """The second sees the first: what names the person goes."""
    database.execute("INSERT INTO spoor.server (number) VALUES (1), (2)")
    try:
        order = database.value("INSERT INTO spoor.erasure_order (what, address) VALUES ('forget', 'gone@example.net') RETURNING number")
        session.value("BEGIN; SELECT spoor.note_erased(1::smallint, %s) IS NULL" % order)
        second = Beside(database, "SELECT spoor.note_erased(2::smallint, %s)" % order)
        second.start()
        database.wait_rows("SELECT 1 FROM pg_stat_activity WHERE application_name = 'beside' AND wait_event_type = 'Lock'"
                           " UNION ALL SELECT 1 FROM spoor.erasure_done WHERE shard = 2")
        session.value("COMMIT; SELECT 1")
        second.finish()
        assert database.rows("TABLE spoor.erasure_order") == [] and database.rows("TABLE spoor.erasure_done") == []
    finally:
        database.execute("DELETE FROM spoor.erasure_order; DELETE FROM spoor.erasure_done; DELETE FROM spoor.server")
