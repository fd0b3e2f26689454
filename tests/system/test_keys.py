# SPDX-License-Identifier: BSD-2-Clause
"""The life of a key, by spoorctl and with all daemons at work: added, promoted, retired, revoked."""

import os
import re
import signal
import stat
import urllib.parse

import pytest

import load as load_of
import mails
import proc
import tokens
import traces
import web

SENDER, READER = "alice@example.com", "bob@example.net"
DAEMONS = ("stamp", "match", "pixeld")
ADMIN = {"PGUSER": "spoor_admin"}


class Site:
    """All daemons, and what an administrator does about keys. Keys 1 and 2 are made by the first test."""

    def __init__(self, servers):
        self.servers = servers
        self.spoor = servers.spoor
        self.database = servers.postgres

    def key(self, *words, fails=None):
        """What spoorctl key says; with FAILS it must fail and say that."""
        done = self.spoor.ctl("key", *words, env=ADMIN, check=False)
        said = (done.stdout + done.stderr).decode()
        if fails is None:
            assert done.returncode == 0, said
        else:
            assert done.returncode == 1 and re.search(fails, done.stderr.decode(), re.M), said
            assert not done.stdout, "nothing is said to be done"
        return said

    def list(self):
        """As a dict a key."""
        return {line["key"]: line for line in (dict(word.split("=", 1) for word in row.split())
                                               for row in self.key("list").splitlines())}

    def hangup(self, *names):
        before = {name: len(self.spoor.log_text(name)) for name in names}
        for name in names:
            self.spoor.servers[name].signal(signal.SIGHUP)
        for name in names:
            self.spoor.wait_log(name, "keys loaded again: ", since=before[name])

    def holders(self, key, word="held_by"):
        """The programs, without their numbers and hosts, in the order of the list."""
        return [re.sub(r"^\d+:|@[^/]*", "", each) for each in self.list()[str(key)].get(word, "").split(",") if each]

    def wait_holders(self, key, programs):
        proc.wait_for(lambda: self.holders(key) == programs, "key %s is held by %r; list: %r" % (key, programs, self.list()))

    def send(self):
        mark = mails.new_mark()
        queue_id = self.servers.submit(SENDER, [READER], mails.html_8bit(SENDER, [READER], mark))
        delivered = self.servers.mail.wait(READER, mark.encode(), log=self.servers.receiving.log)
        return int(self.spoor.mail_line(queue_id)["message"]), delivered

    def click(self, mail, number=0):
        return traces.clicks(mail, self.spoor.tracking_url)[number]

    def answer(self, mail, only_signed=False):
        """The lines of spoor-match about an answer to that mail; ONLY_SIGNED: it names no id of the sender's program."""
        mark = mails.new_mark()
        own = traces.field(mail, "Message-ID")
        named = ["<%s>" % each for each in traces.ids(mail, "References") if not only_signed or re.match(r"[a-z2-7]{52}@", each)]
        queue_id = self.servers.answer(READER, [SENDER], mails.answer(READER, [SENDER], mark, own, named + [own]))
        self.servers.mail.wait(SENDER, mark.encode(), log=self.servers.receiving.log)
        line = r"\b%s: (.*)$" % re.escape(queue_id)
        self.spoor.wait_log("match", line)
        return "\n".join(re.findall(line, self.spoor.log_text("match"), re.M))

    def secret(self, number):
        with open(self.spoor.key_file) as keys:
            return bytes.fromhex(re.search(r"^key %d ([0-9a-f]{64})" % number, keys.read(), re.M).group(1))

    def events(self, message):
        return int(self.database.value("select count(*) from spoor.event where message = %d" % message))


ALL = ["spoor-match", "spoor-pixeld", "spoor-stamp"]


@pytest.fixture(scope="module")
def site(module_own):
    """Patient with the database: on a busy machine it must not seem to be away."""
    return Site(module_own(database_timeout="20s", memcached_timeout="10s"))


@pytest.fixture(scope="module")
def rotated(site):
    """Key 2 signs, key 1 verifies; the mails are from before and after, and what rotating under load came to."""
    site.before = [site.send() for _ in range(2)]
    clients = load_of.Load(site.servers, load_of.new_numbers(), "rotation", [site.spoor.port], browsers=2).start()
    clients.wait(hits=200, mails=5, answers=5)
    status = os.stat(site.spoor.key_file)
    site.added = site.key("add")
    site.refused = [site.key("promote", "2", fails="key 2 cannot sign yet")]
    site.hangup("match", "pixeld")
    site.wait_holders(2, ["spoor-match", "spoor-pixeld"])
    site.refused.append(site.key("promote", "2", fails="key 2 cannot sign yet"))
    site.hangup("stamp")
    site.wait_holders(2, ALL)
    site.promoted = site.key("promote", "2")
    site.signs_still = site.key("revoke", "1", fails="key 1 cannot be revoked yet")
    clients.wait(hits=100, mails=3, answers=3)
    site.hangup(*DAEMONS)
    clients.wait(hits=100, mails=3)
    clients.hold()
    clients.key, clients.secret = tokens.first_key(site.spoor.key_file)
    clients.go_on()
    clients.wait(hits=100, mails=5, answers=5)
    clients.stop()
    site.clients = clients
    site.after = site.send()
    now = os.stat(site.spoor.key_file)
    assert (stat.S_IMODE(now.st_mode), now.st_uid, now.st_gid) == (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    return site


def test_the_first_key_signs_and_all_have_it(site):
    first = site.list()["1"]
    assert first["state"] == "signs" and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["since"])
    site.wait_holders(1, ALL)
    assert "lacked_by" not in site.list()["1"]


def test_a_new_key_signs_only_once_all_have_it(rotated):
    assert "key 2 added, it only verifies" in rotated.added
    for program in ALL:
        assert re.search(r"%s on \S+ \(spool \d+, last heard of \d{4}-\S+Z\) does not have it" % program, rotated.refused[0])
    assert "spoor-stamp on " in rotated.refused[1] and "spoor-match on " not in rotated.refused[1]
    assert "key 2 signs, key 1 verifies" in rotated.promoted
    listed = rotated.list()
    assert (listed["1"]["state"], listed["2"]["state"]) == ("verifies", "signs")
    rotated.wait_holders(2, ALL)  # all have loaded that it signs, or there would be a word behind their names


def test_a_key_is_not_revoked_while_a_program_signs_with_it(rotated):
    """Its file says that another signs, but it was not loaded: links of the mails in between would be dead for ever."""
    for program in ALL:
        assert re.search(r"%s on \S+ \(spool \d+, last heard of \d{4}-\S+Z\) signs with it still" % program, rotated.signs_still)
    assert "--force" in rotated.signs_still and rotated.list()["1"]["state"] == "verifies"


def test_nothing_is_lost_while_keys_change(rotated):
    clients = rotated.clients
    assert [number for number, request in clients.requests.items() if request.acknowledged_at is None] == []
    count = {kind: len([1 for request in clients.requests.values() if request.kind == kind]) for kind in clients.counts}
    assert count == clients.counts and min(count.values()) >= 13
    span = "message between %d and %d" % (min(clients.requests), max(clients.requests))
    events = "select count(distinct message) from spoor.event e join spoor.agent a on a.id = e.agent where a.name = 'rotation'"
    proc.wait_for(lambda: rotated.database.value(events) == str(count["hits"]), "every hit is recorded")
    answers = "select count(distinct message) from spoor.answer where " + span
    proc.wait_for(lambda: rotated.database.value(answers) == str(count["answers"]), "every answer is recorded")
    mailed = "select count(*) from spoor.message where subject like '%number-%'"
    proc.wait_for(lambda: rotated.database.value(mailed) == str(count["mails"]), "every mail is recorded")
    assert rotated.database.value("select count(*) from spoor.unjudged_hit") == "0"


def test_links_of_both_keys_are_good(rotated):
    (_, old), (_, new) = rotated.before[0], rotated.after
    for mail, key in ((old, "1"), (new, "2")):
        url = rotated.click(mail)
        assert "\nkey: %s\n" % key in rotated.spoor.ctl("decode", url).stdout.decode()
        answer = web.get(url)
        assert (answer.status, answer.headers["location"]) == (302, traces.destination(url))


def test_what_makes_no_sense_is_refused(rotated):
    site = rotated
    with open(site.spoor.key_file) as keys:
        text = keys.read()
    site.key("promote", "2", fails="key 2 signs already")
    for what in ("retire", "revoke"):
        site.key(what, "2", fails="key 2 is the one that signs; promote another first")
        site.key(what, "9", fails="has no key 9; spoorctl key list tells")
    site.key("add", "1", fails=r"has a key 1 \(verifies\); an id is never used again")
    for words in ((), ("list", "1"), ("promote",), ("promote", "1", "2"), ("retire", "--force", "1"), ("add", "256"),
                  ("add", "x"), ("eat", "1"), ("revoke", "-1")):
        assert site.spoor.ctl("key", *words, check=False).returncode == 64
    with open(site.spoor.key_file) as keys:
        assert keys.read() == text
    assert not os.path.exists(site.spoor.key_file + ".new")


def test_a_bad_line_is_named(rotated, tmp_path):
    path = str(tmp_path / "keys")
    with open(rotated.spoor.key_file) as keys, open(path, "w") as out:
        out.write(keys.read() + "key 3 %s sings\n" % ("00" * 32))
    os.chmod(path, 0o600)
    conf = rotated.spoor.write_conf(str(tmp_path / "spoor.conf"), key_file=path)
    for words in (("list",), ("add",), ("revoke", "1")):
        done = rotated.spoor.ctl("key", *words, conf=conf, check=False)
        assert done.returncode == 1 and re.search(r"keys:\d+: behind the key stands neither", done.stderr.decode())


def test_an_id_that_was_used_is_remembered_without_its_line(rotated, tmp_path):
    """Somebody has taken a line out by hand, or made a file anew: tokens of that key are on their way all the same."""
    path = str(tmp_path / "keys")
    with open(path, "w") as out:
        out.write("address %s\nkey 1 %s\n" % ("11" * 32, "22" * 32))
    os.chmod(path, 0o600)
    conf = rotated.spoor.write_conf(str(tmp_path / "spoor.conf"), key_file=path)
    done = rotated.spoor.ctl("key", "add", "2", conf=conf, env=ADMIN, check=False)
    assert done.returncode == 1 and b"id 2 was used before, as the database knows" in done.stderr
    assert b"key 3 added" in rotated.spoor.ctl("key", "add", conf=conf, env=ADMIN).stdout
    done = rotated.spoor.ctl("key", "list", conf=conf, env=ADMIN)
    assert done.stdout.count(b"/other") == 3, "another key has the number 1 in each daemon"


def test_a_role_of_a_daemon_may_not_ask(rotated):
    done = rotated.spoor.ctl("key", "list", env={"PGUSER": "spoor_pixeld"}, check=False)
    assert done.returncode == 1 and b"permission denied" in done.stderr


@pytest.fixture(scope="module")
def away(rotated):
    """Key 3 is added and promoted while the database is away, and taken back."""
    site = rotated
    site.database.stop()
    try:
        site.added_away = site.key("add")
        site.refused_away = site.key("promote", "3", fails="cannot ask the database which programs have key 3: .*--force")
        site.listed_away = site.spoor.ctl("key", "list", env=ADMIN, check=False)
        site.forced = site.key("promote", "--force", "3")
        site.key("add", "4")
        site.revoked_away = site.key("revoke", "4")
        site.hangup(*DAEMONS)
    finally:
        site.database.start()
    return site


def test_without_the_database_only_force_promotes(away):
    assert "cannot ask the database which ids were used before" in away.added_away
    assert "cannot ask the database which programs sign with key 4 still" in away.revoked_away, "to revoke cannot wait for it"
    assert "key 4 is revoked" in away.revoked_away
    assert "WARNING" not in away.refused_away and "WARNING: the database could not be asked" in away.forced
    assert away.listed_away.returncode == 1 and b"key=3 state=verifies" in away.listed_away.stdout
    assert b"cannot ask the database" in away.listed_away.stderr


def test_what_was_loaded_meanwhile_is_told_when_the_database_is_back(away):
    away.wait_holders(3, ALL)
    message, mail = away.send()
    assert "\nkey: 3\n" in away.spoor.ctl("decode", away.click(mail)).stdout.decode()
    away.key("promote", "2")
    away.hangup(*DAEMONS)
    away.wait_holders(2, ALL)
    assert web.get(away.click(mail)).status == 302
    proc.wait_for(lambda: away.events(message) == 1, "its click is recorded")


def test_a_daemon_that_is_gone_must_be_retired(away):
    away.key("add", "20")
    away.hangup("match", "pixeld")
    assert away.spoor.stop("stamp") == 0
    away.wait_holders(20, ["spoor-match", "spoor-pixeld"])
    spool = re.search(r"spoor-stamp on \S+ \(spool (\d+),", away.key("promote", "20", fails="cannot sign yet")).group(1)
    away.spoor.ctl("node", "retire", spool, env=ADMIN)
    away.key("promote", "20")
    away.spoor.start("stamp")
    away.hangup(*DAEMONS)
    away.wait_holders(20, ALL)


@pytest.fixture(scope="module")
def revoked(away, tmp_path_factory):
    """Key 1 is revoked; `old_mail` was sent under it, `document` is the link of one that was."""
    site = away
    site.old_message, site.old_mail = site.before[1]
    proc.wait_for(lambda: site.database.value("select count(*) from spoor.link where message = %d" % site.old_message) != "0",
                  "its links are recorded")
    site.old_secret = site.secret(1)
    path = tmp_path_factory.mktemp("library") / "offer.pdf"
    path.write_bytes(b"%PDF-1.4 an offer")
    site.library = re.search(r"link=(\S+)/d/", site.spoor.ctl("content", "add", str(path), env=ADMIN).stdout.decode()).group(1)
    site.number = int(site.database.value("select max(id) from spoor.content"))
    site.document = site.library + "/d/" + tokens.sign(site.old_secret, tokens.DOCUMENT, site.number, key=1, recipient=0, index=1)
    proc.wait_for(lambda: web.get(site.document).status == 200, "the desks know that the database is back")
    site.key("retire", "1")
    site.key("retire", "1", fails="key 1 is retired already")
    site.key("promote", "1", fails="key 1 is retired and never signs again")
    site.hangup(*DAEMONS)
    assert web.get(site.click(site.old_mail)).status == 302, "a retired key verifies"
    proc.wait_for(lambda: site.events(site.old_message) == 1, "and its click is recorded")
    site.key("revoke", "1")
    site.hangup(*DAEMONS)
    return site


def test_a_click_under_a_revoked_key_leads_only_where_the_mail_did(revoked):
    links = traces.clicks(revoked.old_mail, revoked.spoor.tracking_url)
    for url in links:
        for method in ("GET", "HEAD"):
            answer = web.get(url, method)
            assert (answer.status, answer.headers["location"]) == (302, traces.destination(url))
            assert answer.headers["referrer-policy"] == "no-referrer"

    def forged(destination, message=revoked.old_message, index=1):
        signed = tokens.sign(revoked.old_secret, tokens.CLICK, message, destination.encode(), key=1, index=index, recipient=0)
        return web.get("%s/c/%s/%s" % (revoked.spoor.tracking_url, signed, urllib.parse.quote(destination, safe="")))
    first = traces.destination(links[0])
    assert forged(first).status == 302, "whoever made it, the mail says so"
    for answer in (forged("https://evil.example/"), forged(first, message=revoked.old_message + 1), forged(first + "x"),
                   forged(first, index=9999), forged(first, index=2)):
        assert answer.status == 404 and answer.headers["location"] is None
    spoiled = tokens.spoiled(web.target_of(links[0]))
    assert web.get(revoked.spoor.tracking_url + spoiled).status == 404, "a wrong MAC stays wrong"


def test_nothing_is_recorded_under_a_revoked_key(revoked):
    message, mail = revoked.send()
    pixel = web.get(traces.pixels(revoked.old_mail, revoked.spoor.tracking_url)[0])
    assert pixel.status == 200 and pixel.headers["content-type"] == "image/gif" and len(pixel.body) == 43
    web.get(revoked.click(revoked.old_mail))
    web.get(revoked.click(mail))
    proc.wait_for(lambda: revoked.events(message) == 1, "what came later is there")
    assert revoked.events(revoked.old_message) == 1, "the click from before"
    assert revoked.database.value("select count(*) from spoor.unjudged_hit") == "0", "it is not unknown either"


def test_documents_of_a_revoked_key_are_closed(revoked):
    closed = web.get(revoked.document)
    never = web.get(revoked.spoor.tracking_url + "/d/" + "a" * 52)
    assert closed.status == 404 and closed.body == never.body
    listed = revoked.spoor.ctl("content", "list", env=ADMIN).stdout.decode()
    assert web.get(re.search(r"number=%d .*link=(\S+)" % revoked.number, listed).group(1)).status == 200, "a new link"


def test_the_database_away_is_not_waited_for(revoked):
    url = revoked.click(revoked.old_mail)
    revoked.database.stop()
    try:
        answer = web.get(url)
        assert answer.status == 503 and answer.headers["retry-after"]
    finally:
        revoked.database.start()
    proc.wait_for(lambda: web.get(url).status == 302, "it leads there again")


def test_an_answer_under_a_revoked_key_is_no_evidence(revoked):
    good = revoked.answer(revoked.after[1], only_signed=True)
    assert "message=%d" % revoked.after[0] in good and "forged" not in good
    told = revoked.answer(revoked.old_mail, only_signed=True)
    assert "forged=yes" in told and "message=" not in told
    # the id that the sender's own program had given it is known to the database, which anybody may name: as ever
    told = revoked.answer(revoked.old_mail)
    assert "forged=yes" in told and "message=%d" % revoked.old_message in told and "confidence=high" not in told


def test_quoted_links_of_a_revoked_key_are_cleaned(revoked):
    """No token travels on, also not one that is worth nothing any more."""
    mark = mails.new_mark()
    page = traces.html_parts(revoked.old_mail)[0].decode()
    quoted = '<html><body><p>As I wrote</p><blockquote type="cite">%s</blockquote></body></html>\n' % page
    revoked.servers.submit(SENDER, [READER], mails.html_8bit(SENDER, [READER], mark, html=quoted))
    delivered = revoked.servers.mail.wait(READER, mark.encode())
    old, now = (set(re.findall(r"/[oc]/([a-z2-7]{52})", part)) for part in (page, traces.html_parts(delivered)[0].decode()))
    assert len(old) >= 3 and now and not old & now
    assert b"https://www.example.org/spring?colour=green&amp;size=large" in delivered, "they lead there by themselves"


def test_to_unsubscribe_works_all_the_same(revoked):
    signed = tokens.sign(revoked.old_secret, tokens.UNSUBSCRIBE, revoked.old_message, key=1,
                         recipient=int(revoked.database.value("select key from spoor.recipient where message = %d"
                                                              % revoked.old_message)) & 0xffffffff)
    url = "%s/u/%s" % (revoked.spoor.tracking_url, signed)
    assert web.get(url).status == 200
    assert b"Unsubscribed" in web.get(url, "POST", body="").body
    revoked.database.wait_rows("select 1 from spoor.unsubscribe where message = %d and way = 'web'" % revoked.old_message)


def test_a_revoked_key_is_for_ever(revoked):
    for what in ("promote", "retire", "revoke", "add"):
        revoked.key(what, "1", fails=r"key 1 (is|\(revoked\))")
    assert revoked.list()["1"]["state"] == "revoked"
    assert "\nsignature: revoked\n" in revoked.spoor.ctl("decode", revoked.click(revoked.old_mail), check=False).stdout.decode()


def test_a_hit_whose_key_comes_as_revoked_is_judged(revoked):
    """A key that is not here yet is kept raw; one that comes as revoked is known, and its hits are worth nothing."""
    message = tokens.message_of(100)
    secret = bytes(range(32))
    url = "%s/o/%s.gif" % (revoked.spoor.tracking_url, tokens.sign(secret, tokens.VIEW, message, key=77))
    assert web.get(url).status == 200
    revoked.database.wait_rows("select 1 from spoor.unjudged_hit where spoor.token_key(target) = 77")
    with open(revoked.spoor.key_file, "a") as keys:
        keys.write("key 77 %s revoked\n" % secret.hex())
    revoked.hangup("pixeld")
    proc.wait_for(lambda: revoked.database.value("select count(*) from spoor.unjudged_hit") == "0", "it is judged")
    assert revoked.database.value("select count(*) from spoor.feed where message = %d" % message) == "0"


def test_force_revokes_what_a_program_signs_with(revoked):
    revoked.key("add", "90")
    revoked.hangup(*DAEMONS)
    revoked.wait_holders(90, ALL)
    revoked.key("promote", "90")
    revoked.key("revoke", "20", fails="key 20 cannot be revoked yet")
    said = revoked.key("revoke", "--force", "20")
    assert "WARNING: what these sign" in said and "key 20 is revoked" in said
    revoked.hangup(*DAEMONS)
    message, mail = revoked.send()
    assert "\nkey: 90\n" in revoked.spoor.ctl("decode", revoked.click(mail)).stdout.decode()
