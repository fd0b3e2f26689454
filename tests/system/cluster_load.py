# SPDX-License-Identifier: BSD-2-Clause
"""
What the world does with a cluster: mail programs that hand in to either submission host, browsers that follow pixels and
links through HAProxy, recipients who answer what they got to either MX, and campaigns that would go on after an answer.
"""

import itertools
import random
import re
import socket
import ssl
import threading
import time

import cluster_site
import load
import mailer
import mails
import proc
import traces

AGENT = "Mozilla/5.0 (cluster)"
PAUSE_S = 0.03
PATIENCE_S = 30    # of a client, with a server that does not answer
CAMPAIGNS = "campaigns"
NUMBER = re.compile(rb"^Subject: [^\r]*\bnumber-(\d+)", re.M)


class Mail(load.Request):
    """`answered` is the number of the mail that an answer is to; `seconds` is how long its client waited."""

    __slots__ = ("answered", "seconds")

    def __init__(self, kind):
        super().__init__(kind)
        self.answered = self.seconds = None


class Delivered:
    """What a sink has got: the mails by their numbers."""

    def __init__(self, sink):
        self.sink, self.seen, self.mails = sink, 0, {}

    def look(self):
        """The numbers that are new."""
        new = []
        while self.seen < len(self.sink.mails):
            content = self.sink.mails[self.seen][1]
            self.seen += 1
            found = NUMBER.search(content)
            if found:
                new.append(int(found.group(1)))
                self.mails[new[-1]] = content
        return new


class Traffic(load.Load):
    def __init__(self, site, numbers, seed, browsers=6):
        self.random = random.Random(seed)
        self.site = site
        self.world = Delivered(site.world)
        self.to_answer = []
        self.held, self.broken_stops = 0, []  # campaigns that were refused after an answer, and those that were not
        self.refusals = []  # what mail programs and recipients were told instead of 250
        self.turn = itertools.count()
        super().__init__(site, numbers, AGENT, cluster_site.CLIENTS, browsers)
        self.pace = 0.05
        self.counts[CAMPAIGNS] = 0
        self.threads += [threading.Thread(target=self._run, args=(work,), daemon=True)
                         for work in (self._mail, self._campaign)]

    def _new(self, kind):
        with self.lock:  # a generator, which only one may ask at a time
            number = next(self.numbers)
        self.requests[number] = load.Request(kind) if kind == load.HITS else Mail(kind)
        return number

    def connect(self, source):
        address = (cluster_site.ADDRESSES["haproxy"], 443)
        plain = socket.create_connection(address, timeout=30, source_address=(source, 0))
        context = ssl.create_default_context(cafile=self.site.certificate)
        return context.wrap_socket(plain, server_hostname="localhost")

    def hosts(self, kind):
        """Both, beginning with one or the other in turn, as clients choose among several."""
        nodes = self.site.of_kind(kind)
        first = next(self.turn) % len(nodes)
        return nodes[first:] + nodes[:first]

    def _send(self, node, sender, to, content):
        return mailer.send(node.postfix.place, sender, [to], content, timeout=PATIENCE_S,
                           source=self.random.choice(cluster_site.CLIENTS))

    def _hand_in(self, number, nodes, sender, to, content):
        """Tries one after the other; True when one took it."""
        request = self.requests[number]
        for node in nodes:
            began = time.monotonic()
            try:
                request.queue_id = self._send(node, sender, to, content)
                request.seconds = time.monotonic() - began
                self._acknowledge(number)
                return True
            except (OSError, mailer.Refused) as error:
                self.refusals.append("%s: %s" % (node.name, error))
        return False

    def _mail(self):
        while self._may_begin():
            number = self._new(load.MAILS)
            # Without a User-Agent it is a program's, and gets a signed Message-ID.
            self._hand_in(number, self.hosts("submission")[:1], load.SENDER, load.READER,
                          mails.html_8bit(load.SENDER, [load.READER], "number-%d" % number))
            self._rest()
            self.ended.wait(PAUSE_S)

    def _answer(self):
        while self._may_begin():
            self._look_for_mail()
            if self.to_answer:
                original = self.to_answer.pop(self.random.randrange(len(self.to_answer)))
                number = self._new(load.ANSWERS)
                self.requests[number].answered = original
                self._hand_in(number, self.hosts("mx")[:1], load.READER, load.SENDER,
                              self._answer_to(original, number, load.READER))
            self._rest()
            self.ended.wait(PAUSE_S)

    def _answer_to(self, original, number, reader):
        sent = self.world.mails[original]
        return mails.answer(reader, [load.SENDER], "number-%d" % number, "<%s>" % traces.ids(sent, "Message-ID")[0],
                            ["<%s>" % each for each in traces.ids(sent, "References")])

    # --- a campaign: one mail, its answer to an MX, and the next mail by the other submission host

    def _campaign(self):
        while not self.ended.is_set():
            if self._may_begin():
                self._rest()
                self._one_campaign()
            self.ended.wait(PAUSE_S)

    def _one_campaign(self):
        one, other = self.random.sample(self.site.of_kind("submission"), 2)
        number = self._new(CAMPAIGNS)
        reader, name = "reader%d@example.net" % number, "campaign-%d" % number
        if not self._hand_in(number, [one], load.SENDER, reader, self._step(reader, name, "number-%d" % number)):
            return
        while not self._has_come(number):
            if self.ended.wait(0.02):
                return
        answer = self._new(load.ANSWERS)
        self.requests[answer].answered = number
        content = self._answer_to(number, answer, reader)
        while not self._hand_in(answer, self.hosts("mx"), reader, load.SENDER, content):
            if self.ended.wait(0.1):
                return
        self._expect_refusal(other, reader, name, number)

    def _step(self, reader, name, mark):
        return mails.plain(load.SENDER, [reader], mark, more=["X-Spoor-Campaign: " + name])

    def _look_for_mail(self):
        with self.lock:
            self.to_answer += [number for number in self.world.look()
                               if number in self.requests and self.requests[number].kind == load.MAILS]

    def _has_come(self, number):
        self._look_for_mail()
        return number in self.world.mails

    def _expect_refusal(self, node, reader, name, number):
        while not self.ended.is_set():
            try:
                self._send(node, load.SENDER, reader, self._step(reader, name, "after-%d" % number))
                self.broken_stops.append("%s took a mail of %s, which %s had answered" % (node.name, name, reader))
                return
            except mailer.Refused as refused:
                if refused.code == 550 and name in str(refused):
                    self.held += 1
                    return
            except OSError:
                pass
            self.ended.wait(0.2)

    def wait_flow(self, campaigns=0, **counts):
        """Until so much more of each has been acknowledged, and so many campaigns have been held."""
        held = self.held + campaigns
        self.wait(**counts)
        proc.wait_for(lambda: self.troubles or self.broken_stops or self.held >= held, "%d campaigns held" % held, 2 * proc.PATIENCE_S)
