# SPDX-License-Identifier: BSD-2-Clause
"""A campaign ends for whoever answers, whatever tool sends it: with real servers."""

import concurrent.futures
import datetime
import queue
import random
import threading
import time

import pytest

import mailer
import mails
import postgres
import proc
import traces
from postgres import quote

SENDER, BOB, CAROL, DAVE, STRANGER = ("alice@example.com", "bob@example.net", "carol@example.org", "dave@example.net",
                                      "assistant@elsewhere.test")
PEOPLE = ["person%d@example.net" % number for number in range(50)]
SENDERS = 8


@pytest.fixture(scope="module")
def servers(module_own):
    """Patient with the database: on a busy machine it must not seem to be away."""
    return module_own(database_timeout="20s")


@pytest.fixture
def name(mark):
    """A campaign that no other test has."""
    return "spring " + mark


@pytest.fixture(scope="module")
def session(servers):
    one = postgres.Session(servers.postgres)
    yield one
    one.close()


def compose(to, name, mark, cc=(), more=()):
    fields = ["X-Spoor-Campaign: " + name] if name else []
    return mails.plain(SENDER, list(to), mark, cc=list(cc), more=fields + list(more))


def send(servers, to, name, cc=(), more=()):
    """Submits a step of the campaign; its mark. mailer.Refused when it does not go."""
    mark = mails.new_mark()
    servers.submit(SENDER, list(to) + list(cc), compose(to, name, mark, cc, more))
    return mark


def refusal(servers, to, name, **more):
    with pytest.raises(mailer.Refused) as refused:
        send(servers, to, name, **more)
    return refused.value


def id_of(servers, mark):
    """The Message-ID as it left: in the database before the mail was accepted."""
    return "<%s>" % servers.postgres.value("SELECT sent_message_id FROM spoor.message WHERE subject LIKE '%%%s'" % mark)


def reply(servers, mark, sender=BOB, more=()):
    servers.answer(sender, [SENDER], mails.answer(sender, [SENDER], mails.new_mark(), id_of(servers, mark), more=more))


def away(servers, mark, until, sender=BOB):
    content = mails.answer_with(sender, [SENDER], mails.new_mark(), ["In-Reply-To: " + id_of(servers, mark)],
                                subject="Out of office (returning %s)" % until, more=["Auto-Submitted: auto-replied"])
    servers.answer("", [SENDER], content)


def in_days(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%d")


REPORT = """\
From: Mail Delivery System <mailer-daemon@example.net>
To: {to}
Subject: Undelivered Mail {mark}
Message-ID: <{mark}@mx.example.net>
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="=b"

--=b
Content-Type: text/plain

{mark}

--=b
Content-Type: message/{kind}

{fields}

--=b
Content-Type: text/rfc822-headers

From: {to}
Message-ID: {original}

--=b--
"""


def report(servers, mark, kind, fields):
    content = REPORT.format(to=SENDER, mark=mails.new_mark(), kind=kind, fields=fields, original=id_of(servers, mark))
    servers.answer("", [SENDER], mails.crlf(content))


def bounce(servers, mark, whom, status):
    report(servers, mark, "delivery-status",
           "Reporting-MTA: dns; mx.example.net\n\nFinal-Recipient: rfc822; %s\nAction: failed\nStatus: %s" % (whom, status))


def complain(servers, mark, whom):
    report(servers, mark, "feedback-report",
           "Feedback-Type: abuse\nUser-Agent: test/1\nVersion: 1\nOriginal-Rcpt-To: <%s>" % whom)


def arrives_at(servers, mark, people):
    """Nobody else of the three gets it."""
    servers.sending.wait_empty()
    for person in people:
        servers.mail.wait(person, mark.encode(), log=servers.receiving.log)
    servers.receiving.wait_empty()
    return all(not servers.mail.mails(person, mark.encode()) for person in {BOB, CAROL, DAVE} - set(people))


# --- the promise --------------------------------------------------------------------------------------


class Race:
    """Three steps to everybody by eight senders at once, while people answer what they have got."""

    def __init__(self, servers, session, name):
        self.servers, self.session, self.name = servers, session, name
        self.lock = threading.Lock()
        self.answered = {}  # person: when the answer was accepted
        self.tried = []     # person, when it began, whether it went
        self.wrong = []
        self.got = {person: queue.Queue() for person in PEOPLE}  # marks of what went

    def send(self, person):
        mark = mails.new_mark()
        began = time.monotonic()
        try:
            self.servers.submit(SENDER, [person], compose([person], self.name, mark))
            went = True
        except mailer.Refused as refused:
            went = False
            if refused.code != 550:
                self.wrong.append(str(refused))
        with self.lock:
            self.tried.append((person, began, went))
        if went:
            self.got[person].put(mark)

    def answer_some(self, people):
        """From their own address, from another one, from one that looks like somebody else's."""
        for person in people:
            mark = self.got[person].get(timeout=proc.PATIENCE_S)
            sender = random.choice([person, person.upper(), "private-%s" % person, "someone@mobile.test"])
            with self.lock:
                original = "<%s>" % self.session.value("SELECT sent_message_id FROM spoor.message WHERE subject LIKE '%%%s'"
                                                       % mark)
            self.servers.answer(sender, [SENDER], mails.answer(sender, [SENDER], mails.new_mark(), original))
            with self.lock:
                self.answered[person] = time.monotonic()

    def run(self, answering):
        steps = [person for _ in range(3) for person in random.sample(PEOPLE, len(PEOPLE))]
        half = len(answering) // 2
        with concurrent.futures.ThreadPoolExecutor(2) as people, concurrent.futures.ThreadPoolExecutor(SENDERS) as tools:
            work = [people.submit(self.answer_some, each) for each in (answering[:half], answering[half:])]
            work += [tools.submit(self.send, person) for person in steps]
            for each in work:
                each.result()


def test_nobody_gets_a_step_after_the_answer(servers, session, name):
    race = Race(servers, session, name)
    answering = random.sample(PEOPLE, 20)
    race.run(answering)
    assert not race.wrong
    assert set(race.answered) == set(answering)
    late = [one for one in race.tried if one[0] in race.answered and one[1] > race.answered[one[0]]]
    assert all(not went for _, _, went in late), late
    for person in PEOPLE:  # one more step to everybody, when all answers are in
        race.send(person)
    last = race.tried[-len(PEOPLE):]
    assert {person for person, _, went in last if not went} == set(answering)
    assert all(went for person, _, went in race.tried if person not in answering), "stopped without an answer"
    # The stops were there at once; the answers come by the spool of spoor-match.
    counts = servers.postgres.wait_rows("SELECT * FROM spoor.campaign_report WHERE campaign = %s AND replied >= 20" % quote(name))[0]
    assert (counts["replied"], counts["stopped"], counts["recipients"]) == ("20", "20", "50")


def refusals(servers, name, count=1):
    """Who did not get which mail (0: nobody got it), from the feed: each once, whatever was tried."""
    rows = servers.postgres.wait_rows("SELECT * FROM spoor.feed WHERE what = 'refused' AND detail = %s ORDER BY person"
                                      % quote(name), count)
    return [(row["person"], row["reason"], row["message"]) for row in rows]


# --- what becomes of the mail -------------------------------------------------------------------------


def test_all_stopped_is_refused_with_the_reason(servers, name):
    before = in_days(0)
    reply(servers, send(servers, [BOB], name))
    refused = refusal(servers, [BOB], name)
    assert refused.code == 550
    assert "5.7.1" in str(refused) and name in str(refused) and "<%s>" % BOB in str(refused)
    assert any(": reply of " + day in str(refused) for day in (before, in_days(0))), "midnight may have passed"
    assert refusals(servers, name) == [(BOB, "reply", "0")]
    servers.spoor.wait_log("stamp", r"campaign=stopped action=refuse reason=reply from=<%s> .* name=%s$" % (SENDER, name))


def test_some_stopped_and_the_others_get_it(servers, name):
    reply(servers, send(servers, [BOB, CAROL, DAVE], name))
    mark = send(servers, [BOB.upper(), CAROL, DAVE], name)
    assert arrives_at(servers, mark, [CAROL, DAVE])
    rows = servers.postgres.rows("SELECT r.address FROM spoor.recipient r JOIN spoor.message m ON m.id = r.message "
                                 "WHERE m.subject LIKE '%%%s' ORDER BY 1" % mark)
    assert [row["address"] for row in rows] == [CAROL, DAVE]
    servers.spoor.wait_log("stamp", r"campaign=stopped action=drop .* whom=<%s> name=%s$" % (BOB, name))


@pytest.mark.parametrize("message_id", [None, ""], ids=["with an id", "without"])
def test_a_mail_that_is_tried_again_is_refused_once(servers, name, message_id):
    """In the feed; the client is told each time."""
    reply(servers, send(servers, [BOB, CAROL], name), BOB)
    again = mails.plain(SENDER, [BOB], mails.new_mark(), message_id=message_id, more=["X-Spoor-Campaign: " + name])
    for _ in range(3):
        with pytest.raises(mailer.Refused, match="^550"):
            servers.submit(SENDER, [BOB], again)
    partly = send(servers, [BOB, CAROL], name)
    assert arrives_at(servers, partly, [CAROL])
    got = servers.postgres.value("SELECT id FROM spoor.message WHERE subject LIKE '%%%s'" % partly)
    assert set(refusals(servers, name, 2)) == {(BOB, "reply", "0"), (BOB, "reply", got)}
    whole = servers.postgres.rows("SELECT * FROM spoor.feed WHERE what = 'refused' AND detail = %s AND message = 0" % quote(name))
    assert [row["sender"] for row in whole] == [SENDER] and "Spring news" in whole[0]["subject"]
    assert servers.postgres.value("SELECT refused FROM spoor.campaign_report WHERE campaign = %s" % quote(name)) == "2"


def test_other_campaigns_and_other_mail_go_on(servers, name):
    reply(servers, send(servers, [BOB], name))
    assert refusal(servers, [BOB], name).code == 550
    send(servers, [BOB], name + " other")
    assert arrives_at(servers, send(servers, [BOB], None), [BOB])


@pytest.mark.parametrize("field", ["DKIM-Signature: v=1; d=example.com; s=s; b=x", "Auto-Submitted: auto-generated",
                                   "X-Spoor-Track: off"])
def test_mail_that_is_not_tracked_is_stopped_too(servers, name, field):
    reply(servers, send(servers, [BOB], name))
    assert refusal(servers, [BOB], name, more=[field]).code == 550
    mark = send(servers, [BOB, CAROL], name, more=[field])
    assert arrives_at(servers, mark, [CAROL])


def test_signed_mail_keeps_its_body_and_loses_its_recipient(servers, name):
    reply(servers, send(servers, [BOB], name))
    mark = mails.new_mark()
    servers.submit(SENDER, [BOB, CAROL], mails.pgp_signed(SENDER, [BOB, CAROL], mark, more=["X-Spoor-Campaign: " + name]))
    assert arrives_at(servers, mark, [CAROL])


# --- which answers count ------------------------------------------------------------------------------


def test_an_answer_from_elsewhere_ends_it_for_all_of_the_mail(servers, name):
    both = send(servers, [BOB, CAROL], name)
    send(servers, [DAVE], name)
    reply(servers, both, STRANGER)
    assert refusal(servers, [BOB, CAROL], name).code == 550
    send(servers, [DAVE], name)


@pytest.mark.parametrize("results, believed", [("receiving.test; dmarc=fail", False),
                                               ("receiving.test; spf=softfail smtp.mailfrom=x; dkim=none", False),
                                               ("receiving.test; none", False),
                                               ("receiving.test; dmarc=pass header.from=elsewhere.test", True),
                                               ("elsewhere.test; dmarc=fail", True)])  # not our server's word
def test_our_own_server_may_doubt_the_sender(servers, name, results, believed):
    mark = send(servers, [BOB, CAROL], name)
    field = "Authentication-Results: " + results
    reply(servers, mark, STRANGER, more=[field])
    if believed:
        assert refusal(servers, [BOB, CAROL], name).code == 550
        return
    send(servers, [BOB, CAROL], name)
    reply(servers, mark, BOB, more=[field])  # a recipient's answer counts all the same
    assert refusal(servers, [BOB], name).code == 550


def test_somebody_in_cc_speaks_for_the_mail(servers, name):
    reply(servers, send(servers, [BOB], name, cc=[CAROL]), CAROL)
    assert refusal(servers, [BOB], name).code == 550


def test_one_of_many_speaks_for_himself(servers, name):
    reply(servers, send(servers, [BOB, CAROL], name), CAROL)
    send(servers, [BOB], name)
    assert refusal(servers, [CAROL], name).code == 550


@pytest.mark.parametrize("status, stops", [("5.1.1", True), ("4.4.1", False), ("5.2.2", False)])
def test_a_hard_bounce_ends_it(servers, name, status, stops):
    bounce(servers, send(servers, [BOB], name), BOB, status)
    if stops:
        assert ": bounce of " in str(refusal(servers, [BOB], name))
    else:
        send(servers, [BOB], name)


def test_a_report_about_somebody_else_ends_nothing(servers, name):
    mark = send(servers, [BOB, CAROL], name)
    bounce(servers, mark, DAVE, "5.1.1")
    complain(servers, mark, STRANGER)
    send(servers, [BOB, CAROL, DAVE], name)
    bounce(servers, mark, CAROL, "5.1.1")
    assert refusal(servers, [CAROL], name).code == 550
    send(servers, [BOB], name)


def test_a_complaint_ends_it(servers, name):
    complain(servers, send(servers, [BOB], name), BOB)
    assert ": complaint of " in str(refusal(servers, [BOB], name))


def test_absence_pauses(servers, name):
    until = in_days(2)
    away(servers, send(servers, [BOB], name), until)
    refused = refusal(servers, [BOB], name)
    assert refused.code == 450 and "4.7.1" in str(refused) and "until " + until in str(refused)
    assert arrives_at(servers, send(servers, [BOB, CAROL], name), [BOB, CAROL]), "others do not wait"


def test_nobody_waits_longer_than_pause_max(servers, name):
    away(servers, send(servers, [BOB], name), in_days(9))
    assert arrives_at(servers, send(servers, [BOB], name), [BOB])


@pytest.mark.parametrize("field", ["X-Spoor-Track: individual", "X-Spoor-Track: aggregate"])
def test_who_answers_while_away_is_heard(servers, name, field):
    away(servers, send(servers, [BOB], name, more=[field]), in_days(9))
    reply(servers, send(servers, [BOB], name, more=[field]))
    assert refusal(servers, [BOB], name).code == 550


def test_a_second_copy_of_an_answer_does_not_undo_a_resume(servers, name):
    mark = send(servers, [BOB], name)
    content = mails.answer(BOB, [SENDER], mails.new_mark(), id_of(servers, mark))
    servers.answer(BOB, [SENDER], content)
    servers.postgres.execute("SELECT spoor.resume_campaign(%s, %s)" % (quote(name), quote(BOB)), role="spoor_admin")
    servers.answer(BOB, [SENDER], content)
    send(servers, [BOB], name)


# --- by hand ------------------------------------------------------------------------------------------


def stop(servers, name, whom):
    servers.postgres.execute("SELECT spoor.stop_campaign(%s, %s)" % (quote(name), quote(whom)), role="spoor_admin")


def suppress(servers, *arguments):
    servers.postgres.execute("SELECT spoor.suppress(%s)" % ", ".join(map(quote, arguments)), role="spoor_admin")


def admin(servers, call):
    return servers.postgres.value("SELECT spoor." + call, role="spoor_admin")


def test_psql_stops_and_resumes(servers, name):
    stop(servers, name, " Bob@Example.NET ")
    assert ": manual of " in str(refusal(servers, [BOB], name))
    assert admin(servers, "resume_campaign(%s, %s)" % (quote(name), quote(BOB))) == "1"
    send(servers, [BOB], name)
    stop(servers, name, "example.net")
    assert refusal(servers, [BOB, DAVE], name).code == 550
    send(servers, [CAROL], name)
    assert admin(servers, "resume_campaign(%s, 'example.net')" % quote(name)) == "1"
    send(servers, [BOB], name)


def test_suppression_holds_for_all_campaigns_and_no_other_mail(servers, name):
    whom = "leaver@example.net"
    suppress(servers, whom, "someone.else@example.com")
    send(servers, [whom], name)
    suppress(servers, whom)
    assert ": unsubscribe of " in str(refusal(servers, [whom], name))
    send(servers, [whom], None)
    assert admin(servers, "unsuppress(%s)" % quote(whom)) == "1"
    send(servers, [whom], name)


def test_the_milters_may_not_undo_a_stop(servers, name):
    for statement in ("DELETE FROM spoor.campaign_stop", "SELECT spoor.resume_campaign('a', 'b')",
                      "SELECT * FROM spoor.suppression", "SELECT spoor.stop_campaign('a', 'b')"):
        with pytest.raises(proc.Failure, match="permission denied"):
            servers.postgres.execute(statement, role="spoor_milter")


# --- other settings -----------------------------------------------------------------------------------


def test_a_colleague_counts_where_the_scope_is_a_domain(own, name):
    servers = own(stamp={"campaign_stop_scope": "domain"}, match={"stop_on_other": False}, database_timeout="20s")
    reply(servers, send(servers, [BOB], name), STRANGER)
    send(servers, [BOB], name)
    reply(servers, send(servers, [BOB], name))
    assert refusal(servers, [DAVE], name).code == 550
    send(servers, [CAROL], name)
    servers.spoor.restart("stamp", servers.spoor.write_conf(servers.spoor.conf + ".observe", mode="observe"))
    assert arrives_at(servers, send(servers, [DAVE], name), [DAVE]), "observing refuses nothing"


def test_the_database_is_away(own, name):
    servers = own(campaign_settle="1s", database_timeout="20s")
    mark = send(servers, [BOB], name)
    original = id_of(servers, mark)
    servers.postgres.stop()
    refused = refusal(servers, [CAROL], name)
    assert refused.code == 451 and "4.3.0" in str(refused)
    assert arrives_at(servers, send(servers, [DAVE], None), [DAVE]), "other mail goes"
    servers.answer(BOB, [SENDER], mails.answer(BOB, [SENDER], mails.new_mark(), original))
    servers.spoor.wait_log("match", r"stop=reply .* spooled=yes")
    servers.spoor.restart("stamp", servers.spoor.write_conf(servers.spoor.conf + ".send",
                                                            sections={"stamp": {"campaign_unknown": "send"}}))
    later = traces.field(servers.mail.wait(CAROL, send(servers, [CAROL], name).encode()), "Message-ID")
    servers.answer(CAROL, [SENDER], mails.answer(CAROL, [SENDER], mails.new_mark(), later))
    servers.postgres.start()
    # Carol's mail and her answer are in two spools: either may be loaded first.
    proc.wait_for(lambda: not went(servers, [BOB], name), "Bob's answer is in the database")
    proc.wait_for(lambda: not went(servers, [CAROL], name), "Carol's answer is in the database")
    servers.spoor.restart("stamp")
    proc.wait_for(lambda: went(servers, [DAVE], name), "campaign mail goes again")
    assert refusal(servers, [CAROL], name).code == 550


def went(servers, to, name):
    try:
        send(servers, to, name)
        return True
    except mailer.Refused as refused:
        assert refused.code in (451, 550)
        return False
