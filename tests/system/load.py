# SPDX-License-Identifier: BSD-2-Clause
"""
Many clients at once, who remember what was acknowledged to them: views and clicks over connections that stay, mails
through spoor-stamp, answers through spoor-match. Each request has a number of its own, which is found in the database:
hits and answers name a message of that number, mails have it in their subject.
"""

import collections
import itertools
import socket
import threading
import time

import mailer
import mails
import proc
import tokens

DESTINATION = b"https://www.example.org/"
PIPELINED = 8
PACE_S = 0.008  # between two batches: a loader held up for seconds must not fill the spool
PAUSE_S = 0.01  # before somebody who was turned away comes again
SENDER, READER = "alice@example.com", "bob@example.net"
HITS, MAILS, ANSWERS = "hits", "mails", "answers"


class Request:
    __slots__ = ("kind", "sent_at", "acknowledged_at", "queue_id")

    def __init__(self, kind):
        self.kind = kind
        self.sent_at = time.monotonic()
        self.acknowledged_at = None
        self.queue_id = None


class Load:
    """The clients of one round. NUMBERS gives out numbers that no other round has."""

    def __init__(self, servers, numbers, agent, ports, browsers=4):
        self.servers = servers
        self.numbers = numbers
        self.agent = agent
        self.key, self.secret = tokens.first_key(servers.spoor.key_file)
        self.requests = {}
        self.counts = dict.fromkeys((HITS, MAILS, ANSWERS), 0)
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.flowing = threading.Event()
        self.connected = set()
        self.busy = set()
        self.troubles = []
        self.turned_away = collections.Counter()  # browsers: by other statuses than they should get, or with "closed"
        self.pace = PACE_S
        self.flowing.set()
        work = [lambda port=ports[n % len(ports)]: self._browse(port) for n in range(browsers)] + [self._mail, self._answer]
        self.threads = [threading.Thread(target=self._run, args=(each,), daemon=True) for each in work]

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def add_browsers(self, port, count=2):
        """More of them, on another port."""
        for _ in range(count):
            thread = threading.Thread(target=self._run, args=(lambda: self._browse(port),), daemon=True)
            self.threads.append(thread)
            thread.start()

    def stop(self):
        self.ended.set()
        self.flowing.set()
        for thread in self.threads:
            thread.join(2 * proc.PATIENCE_S)
            if thread.is_alive():
                raise proc.Failure("a client does not end")
        if self.troubles:
            raise self.troubles[0]

    def wait(self, **counts):
        """Until so many more have been acknowledged: wait(hits=100, mails=3)."""
        wanted = {kind: self.counts[kind] + count for kind, count in counts.items()}
        proc.wait_for(lambda: self.troubles or all(self.counts[kind] >= count for kind, count in wanted.items()),
                      "acknowledgements of %r; there are %r" % (wanted, self.counts), 2 * proc.PATIENCE_S)

    def hold(self):
        """Lets what is under way end; nothing more is sent until go_on()."""
        self.flowing.clear()
        proc.wait_for(lambda: not self.busy, "all clients rest", 2 * proc.PATIENCE_S)

    def go_on(self):
        self.flowing.set()

    def wait_disconnected(self):
        """After a daemon was killed: all that it answered has been read."""
        proc.wait_for(lambda: not self.connected, "all browsers have noticed")

    def is_acknowledged(self, number):
        return number in self.requests and self.requests[number].acknowledged_at is not None

    # --- the clients

    def _run(self, work):
        try:
            work()
        except Exception as error:
            self.troubles.append(error)

    def _new(self, kind):
        number = next(self.numbers)
        self.requests[number] = Request(kind)
        return number

    def _acknowledge(self, number):
        request = self.requests[number]
        request.acknowledged_at = time.monotonic()
        with self.lock:
            self.counts[request.kind] += 1

    def _may_begin(self):
        """Waits while the load is on hold; marks this client busy."""
        me = threading.get_ident()
        while not self.ended.is_set():
            self.flowing.wait()
            self.busy.add(me)
            if self.flowing.is_set() and not self.ended.is_set():
                return True
            self.busy.discard(me)
        return False

    def _rest(self):
        self.busy.discard(threading.get_ident())

    def _target(self, number):
        if number % 2:
            return "/o/%s.gif" % tokens.sign(self.secret, tokens.VIEW, number, key=self.key)
        signed = tokens.sign(self.secret, tokens.CLICK, number, DESTINATION, key=self.key, index=1)
        return "/c/%s/https%%3A%%2F%%2Fwww.example.org%%2F" % signed

    def _browse(self, port):
        me = threading.get_ident()
        while self._may_begin():
            try:
                with self.connect(port) as client, client.makefile("rb") as stream:
                    self.connected.add(me)
                    self._rest()
                    while self._may_begin():
                        self._ask_several(client, stream)
                        self._rest()
                        self.ended.wait(self.pace)
            except OSError:
                self.turned_away["closed"] += 1
            finally:
                self.connected.discard(me)
                self._rest()
            self.ended.wait(PAUSE_S)

    def connect(self, port):
        return socket.create_connection(("127.0.0.1", port), timeout=proc.PATIENCE_S)

    def _ask_several(self, client, stream):
        numbers = [self._new(HITS) for _ in range(PIPELINED)]
        client.sendall("".join("GET %s HTTP/1.1\r\nHost: t.example.com\r\nUser-Agent: %s\r\n\r\n"
                               % (self._target(number), self.agent) for number in numbers).encode())
        for number in numbers:
            status = _read_answer(stream)
            if status == (302 if number % 2 == 0 else 200):
                self._acknowledge(number)
            else:
                self.turned_away[status] += 1

    def _deliver(self, kind, content_of, deliver):
        while self._may_begin():
            number = self._new(kind)
            content = content_of(number)
            try:
                self.requests[number].queue_id = deliver(content)
                self._acknowledge(number)
            except (OSError, mailer.Refused):
                pass
            self._rest()
            self.ended.wait(PAUSE_S)

    def _mail(self):
        self._deliver(MAILS, lambda number: mails.html_8bit(SENDER, [READER], "number-%d" % number),
                      lambda content: self.servers.submit(SENDER, [READER], content))

    def _answer(self):
        def content_of(number):
            signed = tokens.sign(self.secret, tokens.MESSAGE_ID, number, key=self.key)
            return mails.answer(READER, [SENDER], "number-%d" % number, "<%s@example.com>" % signed)
        self._deliver(ANSWERS, content_of, lambda content: self.servers.answer(READER, [SENDER], content))


def _read_answer(stream):
    """The status, once all of the answer is here."""
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("closed")
    status, length = int(line.split()[1]), 0
    while True:
        line = stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("closed in the header")
        if line == b"\r\n":
            break
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if len(stream.read(length)) != length:
        raise ConnectionError("closed in the body")
    return status


def new_numbers():
    """Numbers of messages sent an hour ago."""
    return itertools.count(tokens.message_of(3600))
