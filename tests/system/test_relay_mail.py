# SPDX-License-Identifier: BSD-2-Clause
"""From a real mail and its answer to a Task, with what the person wrote; and mails to the sender's own mailbox, with no loop."""

import os
import re

import pytest

import mails
import proc
import spoor as spoor_of
import traces
import web
from postgres import quote
from salesforce import Salesforce

SENDER, TO = "alice@example.com", "bob@example.net"


class Relay:
    """spoor-relay beside the shared servers; what it leaves in their database goes with it."""

    def __init__(self, servers):
        self.servers = servers
        self.server = None

    def start(self, **sinks):
        conf = self.servers.spoor.write_conf(os.path.join(self.servers.folder, "relay.conf"))
        with open(conf, "a") as file:
            file.write('relay { poll = "100ms" }\n')
            for name, settings in sinks.items():
                file.write("sink %s {\n%s}\n" % (name, "".join(spoor_of._line(*item) + "\n" for item in settings.items())))
        self.log = os.path.join(self.servers.log_folder, "relay.log")
        self.server = proc.Server("spoor-relay", [spoor_of.program("relay/spoor-relay"), "-f", "-c", conf], self.log)
        self.servers.postgres.wait_rows("select name from spoor.sink", len(sinks), log=self.log)

    def settle(self):
        """What other tests have left in the spools is in the database, and is not told to a sink of ours."""
        def nothing_waits():
            said = self.servers.spoor.ctl("check", check=False, env={"PGUSER": "postgres"}).stdout.decode()
            return len(re.findall(r" 0 bytes wait", said)) == len(re.findall(r"\d bytes wait", said)) >= 3
        proc.wait_for(nothing_waits, "nothing waits in a spool")

    def stop(self):
        status = self.server.stop() if self.server else 0
        self.servers.postgres.execute("truncate spoor.sink, spoor.sink_rule, spoor.outbox, spoor.outbox_early, spoor.mail_choice")
        assert status == 0, proc.tail_of(self.log)


@pytest.fixture
def relay(servers):
    made = Relay(servers)
    made.settle()
    yield made
    made.stop()


def send_and_answer(servers, mark, text="Thank you, please call me.\n"):
    """A mail to TO, and his answer with the history below it."""
    servers.submit(SENDER, [TO], mails.html_quoted_printable(SENDER, [TO], mark))
    delivered = servers.mail.wait(TO, mark.encode(), log=servers.receiving.log)
    answer_mark = mails.new_mark()
    history = "\nOn Mon, 30 Nov 2026 at 10:00, Alice <%s> wrote:\n> Good morning\n> the old text\n" % SENDER
    servers.answer(TO, [SENDER], mails.answer_with(TO, [SENDER], answer_mark, ["In-Reply-To: " + traces.field(delivered, "Message-ID")],
                                                   text=text + history))
    servers.mail.wait(SENDER, answer_mark.encode(), log=servers.receiving.log)
    return delivered


def test_a_reply_becomes_a_task_with_its_text(servers, relay, mark):
    crm = Salesforce(servers.folder)
    try:
        contact, owner = crm.add("Contact", TO), crm.add("User", SENDER)
        servers.postgres.execute("insert into spoor.sink_rule (sink) values ('crm')")
        relay.start(crm=crm.settings())
        send_and_answer(servers, mark, "Grüße, please call me.\n")
        proc.wait_for(lambda: crm.tasks, "the task is there", log=relay.log)
        (task,) = crm.tasks.values()
        assert task["Subject"].startswith("Reply: Spring news") and task["WhoId"] == contact and task["OwnerId"] == owner
        assert task["Description"].endswith("\n\nGrüße, please call me.")
        assert not crm.wrong
    finally:
        crm.stop()


def test_no_text_is_kept_when_nobody_wants_it(servers, mark):
    send_and_answer(servers, mark)
    rows = servers.postgres.wait_rows("select a.text from spoor.answer a join spoor.message m on m.id = a.message"
                                      " where m.subject like %s" % quote("%" + mark))
    assert [row["text"] for row in rows] == [None]


DIGEST = b"\nSubject: Your mails"


def own_notices(servers):
    return [mail for mail in servers.mail.mails(SENDER) if b"Auto-Submitted: auto-generated" in mail]


def told_at_once(servers, what):
    return [mail for mail in own_notices(servers) if DIGEST not in mail and what in mail]


def digests(servers):
    return [mail for mail in own_notices(servers) if DIGEST in mail]


def test_a_sender_is_told_by_mail_as_he_chooses(servers, relay, mark):
    """At once of a view, not of a reply; a digest. The mails go through both milters: neither tracks nor counts them."""
    servers.postgres.execute(
        "update spoor.verdict_setting set verdict_settle = '0 s'; insert into spoor.sink_rule (sink, what)"
        " values ('mailbox', '{view,reply,digest}'); insert into spoor.mail_choice (owner, at_once, digest, digest_at)"
        " values (%s, '{view}', true, (now() at time zone 'UTC' - interval '1 min')::time)" % quote(SENDER))
    before = servers.postgres.value("select count(*) from spoor.message")
    answers = servers.postgres.value("select count(*) from spoor.answer")
    try:
        delivered = send_and_answer(servers, mark)
        web.get(traces.pixels(delivered, servers.spoor.tracking_url)[0])
        relay.start(mailbox={"type": "mail", "from": "spoor@example.com", "server": "127.0.0.1:%d" % servers.sending.port})
        proc.wait_for(lambda: len(told_at_once(servers, b"viewed")) == 1 and servers.postgres.value(
            "select count(*) from spoor.outbox where state = 'waiting'") == "0", "all is told", log=relay.log)
        states = {(row["what"], row["state"], row["result"]) for row in servers.postgres.rows("select what, state, result from spoor.outbox")}
        assert ("view", "sent", "SMTP 250") in states and ("reply", "dropped", "not chosen") in states
        assert [state for what, state, _ in states if what == "digest"] in (["sent"], ["dropped"])
        (notice,) = told_at_once(servers, b"viewed")
        assert b"Return-Path: <>" in notice and b"X-Spoor" not in notice and not traces.pixels(notice, servers.spoor.tracking_url)
        relay.settle()
        assert servers.postgres.value("select count(*) from spoor.message") == str(int(before) + 1), "no notice is tracked"
        assert servers.postgres.value("select count(*) from spoor.answer") == str(int(answers) + 1), "no notice is an answer"
    finally:
        servers.postgres.execute("update spoor.verdict_setting set verdict_settle = '60 s'")


def test_a_digest_lists_the_day(servers, relay, mark):
    before = len(digests(servers))
    send_and_answer(servers, mark)
    servers.postgres.wait_rows("select what from spoor.feed where what = 'reply' and subject like %s" % quote("%" + mark))
    servers.postgres.execute(  # its time is after the answer's, however long that was under way
        "insert into spoor.sink_rule (sink, what) values ('mailbox', '{digest}'); insert into spoor.mail_choice (owner, at_once, digest,"
        " digest_at) values (%s, '{}', true, (now() at time zone 'UTC')::time)" % quote(SENDER))
    relay.start(mailbox={"type": "mail", "from": "spoor@example.com", "server": "127.0.0.1:%d" % servers.receiving.port})
    proc.wait_for(lambda: len(digests(servers)) > before, "the digest is there", log=relay.log)
    digest = digests(servers)[-1]
    assert re.search(rb"bob@example.net replied to ", digest.replace(b"=\r\n", b"").replace(b"=20", b" "))
    assert servers.postgres.value("select count(*) from spoor.outbox where what = 'digest'") == "1"


def test_a_blind_copy_for_the_crm(servers, mark):
    """By spoor-stamp, to an address that is no recipient: not in the header, not in the record."""
    crm = "dave@example.net"
    conf = servers.spoor.write_conf(os.path.join(servers.folder, "bcc.conf"), sections={"stamp": {"crm_bcc": [SENDER + " " + crm]}})
    servers.spoor.restart("stamp", conf)
    try:
        servers.submit(SENDER, [TO], mails.html_quoted_printable(SENDER, [TO], mark))
        copy = servers.mail.wait(crm, mark.encode(), log=servers.receiving.log)
        assert traces.pixels(copy, servers.spoor.tracking_url) and crm.encode() not in copy.partition(b"\n\n")[0].replace(
            b"Delivered-To: " + crm.encode(), b"").replace(b"X-Original-To: " + crm.encode(), b"").replace(b"for <" + crm.encode(), b"")
        rows = servers.postgres.wait_rows("select r.address from spoor.recipient r join spoor.message m on m.id = r.message"
                                          " where m.subject like %s" % quote("%" + mark))
        assert [row["address"] for row in rows] == [TO]
        inside = mails.new_mark()
        servers.submit(SENDER, ["anton@example.com"], mails.html_quoted_printable(SENDER, ["anton@example.com"], inside))
        servers.mail.wait("anton@example.com", inside.encode(), log=servers.receiving.log)
        servers.sending.wait_empty()
        servers.receiving.wait_empty()
        assert not servers.mail.mails(crm, inside.encode())
    finally:
        servers.spoor.restart("stamp")
