# SPDX-License-Identifier: BSD-2-Clause
"""Events on several PostgreSQL servers: each mail's where its host's mail is, and what belongs to no mail on the first."""

import contextlib
import functools
import os
import re
import shutil
import signal
import urllib.parse
import urllib.request
import uuid

import pytest

import attachments
import conftest
import documents
import mailer
import mails
import proc
import renderer
import sharded
import traces
import web
import webhook_receiver
from postgres import quote

SENDER, BOB, CAROL, DAVE = "alice@example.com", "bob@example.net", "carol@example.org", "dave@example.net"
SETTLE = 2  # campaign_settle, in seconds


@pytest.fixture(scope="module")
def site(request):
    """Patient with the databases: on a busy machine they must not seem to be away."""
    made = sharded.Sharded(spoor_settings={"database_timeout": "20s", "memcached_timeout": "10s", "campaign_settle": "%ds" % SETTLE,
                                           "stamp": {"consent_footer": True, "document_timeout": "20s"}})
    made.start()
    yield made
    statuses = conftest._stop(made, request.session.testsfailed > 0)
    assert all(status == 0 for status in statuses.values()), "a daemon ended badly: %r" % statuses


def databases(site):
    return site.postgres, site.shard


def submit(site, shard, recipients, content):
    return (site.submit_other if shard else site.submit)(SENDER, recipients, content)


def send(site, shard, to, name=None, compose=mails.html_quoted_printable, more=()):
    """A mail of the host whose server this is, as delivered, with its mark."""
    mark = mails.new_mark()
    fields = (["X-Spoor-Campaign: " + name] if name else []) + list(more)
    submit(site, shard, [to], compose(SENDER, [to], mark, more=fields))
    return site.mail.wait(to, mark.encode(), log=site.receiving.log), mark


def message(site, shard, mark):
    """The number of a mail, once its own server has it; the other never does."""
    here, elsewhere = databases(site)[shard], databases(site)[1 - shard]
    wanted = "SELECT id FROM spoor.message WHERE subject LIKE '%%%s'" % mark
    number = int(here.wait_rows(wanted)[0]["id"])
    assert elsewhere.rows(wanted) == []
    assert (number >> 12 & 1023) // 128 == shard
    return number


def events(database, number, kind):
    return database.rows("SELECT 1 FROM spoor.event WHERE message = %d AND kind = %s" % (number, quote(kind)))


def reply(site, mail, sender=BOB):
    site.answer(sender, [SENDER], mails.answer(sender, [SENDER], mails.new_mark(), traces.ids(mail, "Message-ID")[0]))


def stops(site, name):
    return {row["address"] for row in site.postgres.rows(
        "SELECT address FROM spoor.campaign_stop WHERE campaign = %s AND resumed_at IS NULL" % quote(name))}


def refused(site, shard, to, name):
    with pytest.raises(mailer.Refused) as caught:
        send(site, shard, to, name)
    return caught.value.code


def ctl(site, *arguments, **more):
    return site.spoor.ctl(*arguments, env={"PGUSER": "postgres"}, **more).stdout.decode()


def wait_all_loaded(site):
    """What the daemons hold is in the databases."""
    def nothing_waits():
        text = ctl(site, "check", check=False)
        return not re.search(r"[1-9]\d* bytes wait", text)
    proc.wait_for(nothing_waits, "nothing waits in a spool")


@pytest.mark.parametrize("shard", (0, 1))
def test_what_belongs_to_a_mail_is_where_the_mail_is(site, shard):
    mail, mark = send(site, shard, BOB)
    number = message(site, shard, mark)
    here, elsewhere = databases(site)[shard], databases(site)[1 - shard]
    web.get(traces.pixels(mail, site.spoor.tracking_url)[0])
    assert web.get(traces.clicks(mail, site.spoor.tracking_url)[0]).status == 302
    reply(site, mail)
    for kind in "vcr":
        proc.wait_for(lambda kind=kind: events(here, number, kind), "an event %r on its server" % kind)
        assert events(elsewhere, number, kind) == []
    assert here.value("SELECT class FROM spoor.answer WHERE message = %d" % number) == "reply"
    assert here.value("SELECT mails FROM spoor.sender_report WHERE owner = %s" % quote(SENDER)) != "0"
    assert os.path.isdir(os.path.join(site.spoor.spool, "match", "shard-1"))


def test_nodes_and_spools_of_all_servers_are_told(site):
    def listed():
        """Once each program has told its spool for shard 1."""
        lines = ctl(site, "node", "list").splitlines()
        return lines if sum(line.startswith("shard=1 ") for line in lines) >= 4 else None
    lines = proc.wait_for(listed, "four spools for shard 1")
    nodes = {int(found.group(1)) for found in (re.search(r"node=(\d+)", line) for line in lines) if found}
    assert {node // 128 for node in nodes} == {0, 1}
    names = ctl(site, "spool", "list")
    assert "/stamp/shard-1/" in names and "/pixeld/shard-1/" in names
    assert re.search(r"^shard 1 +ok +.*answers$", ctl(site, "check", check=False), re.M)
    proc.wait_for(lambda: site.shard.value("SELECT count(*) FROM spoor.node") == str(len(nodes)), "a copy of the first server's")


@pytest.mark.parametrize("shard", (0, 1))
def test_an_answer_stops_a_campaign_on_all_servers(site, shard, mark):
    name = "spring " + mark
    mail, _ = send(site, shard, BOB, name)
    send(site, 1 - shard, BOB, name)
    reply(site, mail)
    assert stops(site, name) == {BOB}, "written on the first server before the answer was accepted"
    assert refused(site, 0, BOB, name) == 550
    assert refused(site, 1, BOB, name) == 550
    send(site, 1 - shard, CAROL, name)
    copied = "SELECT 1 FROM spoor.campaign_stop WHERE campaign = %s" % quote(name)
    site.shard.wait_rows(copied)
    site.postgres.execute("SELECT spoor.resume_campaign(%s, %s)" % (quote(name), quote(BOB)))
    send(site, 0, BOB, name)
    send(site, 1, BOB, name)


def test_what_a_milter_may_tell_the_first_server(site):
    """Stops, which an answer to a mail of another server ends; no consent, and nothing of a server that is not there."""
    found = '[{"shard": %d, "number": 1, "what": "%s", "message": 1, "addresses": ["x@example.net"], "campaign": "c", "owner": "o",' \
            ' "everywhere": true, "reason": "reply", "since": "2026-01-01"}]'
    for shard, what in ((1, "tracking"), (5, "stop"), (5, "unsubscribe")):
        site.postgres.execute("SELECT spoor.take_found(%s)" % quote(found % (shard, what)), role="spoor_milter")
    assert site.postgres.rows("SELECT 1 FROM spoor.consent WHERE address = 'x@example.net'") == []
    assert site.postgres.rows("SELECT 1 FROM spoor.campaign_stop WHERE address = 'x@example.net'") == []
    with pytest.raises(proc.Failure, match="not the first server"):
        site.shard.execute("SELECT spoor.take_found('[]')", role="spoor_milter")


def test_who_unsubscribes_or_stops_tracking_is_heard_by_all(site, mark):
    name, person, other = "summer " + mark, "person-%s@example.net" % mark, "other-%s@example.net" % mark
    mail, sent = send(site, 1, person, name)
    number = message(site, 1, sent)
    one_click(site, mail)
    site.postgres.wait_rows("SELECT 1 FROM spoor.suppression WHERE address = %s AND owner = %s AND lifted_at IS NULL" % (quote(person), quote(SENDER)))
    assert refused(site, 0, person, name) == 550
    assert refused(site, 1, person, name) == 550
    proc.wait_for(lambda: events(site.shard, number, "n") or events(site.shard, number, "U") or site.shard.rows(
        "SELECT 1 FROM spoor.feed WHERE message = %d AND what = 'unsubscribe'" % number), "the feed of its server tells")

    first = send(site, 0, other)
    second = send(site, 1, other)
    numbers = [message(site, shard, sent) for shard, (_, sent) in enumerate((first, second))]
    for shard, (mail, _) in enumerate((first, second)):
        web.get(traces.pixels(mail, site.spoor.tracking_url)[0])
        proc.wait_for(lambda shard=shard: events(databases(site)[shard], numbers[shard], "v"), "a view")
    html = traces.html_parts(second[0])[0].decode()
    link = re.search('<a href="(%s/s/[a-z2-7]{52})">' % re.escape(site.spoor.tracking_url), html).group(1)
    assert web.get(link, "POST", headers={"Content-Type": "application/x-www-form-urlencoded"}, body=b"").status == 200
    site.postgres.wait_rows("SELECT 1 FROM spoor.consent WHERE address = %s AND level = 'off'" % quote(other))
    for shard in (0, 1):
        proc.wait_for(lambda shard=shard: not events(databases(site)[shard], numbers[shard], "v"), "the views are gone")
    assert site.postgres.value("SELECT count(*) FROM spoor.consent WHERE address = %s" % quote(other)) == "1"
    for shard in (0, 1):
        proc.wait_for(lambda shard=shard: traces.pixels(send(site, shard, other)[0], site.spoor.tracking_url) == [],
                      "the stamps have heard of it, which nobody but the first server tells them")


def one_click(site, mail):
    url = re.search(r"<(http[^>]*/u/[a-z2-7]{52})>", traces.field(mail, "List-Unsubscribe")).group(1)
    assert web.get(url, "POST", headers={"Content-Type": "application/x-www-form-urlencoded"},
                   body=b"List-Unsubscribe=One-Click").status == 200


def suppression(person):
    return "SELECT 1 FROM spoor.suppressions(%s)" % quote(person)


def test_what_was_taken_back_is_not_undone_by_what_comes_late(site, mark):
    """The first server hears of a request only after spoor.unsuppress(), and hears of it again when a subscription is made anew."""
    name, person, last = "harvest " + mark, "late-%s@example.net" % mark, "last-%s@example.net" % mark
    site.postgres.execute("ALTER SUBSCRIPTION spoor_shard_1 DISABLE")
    mail, sent = send(site, 1, person, name)
    number = message(site, 1, sent)
    one_click(site, mail)
    site.shard.wait_rows("SELECT 1 FROM spoor.found WHERE message = %d AND what = 'unsubscribe'" % number)
    lift = "SELECT spoor.unsuppress(%s, %s)" % (quote(person), quote(SENDER))
    assert site.postgres.value(lift) == "0", "nothing is known of it there"
    site.postgres.execute("ALTER SUBSCRIPTION spoor_shard_1 ENABLE")
    mail, sent = send(site, 1, last, name)
    message(site, 1, sent)
    one_click(site, mail)
    site.postgres.wait_rows(suppression(last))
    assert site.postgres.rows(suppression(person)) == []
    for shard in (0, 1):
        send(site, shard, person, name)

    site.postgres.execute("SELECT spoor.unsuppress(%s, %s)" % (quote(last), quote(SENDER)))
    assert site.postgres.value("SELECT spoor.stop_following(1)") == "t"
    assert "the subscription spoor_shard_1 in the database is not there" in ctl(site, "check", check=False)
    ctl(site, "schema", "upgrade")
    assert int(site.shard.value("SELECT count(*) FROM spoor.found")) > 0, "there was something to copy"
    for one in (person, last):
        assert site.postgres.rows(suppression(one)) == []
        send(site, 0, one, name)
    one_click(site, mail)
    site.postgres.wait_rows(suppression(last))


def state_of(site, name, labels):
    """One of the numbers that spoorctl metrics prints."""
    return re.search(r"^%s\{%s\} (\d+)$" % (name, re.escape(labels)), ctl(site, "metrics"), re.M).group(1)


def wait_following(site):
    proc.wait_for(lambda: [state_of(site, "spoor_subscription_works", labels) for labels in ('from="1"', 'from="0",shard="1"')] == ["1", "1"],
                  "both servers follow each other")


def wait_state(site, name, labels, wanted):
    """A worker that fails is started again and again: for a moment it is there."""
    proc.wait_for(lambda: state_of(site, name, labels) == wanted, "%s{%s} is %s" % (name, labels, wanted))


def test_a_lost_slot_is_said_and_made_anew(site, mark):
    """What was changed on the first server while there was no slot is nowhere but there: all is copied again."""
    wait_following(site)
    assert re.search("^replication +ok +the database tells others, and follows them$", ctl(site, "check", check=False), re.M)
    slot = site.postgres.value("SELECT spoor.slot_name(1)")
    site.shard.execute("ALTER SUBSCRIPTION spoor_first DISABLE")
    site.postgres.wait_rows("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND NOT active" % quote(slot))
    assert "the subscription spoor_first in shard 1 is disabled" in ctl(site, "check", check=False)
    site.postgres.execute("SELECT pg_drop_replication_slot(%s)" % quote(slot))
    person = "unheard-%s@example.net" % mark
    consent = "SELECT 1 FROM spoor.consent WHERE address = %s" % quote(person)
    site.postgres.execute("SELECT spoor.set_consent(%s, 'off', 'spoken')" % quote(person))
    site.shard.execute("ALTER SUBSCRIPTION spoor_first ENABLE")
    told = ctl(site, "check", check=False)
    assert re.search("^replication +FAIL +shard 1 does not hear of the database: the slot %s in the database is gone - "
                     "spoorctl schema upgrade makes it anew" % slot, told, re.M)
    assert state_of(site, "spoor_slot_there", 'to="1"') == "0"
    wait_state(site, "spoor_subscription_works", 'from="0",shard="1"', "0")
    assert site.shard.rows(consent) == []
    assert "shard 1: some of what the database told it is lost, so all of it is copied anew" in ctl(site, "schema", "upgrade")
    site.shard.wait_rows(consent)
    wait_following(site)
    assert state_of(site, "spoor_slot_there", 'to="1"') == "1"


def test_a_subscription_that_fails_is_said_and_made_anew(site, mark):
    """Somebody has put a row where only replication may."""
    clash, later = ("INSERT INTO spoor.campaign (name) VALUES (%s)" % quote(name + mark) for name in ("clash ", "later "))
    heard = "SELECT 1 FROM spoor.campaign WHERE name = %s" % quote("later " + mark)
    wait_following(site)
    site.shard.execute("SET session_replication_role = replica; " + clash)
    site.postgres.execute(clash + ";" + later)
    proc.wait_for(lambda: re.search("^replication +FAIL +shard 1 does not hear of the database: the subscription spoor_first in shard 1 "
                                    "(does not run|fails each time that it starts) - ", ctl(site, "check", check=False), re.M),
                  "spoorctl check tells")
    wait_state(site, "spoor_subscription_works", 'from="0",shard="1"', "0")
    assert site.shard.rows(heard) == []
    assert site.shard.value("SELECT spoor.stop_following(0)") == "t"
    ctl(site, "schema", "upgrade")
    site.shard.wait_rows(heard)
    wait_following(site)


def test_a_file_is_on_the_server_of_its_mail(site):
    mark = mails.new_mark()
    content = documents.pdf()
    submit(site, 1, [BOB], mails.with_file(SENDER, [BOB], mark, name="plan.pdf", content=content))
    mail = site.mail.wait(BOB, mark.encode(), log=site.receiving.log)
    number = message(site, 1, mark)
    site.shard.wait_rows("SELECT 1 FROM spoor.attachment WHERE message = %d" % number)
    assert site.postgres.rows("SELECT 1 FROM spoor.attachment WHERE message = %d" % number) == []
    token = attachments.all_links(mail, site.spoor.tracking_url)[0]
    answer = web.get("%s/d/%s" % (site.spoor.tracking_url, token))
    assert answer.status == 200 and b"plan.pdf" in answer.body
    assert web.get("%s/d/%s/download" % (site.spoor.tracking_url, token)).body == content
    proc.wait_for(lambda: events(site.shard, number, "F"), "the fetch is on the server of the mail")


@pytest.mark.skipif(renderer.sandbox_trouble() is not None, reason="no sandbox on this machine")
def test_one_render_makes_the_pages_of_all(site):
    """Of documents of both servers, which their recipients then see."""
    site.spoor.start("render")
    sent = []
    for shard in (0, 1):
        mark = mails.new_mark()
        submit(site, shard, [BOB], mails.with_file(SENDER, [BOB], mark, name="plan.pdf", content=documents.pdf(["Page of " + mark])))
        sent.append((site.mail.wait(BOB, mark.encode(), log=site.receiving.log), message(site, shard, mark)))
    for shard, (mail, number) in enumerate(sent):
        databases(site)[shard].wait_rows("SELECT 1 FROM spoor.document d JOIN spoor.attachment a ON a.document = d.id"
                                         " WHERE a.message = %d AND d.state = 'ready'" % number, seconds=3 * proc.PATIENCE_S)
        url = "%s/d/%s" % (site.spoor.tracking_url, attachments.all_links(mail, site.spoor.tracking_url)[0])
        picture = re.search(rb'<img src="([^"]+)"', web.get(url).body).group(1).decode()
        answer = web.get(urllib.parse.urljoin(url, picture))
        assert answer.status == 200 and answer.body[8:12] == b"WEBP"
        proc.wait_for(lambda: events(databases(site)[shard], number, "F"), "the fetch is on the server of the mail")
    assert site.spoor.stop("render") == 0


def test_one_relay_brings_the_events_of_all(site):
    """Each reply once, whichever server has its mail, and with the relay started anew in between."""
    hook = webhook_receiver.Receiver(site.folder)
    secret, _ = webhook_receiver.new_secret(site.folder, "hook.secret")
    site.spoor.sections.update({"relay": {"poll": "100ms"}, "sink hook": hook.settings([secret])})
    conf = site.spoor.write_conf(site.spoor.conf + ".relay")
    del site.spoor.sections["relay"], site.spoor.sections["sink hook"]
    site.postgres.execute("INSERT INTO spoor.sink_rule (sink, what) VALUES ('hook', '{reply}')")
    site.shard.wait_rows("SELECT 1 FROM spoor.sink_rule WHERE sink = 'hook'")
    site.spoor.start("relay", conf)
    numbers = [replied(site, shard)[1] for shard in (1, 0)]
    site.spoor.restart("relay", conf)
    numbers += [replied(site, shard)[1] for shard in (1, 0)]
    for database in databases(site):
        database.wait_rows("SELECT 1 FROM spoor.outbox WHERE sink = 'hook' AND state = 'sent'", 2)
    told = [int(event["data"]["message"]["id"]) for event in hook.events()]
    assert sorted(told) == sorted(numbers)
    assert site.spoor.stop("relay") == 0
    hook.stop()
    site.postgres.execute("DELETE FROM spoor.sink_rule WHERE sink = 'hook'")


def test_who_is_forgotten_is_forgotten_by_all(site, mark):
    person = "leaver-%s@example.net" % mark
    for shard in (0, 1):
        mail, sent = send(site, shard, person, "winter %s %d" % (mark, shard))
        message(site, shard, sent)
        reply(site, mail, person)
    site.shard.wait_rows("SELECT 1 FROM spoor.found WHERE %s = ANY (addresses)" % quote(person))
    device = str(uuid.uuid4())
    site.postgres.execute("INSERT INTO spoor.device (device, address, name) VALUES (%s, %s, 'Firefox')" % (quote(device), quote(person)))
    site.shard.wait_rows("SELECT 1 FROM spoor.device WHERE device = %s" % quote(device))
    marks = "SELECT 1 FROM spoor.event_device WHERE device = %s" % quote(device)
    site.shard.execute("INSERT INTO spoor.event_device (spool, record, device) VALUES (1, 9000000, %s)" % quote(device))
    site.postgres.execute("SELECT spoor.forget(%s)" % quote(person), role="spoor_admin")
    for database in databases(site):
        proc.wait_for(lambda database=database: database.rows("SELECT 1 FROM spoor.traces(%s)" % quote(person)) == [] and
                      database.rows("TABLE spoor.erasure") == [], "the person is forgotten")
    proc.wait_for(lambda: site.shard.rows(marks) == [], "what the person's browser did, in mails of others, is gone")
    for shard in (0, 1):
        mark = mails.new_mark()
        submit(site, shard, [person], mails.html_quoted_printable(SENDER, [person], mark))
        assert traces.pixels(site.mail.wait(person, mark.encode()), site.spoor.tracking_url) == []
    with pytest.raises(Exception, match="change it on the first server"):
        site.shard.execute("SELECT spoor.forget('somebody@example.net')")


def test_a_delivery_is_on_the_server_of_the_host_that_sends(site):
    """Behind the test that forgets: who has been there and is gone holds that up."""
    site.other.sections["delivery"] = {"log": [site.sending_other.log], "poll": "50ms"}
    site.other.write_conf()
    site.other.start("delivery")
    _, mark = send(site, 1, BOB)
    number = message(site, 1, mark)
    row = site.shard.wait_rows("SELECT * FROM spoor.delivery_report WHERE message = %d AND state = 'delivered'" % number)[0]
    assert row["recipient"] == BOB
    assert site.postgres.rows("SELECT 1 FROM spoor.delivery WHERE message = %d" % number) == []
    assert site.other.stop("delivery") == 0
    del site.other.sections["delivery"]
    site.other.write_conf()


class Feed:
    """The Live Feed of the one who sends, by plain HTTP."""

    def __init__(self, site):
        self.url = site.spoor.tracking_url
        link = ctl(site, "invite", SENDER).strip()
        answer = web.get(link, "POST", headers={"Origin": self.url})
        assert answer.status == 303
        self.cookies = "; ".join(cookie.split(";")[0] for cookie in answer.headers.get_all("Set-Cookie"))

    def get(self, path="/feed"):
        return web.get(self.url + path, headers={"Cookie": self.cookies})

    def text(self, path="/feed"):
        answer = self.get(path)
        assert answer.status == 200
        return answer.body.decode()

    def live(self, after):
        request = urllib.request.Request(self.url + "/feed/live?after=" + after.replace(",", "%2C").replace(":", "%3A"),
                                         headers={"Cookie": self.cookies})
        return urllib.request.urlopen(request, timeout=proc.PATIENCE_S)


@pytest.fixture(scope="module")
def feed(site):
    return Feed(site)


def replied(site, shard):
    """A mail that was answered; its mark and number."""
    mail, mark = send(site, shard, BOB)
    number = message(site, shard, mark)
    reply(site, mail)
    proc.wait_for(lambda: events(databases(site)[shard], number, "r"), "the answer is on its server")
    return mark, number


def test_the_feed_shows_what_all_servers_have(site, feed):
    mails_of = [replied(site, shard) for shard in (1, 0, 1)]
    page = feed.text()
    places = [page.index(mark) for mark, _ in mails_of]
    assert places == sorted(places, reverse=True), "newest first, whichever server it is on"
    assert 'id="missing"' not in page
    csv = feed.text("/feed/csv")
    for mark, number in mails_of:
        assert mark in csv
        mail = feed.text("/feed/mail/%d" % number)
        assert mark in mail and "bob@example.net" in mail
        assert mark in feed.text("/feed?q=" + mark)
    ids = re.findall(r'<li class="event [^"]*" id="(e[^"]+)"', page)
    assert len(ids) == len(set(ids)) and any(name.startswith("e1.") for name in ids)


def test_pages_of_the_past_have_each_event_once(site, feed):
    """As many as fill more than a page, of both servers."""
    marks = {replied(site, shard)[0] for shard in (0, 1)}
    for shard in (0, 1):
        databases(site)[shard].execute(
            "SELECT spoor.ensure_partitions(now() - interval '1 day', now());"
            "INSERT INTO spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason)"
            " SELECT e.at_time - n * interval '7 s', e.message, b.last_record + n, e.recipient, 0, e.spool, 0, 'r', 'u', 0"
            " FROM (SELECT * FROM spoor.event WHERE kind = 'r' ORDER BY at_time DESC LIMIT 1) e"
            " CROSS JOIN (SELECT max(last_record) + 1000000 AS last_record FROM spoor.batch) b CROSS JOIN generate_series(1, 60) n;"
            "INSERT INTO spoor.batch (spool, first_record, last_record, records)"
            " SELECT spool, min(record), max(record), count(*) FROM spoor.event"
            " WHERE record > (SELECT max(last_record) FROM spoor.batch) GROUP BY spool")
    seen, path = [], "/feed"
    for _ in range(20):
        page = feed.text(path)
        seen += re.findall(r'<li class="event [^"]*" id="(e[^"]+)"', page)
        older = re.search(r'rel="next" href="[^"]*?(/feed[^"]*)"', page)
        if not older:
            break
        path = older.group(1).replace("&amp;", "&")
    assert not older, "an end"
    assert len(seen) == len(set(seen)), "no event twice"
    for shard in (0, 1):
        count = int(databases(site)[shard].value("SELECT count(*) FROM spoor.feed_item WHERE owner = %s AND counted" % quote(SENDER)))
        assert sum(name.startswith("e1.") == (shard == 1) for name in seen) >= count, "and none left out"
    assert marks


def test_an_open_page_hears_of_all_servers(site, feed):
    after = re.search(r'data-after="([^"]+)"', feed.text()).group(1)
    assert re.fullmatch(r"\d+,1:\d+", after)
    def batches(cursor):
        return [int(part) for part in re.fullmatch(r"(\d+),1:(\d+)", cursor).groups()]
    marks = [replied(site, shard)[0] for shard in (0, 1)]
    there = [int(database.value("SELECT max(number) FROM spoor.batch")) for database in databases(site)]
    with feed.live(after) as stream:
        told, last = b"", after
        while not all(now >= wanted for now, wanted in zip(batches(last), there)):
            line = stream.readline()
            told += line
            found = re.fullmatch(rb"id: (\S+)\n", line)
            last = found.group(1).decode() if found else last
    assert all(mark.encode() in told for mark in marks)
    mark = replied(site, 1)[0]
    with feed.live(last) as stream:
        told = b""
        while mark.encode() not in told:
            told += stream.readline()
    assert marks[0].encode() not in told, "what was told before comes no more"


def test_psql_reads_of_all_servers(site):
    marks = [replied(site, shard)[0] for shard in (0, 1)]
    rows = site.postgres.rows("SELECT shard, subject FROM spoor_all.feed WHERE what = 'reply'", role="spoor_admin")
    for shard, mark in enumerate(marks):
        assert [row["shard"] for row in rows if mark in row["subject"]] == [str(shard)]
    mails_here = [int(database.value("SELECT mails FROM spoor.sender_report WHERE owner = %s" % quote(SENDER))) for database in databases(site)]
    assert int(site.postgres.value("SELECT mails FROM spoor_all.sender_report WHERE owner = %s" % quote(SENDER))) == sum(mails_here)
    for view in ("message_report", "recipient_report", "link_report", "document_report", "event_report", "delivery_report", "stuck",
                 "node_report", "erasure", "top_documents", "recipient_domain_report", "top_links", "campaign_report", "outbox_report",
                 "unsubscribe_report"):
        site.postgres.rows("SELECT * FROM spoor_all.%s LIMIT 1" % view, role="spoor_admin")
    days = "SELECT sum(mails) AS mails, sum(views) AS views, sum(clicks) AS clicks, sum(replies) AS replies," \
           " sum(bounces) AS bounces, sum(machine_events) AS machines FROM %s.daily_report(until => '" + \
           site.postgres.value("SELECT now()::text") + "')"

    def adds_up():
        of_each = [database.rows(days % "spoor")[0] for database in databases(site)]
        return all(int(one["replies"]) > 0 for one in of_each) and site.postgres.rows(days % "spoor_all", role="spoor_admin")[0] == {
            name: str(sum(int(one[name]) for one in of_each)) for name in of_each[0]}
    proc.wait_for(adds_up, "the days of all are the sum of those of each, once all is loaded and judged")
    health = site.postgres.rows("SELECT shard, name, labels FROM spoor_all.health WHERE name = 'spoor_subscription_works'", role="spoor_admin")
    assert [(row["shard"], row["labels"]) for row in health] == [("1", 'from="0"'), ("0", 'from="1"')]


def test_who_unsubscribed_is_told_with_the_mail_of_another_server(site, mark):
    person = "leaves-%s@example.net" % mark
    mail, sent = send(site, 1, person, "farewell " + mark)
    message(site, 1, sent)
    one_click(site, mail)
    site.postgres.wait_rows(suppression(person))
    asked = "SELECT way, asked, campaign FROM %s.suppressions(" + quote(person) + ")"
    assert site.postgres.rows(asked % "spoor_all", role="spoor_admin") == [{"way": "web", "asked": "1", "campaign": "farewell " + mark}]
    assert site.postgres.rows(asked % "spoor", role="spoor_admin") == [{"way": None, "asked": None, "campaign": None}]


def check_unnamed(site, conf):
    """What waits for a server that was taken out of shards is said, and stays where it is."""
    before = len(site.spoor.log_text("pixeld"))
    site.spoor.restart("pixeld", conf)
    site.spoor.wait_log("pixeld", r"records in .*/pixeld/shard-1 wait for shard 1, and spoor.conf names none in shards", since=before)
    told = ctl(site, "check", check=False, conf=conf)
    assert re.search(r"^pixeld/shard-1 +FAIL +[1-9]\d* bytes wait for the database of shard 1, which shards does not name\b.* - name it there again",
                     told, re.M)
    assert re.search("^segment=.*/pixeld/shard-1/.* loaded=(no|partly) .* unnamed=shard-1$", ctl(site, "spool", "list", conf=conf), re.M)
    assert re.search(r'^spoor_spool_unnamed_bytes\{spool="pixeld/shard-1"\} [1-9]', ctl(site, "metrics", conf=conf), re.M)
    site.spoor.restart("pixeld")
    assert "spoor_spool_unnamed_bytes{" not in ctl(site, "metrics") and "unnamed=" not in ctl(site, "spool", "list")


def test_a_server_that_is_away_loses_nothing_and_stops_no_other(site, feed, mark, tmp_path):
    first, second = send(site, 0, BOB), send(site, 1, BOB)
    numbers = [message(site, shard, sent) for shard, (_, sent) in enumerate((first, second))]
    name = "autumn " + mark
    campaign, _ = send(site, 1, CAROL, name)
    site.shard.stop_at_once()
    for mail, _ in (first, second):
        for _ in range(5):
            web.get(traces.pixels(mail, site.spoor.tracking_url)[0])
    proc.wait_for(lambda: len(events(site.postgres, numbers[0], "v")) == 5, "the first server goes on")
    page = feed.text()
    assert 'id="missing"' in page and first[1] in feed.text("/feed/mail/%d" % numbers[0])
    assert feed.get("/feed/mail/%d" % numbers[1]).status == 503
    assert feed.get("/feed/csv").status == 503, "a file would not say what is missing"
    check_unnamed(site, site.spoor.write_conf(str(tmp_path / "without.conf"), shards=[]))
    _, late = send(site, 1, BOB)
    _, sent = send(site, 0, BOB)
    site.postgres.wait_rows("SELECT 1 FROM spoor.message WHERE subject LIKE '%%%s'" % sent)
    reply(site, campaign, CAROL)  # cannot be asked about, and is accepted all the same
    assert refused(site, 0, CAROL, name) == 451, "it is not known who has answered"
    untold = "SELECT value FROM spoor.health WHERE name = 'spoor_untold_bytes' AND labels = 'to=\"1\"'"
    before = int(site.postgres.value(untold))
    site.postgres.execute("SELECT pg_logical_emit_message(false, 'spoor', repeat('x', 100000))")
    proc.wait_for(lambda: int(site.postgres.value(untold)) >= before + 50000, "what waits for a server that is away is told")
    site.shard.start()
    proc.wait_for(lambda: int(site.postgres.value(untold)) < 50000, "it has followed")
    proc.wait_for(lambda: len(events(site.shard, numbers[1], "v")) == 5, "its events are there, each once")
    message(site, 1, late)
    proc.wait_for(lambda: stops(site, name) == {CAROL}, "the stop came to the first server")
    wait_all_loaded(site)
    assert len(events(site.shard, numbers[1], "v")) == 5
    proc.wait_for(lambda: refused(site, 0, CAROL, name) == 550, "all is known again")


def test_the_first_server_away(site, feed):
    mail, sent = send(site, 1, BOB)
    number = message(site, 1, sent)
    site.postgres.stop_at_once()
    web.get(traces.pixels(mail, site.spoor.tracking_url)[0])
    proc.wait_for(lambda: events(site.shard, number, "v"), "shard 1 goes on")
    _, late = send(site, 1, BOB)
    site.shard.wait_rows("SELECT 1 FROM spoor.message WHERE subject LIKE '%%%s'" % late)
    _, waiting = send(site, 0, BOB)
    reply(site, mail)
    proc.wait_for(lambda: events(site.shard, number, "r"), "the answer is on its server")
    page = feed.text()
    assert 'id="missing"' in page and sent in page, "who is signed in is known there too"
    site.postgres.start()
    message(site, 0, waiting)


@contextlib.contextmanager
def standing_still(database):
    """All of a PostgreSQL: connections stand, new ones are taken by the kernel, and nobody answers."""
    stopped = [database.server.pid]
    os.kill(database.server.pid, signal.SIGSTOP)
    os.waitpid(database.server.pid, os.WUNTRACED)  # it has stopped: it makes no more of them, and none of them goes
    for pid in proc.children(database.server.pid):
        os.kill(pid, signal.SIGSTOP)
        stopped.append(pid)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def hasty(site):
    """A spoor-match that does not wait as long as those of the other tests."""
    site.spoor.restart("match", site.spoor.write_conf(site.spoor.conf + ".hasty", database_timeout="1s"))
    yield
    site.spoor.restart("match")


@pytest.mark.parametrize("still", (0, 1))
def test_one_that_does_not_answer_hides_no_other(site, feed, hasty, still):
    """The answer names an id that is not signed, so all servers have to be asked whose it is, and memcached has forgotten."""
    there = 1 - still
    mail, mark = send(site, there, BOB, compose=functools.partial(mails.html_quoted_printable, agent="Mozilla Thunderbird"))
    number = message(site, there, mark)
    own = traces.field(mail, "Message-ID")
    assert own == "<%s@client.example.com>" % mark
    site.memcached.stop()
    site.memcached.start()
    with standing_still(databases(site)[still]):
        site.answer(BOB, [SENDER], mails.answer(BOB, [SENDER], mails.new_mark(), own))
        proc.wait_for(lambda: events(databases(site)[there], number, "r"), "the answer is known")
        page = feed.text()
        assert 'id="missing"' in page and mark in page
    wait_all_loaded(site)
    proc.wait_for(lambda: 'id="missing"' not in feed.text(), "all is there again")


def test_a_restart_goes_on_where_it_was(site):
    mail, sent = send(site, 1, BOB)
    number = message(site, 1, sent)
    for name in ("pixeld", "match", "stamp"):
        site.spoor.restart(name)
    site.other.restart("stamp")
    web.get(traces.pixels(mail, site.spoor.tracking_url)[0])
    proc.wait_for(lambda: len(events(site.shard, number, "v")) == 1, "the view")
    _, sent = send(site, 1, BOB)
    message(site, 1, sent)
    wait_all_loaded(site)
    for database in databases(site):
        assert database.rows("TABLE spoor.rejected") == []


def test_roots_check_knows_the_password_of_a_daemons_unit(site, tmp_path):
    """As in a cluster, where each has a file of its own; systemd is a script here."""
    hba = os.path.join(site.shard.data, "pg_hba.conf")
    with open(hba) as file:
        before = file.read()
    with open(hba, "w") as out:
        out.write("local spoor spoor_delivery scram-sha-256\n" + before)
    site.shard.execute("ALTER ROLE spoor_delivery PASSWORD 'secret'; SELECT pg_reload_conf()")
    conf = site.other.write_conf(str(tmp_path / "check.conf"), instance="check")
    with open(conf, "a") as out:
        out.write('delivery { log = { "%s" } }\n' % site.sending_other.log)
    passwords, systemctl = (os.path.join(site.other.folder, name) for name in ("pgpass.delivery", "systemctl"))
    with open(passwords, "w") as out:
        out.write("*:*:spoor:spoor_delivery:secret\n")
    os.chmod(passwords, 0o600)
    shutil.chown(passwords, "nobody")
    try:
        for unit, wanted in (("", r"FAIL +delivery: nobody as spoor_delivery: not checked, for it wants a password, and neither PGPASSFILE nor the unit of "
                                  r"spoor-delivery names a file with one - contrib/cluster/passwords.conf has the lines"),
                             ("LANG=C PGPASSFILE=%s" % passwords, "ok +delivery: nobody as spoor_delivery: answers$")):
            with open(systemctl, "w") as out:
                out.write('#!/bin/sh\n[ "$*" = "show --property=Environment --value spoor@delivery.service" ] && echo "%s"\n' % unit)
            os.chmod(systemctl, 0o755)
            told = site.other.ctl("check", check=False, conf=conf, env={"PATH": "%s:%s" % (site.other.folder, os.environ["PATH"])})
            assert re.search("^shard 1 +" + wanted, told.stdout.decode(), re.M), told.stdout
    finally:
        with open(hba, "w") as out:
            out.write(before)
        site.shard.execute("SELECT pg_reload_conf()")


def test_swapped_servers_get_nothing(site, tmp_path):
    """spoor.conf of the second host has the servers in each other's place."""
    wrong = site.other.write_conf(str(tmp_path / "swapped.conf"), database=site.shard.conninfo, shards=["1 " + site.postgres.conninfo])
    refusal = r"this server is shard 1, and spoor.conf has it as shard 0, in database"
    site.other.stop("stamp")
    assert re.search(refusal, site.other.start_refused("stamp", wrong))

    for database in databases(site):
        database.stop_at_once()
    before = len(site.other.log_text("stamp"))
    site.other.start("stamp", wrong)  # nobody is there to tell it
    site.other.wait_log("stamp", ": ready$", since=before)  # or it is told while it starts, and ends
    for database in databases(site):
        database.start()
    site.other.wait_log("stamp", "cannot load the spool: " + refusal)
    mark = mails.new_mark()
    submit(site, 1, [BOB], mails.html_quoted_printable(SENDER, [BOB], mark))
    mail = site.mail.wait(BOB, mark.encode(), log=site.receiving.log)
    assert traces.pixels(mail, site.spoor.tracking_url), "it is tracked, and what is known of it waits"
    assert refused(site, 1, CAROL, "swapped") == 451, "nor is anything asked there"
    wanted = "SELECT 1 FROM spoor.message WHERE subject LIKE '%%%s'" % mark
    assert [database.rows(wanted) for database in databases(site)] == [[], []]
    site.other.restart("stamp")
    message(site, 1, mark)


def test_the_wrong_server_gets_nothing(site, tmp_path):
    """A configuration that calls the first server shard 1."""
    wrong = site.spoor.write_conf(str(tmp_path / "wrong.conf"), shards=["1 " + site.postgres.conninfo], instance="wrong")
    told = ctl(site, "check", check=False, conf=wrong)
    assert "this server is shard 0, and spoor.conf has it as shard 1" in told
    done = site.spoor.ctl("schema", "upgrade", check=False, conf=wrong, env={"PGUSER": "postgres"})
    assert done.returncode == 1 and b"cannot become shard 1" in done.stderr
