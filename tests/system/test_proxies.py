# SPDX-License-Identifier: BSD-2-Clause
"""spoor-pixeld behind real web servers that are set up by the samples in contrib: nginx, Apache, HAProxy."""

import os
import re
import shutil

import pytest

import proc
from spoor import SOURCE
from test_door import make_certificate, tls_connect
from test_pixeld import AGENT, Answer, click, new_pixeld, receive_all, view  # noqa: F401 (a fixture)
from tokens import unsubscribe

CERTIFICATE = "/etc/letsencrypt/live/t.example.com/"

NGINX = """\
daemon off;
user nobody nogroup;
pid {folder}/pid;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/sample;
}}
"""

APACHE = """\
ServerRoot {folder}
ServerName t.example.com
PidFile {folder}/pid
DefaultRuntimeDir {folder}
ErrorLog {folder}/error
User nobody
Group nogroup
Listen 127.0.0.1:{port}
""" + "".join("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n" % (name, name) for name in (
    "mpm_event", "authz_core", "headers", "ssl", "proxy", "proxy_http")) + "Include {folder}/sample\n"

HAPROXY = """\
defaults
    timeout connect 30s
    timeout client 90s
    timeout server 90s
"""


class Proxy:
    """One of the servers, in front of a spoor-pixeld that is alone."""

    def __init__(self, folder, program, pixeld):
        self.folder, self.pixeld, self.port = folder, pixeld, proc.free_port()
        self.log = os.path.join(folder, "log")
        certificate, key = make_certificate(folder, "proxy")
        self.changes = {"127.0.0.1:8080": "127.0.0.1:%d" % pixeld.port, CERTIFICATE + "fullchain.pem": certificate,
                        CERTIFICATE + "privkey.pem": key, "/etc/haproxy/t.example.com.pem": os.path.join(folder, "both"),
                        " 443 ": " 127.0.0.1:%d " % self.port, "*:443": "127.0.0.1:%d" % self.port,
                        " :443 ": " 127.0.0.1:%d " % self.port}
        with open(self.changes["/etc/haproxy/t.example.com.pem"], "wb") as both:
            for path in (certificate, key):
                with open(path, "rb") as part:
                    both.write(part.read())
        # What is a flood on a fast machine is one here too, where the same requests may take a minute.
        self.changes.update({"rate=100r/s": "rate=1r/s", "http_req_rate(1s)": "http_req_rate(1m)"})
        self.server = proc.Server(program, getattr(self, program)(), self.log)
        self.server.wait_ready(self.port)

    def sample(self, name):
        with open(os.path.join(SOURCE, "contrib", name), encoding="utf-8") as sample:
            text = sample.read()
        for old, new in self.changes.items():
            text = text.replace(old, new)
        assert not re.search(r"\b443\b", text) and "letsencrypt" not in text
        return text

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def nginx(self):
        self.write("sample", self.sample("nginx/spoor.conf"))
        return ["nginx", "-e", self.log, "-c", self.write("conf", NGINX.format(folder=self.folder))]

    def apache2(self):
        self.write("sample", self.sample("apache/spoor.conf"))
        return ["apache2", "-D", "FOREGROUND", "-f", self.write("conf", APACHE.format(folder=self.folder, port=self.port))]

    def haproxy(self):
        return ["haproxy", "-db", "-f", self.write("conf", HAPROXY + self.sample("haproxy/spoor.cfg"))]

    def ask(self, target, *fields, method="GET", body=b"", source="127.0.0.1"):
        lines = ["%s %s HTTP/1.1" % (method, target), "Host: t.example.com", "Connection: close", "User-Agent: " + AGENT]
        with tls_connect(self.port, source=source) as client:
            client.sendall(("\r\n".join(lines + list(fields)) + "\r\n\r\n").encode("latin-1") + body)
            return Answer(receive_all(client))


@pytest.fixture(params=["nginx", "apache2", "haproxy"])
def proxy(request, new_pixeld, tmp_path):  # noqa: F811
    program = request.param
    if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
        pytest.skip("there is no " + program)
    pixeld = new_pixeld(trusted_proxies=["127.0.0.1"])
    folder = tmp_path / "proxy"
    folder.mkdir()
    one = Proxy(str(folder), program, pixeld)
    yield one
    one.server.stop()


DESTINATIONS = (
    "https://example.com/", "http://example.com", "http://example.com/a?b=c&d=%20#e", "https://example.com/%252F%2F%2f",
    "https://[2001:db8::1]:8/", "https://example.com/a//b///c/", "https://example.com/a/../b/./c/%2e%2e/d", "https://example.com/?",
    "https://example.com/;p=1?q=a+b'(c)*~!$,@:|^`{}[]", "https://example.com/%E2%82%AC/%00%0d%0a%zz".replace("%zz", ""),
    "https://example.com/%5C..%5Cx", "https://EXAMPLE.com/" + "x" * 1400, "https://example.com/?u=https://other.example/%3Fa%3Db%26c",
    "https://example.com/#//../")


def test_every_shape_of_a_link_passes(proxy):
    for destination in DESTINATIONS:
        for target in (click(destination), click(destination) + "?fbclid=a%2Fb&x=//"):
            answer = proxy.ask(target)
            assert (answer.status, answer.headers.get("location")) == (302, destination), target


def test_views_and_unsubscribing_pass(proxy):
    assert proxy.ask(view()).headers["content-type"] == "image/gif"
    assert proxy.ask(view(), method="HEAD").status == 200
    path = unsubscribe()
    body = b"List-Unsubscribe=One-Click"
    answer = proxy.ask(path, "Content-Type: application/x-www-form-urlencoded", "Content-Length: %d" % len(body), method="POST", body=body)
    assert answer.status == 200 and proxy.pixeld.unsubscribed(path) == 1


def test_the_client_is_whoever_connects(proxy):
    """And not whom he claims to be."""
    proxy.ask(view(), "X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9", source="127.0.0.5")
    assert proxy.pixeld.recorded(AGENT) == 1
    spooled = proxy.pixeld.spooled()
    assert bytes([127, 0, 0, 5]) in spooled and bytes([203, 0, 113, 9]) not in spooled


def test_a_flood_is_cut_down_and_others_are_served(proxy):
    if proxy.server.name == "apache2":
        pytest.skip("Apache itself knows no such limit")
    request = ("GET %s HTTP/1.1\r\nHost: t.example.com\r\nUser-Agent: %s\r\n\r\n" % (view(), AGENT)).encode()
    answers = []
    with tls_connect(proxy.port, source="127.0.0.5") as client, client.makefile("rb") as stream:
        while len(answers) < 5000 and 429 not in answers:
            client.sendall(request * 100)
            answers += filter(None, [status_of(stream) for _ in range(100)])
    assert answers.count(200) >= 300 and 429 in answers
    assert proxy.ask(view(), source="127.0.0.6").status == 200


def status_of(stream):
    """Of the next answer; None when there is no more."""
    line = stream.readline()
    length = 0
    while (field := stream.readline().strip().lower()):
        if field.startswith(b"content-length:"):
            length = int(field.split(b":")[1])
    stream.read(length)
    return int(line.split()[1]) if line else None
