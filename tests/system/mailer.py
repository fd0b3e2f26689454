# SPDX-License-Identifier: BSD-2-Clause
"""Sends bytes by SMTP exactly as they are."""

import re
import smtplib
import socket

import proc


class Refused(Exception):
    def __init__(self, code, text):
        self.code = code
        super().__init__("%d %s" % (code, text))


def _expect(answer, wanted):
    code, text = answer
    if code != wanted:
        raise Refused(code, text.decode("utf-8", "replace"))
    return text.decode("utf-8", "replace")


def send(port, sender, recipients, content, source="", timeout=120, login=None, client_address=None):
    """
    The queue id under which the MTA took the mail. PORT is a proc.endpoint(). Refused says which code came instead. LOGIN as if it had been proved, and
    CLIENT_ADDRESS as if it came from there: a proxy in front of Postfix tells it so.
    """
    address, port = proc.endpoint(port)
    with smtplib.SMTP(address, port, local_hostname="client.test", timeout=timeout,
                      source_address=(source, 0)) as client:
        client.ehlo_or_helo_if_needed()
        if login:
            _expect(client.docmd("XCLIENT", "LOGIN=" + login + (" ADDR=" + client_address if client_address else "")), 220)
            client.ehlo()
        options = ["SMTPUTF8", "BODY=8BITMIME"] if _needs_utf8(sender, recipients) else ["BODY=8BITMIME"]
        _expect(client.mail(sender, options), 250)
        for recipient in recipients:
            _expect(client.rcpt(recipient), 250)
        text = _expect(client.data(content), 250)
    return queue_id_of(text)


def queue_id_of(text):
    """"2.0.0 Ok: queued as 4bXw2P5Jz9" of Postfix, "2.0.0 6AUCSwxT010526 Message accepted for delivery" of Sendmail."""
    return re.search(r"queued as (\w+)|(\w+) Message accepted", text)[0].replace("queued as ", "").split()[0]


class Halfway:
    """A mail that is under way: everything but the end of its body has been sent."""

    def __init__(self, port, sender, recipient, content):
        self.rest = content[-20:] + b"\r\n.\r\n"
        self.client = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.stream = self.client.makefile("rb")
        self.stream.readline()
        for line in ("HELO client.test", "MAIL FROM:<%s>" % sender, "RCPT TO:<%s>" % recipient, "DATA"):
            self.say(line.encode())
        self.client.sendall(content[:-20])

    def say(self, line):
        self.client.sendall(line + b"\r\n")
        return self.stream.readline()

    def finish(self):
        """The MTA's answer to the whole mail."""
        self.client.sendall(self.rest)
        answer = self.stream.readline().decode()
        self.stream.close()
        self.client.close()
        return answer


def _needs_utf8(sender, recipients):
    return any(not address.isascii() for address in [sender] + list(recipients))


def hang_up_in_body(port, sender, recipient, part_of_mail):
    """Sends the mail up to there and drops the connection."""
    client = socket.create_connection(("127.0.0.1", port), timeout=30)
    stream = client.makefile("rb")
    stream.readline()
    for line in ("HELO client.test", "MAIL FROM:<%s>" % sender, "RCPT TO:<%s>" % recipient, "DATA"):
        client.sendall(line.encode() + b"\r\n")
        stream.readline()
    client.sendall(part_of_mail)
    stream.close()
    # Linger 0: the peer sees a reset, as when a laptop's lid is closed.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
