# SPDX-License-Identifier: BSD-2-Clause
"""
The cluster of contrib/cluster, by its very files: two submission hosts, two MX, three spoor-pixeld behind HAProxy, three
memcached and two PostgreSQL, each in a network namespace with the address that those files say. The world, where mail
programs, browsers and recipients are, is the namespace of this process, in which there must be nothing else; see isolate().
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys

import https_server
import memcached
import network
import postfix
import postgres
import proc
import samples
import servers as servers_of
import smtp_sink
import spoor

SECRET = "a password of the test"
ADMIN_ROLES = ("postgres", "spoor_admin")
ROLES = {"stamp": "spoor_milter", "match": "spoor_milter", "pixeld": "spoor_pixeld", "delivery": "spoor_delivery"}
GATEWAY, MAILBOXES = "192.0.2.1", "192.0.2.71"
CLIENTS = tuple("198.51.100.%d" % number for number in range(1, 9))
WORLD_MX = "198.51.100.25"
ADDRESSES = {"submission1": "192.0.2.11", "submission2": "192.0.2.12", "mx1": "192.0.2.21", "mx2": "192.0.2.22",
             "pixeld1": "192.0.2.33", "pixeld2": "192.0.2.34", "pixeld3": "192.0.2.35", "haproxy": "192.0.2.40",
             "memcached1": "192.0.2.51", "memcached2": "192.0.2.52", "memcached3": "192.0.2.53",
             "postgres1": "192.0.2.61", "postgres2": "192.0.2.62"}
INSIDE = "SPOOR_CLUSTER_FOLDER"


def kind_of(name):
    return name.rstrip("0123456789")


def isolate():
    """
    Starts this program anew where it can do no harm, and returns only there: with a folder of its own. All its processes,
    interfaces and mounts are gone when it has ended, however that was.
    """
    if INSIDE in os.environ:
        proc.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", os.environ[INSIDE]])
        return os.environ[INSIDE]
    folder = servers_of.new_folder()
    argv = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-B"]
    try:
        child = subprocess.Popen(argv + sys.argv, env=dict(os.environ, **{INSIDE: folder}),
                                 preexec_fn=proc.die_with_parent(signal.SIGKILL))  # unshare hears of no other signal
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: child.kill())
        try:
            status = child.wait()
        except KeyboardInterrupt:
            child.kill()
            status = child.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(status if status >= 0 else 1)


class Spoor(spoor.Spoor):
    """What of Spoor runs on one host, by a file of contrib."""

    def __init__(self, host, folder, log_folder, text, password_file):
        self.host, self.password_file = host, password_file
        self.folder, self.log_folder = folder, log_folder
        self.spool, self.sockets = os.path.join(folder, "spool"), os.path.join(folder, "sockets")
        self.key_file, self.conf = os.path.join(folder, "keys"), os.path.join(folder, "spoor.conf")
        self.port = (host.address, 8080)
        self.servers = {}
        nobody = pwd.getpwnam("nobody")
        for path in (self.spool, os.path.dirname(self.socket("stamp")), os.path.dirname(self.socket("match"))):
            os.makedirs(path, exist_ok=True)
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        with open(self.conf, "w") as out:
            out.write(text)

    def socket(self, name):
        return os.path.join(self.sockets, name, name + ".sock")

    def passwords(self, name):
        """The environment that the unit of a daemon has by passwords.conf."""
        unit = samples.read("cluster/passwords.conf", [("/etc/spoor/pgpass", self.password_file), ("%i", name)])
        variable, path = re.search("^Environment=(.*)=(.*)$", unit, re.M).groups()
        return {variable: path}

    def start(self, name, *arguments, **more):
        self.environment = self.passwords(name)
        return super().start(name, *arguments, **more)

    def check(self, name):
        """What spoorctl says of the databases as a daemon finds them, for each of them a line."""
        argv = self.host.enter([spoor.program("ctl/spoorctl"), "-c", self.conf, "check"])
        said = proc.run(argv, check=False, env=dict(os.environ, **self.passwords(name))).stdout.decode()
        return [line for line in said.splitlines() if " nobody as %s: " % ROLES[name] in line]


class Node:
    """One host of the cluster: what runs there starts and ends with it."""

    def __init__(self, site, name):
        self.site, self.name, self.kind_name = site, name, kind_of(name)
        self.host = site.network.add(name, ADDRESSES[name])
        self.folder = os.path.join(site.folder, name)
        self.log_folder = os.path.join(site.log_folder, name)
        os.makedirs(self.folder)
        os.makedirs(self.log_folder)

    def kill(self):
        self.host.kill()

    def settle_down(self):
        """Work of its own that it may still have when all clients rest."""

    def cut(self):
        self.host.cut()

    def wait_given_up(self):
        """Until those who need it take it for dead; of most nobody says so."""


class SpoorNode(Node):
    """A host with Spoor; KIND is its folder in contrib/cluster, PARTS what runs of Spoor."""

    kind, parts, place = None, (), ()

    def __init__(self, site, name):
        super().__init__(site, name)
        self.lives = 0
        self.spoor = self.make_spoor()

    def make_spoor(self):
        self.lives += 1
        folder = os.path.join(self.folder, "life%d" % self.lives)
        os.makedirs(folder)
        words = [("/etc/spoor/keys", self.site.key_file), ("/etc/spoor/database.crt", self.site.certificate),
                 ("/var/spool/spoor", os.path.join(folder, "spool")), ('= "spoor-{daemon}"', '= "nobody"'),
                 ('= "spoor-keys"', '= "nogroup"')]
        words += [(old, new.format(folder=folder, logs=self.log_folder)) for old, new in self.place]
        text = self.site.as_many_servers(samples.read("cluster/%s/spoor.conf" % self.kind, words))
        text = re.sub(r"(listen += \"unix:.*\n)", r"\1    socket_mode = 0666\n", text)
        return Spoor(self.host, folder, self.log_folder, "campaign_settle = 15s\ndatabase_timeout = 1s\n" + text,
                     self.site.password_file)

    def start(self):
        for part in self.parts:
            self.spoor.start(part)

    def check(self):
        """As an administrator looks whether all is set up."""
        for part in self.parts:
            lines = self.spoor.check(part)
            if len(lines) != self.site.servers or not all(line.endswith(": answers") for line in lines):
                raise proc.Failure("%s: spoorctl check tells of spoor-%s %r" % (self.name, part, lines))

    def begin_stop(self):
        for server in self.spoor.servers.values():
            server.begin_stop()

    def stop(self):
        statuses = self.spoor.stop_all()
        if any(statuses.values()):
            raise proc.Failure("%s ended badly: %r" % (self.name, statuses))

    def replace(self):
        """Its disk is gone, and another machine takes its place."""
        self.kill()
        self.spoor = self.make_spoor()
        self.start()

    def spools(self):
        """The folders: of each program one for each PostgreSQL server."""
        return [folder for folder, _, files in os.walk(self.spoor.spool) if "identity" in files]


class MailNode(SpoorNode):
    """Postfix beside it."""

    def __init__(self, site, name):
        super().__init__(site, name)
        self.postfix = postfix.Postfix(name, self.folder, self.log_folder, *self.postfix_lines(), host=self.host,
                                       port=self.smtp_port)

    def start(self):
        super().start()
        self.postfix.start()

    def begin_stop(self):
        self.postfix.begin_stop()
        super().begin_stop()

    def stop(self):
        self.postfix.stop()
        super().stop()

    def kill(self):
        super().kill()
        self.postfix.stop()  # of its keeper, who has nothing left to stop

    def replace(self):
        self.kill()
        self.spoor = self.make_spoor()
        self.postfix.configure(*self.postfix_lines())
        self.start()

    def settle_down(self):
        self.postfix.flush()
        self.postfix.wait_empty()


class Submission(MailNode):
    kind, parts, smtp_port = "submission", ("stamp", "delivery"), 587

    @property
    def place(self):
        return [("/var/spool/postfix/spoor/", "{folder}/sockets/"), ('"journal"', '"{logs}/postfix-%s.log"' % self.name),
                ('= "postfix"', '= "nogroup"'), (" = 0\n", " = %d\n" % (self.name == "submission2"))]

    def postfix_lines(self):
        """Mail programs log in, but these do not; and all their mail goes to the world."""
        main = samples.settings("cluster/submission/main.cf", [("unix:spoor/", "unix:%s/" % self.spoor.sockets)])
        words = [("submission inet", "%s:587 inet" % self.host.address), ("  -o smtpd_tls_security_level=encrypt\n", ""),
                 ("  -o smtpd_sasl_auth_enable=yes\n", ""), ("permit_sasl_authenticated,", "")]
        main.update(relayhost="[%s]" % WORLD_MX, mynetworks="127.0.0.0/8 198.51.100.0/24", minimal_backoff_time="10s")
        return main, samples.services(samples.read("cluster/submission/master.cf", words))


class Mx(MailNode):
    kind, parts, smtp_port = "mx", ("match",), 25
    place = [("/var/spool/postfix/spoor/", "{folder}/sockets/"), ('= "postfix"', '= "nogroup"')]

    def postfix_lines(self):
        main = samples.settings("cluster/mx/main.cf", [("unix:spoor/", "unix:%s/" % self.spoor.sockets)])
        main.update(mynetworks="127.0.0.0/8", minimal_backoff_time="10s")
        words = [("smtp inet", "%s:25 inet" % self.host.address)]
        return main, samples.services(samples.read("cluster/mx/master.cf", words))


class Pixeld(SpoorNode):
    kind, parts = "pixeld", ("pixeld",)


class Haproxy(Node):
    def __init__(self, site, name):
        super().__init__(site, name)
        self.server = None
        self.conf = os.path.join(self.folder, "haproxy.cfg")
        words = [("/etc/haproxy/t.example.com.pem", site.web_certificate)]
        if site.unlimited:
            words.append(("gt 500", "gt 1000000"))
        with open(self.conf, "w") as out:
            out.write(samples.read("cluster/haproxy.cfg", words))

    def start(self):
        self.server = proc.Server("haproxy", ["haproxy", "-db", "-f", self.conf], self.log_folder + "/haproxy.log",
                                  host=self.host)
        self.server.wait_ready((self.host.address, 443))

    def stop(self):
        self.server.stop()


class Memcached(Node):
    def start(self):
        address = samples.read("cluster/memcached.conf").split("-l ")[1].split()[0]
        assert address == ADDRESSES["memcached1"]
        self.server = memcached.Memcached(self.log_folder, self.host, 11211)
        self.server.start()

    def stop(self):
        self.server.stop()


class Postgres(Node):
    def __init__(self, site, name):
        super().__init__(site, name)
        hba = os.path.join(self.folder, "pg_hba.conf")
        with open(hba, "w") as out:
            out.write("local all all trust\n" + samples.read("cluster/pg_hba.conf"))
        words = [("/etc/spoor/database.crt", site.certificate), ("/etc/spoor/database.key", site.certificate_key),
                 ("192.0.2.61", self.host.address)]
        settings = samples.settings("cluster/postgresql.conf", words)
        settings = dict({key: value.strip("'") for key, value in settings.items()}, hba_file=hba)
        self.server = postgres.Postgres(self.folder, self.log_folder, True, settings=settings, host=self.host)

    def start(self):
        self.server.start()

    def stop(self):
        self.server.stop()

    def kill(self):
        self.server.server.killed = True
        super().kill()

    def cut(self):
        self.said = {node: len(node.spoor.log_text("match")) for node in self.site.of_kind("mx")}
        super().cut()

    def wait_given_up(self):
        for node, said in self.said.items():
            node.spoor.wait_log("match", "records wait in the spool", 90, said)


CLASSES = {"submission": Submission, "mx": Mx, "pixeld": Pixeld, "haproxy": Haproxy, "memcached": Memcached,
           "postgres": Postgres}


def _give(path, owner):
    os.chmod(path, 0o600)
    os.chown(path, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid)


def _write_passwords(path, owner, roles):
    with open(path, "w") as out:
        out.writelines("*:*:spoor:%s:%s\n" % (role, SECRET) for role in roles)
    _give(path, owner)


class Site:
    """All of it, with one or two PostgreSQL SERVERS. `world` is the recipients' mail server, `mailboxes` ours."""

    def __init__(self, folder, servers=2, unlimited=False):
        self.folder, self.servers, self.unlimited = folder, servers, unlimited
        self.log_folder = os.path.join(folder, "log")
        os.makedirs(self.log_folder)
        self.network = network.Network(GATEWAY, CLIENTS + (WORLD_MX, MAILBOXES))
        self.make_secrets()
        self.world = smtp_sink.Sink(place=(WORLD_MX, 25))
        self.mailboxes = smtp_sink.Sink(place=(MAILBOXES, 25))
        self.nodes, self.spoor = {}, None
        for name in list(ADDRESSES)[:len(ADDRESSES) + servers - 2]:
            self.nodes[name] = CLASSES[kind_of(name)](self, name)
        self.databases = [node.server for node in self.of_kind("postgres")]
        self.database = self.databases[0]

    def make_secrets(self):
        """What all hosts have below /etc/spoor, and HAProxy its certificate."""
        secrets = os.path.join(self.folder, "etc")
        os.mkdir(secrets)
        self.key_file, self.password_file = os.path.join(secrets, "keys"), os.path.join(secrets, "pgpass")
        key, self.certificate = https_server.make_certificate(secrets)
        self.certificate_key = os.path.join(secrets, "database.key")
        self.web_certificate = os.path.join(secrets, "web.pem")
        shutil.copy(key, self.certificate_key)
        with open(self.web_certificate, "wb") as both:
            for path in (self.certificate, key):
                with open(path, "rb") as part:
                    both.write(part.read())
        self.admin_password_file = os.path.join(secrets, "pgpass.admin")
        _write_passwords(self.admin_password_file, "postgres", ADMIN_ROLES)
        for name, role in ROLES.items():
            _write_passwords("%s.%s" % (self.password_file, name), "nobody", [role])
        _give(self.certificate_key, "postgres")

    def of_kind(self, kind):
        return [node for node in self.nodes.values() if node.kind_name == kind]

    @property
    def spoor_nodes(self):
        return [node for node in self.nodes.values() if isinstance(node, SpoorNode)]

    def start(self):
        first = self.nodes["submission1"].spoor
        first.key_file = self.key_file
        first.make_keys()
        self.spoor = first
        for node in self.of_kind("postgres"):
            node.start()
            node.server.create_database()
            node.server.execute("ALTER ROLE postgres PASSWORD '%s'; CREATE ROLE spoor_admin LOGIN PASSWORD '%s'"
                                % (SECRET, SECRET))
        self.write_admin_conf()
        self.ctl("schema", "install")
        for database in self.databases:
            for role in sorted(set(ROLES.values())):
                database.execute("ALTER ROLE %s PASSWORD '%s'" % (role, SECRET))
        for node in self.nodes.values():
            if node.kind_name != "postgres":
                node.start()
        for node in self.spoor_nodes:
            node.check()
        return self

    def as_many_servers(self, text):
        """A spoor.conf without what is for a second PostgreSQL, when there is one."""
        return text if self.servers > 1 else re.sub(r"^shards? .*\n", "", text, flags=re.M)

    def write_admin_conf(self):
        words = [("/etc/spoor/keys", self.key_file), ("/etc/spoor/pgpass.admin", self.admin_password_file),
                 ("/etc/spoor/database.crt", self.certificate)]
        with open(os.path.join(self.folder, "admin.conf"), "w") as out:
            out.write(self.as_many_servers(samples.read("cluster/admin.conf", words)))

    def ctl(self, *words):
        """spoorctl, as an administrator on the first database's host."""
        argv = [spoor.program("ctl/spoorctl"), "-c", os.path.join(self.folder, "admin.conf")] + list(words)
        return proc.run(self.nodes["postgres1"].host.enter(argv),
                        env=dict(os.environ, SPOOR_SQL_DIR=os.path.join(spoor.SOURCE, "sql"))).stdout.decode()

    def keep(self):
        """A copy of all folders that stays."""
        kept = servers_of.new_folder()
        proc.run(["cp", "-a", self.folder + "/.", kept])
        return kept

    def stop(self):
        failures = []
        for node in self.spoor_nodes:  # all at once: libmilter may take seconds to see a signal
            node.begin_stop()
        order = ("haproxy", "submission", "mx", "pixeld", "memcached", "postgres")
        for node in [node for kind in order for node in self.of_kind(kind)]:
            try:
                node.stop()
            except Exception as error:
                failures.append(error)
        for sink in (self.world, self.mailboxes):
            sink.stop()
        if failures:
            raise failures[0]
