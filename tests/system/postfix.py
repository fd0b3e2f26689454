# SPDX-License-Identifier: BSD-2-Clause
"""A private Postfix: nothing outside its folder is read or written, but for its programs."""

import os
import pwd
import re
import socket
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
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_bind_address = 127.0.0.1
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
127.0.0.1:{port} inet n - n - - smtpd
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
    return "{ unix:%s, default_action=tempfail, connect_timeout=5s, content_timeout=60s }" % socket_path


class Postfix:
    """One instance; SETTINGS are added to main.cf, MORE_SERVICES to master.cf."""

    def __init__(self, name, folder, log_folder, settings, more_services=()):
        self.name = name
        self.folder = os.path.join(folder, "postfix-" + name)
        self.etc = os.path.join(self.folder, "etc")
        self.log = os.path.join(log_folder, "postfix-%s.log" % name)
        self.port = proc.free_port()
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
        base = MAIN_CF.format(folder=self.folder, name=self.name, log=self.log, log_folder=os.path.dirname(self.log))
        # A name given twice would make Postfix warn; ours goes when the caller brings one.
        lines = [line for line in base.splitlines() if line.split(" =")[0] not in settings]
        lines += ["%s = %s" % item for item in settings.items()]
        with open(os.path.join(self.etc, "main.cf"), "w") as out:
            out.write("\n".join(lines) + "\n")
        # So does a service.
        given = {tuple(line.split()[:2]) for line in more_services if not line.startswith(" ")}
        services = [line for line in MASTER_CF.format(port=self.port).splitlines() if tuple(line.split()[:2]) not in given]
        with open(os.path.join(self.etc, "master.cf"), "w") as out:
            out.write("\n".join(services + list(more_services)) + "\n")

    def start(self):
        self.launch()
        self.wait_ready()

    def launch(self):
        """Begins the start, most of which is Postfix making its queue folders."""
        self.keeper = subprocess.Popen(["sh", "-c", KEEPER, "keeper", self.etc], stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
                                       start_new_session=True)
        with open(self.log + ".start", "wb") as out:
            self.starting = subprocess.Popen(["postfix", "-c", self.etc, "start"], stdin=subprocess.DEVNULL, stdout=out,
                                             stderr=out, cwd="/")

    def wait_ready(self):
        if self.starting.wait(60) != 0:
            raise proc.Failure("Postfix '%s' does not start" % self.name, self.log + ".start")
        proc.wait_for(self.greets, "Postfix '%s' greets" % self.name, log=self.log)

    def greets(self):
        """It itself, not somebody else who listens there."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as client, client.makefile("rb") as stream:
                greeting = stream.readline()
                client.sendall(b"QUIT\r\n")
                stream.readline()
        except OSError:
            return False
        if greeting and not greeting.startswith(b"220 %s.test " % self.name.encode()):
            raise proc.Failure("port %d of Postfix '%s' is somebody else's: %r" % (self.port, self.name, greeting), self.log)
        return bool(greeting)

    def reload(self):
        proc.run(["postfix", "-c", self.etc, "reload"], cwd="/")

    def flush(self):
        proc.run(["postqueue", "-c", self.etc, "-f"], cwd="/")

    def begin_stop(self):
        if self.keeper and not self.keeper.stdin.closed:
            self.starting.wait(60)
            self.keeper.stdin.close()

    def stop(self):
        self.begin_stop()
        if self.keeper:
            self.keeper.wait(60)
            self.keeper = None

    def text(self):
        with open(self.log, "rb") as log:
            return log.read().decode("utf-8", "replace")

    def queued(self):
        """How many mails wait: 0 means everything was delivered."""
        count = 0
        for queue in ("maildrop", "incoming", "active", "deferred"):
            for _, _, files in os.walk(os.path.join(self.folder, "spool", queue)):
                count += len(files)
        return count

    def wait_empty(self, seconds=60):
        proc.wait_for(lambda: self.queued() == 0, "Postfix '%s' has nothing left in its queue" % self.name, seconds,
                      self.log)

    def corrupt(self):
        return os.listdir(os.path.join(self.folder, "spool", "corrupt"))

    def lines_of(self, queue_id):
        return [line for line in self.text().splitlines() if re.search(r"\b%s: " % re.escape(queue_id), line)]


def sending(folder, log_folder, milter_socket, next_port):
    settings = {"relayhost": "[127.0.0.1]:%d" % next_port}
    if milter_socket:
        settings["smtpd_milters"] = milter(milter_socket)
    return Postfix("sending", folder, log_folder, settings)


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
