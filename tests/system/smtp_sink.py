# SPDX-License-Identifier: BSD-2-Clause
"""
The next hop, with all its moods: an SMTP server whose answers a test chooses by recipient, and that keeps each mail and
each command, as an MTA makes them of an envelope.
"""

import socketserver
import threading

EXTENSIONS = ("PIPELINING", "SIZE 104857600", "DSN", "8BITMIME", "SMTPUTF8")


def takes_all(_phase, _recipient, _attempt):
    return None


class Sink:
    """
    ANSWER(phase, recipient, attempt) gives the line for "rcpt" and, for the mail's first recipient, "data"; attempt
    counts from 1 for each recipient. None is "250 2.0.0 Ok". EXTENSIONS are what EHLO tells of.
    """

    def __init__(self, answer=takes_all, extensions=(), place=("127.0.0.1", 0)):
        self.answer = answer
        lines = ("sink.test",) + extensions
        self.greeting = "\r\n".join(["250-" + line for line in lines[:-1]] + ["250 " + lines[-1]])
        self.attempts = {}
        self.commands = []
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
                    line = raw.decode("utf-8", "replace").strip()
                    word = line.split(" ")[0].upper()
                    sink.commands.append(line)
                    if word in ("MAIL", "RSET"):
                        recipients = []
                    if word == "EHLO":
                        self.say(sink.greeting)
                    elif word == "RCPT":
                        self.say(self.recipient(line, recipients))
                    elif word == "DATA":
                        self.data(recipients)
                    elif word == "QUIT":
                        self.say("221 Bye")
                        return
                    else:
                        self.say("250 Ok")

            def recipient(self, line, recipients):
                address = line.split("<", 1)[1].split(">")[0]
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

        self.server = Server(place, Session)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def said(self, verb):
        """The commands that begin so, in the order in which they came."""
        return [line for line in self.commands if line.upper().startswith(verb)]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
