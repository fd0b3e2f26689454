# SPDX-License-Identifier: BSD-2-Clause
"""An SMTP server whose answers a test chooses by recipient: the next hop, with all its moods."""

import socketserver
import threading


class Sink:
    """
    ANSWER(phase, recipient, attempt) gives the line for "rcpt" and, for the mail's first recipient, "data"; attempt
    counts from 1 for each recipient. None is "250 2.0.0 Ok".
    """

    def __init__(self, answer):
        self.answer = answer
        self.attempts = {}
        self.mails = []  # (recipients, content)
        self.lock = threading.Lock()
        sink = self

        class Session(socketserver.StreamRequestHandler):
            def say(self, line):
                self.wfile.write(line.encode() + b"\r\n")

            def handle(self):
                self.say("220 sink.test ESMTP")
                recipients = []
                for raw in self.rfile:
                    word = raw.split(b" ")[0].strip().upper()
                    if word in (b"MAIL", b"RSET"):
                        recipients = []
                    if word == b"RCPT":
                        self.say(self.recipient(raw, recipients))
                    elif word == b"DATA":
                        self.data(recipients)
                    elif word == b"QUIT":
                        self.say("221 Bye")
                        return
                    else:
                        self.say("250 Ok")

            def recipient(self, raw, recipients):
                address = raw.split(b"<", 1)[1].split(b">")[0].decode()
                with sink.lock:
                    sink.attempts[address] = sink.attempts.get(address, 0) + 1
                    attempt = sink.attempts[address]
                line = sink.answer("rcpt", address, attempt) or "250 2.1.5 Ok"
                if line.startswith("2"):
                    recipients.append(address)
                return line

            def data(self, recipients):
                if not recipients:
                    self.say("503 no recipients")
                    return
                self.say("354 Go on")
                content = b""
                for raw in self.rfile:
                    if raw == b".\r\n":
                        break
                    content += raw[1:] if raw.startswith(b".") else raw
                line = sink.answer("data", recipients[0], sink.attempts[recipients[0]]) or "250 2.0.0 Ok"
                if line.startswith("2"):
                    with sink.lock:
                        sink.mails.append((list(recipients), content))
                self.say(line)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", 0), Session)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
