# SPDX-License-Identifier: BSD-2-Clause
"""Files that leave a mail: through real Postfix and PostgreSQL, and while PostgreSQL is slow, stops or is full."""

import base64
import email
import email.policy
import hashlib
import os
import pwd
import re
import threading

import pytest

import attachments
import mails
import postgres
import proc
import traces
from spoor import SOURCE

ALICE, BOB, CAROL, DAVE = "alice@example.com", "bob@example.net", "carol@example.org", "dave@example.net"
ERIN = "erin@example.com"
CORPUS = os.path.join(SOURCE, "tests", "corpus", "document")
TIMEOUT_S = 15  # document_timeout: time to break things in; more than a slow machine needs for 20 MB
LARGE = 20 * 1024 * 1024


@pytest.fixture(scope="module")
def site(module_own):
    """Few mails ask for it, so the configuration keeps all files."""
    servers = module_own(database_timeout="%ds" % TIMEOUT_S, stamp={"document_timeout": "%ds" % TIMEOUT_S})
    servers.sending.change({"transport_maps": "inline:{ {bulk.test = discard:} }"})
    return servers


def change(mail, *fields):
    """FIELDS before all others."""
    return b"".join(field.encode() + b"\r\n" for field in fields) + mail


def addressed(mail, mark, *more):
    """A corpus mail whose subject has the mark, that asks for its files to be taken."""
    mail = re.sub(rb"^Subject: .*$", b"Subject: " + mark.encode() + b"\r", mail, flags=re.M, count=1)
    mail = re.sub(rb"^Message-ID: <doc-", b"Message-ID: <doc-%s-" % mark.encode(), mail, flags=re.M, count=1)
    return change(mail, "X-Spoor-Attachments: track", *more)


def with_file(mark, content, name="large.pdf", text="Here it is.\r\n", to=BOB, wish="X-Spoor-Attachments: track"):
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    head = ("From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: <%s@example.com>\r\nUser-Agent: test\r\nMIME-Version: 1.0\r\n"
            "%s\r\nContent-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\nContent-Type: text/plain\r\n\r\n%s"
            "\r\n--zz\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=%s\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n" % (ALICE, to, mark, mark, wish, text, name)).encode()
    return head + encoded + b"--zz--\r\n"


class Judge:
    """What the database holds of a delivered mail's links."""

    def __init__(self, servers):
        self.servers, self.spoor = servers, servers.spoor

    def send(self, mark, mail, to=BOB, sender=ALICE):
        self.servers.submit(sender, [to], mail)
        return self.servers.mail.wait(to, mark.encode(), log=self.servers.receiving.log)

    def tokens(self, delivered):
        return [attachments.verify(token, self.spoor.key_file)
                for token in attachments.all_links(delivered, self.spoor.tracking_url)]

    def attachment(self, message, number):
        rows = self.servers.postgres.rows(
            "SELECT a.file_name, a.bytes, a.document, d.sha256, d.file_type, d.state FROM spoor.attachment a"
            " JOIN spoor.document d ON d.id = a.document WHERE a.message = %d AND a.number = %d" % (message, number))
        return rows[0] if rows else None

    def content(self, document):
        """The bytes, put together by the database."""
        row = self.servers.postgres.rows(
            "SELECT encode(string_agg(bytes, ''::bytea ORDER BY number), 'base64') AS b, count(*) AS n,"
            " max(octet_length(bytes)) AS most FROM spoor.document_chunk WHERE document = %s" % document)[0]
        assert int(row["most"]) <= 256 * 1024
        return base64.b64decode(row["b"])

    def file_of(self, delivered):
        """A mail's one file, whether it stands in it or behind its link; never neither, never both."""
        inside = [content for name, content in attachments.files(delivered)]
        linked = [self.content(self.attachment(message, number)["document"]) for message, _, number in self.tokens(delivered)]
        assert len(inside) + len(linked) == 1, "%d attached, %d linked" % (len(inside), len(linked))
        return (inside + linked)[0], bool(linked)


@pytest.fixture
def judge(site):
    return Judge(site)


def read(name):
    with open(os.path.join(CORPUS, name + ".eml"), "rb") as file:
        return file.read()


# --- clients' mails

LEAVES = {"gmail": ["Angebot für Bob.pdf"], "thunderbird": ["提案.pdf"], "outlook": ["Proposal 2026 & more.docx"],
          "apple-mail": ["proposal.pdf"], "phone-text-base64": ["Plan for the year.DOC"],
          "answer-below-the-quote": ["one.pdf"]}


@pytest.mark.parametrize("name", sorted(LEAVES))
def test_a_clients_mail_loses_its_file_and_nothing_else(site, judge, mark, name):
    sent = addressed(read(name), mark)
    delivered = judge.send(mark, sent)
    assert attachments.difference(sent, delivered, LEAVES[name], site.spoor.tracking_url) is None
    wanted = dict(attachments.files(sent))
    shown = attachments.links(delivered, site.spoor.tracking_url)
    kinds = {kind for kind, _ in shown}
    assert all(each for kind, each in shown if kind != "text/html") or kinds == {"text/html"}
    for (message, recipient, number), file_name in zip(judge.tokens(delivered), LEAVES[name]):
        row = judge.attachment(message, number)
        assert row["file_name"] == file_name
        assert judge.content(row["document"]) == wanted[file_name]
        assert row["sha256"] == "\\x" + hashlib.sha256(wanted[file_name]).hexdigest()
        assert (row["state"], row["file_type"]) == ("pending", file_name.rsplit(".")[-1].lower())
        key = site.postgres.wait_rows("SELECT key FROM spoor.recipient WHERE message = %d" % message)[0]["key"]
        assert recipient == int(key) % 2 ** 32


@pytest.mark.parametrize("name", ["signed", "forwarded-message", "invitation", "amp", "related-is-shown-in-place", "cut-off",
                                  "two-names-of-one-field"])
def test_what_nobody_attached_stays(site, judge, mark, name):
    sent = addressed(read(name), mark)
    delivered = judge.send(mark, sent)
    assert attachments.difference(sent, delivered, [], site.spoor.tracking_url) is None
    assert not judge.tokens(delivered)


@pytest.mark.parametrize("name,files", [("scanner-only-a-file", 1), ("mixed-with-only-files", 2), ("no-words", 1),
                                        ("unknown-charset", 1), ("several-and-others", 2)])
def test_every_mail_shows_its_links_as_html(site, judge, mark, name, files):
    delivered = judge.send(mark, addressed(read(name), mark))
    shown = [each for kind, each in attachments.links(delivered, site.spoor.tracking_url) if kind == "text/html" and each]
    assert [len(each) for each in shown] == [files]
    assert [number for _, _, number in judge.tokens(delivered)] == list(range(1, files + 1))
    assert not any((file or "").endswith((".pdf", ".odt")) for file, _ in attachments.files(delivered))
    parsed = email.message_from_bytes(delivered, policy=email.policy.default)
    assert not parsed.defects and not [part.defects for part in parsed.walk() if part.defects]


def test_only_what_is_asked_for_leaves(site, judge, mark):
    mail = with_file(mark, b"%PDF- wanted", wish="X-Spoor-Track: individual")
    assert judge.file_of(judge.send(mark, mail)) == (b"%PDF- wanted", False)
    site.postgres.execute("SELECT spoor.set_policy(recipient => %s, files => 'offer*.pdf')" % postgres.quote(CAROL))
    try:
        site.spoor.wait_log("stamp", r"policy: [1-9]\d* on people")
        for number, (name, to, linked) in enumerate([("offer.pdf", CAROL, True), ("note.pdf", CAROL, False), ("offer.pdf", BOB, False)]):
            one = "%s-%d-" % (mark, number)
            mail = with_file(one, b"%PDF- of policy", name=name, to=to, wish="X-Spoor-Track: individual")
            assert judge.file_of(judge.send(one, mail, to)) == (b"%PDF- of policy", linked), (name, to)
    finally:
        site.postgres.execute("SELECT spoor.drop_policy(recipient => %s)" % postgres.quote(CAROL))


# --- the same file, many times

def test_a_file_for_a_thousand_is_stored_once(site, mark):
    content = os.urandom(3 * 256 * 1024 + 17)
    people = ["r%d@bulk.test" % number for number in range(1000)]
    for number, to in enumerate((people[:998], people[998:999], people[999:])):
        site.submit(ALICE, to, with_file("%s-%d" % (mark, number), content, name="same.pdf"))
    sha = hashlib.sha256(content).hexdigest()
    rows = site.postgres.rows(
        "SELECT d.id, (SELECT count(*) FROM spoor.document_chunk c WHERE c.document = d.id) AS chunks,"
        " (SELECT sum(octet_length(c.bytes)) FROM spoor.document_chunk c WHERE c.document = d.id) AS bytes,"
        " (SELECT count(*) FROM spoor.attachment a WHERE a.document = d.id) AS mails"
        " FROM spoor.document d WHERE d.sha256 = '\\x%s'" % sha)
    assert [(row["chunks"], row["bytes"], row["mails"]) for row in rows] == [("4", str(len(content)), "3")]
    site.postgres.wait_rows("SELECT 1 FROM spoor.recipient WHERE message IN (SELECT message FROM spoor.attachment"
                            " WHERE document = %s)" % rows[0]["id"], 1000)


def test_one_file_from_many_mails_at_once(site, judge, mark):
    content = os.urandom(400000)
    marks = ["%s-%d-" % (mark, number) for number in range(6)]
    senders = [threading.Thread(target=site.submit, args=(ALICE, [BOB], with_file(one, content))) for one in marks]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    for one in marks:
        delivered = site.mail.wait(BOB, one.encode())
        assert judge.file_of(delivered) == (content, True)
    assert site.postgres.value("SELECT count(*) FROM spoor.document WHERE sha256 = '\\x%s'"
                               % hashlib.sha256(content).hexdigest()) == "1"


# --- PostgreSQL in trouble

class Lock:
    """Somebody holds a table for himself."""

    def __init__(self, database, table):
        self.session = postgres.Session(database)
        self.session.value("BEGIN; LOCK TABLE %s IN ACCESS EXCLUSIVE MODE; SELECT 1" % table)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.session.close()


class Sending:
    """A mail under way."""

    def __init__(self, site, content):
        self.thread = threading.Thread(target=self.run, args=(site, content))
        self.thread.start()

    def run(self, site, content):
        site.submit(ALICE, [BOB], content)

    def wait_upload(self, site):
        site.postgres.wait_rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE"
                                " '%spoor.document_chunk%' AND application_name = 'spoor-stamp'", seconds=TIMEOUT_S)


def test_a_large_file_while_the_database_is_slow(site, judge, mark):
    content = os.urandom(LARGE)
    with Lock(site.postgres, "spoor.document_chunk"):
        delivered = judge.send(mark, with_file(mark, content))
    assert judge.file_of(delivered) == (content, False)
    site.spoor.wait_log("stamp", "a file of %d bytes stays attached: " % LARGE)


def test_a_large_file_while_the_database_stops(site, judge, mark):
    content = os.urandom(LARGE)
    lock = Lock(site.postgres, "spoor.document_chunk")
    sending = Sending(site, with_file(mark, content))
    try:
        sending.wait_upload(site)
    finally:
        site.postgres.stop_at_once()
        lock.session.child.kill()
        lock.session.child.wait()
    try:
        sending.thread.join(proc.PATIENCE_S)
        away = mails.new_mark()
        site.submit(ALICE, [BOB], with_file(away, b"%PDF- small"))
        for one, wanted in ((mark, content), (away, b"%PDF- small")):
            delivered = site.mail.wait(BOB, one.encode())
            assert [file for _, file in attachments.files(delivered)] == [wanted]
            assert not attachments.all_links(delivered, site.spoor.tracking_url)
    finally:
        site.postgres.start()
    assert site.postgres.value("SELECT count(*) FROM spoor.document WHERE sha256 = '\\x%s'"
                               % hashlib.sha256(content).hexdigest()) == "0"

    def goes_again():
        one = mails.new_mark()
        return judge.file_of(judge.send(one, with_file(one, content)))[1]
    proc.wait_for(goes_again, "files leave again")


def test_a_large_file_while_the_disk_is_full(site, judge, mark, small_disk):
    folder = os.path.join(small_disk, "space")
    os.mkdir(folder)
    owner = pwd.getpwnam("postgres")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    with open(os.path.join(small_disk, "filler"), "wb") as filler:
        filler.write(bytes(10 * 1024 * 1024))
    content = os.urandom(LARGE)
    database = site.postgres
    database.execute("DELETE FROM spoor.attachment; DELETE FROM spoor.document; VACUUM FULL spoor.document_chunk")
    database.execute("CREATE TABLESPACE small LOCATION '%s'" % folder)
    try:
        database.execute("ALTER TABLE spoor.document_chunk SET TABLESPACE small")
        assert judge.file_of(judge.send(mark, with_file(mark, content))) == (content, False)
        site.spoor.wait_log("stamp", "a file of %d bytes stays attached: could not extend file" % len(content))
        small = mails.new_mark()
        assert judge.file_of(judge.send(small, with_file(small, b"%PDF- small one"))) == (b"%PDF- small one", True)
    finally:
        database.execute("ALTER TABLE spoor.document_chunk SET TABLESPACE pg_default")
        database.execute("DROP TABLESPACE small")


# --- links that mails bring along

def plain(mark, text, to=BOB, more="", sender=ALICE):
    return ("From: <%s>\r\nTo: <%s>\r\nSubject: %s\r\nMessage-ID: <%s@example.com>\r\nUser-Agent: test\r\nMIME-Version: 1.0\r\n"
            "%sContent-Type: text/plain\r\n\r\n%s\r\n" % (sender, to, mark, mark, more, text)).encode()


def test_an_earlier_recipients_link_does_not_travel_on(site, judge, mark):
    content = b"%PDF- to be forwarded " + mark.encode()
    first = judge.send(mark, with_file(mark, content))
    link = "%s/d/%s" % (site.spoor.tracking_url, attachments.all_links(first, site.spoor.tracking_url)[0])
    (message, bob, _), = judge.tokens(first)
    site.postgres.wait_rows("SELECT 1 FROM spoor.message WHERE id = %d" % message)
    forward = mails.new_mark()
    second = judge.send(forward, plain(forward, "Carol, look:\r\n\r\n> %s" % link, CAROL), CAROL)
    (new_message, carol, number), = judge.tokens(second)
    assert new_message != message and carol not in (0, bob)
    site.postgres.wait_rows("SELECT 1 FROM spoor.message WHERE id = %d" % new_message)
    assert judge.content(judge.attachment(new_message, number)["document"]) == content

    strange = mails.new_mark()
    other = judge.send(strange, plain(strange, "Carol, look:\r\n> %s" % link, CAROL, sender=ERIN), CAROL, ERIN)
    assert judge.tokens(other) == [(message, 0, 1)], "what Alice has sent stays hers to revoke and to be told of"
    assert site.postgres.value("SELECT count(DISTINCT m.owner) FROM spoor.attachment a JOIN spoor.message m ON m.id = a.message"
                               " WHERE a.document = %s" % judge.attachment(message, 1)["document"]) == "1"

    away = mails.new_mark()
    with Lock(site.postgres, "spoor.attachment"):
        third = judge.send(away, plain(away, "Dave, look:\r\n> %s" % link, DAVE), DAVE)
    assert judge.tokens(third) == [(message, 0, 1)]

    answer = mails.new_mark()
    site.answer(BOB, [ALICE], ("From: <%s>\r\nTo: <%s>\r\nSubject: Re: %s\r\nMessage-ID: <%s@example.net>\r\n\r\nThanks\r\n> %s\r\n"
                               % (BOB, ALICE, answer, answer, link)).encode())
    back = site.mail.wait(ALICE, answer.encode())
    assert judge.tokens(back) == [(message, 0, 1)]
    assert site.postgres.wait_rows("SELECT message FROM spoor.answer WHERE message = %d AND class = 'reply'" % message)


def test_a_link_of_the_library_is_personal_in_each_mail(site, judge, mark, tmp_path):
    file = tmp_path / "price list.pdf"
    file.write_bytes(b"%PDF- prices " + mark.encode())
    added = site.spoor.ctl("content", "add", str(file), env={"PGUSER": "spoor_admin"}).stdout.decode()
    entry, document, link = re.fullmatch(r"number=(\d+) document=(\d+) link=(\S+)\n", added).groups()
    assert "number=%s document=%s bytes=%d" % (entry, document, file.stat().st_size) in site.spoor.ctl(
        "content", "list", env={"PGUSER": "spoor_admin"}).stdout.decode()
    seen = set()
    for number, to in enumerate((BOB, CAROL)):
        one = "%s-%d-" % (mark, number)
        (message, recipient, index), = judge.tokens(judge.send(one, plain(one, "See %s." % link, to), to))
        row = judge.attachment(message, index)
        assert (row["file_name"], row["document"]) == ("price list.pdf", document)
        seen.add(recipient)
    assert len(seen) == 2 and 0 not in seen
    site.spoor.ctl("content", "remove", "price list.pdf", env={"PGUSER": "spoor_admin"})
    gone = mails.new_mark()
    assert judge.tokens(judge.send(gone, plain(gone, "See %s." % link))) == [(int(entry), 0, 1)]
    assert link not in site.spoor.ctl("content", "list", env={"PGUSER": "spoor_admin"}).stdout.decode()
    for words, why in ((("add", str(tmp_path / "none.pdf")), "No such file"), (("add", "/etc/hostname"), "the name does not end in"),
                       (("remove", "nothing"), "there is no nothing")):
        failed = site.spoor.ctl("content", *words, check=False, env={"PGUSER": "spoor_admin"})
        assert failed.returncode == 1 and why in failed.stderr.decode()


def test_links_are_revoked_expire_and_show_another_file(site, judge, mark, tmp_path):
    (message, _, _), = judge.tokens(judge.send(mark, with_file(mark, b"%PDF- one " + mark.encode())))
    second = mails.new_mark()
    (other, _, _), = judge.tokens(judge.send(second, with_file(second, b"%PDF- one " + mark.encode())))
    old = judge.attachment(message, 1)["document"]
    (tmp_path / "new.odt").write_bytes(b"PK two " + mark.encode())
    new = re.search(r"document=(\d+)", site.spoor.ctl("content", "add", str(tmp_path / "new.odt"), env={"PGUSER": "spoor_admin"})
                    .stdout.decode()).group(1)

    def ask(call):
        return site.postgres.value("SELECT spoor." + call, role="spoor_admin")

    def state(column):
        return {int(row["message"]): row["it"] for row in site.postgres.rows(
            "SELECT message, %s AS it FROM spoor.attachment WHERE message IN (%d, %d)" % (column, message, other))}
    assert ask("revoke_document(%s, %d)" % (old, message)) == "1"
    assert state("revoked_at IS NULL") == {message: "f", other: "t"}
    assert ask("revoke_document(%s)" % old) == "1" and ask("unrevoke_document(%s)" % old) == "2"
    assert ask("expire_document(%s, now() + interval '1 day')" % old) == "2"
    assert ask("expire_document(%s, NULL, %d)" % (old, message)) == "1"
    assert state("expires_at IS NULL") == {message: "t", other: "f"}
    assert ask("replace_document(%s, %s, %d)" % (old, new, message)) == "1"
    assert state("document") == {message: new, other: old}
    assert state("file_name") == {message: "large.odt", other: "large.pdf"}
    assert ask("replace_document(%s, %s)" % (old, new)) == "1"
    assert state("document") == {message: new, other: new}


# --- nothing is done

def test_the_dry_run_tells_what_would_leave(site, tmp_path):
    path = os.path.join(CORPUS, "outlook.eml")
    before = site.postgres.value("SELECT count(*) FROM spoor.attachment")
    conf = site.spoor.write_conf(os.path.join(site.folder, "dry.conf"), {"stamp": {"attachments": ["Prop*"]}},
                                 database="host=/nowhere")
    told = site.spoor.ctl("stamp", "--explain", path, conf=conf).stdout.decode()
    assert re.search(r"^document: 1 part 6 docx \d+ Proposal 2026 & more\.docx$", told, re.M)
    assert re.search(r"^part: 6 \S+ at \d+ length \d+ detached$", told, re.M)
    printed = site.spoor.ctl("stamp", path, conf=conf).stdout
    assert b"Proposal 2026 &amp; more.docx" in printed.replace(b"=\r\n", b"") and b"filename=" not in printed
    assert site.postgres.value("SELECT count(*) FROM spoor.attachment") == before


def test_observing_takes_nothing(site, judge, mark):
    site.spoor.restart("stamp", site.spoor.write_conf(os.path.join(site.folder, "observe.conf"), mode="observe"))
    try:
        mail = with_file(mark, b"%PDF- observed")
        queue_id = site.submit(ALICE, [BOB], mail)
        delivered = site.mail.wait(BOB, mark.encode())
        assert traces.body_difference(mail, delivered, site.spoor.tracking_url) is None
        assert judge.file_of(delivered) == (b"%PDF- observed", False)
        assert "documents:1" in site.spoor.mail_line(queue_id)["would_add"]
    finally:
        site.spoor.restart("stamp")
