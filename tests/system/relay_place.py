# SPDX-License-Identifier: BSD-2-Clause
"""A database with Spoor's schema and spoor-relay, without mail servers; what goes wrong at the other side."""

import itertools
import json
import os
import random

import jsonschema

import postgres
import proc
import spoor as spoor_of
from postgres import quote

SENDER = "alice@example.com"
SCHEMA = os.path.join(spoor_of.SOURCE, "contrib", "webhook", "event.schema.json")


class Place:
    """A PostgreSQL with Spoor's schema and a spoor.conf, without mail servers; sinks and relays as a test wants."""

    def __init__(self, folder):
        self.folder = folder
        self.log_folder = os.path.join(folder, "log")
        os.makedirs(self.log_folder)
        self.postgres = postgres.Postgres(folder, self.log_folder)
        self.postgres.start()
        self.postgres.create_database()
        self.spoor = spoor_of.Spoor(folder, self.log_folder, self.postgres.conninfo, "")
        self.spoor.make_keys()
        self.spoor.install_schema()
        self.ids = itertools.count(1)

    def clean(self):
        self.postgres.execute("truncate spoor.sink, spoor.sink_rule, spoor.outbox, spoor.outbox_early, spoor.message, spoor.recipient,"
                              " spoor.answer, spoor.event, spoor.mail_choice; update spoor.verdict_setting set verdict_settle = '0 s'")

    def start(self, name="relay", poll="100ms", relay=None, **sinks):
        """spoor-relay with these sinks."""
        for section in [each for each in self.spoor.sections if each.startswith("sink ")]:
            del self.spoor.sections[section]
        self.spoor.sections["relay"] = dict({"poll": poll}, **(relay or {}))
        for sink, settings in sinks.items():
            self.spoor.sections["sink " + sink] = settings
        self.spoor.write_conf()
        return self.run(name)

    def run(self, name="relay"):
        log = os.path.join(self.log_folder, name + ".log")
        before = os.path.getsize(log) if os.path.exists(log) else 0
        server = proc.Server("spoor-relay", [spoor_of.program("relay/spoor-relay"), "-f", "-c", self.spoor.conf], log)
        proc.wait_for(lambda: b": ready" in open(log, "rb").read()[before:] or not server.alive(), "spoor-relay is ready", log=log)
        assert server.alive(), proc.tail_of(log)
        return server

    def log(self, name="relay"):
        with open(os.path.join(self.log_folder, name + ".log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def rule(self, sink, what="{reply}", **columns):
        names = "".join(", " + name for name in columns)
        values = "".join(", " + quote(value) for value in columns.values())
        self.postgres.execute("insert into spoor.sink_rule (sink, what%s) values (%s, %s%s)" % (names, quote(sink), quote(what), values))

    def load(self, mail_count, replies_each, subject="Offer"):
        """
        As a loader does, in one transaction: mails to person-N@there.test and so many replies to each, in order. Gives the
        numbers of the mails.
        """
        first = next(self.ids) * 1000000
        self.postgres.execute("""
            begin;
            insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender, subject)
                select %(first)d + m, now(), 1, 'individual', 1, 1, 'alice@example.com', 'alice@example.com', %(subject)s || ' ' || m
                from generate_series(1, %(mails)d) m;
            insert into spoor.recipient (message, address, key)
                select %(first)d + m, 'person-' || m || '@there.test', m from generate_series(1, %(mails)d) m;
            select spoor.ensure_partitions(now() - interval '1 hour', now() + interval '1 hour'); -- a month may begin
            create temp table made on commit drop as
                select %(first)d + m as message, %(first)d + r * %(mails)d + m as record, r, m, now() + r * interval '1 ms' as at
                from generate_series(1, %(mails)d) m, generate_series(1, %(replies)d) r;
            insert into spoor.answer (message, digest, at_time, record, spool, recipient, answerer_key, class, rung, confidence, answerer,
                                      from_address, subject, text)
                select message, sha256((record || '')::bytea), at, record, 1, m, m, 'reply', 'references', 'high', 'recipient',
                       'person-' || m || '@there.test', 'Re: Offer', 'words ' || r from made;
            insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason)
                select at, message, record, m, 0, 1, 0, 'r', 'u', 0 from made;
            select spoor.fill_outbox(array(select %(first)d + m from generate_series(1, %(mails)d) m),
                array_agg(message), 1::smallint, array_agg(record), array_agg('r'::text), array_agg((extract(epoch from at) * 1000000)::bigint),
                array_agg(m), array_agg(0::smallint)) from made;
            commit""" % {"first": first, "mails": mail_count, "replies": replies_each, "subject": quote(subject)})
        return [first + m for m in range(1, mail_count + 1)]

    def wait_drained(self, seconds=2 * proc.PATIENCE_S):
        proc.wait_for(lambda: self.postgres.value("select count(*) from spoor.outbox where state = 'waiting'") == "0",
                      "the outbox is empty", seconds, os.path.join(self.log_folder, "relay.log"))

    def states(self):
        return {row["state"]: int(row["count"]) for row in self.postgres.rows("select state, count(*) from spoor.outbox group by state")}

    def stop(self):
        self.postgres.stop()


def schema_validator():
    with open(SCHEMA, encoding="utf-8") as file:
        return jsonschema.Draft202012Validator(json.load(file))


class Faults:
    """So many of a hundred requests, and of records, fail in one way or another; chosen anew by each."""

    def __init__(self, percent, kinds, seed=1):
        self.random = random.Random(seed)
        self.percent, self.kinds = percent, kinds
        self.met = set()

    def __call__(self, *_):
        if self.random.randrange(100) >= self.percent:
            return None
        kind = self.random.choice(self.kinds)
        self.met.add(kind)
        return kind
