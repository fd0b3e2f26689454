# SPDX-License-Identifier: BSD-2-Clause
"""Who unsubscribes from a campaign, at the page, by one click or by mail, gets no more of it: with real servers."""

import re

import pytest

import mailer
import mails
import proc
import traces
import web
from postgres import quote

SENDER, OTHER, BOB, CAROL, DAVE, STRANGER = ("alice@example.com", "anton@example.com", "bob@example.net", "carol@example.org",
                                             "dave@example.net", "eve@elsewhere.test")
MAILBOX = "unsubscribe@example.com"
ONE_CLICK = b"List-Unsubscribe=One-Click"
BOTH = r"<(%s/u/[a-z2-7]{52})>,\s+<mailto:(unsubscribe\+[a-z2-7]{52}@example\.com)>"


@pytest.fixture(scope="module")
def servers(module_own):
    """Patient with the database: on a busy machine it must not seem to be away."""
    return module_own(database_timeout="20s", unsubscribe_address=MAILBOX)


@pytest.fixture
def name(mark):
    return "summer " + mark


@pytest.fixture
def person(mark):
    """An address that no other test has unsubscribed."""
    return "person-%s@example.net" % mark


def send(servers, to, name, sender=SENDER, more=(), compose=mails.plain):
    mark = mails.new_mark()
    fields = (["X-Spoor-Campaign: " + name] if name else []) + list(more)
    servers.submit(sender, list(to), compose(sender, list(to), mark, more=fields))
    return mark


def delivered(servers, to, mark):
    return servers.mail.wait(to, mark.encode(), log=servers.receiving.log)


def refused(servers, to, name, **more):
    with pytest.raises(mailer.Refused) as caught:
        send(servers, to, name, **more)
    return caught.value


def offers(servers, mail):
    """The URL and the address that a mail with both offers."""
    found = re.fullmatch(BOTH % re.escape(servers.spoor.tracking_url), traces.field(mail, "List-Unsubscribe"))
    return found.group(1), found.group(2)


def post(url, body=ONE_CLICK, **headers):
    return web.get(url, "POST", headers=dict({"Content-Type": "application/x-www-form-urlencoded"}, **headers), body=body)


def suppressed(servers, address):
    return servers.postgres.wait_rows("SELECT * FROM spoor.suppression WHERE address = %s AND lifted_at IS NULL" % quote(address))[0]


def is_suppressed(servers, address):
    return servers.postgres.rows("SELECT 1 FROM spoor.suppression WHERE address = %s AND lifted_at IS NULL" % quote(address)) != []


def ask_by_mail(servers, sender, to, envelope=None, more=(), subject="unsubscribe"):
    """Returns when the mail was accepted; its mark."""
    mark = mails.new_mark()
    content = mails.answer_with(sender, [to], mark, [], subject=subject, more=more, text="No more, please.\n")
    servers.answer(sender if envelope is None else envelope, [to], content)
    return mark


# --- the header -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("compose", [mails.plain, mails.html_quoted_printable, mails.pgp_signed])
def test_one_recipient_is_offered_a_click_and_a_mail(servers, name, compose):
    mark = mails.new_mark()
    sent = compose(SENDER, [BOB], mark, more=["X-Spoor-Campaign: " + name])
    servers.submit(SENDER, [BOB], sent)
    mail = delivered(servers, BOB, mark)
    url, address = offers(servers, mail)
    assert traces.field(mail, "List-Unsubscribe-Post") == ONE_CLICK.decode()
    assert traces.field_count(mail, "List-Unsubscribe") == traces.field_count(mail, "List-Unsubscribe-Post") == 1
    assert len(address.partition("@")[0]) <= 64
    assert servers.spoor.ctl("decode", url).stdout.startswith(b"kind: unsubscribe\n")
    assert not traces.body_difference(sent, mail, servers.spoor.tracking_url)


def test_several_recipients_are_offered_a_mail_alone(servers, name):
    mark = send(servers, [BOB, CAROL], name)
    for person in (BOB, CAROL):
        mail = delivered(servers, person, mark)
        assert re.fullmatch(r"<mailto:unsubscribe\+[a-z2-7]{52}@example\.com>", traces.field(mail, "List-Unsubscribe"))
        assert traces.field(mail, "List-Unsubscribe-Post") is None


def test_other_mail_is_not_given_any(servers, name):
    own = "<https://elsewhere.test/u/1>"
    mail = delivered(servers, BOB, send(servers, [BOB], name, more=["List-Unsubscribe: " + own]))
    assert traces.field(mail, "List-Unsubscribe") == own and traces.field(mail, "List-Unsubscribe-Post") is None
    for more in ([], ["X-Spoor-Track: off"], ["DKIM-Signature: v=1; d=example.com; s=s; b=x"]):
        mail = delivered(servers, BOB, send(servers, [BOB], name if more else None, more=more))
        assert traces.field(mail, "List-Unsubscribe") is None and traces.field(mail, "List-Unsubscribe-Post") is None


# --- on the web ---------------------------------------------------------------------------------------------


def test_one_click_stops_the_next_mail_and_looking_does_not(servers, name, person):
    url, _ = offers(servers, delivered(servers, person, send(servers, [person], name)))
    for method in ("GET", "HEAD", "GET"):
        assert web.get(url, method).status == 200
    send(servers, [person], name)
    assert post(url).status == 200
    assert suppressed(servers, person)["owner"] == SENDER
    error = refused(servers, [person], name)
    assert error.code == 550 and "5.7.1" in str(error) and ": unsubscribe of 20" in str(error) and person in str(error)
    assert refused(servers, [person], name + " another").code == 550, "all campaigns of that sender"
    delivered(servers, person, send(servers, [person], None))
    mark = send(servers, [person, BOB], name)
    delivered(servers, BOB, mark)
    servers.receiving.wait_empty()
    assert not servers.mail.mails(person, mark.encode())


def test_it_holds_for_one_sender_and_the_campaign(servers, name, person):
    url, _ = offers(servers, delivered(servers, person, send(servers, [person], name)))
    assert post(url, b"").status == 200
    suppressed(servers, person)
    delivered(servers, person, send(servers, [person], name + " of another", sender=OTHER))
    assert refused(servers, [person], name, sender=OTHER).code == 550, "that campaign has ended, whoever sends it"


def test_each_request_is_in_the_feed_and_all_can_be_lifted(servers, name, person):
    url, _ = offers(servers, delivered(servers, person, send(servers, [person], name)))
    assert [post(url).status for _ in range(3)] == [200] * 3
    rows = servers.postgres.wait_rows("SELECT * FROM spoor.feed WHERE person = %s AND what = 'unsubscribe'" % quote(person), 3)
    assert {row["sender"] for row in rows} == {SENDER}
    listed = servers.postgres.rows("SELECT * FROM spoor.suppressions(%s)" % quote(person), role="spoor_admin")
    assert [(row["owner"], row["way"], row["asked"], row["campaign"]) for row in listed] == [(SENDER, "web", "3", name)]
    lift = "SELECT spoor.unsuppress(%s, %s)" % (quote(person), quote(SENDER))
    assert servers.postgres.value(lift, role="spoor_admin") == "1"
    send(servers, [person], name)
    assert post(url).status == 200
    proc.wait_for(lambda: is_suppressed(servers, person), "who asks again is heard again")


def test_a_wrong_token_stops_nothing(servers, name, person):
    url, _ = offers(servers, delivered(servers, person, send(servers, [person], name)))
    at = url.index("/u/") + 3 + 40
    forged = url[:at] + ("a" if url[at] != "a" else "b") + url[at + 1:]
    for answer in (web.get(forged), post(forged), post(url[:-1]), post(url + "/")):
        assert answer.status == 404
    view = traces.pixels(delivered(servers, person, send(servers, [person], name, compose=mails.html_7bit)),
                         servers.spoor.tracking_url)[0]
    assert post(view.replace("/o/", "/u/").replace(".gif", "")).status == 404
    last, _ = offers(servers, delivered(servers, BOB, send(servers, [BOB], name + " last")))
    assert post(last).status == 200
    suppressed(servers, BOB)  # so what came before it is in the database, too
    assert not is_suppressed(servers, person)
    servers.postgres.execute("SELECT spoor.unsuppress(%s, %s)" % (quote(BOB), quote(SENDER)), role="spoor_admin")


# --- by mail ------------------------------------------------------------------------------------------------


def test_a_mail_takes_effect_before_it_is_accepted_and_is_delivered(servers, name, person):
    _, address = offers(servers, delivered(servers, person, send(servers, [person], name)))
    mark = ask_by_mail(servers, person.upper(), address)
    assert ": unsubscribe of 20" in str(refused(servers, [person], name))
    assert suppressed(servers, person)["reason"] == "unsubscribe"
    servers.spoor.wait_log("match", r"unsubscribe=taken message=\d+ whom=<%s> effect=yes$" % re.escape(person))
    assert b"No more, please." in delivered(servers, address, mark)
    servers.postgres.wait_rows("SELECT 1 FROM spoor.feed WHERE what = 'unsubscribe' AND person = %s" % quote(person))


def test_of_several_the_one_who_writes_is_meant(servers, name, mark):
    one, other = "one-%s@example.net" % mark, "other-%s@example.net" % mark
    mail = delivered(servers, one, send(servers, [one, other], name))
    address = re.search(r"<mailto:(.*)>", traces.field(mail, "List-Unsubscribe")).group(1)
    ask_by_mail(servers, STRANGER, address)
    servers.spoor.wait_log("match", r"unsubscribe=taken message=\d+ whom=<%s> effect=no$" % re.escape(STRANGER))
    send(servers, [one, other], name)
    ask_by_mail(servers, other, address)
    assert refused(servers, [other], name).code == 550
    send(servers, [one], name)
    rows = servers.postgres.wait_rows("SELECT u.address, u.effect FROM spoor.unsubscribe u JOIN spoor.message m ON m.id = u.message "
                                      "WHERE m.campaign = %s ORDER BY u.at_time" % quote(name), 2)
    assert [(row["address"], row["effect"]) for row in rows] == [(STRANGER, "0"), (other, "1")]


def test_a_mail_from_where_it_was_forwarded_to_counts_for_whom_it_was_sent(servers, name, person):
    _, address = offers(servers, delivered(servers, person, send(servers, [person], name)))
    ask_by_mail(servers, STRANGER, address)
    servers.spoor.wait_log("match", r"unsubscribe=taken message=\d+ whom=<%s> effect=yes$" % re.escape(STRANGER))
    assert refused(servers, [person], name).code == 550
    assert not is_suppressed(servers, STRANGER)
    servers.postgres.wait_rows("SELECT 1 FROM spoor.feed WHERE what = 'unsubscribe' AND person = %s" % quote(person))


@pytest.mark.parametrize("envelope, more, subject", [
    (None, ["Auto-Submitted: auto-replied"], "Automatic reply: offer"), ("", [], "Undelivered Mail Returned to Sender"),
    (None, ["Authentication-Results: receiving.test; dmarc=fail"], "unsubscribe")])
def test_what_no_person_sent_does_nothing(servers, name, person, envelope, more, subject):
    _, address = offers(servers, delivered(servers, person, send(servers, [person], name)))
    mark = ask_by_mail(servers, person, address, envelope, more, subject)
    delivered(servers, address, mark)
    servers.spoor.wait_log("match", r"unsubscribe=ignored message=\d+ whom=<%s> reason=" % re.escape(person))
    send(servers, [person], name)
    assert not is_suppressed(servers, person)


# --- the database is away, other settings -------------------------------------------------------------------------


def test_the_database_is_away(own, name, mark):
    servers = own(campaign_settle="1s", database_timeout="20s", unsubscribe_address=MAILBOX, unsubscribe_scope="all")
    web_person, mail_person, late = ("web-%s@example.net" % mark, "mail-%s@example.net" % mark, "late-%s@example.net" % mark)
    url, _ = offers(servers, delivered(servers, web_person, send(servers, [web_person], name)))
    _, address = offers(servers, delivered(servers, mail_person, send(servers, [mail_person], name)))
    servers.postgres.stop()
    assert post(url).status == 200
    ask_by_mail(servers, mail_person, address)
    servers.spoor.wait_log("match", r"unsubscribe=taken .* effect=later$")
    assert refused(servers, [CAROL], name).code == 451
    servers.spoor.restart("stamp", servers.spoor.write_conf(servers.spoor.conf + ".send",
                                                            sections={"stamp": {"campaign_unknown": "send"}}))
    late_url, _ = offers(servers, delivered(servers, late, send(servers, [late], name)))
    assert post(late_url).status == 200, "its mail is in the spool of spoor-stamp alone"
    servers.postgres.start()
    servers.spoor.restart("stamp")
    for person in (web_person, mail_person, late):
        proc.wait_for(lambda: answer_to(servers, [person], name) == 550, "%s gets no more" % person)
    proc.wait_for(lambda: answer_to(servers, [DAVE], name) == 250, "campaign mail goes again")
    for person in (web_person, mail_person, late):
        assert refused(servers, [person], name + " another", sender=OTHER).code == 550, "the scope is all"
    rows = servers.postgres.rows("SELECT address, owner FROM spoor.suppression WHERE lifted_at IS NULL ORDER BY 1")
    assert [(row["address"], row["owner"]) for row in rows] == [(late, None), (mail_person, None), (web_person, None)]


def answer_to(servers, to, name):
    """The MTA's code."""
    try:
        send(servers, to, name)
        return 250
    except mailer.Refused as error:
        return error.code


def test_it_can_be_switched_off(own, name):
    servers = own(stamp={"list_unsubscribe": False}, database_timeout="20s", unsubscribe_address=MAILBOX)
    mail = delivered(servers, BOB, send(servers, [BOB], name))
    assert traces.field(mail, "List-Unsubscribe") is None and traces.field(mail, "List-Unsubscribe-Post") is None
