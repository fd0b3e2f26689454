# SPDX-License-Identifier: BSD-2-Clause
"""A server that takes every mail and keeps what was said to it: what an MTA makes of an envelope on the wire."""

import socketserver
import threading

EXTENSIONS = ("sink.test", "PIPELINING", "SIZE 104857600", "DSN", "8BITMIME", "SMTPUTF8")


class Conversation(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def take_mail(self):
        self.say("354 go on")
        while self.rfile.readline() not in (b".\r\n", b""):
            pass
        self.say("250 taken")

    def handle(self):
        self.say("220 sink.test ESMTP")
        while line := self.rfile.readline().decode("utf-8", "replace").strip():
            self.server.commands.append(line)
            verb = line.split(" ")[0].split(":")[0].upper()
            if verb == "EHLO":
                for at, word in enumerate(EXTENSIONS):
                    self.say("250%s%s" % ("-" if at < len(EXTENSIONS) - 1 else " ", word))
            elif verb == "DATA":
                self.take_mail()
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 fine")


class Sink(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.commands = []
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def said(self, verb):
        """The commands that begin so, in the order in which they came."""
        return [line for line in self.commands if line.upper().startswith(verb)]

    def close(self):
        self.shutdown()
        self.server_close()
