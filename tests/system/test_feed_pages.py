# SPDX-License-Identifier: BSD-2-Clause
"""All pages of a feed together are all its events, each once and in order: for whoever sends much or little, however they came."""

import os
import re
import shutil

import pytest

import postgres
import servers as servers_of
import spoor as spoor_of

# Three spools, each at another place. Every fortieth event comes two months late; what is loaded together is now a handful,
# now more than a thousand. A fourth spool has mails, and now and then a refusal of one that nobody got; a fifth has no events at
# all, and spool 0 later verdicts. Some events are handed in again, by a batch of their own within an older one. Of every
# seventh batch nobody said when its events happened.
FILL = """
SELECT setseed(0.5);
INSERT INTO spoor.spool_progress (identity, host, program) SELECT gen_random_uuid(), 'host', 'program' FROM generate_series(1, 5);
SELECT spoor.ensure_partitions(now() - interval '6 months', now());
CREATE TABLE owner (name text, mails integer);
INSERT INTO owner VALUES ('few@example.com', 5), ('some@example.com', 120), ('many@example.com', 300), ('most@example.com', 900);
INSERT INTO spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender, subject, campaign)
SELECT row_number() OVER (), now() - interval '5 months' * random(), 9000, 'individual', 1, 1, name, name,
       CASE WHEN n % 20 = 1 THEN 'For Wagners' ELSE 'For all' END, CASE WHEN n % 3 = 0 THEN 'spring' END
FROM owner, generate_series(1, mails) n;
INSERT INTO spoor.recipient (message, address, key) SELECT id, 'reader' || id % 50 || '@example.net', 1 FROM spoor.message;
CREATE TABLE happened AS
SELECT id AS message, n, at_time, 1 + id % 3 AS spool, at_time + CASE WHEN (id * 5 + n) % 40 = 0 THEN interval '2 months' ELSE '0' END AS came_at
FROM (SELECT id, n, sent_at + interval '20 days' * random() ^ 4 AS at_time FROM spoor.message, generate_series(1, 5) n) e;
DELETE FROM happened WHERE came_at > now();
CREATE TABLE came AS
SELECT *, place * CASE spool WHEN 3 THEN 9000 ELSE 184 END AS record,
       CASE WHEN place < 500 THEN place / 3 WHEN place < 1800 THEN 10000 ELSE 20000 + place / 7 END AS part
FROM (SELECT *, row_number() OVER (PARTITION BY spool ORDER BY came_at) AS place FROM happened) e;
INSERT INTO spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
SELECT at_time, message, record, 1, 0, spool, CASE WHEN message % 25 = 0 THEN 32767 ELSE 0 END, (ARRAY['v', 'v', 'c', 'O', 'r'])[n]::"char",
       CASE WHEN message % 5 = 0 THEN 'b' ELSE 'h' END::"char", 0, '192.0.2.1' FROM came;
CREATE TABLE refused AS
SELECT n, now() - (300 - n) * interval '12 hours' AS at_time, n * 1000000::bigint AS record, (ARRAY['few', 'many', 'most'])[1 + n % 3] || '@example.com' AS owner
FROM generate_series(1, 300) n;
INSERT INTO spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason)
SELECT at_time, 0, record, 0, 0, 4, 0, 'f', 'u', 0 FROM refused;
INSERT INTO spoor.campaign_refusal (campaign, address, digest, at_time, record, spool, reason, owner, sender, subject)
SELECT CASE n % 2 WHEN 0 THEN 'spring' ELSE 'autumn' END, 'reader' || n % 50 || '@example.net', sha256(n::text::bytea), at_time, record, 4, 'stop',
       owner, owner, CASE WHEN n % 20 = 1 THEN 'For Wagners' ELSE 'For all' END FROM refused;
INSERT INTO spoor.batch (spool, first_record, last_record, records)
SELECT spool, first, last, records FROM (
    SELECT max(came_at) AS at, spool, min(record) AS first, max(record) AS last, count(*) AS records FROM came GROUP BY spool, part
    UNION ALL SELECT max(at_time), 4, min(record) - 999, max(record) + 900000, 4000 FROM refused GROUP BY n / 4
    UNION ALL SELECT at_time, 5, n, n, 1 FROM refused
    UNION ALL SELECT at_time, 0, n, n + 3, 4 FROM refused) b ORDER BY at, spool;
INSERT INTO spoor.batch (spool, first_record, last_record, records)
SELECT spool, record, record, 1 FROM spoor.event WHERE (message + record) % 300 = 0 AND message <> 0 ORDER BY record;
UPDATE spoor.batch b SET (first_at, last_at) =
    (SELECT coalesce(min(e.at_time), 'infinity'), coalesce(max(e.at_time), '-infinity') FROM spoor.event e
     WHERE e.spool = b.spool AND e.record BETWEEN b.first_record AND b.last_record) WHERE b.number % 7 > 0;
INSERT INTO spoor.event_verdict (record, spool, reason, verdict)
SELECT record, spool, 0, CASE verdict WHEN 'h' THEN 'b' ELSE 'h' END::"char" FROM spoor.event WHERE record % 17 = 0;
CREATE TABLE reference AS
SELECT b.number AS batch, e.record, e.message, e.kind, coalesce(m.owner, f.owner) AS owner, coalesce(m.subject, f.subject) AS subject,
       coalesce(m.campaign, f.campaign) AS campaign, coalesce(r.address, f.address) AS address, spoor.is_counted(e.kind, e.verdict) AS counted,
       e.verdict IN ('f', 'b') AND NOT (e.kind = 'c' AND e.link = 32767) AS by_machine
FROM spoor.judged_event e
LEFT JOIN spoor.message m ON m.id = e.message
LEFT JOIN spoor.recipient r ON r.message = m.id
LEFT JOIN spoor.campaign_refusal f ON e.message = 0 AND f.spool = e.spool AND f.record = e.record
CROSS JOIN LATERAL (SELECT c.number FROM spoor.batch c WHERE c.spool = e.spool AND e.record BETWEEN c.first_record AND c.last_record
                    ORDER BY c.last_record - c.first_record, c.number DESC LIMIT 1) b;
VACUUM ANALYZE;
"""
SHOWN = "SELECT coalesce(string_agg(batch || ' ' || record, ',' ORDER BY batch DESC, record DESC), '') FROM %s"
NEWEST = ("9223372036854775807",) * 2


@pytest.fixture(scope="module")
def feed():
    folder = servers_of.new_folder()
    log = os.path.join(folder, "log")
    os.mkdir(log)
    server = postgres.Postgres(folder, log)
    spoor = spoor_of.Spoor(folder, log, server.conninfo, None)
    session = None
    try:
        server.start()
        server.create_database()
        spoor.make_keys()
        spoor.install_schema()
        server.execute(FILL)
        session = Feed(server)
        yield session
    finally:
        if session:
            session.close()
        if server.server:
            server.stop_at_once()
        shutil.rmtree(folder)


class Feed(postgres.Session):
    """A database with events, and questions about their places, each "batch record"."""

    def __init__(self, server):
        super().__init__(server)
        self.server = server

    def places(self, table):
        return [place for place in self.value(SHOWN % table).split(",") if place]

    def wanted(self, condition):
        found = self.places("reference WHERE " + condition)
        assert found and len(set(found)) == len(found)
        return found

    def pages(self, function, most):
        """All pages of FUNCTION, where %s stand for the cursor: no more than MOST places and a page."""
        shown, cursor = [], NEWEST
        while len(shown) <= most:
            page = self.places(function % cursor)
            if not page:
                break
            shown += page
            cursor = tuple(page[-1].split())
        return shown


@pytest.mark.parametrize("search", [None, "Wagners"])
@pytest.mark.parametrize("owner, count", [("few", 20), ("some", 20), ("many", 70), ("most", 700)])
def test_pages_are_the_whole(feed, owner, count, search):
    name, words = postgres.quote(owner + "@example.com"), postgres.quote(search) if search else "NULL"
    wanted = feed.wanted("counted AND owner = %s AND (%s IS NULL OR subject = 'For ' || %s)" % (name, words, words))
    assert feed.pages("spoor.feed_page(%s, %%s, %%s, %d, %s)" % (name, count, words), len(wanted)) == wanted


# How many on a page, the filter, and what of the reference it stands for.
FILTERS = {
    "of all": (1500, "NULL, NULL, NULL, NULL, false", "counted"),
    "all that there is at once": (10000, "NULL, NULL, NULL, NULL, true", "counted OR by_machine"),
    "also of machines": (900, "'{most@example.com}', NULL, NULL, NULL, true", "owner = 'most@example.com' AND (counted OR by_machine)"),
    "of two": (500, "'{some@example.com,many@example.com}', NULL, NULL, NULL, false", "counted AND owner ~ '^(some|many)@'"),
    "a campaign": (150, "'{many@example.com}', NULL, 'spring', NULL, false", "counted AND owner = 'many@example.com' AND campaign = 'spring'"),
    "replies": (200, "'{most@example.com}', NULL, NULL, '{r,a,m}', true", "kind = 'r' AND owner = 'most@example.com'"),
    "refusals": (30, "NULL, NULL, NULL, '{f}', false", "kind = 'f'"),
    "refusals of a campaign": (30, "'{few@example.com}', NULL, 'autumn', '{f}', false",
                               "kind = 'f' AND campaign = 'autumn' AND owner = 'few@example.com'"),
    "an address": (30, "NULL, 'READER7@example.net', NULL, NULL, false", "counted AND address = 'reader7@example.net'"),
}


@pytest.mark.parametrize("count, question, condition", FILTERS.values(), ids=FILTERS)
def test_pages_of_a_filter_are_the_whole(feed, count, question, condition):
    wanted = feed.wanted(condition)
    assert feed.pages("spoor.feed_places(row(%s), %%s, %%s, %d)" % (question, count), len(wanted)) == wanted


ANY = "row(NULL, NULL, NULL, NULL, false), row(%s, %s, NULL, NULL, NULL), 700"


@pytest.mark.parametrize("function, condition", [
    ("feed_by_mail(array(SELECT id FROM spoor.message WHERE owner = 'many@example.com'), " + ANY + ")", "message <> 0 AND owner = 'many@example.com'"),
    ("feed_of_all(" + ANY + ")", "message <> 0")], ids=["of an owner", "of all"])
def test_both_ways_find_the_same(feed, function, condition):
    """By mail what is found by batch above; and where that gives up, it has the newest."""
    wanted = feed.wanted("counted AND " + condition)
    assert feed.pages("spoor." + function, len(wanted)) == wanted


@pytest.mark.parametrize("most, complete", [(700, "f"), (1000000, "t")])
def test_by_batch_it_is_known_whether_there_is_more(feed, most, complete):
    found = ("spoor.feed_by_batch(row('{many@example.com}', NULL, NULL, '{r}', false), row(%s, %s, NULL, NULL, NULL), 9000, %d)"
             % (NEWEST + (most,)))
    wanted = feed.wanted("kind = 'r' AND owner = 'many@example.com'")
    shown = feed.places("unnest((SELECT places FROM %s))" % found)
    assert feed.value("SELECT complete FROM " + found) == complete
    assert shown == wanted[:len(shown)] and (len(shown) == len(wanted)) == (complete == "t")


@pytest.mark.parametrize("batch, record", [
    ("0", "0"), ("(SELECT number FROM spoor.batch WHERE spool < 4 AND records > 600 LIMIT 1)", "-9223372036854775808")],
                         ids=["before all", "in a batch before its first record"])
def test_a_cursor_that_no_page_gave(feed, batch, record):
    wanted = feed.wanted("counted")
    shown = feed.places("spoor.feed_places(row(NULL, NULL, NULL, NULL, false), %s, %s, 20)" % (batch, record))
    older = int(feed.value("SELECT count(*) FROM reference WHERE counted AND batch < %s" % batch))
    assert shown == wanted[len(wanted) - older:][:20]


# Two programs whose spools began at other times: one has written much more than the other.
PROGRAMS = """
SELECT spoor.ensure_partitions(now() + interval '2 months', now() + interval '2 months');
INSERT INTO spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason)
SELECT date_trunc('month', now()) + interval '2 months', 1000000000, CASE n % 2 WHEN 0 THEN n * 184 ELSE 5000000000 + n * 184 END, 1, 0, 8 + n % 2,
       0, 'v', 'h', 0 FROM generate_series(1, 40000) n;
VACUUM spoor.event;
"""


def test_records_of_one_program_are_found_among_those_of_another(feed):
    feed.server.execute(PROGRAMS)
    plan = "\n".join(row["QUERY PLAN"] for row in feed.server.rows(
        "SET enable_seqscan = off; EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)"
        " SELECT FROM spoor.event WHERE spool = 8 AND record BETWEEN 3600000 AND 3700000"))
    assert sum(int(rows) for rows in re.findall("Rows Removed by .*: ([0-9]+)", plan)) < 10000, plan
