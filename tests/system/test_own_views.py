# SPDX-License-Identifier: BSD-2-Clause
"""
The sender's own views, by the places in which a mail is read: what Spoor does in each. None is counted or in the feed,
all stand on the mail's own page with the reason; what may be a recipient's is shown as "perhaps you" and counts.
"""

import pytest

import feed_server
import mailer
import mails
import proc
import smtp_sink
import web

OFFICE, HOME, ELSEWHERE = "192.0.2.10", "192.0.2.77", "198.51.100.9"
ALICE, ANTON, BOB = "alice@example.com", "anton@example.com", "bob@example.net"
GOOGLE = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


@pytest.fixture(scope="module")
def sink():
    started = smtp_sink.Sink()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def server(sink):
    started = feed_server.FeedServer(sign_in_server="127.0.0.1:%d" % sink.port)
    started.session = {address: started.sign_in(address) for address in (ALICE, ANTON)}
    for owner, address in ((ALICE, OFFICE), (ANTON, OFFICE), (ALICE, HOME)):
        started.execute("SELECT spoor.learn_networks(array['%s'], array['%s'::inet], array[now()])" % (owner, address))
    yield started
    statuses = started.stop()
    started.remove()
    assert all(status == 0 for status in statuses.values())


def device_of(server, who):
    return {"spoor-device": server.session[who]["spoor-device"]}


def outcome(server, mail):
    """Verdict and reason of the mail's one event, once hindsight has looked at it."""
    server.postgres.wait_rows("SELECT record FROM spoor.event WHERE message = %d" % mail.id)
    server.postgres.wait_rows("SELECT batch FROM spoor.hindsight WHERE batch >= (SELECT max(n) FROM spoor.event e"
                              " CROSS JOIN spoor.batch_of(e.spool, e.record) n WHERE e.message = %d)" % mail.id)
    row, = server.postgres.rows("SELECT verdict, reason FROM spoor.event_report WHERE message = %d" % mail.id)
    return row["verdict"], row["reason"]


def is_shown(server, mail):
    return ("feed/mail/%d" % mail.id) in server.get("/feed", server.session[ALICE]).body.decode()


# where the mail is read, who asks: to whom it went, for whom the picture is, address, cookie, program; what becomes of it
CASES = {
    "webmail of the same site, in a browser that signed in": ((BOB,), BOB, ELSEWHERE, ALICE, web.BROWSER, "self", "own_device"),
    "other webmail, where the browser sends the cookie": ((BOB,), BOB, ELSEWHERE, ALICE, web.BROWSER, "self", "own_device"),
    "other webmail, where it does not": ((BOB,), BOB, ELSEWHERE, None, web.BROWSER, None, None),
    "a browser that another sender signed in with": ((BOB,), BOB, ELSEWHERE, ANTON, web.BROWSER, None, None),
    "Gmail's image proxy, the sender's own copy": ((BOB, ALICE), ALICE, ELSEWHERE, None, GOOGLE, "self", "own_copy"),
    "Gmail's image proxy, the recipient": ((BOB, ALICE), BOB, ELSEWHERE, None, GOOGLE, "proxy", None),
    "a mail program at home, from where the sender alone submits": ((BOB,), BOB, HOME, None, web.BROWSER, "self", "own_network"),
    "a mail program in the office that several submit from": ((BOB,), BOB, OFFICE, None, web.BROWSER, "unknown", "perhaps_own"),
    "one body for all, the sender among them": ((BOB, ALICE), "", ELSEWHERE, None, web.BROWSER, "unknown", "perhaps_own"),
    "one body for all, without the sender": ((BOB, "carol@example.org"), "", ELSEWHERE, None, web.BROWSER, None, None),
}


@pytest.mark.parametrize("place", CASES)
def test_where_a_mail_is_read(server, place):
    to, who, address, cookie, agent, verdict, reason = CASES[place]
    mail = server.mail(ALICE, to=to, subject=place)
    mail.view(who, address, agent, device_of(server, cookie) if cookie else None)
    found = outcome(server, mail)
    if verdict:
        assert found[0] == verdict and (reason is None or found[1] == reason)
    assert found[0] in (verdict, "unknown", "human", "proxy")
    assert is_shown(server, mail) == (verdict != "self")
    page = server.get("/feed/mail/%d" % mail.id, server.session[ALICE]).body.decode()
    if verdict == "self":
        assert "you, " in page and server.postgres.value("SELECT views FROM spoor.message_report WHERE message = %d" % mail.id) == "0"
    elif reason == "perhaps_own":
        assert "perhaps you" in page and server.postgres.value("SELECT views FROM spoor.message_report WHERE message = %d" % mail.id) == "1"


def test_a_click_in_the_browser_that_signed_in(server):
    mail = server.mail(ALICE)
    mail.click(cookies=device_of(server, ALICE))
    assert outcome(server, mail) == ("self", "own_device")


def test_a_device_that_was_removed_is_nobodys(server):
    cookies = server.sign_in(ALICE)
    server.execute("SELECT spoor.revoke_device('%s')" % cookies["spoor-device"])
    mail = server.mail(ALICE)
    mail.view(cookies={"spoor-device": cookies["spoor-device"]})
    assert outcome(server, mail)[0] != "self"


def test_a_network_is_forgotten(server):
    server.execute("SELECT spoor.learn_networks(array['%s'], array['192.0.2.200'::inet], array[now() - interval '6 days'])" % ALICE)
    server.execute("UPDATE spoor.sender_network SET expires_at = now() - interval '1 s' WHERE network = '192.0.2.200'")
    mail = server.mail(ALICE)
    mail.view(address="192.0.2.200")
    assert outcome(server, mail)[0] != "self"


def test_a_submission_under_a_login_teaches_the_network(servers, mark):
    """From Postfix to the database: the login's network, and none of who had no login or came through this host."""
    def submit(who, **more):
        content = mails.html_quoted_printable(who, [BOB], mark + who)
        mailer.send(servers.sending.port, who, [BOB], content, **more)
        servers.postgres.wait_rows("SELECT id FROM spoor.message WHERE owner = '%s'" % who)

    submit("teacher@example.com", login="teacher@example.com", client_address="192.168.7.9")
    submit("local@example.com", login="local@example.com")
    submit("nobody@example.com")
    rows = servers.postgres.rows("SELECT owner, network, expires_at - learned_at AS lasts FROM spoor.sender_network")
    assert [tuple(row.values()) for row in rows if row["owner"].startswith(("teacher", "local", "nobody"))] == [
        ("teacher@example.com", "192.168.7.9", "7 days")]


def ask_for_link(server, address, client="203.0.113.50", cookies=None):
    answer = server.get("/feed/sign-in", cookies, "POST", "address=" + address, Origin=server.spoor.tracking_url, X_Forwarded_For=client)
    assert answer.status == 200
    return answer.body


def test_a_link_by_mail_for_who_has_sent_mail(server, sink):
    same = ask_for_link(server, "nobody@example.com")
    assert ask_for_link(server, ANTON.replace("@", "%40").upper()) == same
    assert ask_for_link(server, "stranger@example.net") == same and ask_for_link(server, "no address") == same
    server.spoor.wait_log("pixeld", "sign_in=mailed to=<%s>" % ANTON)
    (recipients, content), = sink.mails
    assert recipients == [ANTON] and sink.said("MAIL")[-1] == "MAIL FROM:<>"
    assert b"Auto-Submitted: auto-generated" in content and b"X-Spoor-Track: no" in content
    link = content.decode().split(server.spoor.tracking_url)[1].split()[0]
    assert server.get(link).status == 200
    assert server.get(link, None, "POST", Origin=server.spoor.tracking_url).status == 303
    assert server.get(link, None, "POST", Origin=server.spoor.tracking_url).status == 403
    file = server.folder + "/link.eml"
    with open(file, "wb") as out:
        out.write(content)
    explained = server.spoor.ctl("stamp", "--from", "<>", "--rcpt", ANTON, "--explain", file).stdout.decode()
    assert explained.startswith("decision: untouched"), explained


def test_nobody_is_flooded_with_links(server, sink):
    server.execute("INSERT INTO spoor.sender (address) VALUES ('often@example.com')")
    before, since = len(sink.mails), len(server.spoor.log_text("pixeld"))
    for number in range(5):
        ask_for_link(server, "often@example.com", "203.0.113.%d" % (100 + number))
    ask_for_link(server, ALICE, "203.0.113.99")
    server.spoor.wait_log("pixeld", "sign_in=mailed to=<%s>" % ALICE, since=since)
    assert [to for to, _ in sink.mails[before:]].count(["often@example.com"]) == 3


def test_strangers_do_not_use_up_an_owners_links(server, sink):
    """Some are mailed to whoever asks from anywhere; a browser that was signed in, and the sender's own network, have their own."""
    who = "locked@example.com"
    device = {"spoor-device": server.sign_in(who)["spoor-device"]}
    server.execute("SELECT spoor.learn_networks(array['%s'], array['192.0.2.150'::inet], array[now()])" % who)
    before = len(sink.mails)

    def ask(times, client, cookies=None):
        for _ in range(times):
            ask_for_link(server, who, client, cookies)

    def wait_mailed(count, what):
        proc.wait_for(lambda: [to for to, _ in sink.mails[before:]].count([who]) >= count, what)
        ask_for_link(server, ALICE, "203.0.%d.99" % (150 + count))  # whatever was to be mailed before is
        proc.wait_for(lambda: [to for to, _ in sink.mails[before:]].count([ALICE]) > wait_mailed.more, "a link for another")
        wait_mailed.more += 1
        assert [to for to, _ in sink.mails[before:]].count([who]) == count, what

    wait_mailed.more = 0
    server.execute("INSERT INTO spoor.sign_in_request (address, network) SELECT n || '@example.com', '192.0.2.0/24'"
                   " FROM generate_series(1, 17) n")
    ask(4, "192.0.2.77")  # a neighbour
    for number in range(4):
        ask(4, "198.51.%d.%d" % (100 + number, number))
    wait_mailed(6, "strangers get six an hour, three from a network")
    ask(4, "198.51.200.1", device)
    wait_mailed(9, "a browser that was signed in gets three more")
    ask(4, "192.0.2.150")
    wait_mailed(12, "and so does the sender's network")
    ask(4, "198.51.210.1", {"spoor-device": server.session[ANTON]["spoor-device"]})
    wait_mailed(12, "the browser of somebody else is a stranger's")
