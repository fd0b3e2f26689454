# SPDX-License-Identifier: BSD-2-Clause
"""
Threads stay whole for both sides, as notmuch sees them: what a person has sent, as the mail program wrote it, and what
came in. Three rounds of answers, a follow-up and a forward, with mail programs that differ in what they write.
"""

import concurrent.futures
import os
import subprocess

import pytest

import mails
import postfix
import traces

ALICE, ANTON, BOB, CAROL = "alice@example.com", "anton@example.com", "bob@example.net", "carol@example.org"
AGENT = "Mozilla Thunderbird"

# What Amazon SES does: the Message-ID is another one, References stay.
RELAY_CHECKS = "/^Message-ID:.*([^@>]{20})@/ REPLACE Message-ID: <0102${1}-000000@eu-west-1.amazonses.com>\n"


class Relay:
    """What ANTON sends leaves by a relay that gives each mail an id of its own."""

    def __init__(self, servers):
        checks = os.path.join(servers.folder, "relay-checks")
        with open(checks, "w") as out:
            out.write(RELAY_CHECKS)
        next_hop = "[127.0.0.1]:%d" % servers.receiving.port
        servers.sending.configure(
            {"relayhost": next_hop, "smtpd_milters": postfix.milter(servers.spoor.socket("stamp")),
             "sender_dependent_default_transport_maps": "inline:{ %s=relaying:%s }" % (ANTON, next_hop)},
            ["relaying unix - - n - - smtp -o smtp_header_checks=regexp:" + checks])
        servers.sending.reload()


@pytest.fixture(scope="module")
def servers(module_own):
    """Patient with the database: on a busy machine it must not seem to be away."""
    servers = module_own(database_timeout="20s", memcached_timeout="10s")
    Relay(servers)
    return servers


def use(servers, folder, mode, **settings):
    conf = servers.spoor.write_conf(str(folder / "spoor.conf"), sections={"stamp": {"message_id": mode}}, **settings)
    servers.spoor.restart("stamp", conf)


@pytest.fixture(scope="module", params=["auto", "stamp", "keep"])
def mode(request, servers, tmp_path_factory):
    use(servers, tmp_path_factory.mktemp("conf"), request.param)
    return request.param


class Person:
    """One with a mail program; ours submit their mail, others send it from the world."""

    loaded = True  # goes on when the database has what was sent

    def __init__(self, servers, folder, address, agent=None, references=True):
        self.servers = servers
        self.address = address
        self.ours = address.endswith("@example.com")
        self.agent = agent
        self.references = references
        self.folder = os.path.join(str(folder), address)
        self.marks = []
        self.held = []  # as they lie in this person's folders
        for name in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(self.folder, name))

    def hold(self, content):
        self.held.append(content)
        with open(os.path.join(self.folder, "cur", "%d:2," % len(self.held)), "wb") as out:
            out.write(content.replace(b"\r\n", b"\n"))
        return content

    def write(self, to, threads=(), subject="Spring news"):
        """Sends a mail; what TO got, and what stays here as it was written."""
        mark = mails.new_mark()
        content = mails.plain(self.address, [to.address], mark, subject=subject, agent=self.agent, more=list(threads))
        send = self.servers.submit if self.ours else self.servers.answer
        send(self.address, [to.address], content)
        self.marks.append(mark)
        if self.ours and self.loaded:
            self.servers.postgres.wait_rows("SELECT id FROM spoor.message WHERE subject LIKE '%%%s'" % mark)
        return to.hold(self.servers.mail.wait(to.address, ("Subject: %s %s\n" % (subject, mark)).encode(),
                                              log=self.servers.receiving.log)), self.hold(content)

    def answer(self, to, parent, forward=False):
        """RFC 5322 3.6.4, or as those do that drop References; Thunderbird's forward has References alone."""
        parent_id = traces.ids(parent, "Message-ID")[0]
        older = traces.ids(parent, "References") or traces.ids(parent, "In-Reply-To")
        threads = []
        if not (forward and self.references):
            threads.append("In-Reply-To: <%s>" % parent_id)
        if self.references:
            threads.append("References: " + "\n ".join("<%s>" % each for each in older + [parent_id]))
        return self.write(to, threads, ("Fwd: " if forward else "Re: ") + "Spring news")

    def _notmuch(self, *arguments):
        conf = self.folder + ".conf"
        with open(conf, "w") as out:
            out.write("[database]\npath=%s\n[user]\nname=x\nprimary_email=%s\n[new]\ntags=inbox\n"
                      % (self.folder, self.address))
        return subprocess.run(["notmuch", *arguments], env=dict(os.environ, NOTMUCH_CONFIG=conf), check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()

    def check_one_thread(self, count, by_held=True):
        """One for notmuch. BY_HELD: also for programs that join only what names a mail they hold."""
        self._notmuch("new")
        assert self._notmuch("count", "*").strip() == str(count)
        threads = self._notmuch("search", "*")
        assert self._notmuch("count", "--output=threads", "*").strip() == "1", threads
        known = set()
        for mail in self.held:
            named = set(traces.ids(mail, "In-Reply-To") + traces.ids(mail, "References"))
            assert not by_held or not known or named & known, mail.partition(b"\r\n\r\n")[0].decode()
            known.update(traces.ids(mail, "Message-ID"))


def converse(servers, folder, us, agent, our_references, their_references, relayed=False):
    """Three rounds, a follow-up before the last, a forward and its answer."""
    os.makedirs(str(folder))
    alice = Person(servers, folder, us, agent, our_references)
    bob = Person(servers, folder, BOB, references=their_references)
    carol = Person(servers, folder, CAROL, references=their_references)
    first, _ = alice.write(bob)
    one, _ = bob.answer(alice, first)
    second, own = alice.answer(bob, one)
    follow_up, _ = alice.answer(bob, own)
    two, _ = bob.answer(alice, follow_up)
    third, _ = alice.answer(bob, two)
    three, _ = bob.answer(alice, third)
    forward, _ = alice.answer(carol, three, forward=True)
    carol.answer(alice, forward)
    alice.check_one_thread(9)
    bob.check_one_thread(7, by_held=not relayed)
    carol.check_one_thread(2)
    return alice, bob, carol, second, follow_up


def rungs(servers, *people):
    """How the people's answers were found; every one a reply of a recipient."""
    marks = [mark for person in people for mark in person.marks]
    rows = servers.postgres.wait_rows("SELECT class, rung, answerer FROM spoor.answer WHERE subject SIMILAR TO '%%(%s)'"
                                      % "|".join(marks), len(marks))
    assert {(row["class"], row["answerer"]) for row in rows} == {("reply", "recipient")}
    return {row["rung"] for row in rows}


PROGRAMS = {  # of ours: does it name itself, does it write References; do the others write References
    "both write References": (AGENT, True, True),
    "a tool without a name, Outlook there": (None, True, False),
    "Outlook on both sides": (AGENT, False, False),
    "a tool that writes In-Reply-To alone": (None, False, True),
}


def test_both_sides_see_one_thread(servers, mode, tmp_path):
    def talk(number, programs):
        agent, our_references, their_references = programs
        replaced = mode == "stamp" or (mode == "auto" and not agent)
        alice, bob, carol, second, follow_up = converse(servers, tmp_path / str(number), ALICE, *programs)
        sent_id = traces.ids(second, "Message-ID")[0]
        own_id = traces.ids(alice.held[2], "Message-ID")[0]
        assert (sent_id != own_id) == replaced
        assert traces.ids(follow_up, "In-Reply-To") == [sent_id]
        named = traces.ids(follow_up, "References")
        assert own_id in named and len(named) == len(set(named))
        assert not replaced or named[named.index(own_id) + 1] == sent_id
        assert traces.ids(alice.held[1], "In-Reply-To") == traces.ids(alice.held[0], "Message-ID")
        assert rungs(servers, bob, carol) <= {"in_reply_to", "references"}

    with concurrent.futures.ThreadPoolExecutor(len(PROGRAMS)) as pool:
        for done in [pool.submit(talk, *each) for each in enumerate(PROGRAMS.values())]:
            done.result()


def test_a_relay_that_replaces_the_id(servers, mode, tmp_path):
    """
    Answers name the relay's id and what stood in References: our anchor, and the client's id where we replaced it. So
    with stamp it does not even take References of the sender's program.
    """
    alice, bob, carol, second, follow_up = converse(servers, tmp_path / "relay", ANTON, AGENT, mode != "stamp", True, relayed=True)
    assert all(traces.ids(mail, "Message-ID")[0].endswith("@eu-west-1.amazonses.com") for mail in (second, follow_up))
    assert rungs(servers, bob, carol) == {"references"}
    assert traces.ids(alice.held[1], "In-Reply-To") == traces.ids(alice.held[0], "Message-ID")


def test_threads_hold_without_a_look_up(servers, tmp_path_factory, tmp_path, monkeypatch):
    """No database, no memcached: the anchor and the own ids in References carry them."""
    away = dict(memcached="", database="host=%s dbname=spoor" % servers.folder, database_timeout="300ms")
    use(servers, tmp_path_factory.mktemp("away"), "stamp", **away)
    servers.spoor.restart("match", servers.spoor.write_conf(str(tmp_path / "match.conf"), **away))
    monkeypatch.setattr(Person, "loaded", False)
    try:
        *_, follow_up = converse(servers, tmp_path / "away", ALICE, AGENT, True, True)
        assert traces.ids(follow_up, "In-Reply-To")[0].endswith("@client.example.com")
    finally:
        use(servers, tmp_path_factory.mktemp("back"), "auto")
        servers.spoor.restart("match")


def test_the_database_alone_is_enough(servers, tmp_path_factory, tmp_path):
    use(servers, tmp_path_factory.mktemp("uncached"), "stamp", memcached="")
    servers.spoor.restart("match", servers.spoor.write_conf(str(tmp_path / "match.conf"), memcached=""))
    try:
        _, bob, carol, second, follow_up = converse(servers, tmp_path / "uncached", ALICE, AGENT, True, False)
        assert traces.ids(follow_up, "In-Reply-To") == traces.ids(second, "Message-ID")
        assert rungs(servers, bob, carol) == {"in_reply_to"}
    finally:
        use(servers, tmp_path_factory.mktemp("back"), "auto")
        servers.spoor.restart("match")


# --- ids that only memcached and the database know ----------------------------------------------------


def verdict(servers, threads):
    """What spoor-match says of an answer with these fields."""
    mark = mails.new_mark()
    queue_id = servers.answer(BOB, [ALICE], mails.answer_with(BOB, [ALICE], mark, threads))
    return servers.spoor.wait_log("match", r"\b%s: (class=\w+(?: rung=\w+)?)" % queue_id).group(1)


def insert(servers, own_id, number):
    servers.postgres.execute("INSERT INTO spoor.message (id, sent_at, size, level, pixels, sent_to, owner, client_message_id)"
                             " VALUES (%d, now(), 1, 'individual', 0, 1, '%s', '%s')" % (number, ALICE, own_id))


def test_a_miss_is_remembered_until_the_id_is_sent(servers, tmp_path_factory, tmp_path):
    use(servers, tmp_path_factory.mktemp("conf"), "keep")
    early, late, sent = ["%s@client.example.com" % mails.new_mark() for _ in range(3)]
    assert verdict(servers, ["In-Reply-To: <%s>" % early, "References: <a@b.example> <%s>" % sent]) == "class=none"
    insert(servers, early, 1)
    insert(servers, late, 2)
    assert verdict(servers, ["In-Reply-To: <%s>" % early.upper()]) == "class=none", "the database was asked again"
    assert verdict(servers, ["In-Reply-To: <%s>" % late.upper()]) == "class=reply rung=in_reply_to"
    assert verdict(servers, ["References: <c@d.example> <%s>" % late]) == "class=reply rung=references"
    mark = mails.new_mark()
    servers.submit(ALICE, [BOB], mails.plain(ALICE, [BOB], mark, message_id=sent))
    assert verdict(servers, ["In-Reply-To: <%s>" % sent]) == "class=reply rung=in_reply_to", "the miss covers what was sent"
