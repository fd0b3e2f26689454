# SPDX-License-Identifier: BSD-2-Clause
"""
README.md followed word for word: the package's spoor.conf, its commands for PostgreSQL, and what `spoorctl postfix` prints for Postfix, with other
folders, ports and the user "daemon" in place of one for each. Every test elsewhere is more generous than this; tests/system/clean_root
does the same on a whole machine.
"""

import grp
import os
import pwd
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

import maildir
import mailer
import mails
import newcomer
import postfix
import postgres
import proc
import servers as servers_of
import spoor
import traces

SENDER, TO = "alice@example.com", "bob@example.net"
USER = "daemon"


def source(name):
    with open(os.path.join(spoor.SOURCE, name), encoding="utf-8") as text:
        return text.read()


def line_with(start):
    """The command of README.md that begins with START."""
    found = re.search(r"^    (%s.*)$" % re.escape(start), source("README.md"), re.M)
    assert found, "README.md has no command that begins with " + start
    return found.group(1)


def replaced(text, changes):
    for old, new in changes.items():
        assert old in text, "it does not say " + old
        text = text.replace(old, new)
    return text


class Installed:
    """One machine as README.md sets it up. Its mail server answers at ports 25 and 587 of an address that nobody else has."""

    def __init__(self, folder):
        self.folder = folder
        self.log_folder = os.path.join(folder, "log")
        os.mkdir(self.log_folder)
        self.address = "127.%d.%d.7" % (100 + os.getpid() // 250 % 150, os.getpid() % 250)
        self.mail = maildir.Maildir(os.path.join(folder, "mail"), servers_of.PEOPLE)
        self.postgres = postgres.Postgres(folder, self.log_folder)
        self.postfix = postfix.receiving(folder, self.log_folder, None, self.mail.folder, servers_of.DOMAINS,
                                         servers_of.PEOPLE)
        with open(os.path.join(self.postfix.etc, "master.cf"), "a") as master:
            master.write("{0}:587 inet n - n - - smtpd\n{0}:25 inet n - n - - smtpd\n".format(self.address))
        self.spoor = spoor.Spoor(folder, self.log_folder, "", None)
        self.sockets = os.path.join(self.postfix.folder, "spool", "spoor")
        self.write_conf()

    def write_conf(self):
        text = replaced(source("contrib/debian/spoor.conf"), {
            '#tracking_url = "https://t.example.com"': 'tracking_url = "%s"' % self.spoor.tracking_url, "#local_domains": "local_domains",
            '"spoor-{daemon}"': '"%s"' % USER, "/etc/spoor/keys": self.spoor.key_file, '"spoor-keys"': '"%s"' % USER,
            "dbname=spoor": self.postgres.conninfo,
            "127.0.0.1:11211": "127.0.0.1:1", "/var/spool/spoor": self.spoor.spool,
            "/var/spool/postfix/spoor": self.sockets, "127.0.0.1:8080": "127.0.0.1:%d" % self.spoor.port,
            '"journal"': '"%s"' % self.postfix.log})
        with open(self.spoor.conf, "w") as out:
            out.write(text)
        user, group = pwd.getpwnam(USER), grp.getgrnam("postfix")
        os.mkdir(self.sockets, 0o755)
        for name in ("stamp", "match"):
            folder = os.path.join(self.sockets, name)
            os.mkdir(folder)
            os.chown(folder, user.pw_uid, group.gr_gid)
            os.chmod(folder, 0o2750)
        os.chown(self.spoor.spool, 0, user.pw_gid)
        os.chmod(self.spoor.spool, 0o1770)

    def socket(self, name):
        return os.path.join(self.sockets, name, name + ".sock")

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
            self.spoor.servers[name].wait_ready(self.socket(name))
        self.postfix.start()
        self.attach()

    def restrict_database(self):
        """The server takes nobody but by the commands of README.md, and the tests themselves."""
        commands = [line_with("printf 'spoor %s"), line_with("sed -i '1i local spoor")]
        with open(os.path.join(self.postgres.data, "pg_hba.conf"), "w") as out:
            out.write("local all postgres trust\n")
        for command in commands:
            proc.run(["sh", "-e", "-c", replaced(command, {"/etc/postgresql/15/main": self.postgres.data})])
        with open(os.path.join(self.postgres.data, "pg_ident.conf")) as users:
            text = re.sub(r"^spoor spoor-\w+ ", "spoor %s " % USER, users.read(), flags=re.M)
        with open(os.path.join(self.postgres.data, "pg_ident.conf"), "w") as out:
            out.write(text)
        self.postgres.server.signal(signal.SIGHUP)
        proc.wait_for(lambda: self.postgres._psql("SELECT 1", "spoor", "spoor_pixeld").returncode != 0,
                      "PostgreSQL refuses root as spoor_pixeld", log=self.postgres.log)

    def advice(self, *words, check=True):
        return self.spoor.ctl("postfix", "--config-directory", self.postfix.etc, *words, check=check)

    def attach(self, reload=True):
        """Has a shell run what is printed, as it stands, but for the reload where nobody waits for it."""
        lines = self.advice().stdout.splitlines(keepends=True)
        assert lines[-1].startswith(b"postfix "), lines
        proc.run(["sh", "-e"], input=b"".join(lines if reload else lines[:-1]), cwd="/")

    def failures(self):
        """What --check finds wrong, by what it is about; its status says the same."""
        done = self.advice("--check", check=False)
        found = dict(re.findall(r"^(\S.*?) +FAIL  (.*)$", done.stdout.decode(), re.M))
        assert done.returncode == (1 if found else 0), done.stdout
        return {what.strip(): why for what, why in found.items()}

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
    mailer.send((installed.address, 587), SENDER, [TO], mails.html_8bit(SENDER, [TO], mark))
    delivered = installed.mail.wait(TO, mark.encode(), log=installed.postfix.log)
    assert len(traces.pixels(delivered, installed.spoor.tracking_url)) == 1
    own_id = traces.field(delivered, "Message-ID")
    answer_mark = mails.new_mark()
    mailer.send((installed.address, 25), TO, [SENDER], mails.answer(TO, [SENDER], answer_mark, own_id, [own_id]))
    answer = installed.mail.wait(SENDER, answer_mark.encode(), log=installed.postfix.log)
    assert not traces.pixels(answer, installed.spoor.tracking_url)
    assert installed.postgres.wait_rows("SELECT person FROM spoor.feed WHERE what = 'reply'")[0]["person"] == TO
    assert "stamp" not in installed.spoor.log_text("match")
    rows = installed.postgres.wait_rows("SELECT * FROM spoor.delivery_report WHERE state = 'delivered'")
    assert [(row["recipient"], row["relay"]) for row in rows] == [(TO, "virtual")]


def test_readmes_check_looks_as_each_daemon(installed):
    done = installed.spoor.ctl("check", check=False)
    lines = done.stdout.decode().splitlines()
    failed = [line for line in lines if " FAIL " in line]
    assert len(failed) == 1 and failed[0].startswith("memcached"), done.stdout
    for role in ("spoor_milter", "spoor_pixeld", "spoor_delivery"):
        assert any("%s as %s: answers" % (USER, role) in line for line in lines), done.stdout
    os.chmod(installed.spoor.key_file, 0o600)
    try:
        told = installed.spoor.ctl("check", check=False).stdout.decode()
        assert re.search(r"^keys +FAIL +stamp: %s: %s: Permission denied" % (USER, re.escape(installed.spoor.key_file)), told, re.M), told
    finally:
        os.chmod(installed.spoor.key_file, 0o640)


def test_readmes_commands_for_psql(installed):
    for command in newcomer.later_commands()[1]:
        installed.postgres.execute(newcomer.tried(command))


def test_what_was_printed_once_needs_no_more(installed):
    assert installed.failures() == {}
    assert installed.advice().stdout.decode().endswith("# nothing is to be done in Postfix\n")


def test_what_is_broken_in_postfix_is_named_and_mended(installed):
    submission, mx = ("%s:%d/inet" % (installed.address, port) for port in (587, 25))
    for change, where, why in (
            (["-P", submission + "/smtpd_milters="], submission, "spoor-stamp is not in smtpd_milters"),
            (["-P", mx + "/smtpd_milters=$spoor_match,inet:localhost:8891"], mx, "inet:localhost:8891 verifies behind spoor-match"),
            (["-e", "spoor_stamp=unix:spoor/stamp/stamp.sock"], submission, "connect_timeout is not set")):
        proc.run(["postconf", "-c", installed.postfix.etc] + change)
        assert why in installed.failures().get(where, ""), change
        installed.attach(reload=False)
        assert installed.failures() == {}, change


def test_sockets_are_tried_as_postfix_and_as_nobody(installed):
    path = installed.socket("match")
    try:
        os.chmod(path, 0o600)
        assert "the user postfix may not connect to " + path in installed.failures()["spoor-match"]
        os.chmod(path, 0o666)
        assert installed.failures() == {}, "others do not reach its folder"
        os.chmod(os.path.dirname(path), 0o2755)
        assert "any user of this host may connect" in installed.failures()["spoor-match"]
    finally:
        os.chmod(os.path.dirname(path), 0o2750)
        os.chmod(path, 0o660)
    installed.spoor.stop("match")
    assert "is spoor-match running?" in installed.failures()["spoor-match"]
    installed.spoor.start("match", wait=False)
    installed.spoor.servers["match"].wait_ready(path)
    assert installed.failures() == {}


def options_of(master):
    """What "-o" sets in lines of master.cf, by service."""
    services, name = {}, None
    for line in master.splitlines():
        if re.match(r"\S", line) and not line.startswith("#"):
            name = "/".join(line.split()[:2])
            services[name] = {}
        elif name and line.strip().startswith("-o "):
            key, value = line.strip()[3:].split("=", 1)
            services[name][key] = value
    return services


def test_the_second_pass_as_contrib_has_it(tmp_path):
    """On Debian's own master.cf, with a signer there: what is printed makes the services of contrib/postfix, and is enough."""
    etc = str(tmp_path / "etc")
    os.mkdir(etc)
    with open("/usr/share/postfix/master.cf.dist") as master, open(etc + "/master.cf", "w") as out:
        out.write(re.sub(r"^#(submissions? +inet)", r"\1", master.read(), flags=re.M))
    with open(etc + "/main.cf", "w") as out:
        out.write("compatibility_level = 3.6\nsmtpd_milters = { inet:127.0.0.1:8891, default_action=tempfail }\nnon_smtpd_milters = $smtpd_milters\n")
    conf = str(tmp_path / "spoor.conf")
    with open(conf, "w") as out:
        out.write('stamp {\n listen = "unix:/var/spool/postfix/spoor/stamp/stamp.sock"\n'
                  ' listen_copies = "unix:/var/spool/postfix/spoor/stamp/copies.sock"\n}\n')

    def printed():
        done = proc.run([spoor.program("ctl/spoorctl"), "-c", conf, "postfix", "--config-directory", etc], check=False)
        assert done.returncode == 1 and (b"the commands are comments" in done.stderr or b"nothing is to be done" in done.stdout)
        return done.stdout.decode()

    # comments, as no daemon runs
    lines = [line[2:] for line in printed().splitlines() if line.startswith("# postconf ")]
    assert lines and all(shlex.split(line)[:3] == ["postconf", "-c", etc] for line in lines)
    proc.run(["sh", "-e", "-c", "\n".join(lines)])
    assert "# nothing is to be done in Postfix\n" in printed()
    ours = options_of(source("contrib/postfix/master.cf"))
    there = subprocess.run(["postconf", "-c", etc, "-P"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()
    for service in ("split/unix", "127.0.0.1:10026/inet", "copies_cleanup/unix"):
        found = dict(re.findall(r"^%s/(\w+) =[ ]?(.*)$" % re.escape(service), there, re.M))
        milters = found.pop("smtpd_milters", None), ours[service].pop("smtpd_milters", None)
        assert found == ours[service]
        assert milters in ((None, None), ("$spoor_milters_copies", "$spoor_copies,$spoor_signer"))
    names = ["spoor_milters_copies", "non_smtpd_milters", "split_destination_recipient_limit", "spoor_split"]
    values = subprocess.run(["postconf", "-h", "-c", etc] + names, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout.decode()
    assert values.splitlines() == ["$spoor_copies, { inet:127.0.0.1:8891, default_action=tempfail }", "$spoor_stamp", "1",
                                   "split:[127.0.0.1]:10026"]


def test_a_filter_that_a_chroot_hides_is_not_taken_for_done(tmp_path):
    """It listens where Debian's smtpd cannot see it: there are no commands for that, and the status and the words say so."""
    etc, conf = tmp_path / "etc", tmp_path / "spoor.conf"
    etc.mkdir()
    shutil.copy("/usr/share/postfix/master.cf.dist", str(etc / "master.cf"))
    (etc / "main.cf").write_text("compatibility_level = 3.6\n")
    with socket.socket(socket.AF_UNIX) as listening, tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "stamp.sock")
        listening.bind(path)
        os.chown(path, pwd.getpwnam("postfix").pw_uid, 0)
        os.chmod(path, 0o600)
        listening.listen()
        conf.write_text('stamp {\n listen = "unix:%s"\n}\n' % path)
        done = proc.run([spoor.program("ctl/spoorctl"), "-c", str(conf), "postfix", "--config-directory", str(etc)], check=False)
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 1 and lines[-1] == "# nothing can be done in Postfix before that", done
    assert len(lines) == 2 and "runs in a chroot and cannot reach unix:%s - set stamp.listen = " % path in lines[0]


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
