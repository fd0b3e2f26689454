# SPDX-License-Identifier: BSD-2-Clause
"""A copy a recipient, with real servers: Postfix by the lines of contrib/postfix, a DKIM signer behind."""

import os
import re
import signal
import threading
import time

import pytest

import attachments
import mailer
import mails
import proc
import split
import traces
import web
from postgres import quote

SENDER, COLLEAGUE, ARCHIVE = "alice@example.com", "anton@example.com", "archive@example.com"
BOB, CAROL, DAVE = "bob@example.net", "carol@example.org", "dave@example.net"
TEAM, TEAM_MEMBERS = "team@example.net", ["one@example.net", "two@example.org"]
SMALL_TEAM, SMALL_TEAM_MEMBER = "small-team@example.net", "three@example.org"
EVE = "eve@elsewhere.test"
PASS = "X-Spoor-Pass"
SIZE_LIMIT = 200000  # of the sending Postfix


class Copies:
    """Servers whose sending Postfix makes copies."""

    def __init__(self, servers):
        self.servers, self.spoor, self.postfix = servers, servers.spoor, servers.sending
        self.signer = split.Signer(servers.folder, servers.log_folder, "example.com")
        self.socket = self.spoor.socket("copies")
        self.split = split.Split(self.spoor.socket("stamp"), self.socket, self.signer.port)
        self.spoor.sections["stamp"].update(copies=True, listen_copies="unix:" + self.socket, decoy_link=True,
                                            document_timeout="20s")
        self.spoor.write_conf()
        settings = dict(self.split.main(), relayhost="[127.0.0.1]:%d" % servers.receiving.port, always_bcc=ARCHIVE,
                        smtp_bind_address="127.0.0.2", message_size_limit=str(SIZE_LIMIT),
                        service_throttle_time="1s",  # the rest of a service whose process died on its first client
                        virtual_alias_domains="", virtual_alias_maps="inline:{ {%s = %s}, {%s = %s} }"
                        % (TEAM, ", ".join(TEAM_MEMBERS), SMALL_TEAM, SMALL_TEAM_MEMBER))
        self.postfix.configure(settings, self.split.master())

    def start(self):
        self.signer.start()
        self.spoor.stop("stamp")
        self.start_stamp()
        self.postfix.reload()
        for port in (self.split.submission, self.split.second):
            proc.wait_for(lambda: proc.accepts(port), "Postfix accepts on %d" % port, log=self.postfix.log)

    def start_stamp(self, conf=None):
        before = len(self.spoor.log_text("stamp"))
        self.spoor.start("stamp", conf)
        self.spoor.wait_log("stamp", ": ready for copies$", since=before)  # its socket takes connections before

    def stop(self):
        self.signer.stop()

    # the processes

    @property
    def first(self):
        return self.spoor.servers["stamp"]

    def second(self):
        """The process id of the second pass."""
        return children(self.first.pid)[0]

    def services(self, name):
        """The process ids of a Postfix service, by its name in master.cf."""
        with open(os.path.join(self.postfix.folder, "spool", "pid", "master.pid")) as file:
            master = int(file.read())
        return [pid for pid in children(master) if b"\0-n\0%s\0" % name.encode() in command_of(pid)]

    # mail

    def submit(self, recipients, content, port=None):
        return mailer.send(port or self.split.submission, SENDER, recipients, content)

    def send(self, mark, recipients, kind=mails.html_quoted_printable, **more):
        content = kind(SENDER, recipients, mark, **more)
        self.submit(recipients, content)
        return content

    def settle(self):
        """All that is in the queues has been delivered; what was deferred is tried again."""
        def is_empty():
            if self.postfix.queued() == 0:
                return True
            self.postfix.flush()
            return proc_waits(lambda: self.postfix.queued() == 0, 2)
        proc.wait_for(is_empty, "nothing is left in the queue of the sending Postfix", log=self.postfix.log)
        self.servers.receiving.wait_empty()

    def copies_of(self, address, mark):
        return self.servers.mail.mails(address, mark.encode())

    def the_copy(self, address, mark):
        found = self.copies_of(address, mark)
        assert len(found) == 1, "%d copies for %s" % (len(found), address)
        assert PASS.encode() not in found[0]
        return found[0]

    def pixels(self, mail):
        return traces.pixels(mail, self.spoor.tracking_url)

    def clicks(self, mail):
        return traces.clicks(mail, self.spoor.tracking_url)

    def messages(self, mark):
        return self.servers.postgres.wait_rows("SELECT id FROM spoor.message WHERE subject LIKE '%%%s'" % mark)

    def recipients(self, mark, count):
        rows = self.servers.postgres.wait_rows("SELECT r.address FROM spoor.recipient r JOIN spoor.message m ON m.id = r.message"
                                               " WHERE m.subject LIKE '%%%s'" % mark, count)
        return sorted(row["address"] for row in rows)


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return [int(word) for word in file.read().split()]


def command_of(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return file.read()
    except OSError:
        return b""


def proc_waits(question, seconds):
    """Whether it became true in that time."""
    try:
        return proc.wait_for(question, "it", seconds)
    except proc.Failure:
        return False


@pytest.fixture(scope="module")
def copies(module_own):
    started = Copies(module_own(database_timeout="20s"))
    try:
        started.start()
        yield started
    finally:
        started.stop()


def test_twenty_recipients_twenty_tokens_one_message_id(copies, mark):
    people = ["person%d@example.net" % number for number in range(20)]
    to, cc, bcc = people[:7], people[7:14], people[14:]
    content = mails.html_quoted_printable(SENDER, to, mark, cc=cc)
    copies.submit(people, content)
    copies.settle()
    sent_at = time.monotonic()
    got = {person: copies.the_copy(person, mark) for person in people}
    assert len({traces.field(mail, "Message-ID") for mail in got.values()}) == 1
    assert len({traces.field(mail, "References") for mail in got.values()}) == 1
    assert len({copies.pixels(mail)[0] for mail in got.values()}) == 20
    assert len({url for mail in got.values() for url in copies.clicks(mail)}) == 20 * mails.TRACKED_LINKS
    assert len({url for mail in got.values() for url in traces.decoys(mail)}) == 20
    for person, mail in got.items():
        mail_of_signer = re.sub(rb"DKIM-Signature:.*\r\n([ \t].*\r\n)+", b"", mail)
        assert traces.whole_difference(content, mail_of_signer, copies.spoor.tracking_url) is None
        assert [other for other in bcc if other != person and other.encode() in mail] == [], "a secret recipient is named"
    assert len(copies.messages(mark)) == 1
    web.read_for_a_while(sent_at)
    for mail in got.values():
        assert web.get(copies.pixels(mail)[0]).status == 200
        assert web.get(copies.clicks(mail)[1]).status == 302
    where = "SELECT DISTINCT person FROM spoor.feed WHERE message = %s AND what = %%s" % copies.messages(mark)[0]["id"]
    for what in ("view", "click"):
        rows = copies.servers.postgres.wait_rows(where % quote(what), 20)
        assert sorted(row["person"] for row in rows) == sorted(people)


def test_a_link_has_one_number_in_all_copies(copies, mark):
    copies.send(mark, [BOB, CAROL])
    copies.settle()
    decoded = [[re.search(rb"index: \d+", copies.spoor.ctl("decode", url).stdout).group() for url in
                copies.clicks(copies.the_copy(person, mark))] for person in (BOB, CAROL)]
    assert decoded[0] == decoded[1] and len(set(decoded[0])) == mails.TRACKED_LINKS


def test_an_archive_and_a_colleague_get_one_clean_copy(copies, mark):
    content = copies.send(mark, [BOB, COLLEAGUE, CAROL])
    copies.settle()
    for person in (COLLEAGUE, ARCHIVE):
        mail = copies.the_copy(person, mark)
        assert copies.pixels(mail) == copies.clicks(mail) == traces.decoys(mail) == []
        assert traces.body_difference(content, mail, copies.spoor.tracking_url) is None
    assert copies.pixels(copies.the_copy(BOB, mark)) != copies.pixels(copies.the_copy(CAROL, mark))
    assert copies.recipients(mark, 4) == sorted([BOB, COLLEAGUE, CAROL, ARCHIVE])


def test_an_alias_gives_each_of_its_people_a_copy(copies, mark):
    copies.send(mark, [TEAM, BOB])
    copies.settle()
    urls = [copies.pixels(copies.the_copy(person, mark))[0] for person in TEAM_MEMBERS + [BOB]]
    assert len(set(urls)) == 3
    assert copies.recipients(mark, 5) == sorted(TEAM_MEMBERS + [TEAM, BOB, ARCHIVE])
    sent_at = time.monotonic()
    web.read_for_a_while(sent_at)
    web.get(urls[0])
    rows = copies.servers.postgres.wait_rows("SELECT person FROM spoor.feed WHERE message = %s"
                                             % copies.messages(mark)[0]["id"])
    assert rows[0]["person"] == TEAM_MEMBERS[0]


def test_the_log_tells_what_became_of_each_copy(copies, mark):
    """The hand-over to the second pass is no delivery, and an alias has what its people have."""
    copies.spoor.sections["delivery"] = {"log": [copies.postfix.log], "poll": "50ms"}
    copies.spoor.write_conf()
    copies.spoor.start("delivery")
    copies.send(mark, [TEAM, BOB])
    copies.settle()
    where = " FROM spoor.delivery_report WHERE subject LIKE '%%%s' AND state = 'delivered'" % mark
    rows = copies.servers.postgres.wait_rows("SELECT recipient, delivered_to, attempts" + where, 6)
    assert copies.spoor.stop("delivery") == 0
    assert sorted(tuple(row.values()) for row in rows) == sorted(
        [(person, person, "1") for person in TEAM_MEMBERS + [BOB, ARCHIVE]] + [(TEAM, person, "1") for person in TEAM_MEMBERS])
    assert copies.servers.postgres.rows("SELECT 1 FROM spoor.delivery d JOIN spoor.message m ON m.id = d.message WHERE m.subject"
                                        " LIKE '%%%s' AND d.text LIKE '%%10026%%'" % mark) == []


def test_who_answers_behind_an_alias_gets_no_more_by_it(copies, mark):
    name = ["X-Spoor-Campaign: spring " + mark]
    copies.send(mark, [TEAM, BOB], more=name)
    copies.settle()
    copies.recipients(mark, 5)
    member = TEAM_MEMBERS[0]
    answered = traces.field(copies.the_copy(member, mark), "Message-ID")
    copies.servers.answer(member, [SENDER], mails.answer(member, [SENDER], mails.new_mark(), answered))
    with pytest.raises(mailer.Refused, match="550"):
        copies.send(mails.new_mark(), [TEAM], more=name)
    copies.send(mails.new_mark(), [BOB], more=name)


def test_who_unsubscribes_behind_an_alias_gets_no_more_by_it(copies, mark):
    name = ["X-Spoor-Campaign: spring " + mark]
    copies.send(mark, [SMALL_TEAM, BOB], more=name)
    copies.settle()
    copies.recipients(mark, 4)
    database, message = copies.servers.postgres, copies.messages(mark)[0]["id"]
    ours = "message = %s AND address = %s" % (message, quote(SMALL_TEAM_MEMBER))
    copy = database.rows("DELETE FROM spoor.recipient WHERE %s RETURNING key, original" % ours)[0]  # the row comes late
    offer = re.search(r"<(http.*?)>", traces.field(copies.the_copy(SMALL_TEAM_MEMBER, mark), "List-Unsubscribe")).group(1)
    assert web.get(offer, "POST", body=b"List-Unsubscribe=One-Click").status == 200
    database.wait_rows("SELECT 1 FROM spoor.unsubscribe WHERE message = %s AND effect IS NULL" % message)
    database.execute("INSERT INTO spoor.recipient (message, address, key, original) VALUES (%s, %s, %s, %s)"
                     % (message, quote(SMALL_TEAM_MEMBER), copy["key"], quote(copy["original"])))
    with pytest.raises(mailer.Refused, match="550"):
        copies.send(mails.new_mark(), [SMALL_TEAM], more=name)
    copies.send(mails.new_mark(), [BOB], more=name)
    where = "SELECT 1 FROM spoor.suppression WHERE address IN (%s, %s)" % (quote(SMALL_TEAM), quote(SMALL_TEAM_MEMBER))
    assert len(database.rows(where)) == 2


def test_who_is_not_told_apart_has_no_token_of_his_own(copies, mark):
    copies.send(mark, [BOB, CAROL], more=["X-Spoor-Track: aggregate"])
    copies.settle()
    assert copies.pixels(copies.the_copy(BOB, mark)) == copies.pixels(copies.the_copy(CAROL, mark)) != []
    copies.messages(mark)
    assert copies.servers.postgres.value("SELECT count(*) FROM spoor.recipient r JOIN spoor.message m ON m.id = r.message"
                                         " WHERE m.subject LIKE '%%%s'" % mark) == "0"


def test_each_copy_follows_its_own_recipient(copies, mark):
    """Who wants no tracking has a clean copy and stands nowhere; who wants to be counted only is not named."""
    database = copies.servers.postgres
    before = len(copies.spoor.log_text("stamp"))
    database.execute("SELECT spoor.set_consent(%s, 'off'), spoor.set_consent(%s, 'aggregate')" % (quote(BOB), quote(CAROL)),
                     role="spoor_admin")
    try:
        # by the number of people: what another test took back may be told only now
        proc.wait_for(lambda: copies.spoor.log_text("stamp")[before:].count("policy: 2 on people") >= 2, "both passes know the new policy")
        content = copies.send(mark, [BOB, CAROL, DAVE], more=["X-Spoor-Campaign: spring " + mark])
        copies.settle()
        bob, carol, dave = (copies.the_copy(person, mark) for person in (BOB, CAROL, DAVE))
        assert traces.body_difference(content, bob, copies.spoor.tracking_url) is None
        assert copies.pixels(bob) == copies.clicks(bob) == [] and traces.field(bob, "List-Unsubscribe") is None
        assert copies.pixels(carol) != copies.pixels(dave) != [] and copies.clicks(carol)
        assert copies.recipients(mark, 2) == sorted([ARCHIVE, DAVE])
        message = copies.messages(mark)[0]["id"]
        database.wait_rows("SELECT 1 FROM spoor.message WHERE sent_to = 2 AND id = " + message)
        members = database.wait_rows("SELECT digest = sha256(%s) AS is_carol FROM spoor.campaign_member WHERE message = %s"
                                     % (quote(CAROL), message))
        assert [row["is_carol"] for row in members] == ["t"]
        copies.spoor.wait_log("stamp", r"copy untouched reason=policy_off to=<%s> recipients=1 whom=<%s>" % (BOB, BOB))
        # an answer of who is not named stops the campaign for him alone
        for person, mail, stopped in ((CAROL, carol, [CAROL]), (BOB, bob, [BOB, CAROL])):
            copies.servers.answer(person, [SENDER], mails.answer(person, SENDER, mails.new_mark(), traces.ids(mail, "Message-ID")[0]))
            rows = database.rows("SELECT address FROM spoor.campaign_stop WHERE campaign = %s ORDER BY 1" % quote("spring " + mark))
            assert [row["address"] for row in rows] == stopped
    finally:
        taken_back = len(copies.spoor.log_text("stamp"))
        database.execute("DELETE FROM spoor.consent")
        proc.wait_for(lambda: copies.spoor.log_text("stamp")[taken_back:].count("policy: 0 on people") >= 2, "both passes know that it is gone")


def test_a_file_leaves_once_and_each_copy_links_it(copies, mark):
    sent = mails.header(SENDER, [BOB, CAROL], mark, more=["X-Spoor-Attachments: track"]) + (
        b"Content-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\nContent-Type: text/html\r\n\r\n"
        b"<p>Hi</p>\r\n--zz\r\nContent-Type: application/pdf; name=offer.pdf\r\n\r\n%PDF- offer\r\n--zz--\r\n")
    copies.submit([BOB, CAROL, COLLEAGUE], sent)
    copies.settle()
    seen = {}
    for address in (BOB, CAROL, COLLEAGUE):
        copy = copies.the_copy(address, mark)
        assert not attachments.files(copy)
        (token,) = attachments.all_links(copy, copies.spoor.tracking_url)
        seen[address] = attachments.verify(token, copies.spoor.key_file)
        if address != COLLEAGUE:
            assert attachments.body_difference(sent, copy, ["offer.pdf"], copies.spoor.tracking_url) is None
    (row,) = copies.servers.postgres.wait_rows(
        "SELECT a.message, a.number FROM spoor.attachment a JOIN spoor.message m ON m.id = a.message WHERE m.subject LIKE '%%%s'" % mark)
    assert {(message, number) for message, _, number in seen.values()} == {(int(row["message"]), int(row["number"]))}
    assert seen[COLLEAGUE][1] == 0 and len({recipient for _, recipient, _ in seen.values()}) == 3


@pytest.mark.parametrize("wish, reason", [("X-Spoor-Track: off", "policy_off"), ("Auto-Submitted: auto-generated", "auto")])
def test_what_is_not_tracked_stays_as_it_is_in_every_copy(copies, mark, wish, reason):
    since = len(copies.spoor.log_text("stamp"))
    content = copies.send(mark, [BOB, CAROL], more=[wish])
    copies.settle()
    for person in (BOB, CAROL):
        assert traces.body_difference(content, copies.the_copy(person, mark), copies.spoor.tracking_url) is None
    copies.spoor.wait_log("stamp", reason, since=since)


def test_the_signature_fits_what_arrives(copies, mark):
    copies.send(mark, [BOB, CAROL], kind=mails.alternative_with_picture)
    copies.settle()
    for person in (BOB, CAROL):
        mail = copies.the_copy(person, mark)
        assert traces.field_count(mail, "DKIM-Signature") == 1 and copies.pixels(mail)
        assert copies.signer.verdict(mail) == "succeeded"
        assert copies.signer.verdict(mail.replace(b"</html>", b" </html>")) == "failed"


def test_local_programs_go_through_both_passes(copies, mark):
    content = mails.html_quoted_printable(SENDER, [BOB, CAROL], mark).replace(b"\r\n", b"\n")
    proc.run(["sendmail", "-C", copies.postfix.etc, "-f", SENDER, BOB, CAROL], input=content, cwd="/")
    copies.settle()
    assert copies.pixels(copies.the_copy(BOB, mark)) != copies.pixels(copies.the_copy(CAROL, mark))


def test_one_who_is_stopped_is_left_out(copies, mark):
    name = "spring " + mark
    copies.servers.postgres.execute("SELECT spoor.stop_campaign(%s, %s)" % (quote(name), quote(BOB)), role="spoor_admin")
    copies.send(mark, [BOB, CAROL, DAVE], more=["X-Spoor-Campaign: " + name])
    copies.settle()
    assert copies.copies_of(BOB, mark) == []
    assert copies.pixels(copies.the_copy(CAROL, mark)) != copies.pixels(copies.the_copy(DAVE, mark))


def test_a_line_longer_than_smtp_allows_keeps_its_links(copies, mark):
    """Postfix breaks such a line where it leaves for the world; broken before the second pass, a URL would be two."""
    words = "word " * 184
    html = '<html><body><p>%s<a href="https://www.example.org/%s">one</a>\n%s</p></body></html>\n' % (words, "p" * 100, words)
    copies.send(mark, [BOB, CAROL], kind=mails.html_7bit, html=html)
    copies.settle()
    for person in (BOB, CAROL):
        assert len(copies.clicks(copies.the_copy(person, mark))) == 1


def test_a_mail_as_long_as_is_taken_is_delivered(copies, mark):
    """The header grows between the passes; the second smtpd must not send back what the first has taken."""
    def submit(size):
        content = mails.html_7bit(SENDER, [BOB, CAROL], mark, html="<html><body>\n" + ("x" * 70 + "\n") * (size // 72))
        try:
            return copies.submit([BOB, CAROL], content[:size - 2] + b"\r\n")
        except mailer.Refused as refused:
            assert refused.code == 552
            return None
    assert any(submit(size) for size in range(SIZE_LIMIT, SIZE_LIMIT - 2000, -50))
    copies.settle()
    for person in (BOB, CAROL):
        assert copies.the_copy(person, mark)


def test_the_split_comes_from_the_loopback_interface(copies, mark):
    """Also on a host whose mail leaves from another address: the second smtpd lets nobody else in."""
    copies.send(mark, [BOB])
    copies.settle()
    clients = set(re.findall(r"copies/smtpd\[\d+\]: connect from \S*\[(.*)\]", copies.postfix.text()))
    assert clients == {"127.0.0.1"}


# --- X-Spoor-Pass --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def caught(copies):
    """A mail as it stands between the passes, with its X-Spoor-Pass, and the mark in it; it is delivered later."""
    mark = mails.new_mark()
    second = copies.second()
    os.kill(second, signal.SIGSTOP)
    try:
        queue_id = copies.submit([BOB], mails.html_quoted_printable(SENDER, [BOB], mark))
        content = proc.run(["postcat", "-c", copies.postfix.etc, "-h", "-b", "-q", queue_id], cwd="/").stdout
    finally:
        os.kill(second, signal.SIGCONT)
    copies.settle()
    copies.the_copy(BOB, mark)
    content = content.replace(b"\n", b"\r\n")
    assert traces.field_count(content, PASS) == 1
    return content, mark


def remarked(caught, mark):
    """The caught mail under another mark, which stands in the subject alone, so that it can be told from the first."""
    content, old = caught
    return re.sub(rb"(?m)^(Subject: .*)" + old.encode(), rb"\g<1>" + mark.encode(), content)


def test_the_pass_names_no_recipient(copies, mark):
    people = [BOB, CAROL, DAVE]
    os.kill(copies.second(), signal.SIGSTOP)
    try:
        queue_id = copies.submit(people, mails.html_quoted_printable(SENDER, ["undisclosed:;"], mark))
        header = proc.run(["postcat", "-c", copies.postfix.etc, "-h", "-q", queue_id], cwd="/").stdout
    finally:
        os.kill(copies.second(), signal.SIGCONT)
    copies.settle()
    assert PASS.encode() in header and SENDER.encode() in header
    assert [person for person in people if person.encode() in header] == []


def test_a_pass_that_a_client_brings_has_no_effect(copies, caught, mark):
    first = copies.messages(caught[1])[0]["id"]
    content = remarked(caught, mark)
    copies.submit([CAROL, DAVE], content)
    copies.settle()
    assert copies.messages(mark)[0]["id"] != first
    urls = [copies.pixels(copies.the_copy(person, mark))[0] for person in (CAROL, DAVE)]
    for url in urls:
        assert first.encode() not in copies.spoor.ctl("decode", url).stdout
    assert len(set(urls)) == 2


@pytest.mark.parametrize("times", [1, 150])
def test_nor_in_mail_that_is_not_ours(copies, caught, mark, times):
    content = remarked(caught, mark).replace(b"<alice@example.com>", b"<%s>" % EVE.encode())
    brought = re.search(rb"(?m)^X-Spoor-Pass:.*\r\n([ \t].*\r\n)*", content).group()
    copies.submit([CAROL], content.replace(brought, brought * times))
    copies.settle()
    mail = copies.the_copy(CAROL, mark)
    assert copies.pixels(mail) == copies.clicks(mail) == []


@pytest.mark.parametrize("old, new", [(b"v=1; k=1;", b"v=1; k=2;"), (b"d=body", b"d="), (b"Message-ID: <", b"Message-ID: <x"),
                                      (b"\r\n\to=alice@", b"\r\n\to=anton@"), (b"X-Spoor-Pass", b"X-Spoor-Pass: \r\nX-Spoor-Pass")])
def test_a_changed_pass_is_taken_out_and_not_believed(copies, caught, mark, old, new):
    """Straight to the second smtpd, which nobody but Postfix can reach."""
    content = remarked(caught, mark)
    assert old in content
    copies.submit([CAROL], content.replace(old, new, 1), copies.split.second)
    copies.settle()
    mail = copies.the_copy(CAROL, mark)
    assert copies.pixels(mail) == copies.clicks(mail) == []


def test_several_recipients_at_once_are_one_of_these(copies, caught, mark):
    """As when the split makes no copies."""
    copies.submit([CAROL, DAVE], remarked(caught, mark), copies.split.second)
    copies.settle()
    urls = [copies.pixels(copies.the_copy(person, mark)) for person in (CAROL, DAVE)]
    assert urls[0] == urls[1] != []
    assert re.search(rb"recipient: one of the recipients", copies.spoor.ctl("decode", urls[0][0]).stdout)


def test_a_delivered_mail_sent_again_is_a_new_mail(copies, mark):
    copies.send(mark, [BOB])
    copies.settle()
    delivered = re.sub(rb"(?m)^(Return-Path|Received|X-Original-To|Delivered-To|DKIM-Signature):.*\r\n([ \t].*\r\n)*", b"",
                       copies.the_copy(BOB, mark))
    again = mails.new_mark()
    copies.submit([CAROL], re.sub(rb"(?m)^(Subject: .*)" + mark.encode(), rb"\g<1>" + again.encode(), delivered))
    copies.settle()
    mail = copies.the_copy(CAROL, again)
    assert traces.field(mail, "Message-ID") != traces.field(delivered, "Message-ID")
    assert copies.messages(again)[0]["id"] != copies.messages(mark)[0]["id"]


# --- somebody dies ---------------------------------------------------------------------------------------------

MANY = ["many%d@example.net" % number for number in range(8)]


def expect_once_each(copies, mark, people=MANY):
    copies.settle()
    for person in people:
        copies.the_copy(person, mark)
    copies.the_copy(ARCHIVE, mark)
    urls = {copies.pixels(copies.the_copy(person, mark))[0] for person in people}
    assert len(urls) == len(people)
    assert len(copies.messages(mark)) == 1
    assert copies.recipients(mark, len(people) + 1) == sorted(people + [ARCHIVE])


def wait_connected(copies):
    proc.wait_for(lambda: copies.services("127.0.0.1:%d" % copies.split.second), "the second smtpd has begun", log=copies.postfix.log)


@pytest.mark.parametrize("copies_before", [0, 1, 4])
def test_the_second_pass_is_killed(copies, mark, copies_before):
    """The first ends too; whoever watches the service starts both."""
    second = copies.second()
    since = len(copies.spoor.log_text("stamp"))
    if copies_before == 0:
        os.kill(second, signal.SIGSTOP)
    copies.send(mark, MANY)
    if copies_before:
        copies.spoor.wait_log("stamp", r"(?s)(: copy message=.*){%d}" % copies_before, since=since)
    else:
        wait_connected(copies)
    os.kill(second, signal.SIGKILL)
    assert copies.first.child.wait(proc.PATIENCE_S) == 1
    copies.start_stamp()
    expect_once_each(copies, mark)


def test_the_first_pass_is_killed(copies, mark):
    """The second goes with it, at once: its successor wants its socket and spool."""
    second, first = copies.second(), copies.first
    os.kill(first.pid, signal.SIGSTOP)
    refused = []

    def submit():
        try:
            copies.send(mark, MANY)
        except mailer.Refused as error:
            refused.append(error)
    client = threading.Thread(target=submit)
    client.start()
    proc.wait_for(lambda: copies.services("127.0.0.1:%d" % copies.split.submission), "the first smtpd has begun")
    first.kill()
    proc.wait_for(lambda: not os.path.exists("/proc/%d" % second), "the second pass is gone")
    copies.start_stamp()
    client.join(proc.PATIENCE_S)
    assert refused and refused[0].code in (450, 451)
    copies.send(mark, MANY)
    expect_once_each(copies, mark)


@pytest.mark.parametrize("who", ["split", "second smtpd"])
def test_a_postfix_process_is_killed(copies, mark, who):
    name = "split" if who == "split" else "127.0.0.1:%d" % copies.split.second
    second = copies.second()
    os.kill(second, signal.SIGSTOP)
    try:
        copies.send(mark, MANY)
        victims = proc.wait_for(lambda: copies.services(name), "%s has begun" % who, log=copies.postfix.log)
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        proc.wait_for(lambda: not set(victims) & set(copies.services(name)), "they are gone")
    finally:
        os.kill(second, signal.SIGCONT)
    expect_once_each(copies, mark)


def test_both_stop_and_start_as_one(copies, mark):
    second, since = copies.second(), len(copies.spoor.log_text("stamp"))
    copies.first.signal(signal.SIGHUP)
    copies.spoor.wait_log("stamp", r"(?s)(keys.*){2}", since=since)
    copies.send(mark, MANY)
    assert copies.spoor.stop("stamp") == 0
    assert not os.path.exists("/proc/%d" % second)
    copies.start_stamp()
    expect_once_each(copies, mark)


def test_keys_change_between_the_passes(copies, mark):
    """Each process says for itself which keys it has, and mail that waits between them is known under the old one."""
    def key(*words):
        done = copies.spoor.ctl("key", *words, env={"PGUSER": "spoor_admin"}, check=False)
        return done.returncode, (done.stdout + done.stderr).decode()

    def one_is_behind():
        said = key("promote", "2")[1]
        return said.count("does not have it") == 1 and said

    def hangup():
        for server in copies.spoor.servers.values():
            server.signal(signal.SIGHUP)
    second = copies.second()
    os.kill(second, signal.SIGSTOP)
    try:
        copies.send(mark, MANY)
        wait_connected(copies)
        assert key("add")[0] == 0
        hangup()
        assert "spoor-stamp on " in proc.wait_for(one_is_behind, "one process alone is behind")
    finally:
        os.kill(second, signal.SIGCONT)
    proc.wait_for(lambda: key("promote", "2")[0] == 0, "the second process has it too")
    hangup()
    copies.spoor.wait_log("stamp", r"(?s)(key 2 signs.*){2}")
    expect_once_each(copies, mark)
    later = mails.new_mark()
    copies.send(later, MANY)
    expect_once_each(copies, later)


def test_without_a_second_socket_copies_do_not_start(copies):
    path = copies.spoor.write_conf(copies.spoor.conf + ".half", sections={"stamp": {"listen_copies": ""}})
    done = proc.run(copies.spoor.command("stamp", path), check=False)
    assert done.returncode == 78 and b"listen_copies" in done.stderr
    path = copies.spoor.write_conf(copies.spoor.conf + ".same",
                                   sections={"stamp": {"listen_copies": "unix:" + copies.spoor.socket("stamp")}})
    assert proc.run(copies.spoor.command("stamp", path), check=False).returncode == 78
    path = copies.spoor.write_conf(copies.spoor.conf + ".nowhere", spool_directory=copies.servers.folder + "/none",
                                   sections={"stamp": {"listen": "unix:%s.other" % copies.socket,
                                                       "listen_copies": "unix:/nowhere/copies.sock"}})
    done = proc.run(copies.spoor.command("stamp", path), check=False)
    assert done.returncode == 1 and b"/nowhere/copies.sock" in done.stderr


@pytest.fixture
def other_settings(copies):
    """other_settings(...) restarts spoor-stamp with these; afterwards it has its own again."""
    def restart(**settings):
        copies.spoor.stop("stamp")
        copies.start_stamp(copies.spoor.write_conf(copies.spoor.conf + ".other", **settings))
    yield restart
    copies.spoor.stop("stamp")
    copies.start_stamp()


def test_without_copies_the_second_pass_changes_nothing(copies, mark, other_settings):
    other_settings(sections={"stamp": {"copies": False}})
    copies.send(mark, [BOB, CAROL])
    copies.settle()
    assert copies.pixels(copies.the_copy(BOB, mark)) == copies.pixels(copies.the_copy(CAROL, mark)) != []


def test_observing_changes_nothing_in_either_pass(copies, mark, other_settings):
    other_settings(mode="observe")
    content = copies.send(mark, [BOB, CAROL])
    copies.settle()
    for person in (BOB, CAROL):
        mail = copies.the_copy(person, mark)
        assert traces.body_difference(content, mail, copies.spoor.tracking_url) is None
        assert traces.field(mail, "Message-ID") == traces.field(content, "Message-ID")
    copies.spoor.wait_log("stamp", "would_add=id,anchor,pass")


def test_who_begins_to_observe_lets_no_pass_out(copies, caught, mark, other_settings):
    other_settings(mode="observe")
    copies.submit([CAROL], remarked(caught, mark), copies.split.second)
    copies.settle()
    mail = copies.the_copy(CAROL, mark)
    assert copies.pixels(mail) == copies.clicks(mail) == []


def test_each_copy_of_a_campaigns_mail_has_a_way_out_of_its_own(copies, mark):
    """The field is not in the mail that the first pass hands on, and one click of Bob's is Bob's alone."""
    copies.send(mark, [BOB, CAROL], more=["X-Spoor-Campaign: copies " + mark])
    copies.settle()
    urls = {}
    for person in (BOB, CAROL):
        field = traces.field(copies.the_copy(person, mark), "List-Unsubscribe")
        urls[person] = re.match(r"<(%s/u/[a-z2-7]{52})>" % re.escape(copies.spoor.tracking_url), field).group(1)
    assert urls[BOB] != urls[CAROL]
    answer = web.get(urls[BOB], "POST", headers={"Content-Type": "application/x-www-form-urlencoded"},
                     body=b"List-Unsubscribe=One-Click")
    assert answer.status == 200
    rows = copies.servers.postgres.wait_rows("SELECT address FROM spoor.suppression WHERE lifted_at IS NULL AND address IN (%s, %s)" % (quote(BOB), quote(CAROL)))
    assert [row["address"] for row in rows] == [BOB]
    copies.servers.postgres.execute("SELECT spoor.unsuppress(%s)" % quote(BOB))


def test_all_copies_share_the_return_path_of_the_first_pass(copies, mark, other_settings):
    other_settings(sections={"stamp": {"bounce_address": "bounces+{token}@example.com"}})
    copies.send(mark, [BOB, CAROL])
    copies.settle()
    path, = {traces.field(copies.the_copy(person, mark), "Return-Path") for person in (BOB, CAROL)}
    token = re.fullmatch(r"<bounces\+([a-z2-7]{52})@example\.com>", path).group(1)
    message = copies.messages(mark)[0]["id"]
    assert message.encode() in copies.spoor.ctl("decode", token).stdout
    assert len({copies.pixels(copies.the_copy(person, mark))[0] for person in (BOB, CAROL)}) == 2
    sent_by = copies.servers.postgres.value("SELECT envelope_sender FROM spoor.message WHERE id = %s" % message)
    assert sent_by == SENDER


def test_the_copy_for_the_crm_is_clean(copies, mark):
    """crm_bcc brings one copy more, with no image, no links of ours and no row: what the CRM loads is no view."""
    conf = copies.spoor.write_conf(os.path.join(copies.servers.folder, "crm.conf"), sections={"stamp": {"crm_bcc": [DAVE]}})
    copies.spoor.stop("stamp")
    copies.start_stamp(conf)
    try:
        copies.send(mark, [BOB, CAROL])
        copies.settle()
        crm = copies.the_copy(DAVE, mark)
        assert not copies.pixels(crm) and not copies.clicks(crm)
        assert copies.pixels(copies.the_copy(BOB, mark)) != copies.pixels(copies.the_copy(CAROL, mark))
        assert copies.recipients(mark, 3) == sorted([BOB, CAROL, ARCHIVE])
    finally:
        copies.spoor.stop("stamp")
        copies.start_stamp()
