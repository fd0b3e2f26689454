# SPDX-License-Identifier: BSD-2-Clause
"""What happens to mails reaches Salesforce, webhooks and mailboxes: once, in order, whatever breaks on the way."""

import itertools
import json
import os
import random
import re
import threading

import jsonschema
import pytest

import postgres
import proc
import servers as servers_of
import spoor as spoor_of
from https_server import Answer, BreakOff
from postgres import quote
from salesforce import EXTERNAL_ID, Salesforce
from webhook_receiver import Receiver, new_secret, verifies

SENDER = "alice@example.com"
SCHEMA = os.path.join(spoor_of.SOURCE, "contrib", "webhook", "event.schema.json")
REPLIES = int(os.environ.get("SPOOR_RELAY_REPLIES", "1000"))  # 10000 is the full size


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
        server = proc.Server("spoor-relay", [spoor_of.program("relay/spoor-relay"), "-f", "-c", self.spoor.conf], log)
        proc.wait_for(lambda: b": ready" in open(log, "rb").read()[-100000:] or not server.alive(), "spoor-relay is ready", 20, log)
        assert server.alive(), proc.tail_of(log)
        return server

    def log(self, name="relay"):
        with open(os.path.join(self.log_folder, name + ".log"), encoding="utf-8") as file:
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
            select spoor.ensure_partitions(now(), now());
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

    def wait_drained(self, seconds=60):
        proc.wait_for(lambda: self.postgres.value("select count(*) from spoor.outbox where state = 'waiting'") == "0",
                      "the outbox is empty", seconds, os.path.join(self.log_folder, "relay.log"))

    def states(self):
        return {row["state"]: int(row["count"]) for row in self.postgres.rows("select state, count(*) from spoor.outbox group by state")}

    def stop(self):
        self.postgres.stop()


@pytest.fixture(scope="module")
def place_once():
    folder = servers_of.new_folder()
    made = Place(folder)
    yield made
    made.stop()
    if not os.environ.get("SPOOR_KEEP"):
        proc.run(["rm", "-rf", folder])


@pytest.fixture
def place(place_once):
    place_once.clean()
    place_once.running = []
    yield place_once


@pytest.fixture
def crm(place):
    made = Salesforce(place.folder)
    yield made
    made.stop()
    assert not made.wrong, made.wrong


@pytest.fixture
def relay(place):
    """relay(crm=settings, ...) starts spoor-relay; it is stopped after the test."""
    started = []

    def start(**arguments):
        started.append(place.start(**arguments))
        return started[-1]

    yield start
    for server in started:
        assert server.killed or server.stop() == 0, place.log()


# --- Salesforce ---------------------------------------------------------------------------------------


def test_a_reply_is_a_task(place, crm, relay):
    contact, owner = crm.add("Contact", "Person-1@There.test"), crm.add("User", SENDER)
    crm.add("Lead", "person-1@there.test")
    lead = crm.add("Lead", "person-2@there.test")
    place.rule("crm")
    place.load(3, 1, subject="Offer\n with a line; \U0001F600 " + "x" * 300)
    relay(crm=crm.settings())
    place.wait_drained()
    tasks = {task["Subject"].split(" ", 1)[0] + task.get("WhoId", ""): task for task in crm.tasks.values()}
    assert len(crm.tasks) == 3 and set(tasks) == {"Reply:" + contact, "Reply:" + lead, "Reply:"}
    task = tasks["Reply:" + contact]
    assert task["OwnerId"] == owner and task["Type"] == "Reply" and task["Status"] == "Completed"
    assert task["Subject"].startswith("Reply: Offer  with a line; \U0001F600 x") and len(task["Subject"]) == 255
    assert "From: person-1@there.test\n" in task["Description"] and task["Description"].endswith("\nwords 1")
    # one call for the token, one for Task, two for all three replies
    assert len(crm.calls) == 4


def test_none_and_several(place, crm, relay):
    oldest, _, newest = [crm.add("Contact", "person-1@there.test") for _ in range(3)]
    place.rule("newest")
    place.rule("oldest")
    place.rule("skips")
    place.rule("tasks")
    place.load(2, 1)
    relay(newest=crm.settings(), oldest=crm.settings(when_several="oldest"), tasks=crm.settings(when_several="task"),
          skips=crm.settings(when_several="skip", when_none="skip"))
    place.wait_drained()
    who = {}
    for row in place.postgres.rows("select sink, key, message % 1000 as mail, state from spoor.outbox"):
        task = crm.tasks.get(row["key"])
        who[row["sink"], row["mail"]] = row["state"] if task is None else task.get("WhoId")
    assert who == {("newest", "1"): newest, ("oldest", "1"): oldest, ("tasks", "1"): None, ("skips", "1"): "dropped",
                   ("newest", "2"): None, ("oldest", "2"): None, ("tasks", "2"): None, ("skips", "2"): "dropped"}


def test_without_an_external_id_it_refuses(place, crm, relay):
    crm.has_external_id = False
    crm.types = ["Call"]
    place.rule("crm")
    place.load(1, 1)
    server = relay(crm=crm.settings())
    trouble = proc.wait_for(lambda: place.postgres.value("select trouble from spoor.sink where name = 'crm'"), "trouble is told", 20)
    assert EXTERNAL_ID in trouble and "at_least_once" in trouble and not crm.tasks
    assert EXTERNAL_ID in place.spoor.ctl("check", env={"PGUSER": "postgres"}, check=False).stdout.decode()
    assert server.stop() == 0
    relay(crm=crm.settings(at_least_once="yes"))
    place.wait_drained()
    assert [task["Subject"] for task in crm.created] == ["Reply: Offer 1"] and "Type" not in crm.created[0]


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


def check_once_and_in_order(place, crm, count):
    """Each reply is one task, and the replies to a mail were first written in their order."""
    assert place.states() == {"sent": count}
    assert len(crm.tasks) == count and sum(created for _, _, created in crm.history) == count
    order = {}
    for _, task, created in crm.history:
        if created:
            order.setdefault(task["Subject"], []).append(int(re.search(r"words (\d+)$", task["Description"]).group(1)))
    assert all(words == sorted(words) for words in order.values()), order


def test_many_replies_through_a_sink_that_fails(place, crm, relay):
    """Set SPOOR_RELAY_REPLIES=10000 for the full size."""
    each = 5
    place.rule("crm")
    for n in range(1, 50):
        crm.add("Contact", "person-%d@there.test" % n)
    crm.fault = faults = Faults(30, ["500", "break_before", "break_after", "expired", "limit"])
    crm.bad_record = Faults(30, ["UNABLE_TO_LOCK_ROW", "UNKNOWN_EXCEPTION"])
    place.load(REPLIES // each, each)
    relay(crm=crm.settings(retry_first="5ms", retry_most="50ms", attempts=1000, batch=100))
    place.wait_drained(240)
    check_once_and_in_order(place, crm, REPLIES // each * each)
    assert len(faults.met) == 5


def test_killed_again_and_again(place, crm, relay):
    """What a dead relay had in hand goes on when its lease ends; two relays at once do no harm."""
    place.rule("crm")
    crm.fault = Faults(40, ["slow", "break_after"])
    place.load(60, 3)
    settings = crm.settings(batch=5, timeout="200ms")
    server = relay(crm=settings)
    second = place.run("second")
    for _ in range(4):
        before = len(crm.calls)
        proc.wait_for(lambda: len(crm.calls) > before + 3, "it works", 30)
        server.kill()
        server = place.run()
    place.wait_drained()
    assert server.stop() == 0 and second.stop() == 0
    check_once_and_in_order(place, crm, 180)


def test_a_dead_letter_lets_the_rest_go_on(place, crm, relay):
    place.rule("crm")
    crm.bad_record = lambda record: "STRING_TOO_LONG" if record["Description"].endswith("words 1") else None
    place.load(1, 3)
    relay(crm=crm.settings())
    place.wait_drained()
    assert place.states() == {"dead": 1, "sent": 2}
    assert "STRING_TOO_LONG" in place.postgres.value("select result from spoor.outbox where state = 'dead'")
    gaps = [("could not be logged" in task["Description"]) for _, task, _ in crm.history]
    assert gaps == [True, True]
    assert place.postgres.value("select dead from spoor.outbox_lag() where sink = 'crm'") == "1"
    crm.bad_record = lambda record: None
    assert place.postgres.value("select spoor.retry_outbox()") == "1"
    place.wait_drained()
    assert place.states() == {"sent": 3} and len(crm.tasks) == 3


def test_attempts_come_to_an_end(place, crm, relay):
    place.rule("crm")
    crm.bad_record = lambda record: "UNABLE_TO_LOCK_ROW"
    place.load(1, 1)
    relay(crm=crm.settings(attempts=3))
    proc.wait_for(lambda: place.states() == {"dead": 1}, "it is given up", 20)
    assert place.postgres.value("select attempts from spoor.outbox") == "3"


def test_limits_are_respected(place, crm, relay):
    """While Salesforce says that the limit of calls is reached, it is asked rarely, and nothing is counted as an attempt."""
    place.rule("crm")
    limited = threading.Event()
    limited.set()
    crm.fault = lambda method, path: "limit" if limited.is_set() and path.endswith("/composite") else None
    place.load(1, 1)
    relay(crm=crm.settings(retry_most="300ms", attempts=2))
    proc.wait_for(lambda: len(crm.calls) >= 5, "it has asked three times", 20)
    assert place.postgres.value("select attempts || ' ' || state from spoor.outbox") == "0 waiting"
    limited.clear()
    place.wait_drained()
    assert len(crm.tasks) == 1


def test_a_name_with_quotes_is_only_a_name(place, crm, relay):
    """An address may have a quote in it; the stand-in refuses SOQL that is not as documented."""
    place.rule("crm")
    contact = crm.add("Contact", "o'hara\\@there.test")
    mail = place.load(1, 1)[0]
    place.postgres.execute("update spoor.answer set from_address = %s where message = %d" % (quote("o'hara\\@there.test"), mail))
    relay(crm=crm.settings())
    place.wait_drained()
    assert [task["WhoId"] for task in crm.tasks.values()] == [contact]


# --- webhooks -----------------------------------------------------------------------------------------


@pytest.fixture
def hook(place):
    made = Receiver(place.folder)
    yield made
    made.stop()


def schema_validator():
    with open(SCHEMA, encoding="utf-8") as file:
        return jsonschema.Draft202012Validator(json.load(file))


def test_a_webhook_is_signed_and_as_described(place, hook, relay):
    old, new = new_secret(place.folder, "secret-1"), new_secret(place.folder, "secret-2")
    other = new_secret(place.folder, "secret-3")
    place.rule("hook", "{reply,sent}")
    place.load(2, 2)
    relay(hook=hook.settings([old[0], new[0]]))
    place.wait_drained()
    events = hook.events()
    assert len(events) == 6 and len({event["data"]["id"] for event in events}) == 6
    for request in hook.requests:
        assert verifies(old[1], request) and verifies(new[1], request) and not verifies(other[1], request)
        assert request.headers["Content-Type"] == "application/json"
        schema_validator().validate(json.loads(request.body))
    order = {}
    for event in events:
        order.setdefault(event["data"]["message"]["id"], []).append(event["data"].get("answer", {}).get("text"))
    assert list(order.values()) == [[None, "words 1", "words 2"]] * 2


def test_webhooks_verify_by_another_implementation(place, hook, relay):
    library = pytest.importorskip("standardwebhooks")
    secret = new_secret(place.folder, "secret-1")
    place.rule("hook")
    place.load(1, 1)
    relay(hook=hook.settings([secret[0]]))
    place.wait_drained()
    request = hook.requests[0]
    assert library.Webhook(secret[1]).verify(request.body, dict(request.headers))["type"] == "spoor.reply"
    with pytest.raises(library.WebhookVerificationError):
        library.Webhook(secret[1]).verify(request.body + b" ", dict(request.headers))


def test_batches_and_what_is_answered(place, hook, relay):
    """A batch that will never do goes one by one; 503 with Retry-After makes a pause; a redirect is not followed."""
    secret = new_secret(place.folder, "secret-1")
    statuses = [Answer(503, headers={"Retry-After": "1"}), Answer(302, headers={"Location": "/elsewhere"})]

    def choose(request):
        if statuses:
            return statuses.pop(0)
        body = json.loads(request.body)
        poison = any(event["data"]["message"]["subject"] == "Offer 2" for event in body["data"].get("events", [body]))
        return 422 if poison else 200

    hook.choose = choose
    place.rule("hook")
    place.load(4, 1)
    relay(hook=hook.settings([secret[0]], batch=10))
    place.wait_drained()
    assert place.states() == {"dead": 1, "sent": 3}
    assert {request.path for request in hook.requests} == {"/hook"}
    batches = [request for request in hook.requests if json.loads(request.body)["type"] == "spoor.batch"]
    assert batches[0].headers["webhook-id"] == batches[1].headers["webhook-id"], "the same batch has the same id"
    for request in hook.requests:
        schema_validator().validate(json.loads(request.body))


def test_a_slow_sink_blocks_no_other(place, hook, crm, relay):
    secret = new_secret(place.folder, "secret-1")
    release = threading.Event()

    def wait(request):
        release.wait(20)
        return 200

    hook.choose = wait
    place.rule("hook")
    place.rule("crm")
    place.load(1, 2)
    relay(hook=hook.settings([secret[0]], timeout="20s"), crm=crm.settings())
    proc.wait_for(lambda: len(crm.tasks) == 2, "Salesforce has both", 20)
    assert place.postgres.value("select count(*) from spoor.outbox where sink = 'hook' and state = 'waiting'") == "2"
    release.set()
    place.wait_drained()


@pytest.mark.parametrize("what", ["private", "certificate", "plain"])
def test_where_a_request_may_not_go(place, hook, relay, what):
    """Neither to a private address nor to a stranger's certificate; plain HTTP is no value of url at all."""
    secret = new_secret(place.folder, "secret-1")
    settings = hook.settings([secret[0]])
    if what == "plain":
        settings["url"] = settings["url"].replace("https:", "http:")
        conf = place.spoor.write_conf(os.path.join(place.folder, "plain.conf"))
        with open(conf, "a") as file:
            file.write("sink plain { url = \"%s\" }\n" % settings["url"])
        done = proc.run([spoor_of.program("relay/spoor-relay"), "-t", "-c", conf], check=False)
        assert done.returncode == 78 and b"is no value for url" in done.stderr
        return
    if what == "private":
        settings["allow_networks"] = []
    else:
        del settings["ca_file"]
    place.rule("hook")
    place.load(1, 1)
    relay(hook=settings)
    words = {"private": "is loopback, and not in allow_networks", "certificate": "certificate"}[what]
    trouble = proc.wait_for(lambda: place.postgres.value("select trouble from spoor.sink where name = 'hook'"), "trouble is told", 20)
    assert words in trouble and not hook.requests
    assert place.states() == {"waiting": 1}


def test_no_proxy_from_the_environment(place, hook, relay, monkeypatch):
    secret = new_secret(place.folder, "secret-1")
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    place.rule("hook")
    place.load(1, 1)
    relay(hook=hook.settings([secret[0]]))
    place.wait_drained()
    assert len(hook.requests) == 1


def test_no_secret_is_shown(place, hook, crm, relay):
    """Neither in the log, nor by -T, nor in the list of processes, nor in the database: also when all goes wrong."""
    secret = new_secret(place.folder, "secret-1")
    with open(crm.key_file, encoding="ascii") as file:
        key = [line for line in file.read().splitlines() if "-----" not in line]
    hook.choose = lambda request: 500
    crm.fault = Faults(60, ["500", "expired", "break_after", "limit"])
    place.rule("hook")
    place.rule("crm")
    place.load(3, 1)
    place.spoor.settings["log_level"] = "debug"
    server = relay(hook=hook.settings([secret[0]], attempts=4), crm=crm.settings())
    place.spoor.settings.pop("log_level")
    proc.wait_for(lambda: place.states() == {"dead": 3, "sent": 3}, "all has ended", 40)
    shown = place.log() + proc.run([spoor_of.program("relay/spoor-relay"), "-T", "-c", place.spoor.conf]).stdout.decode()
    for name in ("cmdline", "environ"):
        with open("/proc/%d/%s" % (server.pid, name), "rb") as file:
            shown += file.read().decode("utf-8", "replace")
    shown += proc.run(["ps", "axww"]).stdout.decode()
    shown += "".join(str(row) for row in place.postgres.rows("select result from spoor.outbox union all select trouble from spoor.sink"))
    words = [secret[1], secret[1][len("whsec_"):], "00D!token", "assertion=", "Bearer "] + key
    assert [word for word in words if word in shown] == []


def test_a_sample(place, hook, crm):
    """spoorctl sink test says what the other side answers, and for Salesforce whether the field is there."""
    secret = new_secret(place.folder, "secret-1")
    place.spoor.sections["sink hook"] = hook.settings([secret[0]])
    place.spoor.sections["sink crm"] = crm.settings()
    place.spoor.write_conf()
    hook.choose = lambda request: Answer(202, b"thank you")
    done = place.spoor.ctl("sink", "test", "hook")
    assert b"sink hook (webhook): taken\n" in done.stdout and b"answer: HTTP 202 thank you\n" in done.stdout
    schema_validator().validate(json.loads(hook.requests[0].body))
    assert verifies(secret[1], hook.requests[0])
    done = place.spoor.ctl("sink", "test", "crm")
    assert b"sink crm (salesforce): taken\n" in done.stdout and b'"created": true' in done.stdout
    assert place.spoor.ctl("sink", "test", "crm").returncode == 0 and len(crm.tasks) == 1
    crm.has_external_id = False
    done = place.spoor.ctl("sink", "test", "crm", check=False)
    assert done.returncode == 1 and EXTERNAL_ID.encode() in done.stdout
    done = place.spoor.ctl("sink", "test", "nobody", check=False)
    assert done.returncode == 78 and b"has no sink nobody" in done.stderr


# --- the outbox ---------------------------------------------------------------------------------------


def add_hits(place, mail, hits):
    """HITS: (kind, verdict, seconds ago, address), loaded as a loader does."""
    for kind, verdict, ago, address in hits:
        record = next(place.ids)
        place.postgres.execute("""
            insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)
                values (now() - %d * interval '1 s', %d, %d, 1, 0, 2, 0, '%s', '%s', 0, '%s');
            select spoor.fill_outbox('{}', array[message], spool, array[record], array[kind::text],
                array[(extract(epoch from at_time) * 1000000)::bigint], array[recipient], array[link])
                from spoor.event where record = %d and spool = 2""" % (ago, mail, record, kind, verdict, address, record))


def test_views_wait_and_machines_are_dropped(place, hook, relay):
    """A reply goes at once; a view when its verdict has settled, and only if it still counts and is no repeat."""
    secret = new_secret(place.folder, "secret-1")
    place.postgres.execute("update spoor.verdict_setting set verdict_settle = '1 hour'")
    place.rule("hook", "{reply,view}")
    mail = place.load(1, 1)[0]
    add_hits(place, mail, [("v", "h", 50, "192.0.2.1"), ("v", "h", 40, "192.0.2.2"), ("v", "u", 5, "198.51.100.1")])
    relay(hook=hook.settings([secret[0]]))
    proc.wait_for(lambda: len(hook.requests) == 1, "the reply is there", 20)
    assert hook.events()[0]["type"] == "spoor.reply"
    place.postgres.execute("insert into spoor.event_verdict (record, spool, reason, verdict) select record, spool, 0, 'b' from spoor.event"
                           " where address = '198.51.100.1'; update spoor.outbox set due_at = now(), next_at = now() where what = 'view'")
    place.wait_drained()
    assert {row["result"] for row in place.postgres.rows("select result from spoor.outbox where state = 'dropped'")} \
        == {"a machine", "repeated"}
    assert [event["data"]["verdict"] for event in hook.events()[1:]] == ["human"]


def test_rules_choose(place):
    """By class, by sender or his domain, by campaign; and once, however many rules fit."""
    for sink, what, columns in (("a", "{reply}", {}), ("a", "{reply,sent}", {"sender": "alice@example.com"}), ("b", "{reply}", {"sender": "example.com"}),
                                ("c", "{reply}", {"sender": "eve@example.com"}), ("d", "{reply}", {"campaign": "spring%"}),
                                ("e", "{bounce}", {})):
        place.rule(sink, what, **columns)
    place.load(1, 1)
    assert {(row["sink"], row["what"]) for row in place.postgres.rows("select sink, what from spoor.outbox")} \
        == {("a", "reply"), ("a", "sent"), ("b", "reply")}
    with pytest.raises(proc.Failure):
        place.rule("f", "{nonsense}")


def test_an_event_before_its_mail(place, hook, relay):
    """The reply's loader was faster than the mail's: it goes out when the mail is known."""
    secret = new_secret(place.folder, "secret-1")
    place.rule("hook", sender="alice@example.com")
    place.postgres.execute("""
        select spoor.ensure_partitions(now(), now());
        insert into spoor.answer (message, digest, at_time, record, spool, recipient, answerer_key, class, rung, confidence, answerer, from_address)
            values (77, sha256('x'), now(), 5, 1, 0, 0, 'reply', 'references', 'high', 'other', 'eve@there.test');
        insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason)
            values (now(), 77, 5, 0, 0, 1, 0, 'r', 'u', 0);
        select spoor.fill_outbox('{}', '{77}', 1::smallint, '{5}', '{r}', array[(extract(epoch from now()) * 1000000)::bigint], '{0}', '{0}')""")
    relay(hook=hook.settings([secret[0]]))
    assert place.states() == {}
    # as if both had been loaded at the same moment: the mail's loader has not seen the event
    place.postgres.execute("insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender, subject)"
                           " values (77, now(), 1, 'individual', 1, 1, 'alice@example.com', 'alice@example.com', 'Late')")
    proc.wait_for(hook.requests.__len__, "it goes out", 20)
    assert hook.events()[0]["data"]["person"] == "eve@there.test"


def test_numbers_for_prometheus(place, hook, relay):
    secret = new_secret(place.folder, "secret-1")
    folder = os.path.join(place.folder, "metrics")
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o777)
    path = os.path.join(folder, "relay.prom")
    hook.choose = lambda request: 500
    place.rule("hook")
    place.load(2, 1)
    relay(hook=hook.settings([secret[0]], retry_first="1h", retry_most="1h"), relay={"metrics_file": path})
    wanted = ['spoor_relay_events_total{sink="hook",outcome="again"} 2', 'spoor_relay_due{sink="hook"} 2']
    proc.wait_for(lambda: os.path.exists(path) and all(line in open(path).read().splitlines() for line in wanted),
                  "the file says it", 20)
    assert "2 events are due" in place.spoor.ctl("check", env={"PGUSER": "spoor_milter"}, check=False).stdout.decode()


def test_break_off_is_no_answer(place, hook, relay):
    """Whoever hangs up before the answer gets the same event with the same id again."""
    secret = new_secret(place.folder, "secret-1")
    broken = iter([True, True, False])

    def hang_up(request):
        if next(broken):
            raise BreakOff(b"HTTP/1.1 200 OK\r\nContent-")
        return 200

    hook.choose = hang_up
    place.rule("hook")
    place.load(1, 1)
    relay(hook=hook.settings([secret[0]]))
    place.wait_drained()
    assert len(hook.requests) == 3 and len({request.headers["webhook-id"] for request in hook.requests}) == 1
    assert place.postgres.value("select attempts from spoor.outbox") == "1"
