# SPDX-License-Identifier: BSD-2-Clause
"""
spoor-pixeld alone, with a database that is not there: what it answers to good, bad and hostile requests,
byte by byte over a socket, and what it notes down.
"""

import base64
import glob
import hashlib
import os
import signal
import socket
import struct
import time

import pytest

import proc
import spoor as spoor_of
from tokens import CLICK, VIEW, click, spoiled, token, unsubscribe, view, write_keys

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
HEADER_TIMEOUT = 1.0  # of the tests that wait for it


class Answer:
    def __init__(self, raw):
        head, _, self.rest = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if raw else 0
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}


class Pixeld(spoor_of.Spoor):
    def __init__(self, folder, settings, **pixeld):
        pixeld.setdefault("header_timeout", "1min")
        super().__init__(folder, folder, "host=127.0.0.1 port=1 dbname=none", "", pixeld=pixeld, **settings)
        write_keys(self.key_file)

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port), timeout=proc.PATIENCE_S)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def raw(self, request, until_closed=True):
        """All that comes back until the connection ends, which is asked for unless UNTIL_CLOSED is false."""
        with self.connect() as client:
            client.sendall(request)
            if not until_closed:
                client.shutdown(socket.SHUT_WR)
            return receive_all(client)

    def ask(self, target, method="GET", *fields):
        lines = ["%s %s HTTP/1.1" % (method, target), "Host: t.example.com", "Connection: close"] + list(fields)
        return Answer(self.raw(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")))

    def spooled(self):
        segments = glob.glob(os.path.join(self.spool, "pixeld*", "*.segment"))
        return b"".join(open(path, "rb").read() for path in segments)

    def recorded(self, word):
        return self.spooled().count(word.encode())

    def unsubscribed(self, path):
        """How many records name mail and recipient of that token, as common/record.c writes them."""
        _, _, message, recipient = struct.unpack(">BBQI", base64.b32decode(path[3:].upper() + "====")[:14])
        return self.spooled().count(struct.pack("<QI", message, recipient))

    def post(self, target, body=b"List-Unsubscribe=One-Click", *fields):
        """As a mail program does; a body of None has no length."""
        lines = ["POST %s HTTP/1.1" % target, "Host: t.example.com", "Connection: close"]
        lines += ["Content-Length: %d" % len(body)] if body is not None and not fields else list(fields)
        return Answer(self.raw(("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")))


def receive_all(client):
    out = b""
    while True:
        more = client.recv(65536)
        if not more:
            return out
        out += more


@pytest.fixture
def new_pixeld(tmp_path):
    made = []

    def start(settings=None, **section):
        folder = tmp_path / str(len(made))
        folder.mkdir()
        for path in (tmp_path, folder):
            path.chmod(0o755)
        for path in tmp_path.parents:
            if str(path).startswith("/tmp/pytest"):
                path.chmod(0o755)
        made.append(Pixeld(str(folder), settings or {}, **section))
        made[-1].start("pixeld")
        return made[-1]

    yield start
    for one in made:
        statuses = one.stop_all()
        assert all(status == 0 for status in statuses.values()), one.log_text("pixeld")


@pytest.fixture
def pixeld(new_pixeld):
    return new_pixeld()


@pytest.fixture
def impatient(new_pixeld):
    return new_pixeld(header_timeout="%ds" % HEADER_TIMEOUT)


def test_without_a_database_the_feed_says_so_at_once(pixeld):
    answer = pixeld.ask("/feed")
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0
    big = pixeld.post("/feed/sign-in", b"x" * 4097)
    assert big.status == 413
    assert pixeld.post("/feed/sign-in", b"x" * 4096).status == 503
    assert pixeld.post("/feed", b"x").status == 405
    assert pixeld.ask(view()).status == 200


def test_pixel_is_a_gif_that_nobody_keeps_and_a_record(pixeld):
    answer = pixeld.ask(view(), "GET", "User-Agent: " + AGENT)
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/gif"
    assert answer.rest[:6] == b"GIF89a" and answer.rest[-1:] == b";" and len(answer.rest) == 43
    for word in ("no-store", "no-cache", "must-revalidate", "private", "max-age=0"):
        assert word in answer.headers["cache-control"]
    assert pixeld.recorded(AGENT) == 1


def test_head_is_answered_without_a_body_and_marked(pixeld):
    answer = pixeld.ask(view(), "HEAD", "User-Agent: " + AGENT)
    assert (answer.status, answer.rest, answer.headers["content-length"]) == (200, b"", "43")
    assert pixeld.recorded("head") == 1


@pytest.mark.parametrize("target", [
    lambda: spoiled(view()), lambda: "/o/x.gif", lambda: "/o/", lambda: "/o/%s.gif" % token(CLICK),
    lambda: view().replace(".gif", "%2egif"), lambda: "/o/%s.gif" % ("a" * 3000)])
def test_bad_token_is_a_pixel_and_no_record(pixeld, target):
    answer = pixeld.ask(target(), "GET", "User-Agent: " + AGENT)
    assert (answer.status, len(answer.rest)) == (200, 43)
    assert pixeld.recorded(AGENT) == 0


@pytest.mark.parametrize("destination", [
    "https://example.com/", "http://example.com/a?b=c&d=%20#e", "https://example.com/%252F", "https://[2001:db8::1]:8/"])
def test_click_goes_where_it_was_signed_to(pixeld, destination):
    answer = pixeld.ask(click(destination), "GET", "User-Agent: " + AGENT)
    assert (answer.status, answer.headers["location"]) == (302, destination)
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert pixeld.recorded(AGENT) == 1


def test_query_that_somebody_appended_does_no_harm(pixeld):
    answer = pixeld.ask(click("https://example.com/") + "?fbclid=x")
    assert answer.headers["location"] == "https://example.com/"


@pytest.mark.parametrize("target", [
    lambda: spoiled(click("https://example.com/")),
    lambda: click("https://example.com/") + "x",
    lambda: click("https://example.com/").replace("%", "%25"),
    lambda: "/c/%s/" % token(CLICK),
    lambda: "/c/%s/x" % token(VIEW, b"x"),
    lambda: click("javascript:alert(1)"),
    lambda: click("https://example.com/\r\nX-Injected: 1"),
    lambda: click("https://user@example.com/"),
    lambda: "/c/%s/%%zz" % token(CLICK, b"%zz"),
    lambda: "/", lambda: "/favicon.ico", lambda: "/../o/x.gif"])
def test_all_else_is_a_plain_page_and_no_record(pixeld, target):
    answer = pixeld.ask(target(), "GET", "User-Agent: " + AGENT)
    assert answer.status == 404
    assert "location" not in answer.headers and b"<h1>" in answer.rest
    assert pixeld.recorded(AGENT) == 0


def test_unknown_key_is_kept_raw_but_not_without_end(pixeld):
    target = click("https://example.com/" + "later" * 200, key=9)
    assert pixeld.ask(target).status == 404
    assert pixeld.recorded(target) == 1
    assert len(pixeld.ask(view(key=9)).rest) == 43
    with pixeld.connect() as client:
        request = ("GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % target).encode()
        client.sendall(request * 1500 + request.replace(b"Host: a", b"Host: a\r\nConnection: close"))
        assert receive_all(client).count(b"404 Not Found") == 1501
    # A test that runs over the full hour sees the budgets of two.
    assert 2 ** 19 < pixeld.recorded(target) * len(target) <= 2 ** 21
    assert pixeld.recorded(target) < 1501
    pixeld.wait_log("pixeld", "name a key that is not in the key file")
    pixeld.ask(view(), "GET", "User-Agent: " + AGENT)
    assert pixeld.recorded(AGENT) == 1


def test_a_long_target_under_an_unknown_key_is_not_kept(pixeld):
    target = click("https://example.com/" + "x" * 1400 + "%20" * 200, key=9)
    assert len(target) > 2048
    assert pixeld.ask(target).status == 404
    assert pixeld.recorded("x" * 100) == 0


def test_key_that_arrives_later_is_taken_on_sighup(pixeld):
    assert pixeld.ask(click("https://example.com/", key=9)).status == 404
    write_keys(pixeld.key_file, (1, 9))
    pixeld.servers["pixeld"].signal(signal.SIGHUP)
    pixeld.wait_log("pixeld", "keys loaded again: 2")
    assert pixeld.ask(click("https://example.com/", key=9)).status == 302


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "CONNECT"])
def test_other_methods_are_refused(pixeld, method):
    answer = pixeld.ask(view(), method, "Content-Length: 0", "User-Agent: " + AGENT)
    assert (answer.status, answer.headers.get("allow")) == (405, "GET, HEAD")
    assert pixeld.recorded(AGENT) == 0


def test_absolute_form(pixeld):
    assert pixeld.ask("http://elsewhere.example" + view(), "GET", "User-Agent: " + AGENT).status == 200
    assert pixeld.recorded(AGENT) == 1


def test_many_requests_on_one_connection(pixeld):
    request = "GET %s HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n" % (view(), AGENT)
    last = request.replace("Host: a", "Host: a\r\nConnection: close")
    answers = pixeld.raw((request * 99 + last).encode())
    assert answers.count(b"HTTP/1.1 200 OK") == 100
    assert pixeld.recorded(AGENT) == 100


@pytest.mark.parametrize("fields", [
    "Content-Length: 0\r\nContent-Length: 5", "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked", "Content-Length: 44", "Content-Length : 5", "Host: b", "Content-Length: -1"])
def test_what_can_be_read_in_two_ways_ends_the_connection(pixeld, fields):
    hidden = "GET %s HTTP/1.1\r\nHost: a\r\nUser-Agent: hidden\r\n\r\n" % view()
    request = "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % (view(), fields)
    assert Answer(pixeld.raw((request + hidden).encode())).status == 400
    assert pixeld.recorded("hidden") == 0


def cookies(count, size):
    """As a browser sends them, SIZE bytes each with the blank between."""
    one = "c%04d=%s"
    return "Cookie: " + "; ".join(one % (number, "x" * (size - 8)) for number in range(count))


@pytest.mark.parametrize("count, size", [(112, 36), (60, 140), (180, 48), (8, 1024), (2, 4096)])
def test_a_reader_with_many_cookies_gets_the_page(pixeld, count, size):
    """All hosts below a site's domain get its cookies, and tracking_url is one of them."""
    destination = "https://example.com/" + "x" * 1400
    answer = pixeld.ask(click(destination), "GET", "User-Agent: " + AGENT, cookies(count, size))
    assert (answer.status, answer.headers["location"]) == (302, destination)
    assert pixeld.recorded(AGENT) == 1


@pytest.mark.parametrize("count, size", [(180, 120), (400, 60), (3, 8000), (9, 8000), (30, 4000)])
def test_more_cookies_than_there_is_room_for_are_told_so(pixeld, count, size):
    assert pixeld.ask(view(), "GET", cookies(count, size)).status == 431
    assert pixeld.ask(view()).status == 200


@pytest.mark.parametrize("request_bytes", [
    b"GET /o/x.gif HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100000 + b"\r\n\r\n",
    b"GET /o/x.gif HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 20000 + b"\r\n",
    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"], ids=["field", "fields", "target"])
def test_headers_that_are_too_big(pixeld, request_bytes):
    with pixeld.connect() as client:
        try:
            client.sendall(request_bytes)
            answer = client.recv(65536)
        except ConnectionError:
            answer = b""
    assert answer == b"" or answer.split()[1] in (b"431", b"414", b"413")
    assert pixeld.ask(view()).status == 200


@pytest.mark.parametrize("request_bytes", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500, b"\x00" * 1000, b"\r\n" * 1000 + b"x",
    b"GET", b"GET  HTTP/1.1\r\n\r\n", b" / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ids=["tls", "nul", "empty lines", "cut", "no target", "no method", "version 9", "http2"])
def test_garbage_leaves_the_daemon_standing(impatient, request_bytes):
    impatient.raw(request_bytes, until_closed=False)
    proc.wait_for(lambda: answers(impatient), "an answer to a good request")


def slowly(client, request, pause):
    """Sends a byte at a time until the other side has had enough; the seconds that took, and how many bytes."""
    start, sent = time.monotonic(), 0
    client.settimeout(pause)
    for sent, byte in enumerate(request):
        try:
            client.sendall(bytes([byte]))
            if client.recv(1) == b"":
                break
        except socket.timeout:
            pass
        except ConnectionError:
            break
    return time.monotonic() - start, sent


def test_slow_header_ends_at_the_deadline(impatient):
    """Not when a byte more has come: all of them take fifty seconds."""
    with impatient.connect() as client:
        seconds, sent = slowly(client, b"GET / HTTP/1.1\r\nX: " + b"a" * 1000, 0.05)
    assert HEADER_TIMEOUT * 0.8 <= seconds and sent < 1000


def test_silent_connection_ends_at_the_deadline(impatient):
    with impatient.connect() as client:
        assert receive_all(client) == b""


def test_more_connections_than_allowed_are_closed(new_pixeld):
    pixeld = new_pixeld(connections=20, header_timeout="5min", idle_timeout="5min")
    # The probe that found the daemon ready may still be counted when the first of these comes.
    clients = [proc.wait_for(lambda: admitted(pixeld), "a connection is let in") for _ in range(20)]
    with pixeld.connect() as surplus:
        try:
            assert surplus.recv(1) == b""
        except ConnectionError:
            pass
    pixeld.wait_log("pixeld", r"closed at once: pixeld\.connections is reached")
    for client in clients:
        client.close()
    proc.wait_for(lambda: answers(pixeld), "room again")


def test_more_connections_of_one_address_than_allowed_are_closed(new_pixeld):
    pixeld = new_pixeld(connections_per_address=5, header_timeout="5min", idle_timeout="5min")
    clients = [proc.wait_for(lambda: admitted(pixeld), "a connection is let in") for _ in range(5)]
    assert admitted(pixeld) is None
    with socket.create_connection(("127.0.0.1", pixeld.port), proc.PATIENCE_S, ("127.0.0.2", 0)) as other:
        other.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert other.recv(4096)
    pixeld.wait_log("pixeld", r"closed at once: pixeld\.connections_per_address is reached")
    for client in clients:
        client.close()
    proc.wait_for(lambda: answers(pixeld), "room again")


def test_a_trusted_proxy_has_as_many_connections_as_it_wants(new_pixeld):
    pixeld = new_pixeld(connections_per_address=5, trusted_proxies=["127.0.0.1"])
    clients = [admitted(pixeld) for _ in range(30)]
    assert all(clients)
    for client in clients:
        client.close()


def admitted(pixeld):
    """A connection that was answered once, or None."""
    client = pixeld.connect()
    try:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        if client.recv(4096):
            return client
    except ConnectionError:
        pass
    client.close()
    return None


def answers(pixeld):
    try:
        return pixeld.ask(view()).status == 200
    except ConnectionError:
        return False


def test_client_behind_a_proxy_and_anonymous(new_pixeld):
    pixeld = new_pixeld(trusted_proxies=["127.0.0.0/8"], anonymize_ip=True)
    pixeld.ask(view(), "GET", "User-Agent: " + AGENT, "X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 198.51.100.77")
    spooled = pixeld.spooled()
    assert bytes([198, 51, 100, 0]) in spooled
    assert bytes([198, 51, 100, 77]) not in spooled and bytes([203, 0, 113]) not in spooled


def test_full_spool_is_no_reason_not_to_answer(new_pixeld):
    pixeld = new_pixeld(settings=dict(spool_segment="2MB", spool_max="4MB"), trusted_proxies=["127.0.0.1"])
    assert pixeld.ask("/healthz").rest == b"ok\n"
    request = "GET %s HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n" % (view(), "x" * 500)
    last = request.replace("Host: a", "Host: a\r\nConnection: close")
    answers = pixeld.raw((request * 8999 + last).encode())
    assert answers.count(b"200 OK") == 9000
    pixeld.wait_log("pixeld", "hit answered but not recorded: the spool is full")
    assert pixeld.log_text("pixeld").count("not recorded") == 1
    health = pixeld.ask("/healthz")
    assert health.status == 503 and health.rest.startswith(b"spool: ")
    health = pixeld.ask("/healthz", "GET", "X-Forwarded-For: 203.0.113.9")
    assert (health.status, health.rest) == (503, b"not ok\n")


def test_stop_lets_a_request_finish_and_ends_idle_connections(new_pixeld):
    # One thread: when the request behind it is answered, that of `busy` is known to have begun.
    pixeld = new_pixeld(threads=1, header_timeout="2min", drain_timeout="2min")
    idle, busy = pixeld.connect(), pixeld.connect()
    idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    assert idle.recv(4096)
    busy.sendall(("GET %s HTTP/1.1\r\n" % view()).encode())
    pixeld.ask("/healthz")
    server = pixeld.servers["pixeld"]
    server.signal(signal.SIGTERM)
    assert receive_all(idle) == b""
    assert server.alive()
    busy.sendall(("Host: a\r\nUser-Agent: %s\r\n\r\n" % AGENT).encode())
    assert Answer(receive_all(busy)).status == 200
    assert server.child.wait(proc.PATIENCE_S) == 0
    assert pixeld.recorded(AGENT) == 1
    assert not proc.accepts(pixeld.port)


def test_stop_leaves_a_proxy_the_time_to_notice(new_pixeld):
    """What it sends on an idle connection it may not be able to send again, as a browser would."""
    assert proc.wait_for(lambda: stop_with_a_proxy(new_pixeld), "a request within three seconds of the stop") == (200, "close")


def stop_with_a_proxy(new_pixeld):
    """Status and Connection of what is answered after the stop has begun; None when the request came later than a proxy has."""
    pixeld = new_pixeld(header_timeout="2min", drain_timeout="2min", trusted_proxies=["127.0.0.1"])
    first, second = pixeld.connect(), pixeld.connect()
    stranger = socket.create_connection(("127.0.0.1", pixeld.port), timeout=proc.PATIENCE_S, source_address=("127.0.0.2", 0))
    for client in (first, second, stranger):
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.recv(4096)
    server = pixeld.servers["pixeld"]
    stopped = time.monotonic()
    server.signal(signal.SIGTERM)
    assert receive_all(stranger) == b""
    try:
        first.sendall(("GET %s HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n" % (view(), AGENT)).encode())
        answer = Answer(receive_all(first))
    except ConnectionError:
        answer = Answer(b"")
    late = time.monotonic() - stopped > 2
    assert late or server.alive()
    assert receive_all(second) == b""
    assert server.child.wait(proc.PATIENCE_S) == 0
    assert not proc.accepts(pixeld.port)
    if late and not answer.status:
        return None
    assert pixeld.recorded(AGENT) == 1
    return answer.status, answer.headers["connection"]


def test_many_share_a_sync_and_none_is_forgotten_at_the_end(new_pixeld):
    pixeld = new_pixeld(settings=dict(spool_sync="0ms"))
    clients = [pixeld.connect() for _ in range(100)]
    request = ("GET %s HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n" % (view(), AGENT)).encode()
    for client in clients:
        client.sendall(request * 10)
    server = pixeld.servers["pixeld"]
    assert all(client.recv(4096) for client in clients)
    server.signal(signal.SIGTERM)
    for client in clients:
        receive_all(client)
    assert server.child.wait(proc.PATIENCE_S) == 0
    assert pixeld.recorded(AGENT) >= 100


def test_pipelined_requests_wait_for_the_disk_one_by_one(new_pixeld):
    pixeld = new_pixeld(settings=dict(spool_sync="0ms"))
    request = "GET %s HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n" % (view(), AGENT)
    last = request.replace("Host: a", "Host: a\r\nConnection: close")
    destination = "https://example.com/1"
    followed = "GET %s HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n" % (click(destination), AGENT)
    answers = pixeld.raw((request * 50 + followed + last).encode())
    assert (answers.count(b"200 OK"), answers.count(b"Location: https://example.com/1\r\n")) == (51, 1)
    pixeld.servers.pop("pixeld").kill()
    assert pixeld.recorded(AGENT) == 52


def test_sync_before_the_answer(new_pixeld):
    pixeld = new_pixeld(settings=dict(spool_sync="0ms"))
    for _ in range(20):
        assert pixeld.ask(view(), "GET", "User-Agent: " + AGENT).status == 200
    pixeld.servers.pop("pixeld").kill()
    assert pixeld.recorded(AGENT) == 20


# --- /u/TOKEN: who wants no more mail


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_at_the_unsubscribe_page_does_nothing(pixeld, method):
    target = unsubscribe()
    answer = pixeld.ask(target, method)
    assert answer.status == 200
    assert (b'<form method="post">' in answer.rest) == (method == "GET")
    assert pixeld.unsubscribed(target) == 0


def test_the_page_allows_its_style_and_its_form_alone(pixeld):
    answer = pixeld.ask(unsubscribe())
    policy = answer.headers["content-security-policy"]
    style = answer.rest[answer.rest.index(b"<style>") + 7:answer.rest.index(b"</style>")]
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    assert policy == ("default-src 'none'; style-src 'sha256-%s'; form-action 'self'; frame-ancestors 'none'; "
                      "base-uri 'none'" % digest)
    assert answer.headers["referrer-policy"] == "no-referrer" and answer.headers["cache-control"] == "no-store"
    assert b"<script" not in answer.rest and b"http:" not in answer.rest and b"https:" not in answer.rest


MULTIPART = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'


@pytest.mark.parametrize("body, fields", [
    (b"List-Unsubscribe=One-Click", ()), (b"", ()), (None, ()), (b"x" * 16384, ()),
    (MULTIPART, ("Content-Type: multipart/form-data; boundary=b", "Content-Length: %d" % len(MULTIPART))),
    (b"4\r\nList\r\n0\r\n\r\n", ("Transfer-Encoding: chunked",)),
    (b"a=b", ("Content-Type: application/x-www-form-urlencoded", "Content-Length: 3", "Origin: null"))])
def test_a_post_unsubscribes(pixeld, body, fields):
    target = unsubscribe()
    answer = pixeld.post(target + "?from=elsewhere", body, *fields)
    assert answer.status == 200 and b"no more mails" in answer.rest and b"<form" not in answer.rest
    assert "location" not in answer.headers and "set-cookie" not in answer.headers
    assert pixeld.unsubscribed(target) == 1


def test_many_posts_on_one_connection(pixeld):
    targets = [unsubscribe(message_age_s=3600 + number) for number in range(50)]
    requests = ["POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\nList-Unsubscribe=One-Click" % one for one in targets]
    last = "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % view(message_age_s=1)
    answers = pixeld.raw(("".join(requests) + last).encode())
    assert answers.count(b"HTTP/1.1 200 OK") == 51
    assert [pixeld.unsubscribed(one) for one in targets] == [1] * 50


def test_a_wrong_token_unsubscribes_nobody(pixeld):
    nobody = unsubscribe(recipient=0)
    for target in (spoiled(unsubscribe()), "/u/" + token(VIEW), "/u/" + token(CLICK), nobody, "/u/", unsubscribe() + "/"):
        assert pixeld.ask(target).status == 404
        assert pixeld.post(target).status == 404
    assert pixeld.unsubscribed(nobody) == 0


def test_under_an_unknown_key_it_is_to_be_tried_again(pixeld):
    for answer in (pixeld.ask(unsubscribe(key=9)), pixeld.post(unsubscribe(key=9))):
        assert answer.status == 503 and int(answer.headers["retry-after"]) > 0


def test_what_is_not_recorded_is_not_promised(new_pixeld):
    pixeld = new_pixeld(settings=dict(spool_segment="2MB", spool_max="4MB"))
    request = "GET %s HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n" % (view(), "x" * 500)
    pixeld.raw((request * 8999 + request.replace("Host: a", "Host: a\r\nConnection: close")).encode())
    pixeld.wait_log("pixeld", "the spool is full")
    target = unsubscribe()
    answers = [pixeld.post(target) for _ in range(40)]  # these records are small: some find room yet
    assert answers[-1].status == 503 and int(answers[-1].headers["retry-after"]) > 0
    assert pixeld.unsubscribed(target) == sum(answer.status == 200 for answer in answers)


@pytest.mark.parametrize("body, fields, status", [
    (b"x" * 20, ("Content-Length: 16385",), 413), (b"", ("Content-Length: 99999999999999999999999",), (413, 400)),
    (b"5\r\naaaaa\r\n0\r\n\r\n", ("Content-Length: 5", "Transfer-Encoding: chunked"), 400),
    (b"aaaaa", ("Content-Length: 5", "Content-Length: 5"), 400), (b"aaaaa", ("Content-Length: +5",), 400),
    (b"aaaaa", ("Content-Length : 5",), 400), (b"aaaaa", ("Content-Length: 5, 5",), 400),
    (b"aaaaa", ("Transfer-Encoding: gzip, chunked",), 400), (b"", ("Transfer-Encoding: identity",), 400)])
def test_a_post_whose_end_is_doubtful_or_far_does_nothing(pixeld, body, fields, status):
    target = unsubscribe()
    hidden = ("GET %s HTTP/1.1\r\nHost: a\r\nUser-Agent: hidden\r\n\r\n" % view()).encode()
    answer = pixeld.post(target, body + hidden, *fields)
    assert answer.status in (status if isinstance(status, tuple) else (status,))
    assert pixeld.unsubscribed(target) == 0 and pixeld.recorded("hidden") == 0


def test_chunks_without_end_are_cut_off(pixeld):
    target = unsubscribe()
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    with pixeld.connect() as client:
        try:
            client.sendall(("POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" % target).encode() +
                           chunk * 100 + b"0\r\n\r\n")
            assert receive_all(client) == b""
        except ConnectionError:
            pass
    assert pixeld.unsubscribed(target) == 0


def test_a_slow_body_ends_at_the_deadline(impatient):
    target = unsubscribe()
    with impatient.connect() as client:
        client.sendall(("POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" % target).encode())
        _, sent = slowly(client, b"a" * 999, 0.05)
    assert sent < 998
    assert impatient.unsubscribed(target) == 0


def test_a_body_may_wait_to_be_asked_for(pixeld):
    target = unsubscribe()
    with pixeld.connect() as client:
        client.sendall(("POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
                        "Content-Length: 3\r\n\r\n" % target).encode())
        assert b"100 Continue" in client.recv(4096)
        client.sendall(b"a=b")
        assert b"200 OK" in receive_all(client)
    assert pixeld.unsubscribed(target) == 1


def test_other_methods_are_refused_there_too(pixeld):
    answer = pixeld.ask(unsubscribe(), "DELETE", "Content-Length: 0")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
