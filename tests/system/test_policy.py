# SPDX-License-Identifier: BSD-2-Clause
"""Policy: what is said of senders and recipients in psql holds in spoor-stamp at once, and while the database is away."""

import re

import pytest

import mails
import proc
import traces
from postgres import quote

SENDER, BOB, CAROL = "alice@example.com", "bob@example.net", "carol@example.org"


class Policy:
    def __init__(self, servers):
        self.servers = servers

    def known(self):
        return len(re.findall(r"policy: \d+ on people", self.servers.spoor.log_text("stamp")))

    def say(self, sql):
        """As an administrator, and as one change; spoor-stamp then knows it."""
        before = self.known()
        self.servers.postgres.execute("BEGIN; %s; COMMIT" % sql, role="spoor_admin")
        proc.wait_for(lambda: self.known() > before, "spoor-stamp knows the new policy")

    def send(self, mark, recipients, **more):
        """The line that spoor-stamp logs, and the mail that the first recipient gets."""
        content = mails.html_quoted_printable(SENDER, recipients, mark, **more)
        line = self.servers.spoor.mail_line(self.servers.submit(SENDER, recipients, content))
        mail = self.servers.mail.wait(recipients[0], mark.encode(), log=self.servers.receiving.log)
        return line, mail

    def pixels(self, mail):
        return traces.pixels(mail, self.servers.spoor.tracking_url)

    def clicks(self, mail):
        return traces.clicks(mail, self.servers.spoor.tracking_url)


@pytest.fixture
def policy(servers):
    holding = Policy(servers)
    yield holding
    holding.say("DELETE FROM spoor.policy; DELETE FROM spoor.policy_campaign")


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
    spoor = policy.servers.spoor
    policy.say("SELECT spoor.set_policy(recipient => 'example.net', level => 'off')")
    away = spoor.write_conf(str(tmp_path / "away.conf"), database="host=%s dbname=spoor" % tmp_path)
    tmp_path.chmod(0o755)
    spoor.restart("stamp", away)
    try:
        line, mail = policy.send(mark, [BOB])
        assert (line["reason"], line["whom"]) == ("policy_off", "<%s>" % BOB)
        assert policy.pixels(mail) == []
    finally:
        before = policy.known()
        spoor.restart("stamp")
        proc.wait_for(lambda: policy.known() > before, "spoor-stamp has read the policy")


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
    ("set_consent('example.com', 'off')", "given by a person"),
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
