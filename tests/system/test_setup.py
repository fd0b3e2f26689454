# SPDX-License-Identifier: BSD-2-Clause
"""
README.md followed word for word: its spoor.conf, its lines for PostgreSQL and its commands for Postfix, with other
folders, ports and "nobody" in place of the user "spoor". Every test elsewhere is more generous than this.
"""

import grp
import os
import pwd
import re
import shlex
import shutil
import signal

import pytest

import maildir
import mailer
import mails
import postfix
import postgres
import proc
import servers as servers_of
import spoor
import traces

SENDER, TO = "alice@example.com", "bob@example.net"


def readme():
    with open(os.path.join(spoor.SOURCE, "README.md"), encoding="utf-8") as page:
        return page.read()


def block_with(start):
    """The indented block of README.md that begins with START, without the indent."""
    found = re.search(r"^    %s.*\n(?:    .*\n)*" % re.escape(start), readme(), re.M)
    assert found, "README.md has no block that begins with " + start
    return re.sub(r"^    ", "", found.group(), flags=re.M)


def replaced(text, changes):
    for old, new in changes.items():
        assert old in text, "README.md does not say " + old
        text = text.replace(old, new)
    return text


class Installed:
    """One machine as README.md sets it up."""

    def __init__(self, folder):
        self.folder = folder
        self.log_folder = os.path.join(folder, "log")
        os.mkdir(self.log_folder)
        self.submission_port = proc.free_port()
        self.mail = maildir.Maildir(os.path.join(folder, "mail"), servers_of.PEOPLE)
        self.postgres = postgres.Postgres(folder, self.log_folder)
        self.postfix = postfix.receiving(folder, self.log_folder, None, self.mail.folder, servers_of.DOMAINS,
                                         servers_of.PEOPLE)
        self.spoor = spoor.Spoor(folder, self.log_folder, "", None)
        self.sockets = os.path.join(self.postfix.folder, "spool", "spoor")
        self.write_conf()
        self.attach_milters()

    def write_conf(self):
        text = replaced(block_with("user            ="), {
            '"spoor"': '"nobody"', "/usr/local/etc/spoor/keys": self.spoor.key_file,
            "https://t.example.com": self.spoor.tracking_url, "dbname=spoor": self.postgres.conninfo,
            "127.0.0.1:11211": "127.0.0.1:1", "/var/spool/spoor": self.spoor.spool,
            "/var/spool/postfix/spoor": self.sockets, "127.0.0.1:8080": "127.0.0.1:%d" % self.spoor.port,
            '"journal"': '"%s"' % self.postfix.log})
        with open(self.spoor.conf, "w") as out:
            out.write(text)
        nobody, group = pwd.getpwnam("nobody"), pwd.getpwnam("postfix").pw_gid
        os.mkdir(self.sockets, 0o750)
        os.chown(self.sockets, nobody.pw_uid, group)
        os.chmod(self.sockets, 0o750)
        os.chmod(self.spoor.spool, 0o750)

    def attach_milters(self):
        with open(os.path.join(self.postfix.etc, "master.cf"), "a") as master:
            master.write("127.0.0.1:%d inet n - n - - smtpd\n" % self.submission_port)
        services = {"submission/": "127.0.0.1:%d/" % self.submission_port, "smtp/": "127.0.0.1:%d/" % self.postfix.port}
        for line in block_with("postconf ").splitlines():
            words = shlex.split(line)
            if words[0] == "postconf" and not words[2].startswith("submissions/"):
                for name, here in services.items():
                    words[2] = re.sub("^" + name, here, words[2])
                proc.run(["postconf", "-c", self.postfix.etc] + words[1:])

    def start(self):
        self.postgres.start()
        self.postgres.create_database()
        self.spoor.ctl("keygen")
        self.spoor.ctl("schema", "install", env={"PGUSER": "postgres"})
        self.restrict_database()
        os.close(os.open(self.postfix.log, os.O_CREAT, 0o644))  # as the group adm's
        for name in ("stamp", "match", "pixeld", "delivery"):
            self.spoor.start(name, wait=False)
        self.spoor.servers["pixeld"].wait_ready(self.spoor.port)
        for name in ("stamp", "match"):
            self.spoor.servers[name].wait_ready(os.path.join(self.sockets, name + ".sock"))
        self.postfix.start()

    def restrict_database(self):
        """The server takes nobody but by the lines of README.md, and the tests themselves."""
        users = replaced(block_with("spoor   spoor   spoor_milter"), {"spoor   spoor ": "spoor   nobody "})
        for name, lines in (("pg_ident.conf", users),
                            ("pg_hba.conf", block_with("local   spoor") + "local all postgres trust\n")):
            with open(os.path.join(self.postgres.data, name), "w") as out:
                out.write(lines)
        self.postgres.server.signal(signal.SIGHUP)
        proc.wait_for(lambda: self.postgres._psql("SELECT 1", "spoor", "spoor_pixeld").returncode != 0,
                      "PostgreSQL refuses root as spoor_pixeld", log=self.postgres.log)

    def stop(self):
        self.postfix.stop()
        statuses = self.spoor.stop_all()
        self.postgres.stop()
        return statuses


@pytest.fixture(scope="module")
def installed():
    folder = servers_of.new_folder()
    one = Installed(folder)
    try:
        one.start()
        yield one
        assert set(one.stop().values()) == {0}
    finally:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_readme_word_for_word(installed, mark):
    """A mail by submission is tracked, its answer on the MX is recorded, and mail of the world is not taken for ours."""
    mailer.send(installed.submission_port, SENDER, [TO], mails.html_8bit(SENDER, [TO], mark))
    delivered = installed.mail.wait(TO, mark.encode(), log=installed.postfix.log)
    assert len(traces.pixels(delivered, installed.spoor.tracking_url)) == 1
    own_id = traces.field(delivered, "Message-ID")
    answer_mark = mails.new_mark()
    mailer.send(installed.postfix.port, TO, [SENDER], mails.answer(TO, [SENDER], answer_mark, own_id, [own_id]))
    answer = installed.mail.wait(SENDER, answer_mark.encode(), log=installed.postfix.log)
    assert not traces.pixels(answer, installed.spoor.tracking_url)
    assert installed.postgres.wait_rows("SELECT person FROM spoor.feed WHERE what = 'reply'")[0]["person"] == TO
    assert "stamp" not in installed.spoor.log_text("match")
    rows = installed.postgres.wait_rows("SELECT * FROM spoor.delivery_report WHERE state = 'delivered'")
    assert [(row["recipient"], row["relay"]) for row in rows] == [(TO, "virtual")]


def test_readmes_check_as_the_systems_user(installed):
    def become_nobody():
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)

    done = installed.spoor.ctl("check", env={"PGUSER": "spoor_milter"}, check=False, preexec_fn=become_nobody)
    failed = [line for line in done.stdout.decode().splitlines() if " FAIL " in line]
    assert len(failed) == 1 and failed[0].startswith("memcached"), done.stdout


def test_a_daemon_that_never_was_root(own):
    """As contrib/systemd starts it: the folder hands its group on to the sockets that are made there."""
    all_servers = own()
    one = all_servers.spoor
    nobody, group = pwd.getpwnam("nobody"), grp.getgrnam("postfix")
    one.stop("stamp")
    os.chown(one.sockets, nobody.pw_uid, group.gr_gid)
    os.chmod(one.sockets, 0o2750)

    def become_nobody():
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)

    one.sections["stamp"].update(socket_mode=0o660, socket_group="postfix")
    one.write_conf()
    before = len(one.log_text("stamp"))
    one.start("stamp", preexec=become_nobody)
    one.wait_log("stamp", ": ready$", since=before)  # its socket takes connections a moment before it has its mode
    there = os.stat(one.socket("stamp"))
    assert (there.st_uid, there.st_gid, there.st_mode & 0o777) == (nobody.pw_uid, group.gr_gid, 0o660)
    with open("/proc/%d/status" % one.servers["stamp"].pid) as status:
        assert re.search(r"^CapEff:\s+0+$", status.read(), re.M)
