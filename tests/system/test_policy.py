# SPDX-License-Identifier: BSD-2-Clause
"""Policy: what is said of senders and recipients in psql holds in spoor-stamp at once, and while the database is away."""

import os
import re

import pytest

import mailer
import mails
import proc
import traces
from postgres import quote

SENDER, BOB, CAROL = "alice@example.com", "bob@example.net", "carol@example.org"


class Policy:
    def __init__(self, servers):
        self.servers = servers

    def say(self, sql):
        """As an administrator, and as one change; spoor-stamp then knows it."""
        self.servers.postgres.execute("BEGIN; %s; COMMIT" % sql, role="spoor_admin")
        proc.wait_for(self.holds, "spoor-stamp knows the new policy")

    def holds(self):
        """The policy that spoor-stamp keeps, which is the one that holds, is what the database says now, not some change before."""
        with open(os.path.join(self.servers.spoor.spool, "stamp", "policy"), encoding="utf-8") as file:
            kept = file.read().splitlines()[1:]
        return sorted(kept) == sorted(row["policy_lines"] for row in self.servers.postgres.rows("SELECT spoor.policy_lines()"))

    def send(self, mark, recipients, **more):
        """The line that spoor-stamp logs, and the mail that the first recipient gets."""
        content = mails.html_quoted_printable(SENDER, recipients, mark, **more)
        line = self.servers.spoor.mail_line(self.servers.submit(SENDER, recipients, content))
        mail = self.servers.mail.wait(recipients[0], mark.encode(), log=self.servers.receiving.log)
        return line, mail

    def restart(self, conf=None):
        """With the database away it is as far as it gets with what is kept."""
        spoor = self.servers.spoor
        spoor.stop("stamp")
        before = len(spoor.log_text("stamp"))
        spoor.start("stamp", conf)
        if not conf:
            spoor.wait_log("stamp", r"policy: \d+ on people", since=before)

    def away(self, folder):
        folder.chmod(0o755)
        return self.servers.spoor.write_conf(str(folder / "away.conf"), database="host=%s dbname=spoor" % folder)

    def pixels(self, mail):
        return traces.pixels(mail, self.servers.spoor.tracking_url)

    def clicks(self, mail):
        return traces.clicks(mail, self.servers.spoor.tracking_url)


@pytest.fixture
def policy(servers):
    holding = Policy(servers)
    yield holding
    holding.say("DELETE FROM spoor.policy; DELETE FROM spoor.policy_campaign; DELETE FROM spoor.sender_login")


def test_a_recipient_who_wants_none_binds_the_whole_mail(policy, mark):
    policy.say("SELECT spoor.set_policy(recipient => ' <Carol@Example.org> ', level => 'off')")
    line, mail = policy.send(mark, [BOB, CAROL])
    assert (line["reason"], line["whom"]) == ("policy_off", "<%s>" % CAROL)
    assert policy.pixels(mail) == policy.clicks(mail) == [] and traces.field(mail, "References") is None
    policy.say("SELECT spoor.set_policy(recipient => %s, level => 'aggregate')" % quote(CAROL))
    line, mail = policy.send(mark + "a", [BOB, CAROL])
    assert (line["level"], line["whom"]) == ("aggregate", "<%s>" % CAROL)
    assert policy.pixels(mail) and policy.clicks(mail)
    rows = policy.servers.postgres.wait_rows("SELECT level, sent_to, (SELECT count(*) FROM spoor.recipient r WHERE r.message = m.id)"
                                             " AS named FROM spoor.message m WHERE id = " + line["message"])
    assert rows == [{"level": "aggregate", "sent_to": "2", "named": "0"}]


def test_a_senders_kinds(policy, mark):
    policy.say("SELECT spoor.set_policy(sender => 'example.com', links => false)")
    mail = policy.send(mark, [BOB])[1]
    assert policy.pixels(mail) and policy.clicks(mail) == []
    policy.say("SELECT spoor.set_policy(sender => %s, views => false)" % quote(SENDER))
    mail = policy.send(mark + "b", [BOB])[1]
    assert policy.pixels(mail) == policy.clicks(mail) == []


def test_mail_joins_a_campaign_without_a_header(policy, mark):
    name = "spring " + mark
    policy.say("SELECT spoor.set_policy_campaign(%s, %s, '*%s*'); SELECT spoor.stop_campaign(%s, %s)"
               % (quote(SENDER), quote(name), mark, quote(name), quote(CAROL)))
    line = policy.send(mark, [BOB, CAROL])[0]
    assert policy.servers.mail.mails(CAROL, mark.encode()) == []
    rows = policy.servers.postgres.wait_rows("SELECT campaign FROM spoor.message WHERE id = " + line["message"])
    assert rows == [{"campaign": name}]


def test_what_was_said_holds_while_the_database_is_away(policy, mark, tmp_path):
    policy.say("SELECT spoor.set_policy(recipient => 'example.net', level => 'off')")
    policy.restart(policy.away(tmp_path))
    try:
        line, mail = policy.send(mark, [BOB])
        assert (line["reason"], line["whom"]) == ("policy_off", "<%s>" % BOB)
        assert policy.pixels(mail) == []
    finally:
        policy.restart()


@pytest.mark.parametrize("name, told", [("policy", "policy kept in"), ("forgotten", "list of who is forgotten")])
def test_nobody_is_tracked_while_what_was_said_is_damaged(policy, mark, tmp_path, name, told):
    """A person who is off may stand in it. Without a file nobody has said anything, so that tracks."""
    spoor = policy.servers.spoor
    kept = "%s/stamp/%s" % (spoor.spool, name)
    policy.servers.postgres.execute("SELECT spoor.forget('gone@example.net')", role="spoor_admin")
    proc.wait_for(lambda: os.path.exists(kept), "it is kept")
    seen = len(spoor.log_text("stamp"))
    spoor.stop("stamp")
    with open(kept, "ab") as file:
        file.write(b"x")
    spoor.start("stamp", policy.away(tmp_path))
    try:
        line, mail = policy.send(mark, [BOB])
        assert line["reason"] == "policy_unknown"
        assert policy.pixels(mail) == policy.clicks(mail) == [] and traces.field(mail, "References") is None
        spoor.wait_log("stamp", told, since=seen)
        said = [line for line in spoor.log_text("stamp")[seen:].splitlines() if told in line]
        assert len(said) == 1 and "no mail is tracked until the database gives it" in said[0]
        spoor.stop("stamp")
        os.remove(kept)
        spoor.start("stamp", policy.away(tmp_path))
        assert policy.pixels(policy.send(mark + "a", [BOB])[1])
    finally:
        policy.restart()
        policy.servers.postgres.execute("SELECT spoor.remember('gone@example.net')", role="spoor_admin")
    assert policy.pixels(policy.send(mark + "b", [BOB])[1])


def test_a_campaign_while_policy_is_damaged(policy, mark, tmp_path):
    """Mail that only policy counts to a campaign goes, and clean; what names its campaign waits. Then the stop holds again."""
    spoor, name = policy.servers.spoor, "spring " + mark
    policy.say("SELECT spoor.set_policy(recipient => %s, level => 'off'); SELECT spoor.set_policy_campaign(%s, %s, '*%s*');"
               " SELECT spoor.stop_campaign(%s, %s)" % (quote(BOB), quote(SENDER), quote(name), mark, quote(name), quote(CAROL)))
    spoor.stop("stamp")
    with open("%s/stamp/policy" % spoor.spool, "ab") as file:
        file.write(b"x")
    seen = len(spoor.log_text("stamp"))
    spoor.start("stamp", policy.away(tmp_path))
    try:
        for n in range(2):
            line, mail = policy.send(mark + "policy%d" % n, [BOB, CAROL])
            assert line["reason"] == "policy_unknown" and "message" not in line
            for whose in (mail, policy.servers.mail.wait(CAROL, (mark + "policy%d" % n).encode(), log=policy.servers.receiving.log)):
                assert policy.pixels(whose) == policy.clicks(whose) == []
                assert traces.field(whose, "References") is None and traces.field(whose, "List-Unsubscribe") is None
        with pytest.raises(mailer.Refused) as refused:
            policy.send(mark + "header", [BOB], more=["X-Spoor-Campaign: " + name])
        assert "451" in str(refused.value)
        said = [line for line in spoor.log_text("stamp")[seen:].splitlines() if "no stop holds for a campaign that it alone names" in line]
        assert len(said) == 1
    finally:
        policy.restart()
    policy.say("SELECT spoor.set_policy(recipient => %s, level => 'individual')" % quote(BOB))
    seen = len(spoor.log_text("stamp"))
    policy.servers.submit(SENDER, [BOB, CAROL], mails.html_quoted_printable(SENDER, [BOB, CAROL], mark + "later"))
    policy.servers.mail.wait(BOB, (mark + "later").encode(), log=policy.servers.receiving.log)
    assert policy.servers.mail.mails(CAROL, (mark + "later").encode()) == []
    spoor.wait_log("stamp", "campaign=stopped", since=seen)


def test_a_login_is_its_owners(policy, mark, tmp_path):
    """The owner stands in the record, what is said of him holds, and both while the database is away."""
    carl, login = "carl@example.com", "Carl"

    def send(mark):
        content = mails.html_quoted_printable(SENDER, [BOB], mark)
        port = policy.servers.sending.port
        queue_id = mailer.send(port, SENDER, [BOB], content, login=login, client_address="192.168.7.81")
        return policy.servers.spoor.mail_line(queue_id)

    def owner(line):
        return policy.servers.postgres.wait_rows("SELECT owner FROM spoor.message WHERE id = " + line["message"])[0]["owner"]

    first = send(mark)
    assert owner(first) == SENDER
    policy.say("INSERT INTO spoor.sender_login VALUES ('carl', %s)" % quote(carl))
    second = send(mark + "a")
    assert (owner(second), owner(first)) == (carl, SENDER)
    policy.say("SELECT spoor.set_policy(sender => %s, level => 'off')" % quote(carl))
    policy.restart(policy.away(tmp_path))
    try:
        line = send(mark + "b")
        assert (line["reason"], line["whom"]) == ("policy_off", "<%s>" % carl)
    finally:
        policy.restart()
    networks = policy.servers.postgres.rows("SELECT owner FROM spoor.sender_network WHERE network = '192.168.7.81' ORDER BY 1")
    assert [row["owner"] for row in networks] == [SENDER, carl]
    for wrong in ("('Carl', %s)" % quote(carl), "('', %s)" % quote(carl), "('carl', 'carl')", "('carl', 'example.com')"):
        with pytest.raises(proc.Failure, match="login_is|address_of_a_person"):
            policy.servers.postgres.execute("INSERT INTO spoor.sender_login VALUES " + wrong, role="spoor_admin")


@pytest.mark.parametrize("call, why", [
    ("set_policy(level => 'off')", "one sender or one recipient"),
    ("set_policy(sender => 'a@example.com', recipient => 'b@example.net', level => 'off')", "one sender or one recipient"),
    ("set_policy(sender => 'example.com')", "says nothing"),
    ("set_policy(sender => 'no one', level => 'off')", "is no address, domain or \\*"),
    ("set_policy(sender => 'alice', level => 'off')", "is no address, domain or \\*"),
    ("set_policy(sender => 'alice@', level => 'off')", "is no address, domain or \\*"),
    ("set_policy(recipient => 'b\u00fccher.example', level => 'off')", "is no address.*xn--"),
    ("set_policy(sender => '*', files => ' ')", "patterns such as"),
    ("set_policy(sender => '*', links => false, files_from => 10)", "files_from needs files"),
    ("set_policy(sender => '*', files => '*', files_from => -1)", "number of bytes"),
    ("set_policy_campaign('example.com', ' ')", "1 to 200 bytes"),
    ("set_policy_campaign('example.com', 'spring', '')", "1 to 500 characters"),
    ("set_policy_campaign('example.com', 'spring', '*', 'No field')", "no name of a header field"),
    ("set_consent('example.com', 'off')", "no address of a person"),
    ("set_consent('a@example.com', null)", "needs a level"),
])
def test_what_makes_no_sense_is_refused(servers, call, why):
    with pytest.raises(proc.Failure) as refused:
        servers.postgres.execute("SELECT spoor.%s" % call, role="spoor_admin")
    assert re.search(why, str(refused.value), re.S)


def test_the_dry_run_takes_what_the_daemon_keeps(policy, mark, tmp_path):
    spoor = policy.servers.spoor
    policy.say("SELECT spoor.set_policy(recipient => %s, level => 'off'),"
               " spoor.set_policy_campaign('example.com', 'spring', '*spring*')" % quote(BOB))
    file = tmp_path / "mail.eml"
    file.write_bytes(mails.html_quoted_printable(SENDER, [BOB], "spring " + mark))
    kept = spoor.spool + "/stamp/policy"
    lines = tmp_path / "lines"
    lines.write_text("".join(row["policy_lines"] + "\n" for row in policy.servers.postgres.rows("SELECT spoor.policy_lines()")))
    for path in (kept, str(lines)):
        said = spoor.ctl("stamp", "--explain", "--policy", path, str(file)).stdout.decode().splitlines()
        assert said[0] == "decision: untouched policy_off"
        assert "policy: off " + BOB in said and "campaign: spring" in said
    assert spoor.ctl("stamp", "--explain", str(file)).stdout.startswith(b"decision: tracked")
    lines.write_text("policy\tsomebody\n")
    failed = spoor.ctl("stamp", "--policy", str(lines), str(file), check=False)
    assert failed.returncode == 1 and b"this is no line of it" in failed.stderr
    with open(kept, "rb") as whole:
        damaged = tmp_path / "damaged"
        damaged.write_bytes(whole.read() + b"x")
    failed = spoor.ctl("stamp", "--policy", str(damaged), str(file), check=False)
    assert failed.returncode == 1 and b"checksum" in failed.stderr
