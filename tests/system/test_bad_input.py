# SPDX-License-Identifier: BSD-2-Clause
"""Whatever comes in and whatever breaks: the mail passes, the daemons live, the log says what happened."""

import os
import re
import resource
import socket
import threading
import time

import pytest

import mailer
import mails
import proc
import traces
import web
from test_main_job import CC, SENDER, STRANGER, TO, Sent, answer_to, send

BOTH_WAYS = ["stamp", "match"]


def pass_through(servers, way, content, mark, recipients=None, seconds=proc.PATIENCE_S):
    """Sends the mail by the sending or to the receiving server; returns its first delivered copy."""
    if way == "stamp":
        recipients = recipients or [TO]
        servers.submit(SENDER, recipients, content)
    else:
        recipients = recipients or [SENDER]
        servers.answer(TO, recipients, content)
    return servers.mail.wait(recipients[0], mark.encode(), seconds, servers.receiving.log)


def compose(way, mark, **more):
    if way == "stamp":
        return mails.html_quoted_printable(SENDER, [TO], mark, **more)
    return mails.html_quoted_printable(TO, [SENDER], mark, **more)


@pytest.fixture(autouse=True)
def daemons_live(request):
    """After each test the shared daemons are the processes they were before it."""
    if "servers" not in request.fixturenames:
        yield
        return
    running = request.getfixturevalue("servers").spoor.servers
    before = {name: server.pid for name, server in running.items()}
    yield
    for name, server in running.items():
        assert server.alive() and server.pid == before[name], "spoor-%s died" % name


# --- mails --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", BOTH_WAYS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 0.99])
def test_truncated_mail(servers, mark, way, share):
    """Cut inside the HTML, a boundary line, a base64 line: a mail that ends in its middle."""
    sender, to = (SENDER, TO) if way == "stamp" else (TO, SENDER)
    for kind in (mails.alternative_with_picture, mails.html_quoted_printable, mails.html_base64):
        mark = mails.new_mark()
        content = kind(sender, [to], mark)
        start = content.index(b"\r\n\r\n")
        content = content[:start + 4 + int((len(content) - start - 4) * share)]
        delivered = pass_through(servers, way, content, mark)
        assert traces.header_difference(content, delivered) is None
        sent_body, body = traces.split(content)[1], traces.split(delivered)[1]
        if way == "match" or kind is mails.html_base64:
            assert len(body) >= len(sent_body)
        assert b"Gr" in body or kind is mails.html_base64


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_a_header_that_ends_the_mail(servers, mark, way):
    content = compose(way, mark).split(b"\r\n\r\n")[0] + b"\r\n"
    assert traces.header_difference(content, pass_through(servers, way, content, mark)) is None


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_nul_bytes(servers, mark, way):
    content = compose(way, mark).replace(b"Our spring", b"Our\0spring").replace(b"Offers", b"\0\0\0")
    delivered = pass_through(servers, way, content, mark)
    assert b"colours" in traces.split(delivered)[1]


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_nul_bytes_in_the_header(servers, mark, way):
    content = compose(way, mark, more=["X-Nul: a\0b", "References: <a\0b@c.example>"])
    assert mark in traces.field(pass_through(servers, way, content, mark), "Subject")


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_five_thousand_headers(servers, mark, way):
    content = compose(way, mark, more=["X-Number-%d: %d" % (number, number) for number in range(5000)])
    delivered = pass_through(servers, way, content, mark)
    assert traces.field(delivered, "X-Number-4999") == "4999"
    assert traces.header_difference(content, delivered) is None


def test_a_thousand_recipients(servers, mark):
    people = ["reader%d@example.net" % number for number in range(1000)]
    content = mails.html_quoted_printable(SENDER, ["readers@example.com"], mark)
    sent = Sent(servers, content, mark, people)
    assert sent.line["recipients"] == "1000"
    assert len(sent.pixels("reader999@example.net")) == 1
    report = proc.wait_for(lambda: sent.report() if sent.report()["recipients"] == "1000" else None, "1,000 recipients")
    assert report["sender"] == SENDER
    servers.sending.wait_empty(120)
    servers.receiving.wait_empty(120)


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_a_forty_megabyte_mail(servers, mark, way):
    """Above body_limit: header only, the body as it was."""
    content = compose(way, mark) + (b"<p>" + b"0123456789" * 7 + b"</p>\r\n") * (40 * 1024 * 1024 // 79)
    delivered = pass_through(servers, way, content, mark, seconds=180)
    assert len(content) > 40 * 1000 * 1000
    assert traces.split(delivered)[1] == traces.split(content)[1]
    assert traces.header_difference(content, delivered) is None


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_a_header_of_a_hundred_kilobytes(servers, mark, way):
    value = "\n ".join("word%06d" % number for number in range(10000))
    content = compose(way, mark, more=["X-Long: " + value])
    delivered = pass_through(servers, way, content, mark)
    # Postfix itself cuts a field at 60,000 bytes as soon as there is any milter.
    assert "word004000" in traces.field(delivered, "X-Long")
    assert traces.field(delivered, "Content-Type")


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_references_of_a_hundred_kilobytes(servers, mark, way):
    value = "\n ".join("<%06d@long.example>" % number for number in range(5000))
    delivered = pass_through(servers, way, compose(way, mark, more=["References: " + value]), mark)
    assert "000000@long.example" in traces.ids(delivered, "References")


GARBAGE = {"empty": "", "brackets": "<>", "spaces": "< a b @ c >", "no at": "<nothing>", "eight bit": "<\xff\xfe@x>",
           "control": "<a\x01b@c.example>", "open": "<a@b.example", "long": "<%s@b.example>" % ("x" * 3000),
           "percent": "<%n%s%x@b.example>", "two in one": "<a@b.example> <c@d.example>"}


@pytest.mark.parametrize("what", GARBAGE)
def test_a_garbage_message_id(servers, mark, what):
    content = mails.html_8bit(SENDER, [TO], mark, message_id="")
    content = content.replace(b"MIME-Version:", b"Message-ID: " + GARBAGE[what].encode("latin-1") + b"\r\nMIME-Version:", 1)
    sent = Sent(servers, content, mark)
    delivered = sent.to()
    assert traces.field_count(delivered, "Message-ID") == 1
    assert len(traces.ids(delivered, "Message-ID")) == 1
    assert len(sent.pixels()) == 1


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_where_ids_belong_in_an_answer(servers, mark, what):
    """What cannot be read must not hide what can: the good id further on is found."""
    sent = send(servers, mark)
    own_id = traces.field(sent.to(), "Message-ID")
    answer_mark = mails.new_mark()
    content = mails.answer_with(TO, [SENDER], answer_mark, ["In-Reply-To: @@", "References: " + own_id])
    content = content.replace(b"@@", GARBAGE[what].encode("latin-1"), 1)
    servers.answer(TO, [SENDER], content)
    servers.mail.wait(SENDER, answer_mark.encode())
    assert sent.feed(1, "reply")[0]["person"] == TO


def test_message_id_twice(servers, mark):
    content = mails.html_8bit(SENDER, [TO], mark, more=["Message-ID: <second@client.example.com>"])
    delivered = Sent(servers, content, mark).to()
    assert traces.field_count(delivered, "Message-ID") == 1


HOSTILE_MIME = {
    "boundary that never comes": b'multipart/mixed; boundary="never"',
    "empty boundary": b'multipart/mixed; boundary=""',
    "no boundary": b"multipart/alternative",
    "boundary of 1,000 bytes": b'multipart/mixed; boundary="' + b"b" * 1000 + b'"',
    "unknown charset": b"text/html; charset=x-klingon",
    "charset twice": b"text/html; charset=utf-8; charset=utf-16",
    "garbage": b";;;===\"\"\"",
    "UTF-16": b"text/html; charset=utf-16le",
}


@pytest.mark.parametrize("what", HOSTILE_MIME)
def test_mime_that_cannot_be_trusted(servers, mark, what):
    """In doubt the body stays as it is."""
    body = b"<html><body><p><a href=\"https://www.example.org/\">x</a></p></body></html>\r\n"
    content = (mails.header(SENDER, [TO], mark) + b"Content-Type: " + HOSTILE_MIME[what] + b"\r\n\r\n" + body)
    delivered = Sent(servers, content, mark).to()
    assert traces.split(delivered)[1] == body


def test_a_thousand_levels_of_multipart(servers, mark):
    opening, closing = b"", b""
    for level in range(1000):
        opening += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (level, level)
        closing = b"\r\n--b%d--\r\n" % level + closing
    content = (mails.header(SENDER, [TO], mark) + opening + b"Content-Type: text/html\r\n\r\n<p>deep</p>" + closing)
    delivered = Sent(servers, content, mark).to()
    assert b"<p>deep" in delivered and delivered.endswith(b"--b0--\r\n")


def test_html_that_never_ends(servers, mark):
    """Slow parsers compute for seconds on each of these."""
    stamp = servers.spoor.servers["stamp"]
    for html in ("<" * 200000, "<a href=" * 30000, "<!--" * 50000, "<a " + "x=y " * 50000 + ">", "<table>" * 30000,
                 "&" * 200000, '<a href="https://' + "x" * 200000):
        mark = mails.new_mark()
        before = stamp.computed_s()
        delivered = Sent(servers, mails.html_base64(SENDER, [TO], mark, html=html), mark).to()
        assert stamp.computed_s() - before < 5
        assert traces.Undo(servers.spoor.tracking_url).html(traces.html_parts(delivered)[0]) == html.encode()


# --- clients ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_a_client_that_hangs_up_in_the_body(servers, mark, way):
    content = compose(way, mark)
    port = servers.sending.port if way == "stamp" else servers.receiving.port
    for share in (0.1, 0.5, 0.99):
        mailer.hang_up_in_body(port, SENDER, TO, content[:int(len(content) * share)])
    after = mails.new_mark()
    pass_through(servers, way, compose(way, after), after)
    assert servers.mail.mails(TO, mark.encode()) == []


def test_several_mails_on_one_connection(servers):
    """What is kept of one mail must not reach the next, nor that of a mail that was given up."""
    import smtplib
    marks = [mails.new_mark() for _ in range(3)]
    with smtplib.SMTP("127.0.0.1", servers.sending.port, timeout=60) as client:
        client.sendmail(SENDER, [TO, CC], mails.html_8bit(SENDER, [TO, CC], marks[0]))
        client.mail(SENDER)
        client.rcpt(STRANGER)
        client.rset()
        client.sendmail(SENDER, [TO], mails.plain(SENDER, [TO], marks[1]))
        client.sendmail(SENDER, [TO], mails.html_base64(SENDER, [TO], marks[2]))
    counts = []
    for mark in marks:
        delivered = servers.mail.wait(TO, mark.encode())
        counts.append(len(traces.pixels(delivered, servers.spoor.tracking_url)))
    assert counts == [1, 0, 1]
    assert servers.mail.mails(STRANGER, marks[1].encode()) == []


RAW_REQUESTS = {
    "nothing": b"",
    "garbage": b"\x00\x01\x02\x03\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n",
    "huge target": b"GET /o/" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "huge header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200000 + b"\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "length and chunks": b"POST /o/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "nul in target": b"GET /o/a\0b HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown method": b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
    "cut header": b"GET /healthz HTTP/1.1\r\nHo",
}


@pytest.mark.parametrize("what", RAW_REQUESTS)
def test_http_garbage(servers, what):
    with socket.create_connection(("127.0.0.1", servers.spoor.port), timeout=proc.PATIENCE_S) as client:
        try:
            client.sendall(RAW_REQUESTS[what])
            client.shutdown(socket.SHUT_WR)
            answer = client.recv(65536)
        except OSError:  # closed on us in the middle, which is an answer too
            answer = b""
    assert not answer.startswith(b"HTTP/1.1 5") or answer.startswith(b"HTTP/1.1 501") or answer.startswith(b"HTTP/1.1 505")
    assert web.get(servers.spoor.tracking_url + "/healthz").status == 200


# --- servers that come and go -------------------------------------------------------------------------


def test_postgresql_stopped_and_started(own, mark):
    """Mail goes, tracked; views and answers too; all is there when PostgreSQL is back."""
    servers = own()
    servers.postgres.stop()
    sent = send(servers, mark)
    assert len(sent.pixels()) == 1
    assert web.get(sent.pixels()[0]).status == 200
    assert sent.follow(sent.clicks()[0]).status == 302
    answer_to(servers, sent)
    servers.postgres.start()
    assert {row["what"] for row in sent.feed(3)} == {"view", "click", "reply"}
    assert sent.report()["sender"] == SENDER
    for name in BOTH_WAYS + ["pixeld"]:
        servers.spoor.wait_log(name, "(?i)database|postgres|connect")


def test_daemons_start_without_postgresql(own, mark):
    servers = own()
    send(servers, mark)

    def start_anew():
        """How long each takes."""
        took = {}
        for name in ("stamp", "match", "pixeld"):
            assert servers.spoor.stop(name) == 0
            began = time.monotonic()
            servers.spoor.start(name)
            took[name] = time.monotonic() - began
        return took

    usual = start_anew()
    servers.postgres.stop()
    for name, seconds in start_anew().items():
        assert seconds < 4 + 3 * usual[name], "spoor-%s waits for the database: %.1f s, else %.1f s" % (name, seconds, usual[name])
    mark = mails.new_mark()
    sent = send(servers, mark)
    assert len(sent.pixels()) == 1
    servers.postgres.start()
    assert sent.report()["message"] == sent.message


def test_memcached_stopped_and_started(own, mark):
    servers = own()
    servers.memcached.stop()
    sent = send(servers, mark)
    answer_to(servers, sent)
    assert web.get(sent.pixels()[0]).status == 200
    servers.memcached.start()
    again = send(servers, mails.new_mark())
    answer_to(servers, again)
    assert sent.feed(1, "reply") and again.feed(1, "reply")


def test_postgresql_goes_while_mail_flows(own):
    servers = own()
    marks = [mails.new_mark() for _ in range(40)]
    refused = []

    def submit_all():
        for mark in marks:
            try:
                servers.submit(SENDER, [TO], mails.html_8bit(SENDER, [TO], mark))
            except Exception as error:
                refused.append(error)

    worker = threading.Thread(target=submit_all)
    worker.start()
    servers.mail.wait(TO, marks[5].encode())
    servers.postgres.stop()
    servers.mail.wait(TO, marks[20].encode())
    servers.postgres.start()
    worker.join(120)
    assert refused == []
    for mark in marks:
        assert traces.pixels(servers.mail.wait(TO, mark.encode()), servers.spoor.tracking_url)
    assert len(servers.postgres.wait_rows("SELECT * FROM spoor.message_report", 40)) == 40


# --- the spool ----------------------------------------------------------------------------------------


def fill(folder):
    """Not a byte is left."""
    with open(os.path.join(folder, "filler"), "wb", buffering=0) as filler:
        for size in (65536, 4096, 1):
            try:
                while filler.write(b"x" * size):
                    pass
            except OSError:
                pass


def test_the_spools_disk_is_full(own, mark, small_disk):
    """Mail goes untouched; pixel and click still answer; health says no; after space comes, all is well again."""
    servers = own(spool_directory=small_disk, spool_segment="2MB")
    before = send(servers, mark)
    assert len(before.pixels()) == 1
    before.report()
    fill(small_disk)
    # What lies preallocated in a segment may still take records: the disk counts as full when a mail stays untouched.
    untouched = proc.wait_for(lambda: stays_untouched(servers), "a mail passes untouched", 120,
                              os.path.join(servers.log_folder, "stamp.log"))
    assert traces.fields(untouched.to()) == traces.fields(untouched.content)
    assert traces.split(untouched.to())[1] == traces.split(untouched.content)[1]
    assert web.get(before.pixels()[0]).status == 200
    assert web.get(before.clicks()[0]).status == 302
    servers.spoor.wait_log("stamp", "(?i)spool|no space")
    servers.postgres.stop()  # what is loaded makes way for what is new
    proc.wait_for(lambda: not healthy_after_views(servers, before.pixels()[0]), "/healthz tells that views are lost", 60)
    servers.spoor.wait_log("pixeld", "hit answered but not recorded: .*spool")
    plain = mails.new_mark()
    servers.answer(TO, [SENDER], mails.plain(TO, [SENDER], plain))
    servers.mail.wait(SENDER, plain.encode())
    servers.postgres.start()
    os.unlink(os.path.join(small_disk, "filler"))
    proc.wait_for(lambda: not stays_untouched(servers), "mail is tracked again", 90,
                  os.path.join(servers.log_folder, "stamp.log"))
    # A minute after the last loss.
    proc.wait_for(lambda: healthy_after_views(servers, before.pixels()[0], 1), "/healthz is well again", 120)


def healthy_after_views(servers, pixel, views=500):
    """Whether /healthz says so; without views nothing can be lost."""
    request = "GET %s HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n" % (web.target_of(pixel), "x" * 500)
    with socket.create_connection(("127.0.0.1", servers.spoor.port), timeout=proc.PATIENCE_S) as client:
        client.sendall(((request + "\r\n") * (views - 1) + request + "Connection: close\r\n\r\n").encode())
        while client.recv(65536):
            pass
    status = web.get(servers.spoor.tracking_url + "/healthz").status
    assert status in (200, 503)
    return status == 200


def stays_untouched(servers):
    """The mail when spoor-stamp left it as it was."""
    mark = mails.new_mark()
    # Many long links make a long record: a few such mails fill what is left of a segment.
    links = "".join('<a href="https://www.example.org/%d/%s">x</a>\n' % (number, "x" * 1000) for number in range(200))
    sent = Sent(servers, mails.html_base64(SENDER, [TO], mark, html="<html><body>%s</body></html>\n" % links), mark)
    return sent if sent.line.get("untouched") else None


@pytest.mark.parametrize("name", ["stamp", "match", "pixeld"])
def test_two_daemons_on_one_spool_folder(own, name, tmp_path):
    """The second refuses to start, with one clear line; the first goes on."""
    servers = own()
    other_port = proc.free_port()
    conf = servers.spoor.write_conf(os.path.join(servers.folder, "second.conf"), {
        "stamp": {"listen": "unix:" + servers.spoor.socket("second")},
        "match": {"listen": "unix:" + servers.spoor.socket("second")},
        "pixeld": {"listen": ["127.0.0.1:%d" % other_port]}})
    second = proc.Server("second", servers.spoor.command(name, conf), os.path.join(servers.log_folder, "second.log"))
    proc.wait_for(lambda: not second.alive(), "the second spoor-%s ends" % name, log=second.log)
    assert second.child.returncode != 0
    assert servers.spoor.spool in second.text()
    assert servers.spoor.servers[name].alive()


def test_out_of_file_descriptors(own, mark):
    """pixeld with 40 of them and 100 clients: it lives and answers once they have gone."""
    servers = own()
    sent = send(servers, mark)

    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    logged = len(servers.spoor.log_text("pixeld"))
    servers.spoor.restart("pixeld", preexec=few)
    # Its socket is open before its threads are there; they need descriptors too.
    servers.spoor.wait_log("pixeld", "notice: ready", since=logged)
    clients = [socket.create_connection(("127.0.0.1", servers.spoor.port), timeout=proc.PATIENCE_S) for _ in range(100)]
    servers.spoor.wait_log("pixeld", "connections wait: no file descriptors are left")
    for client in clients:
        client.close()
    assert web.get(sent.pixels()[0]).status == 200
    assert sent.feed(1, "view")


# --- configuration and keys ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["stamp", "match", "pixeld"])
def test_a_wrong_option_stops_the_start_with_file_and_line(servers, name, tmp_path):
    conf = tmp_path / "spoor.conf"
    with open(servers.spoor.conf) as good:
        text = good.read()
    conf.write_text(text + 'no_such_option = "x"\n')
    line = text.count("\n") + 1
    for flag in ("-t", "-f"):
        done = proc.run([servers.spoor.command(name)[0], flag, "-c", str(conf)], check=False)
        assert done.returncode != 0
        assert "%s:%d" % (conf, line) in done.stderr.decode()
        assert "no_such_option" in done.stderr.decode()


@pytest.mark.parametrize("name", ["stamp", "match", "pixeld"])
def test_a_missing_key_stops_the_start(servers, name, tmp_path):
    conf = servers.spoor.write_conf(str(tmp_path / "spoor.conf"), key_file=str(tmp_path / "absent"),
                                    spool_directory=str(tmp_path))
    done = proc.run([servers.spoor.command(name)[0], "-f", "-c", conf], check=False, timeout=proc.PATIENCE_S)
    assert done.returncode != 0
    assert str(tmp_path / "absent") in done.stderr.decode()


def test_effective_values_load_again(servers, tmp_path):
    printed = proc.run([servers.spoor.command("stamp")[0], "-T", "-c", servers.spoor.conf]).stdout.decode()
    assert re.search(r'tracking_url\s*=\s*"%s"' % re.escape(servers.spoor.tracking_url), printed)
    again = tmp_path / "again.conf"
    again.write_text(printed)
    assert proc.run([servers.spoor.command("stamp")[0], "-T", "-c", str(again)]).stdout.decode() == printed


def test_keygen_overwrites_nothing(servers):
    with open(servers.spoor.key_file, "rb") as keys:
        before = keys.read()
    assert servers.spoor.ctl("keygen", check=False).returncode != 0
    with open(servers.spoor.key_file, "rb") as keys:
        assert keys.read() == before


def test_the_schema_is_installed_twice_and_by_two_at_once(servers):
    results = []

    def install():
        results.append(servers.spoor.ctl("schema", "upgrade", env={"PGUSER": "postgres"}, check=False).returncode)

    workers = [threading.Thread(target=install) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert results == [0, 0]
