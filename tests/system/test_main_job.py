# SPDX-License-Identifier: BSD-2-Clause
"""A mail leaves, is viewed, clicked and answered, and all of it is in the database: with real servers."""

import re
import signal
import time

import pytest

import mailer
import mails
import postfix
import proc
import traces
import web
from postgres import quote

SENDER, TO, CC, STRANGER = "alice@example.com", "bob@example.net", "carol@example.org", "dave@example.net"

HTML_KINDS = [mails.html_quoted_printable, mails.html_base64, mails.html_8bit, mails.html_7bit,
              mails.alternative_with_picture]
UNTOUCHED_BODIES = [mails.plain, mails.pgp_signed]
THUNDERBIRD = "Mozilla Thunderbird 128.5.0"


def named(kind):
    return kind.__name__


class Sent:
    """One mail through everything: as sent, as logged, as delivered."""

    def __init__(self, servers, content, mark, recipients=(TO,), sender=SENDER):
        self.servers = servers
        self.content = content
        self.mark = mark.encode()
        self.recipients = list(recipients)
        self.queue_id = servers.submit(sender, self.recipients, content)
        self.sent_at = time.monotonic()
        self.line = servers.spoor.mail_line(self.queue_id)

    def to(self, address=None):
        return self.servers.mail.wait(address or self.recipients[0], self.mark, log=self.servers.receiving.log)

    @property
    def message(self):
        return self.line["message"]

    def pixels(self, address=None):
        return traces.pixels(self.to(address), self.servers.spoor.tracking_url)

    def clicks(self, address=None):
        return traces.clicks(self.to(address), self.servers.spoor.tracking_url)

    def follow(self, url):
        """As a person does, who read the mail first."""
        web.read_for_a_while(self.sent_at)
        return web.get(url)

    def difference(self, address=None):
        return traces.whole_difference(self.content, self.to(address), self.servers.spoor.tracking_url)

    def feed(self, count=1, what=None):
        self.report()  # the mail's own row comes by another loader, perhaps later than what became of it
        where = " AND what = %s" % quote(what) if what else ""
        return self.servers.postgres.wait_rows("SELECT * FROM spoor.feed WHERE message = %s%s ORDER BY at_time"
                                               % (self.message, where), count)

    def report(self):
        return self.servers.postgres.wait_rows("SELECT * FROM spoor.message_report WHERE message = %s" % self.message)[0]


def send(servers, mark, kind=mails.html_quoted_printable, recipients=(TO,), **more):
    return Sent(servers, kind(SENDER, list(recipients), mark, **more), mark, recipients)


def answer_to(servers, sent, sender=STRANGER, envelope_sender=None, compose=None):
    """Delivers an answer; COMPOSE takes its mark, the delivered mail's id and its References."""
    mark = mails.new_mark()
    delivered = sent.to()
    own_id, references = traces.field(delivered, "Message-ID"), traces.ids(delivered, "References")
    if compose is None:
        content = mails.answer(sender, [SENDER], mark, own_id, ["<%s>" % each for each in references] + [own_id])
    else:
        content = compose(mark, own_id, ["<%s>" % each for each in references])
    servers.answer(sender if envelope_sender is None else envelope_sender, [SENDER], content)
    return servers.mail.wait(SENDER, mark.encode(), log=servers.receiving.log)


def settle(servers, sent):
    """
    Waits until whatever was recorded before is loaded: each daemon loads its own records in their order, so a view made
    now is the last row of spoor-pixeld, and a good answer to another mail the last one of spoor-match.
    """
    before = len(servers.postgres.rows("SELECT 1 FROM spoor.feed WHERE message = %s AND what = 'view'" % sent.message))
    web.get(sent.pixels()[0])
    other = send(servers, mails.new_mark())
    answer_to(servers, other, TO)
    other.feed(1, "reply")
    sent.feed(before + 1, "view")


# --- spoor-stamp: what is delivered -------------------------------------------------------------------


@pytest.mark.parametrize("kind", HTML_KINDS, ids=named)
def test_html_gets_pixel_and_links_and_nothing_else_changes(servers, mark, kind):
    sent = send(servers, mark, kind)
    assert len(sent.pixels()) == 1
    assert [traces.destination(url) for url in sent.clicks()] == list(mails.LINKS)
    assert sent.difference() is None
    added = sent.line["added"].split(",")
    assert "pixel:1" in added and "links:%d" % mails.TRACKED_LINKS in added
    assert sent.line["recipients"] == "1"
    assert sent.line["from"].strip("<>") == SENDER


@pytest.mark.parametrize("kind", UNTOUCHED_BODIES, ids=named)
def test_these_bodies_stay_byte_for_byte(servers, mark, kind):
    sent = send(servers, mark, kind)
    delivered = sent.to()
    assert traces.split(delivered)[1] == traces.split(sent.content)[1]
    assert sent.difference() is None
    assert traces.ids(delivered, "References"), "no anchor"


def test_links_that_must_stay_stay(servers, mark):
    html = traces.html_parts(send(servers, mark).to())[0]
    for kept in (b'href="mailto:shop@example.com"', b'href="tel:+4930123456"',
                 b'data-pm-no-track href="https://www.example.org/private"'):
        assert kept in html


def test_a_mark_that_is_no_html_does_its_work_and_goes(servers, mark):
    html = '<html><body><a clicktracking=off href="https://www.example.org/x">x</a></body></html>\n'
    sent = send(servers, mark, html=html)
    assert not sent.clicks() and len(sent.pixels()) == 1
    kept = traces.html_parts(sent.to())[0]
    assert b'href="https://www.example.org/x"' in kept and b"clicktracking" not in kept


def test_a_link_whose_text_is_a_url_stays(servers, mark):
    html = ('<html><body><a href="https://www.example.org/x">https://www.example.org/x</a> '
            '<a href="https://www.example.org/y">y</a></body></html>\n')
    assert [traces.destination(url) for url in send(servers, mark, html=html).clicks()] == ["https://www.example.org/y"]


def test_deep_nesting_is_found(servers, mark):
    body = mails.html_8bit(SENDER, [TO], mark).split(b"\r\n\r\n", 1)
    inner = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body[1]
    for level in range(8):
        boundary = b"level-%d" % level
        inner = (b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\r\n\r\n--' + boundary + b"\r\n" + inner +
                 b"\r\n--" + boundary + b"--\r\n")
    content = mails.header(SENDER, [TO], mark) + inner
    sent = Sent(servers, content, mark)
    assert len(sent.pixels()) == 1 and len(sent.clicks()) == mails.TRACKED_LINKS
    assert sent.difference() is None


def test_the_pixel_is_visible_to_mail_programs_and_nobody_else(servers, mark):
    tag = traces.PIXEL.search(traces.html_parts(send(servers, mark).to())[0]).group()
    assert re.search(rb'alt=(""|\'\')', tag)
    assert b"display:none" not in tag.replace(b" ", b"")


def test_no_line_grows_beyond_what_smtp_allows(servers, mark):
    long_url = "https://www.example.org/" + "x" * 900
    html = '<html><body><p><a href="%s">long</a></p></body></html>\n' % long_url
    for kind in (mails.html_8bit, mails.html_quoted_printable):
        sent = send(servers, mails.new_mark(), kind, html=html)
        assert max(map(len, sent.to().split(b"\r\n"))) <= 998


def test_x_spoor_fields_do_not_leave(servers, mark):
    sent = send(servers, mark, more=["X-Spoor-Anything: 1"])
    assert traces.field(sent.to(), "X-Spoor-Anything") is None
    assert sent.difference() is None


# --- Message-ID ---------------------------------------------------------------------------------------


def test_auto_replaces_the_id_of_mail_that_names_no_program(servers, mark):
    delivered = send(servers, mark, message_id="own@client.example.com").to()
    assert traces.field_count(delivered, "Message-ID") == 1
    replaced = traces.ids(delivered, "Message-ID")
    assert replaced != ["own@client.example.com"]
    assert replaced[0].endswith("@example.com")
    references = traces.ids(delivered, "References")
    assert "own@client.example.com" in references and len(references) == 2


def test_auto_keeps_the_id_of_a_mail_program(servers, mark):
    delivered = send(servers, mark, message_id="tb@client.example.com", agent=THUNDERBIRD).to()
    assert traces.ids(delivered, "Message-ID") == ["tb@client.example.com"]
    assert len(traces.ids(delivered, "References")) == 1


def test_a_missing_id_is_given(servers, mark):
    delivered = send(servers, mark, message_id="").to()
    assert traces.field_count(delivered, "Message-ID") == 1
    assert traces.ids(delivered, "Message-ID")[0].endswith("@example.com")


@pytest.mark.parametrize("message_id", ["stamp", "keep"])
def test_stamp_replaces_and_keep_keeps(own, mark, message_id):
    servers = own(stamp={"message_id": message_id})
    delivered = send(servers, mark, message_id="tb@client.example.com", agent=THUNDERBIRD).to()
    assert (traces.ids(delivered, "Message-ID") == ["tb@client.example.com"]) == (message_id == "keep")
    assert traces.ids(delivered, "References")
    plain = send(servers, mails.new_mark(), message_id="script@client.example.com").to()
    assert (traces.ids(plain, "Message-ID") == ["script@client.example.com"]) == (message_id == "keep")


def test_references_of_a_long_thread_stay_short(servers, mark):
    old = ["<%s-%d@client.example.com>" % ("x" * 40, number) for number in range(100)]
    delivered = send(servers, mark, agent=THUNDERBIRD,
                     more=["In-Reply-To: " + old[-1], "References: " + "\n ".join(old)]).to()
    references = traces.ids(delivered, "References")
    assert len(traces.field(delivered, "References")) < 2000
    assert "<%s>" % references[0] == old[0]
    assert ["<%s>" % each for each in references if "<%s>" % each in old[-8:]] == old[-8:]
    assert traces.ids(delivered, "In-Reply-To") == [old[-1].strip("<>")]


# --- whose mail ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason, sender, more", [
    ("not our domain", "eve@elsewhere.example", []),
    ("a list", SENDER, ["List-Id: <news.example.com>"]),
    ("resent", SENDER, ["Resent-From: <alice@example.com>", "Resent-To: <bob@example.net>",
                       "Resent-Date: Sat, 21 Nov 2026 04:00:00 +0000", "Resent-Message-ID: <again@client.example.com>"]),
    ("automatic", SENDER, ["Auto-Submitted: auto-generated"]),
    ("signed by DKIM", SENDER, ["DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=x; h=from; bh=AA==; b=AA=="]),
], ids=lambda value: value.replace(" ", "-") if isinstance(value, str) and "@" not in value else "")
def test_mail_that_is_not_for_us_passes_byte_for_byte(servers, mark, reason, sender, more):
    content = mails.html_quoted_printable(sender, [TO], mark, more=more)
    sent = Sent(servers, content, mark, sender=sender)
    assert sent.line.get("untouched") is True and sent.line["reason"]
    delivered = sent.to()
    assert traces.fields(delivered) == traces.fields(content)
    assert traces.split(delivered)[1] == traces.split(content)[1]


def test_a_mail_belongs_to_whoever_logged_in(servers, mark):
    login = "login-%s@example.com" % mark.lower()
    queue_id = mailer.send(servers.sending.port, SENDER, [TO], mails.html_quoted_printable(SENDER, [TO], mark), login=login)
    message = servers.spoor.mail_line(queue_id)["message"]
    rows = servers.postgres.wait_rows("SELECT owner, sender FROM spoor.message WHERE id = %s" % message)
    assert [(row["owner"], row["sender"]) for row in rows] == [(login, SENDER)]


def test_a_customer_of_ours_answers_by_submission(servers, mark):
    """contrib/postfix/hosting.md: there spoor-match stands before spoor-stamp, records, and edits nothing."""
    sent = send(servers, mark)
    delivered = sent.to()
    sending, before = servers.sending, servers.sending.settings["smtpd_milters"]
    sending.change({"smtpd_milters": "%s, %s" % (postfix.milter(servers.spoor.socket("match")), before)})
    try:
        own_id = traces.field(delivered, "Message-ID")
        content = mails.answer(TO, [STRANGER], mark + "b", own_id, [own_id])
        queue_id = mailer.send(sending.port, TO, [STRANGER], content, login=TO)
        assert "class=reply" in servers.spoor.wait_log("match", r"\b%s: .*$" % queue_id).group(0)
    finally:
        sending.change({"smtpd_milters": before})
    arrived = servers.mail.wait(STRANGER, (mark + "b").encode(), log=servers.receiving.log)
    assert traces.field(arrived, "In-Reply-To") == own_id
    assert sent.feed(1, "reply")[0]["person"] == TO


def test_the_null_sender_passes_untouched(servers, mark):
    content = mails.html_quoted_printable(SENDER, [TO], mark)
    sent = Sent(servers, content, mark, sender="")
    assert sent.line.get("untouched") is True
    assert traces.fields(sent.to()) == traces.fields(content)


def test_mail_among_ourselves_gets_neither_pixel_nor_links(servers, mark):
    sent = send(servers, mark, recipients=("anton@example.com",))
    assert not sent.pixels() and not sent.clicks()
    assert traces.split(sent.to())[1] == traces.split(sent.content)[1]


def test_observe_changes_nothing_and_says_what_it_would_do(own, mark):
    servers = own(mode="observe")
    content = mails.html_quoted_printable(SENDER, [TO], mark)
    queue_id = servers.submit(SENDER, [TO], content)
    servers.spoor.wait_log("stamp", re.escape(queue_id) + ": ")
    delivered = servers.mail.wait(TO, mark.encode())
    assert traces.fields(delivered) == traces.fields(content)
    assert traces.split(delivered)[1] == traces.split(content)[1]


def test_track_only_starts_with_a_few(own, mark):
    servers = own(track_only=["anton@example.com"])
    other = send(servers, mark)
    assert other.line.get("untouched") is True and not other.pixels()
    mark = mails.new_mark()
    chosen = Sent(servers, mails.html_quoted_printable("anton@example.com", [TO], mark), mark, sender="anton@example.com")
    assert len(chosen.pixels()) == 1


# --- spoor-pixeld -------------------------------------------------------------------------------------


def test_a_view_is_a_43_byte_gif_that_no_cache_keeps(servers, mark):
    sent = send(servers, mark)
    answer = web.get(sent.pixels()[0])
    assert answer.status == 200
    assert len(answer.body) == 43 and answer.body[:6] in (b"GIF87a", b"GIF89a")
    assert answer.headers["Content-Type"] == "image/gif"
    assert "no-store" in answer.headers["Cache-Control"]
    row = sent.feed(1, "view")[0]
    assert row["person"] == TO
    assert row["sender"] == SENDER
    assert sent.mark.decode() in row["subject"]


def test_every_view_counts(servers, mark):
    sent = send(servers, mark)
    for _ in range(3):
        web.get(sent.pixels()[0])
    assert len(sent.feed(3, "view")) == 3


def test_a_click_goes_where_the_link_went(servers, mark):
    sent = send(servers, mark)
    for url, wanted in zip(sent.clicks(), mails.LINKS):
        answer = sent.follow(url)
        assert (answer.status, answer.headers["Location"]) == (302, wanted)
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    sent.report()
    # Not in the feed: hindsight takes three links that are followed at once for a scanner's.
    rows = servers.postgres.wait_rows("SELECT destination FROM spoor.event_report WHERE message = %s AND what = 'click'" % sent.message, 3)
    assert sorted(row["destination"] for row in rows) == sorted(mails.LINKS)


def test_a_changed_destination_is_a_plain_404_and_no_record(servers, mark):
    sent = send(servers, mark)
    url = sent.clicks()[0]
    for bad in (url + "x", url.replace("www.example.org", "evil.example.org"), url[:-1]):
        answer = web.get(bad)
        assert answer.status == 404 and "Location" not in answer.headers
    settle(servers, sent)
    assert servers.postgres.rows("SELECT 1 FROM spoor.feed WHERE message = %s AND what = 'click'" % sent.message) == []


def test_a_bad_pixel_is_still_a_pixel_and_no_record(servers, mark):
    sent = send(servers, mark)
    good = sent.pixels()[0]
    token = re.search(r"/o/([a-z2-7]+)\.gif", good).group(1)
    swapped = token[:-10] + ("a" if token[-10] != "a" else "b") + token[-9:]
    for bad in (good.replace(token, swapped), good.replace(token, "aaaa"), good.replace(token, token * 3)):
        answer = web.get(bad)
        assert answer.status == 200 and len(answer.body) == 43
    settle(servers, sent)
    assert len(sent.feed(1, "view")) == 1


def test_case_of_a_token_does_not_matter(servers, mark):
    sent = send(servers, mark)
    good = sent.pixels()[0]
    token = re.search(r"/o/([a-z2-7]+)\.gif", good).group(1)
    assert web.get(good.replace(token, token.upper())).status == 200
    assert sent.feed(1, "view")


def test_head_is_answered_without_a_body(servers, mark):
    sent = send(servers, mark)
    answer = web.get(sent.pixels()[0], method="HEAD")
    assert answer.status == 200 and answer.body == b""
    assert answer.headers["Content-Length"] == "43"
    answer = web.get(sent.clicks()[0], method="HEAD")
    assert answer.status == 302 and answer.headers["Location"] == mails.LINKS[0]


def test_health_is_told(servers):
    assert web.get(servers.spoor.tracking_url + "/healthz").status == 200


@pytest.mark.parametrize("target", ["/", "/o/", "/c/", "/o/../../etc/passwd", "/c/abc/%00", "/nothing"])
def test_other_paths_are_not_found(servers, target):
    answer = web.get(servers.spoor.tracking_url + target)
    assert answer.status in (400, 404) or (target.startswith("/o/") and len(answer.body) == 43)
    assert b"root:" not in answer.body


# --- spoor-match --------------------------------------------------------------------------------------


def test_an_answer_from_any_address_is_a_reply(servers, mark):
    sent = send(servers, mark)
    answer_to(servers, sent)
    row = sent.feed(1, "reply")[0]
    assert row["person"] == STRANGER
    assert row["sender"] == SENDER


def test_several_answers_also_from_cc(servers, mark):
    content = mails.html_quoted_printable(SENDER, [TO], mark, cc=[CC])
    sent = Sent(servers, content, mark, (TO, CC))
    elsewhere = "assistant@elsewhere.test"
    sent.report()  # only then it is known to whom it went
    for person in (TO, CC, STRANGER, elsewhere):
        answer_to(servers, sent, person)
    rows = {row["person"]: (row["answerer"], row["same_domain"]) for row in sent.feed(4, "reply")}
    assert rows == {TO: ("recipient", "t"), CC: ("recipient", "t"), STRANGER: ("other", "t"), elsewhere: ("other", "f")}
    assert (sent.report()["replied"], sent.report()["replies"]) == ("4", "4")


THREADS = {
    "in-reply-to alone": lambda own_id, refs: ["In-Reply-To: " + own_id],
    "references alone": lambda own_id, refs: ["References: " + own_id],
    "only the anchor": lambda own_id, refs: ["References: " + refs[-1]],
    "folded": lambda own_id, refs: ["In-Reply-To:\n " + own_id, "References:\n\t" + "\n\t".join(refs) + "\n " + own_id],
    "commas": lambda own_id, refs: ["References: " + ", ".join(refs + [own_id])],
    "no brackets": lambda own_id, refs: ["In-Reply-To: " + own_id.strip("<>")],
    "upper case": lambda own_id, refs: ["In-Reply-To: " + own_id.upper()],
    "repeated": lambda own_id, refs: ["References: <a@b.example>", "References: " + own_id, "In-Reply-To: <c@d.example>"],
    "with words": lambda own_id, refs: ['In-Reply-To: Message of "Sat, 21 Nov 2026" ' + own_id],
}


@pytest.mark.parametrize("form", THREADS)
def test_ids_are_found_in_every_form(servers, mark, form):
    sent = send(servers, mark)
    answer_to(servers, sent, TO, compose=lambda mark, own_id, refs: mails.answer_with(
        TO, [SENDER], mark, THREADS[form](own_id, refs)))
    assert sent.feed(1, "reply")[0]["person"] == TO


def test_the_same_answer_twice_counts_once(servers, mark):
    sent = send(servers, mark)
    own_id = traces.field(sent.to(), "Message-ID")
    answer_mark = mails.new_mark()
    content = mails.answer(TO, [SENDER], answer_mark, own_id)
    for _ in range(2):
        servers.answer(TO, [SENDER], content)
    proc.wait_for(lambda: len(servers.mail.mails(SENDER, answer_mark.encode())) == 2, "both arrive")
    answer_to(servers, sent, CC)
    rows = sent.feed(2, "reply")
    assert sorted(row["person"] for row in rows) == [TO, CC]


def test_the_senders_own_follow_up_is_no_reply(servers, mark):
    sent = send(servers, mark)
    answer_to(servers, sent, SENDER)
    answer_to(servers, sent, "anton@example.com")
    answer_to(servers, sent, TO)
    assert [row["person"] for row in sent.feed(1, "reply")] == [TO]


AUTOMATIC = {
    "RFC 3834": ["Auto-Submitted: auto-replied"],
    "RFC 3834 with a comment": ["Auto-Submitted: auto-replied (vacation)"],
    "X-Autoreply": ["X-Autoreply: yes"],
    "X-Autorespond": ["X-Autorespond: out"],
    "Exchange rules": ["X-MS-Exchange-Inbox-Rules-Loop: bob@example.net"],
    "Precedence": ["Precedence: auto_reply"],
}


@pytest.mark.parametrize("how", AUTOMATIC)
def test_automatic_answers_are_no_replies(servers, mark, how):
    sent = send(servers, mark)
    answer_to(servers, sent, TO, compose=lambda mark, own_id, refs: mails.answer_with(
        TO, [SENDER], mark, ["In-Reply-To: " + own_id], more=AUTOMATIC[how]))
    assert sent.feed(1, "auto_reply")[0]["person"] == TO
    assert [row for row in sent.feed(1) if row["what"] == "reply"] == []


def test_an_out_of_office_is_an_automatic_answer(servers, mark):
    sent = send(servers, mark)
    answer_to(servers, sent, TO, envelope_sender="",
              compose=lambda mark, own_id, refs: mails.out_of_office(TO, [SENDER], mark, own_id))
    assert sent.feed(1, "auto_reply")[0]["person"] == TO


def test_a_forged_id_is_no_reply(servers, mark):
    sent = send(servers, mark)
    answer_to(servers, sent, TO, compose=lambda mark, own_id, refs: mails.answer_with(
        TO, [SENDER], mark, ["In-Reply-To: " + own_id.replace("@", "a@").replace("<", "<b")]))
    settle(servers, sent)
    assert [row for row in sent.feed(1) if row["what"] != "view"] == []


def test_mail_that_answers_nothing_arrives_as_it_was(servers, mark):
    content = mails.plain(STRANGER, [SENDER], mark)
    servers.answer(STRANGER, [SENDER], content)
    delivered = servers.mail.wait(SENDER, mark.encode())
    assert traces.fields(delivered) == traces.fields(content)
    assert traces.split(delivered)[1] == traces.split(content)[1]


def test_reading_an_answer_that_quotes_us_is_no_view(servers, mark):
    """The quoted pixel goes and the quoted links lead to their destinations again."""
    sent = send(servers, mark)
    html = traces.html_parts(sent.to())[0].decode()
    answer_mark = mails.new_mark()
    quoted = "<html><body><p>Yes</p><blockquote type=\"cite\">%s</blockquote></body></html>\n" % html
    own_id = traces.field(sent.to(), "Message-ID")
    content = mails.html_8bit(TO, [SENDER], answer_mark, html=quoted, more=["In-Reply-To: " + own_id])
    servers.answer(TO, [SENDER], content)
    delivered = servers.mail.wait(SENDER, answer_mark.encode())
    assert not traces.pixels(delivered, servers.spoor.tracking_url)
    assert not traces.clicks(delivered, servers.spoor.tracking_url)
    unescaped = traces.html_parts(delivered)[0].decode().replace("&amp;", "&")
    assert all('"%s"' % link in unescaped.replace("'", '"') for link in mails.LINKS)


@pytest.fixture
def with_decoys(servers):
    conf = servers.spoor.write_conf(servers.spoor.conf + ".decoy", {"stamp": {"decoy_link": True}})
    servers.spoor.restart("stamp", conf)
    yield servers
    servers.spoor.restart("stamp")


def test_a_decoy_goes_out_and_does_not_come_back(with_decoys):
    servers, first = with_decoys, None
    for kind in HTML_KINDS:
        sent = send(servers, mails.new_mark(), kind)
        assert [traces.destination(url) for url in traces.decoys(sent.to())] == [servers.spoor.tracking_url]
        assert len(sent.pixels()) == 1 and [traces.destination(url) for url in sent.clicks()] == list(mails.LINKS)
        assert sent.difference() is None
        first = first or sent
    for kind in UNTOUCHED_BODIES:
        sent = send(servers, mails.new_mark(), kind)
        assert sent.to() and sent.difference() is None

    sent, decoy = first, traces.decoys(first.to())[0]
    answer = sent.follow(decoy)
    assert (answer.status, answer.headers["location"]) == (302, servers.spoor.tracking_url)
    web.get(sent.clicks()[0])
    sent.report()
    rows = servers.postgres.wait_rows("SELECT link, verdict FROM spoor.event_report WHERE message = %s AND reason = 'decoy'"
                                      " ORDER BY at_time" % sent.message, 2)
    assert [(row["link"], row["verdict"]) for row in rows] == [(None, "bot"), ("1", "bot")]
    assert sent.report()["clicks"] == "0"
    assert len(servers.postgres.rows("SELECT 1 FROM spoor.link WHERE message = %s" % sent.message)) == mails.TRACKED_LINKS

    page = traces.html_parts(sent.to())[0].decode()
    quoted = "<html><body><p>Yes</p><blockquote type=\"cite\">%s</blockquote></body></html>\n" % page
    answer_mark, next_mark = mails.new_mark(), mails.new_mark()
    servers.answer(TO, [SENDER], mails.html_8bit(TO, [SENDER], answer_mark, html=quoted,
                                                 more=["In-Reply-To: " + traces.field(sent.to(), "Message-ID")]))
    cleaned = traces.html_parts(servers.mail.wait(SENDER, answer_mark.encode()))[0]
    assert b"aria-hidden" not in cleaned and servers.spoor.tracking_url.encode() not in cleaned
    assert cleaned.count(b"<a ") == cleaned.count(b"</a>") == quoted.count("<a ") - 1
    further = Sent(servers, mails.html_8bit(SENDER, [TO], next_mark, html=quoted), next_mark)
    own_decoys = traces.decoys(further.to())
    assert len(own_decoys) == 1 and own_decoys != [decoy]


# --- the record ---------------------------------------------------------------------------------------


def test_the_report_tells_the_whole_story(servers, mark):
    content = mails.alternative_with_picture(SENDER, [TO], mark, cc=[CC])
    sent = Sent(servers, content, mark, (TO, CC))
    web.get(sent.pixels()[0])
    sent.follow(sent.clicks()[0])
    answer_to(servers, sent)
    sent.feed(3)
    report = proc.wait_for(lambda: _when(sent.report(), lambda row: row["last_event_at"]), "events in the report")
    assert report["sender"] == SENDER
    assert report["recipients"] == "2"
    assert sent.mark.decode() in report["subject"]
    for what in ("viewed", "clicked", "replied"):
        assert report[what] not in (None, "f", "0"), what
    assert report["first_viewed_at"]


def _when(row, question):
    return row if question(row) else None


def test_a_mail_to_several_names_one_of_them(servers, mark):
    """One body for all: nobody can tell who looked, and the feed does not pretend to."""
    content = mails.html_quoted_printable(SENDER, [TO], mark, cc=[CC])
    sent = Sent(servers, content, mark, (TO, CC))
    web.get(sent.pixels()[0])
    assert sent.feed(1, "view")[0]["person"] not in (TO, CC)


def test_decode_explains_what_left(servers, mark):
    sent = send(servers, mark)
    delivered = sent.to()
    for what in (sent.pixels()[0], sent.clicks()[0], traces.field(delivered, "Message-ID"),
                 traces.ids(delivered, "References")[-1]):
        assert sent.message in servers.spoor.ctl("decode", what).stdout.decode()
    assert servers.spoor.ctl("decode", sent.pixels()[0].replace("/o/", "/o/zz"), check=False).returncode != 0


def test_check_says_that_all_is_well(servers):
    # It waits for each no longer than a person would: on a busy machine once more.
    proc.wait_for(lambda: servers.spoor.ctl("check", env={"PGUSER": "postgres"}, check=False).returncode == 0, "all is well")


def test_check_goes_on_where_an_option_is_missing(servers, tmp_path):
    conf = servers.spoor.write_conf(str(tmp_path / "spoor.conf"), key_file="", local_domains=[])
    done = servers.spoor.ctl("check", conf=conf, check=False, env={"PGUSER": "postgres"})
    states = {line.split()[0]: line.split()[1] for line in done.stdout.decode().splitlines()}
    assert states == {"configuration": "FAIL", "keys": "FAIL", "database": "ok", "schema": "ok", "memcached": "ok",
                      "spool": "ok", "match": "ok", "pixeld": "ok", "stamp": "ok"}
    assert "key_file is missing" in done.stdout.decode()
    assert (done.returncode, done.stderr) == (1, b"")


# --- the dry runs do what the milters do --------------------------------------------------------------


def without_tokens(mail):
    """Tokens differ by message id and time; what they stand in must not."""
    mail = re.sub(rb"(=\r\n)", b"", mail)
    mail = re.sub(rb"/([oc])/[a-z2-7]{20,}", rb"/\1/TOKEN", mail)
    return re.sub(rb"<[a-z2-7]{20,}@example\.com>", b"<TOKEN@example.com>", mail)


def comparable(mail):
    """Fields and body, tokens aside; base64 is compared decoded, for a token's letters move its lines."""
    body = traces.split(mail)[1] if b"base64" not in traces.split(mail)[0] else traces.html_parts(mail)[0]
    return [(name, without_tokens(value)) for name, value in traces.fields(mail)], without_tokens(body)


@pytest.mark.parametrize("kind", HTML_KINDS + UNTOUCHED_BODIES, ids=named)
def test_spoorctl_stamp_does_what_the_milter_does(servers, mark, tmp_path, kind):
    sent = send(servers, mark, kind)
    file = tmp_path / "mail.eml"
    file.write_bytes(sent.content)
    dry = servers.spoor.ctl("stamp", "--from", SENDER, "--rcpt", TO, str(file)).stdout
    dry = dry if b"\r\n" in dry else dry.replace(b"\n", b"\r\n")
    assert comparable(dry) == comparable(sent.to())


def test_spoorctl_stamp_says_why_it_leaves_a_mail(servers, mark, tmp_path):
    file = tmp_path / "mail.eml"
    content = mails.html_8bit(SENDER, [TO], mark, more=["Auto-Submitted: auto-generated"])
    file.write_bytes(content)
    done = servers.spoor.ctl("stamp", "--from", SENDER, "--rcpt", TO, str(file), check=False)
    assert done.stdout == content and done.stderr


VERDICT_KEYS = ["class", "rung", "confidence", "message", "answerer", "from", "status", "hard", "receipt", "until",
                "forged"]


@pytest.mark.parametrize("form", THREADS)
def test_spoorctl_match_says_what_the_milter_records(servers, mark, tmp_path, form):
    sent = send(servers, mark)
    delivered = sent.to()
    own_id, refs = traces.field(delivered, "Message-ID"), ["<%s>" % each for each in traces.ids(delivered, "References")]
    file = tmp_path / "answer.eml"
    file.write_bytes(mails.answer_with(TO, [SENDER], mails.new_mark(), THREADS[form](own_id, refs)))
    verdict = verdict_of(servers, TO, file)
    assert [key for key in VERDICT_KEYS if key in verdict] == list(verdict)
    assert verdict["class"] == "reply"
    assert verdict["message"] == sent.message
    assert verdict["from"] == TO


def verdict_of(servers, sender, file):
    text = servers.spoor.ctl("match", "--from", sender, "--rcpt", SENDER, str(file)).stdout.decode()
    return dict(line.split(": ", 1) for line in text.splitlines())


def test_spoorctl_match_knows_automatic_answers_and_strangers(servers, mark, tmp_path):
    sent = send(servers, mark)
    file = tmp_path / "answer.eml"
    file.write_bytes(mails.out_of_office(TO, [SENDER], mails.new_mark(), traces.field(sent.to(), "Message-ID")))
    assert verdict_of(servers, "<>", file)["class"] == "auto_reply"
    file.write_bytes(mails.plain(STRANGER, [SENDER], mails.new_mark()))
    assert verdict_of(servers, STRANGER, file)["class"] == "none"


# --- the whole chain ----------------------------------------------------------------------------------


def test_nothing_is_lost_when_all_daemons_restart(own, mark):
    servers = own()
    sent = send(servers, mark)
    pixel = sent.pixels()[0]
    web.get(pixel)
    for name in ("stamp", "match", "pixeld"):
        assert servers.spoor.restart(name) == 0
    web.get(pixel)
    assert len(sent.feed(2, "view")) == 2
    again = send(servers, mails.new_mark())
    assert again.message != sent.message and len(again.pixels()) == 1


def test_a_killed_daemon_loses_nothing(own, mark):
    servers = own()
    sent = send(servers, mark)
    for _ in range(20):
        assert web.get(sent.pixels()[0]).status == 200
    for name in ("stamp", "pixeld"):
        servers.spoor.servers[name].kill()
        servers.spoor.start(name)
    assert len(sent.feed(20, "view")) == 20
    assert sent.report()["message"] == sent.message


def test_a_stop_lets_the_mail_under_way_end(own, mark):
    servers = own()
    halfway = mailer.Halfway(servers.sending.port, SENDER, TO, mails.html_8bit(SENDER, [TO], mark))
    send(servers, mails.new_mark())  # once this is through, the daemon has heard of the one before
    stamp = servers.spoor.servers["stamp"]
    stamp.signal(signal.SIGTERM)
    # What begins after the signal is put off; only then has the daemon seen it.
    refused = proc.wait_for(lambda: put_off(servers), "a daemon that drains")
    assert 400 <= refused < 500
    assert halfway.finish().startswith("250 ")
    assert stamp.child.wait(proc.PATIENCE_S) == 0
    delivered = servers.mail.wait(TO, mark.encode(), log=servers.receiving.log)
    assert len(traces.pixels(delivered, servers.spoor.tracking_url)) == 1


def put_off(servers):
    try:
        servers.submit(SENDER, [TO], mails.plain(SENDER, [TO], mails.new_mark()))
        return None
    except mailer.Refused as refused:
        return refused.code


def test_a_dead_filter_means_try_later(own, mark):
    servers = own()
    servers.spoor.servers["stamp"].kill()
    with pytest.raises(mailer.Refused) as refused:
        servers.submit(SENDER, [TO], mails.html_8bit(SENDER, [TO], mark))
    assert 400 <= refused.value.code < 500
    servers.spoor.start("stamp")
    assert send(servers, mark).pixels()
