# SPDX-License-Identifier: BSD-2-Clause
"""The servers and the judge of edits are right by themselves: without Spoor a mail arrives as it was sent."""

import re
import urllib.parse

import pytest

import mailer
import mails
import memcached
import postfix
import postgres
import proc
import servers
import traces

TRACKING = "http://127.0.0.1:8080"
KINDS = [mails.html_quoted_printable, mails.html_base64, mails.html_8bit, mails.html_7bit,
         mails.alternative_with_picture, mails.plain, mails.pgp_signed]


@pytest.fixture(scope="module")
def post():
    """Two mail servers without a milter."""
    everything = servers.Servers()
    everything.receiving = postfix.receiving(everything.folder, everything.log_folder, None, everything.mail.folder,
                                             servers.DOMAINS, servers.PEOPLE)
    everything.sending = postfix.sending(everything.folder, everything.log_folder, None, everything.receiving.port)
    everything.mail_servers = [everything.receiving, everything.sending]
    try:
        for server in everything.mail_servers:
            server.start()
        yield everything
    finally:
        everything.stop()
        everything.remove()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_mail_arrives_as_it_was_sent(post, mark, kind):
    sent = kind("alice@example.com", ["bob@example.net"], mark)
    post.submit("alice@example.com", ["bob@example.net"], sent)
    delivered = post.mail.wait("bob@example.net", mark.encode(), log=post.receiving.log)
    assert traces.split(delivered)[1] == traces.split(sent)[1]
    assert traces.whole_difference(sent, delivered, TRACKING) is None


def test_a_port_is_given_once():
    """Postfix shares a port that another Postfix has, and each then gets some of the mail of both."""
    ports = [proc.free_port() for _ in range(200)]
    assert len(set(ports)) == len(ports)


def test_every_recipient_gets_a_copy(post, mark):
    people = ["to@example.net", "carol@example.org"]
    post.submit("alice@example.com", people, mails.plain("alice@example.com", people[:1], mark, cc=people[1:]))
    for person in people:
        assert traces.field(post.mail.wait(person, mark.encode()), "Delivered-To") == person
    post.sending.wait_empty()


def test_a_hang_up_in_the_body_delivers_nothing(post, mark):
    sent = mails.plain("alice@example.com", ["gone@example.net"], mark)
    before = post.sending.text().count("lost connection after DATA")
    mailer.hang_up_in_body(post.sending.port, "alice@example.com", "gone@example.net", sent[:len(sent) // 2])
    proc.wait_for(lambda: post.sending.text().count("lost connection after DATA") > before, "Postfix saw the hang-up",
                  log=post.sending.log)
    assert post.mail.mails("gone@example.net") == []


def test_postgres_answers_and_comes_back(tmp_path):
    everything = servers.Servers()
    try:
        database = postgres.Postgres(everything.folder, everything.log_folder)
        database.start()
        database.create_database()
        database.execute("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, NULL), (2, 'two, \"2\"')")
        database.stop()
        database.start()
        assert database.rows("SELECT * FROM t ORDER BY a") == [{"a": "1", "b": None}, {"a": "2", "b": 'two, "2"'}]
        with pytest.raises(proc.Failure):
            database.execute("SELECT * FROM absent")
        database.stop()
    finally:
        everything.remove()


def test_memcached_starts_and_stops(tmp_path):
    cache = memcached.Memcached(str(tmp_path))
    cache.start()
    assert proc.accepts(cache.port)
    cache.stop()
    assert not proc.accepts(cache.port)


def wrapped(match):
    """A link as spoor-stamp would write it."""
    url = match.group(1).replace("&amp;", "&")
    return 'href="%s/c/abcdefghijklmnop/%s"' % (TRACKING, urllib.parse.quote(url, safe=":._~-"))


def edited(html):
    html = re.sub(r'href="(https://www[^"]*)"', wrapped, html)
    return html.replace("</body>", '<img src="%s/o/abcdef.gif" width="1" height="1" alt=""></body>' % TRACKING)


@pytest.mark.parametrize("kind", KINDS[:5], ids=lambda kind: kind.__name__)
def test_the_judge_takes_edits_out(mark, kind):
    people = ("alice@example.com", ["bob@example.net"])
    sent = kind(*people, mark)
    delivered = kind(*people, mark, html=edited(mails.HTML))
    assert traces.whole_difference(sent, delivered, TRACKING) is None
    assert len(traces.pixels(delivered, TRACKING)) == 1
    assert [traces.destination(url) for url in traces.clicks(delivered, TRACKING)][0] == mails.LINKS[0]


@pytest.mark.parametrize("kind", KINDS[:5], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("damage", ["dear reader", "<p>Our"], ids=["text", "line of an edit"])
def test_the_judge_sees_damage(mark, kind, damage):
    people = ("alice@example.com", ["bob@example.net"])
    html = edited(mails.HTML).replace("Our spring", "<p>Our spring").replace(damage, "X" * len(damage))
    assert traces.whole_difference(kind(*people, mark), kind(*people, mark, html=html), TRACKING)


def test_the_judge_sees_a_changed_header(mark):
    sent = mails.plain("alice@example.com", ["bob@example.net"], mark)
    assert traces.whole_difference(sent, sent.replace(b"Spring news", b"Spring news!"), TRACKING)
    assert traces.whole_difference(sent, sent.replace(b"MIME-Version", b"X-Added: 1\r\nMIME-Version"), TRACKING)
