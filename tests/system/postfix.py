# SPDX-License-Identifier: BSD-2-Clause
"""A private Postfix: nothing outside its folder is read or written, but for its programs."""

import os
import pwd
import re
import socket
import stat
import subprocess

import proc

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = {name}.test
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = {address}
inet_protocols = ipv4
smtp_bind_address = {address}
mynetworks = 127.0.0.0/8 192.168.7.0/24
disable_dns_lookups = yes
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_recipient_limit = 2000
smtpd_recipient_overshoot_limit = 2000
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
smtpd_timeout = 60s
smtputf8_enable = yes
in_flow_delay = 0
message_size_limit = 104857600
virtual_mailbox_limit = 0
header_size_limit = 1024000
maillog_file = {log}
maillog_file_prefixes = {log_folder}
milter_default_action = tempfail
milter_protocol = 6
"""

MASTER_CF = """\
{address}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

# Ends the mail system when the pipe on its input closes: that is, when whoever started it is gone.
KEEPER = 'read -r line; exec postfix -c "$1" stop'


def milter(socket_path):
    """The milter as the samples attach it: a dead filter means "try later", never a lost mail."""
    return "{ unix:%s, default_action=tempfail, connect_timeout=30s, content_timeout=90s }" % socket_path


class Postfix:
    """One instance; SETTINGS are added to main.cf, MORE_SERVICES to master.cf. It runs here, or on HOST of network.py."""

    def __init__(self, name, folder, log_folder, settings, more_services=(), host=None, port=None):
        self.name = name
        self.folder = os.path.join(folder, "postfix-" + name)
        self.etc = os.path.join(self.folder, "etc")
        self.log = os.path.join(log_folder, "postfix-%s.log" % name)
        self.host = host
        self.place = (host.address if host else "127.0.0.1", port or proc.free_port())
        self.port = self.place[1]
        self.keeper = self.starting = None
        for path in (self.folder, self.etc, os.path.join(self.folder, "spool"), os.path.join(self.folder, "data")):
            os.mkdir(path, 0o755)
        owner = pwd.getpwnam("postfix")
        os.chown(os.path.join(self.folder, "data"), owner.pw_uid, owner.pw_gid)
        self.settings = dict(settings)
        self.configure(settings, more_services)

    def change(self, settings):
        """Adds SETTINGS to those of a running one."""
        self.settings.update(settings)
        self.configure(self.settings)
        self.reload()

    def configure(self, settings, more_services=()):
        base = MAIN_CF.format(folder=self.folder, name=self.name, log=self.log, log_folder=os.path.dirname(self.log),
                              address=self.place[0])
        # A name given twice would make Postfix warn; ours goes when the caller brings one.
        lines = [line for line in base.splitlines() if line.split(" =")[0] not in settings]
        lines += ["%s = %s" % item for item in settings.items()]
        self._write("main.cf", lines)
        # So does a service.
        given = {tuple(line.split()[:2]) for line in more_services if not line.startswith(" ")}
        base = MASTER_CF.format(address=self.place[0], port=self.port)
        services = [line for line in base.splitlines() if tuple(line.split()[:2]) not in given]
        self._write("master.cf", services + list(more_services))

    def _write(self, name, lines):
        """At once: a process of a running Postfix that starts now reads it before or after, never half of it."""
        path = os.path.join(self.etc, name)
        with open(path + ".new", "w") as out:
            out.write("\n".join(lines) + "\n")
        os.replace(path + ".new", path)

    def start(self):
        self.launch()
        self.wait_ready()

    def launch(self):
        """Begins the start, most of which is Postfix making its queue folders."""
        self.keeper = subprocess.Popen(self._there("sh", "-c", KEEPER, "keeper", self.etc), stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                                       start_new_session=True)
        with open(self.log + ".start", "wb") as out:
            self.starting = subprocess.Popen(self._there("postfix", "-c", self.etc, "start"), stdin=subprocess.DEVNULL,
                                             stdout=out, stderr=out, cwd="/")

    def _there(self, *argv):
        """As its host runs it; Postfix wants to see its address."""
        return self.host.enter(list(argv)) if self.host else list(argv)

    def wait_ready(self):
        if self.starting.wait(proc.PATIENCE_S) != 0:
            raise proc.Failure("Postfix '%s' does not start" % self.name, self.log + ".start")
        proc.wait_for(self.greets, "Postfix '%s' greets" % self.name, log=self.log)

    def greets(self):
        """It itself, not somebody else who listens there."""
        try:
            with socket.create_connection(self.place, timeout=10) as client, client.makefile("rb") as stream:
                greeting = stream.readline()
                client.sendall(b"QUIT\r\n")
                stream.readline()
        except OSError:
            return False
        if greeting and not greeting.startswith(b"220 %s.test " % self.name.encode()):
            raise proc.Failure("port %d of Postfix '%s' is somebody else's: %r" % (self.port, self.name, greeting), self.log)
        return bool(greeting)

    def reload(self):
        """
        Returns when the old queue manager is gone: what it is told last dies with it, and the new one would start by itself only
        in minutes.
        """
        old = self._queue_managers()
        proc.run(self._there("postfix", "-c", self.etc, "reload"), cwd="/")
        proc.wait_for(lambda: not old & self._queue_managers(), "the old queue manager is gone", log=self.log)
        self.flush()

    def _queue_managers(self):
        with open(os.path.join(self.folder, "spool", "pid", "master.pid")) as file:
            master = int(file.read())
        found = set()
        for pid in proc.children(master):
            try:
                with open("/proc/%d/comm" % pid) as comm:
                    found |= {pid} if comm.read() == "qmgr\n" else set()
            except OSError:
                pass  # it has just ended
        return found

    def flush(self):
        proc.run(self._there("postqueue", "-c", self.etc, "-f"), cwd="/")

    def begin_stop(self):
        if self.keeper and not self.keeper.stdin.closed:
            self.starting.wait(proc.PATIENCE_S)
            self.keeper.stdin.close()

    def stop(self):
        self.begin_stop()
        if self.keeper:
            self.keeper.wait(proc.PATIENCE_S)
            self.keeper = None

    def text(self):
        with open(self.log, "rb") as log:
            return log.read().decode("utf-8", "replace")

    def queued(self):
        """
        How many mails wait: 0 means everything was delivered. A file is a mail when its mode says "complete"; one that was
        being written when Postfix was killed stays for hours.
        """
        found = set()
        # As mails go through them; what has gone back since it was looked for is in one of the first again.
        for queue in ("maildrop", "incoming", "active", "deferred", "incoming", "active"):
            for folder, _, files in os.walk(os.path.join(self.folder, "spool", queue)):
                found.update(name for name in files if _is_complete(os.path.join(folder, name)))
        return len(found)

    def wait_empty(self, seconds=proc.PATIENCE_S):
        proc.wait_for(lambda: self.queued() == 0, "Postfix '%s' has nothing left in its queue" % self.name, seconds,
                      self.log)

    def corrupt(self):
        return os.listdir(os.path.join(self.folder, "spool", "corrupt"))

    def lines_of(self, queue_id):
        return [line for line in self.text().splitlines() if re.search(r"\b%s: " % re.escape(queue_id), line)]


def _is_complete(path):
    try:
        return bool(os.stat(path).st_mode & stat.S_IXUSR)
    except FileNotFoundError:
        return False  # it has just gone to another queue, or out


def sending(folder, log_folder, milter_socket, next_port, name="sending"):
    settings = {"relayhost": "[127.0.0.1]:%d" % next_port}
    if milter_socket:
        settings["smtpd_milters"] = milter(milter_socket)
    return Postfix(name, folder, log_folder, settings)


def receiving(folder, log_folder, milter_socket, mail_folder, domains, people):
    """
    Delivers the addresses of PEOPLE into MAIL_FOLDER/DOMAIN/LOCALPART/, Maildirs, and all others of DOMAINS
    into MAIL_FOLDER/others/. virtual(8) takes no pattern for a mailbox's name, so the people are listed.
    """
    nobody = pwd.getpwnam("nobody")
    os.makedirs(mail_folder, mode=0o755, exist_ok=True)
    os.chown(mail_folder, nobody.pw_uid, nobody.pw_gid)
    mailboxes = os.path.join(folder, "mailboxes")
    with open(mailboxes, "w") as out:
        for address in people:
            out.write("%s %s/\n" % (address, "/".join(reversed(address.split("@")))))
    settings = {"virtual_mailbox_domains": ", ".join(domains),
                "virtual_mailbox_maps": "texthash:%s, static:others/" % mailboxes,
                "virtual_mailbox_base": mail_folder,
                "virtual_minimum_uid": "1",
                "virtual_uid_maps": "static:%d" % nobody.pw_uid,
                "virtual_gid_maps": "static:%d" % nobody.pw_gid}
    if milter_socket:
        settings["smtpd_milters"] = milter(milter_socket)
    return Postfix("receiving", folder, log_folder, settings)
