# SPDX-License-Identifier: BSD-2-Clause
"""An administrator's first day: observe and read the report, then a few senders, then all."""

import re

import mails
import traces

ALICE, ANTON, TO = "alice@example.com", "anton@example.com", "bob@example.net"


def report(servers, since=0):
    """Of what spoor-stamp has logged; words to the first number of their line."""
    said = servers.spoor.ctl("observed", input=servers.spoor.log_text("stamp")[since:].encode()).stdout.decode()
    top, _, senders = said.partition("\n\n")
    numbers = {}
    for line in top.splitlines() + senders.splitlines()[1:]:
        found = re.match(r"\s*(\S.*?) +(\d+)", line)
        numbers[found.group(1)] = int(found.group(2))
    return numbers, said


def send(servers, sender, content, mark):
    """The queue id, and what was delivered, with the MTA's own line ends."""
    queue_id = servers.submit(sender, [TO], content)
    servers.spoor.mail_line(queue_id)
    return queue_id, servers.mail.wait(TO, mark.encode()).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def test_observe_then_a_few_then_all(own):
    servers = own(mode="observe")
    spoor, database = servers.spoor, servers.postgres
    mark = mails.new_mark()
    html = mails.html_quoted_printable(ALICE, [TO], mark)
    queue_id, observed = send(servers, ALICE, html, mark)
    assert traces.split(observed)[1] == traces.split(html)[1]
    marks = [mails.new_mark() for _ in range(4)]
    file = mails.with_file(ALICE, [TO], marks[0], "proposal.pdf", b"%PDF-1.4 observed", more=["X-Spoor-Attachments: track"])
    send(servers, ALICE, file, marks[0])
    send(servers, ANTON, mails.plain(ANTON, [TO], marks[1]), marks[1])
    signed, _ = send(servers, ANTON, mails.pgp_signed(ANTON, [TO], marks[2]), marks[2])
    send(servers, "someone@example.org", mails.plain("someone@example.org", [TO], marks[3]), marks[3])
    numbers, said = report(servers)
    line = spoor.mail_line(queue_id)
    links = int(re.search(r"links:(\d+)", line["would_add"]).group(1))
    assert links > 0 and abs(int(line["size"]) - len(html)) < 100
    assert (numbers["mails"], numbers["tracked"], numbers["untouched"]) == (5, 4, 1)
    assert numbers["with documents"] == 1 and numbers["with an image"] >= 2 and numbers["with links"] >= 1
    assert (numbers[ALICE], numbers[ANTON], numbers["someone@example.org"]) == (2, 2, 1)
    assert "such as %s from <%s>" % (signed, ANTON) in said
    assert numbers["foreign_from"] == 1
    assert database.value("SELECT count(*) FROM spoor.message") == "0"
    assert database.value("SELECT count(*) FROM spoor.document") == "0"

    since = len(spoor.log_text("stamp"))
    spoor.settings.update(mode="track", track_only=[ANTON])
    spoor.write_conf()
    assert spoor.restart("stamp") == 0
    for sender in (ALICE, ANTON):
        mark = mails.new_mark()
        send(servers, sender, mails.html_quoted_printable(sender, [TO], mark), mark)
    numbers, _ = report(servers, since)
    assert (numbers["mails"], numbers["tracked"], numbers["untouched"], numbers["track_only"]) == (2, 1, 1, 1)
    assert "bytes added" not in numbers  # what was added is no guess any more

    del spoor.settings["track_only"]
    spoor.write_conf()
    assert spoor.restart("stamp") == 0
    mark = mails.new_mark()
    _, tracked = send(servers, ALICE, mails.html_quoted_printable(ALICE, [TO], mark), mark)
    assert traces.split(tracked)[1] != traces.split(observed)[1]
    assert abs(len(tracked) - len(observed) - int(line["grows"])) < 40, "foretold %s, became %d" % (
        line["grows"], len(tracked) - len(observed))
    database.wait_rows("SELECT id FROM spoor.message", 2)


def test_a_log_without_spoor_is_said(servers):
    done = servers.spoor.ctl("observed", input=b"Nov 30 15:29:14 mx1 postfix/qmgr[1]: 4XyZ: removed\n", check=False)
    assert done.returncode == 1 and b"no line of spoor-stamp about a mail" in done.stderr
    done = servers.spoor.ctl("observed", "/nowhere/mail.log", check=False)
    assert done.returncode == 1 and b"/nowhere/mail.log: No such file" in done.stderr
