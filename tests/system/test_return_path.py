# SPDX-License-Identifier: BSD-2-Clause
"""A return path of each mail's own, and what our own mail server sends back: with real servers."""

import re
import smtplib
import subprocess

import pytest

import mailer
import mails
import postfix
import proc
import smtp_sink
import traces
from postgres import quote

SENDER, BOB, NOBODY, KEEPER, STRANGER = ("alice@example.com", "bob@example.net", "nobody@example.net", "anton@example.com",
                                         "someone@elsewhere.test")
RETURN_PATH = re.compile(r"bounces\+([a-z2-7]{52})@example\.com")


@pytest.fixture(scope="module")
def sink():
    one = smtp_sink.Sink(extensions=smtp_sink.EXTENSIONS)
    yield one
    one.stop()


@pytest.fixture(scope="module")
def servers(module_own, sink):
    """The next hop knows nobody@example.net not; sink.test is somebody else's server."""
    started = module_own(stamp={"bounce_address": "bounces+{token}@example.com"}, match={"bounce_mailbox": KEEPER},
                         database_timeout="20s", memcached_timeout="10s")
    started.receiving.change({"smtpd_recipient_restrictions":
                              "check_recipient_access inline:{ %s=REJECT_NOBODY }" % NOBODY,
                              "smtpd_restriction_classes": "REJECT_NOBODY",
                              "REJECT_NOBODY": "reject_unlisted_recipient, reject"})
    started.sending.change({"transport_maps": "inline:{ sink.test=smtp:[127.0.0.1]:%d }" % sink.port})
    return started


@pytest.fixture
def name(mark):
    """A campaign that no other test has."""
    return "autumn " + mark


def submit(servers, to, mark, mail_options=(), rcpt_options=(), sender=SENDER, content=None):
    """Like servers.submit(), with ESMTP parameters; the line that spoor-stamp wrote of it."""
    with smtplib.SMTP("127.0.0.1", servers.sending.port, local_hostname="client.test") as client:
        client.ehlo()
        assert client.mail(sender, list(mail_options))[0] == 250
        assert client.rcpt(to, list(rcpt_options))[0] == 250
        code, text = client.data(content or mails.html_quoted_printable(SENDER, [to], mark))
        assert code == 250, text
    return servers.spoor.mail_line(mailer.queue_id_of(text.decode()))


def return_path_of(servers, mark, to=BOB):
    """The whole address, and its token."""
    delivered = servers.mail.wait(to, mark.encode(), log=servers.receiving.log)
    found = RETURN_PATH.search(traces.field(delivered, "Return-Path"))
    assert found, "no return path of ours: %s" % traces.field(delivered, "Return-Path")
    return found.group(0), found.group(1)


def forged(path):
    token = RETURN_PATH.match(path).group(1)
    return path.replace(token, token[:20] + ("a" if token[20] != "a" else "b") + token[21:])


def blank_bounce(mark):
    """One that quotes nothing of the mail."""
    return mails.crlf("From: Postmaster <postmaster@elsewhere.test>\nTo: <>\nSubject: Returned mail %s\n"
                      "Message-ID: <%s@elsewhere.test>\n\nYour mail was not delivered.\n" % (mark, mark))


def answers(servers, line, count=1):
    return servers.postgres.wait_rows("SELECT class, rung, host FROM spoor.answer WHERE message = %s"
                                      % line["message"], count)


def loaded(servers, line):
    servers.postgres.wait_rows("SELECT id FROM spoor.message WHERE id = %s" % line["message"])


def events(servers, line, what, count=1):
    return servers.postgres.wait_rows("SELECT * FROM spoor.feed WHERE message = %s AND what = %s"
                                      % (line["message"], quote(what)), count)


def whom(servers, mark, people):
    """Which of them have the mail, once nothing is under way any more."""
    servers.sending.wait_empty()
    servers.receiving.wait_empty()
    return [one for one in people if servers.mail.mails(one, mark.encode())]


# --- what leaves --------------------------------------------------------------------------------------


def test_the_clients_parameters_stay(servers, sink, mark):
    """On the wire to the next server, and in the report that our own one writes."""
    parameters = ["RET=HDRS", "ENVID=letter+2B7"]
    if servers.mta == "postfix":
        parameters += ["BODY=8BITMIME", "SMTPUTF8"]  # Sendmail looks at the body itself, and knows no SMTPUTF8
    line = submit(servers, "x@sink.test", mark, parameters,
                  ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;X@Sink.test"])
    assert "return_path" in line["added"].split(",")
    proc.wait_for(lambda: sink.said("QUIT"), "the mail is there", log=servers.sending.log)
    said, = sink.said("MAIL")
    assert RETURN_PATH.search(said)
    assert set(parameters) <= set(said.split())
    assert any(word.startswith("SIZE=") for word in said.split())
    assert set(sink.said("RCPT")[0].replace("To:", "TO:").split()[1:]) == {"TO:<x@sink.test>", "NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;X@Sink.test"}


@pytest.mark.parametrize("ret, part", [("HDRS", b"text/rfc822-headers"), ("FULL", b"message/rfc822")])
def test_a_bounce_of_our_own_server_keeps_them(servers, mark, ret, part):
    line = submit(servers, NOBODY, mark, ["RET=" + ret, "ENVID=q" + ret], ["NOTIFY=FAILURE", "ORCPT=rfc822;Nobody@Example.net"])
    bounce = servers.mail.wait(SENDER, mark.encode(), log=servers.receiving.log)
    assert b"\r\nContent-Type: " + part in bounce and b"\r\nOriginal-Envelope-Id: q%s\r\n" % ret.encode() in bounce
    assert traces.field(bounce, "Delivered-To") == SENDER
    row, = events(servers, line, "bounce")
    assert (row["person"], row["status"], row["hardness"], row["effect"]) == (NOBODY, "5.7.1", "hard", "yes")


def test_nobody_is_told_who_did_not_want_to_be(servers, mark):
    submit(servers, NOBODY, mark, rcpt_options=["NOTIFY=NEVER"])
    assert whom(servers, mark, [SENDER, KEEPER]) == []


@pytest.mark.parametrize("sender, more", [("someone@elsewhere.test", []), ("", []), (SENDER, ["Precedence: list"]),
                                          (SENDER, ["List-Id: <l.example.com>"]), (SENDER, ["X-Spoor-Track: off"])],
                         ids=["another domain", "the null sender", "a list", "a list by its id", "not tracked"])
def test_other_senders_stay(servers, mark, sender, more):
    content = mails.html_quoted_printable(SENDER, [BOB], mark, more=more)
    line = submit(servers, BOB, mark, sender=sender, content=content)
    assert "return_path" not in line.get("added", "")
    delivered = servers.mail.wait(BOB, mark.encode(), log=servers.receiving.log)
    assert traces.field(delivered, "Return-Path") == "<%s>" % sender


# --- what comes back ----------------------------------------------------------------------------------


def test_a_bounce_that_quotes_nothing_finds_its_mail_and_its_sender(servers, mark):
    line = submit(servers, BOB, mark)
    path, _ = return_path_of(servers, mark)
    back = mails.new_mark()
    servers.answer("", [path], blank_bounce(back))
    assert whom(servers, back, [SENDER, KEEPER, path]) == [SENDER]
    row, = answers(servers, line)
    assert row["rung"] == "bounce_address" and row["class"] in ("bounce", "machine")
    servers.spoor.wait_log("match", r"returned=%s to=<%s> from=<>$" % (line["message"], SENDER))


def test_only_that_recipient_is_swapped(servers, mark):
    submit(servers, BOB, mark)
    path, _ = return_path_of(servers, mark)
    back = mails.new_mark()
    servers.answer(STRANGER, [BOB, path, "carol@example.org"], blank_bounce(back))
    assert whom(servers, back, [BOB, "carol@example.org", SENDER, path]) == [BOB, "carol@example.org", SENDER]


def test_what_is_forged_or_of_another_domain_stays(servers, mark):
    submit(servers, BOB, mark)
    path, _ = return_path_of(servers, mark)
    for odd in (forged(path), path.replace("@example.com", "@example.org")):
        back = mails.new_mark()
        servers.answer("", [odd], blank_bounce(back))
        assert whom(servers, back, [SENDER, KEEPER, odd]) == [odd]


def test_a_sender_that_is_a_return_path_gets_nothing(servers, mark):
    """Neither a second one around it, nor what comes back: nothing goes in a circle."""
    first = submit(servers, BOB, mark)
    path, _ = return_path_of(servers, mark)
    again = mails.new_mark()
    line = submit(servers, BOB, again, sender=path)
    assert "return_path" not in line["added"]
    loaded(servers, first)
    servers.postgres.execute("UPDATE spoor.message SET envelope_sender = %s WHERE id = %s" % (quote(path), first["message"]))
    servers.memcached.stop()
    servers.memcached.start()
    back = mails.new_mark()
    servers.answer("", [path], blank_bounce(back))
    assert whom(servers, back, [SENDER, KEEPER, path]) == [KEEPER]


def test_the_database_knows_what_memcached_forgot(servers, mark):
    line = submit(servers, BOB, mark)
    path, _ = return_path_of(servers, mark)
    loaded(servers, line)
    servers.memcached.stop()
    servers.memcached.start()
    back = mails.new_mark()
    servers.answer("", [path], blank_bounce(back))
    assert whom(servers, back, [SENDER, KEEPER, path]) == [SENDER]


# --- our own server's reports -------------------------------------------------------------------------


def sendmail(servers, sender, to, content):
    """As a program on the host of the sending server does."""
    subprocess.run(["sendmail", "-C", servers.sending.etc, "-i", "-f", sender, to], input=content.replace(b"\r\n", b"\n"),
                   check=True, cwd="/")


def reporting_to(servers, *sockets):
    """The sending server shows its own reports to these milters, and mail of local programs."""
    servers.sending.change({"internal_mail_filter_classes": "bounce",
                            "non_smtpd_milters": ", ".join(map(postfix.milter, sockets))})


@pytest.fixture(scope="module")
def reporting(servers):
    reporting_to(servers, servers.spoor.socket("stamp"), servers.spoor.socket("match"))
    return servers


@pytest.fixture
def plain_senders(reporting):
    """Envelope senders stay; only local programs are trusted without a login."""
    conf = reporting.spoor.write_conf(reporting.spoor.conf + ".plain", sections={"stamp": {"bounce_address": ""}})
    reporting.spoor.restart("stamp", conf)
    yield reporting
    reporting.spoor.restart("stamp")


def check_own_bounce(servers, mark, name):
    """The next hop refuses: whom the bounce is about, and that the campaign ends for him."""
    content = mails.html_quoted_printable(SENDER, [NOBODY], mark, more=["X-Spoor-Campaign: " + name])
    line = submit(servers, NOBODY, mark, content=content)
    row, = events(servers, line, "bounce")
    assert (row["person"], row["status"], row["hardness"], row["effect"]) == (NOBODY, "5.7.1", "hard", "yes")
    host = servers.postgres.value("SELECT host FROM spoor.answer WHERE message = %s" % line["message"])
    assert host == "sending.test", "before any other server had it"
    with pytest.raises(mailer.Refused, match="550 .*bounce of"):
        servers.submit(SENDER, [NOBODY], content)
    assert whom(servers, mark, [SENDER, KEEPER]) == [SENDER]
    assert len(servers.mail.mails(SENDER, mark.encode())) == 1
    assert len(answers(servers, line)) == 1, "the same bounce at the next server is no other one"


def test_our_own_servers_bounce_ends_a_campaign(reporting, mark, name):
    check_own_bounce(reporting, mark, name)


def test_our_own_servers_bounce_to_the_sender_himself(plain_senders, mark, name):
    check_own_bounce(plain_senders, mark, name)


def test_mail_of_local_programs_is_not_from_the_world(plain_senders, mark):
    """It is tracked like any other, but no answer, whatever it names; what has no sender may be one."""
    servers = plain_senders
    line = submit(servers, BOB, mark)
    original = traces.field(servers.mail.wait(BOB, mark.encode()), "Message-ID")
    letter, absence = mails.new_mark(), mails.new_mark()
    servers.spoor.restart("stamp", servers.spoor.write_conf(
        servers.spoor.conf + ".local", sections={"stamp": {"bounce_address": "", "submit_networks": ["192.0.2.0/24"]}}))
    sendmail(servers, BOB, "carol@example.org", mails.answer(BOB, ["carol@example.org"], letter, original))
    sendmail(servers, SENDER, BOB, mails.html_quoted_printable(SENDER, [BOB], letter))
    sendmail(servers, "<>", "carol@example.org", mails.out_of_office(BOB, ["carol@example.org"], absence, original))
    assert {(row["class"], row["host"]) for row in answers(servers, line, 2)} == {
        ("auto_reply", "sending.test"), ("reply", "receiving.test")}, "a letter is an answer where it arrives"
    assert whom(servers, letter, [BOB, "carol@example.org"]) == [BOB, "carol@example.org"]
    assert RETURN_PATH.search(traces.field(servers.mail.mails(BOB, letter.encode())[0], "Return-Path")) is None
    assert traces.pixels(servers.mail.mails(BOB, letter.encode())[0], servers.spoor.tracking_url)


def test_a_bounce_waits_for_the_milter(plain_senders, mark):
    servers = plain_senders
    reporting_to(servers, servers.spoor.socket("nobody"))
    line = submit(servers, NOBODY, mark)
    proc.wait_for(lambda: "status=deferred (bounce failed)" in servers.sending.text(), "the mail waits",
                  log=servers.sending.log)
    proc.wait_for(lambda: servers.sending.queued() == 1, "that mail alone is in the queue", log=servers.sending.log)
    reporting_to(servers, servers.spoor.socket("match"))

    def sent():
        servers.sending.flush()  # again, for a queue manager that is just starting anew may not hear it
        return servers.sending.queued() == 0
    proc.wait_for(sent, "the bounce has gone", log=servers.sending.log)
    assert [row["person"] for row in events(servers, line, "bounce")] == [NOBODY]
    assert whom(servers, mark, [SENDER]) == [SENDER]


def test_an_alias_takes_what_stays(servers, mark):
    """As in contrib/postfix/bounces.md: the milter takes a recipient out before, and although, it is an alias."""
    submit(servers, BOB, mark)
    path, _ = return_path_of(servers, mark)
    servers.receiving.change({"recipient_delimiter": "+", "propagate_unmatched_extensions": "",
                              "virtual_alias_maps": "inline:{ bounces@example.com=%s }" % KEEPER})
    for whole, expected in ((path, SENDER), (forged(path), KEEPER)):
        back = mails.new_mark()
        servers.answer("", [whole], blank_bounce(back))
        assert whom(servers, back, [SENDER, KEEPER, whole]) == [expected]


def test_the_database_is_away(servers, mark):
    """memcached knows a mail that has just left; of any other somebody gets what comes back, or nothing changes."""
    submit(servers, BOB, mark)
    path, _ = return_path_of(servers, mark)
    servers.postgres.stop()
    known, unknown, left = (mails.new_mark() for _ in range(3))
    servers.answer("", [path], blank_bounce(known))
    assert whom(servers, known, [SENDER, KEEPER]) == [SENDER]
    servers.memcached.stop()
    servers.answer("", [path], blank_bounce(unknown))
    assert whom(servers, unknown, [SENDER, KEEPER]) == [KEEPER]
    servers.spoor.restart("match", servers.spoor.write_conf(servers.spoor.conf + ".none", sections={"match": {"bounce_mailbox": ""}}))
    servers.receiving.change({"virtual_alias_maps": ""})
    servers.answer("", [path], blank_bounce(left))
    assert whom(servers, left, [SENDER, KEEPER, path]) == [path]
    servers.spoor.wait_log("match", r"returned=\d+ to=- from=<>: its sender is not known")
