# SPDX-License-Identifier: BSD-2-Clause
"""What happens to mails reaches Salesforce once, in order, whatever breaks on the way; and what the outbox takes and gives."""

import json
import os
import re
import threading

import pytest

import proc
from postgres import quote
from relay_place import SENDER, Faults, schema_validator
from salesforce import EXTERNAL_ID
from webhook_receiver import new_secret

pytest_plugins = ["relay_fixtures"]
REPLIES = int(os.environ.get("SPOOR_RELAY_REPLIES", "1000"))  # 10000 is the full size


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
    assert task["Subject"].startswith("Reply: Offer  with a line; \U0001F600 x") and len(task["Subject"]) == 254, "an emoji counts twice"
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
    trouble = place.postgres.wait_value("select trouble from spoor.sink where name = 'crm'")
    assert EXTERNAL_ID in trouble and "at_least_once" in trouble and not crm.tasks
    assert EXTERNAL_ID in place.spoor.ctl("check", env={"PGUSER": "postgres"}, check=False).stdout.decode()
    assert server.stop() == 0
    relay(crm=crm.settings(at_least_once="yes"))
    place.wait_drained()
    assert [task["Subject"] for task in crm.created] == ["Reply: Offer 1"] and "Type" not in crm.created[0]


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
    place.wait_drained(400)
    check_once_and_in_order(place, crm, REPLIES // each * each)
    assert len(faults.met) == 5


def test_killed_again_and_again(place, crm, relay):
    """What a dead relay had in hand goes on when its lease ends; two relays at once do no harm."""
    place.rule("crm")
    crm.fault = Faults(40, ["slow"] + ["break_after"] * 4)
    place.load(60, 3)
    settings = crm.settings(batch=5, timeout="1s")  # which "slow" exceeds, and a busy machine's answer does not
    server = relay(crm=settings)
    second = place.run("second")
    for _ in range(4):
        before = len(crm.calls)
        proc.wait_for(lambda: len(crm.calls) > before + 3, "it works")
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
    proc.wait_for(lambda: place.states() == {"dead": 1}, "it is given up")
    assert place.postgres.value("select attempts from spoor.outbox") == "3"


def test_limits_are_respected(place, crm, relay):
    """While Salesforce says that the limit of calls is reached, it is asked rarely, and nothing is counted as an attempt."""
    place.rule("crm")
    limited = threading.Event()
    limited.set()
    crm.fault = lambda method, path: "limit" if limited.is_set() and path.endswith("/composite") else None
    place.load(1, 1)
    relay(crm=crm.settings(retry_most="300ms", attempts=2))
    proc.wait_for(lambda: len(crm.calls) >= 5, "it has asked three times")
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
    proc.wait_for(lambda: len(hook.requests) == 1, "the reply is there")
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
        select spoor.ensure_partitions(now(), now() + interval '1 hour');
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
    proc.wait_for(hook.requests.__len__, "it goes out")
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
                  "the file says it")
    assert "2 events are due" in place.spoor.ctl("check", env={"PGUSER": "spoor_milter"}, check=False).stdout.decode()


def test_a_bad_choice_is_refused_when_it_is_made(place):
    """A pattern or time zone that PostgreSQL cannot use would stop the loaders, or the digests of all."""
    place.rule("crm", campaign="spring\\%")
    for pattern in ("spring\\", "spring\\\\\\"):
        with pytest.raises(proc.Failure):
            place.rule("crm", campaign=pattern)
    place.rule("crm", campaign="spring\\\\")
    place.postgres.execute("insert into spoor.mail_choice (owner, time_zone) values ('a@example.com', 'Europe/Berlin')")
    with pytest.raises(proc.Failure):
        place.postgres.execute("insert into spoor.mail_choice (owner, time_zone) values ('b@example.com', 'Europe/Berln')")


def test_documents_and_what_was_not_delivered(place, hook, relay):
    """Both wait for hindsight: a document that a machine opened, and a refusal that a bounce tells of, are dropped."""
    secret = new_secret(place.folder, "secret-1")
    place.rule("hook", "{opened,read,downloaded,undelivered}")
    mail = place.load(2, 1)[0]
    add_hits(place, mail, [("O", "h", 50, "192.0.2.1"), ("R", "h", 40, "192.0.2.1"), ("R", "h", 30, "192.0.2.1"), ("D", "u", 20, "192.0.2.1"),
                           ("O", "b", 10, "198.51.100.1"), ("U", "u", 9, "192.0.2.1"), ("U", "d", 8, "192.0.2.1")])
    relay(hook=hook.settings([secret[0]]))
    place.wait_drained()
    assert [event["type"] for event in hook.events()] == ["spoor." + what for what in ("opened", "read", "read", "downloaded", "undelivered")]
    assert {(row["what"], row["result"]) for row in place.postgres.rows("select what, result from spoor.outbox where state = 'dropped'")} \
        == {("opened", "a machine"), ("undelivered", "a bounce tells")}
    for request in hook.requests:
        schema_validator().validate(json.loads(request.body))
