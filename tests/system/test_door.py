# SPDX-License-Identifier: BSD-2-Clause
"""
The door of spoor-pixeld: TLS and renewed certificates, restarts that refuse nobody, drain, /metrics, and clients that
wish it ill. The database is not there; what was recorded is read from the spool.
"""

import os
import re
import resource
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import pytest

import exposition
import proc
import spoor as spoor_of
from test_pixeld import AGENT, Answer, click, new_pixeld, receive_all, spoiled, view  # noqa: F401 (a fixture)


def make_certificate(folder, name, days=30):
    """A key and a certificate for NAME signed with it, readable by all; their paths."""
    certificate, key = (os.path.join(folder, name + suffix) for suffix in (".pem", ".key"))
    proc.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
              str(days), "-subj", "/CN=" + name, "-keyout", key, "-out", certificate])
    os.chmod(key, 0o644)
    return certificate, key


def tls_connect(port, minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.MAXIMUM_SUPPORTED, source="127.0.0.1"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = minimum, maximum
    plain = socket.create_connection(("127.0.0.1", port), timeout=proc.PATIENCE_S, source_address=(source, 0))
    return context.wrap_socket(plain)


def name_shown(port):
    with tls_connect(port) as client:
        return re.search(rb"(first|second|third)", client.getpeercert(binary_form=True)).group().decode()


def request_of(target, agent=AGENT, *fields):
    lines = ["GET %s HTTP/1.1" % target, "Host: a", "User-Agent: " + agent] + list(fields)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.fixture
def certificates(tmp_path):
    return {name: make_certificate(str(tmp_path), name) for name in ("first", "second")}


@pytest.fixture
def tls_pixeld(new_pixeld, certificates):  # noqa: F811
    certificate, key = certificates["first"]
    port = proc.free_port()
    pixeld = new_pixeld(listen_tls=["127.0.0.1:%d" % port], tls_certificate=certificate, tls_key=key)
    pixeld.tls_port = port
    pixeld.wait_log("pixeld", "ready")
    return pixeld


def replace_pair(certificates, name, key_of=None):
    """What a renewal does: the files of "first" get other contents."""
    for at in (0, 1):
        with open(certificates[(key_of or name) if at else name][at], "rb") as new:
            contents = new.read()
        with open(certificates["first"][at], "wb") as old:
            old.write(contents)


def test_tls_answers_records_and_refuses_old_versions(tls_pixeld):
    with tls_connect(tls_pixeld.tls_port) as client:
        client.sendall(request_of(view()) + request_of(view(), AGENT, "Connection: close"))
        assert receive_all(client).count(b"GIF89a") == 2
        assert client.version() == "TLSv1.3"
    assert tls_pixeld.recorded(AGENT) == 2
    with tls_connect(tls_pixeld.tls_port, maximum=ssl.TLSVersion.TLSv1_2) as client:
        assert client.version() == "TLSv1.2"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        tls_connect(tls_pixeld.tls_port, ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
    # neither door speaks the other's language, and both stand
    with socket.create_connection(("127.0.0.1", tls_pixeld.tls_port), timeout=proc.PATIENCE_S) as client:
        client.sendall(request_of(view()))
        try:
            assert b"HTTP/1.1 200" not in receive_all(client)
        except ConnectionError:
            pass
    assert tls_pixeld.ask(view()).status == 200
    assert name_shown(tls_pixeld.tls_port) == "first"


def test_renewed_certificate_is_shown_and_no_connection_ends(tls_pixeld, certificates):
    server = tls_pixeld.servers["pixeld"]
    with tls_connect(tls_pixeld.tls_port) as old:
        replace_pair(certificates, "second")
        server.signal(signal.SIGHUP)
        tls_pixeld.wait_log("pixeld", "certificate loaded again")
        assert name_shown(tls_pixeld.tls_port) == "second"
        old.sendall(request_of(view(), AGENT, "Connection: close"))
        assert receive_all(old).endswith(b"\x3b")
    assert tls_pixeld.recorded(AGENT) == 1


def test_bad_new_certificate_keeps_the_old_one(tls_pixeld, certificates, tmp_path):
    server = tls_pixeld.servers["pixeld"]
    first_key = open(certificates["first"][1], "rb").read()
    replace_pair(certificates, "second")
    with open(certificates["first"][1], "wb") as out:
        out.write(first_key)
    server.signal(signal.SIGHUP)
    line = tls_pixeld.wait_log("pixeld", r"the old certificate stays: .*is not the key of the certificate in .*first\.pem")
    with open(certificates["first"][0], "w") as out:
        out.write("nothing\n")
    server.signal(signal.SIGHUP)
    tls_pixeld.wait_log("pixeld", r"the old certificate stays: .*first\.pem: ", since=line.end())
    assert name_shown(tls_pixeld.tls_port) == "first"
    checked = proc.run(tls_pixeld.command("pixeld") + ["-t"], check=False)
    assert checked.returncode == 78 and b"first.pem" in checked.stderr


def test_check_finds_what_tls_would_miss(tls_pixeld, certificates, tmp_path):
    def check(**section):
        conf = tls_pixeld.write_conf(str(tmp_path / "other.conf"), {"pixeld": section})
        return proc.run(tls_pixeld.command("pixeld", conf) + ["-t"], check=False)

    assert check().returncode == 0
    for section, words in (
            (dict(tls_key=""), b"tls_key is missing"), (dict(tls_certificate=""), b"tls_certificate is missing"),
            (dict(tls_key="/nowhere/key"), b"/nowhere/key: No such file"),
            (dict(tls_key=certificates["second"][1]), b"is not the key of the certificate"),
            (dict(tls_certificate=certificates["first"][1]), b"first.key: "),
            (dict(listen=[], listen_tls=[]), b"listen is missing")):
        checked = check(**section)
        assert checked.returncode == 78 and words in checked.stderr, (section, checked.stderr)
    expired = make_expired(str(tmp_path))
    checked = check(tls_certificate=expired[0], tls_key=expired[1])
    assert checked.returncode == 78 and b"has expired" in checked.stderr


def make_expired(folder):
    """As `openssl req` cannot: a certificate whose time was last year."""
    certificate, key = make_certificate(folder, "third")
    request = os.path.join(folder, "third.csr")
    conf = os.path.join(folder, "ca.conf")
    with open(conf, "w") as out:
        out.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\nserial=%s/serial\nnew_certs_dir=%s\ndefault_md=sha256\n"
                  "policy=p\n[p]\ncommonName=supplied\n" % (folder, folder, folder))
    open(os.path.join(folder, "index"), "w").close()
    with open(os.path.join(folder, "serial"), "w") as out:
        out.write("01\n")
    proc.run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=third", "-out", request])
    proc.run(["openssl", "ca", "-batch", "-config", conf, "-selfsign", "-keyfile", key, "-in", request, "-startdate",
              "20240101000000Z", "-enddate", "20240201000000Z", "-notext", "-out", certificate])
    return certificate, key


def test_loopback_without_trusted_proxies_is_warned_of(new_pixeld, tmp_path):  # noqa: F811
    pixeld = new_pixeld()
    warning = "pixeld.trusted_proxies is empty"
    pixeld.wait_log("pixeld", warning)
    assert warning in proc.run(pixeld.command("pixeld") + ["-t"]).stderr.decode()
    for section in (dict(trusted_proxies=["127.0.0.1"]), dict(listen=["0.0.0.0:%d" % pixeld.port])):
        conf = pixeld.write_conf(str(tmp_path / "other.conf"), {"pixeld": section})
        assert warning not in proc.run(pixeld.command("pixeld", conf) + ["-t"]).stderr.decode()


# Restarts


class Visitors:
    """Threads that make connection after connection, each with a request whose User-Agent no other has."""

    def __init__(self, connects, count=4):
        self.answered, self.failed = [], []
        self.enough = threading.Event()
        self.threads = [threading.Thread(target=self.visit, args=(n, connects[n % len(connects)])) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def visit(self, number, connect):
        visit = 0
        while not self.enough.is_set():
            visit += 1
            agent = "visitor-%d-%d." % (number, visit)
            try:
                with connect() as client:
                    client.settimeout(proc.PATIENCE_S)
                    client.sendall(request_of(view(), agent, "Connection: close"))
                    answer = Answer(receive_all(client))
                if answer.status == 200 and len(answer.rest) == 43:
                    self.answered.append(agent)
                else:
                    self.failed.append((agent, "status %d" % answer.status))
            except (OSError, ssl.SSLError) as error:
                self.failed.append((agent, repr(error)))

    def wait_more(self, more=30):
        """Until so many more were answered: the daemon that is there now does its work."""
        wanted = len(self.answered) + more
        proc.wait_for(lambda: len(self.answered) >= wanted or self.failed, "%d more answers" % more)

    def leave(self):
        self.enough.set()
        for thread in self.threads:
            thread.join()


def judge(visitors, pixeld):
    visitors.leave()
    assert visitors.failed == []
    spooled = pixeld.spooled()
    found = re.findall(rb"visitor-\d+-\d+\.", spooled)
    assert sorted(found) == sorted(agent.encode() for agent in visitors.answered)


def activated(pixeld, sockets, whose="LISTEN_PID=$$"):
    """Starts spoor-pixeld as systemd does, with SOCKETS from descriptor 3 on; WHOSE says for whom they are."""
    log = os.path.join(pixeld.log_folder, "pixeld.log")

    def hand_down():
        high = [os.dup(os.dup(os.dup(one.fileno()))) for one in sockets]
        for at, fd in enumerate(high):
            os.dup2(fd, 3 + at, inheritable=True)

    words = ["sh", "-c", '%s LISTEN_FDS=%d exec "$@"' % (whose, len(sockets)), "sh"]
    with open(log, "ab") as out:
        return subprocess.Popen(words + pixeld.command("pixeld"), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                cwd="/", close_fds=False, env=dict(os.environ, **pixeld.environment),
                                preexec_fn=lambda: (proc.die_with_parent()(), hand_down()))


def listening(port):
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", port))
    one.listen(512)
    return one


def test_sockets_outlive_a_predecessor_that_died(new_pixeld):  # noqa: F811
    pixeld = new_pixeld()
    pixeld.stop("pixeld")
    with listening(pixeld.port) as door:
        child = activated(pixeld, [door], "SPOOR_PREDECESSOR=1073741824")
        try:
            assert pixeld.ask(view(), "GET", "User-Agent: " + AGENT).status == 200
        finally:
            child.terminate()
            assert child.wait(proc.PATIENCE_S) == 0


def test_ten_restarts_by_systemd_lose_nobody(tls_pixeld):
    pixeld = tls_pixeld
    pixeld.stop("pixeld")
    sockets = [listening(pixeld.port), listening(pixeld.tls_port)]
    visitors = Visitors([pixeld.connect, lambda: tls_connect(pixeld.tls_port)])
    try:
        for _ in range(11):
            child = activated(pixeld, sockets)
            visitors.wait_more()
            child.send_signal(signal.SIGTERM)
            assert child.wait(proc.PATIENCE_S) == 0
        child = activated(pixeld, sockets)
        visitors.wait_more(5)
        judge(visitors, pixeld)
    finally:
        visitors.leave()
        child.terminate()
        child.wait(proc.PATIENCE_S)
        for one in sockets:
            one.close()
    assert "handed over that no option names" not in pixeld.log_text("pixeld")


def test_threads_that_work_while_the_doors_are_given_up_end_nothing(tls_pixeld):
    pixeld = tls_pixeld
    pixeld.stop("pixeld")
    # The library took a door out of a thread's epoll set without regard to the thread, which does so itself.
    pixeld.environment["LD_PRELOAD"] = os.path.join(spoor_of.build_folder(), "tests/support/late_quiesce.so")
    pixeld.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"  # what is preloaded stands before it
    sockets = [listening(pixeld.port), listening(pixeld.tls_port)]
    child = activated(pixeld, sockets)
    visitors = Visitors([pixeld.connect, lambda: tls_connect(pixeld.tls_port)])
    try:
        visitors.wait_more()
        child.send_signal(signal.SIGTERM)
        assert child.wait(proc.PATIENCE_S) == 0
        pixeld.environment.clear()
        child = activated(pixeld, sockets)
        visitors.wait_more()
        judge(visitors, pixeld)
    finally:
        visitors.leave()
        child.terminate()
        child.wait(proc.PATIENCE_S)
        for one in sockets:
            one.close()
    assert "could not be given up safely" not in pixeld.log_text("pixeld")


def pid_in(path, but=None):
    def look():
        try:
            with open(path) as file:
                pid = int(file.read() or 0)
        except OSError:
            return None
        return pid if pid != but else None
    return proc.wait_for(look, "another pid in " + path)


def test_ten_upgrades_in_place_lose_nobody(tls_pixeld, tmp_path):
    pixeld = tls_pixeld
    pid_folder = tmp_path / "pid"
    pid_folder.mkdir()
    pid_folder.chmod(0o777)
    admin = os.path.join(pixeld.sockets, "admin.sock")
    pixeld.stop("pixeld")
    pixeld.settings["pid_directory"] = str(pid_folder)
    pixeld.sections["pixeld"]["admin_listen"] = "unix:" + admin
    pixeld.write_conf()
    pixeld.start("pixeld")
    pid_file = str(pid_folder / "spoor-pixeld.pid")
    pid = pid_in(pid_file)
    visitors = Visitors([pixeld.connect, lambda: tls_connect(pixeld.tls_port)])
    try:
        for _ in range(10):
            visitors.wait_more()
            os.kill(pid, signal.SIGUSR2)
            pid = pid_in(pid_file, but=pid)
        visitors.wait_more()
        assert b"spoor_pixeld_requests_total" in ask_admin(admin, "/metrics").rest
        judge(visitors, pixeld)
        assert pixeld.servers.pop("pixeld").child.wait(proc.PATIENCE_S) == 0
    finally:
        visitors.leave()
        os.kill(pid, signal.SIGTERM)
    proc.wait_for(lambda: not os.path.exists(pid_file), "the pid file goes with the last of them")
    assert not proc.accepts(pixeld.port)


def has_ended(pid):
    """Gone, or waiting for its parent to ask."""
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_upgrade_of_a_daemon_that_has_detached(new_pixeld, tmp_path):  # noqa: F811
    pixeld = new_pixeld()
    assert pixeld.stop("pixeld") == 0
    folder = tmp_path / "pid"
    folder.mkdir()
    folder.chmod(0o777)
    pixeld.settings["pid_directory"] = str(folder)
    pixeld.write_conf()
    program, *words = pixeld.command("pixeld")
    started = proc.run([os.path.relpath(program)] + [word for word in words if word != "-f"])
    assert started.returncode == 0
    pid_file = str(folder / "spoor-pixeld.pid")
    first = pid_in(pid_file)
    second = None
    visitors = Visitors([pixeld.connect], 2)
    try:
        visitors.wait_more(5)
        os.kill(first, signal.SIGUSR2)
        second = pid_in(pid_file, but=first)
        visitors.wait_more()
        judge(visitors, pixeld)
        proc.wait_for(lambda: has_ended(first), "the old one ends")
    finally:
        visitors.leave()
        os.kill(second or first, signal.SIGTERM)
    proc.wait_for(lambda: not os.path.exists(pid_file), "the pid file goes")


def test_successor_that_cannot_start_changes_nothing(new_pixeld):  # noqa: F811
    pixeld = new_pixeld()
    good = open(pixeld.conf).read()
    with open(pixeld.conf, "a") as out:
        out.write("nonsense = 1\n")
    pixeld.servers["pixeld"].signal(signal.SIGUSR2)
    pixeld.wait_log("pixeld", "no such option 'nonsense'")
    assert pixeld.ask(view()).status == 200
    with open(pixeld.conf, "w") as out:
        out.write(good)
    assert pixeld.servers["pixeld"].alive()


def test_last_answers_say_so(new_pixeld):  # noqa: F811
    # One thread: when the request behind them is answered, theirs are known to have begun.
    pixeld = new_pixeld(threads=1, header_timeout="2min", drain_timeout="2min")
    busy = [pixeld.connect() for _ in range(3)]
    targets = [view(), click("https://example.com/"), "/nowhere"]
    for client, target in zip(busy, targets):
        client.sendall(("GET %s HTTP/1.1\r\n" % target).encode())
    with pixeld.connect() as idle:
        idle.sendall(request_of("/healthz"))
        assert b"Connection: close" not in idle.recv(4096)
        pixeld.servers["pixeld"].signal(signal.SIGTERM)
        assert receive_all(idle) == b""
    for client, status in zip(busy, (200, 302, 404)):
        client.sendall(b"Host: a\r\n\r\n")
        answer = Answer(receive_all(client))
        assert (answer.status, answer.headers.get("connection")) == (status, "close")
    assert pixeld.servers["pixeld"].child.wait(proc.PATIENCE_S) == 0


def test_drain_ends_in_time(new_pixeld):  # noqa: F811
    pixeld = new_pixeld(threads=1, header_timeout="5min", drain_timeout="500ms")
    with pixeld.connect() as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        assert pixeld.ask(view()).status == 200
        server = pixeld.servers["pixeld"]
        server.signal(signal.SIGTERM)
        assert server.child.wait(proc.PATIENCE_S) == 0
    pixeld.wait_log("pixeld", "some connections had not ended after 500 ms")


# The admin door


def ask_admin(path, target, method="GET"):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(proc.PATIENCE_S)
        client.connect(path)
        client.sendall(("%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % (method, target)).encode())
        return Answer(receive_all(client))


@pytest.fixture
def told(new_pixeld, tmp_path):  # noqa: F811
    tmp_path.chmod(0o755)
    path = str(tmp_path / "admin.sock")
    pixeld = new_pixeld(admin_listen="unix:" + path, settings=dict(spool_max="8MB", spool_segment="2MB"))
    pixeld.admin = path
    pixeld.wait_log("pixeld", "ready")
    return pixeld


def metrics(pixeld):
    answer = ask_admin(pixeld.admin, "/metrics")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return exposition.parse(answer.rest.decode())


def test_metrics_count_what_happens(told):
    before = time.time()
    first = metrics(told)
    assert first.value("spoor_pixeld_requests_total", route="view", status="200") == 0
    assert abs(first.value("process_start_time_seconds") - before) < 60
    for _ in range(3):
        told.ask(view(), "GET", "User-Agent: " + AGENT)
    told.ask(click("https://example.com/"), "HEAD")
    told.ask(spoiled(view()))
    told.ask("/nowhere")
    told.ask("/", "POST", "Content-Length: 0")
    told.ask("/u/" + "a" * 44, "POST", "Content-Length: 16385")
    told.ask(view(key=201))  # not in the key file: anybody can ask for that
    second = metrics(told)
    assert second.value("spoor_pixeld_requests_total", route="view", status="200") == 5
    assert second.value("spoor_pixeld_requests_total", route="click", status="302") == 1
    assert second.value("spoor_pixeld_requests_total", route="nowhere", status="404") == 1
    assert second.value("spoor_pixeld_requests_total", route="nowhere", status="405") == 1
    assert second.value("spoor_pixeld_requests_total", route="unsubscribe", status="413") == 1
    assert second.total("spoor_pixeld_hits_total", kind="view") == 3
    assert second.value("spoor_pixeld_hits_total", kind="click", verdict="bot") == 1
    assert second.value("spoor_pixeld_hits_lost_total") == 0
    assert second.value("spoor_spool_appended_bytes_total") > first.value("spoor_spool_appended_bytes_total") == 0
    assert second.value("spoor_spool_max_bytes") == 8 * 2 ** 20
    assert 2 ** 21 <= second.value("spoor_spool_bytes") <= 8 * 2 ** 20
    assert second.value("spoor_spool_writable") == 1
    assert second.value("spoor_database_connected") == 0
    assert second.value("spoor_loader_waiting_bytes") >= second.value("spoor_spool_appended_bytes_total")
    for name, kind in second.types.items():
        assert (kind == "counter") == name.endswith("_total"), name


def test_metrics_of_connections(new_pixeld, tmp_path):  # noqa: F811
    tmp_path.chmod(0o755)
    pixeld = new_pixeld(admin_listen="unix:" + str(tmp_path / "admin.sock"), connections_per_address=3,
                        header_timeout="500ms")
    pixeld.admin = str(tmp_path / "admin.sock")
    pixeld.wait_log("pixeld", "ready")
    clients = []

    def five_refused():
        """Three at once are let in; on a slow machine the first of them may be late before the last of eight comes."""
        clients.extend(pixeld.connect() for _ in range(8))
        return metrics(pixeld).value("spoor_pixeld_connections_refused_total", limit="connections_per_address") >= 5
    proc.wait_for(five_refused, "five were refused")
    proc.wait_for(lambda: metrics(pixeld).value("spoor_pixeld_connections_late_total") >= 2,
                  "those that were let in were late")
    proc.wait_for(lambda: metrics(pixeld).value("spoor_pixeld_connections") == 0, "none is left")
    for client in clients:
        client.close()


def test_admin_door_serves_nothing_else_and_the_public_one_no_metrics(told):
    assert ask_admin(told.admin, "/healthz").rest == b"ok\n"
    assert ask_admin(told.admin, view()).status == 404
    assert ask_admin(told.admin, "/metrics", "POST").status == 405
    assert told.ask("/metrics").status == 404
    assert told.ask("/healthz").rest == b"ok\n"


def test_admin_door_over_tcp_and_a_path_in_use(new_pixeld, told):  # noqa: F811
    port = proc.free_port()
    pixeld = new_pixeld(admin_listen="127.0.0.1:%d" % port)
    pixeld.wait_log("pixeld", "ready")  # the other door may be open first
    with socket.create_connection(("127.0.0.1", port), timeout=proc.PATIENCE_S) as client:
        client.sendall(request_of("/metrics", AGENT, "Connection: close"))
        exposition.parse(Answer(receive_all(client)).rest.decode())
    conf = pixeld.write_conf(pixeld.conf + ".other", {"pixeld": {"admin_listen": "unix:" + told.admin}})
    refused = proc.run(pixeld.command("pixeld", conf), check=False)
    assert refused.returncode == 1
    assert ask_admin(told.admin, "/healthz").status == 200


# Clients that wish it ill


def memory_kb(server):
    with open("/proc/%d/status" % server.pid) as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))


SANITIZED = "libasan" in subprocess.run(["ldd", spoor_of.program("pixeld/spoor-pixeld")],
                                        stdout=subprocess.PIPE).stdout.decode()


def test_ten_thousand_idle_connections(new_pixeld):  # noqa: F811
    wanted = 10000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted + 500:
        pytest.skip("no more than %d descriptors are allowed here" % hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    pixeld = new_pixeld(connections=20000, connections_per_address=0, header_timeout="5min", idle_timeout="5min")
    server = pixeld.servers["pixeld"]
    clients = []
    try:
        before = memory_kb(server)
        for n in range(wanted):
            clients.append(socket.create_connection(("127.0.0.1", pixeld.port), proc.PATIENCE_S, ("127.0.0.%d" % (2 + n % 4), 0)))
        for client in clients[::10]:
            client.sendall(request_of("/healthz"))
        for client in clients[::10]:
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        each = (memory_kb(server) - before) * 1024 // wanted
        print("\n%d bytes of memory an idle connection" % each)
        assert SANITIZED or each < 16 * 1024
        assert pixeld.ask(view(), "GET", "User-Agent: " + AGENT).status == 200
        assert pixeld.recorded(AGENT) == 1
    finally:
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_wrong_tokens_by_the_hundred_thousand_take_no_memory(new_pixeld):  # noqa: F811
    pixeld = new_pixeld()
    server = pixeld.servers["pixeld"]
    requests = b"".join(request_of(spoiled(target), "wrong") for target in
                        [view() for _ in range(125)] + [click("https://example.com/%d" % n) for n in range(125)])

    def send(rounds):
        with pixeld.connect() as client:
            client.settimeout(proc.PATIENCE_S)
            sender = threading.Thread(target=lambda: [client.sendall(requests) for _ in range(rounds)])
            sender.start()
            seen, kept = 0, b""
            while seen < 250 * rounds:
                more = kept + client.recv(1 << 20)
                seen += more.count(b"HTTP/1.1 ")
                kept = more[-8:] if not more.endswith(b"HTTP/1.1 ") else b""
            sender.join()

    send(20)
    before = memory_kb(server)
    send(400)
    grown = memory_kb(server) - before
    assert SANITIZED or grown < 2048, "%d KB more after 100,000 wrong tokens" % grown
    assert pixeld.recorded("wrong") == 0


def test_slow_readers_and_senders_do_not_keep_others_waiting(new_pixeld):  # noqa: F811
    pixeld = new_pixeld(threads=1, connections_per_address=0, header_timeout="1s")
    slow = [pixeld.connect() for _ in range(200)]
    for client in slow:
        client.sendall(b"GET /o/x.gif HTTP/1.1\r\nX: ")
    greedy = pixeld.connect()
    greedy.sendall(request_of(view(), "greedy") * 300)
    assert pixeld.ask(view(), "GET", "User-Agent: " + AGENT).status == 200
    for client in slow:
        try:
            assert receive_all(client) == b""
        except ConnectionError:
            pass
        client.close()
    greedy.close()
    assert pixeld.recorded(AGENT) == 1


@pytest.mark.parametrize("expectation", ["100-continue", "something-else"])
def test_expect(new_pixeld, expectation):  # noqa: F811
    """Nobody needs to ask before a request without a body; who does gets an answer and no second request slips in."""
    pixeld = new_pixeld()
    answer = pixeld.raw(request_of(view(), AGENT, "Expect: " + expectation, "Connection: close"))
    final = answer[answer.index(b"HTTP/1.1 100 Continue\r\n\r\n") + 25:] if b"100 Continue" in answer else answer
    assert Answer(final).status == 200
    answer = pixeld.raw(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
    assert b" 405 " in answer.splitlines()[0] and answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("target, status", [
    ("http://[::1]:80%s", 200), ("HTTP://a%s", 200), ("//a%s", 404), ("http://%s", 200), ("*", 404), ("a:443", 404)])
def test_forms_of_a_target(new_pixeld, target, status):  # noqa: F811
    pixeld = new_pixeld()
    seen = pixeld.ask(target % view() if "%s" in target else target, "GET", "User-Agent: " + AGENT)
    assert seen.status in (status, 400)
    assert pixeld.recorded(AGENT) == (1 if seen.status == 200 else 0)


def test_two_content_lengths_and_what_follows(new_pixeld):  # noqa: F811
    pixeld = new_pixeld()
    for fields in (["Content-Length: 5", "Content-Length: 5"], ["Content-Length: 0", "Content-Length: 0"],
                   ["Content-Length: 5, 5"], ["content-length: +5"]):
        answer = pixeld.raw(request_of(view(), "first", *fields) + request_of(view(), "smuggled", "Connection: close"))
        assert answer.count(b"HTTP/1.1 200") <= (2 if fields[0].endswith(": 0") else 0), fields
    assert pixeld.recorded("smuggled") <= 1


def test_ipv6(new_pixeld):  # noqa: F811
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    port = proc.free_port()
    pixeld = new_pixeld(trusted_proxies=["fd00::/8"])
    pixeld.sections["pixeld"]["listen"].append("[::1]:%d" % port)
    pixeld.write_conf()
    since = len(pixeld.log_text("pixeld"))
    pixeld.restart("pixeld")
    pixeld.wait_log("pixeld", "ready", since=since)  # the other door may be open first
    with socket.create_connection(("::1", port), timeout=proc.PATIENCE_S) as client:
        client.sendall(request_of(view(), AGENT, "X-Forwarded-For: 192.0.2.1", "Connection: close"))
        assert Answer(receive_all(client)).status == 200
    assert pixeld.recorded(AGENT) == 1
    assert socket.inet_pton(socket.AF_INET6, "::1") in pixeld.spooled()
