# SPDX-License-Identifier: BSD-2-Clause
"""What stands in tests/sql, by pgTAP, each file in a transaction that is taken back; and how the reports find their rows."""

import glob
import os
import re

import pytest

import spoor as spoor_of

FILES = sorted(glob.glob(os.path.join(spoor_of.SOURCE, "tests/sql/*.sql")))


@pytest.fixture(scope="module")
def database(module_own):
    servers = module_own()
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
    ("spoor.top_links(now() - interval '2 days')", ["event_\\d+_\\d+_at_time_idx"], ["event"]),
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
