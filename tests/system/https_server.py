# SPDX-License-Identifier: BSD-2-Clause
"""An HTTPS server in this process, with a certificate of its own for localhost, for what spoor-relay talks to."""

import http.server
import os
import socket
import ssl
import threading

import proc


def make_certificate(folder):
    """PEM files of a key and a certificate for localhost, in FOLDER; made once."""
    key, certificate = os.path.join(folder, "https.key"), os.path.join(folder, "https.crt")
    if not os.path.exists(certificate):
        proc.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=localhost",
                  "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate])
        os.chmod(certificate, 0o644)
    return key, certificate


class Request:
    def __init__(self, handler, body):
        self.method, self.path = handler.command, handler.path
        self.headers, self.body = handler.headers, body


class Answer:
    def __init__(self, status, body=b"", headers=None):
        self.status, self.body, self.headers = status, body, headers or {}


class BreakOff(Exception):
    """Raised by an answer: the connection ends without one, or in the middle of it."""

    def __init__(self, part=b""):
        super().__init__("connection broken off on purpose")
        self.part = part


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """Clients that go away are part of the tests."""


class HttpsServer:
    """ANSWER is called with each Request, from several threads, and gives an Answer."""

    def __init__(self, folder, answer):
        key, self.certificate = make_certificate(folder)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def respond(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                try:
                    self.give(outer.answer(Request(self, body)))
                except BreakOff as broken:
                    self.wfile.write(broken.part)
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)

            def give(self, answer):
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = do_PATCH = respond

            def log_message(self, *_):
                pass

        self.answer = answer
        self.server = _Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.url = "https://localhost:%d" % self.port
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
