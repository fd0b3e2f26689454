# SPDX-License-Identifier: BSD-2-Clause
"""Who is forgotten is in no table, cache, spool or log line from then on, while everything runs, and after a restore."""

import email
import email.policy
import glob
import re
import socket
import urllib.parse

import pytest

import mailer
import mails
import proc
import traces
import web
from postgres import quote

SENDER, BOB, CAROL = "alice@example.com", "bob@example.net", "carol@example.org"


class Forgetting:
    def __init__(self, servers):
        self.servers, self.database, self.spoor = servers, servers.postgres, servers.spoor

    def forget(self, address):
        self.database.execute("SELECT spoor.forget(%s)" % quote(address), role="spoor_admin")

    def everywhere(self, address):
        """Where the address stands: tables, and files of the spools."""
        found = [row["place"] for row in self.database.rows("SELECT place FROM spoor.traces(%s)" % quote(address))]
        for path in glob.glob(self.spoor.spool + "/*/*"):
            try:
                with open(path, "rb") as file:
                    if address.encode() in file.read():
                        found.append(path)
            except FileNotFoundError:
                pass  # a segment in the making
        return found

    def wait_erased(self):
        proc.wait_for(lambda: self.database.rows("TABLE spoor.erasure") == [], "every spool has forgotten")

    def logs(self):
        return {name: len(self.spoor.log_text(name)) for name in self.spoor.servers}

    def send(self, mark, recipients, **more):
        content = mails.html_quoted_printable(SENDER, recipients, mark, **more)
        line = self.spoor.mail_line(self.servers.submit(SENDER, recipients, content))
        return line, self.servers.mail.wait(recipients[0], mark.encode(), log=self.servers.receiving.log)

    def recorded(self, mark, count=1):
        return self.database.wait_rows("SELECT id FROM spoor.message WHERE subject LIKE '%%%s%%'" % mark, count)


@pytest.fixture(scope="module")
def forgetting(module_own):
    servers = module_own(database_timeout="20s", memcached_timeout="10s",
                         stamp={"bounce_address": "bounces+{token}@example.com", "consent_footer": True})
    return Forgetting(servers)


def test_a_person_goes_from_everywhere_and_does_not_come_back(forgetting, mark):
    spoor, database = forgetting.spoor, forgetting.database
    forgetting.send(mark + "alone", [BOB])
    mail = forgetting.send(mark + "both", [CAROL, BOB], more=["X-Spoor-Campaign: spring " + mark])[1]
    forgetting.recorded(mark, 2)
    forgetting.servers.answer(BOB, [SENDER], mails.answer(BOB, SENDER, mark, traces.ids(mail, "Message-ID")[0]))
    database.wait_rows("SELECT 1 FROM spoor.answer WHERE from_address = %s" % quote(BOB))
    database.execute("SELECT spoor.set_consent(%s, 'individual'); SELECT spoor.suppress(%s)" % (quote(BOB), quote(BOB)),
                     role="spoor_admin")
    places = forgetting.everywhere(BOB)
    assert {"recipient.address", "answer.from_address", "consent.address", "suppression.address"} <= set(places)
    assert any("/stamp/" in place for place in places) and any("/match/" in place for place in places)
    before = forgetting.logs()
    forgetting.forget(BOB)
    forgetting.wait_erased()
    assert forgetting.everywhere(BOB) == []
    assert len(forgetting.recorded(mark)) == 1, "the mail that was theirs alone is gone"

    # mail to them and from them goes on, and leaves nothing
    line, mail = forgetting.send(mark + "later", [BOB, CAROL])
    assert line["reason"] == "policy_off" and line["whom"] == "<[forgotten]>"
    assert traces.pixels(mail, spoor.tracking_url) == []
    first = traces.ids(forgetting.servers.mail.wait(CAROL, (mark + "both").encode()), "Message-ID")[0]
    forgetting.servers.answer(BOB, [SENDER], mails.answer(BOB, SENDER, mark + "again", first))
    forgetting.servers.mail.wait(SENDER, (mark + "again").encode())
    with pytest.raises(mailer.Refused):
        forgetting.send(mark + "campaign", [BOB], more=["X-Spoor-Campaign: summer"])
    forgetting.send(mark + "last", [CAROL])
    forgetting.recorded(mark + "last")
    assert forgetting.everywhere(BOB) == []
    for name, start in before.items():
        assert BOB not in spoor.log_text(name)[start:], name
    assert "[forgotten]" in spoor.log_text("stamp")[before["stamp"]:]


def memcached(forgetting, command):
    with socket.create_connection(("127.0.0.1", forgetting.servers.memcached.port), 10) as server:
        server.sendall(command + b"\r\nquit\r\n")
        return b"".join(iter(lambda: server.recv(4096), b""))


def cached(forgetting):
    """What lies in memcached, by name."""
    said = b""
    with socket.create_connection(("127.0.0.1", forgetting.servers.memcached.port), 10) as server:
        server.sendall(b"lru_crawler metadump all\r\n")
        while not said.endswith(b"END\r\n"):  # the crawler keeps the connection, and hears nothing
            more = server.recv(4096)
            assert more, said
            said += more
    names = [urllib.parse.unquote_to_bytes(name) for name in re.findall(rb"^key=(\S+) ", said, re.M)]
    return {name: memcached(forgetting, b"get " + name) for name in names}


def test_nothing_in_memcached_names_a_person(forgetting, mark):
    """A sender's own Message-ID, who gets returned mail, an answer and a view: not the keys, nor the values."""
    spoor, who = forgetting.spoor, mark + "@example.net"
    own_id = "%s.alice@mua.example.com" % mark
    content = mails.html_quoted_printable(SENDER, [who], mark, more=["User-Agent: Mozilla Thunderbird"])
    content = re.sub(rb"(?mi)^Message-ID:.*\r?\n", b"", content)
    line = spoor.mail_line(forgetting.servers.submit(SENDER, [who], b"Message-ID: <%s>\r\n" % own_id.encode() + content))
    mail = forgetting.servers.mail.wait(who, mark.encode(), log=forgetting.servers.receiving.log)
    assert traces.ids(mail, "Message-ID") == [own_id]
    forgetting.recorded(mark)
    web.get(traces.pixels(mail, spoor.tracking_url)[0])
    forgetting.servers.answer(who, [SENDER], mails.answer(who, [SENDER], mark + "answer", "<%s>" % own_id))
    forgetting.database.wait_rows("SELECT 1 FROM spoor.answer WHERE message = " + line["message"])
    held = cached(forgetting)
    spaces = {name.split(b":")[1] for name in held}
    assert {b"message_id", b"envelope_sender"} <= spaces
    everything = b"\n".join(list(held) + list(held.values()))
    for word in (who, mark, own_id, SENDER, "alice", "example", BOB, CAROL, line["message"]):
        assert word.encode() not in everything, word


@pytest.mark.parametrize("call", [
    "forget('cached@example.net')", "resume_campaign('spring', 'cached@example.net')", "revoke_document(4711)"])
def test_what_was_cached_is_not_found_any_more(forgetting, call):
    """Each program begins a new epoch, and the memcached of others keeps what it has."""
    def known(program):
        with open("%s/%s/forgotten" % (forgetting.spoor.spool, program)) as file:
            return re.search("^epoch\t([0-9]+)$", file.read(), re.M).group(1)

    memcached(forgetting, b"set others 0 0 1\r\nx")
    before = forgetting.database.value("SELECT number FROM spoor.cache_epoch")
    proc.wait_for(lambda: {known(name) for name in ("stamp", "match", "pixeld")} == {before}, "all are in one epoch")
    forgetting.database.execute("SELECT spoor." + call, role="spoor_admin")
    now = forgetting.database.value("SELECT number FROM spoor.cache_epoch")
    assert now != before
    proc.wait_for(lambda: {known(name) for name in ("stamp", "match", "pixeld")} == {now}, "all are in the next one")
    assert b"VALUE others" in memcached(forgetting, b"get others")
    assert b"STAT cmd_flush 0\r\n" in memcached(forgetting, b"stats")
    for name in ("stamp", "match", "pixeld"):
        assert "is lost" not in forgetting.spoor.log_text(name), "an end of a segment held no records"


def test_who_waits_in_a_spool_is_not_loaded(forgetting, mark, tmp_path):
    """The mail is in the spool before, and comes to the database after somebody is forgotten."""
    spoor, database = forgetting.spoor, forgetting.database
    tmp_path.chmod(0o755)
    away = spoor.write_conf(str(tmp_path / "away.conf"), database="host=%s dbname=spoor" % tmp_path)
    who = "waiting@example.net"
    spoor.restart("stamp", away)
    line, _ = forgetting.send(mark, [CAROL, who])
    assert any("/stamp/" in place for place in forgetting.everywhere(who))
    forgetting.forget(who)
    assert [row["program"] for row in database.rows("SELECT program FROM spoor.erasure WHERE program = 'spoor-stamp'")]
    spoor.restart("stamp")
    rows = database.wait_rows("SELECT address FROM spoor.recipient WHERE message = " + line["message"])
    assert [row["address"] for row in rows] == [CAROL]
    forgetting.wait_erased()
    assert forgetting.everywhere(who) == []


def test_a_restored_database_forgets_again(forgetting, mark):
    spoor, database = forgetting.spoor, forgetting.database
    who = "restored@example.net"
    forgetting.send(mark, [CAROL, who])
    forgetting.recorded(mark)
    # what a backup from before would bring back
    kept = [dict(row) for row in database.rows("SELECT message, address, key FROM spoor.recipient WHERE address = %s" % quote(who))]
    forgetting.forget(who)
    forgetting.wait_erased()
    database.execute("DELETE FROM spoor.forgotten WHERE digest = spoor.forget_digest(%s)" % quote(who))
    for row in kept:
        database.execute("INSERT INTO spoor.recipient (message, address, key) VALUES (%s, %s, %s)"
                         % (row["message"], quote(row["address"]), row["key"]))
    spoor.restart("match")
    proc.wait_for(lambda: database.value("SELECT spoor.is_forgotten(%s)" % quote(who)) == "t", "the loader has told who is forgotten")
    said = spoor.ctl("schema", "upgrade", env={"PGUSER": "postgres"}).stdout.decode()
    assert re.search("1 who are forgotten were there again", said)
    assert forgetting.everywhere(who) == []


def test_who_was_remembered_when_the_backup_was_made_is_forgotten_again(forgetting, mark):
    spoor, database = forgetting.spoor, forgetting.database
    who = "twice@example.net"
    forgetting.forget(who)
    forgetting.wait_erased()
    database.execute("DELETE FROM spoor.forgotten WHERE digest = spoor.forget_digest(%s);"
                     " INSERT INTO spoor.forgotten (number, digest, remembered_at) OVERRIDING SYSTEM VALUE"
                     " VALUES (0, spoor.forget_digest(%s), now())" % (quote(who), quote(who)))
    spoor.restart("match")
    proc.wait_for(lambda: database.value("SELECT spoor.is_forgotten(%s)" % quote(who)) == "t", "the loader has told who is forgotten")


def test_who_is_remembered_is_tracked_again(forgetting, mark):
    who = "back@example.net"
    forgetting.forget(who)
    forgetting.wait_erased()
    assert forgetting.send(mark, [CAROL, who])[0]["reason"] == "policy_off"
    assert forgetting.database.value("SELECT spoor.remember(%s)" % quote(who), role="spoor_admin") == "t"
    def is_tracked():
        line = forgetting.send(mark + "again", [CAROL, who])[0]
        return "message" in line
    proc.wait_for(is_tracked, "mail to who is remembered is tracked")
    assert forgetting.database.value("SELECT spoor.remember(%s)" % quote(who), role="spoor_admin") == "f"


def test_a_recipient_stops_tracking(forgetting, mark):
    """GET shows a page, POST acts: what was viewed is deleted, what is viewed later is not taken, later mail is clean."""
    spoor, database = forgetting.spoor, forgetting.database
    who = "dave@example.net"
    mail = forgetting.send(mark, [who])[1]
    html = traces.html_parts(mail)[0].decode()
    links = re.findall('<a href="(%s/s/[a-z2-7]{52})">\\s*[^<]*Stop that.</a>' % re.escape(spoor.tracking_url), html)
    assert len(links) == 1
    pixel = traces.pixels(mail, spoor.tracking_url)[0]
    message = forgetting.recorded(mark)[0]["id"]
    events = "SELECT 1 FROM spoor.event WHERE kind IN ('v', 'c') AND message = " + message
    web.get(pixel)
    database.wait_rows(events)
    page = web.get(links[0])
    assert page.status == 200 and b"Stop tracking" in page.body and database.rows("TABLE spoor.consent") == []
    assert web.get(links[0].replace("/s/", "/u/")).status == 404
    done = web.get(links[0], method="POST", body="")
    assert done.status == 200 and b"Tracking is stopped" in done.body and b"but not who" in done.body
    rows = database.wait_rows("SELECT address, level, way, message FROM spoor.consent")
    assert rows == [{"address": who, "level": "off", "way": "page", "message": message}]
    proc.wait_for(lambda: database.rows(events) == [], "what was viewed is deleted")
    web.get(pixel)
    assert web.get(links[0], method="POST", body="").status == 200
    database.wait_rows("TABLE spoor.consent", 2)
    assert database.rows(events) == []
    assert database.rows("SELECT 1 FROM spoor.suppression WHERE address = %s" % quote(who)) == [], "mail may come"
    def is_clean():
        line, later = forgetting.send(mark + "later", [who])
        return line.get("whom") == "<%s>" % who and traces.pixels(later, spoor.tracking_url) == []
    proc.wait_for(is_clean, "mail to who has stopped tracking is not tracked")


def test_page_and_text_lead_to_the_same_page(forgetting, mark):
    """Who reads the text sees it too; a text alone tells its sender nothing and says nothing."""
    servers = forgetting.servers

    def send(content, mark):
        servers.submit(SENDER, [CAROL], content)
        return email.message_from_bytes(servers.mail.wait(CAROL, mark.encode(), log=servers.receiving.log), policy=email.policy.default)

    mail = send(mails.alternative_with_picture(SENDER, [CAROL], mark), mark)
    link = re.escape(forgetting.spoor.tracking_url) + "/s/[a-z2-7]{52}"
    text, page = (mail.get_body((kind,)).get_content().replace("\r\n", "\n") for kind in ("plain", "html"))
    found = re.search("\n\nThis mail tells its sender when it is read. Stop that.\n(%s)\n*$" % link, text)
    assert found and re.findall('<a href="(%s)">' % link, page) == [found.group(1)]
    mail = send(mails.plain(SENDER, [CAROL], mark + "p"), mark + "p")
    assert "/s/" not in mail.as_string() and mail["References"]


def test_a_footer_is_for_a_single_recipient(forgetting, mark):
    mail = forgetting.send(mark, [CAROL, SENDER])[1]
    assert traces.pixels(mail, forgetting.spoor.tracking_url) and b"/s/" not in mail


def test_what_is_no_person_is_not_forgotten(forgetting):
    for what in ("example.net", "*", "somebody"):
        with pytest.raises(proc.Failure) as refused:
            forgetting.forget(what)
        assert "no address" in str(refused.value)
