# SPDX-License-Identifier: BSD-2-Clause
"""
A private Sendmail: its Debian packages conflict with Postfix's, so they are fetched and unpacked, never installed.

It runs in namespaces of its own, for it can log to /dev/log only and asks for the host's full name.
"""

import contextlib
import fcntl
import glob
import os
import re
import shutil
import socket
import tempfile
import threading
import time

import proc

PACKAGES = ("sendmail-bin", "sendmail-base", "sendmail-cf")
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get("SPOOR_SENDMAIL", "/var/cache/spoor-test-sendmail")

MC = """\
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `{name}.test')dnl
define(`SMART_HOST', `relay:[127.0.0.1]')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {next_port}')dnl
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`confPID_FILE', `{folder}/pid')dnl
define(`ALIAS_FILE', `{folder}/aliases')dnl
define(`STATUS_FILE', `')dnl
define(`HELP_FILE', `')dnl
define(`confSERVICE_SWITCH_FILE', `{folder}/switch')dnl
define(`confRUN_AS_USER', `root')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe,NonRootSafeAddr')dnl
define(`confTO_IDENT', `0s')dnl
define(`confTO_QUEUEWARN', `0s')dnl
define(`confMAX_MESSAGE_SIZE', `104857600')dnl
define(`confMAX_HEADERS_LENGTH', `1048576')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
FEATURE(`nocanonify')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`virtusertable', `hash -o {folder}/virtusertable')dnl
{virtual}{daemons}MAILER(`smtp')dnl
"""

# $0 becomes /dev: with what programs need of it, and the socket of our own syslog.
NAMESPACE = """\
for name in null zero full random urandom tty; do : >>"$0/$name"; mount --bind "/dev/$name" "$0/$name" || exit 1; done
mount --rbind "$0" /dev && hostname "$1" && shift && exec "$@"
"""


def unpacked():
    """The folder with what the packages hold; fetched once."""
    root = os.path.join(CACHE, "root")
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(root):
            _fetch(root)
    return root


def _fetch(root):
    parts = tempfile.mkdtemp(dir=CACHE)
    apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3"]
    try:
        if proc.run(apt + ["download"] + list(PACKAGES), cwd=parts, check=False).returncode != 0:
            proc.run(apt + ["update"])
            proc.run(apt + ["download"] + list(PACKAGES), cwd=parts)
        for package in glob.glob(os.path.join(parts, "*.deb")):
            proc.run(["dpkg", "-x", package, os.path.join(parts, "root")])
        # Unpacked it is set-group-ID to a group that may not be here, or be somebody else's.
        os.chmod(os.path.join(parts, "root/usr/libexec/sendmail/sendmail"), 0o755)
        os.rename(os.path.join(parts, "root"), root)
    finally:
        shutil.rmtree(parts, ignore_errors=True)


class Syslog:
    """What comes to a private /dev/log, in a file as syslogd writes it."""

    def __init__(self, socket_path, path):
        self.path = path
        self.lock = threading.Lock()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(socket_path)
        os.chmod(socket_path, 0o666)
        self.host = socket.gethostname().split(".")[0]
        self.out = None
        self.reopen()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def reopen(self):
        """After a rotation."""
        with self.lock:
            if self.out is not None:
                os.close(self.out)
            self.out = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def _run(self):
        while True:
            text = self.socket.recv(65536)
            if not text:
                return
            # "<22>Nov 21 07:01:10 sm-mta[7]: ..."
            text = text[text.find(b">") + 1:].rstrip(b"\0\n")
            with self.lock:
                os.write(self.out, text[:16] + self.host.encode() + b" " + text[16:] + b"\n")

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.socket.close()
        os.close(self.out)


class Sendmail:
    """
    One instance that hands all mail on to NEXT_PORT. ALIASES go from an address to several. It has the daemons and filters of
    contrib/sendmail, their sockets in the folder SOCKETS; .port is that of SERVICE, smtp or submission. Neither FOLDER nor
    SOCKETS may be below a folder that is everybody's.
    """

    def __init__(self, name, folder, log_folder, sockets, service, next_port, options=(), aliases=None):
        self.name = name
        self.folder = os.path.join(folder, "sendmail-" + name)
        self.log = os.path.join(log_folder, "sendmail-%s.log" % name)
        self.ports = {"smtp": proc.free_port(), "submission": proc.free_port()}
        self.port = self.ports[service]
        self.sockets = sockets
        self.server = self.syslog = None
        self.root = unpacked()
        for path in (self.folder, self.dev, self.queue):
            os.mkdir(path, 0o755)
        self.configure(next_port, options, aliases)

    @property
    def dev(self):
        return os.path.join(self.folder, "dev")

    @property
    def queue(self):
        return os.path.join(self.folder, "queue")

    def program(self, name):
        return os.path.join(self.root, "usr/libexec/sendmail", name)

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w") as out:
                out.write(text)
        return path

    def daemons(self):
        """The lines of contrib/sendmail, with our ports and without a login."""
        with open(os.path.join(SOURCE, "contrib/sendmail/spoor.mc"), encoding="utf-8") as sample:
            text = sample.read()
        for old, new in [("/run/spoor/stamp", self.sockets), ("/run/spoor/match", self.sockets), ("M=Ea", "M=E")] + [
                ("Port=%s," % name, "Addr=127.0.0.1, Port=%d," % port) for name, port in self.ports.items()]:
            assert old in text, old
            text = text.replace(old, new)
        return text

    def configure(self, next_port, options=(), aliases=None):
        """OPTIONS as sendmail's -O takes them."""
        self.options = list(options)
        aliases = aliases or {}
        virtual = "".join("VIRTUSER_DOMAIN(`%s')dnl\n" % domain for domain in sorted({a.split("@")[1] for a in aliases}))
        mc = self.path("sendmail.mc", MC.format(name=self.name, folder=self.folder, next_port=next_port, virtual=virtual,
                                                daemons=self.daemons()))
        cf = os.path.join(self.root, "usr/share/sendmail/cf/")
        made = proc.run(["m4", "-D_CF_DIR_=" + cf, cf + "m4/cf.m4", mc])
        self.path("sendmail.cf", made.stdout.decode())
        self.path("switch", "hosts files\naliases files\n")
        self.path("aliases", "".join("alias%d: %s\n" % (n, ", ".join(to)) for n, to in enumerate(aliases.values())))
        users = "".join("%s alias%d\n" % (address, n) for n, address in enumerate(aliases))
        proc.run([self.program("makemap"), "-C", "/dev/null", "hash", self.path("virtusertable")], input=users.encode())
        proc.run(self.command("-bi"))

    def say_to(self, log_socket):
        """From the next start on it logs there, and not to a file."""
        self.syslog.stop()
        os.unlink(os.path.join(self.dev, "log"))
        os.symlink(log_socket, os.path.join(self.dev, "log"))
        self.syslog = None

    def command(self, *arguments):
        inside = ["unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c", NAMESPACE, self.dev, self.name + ".test"]
        return inside + [self.program("sendmail"), "-C", self.path("sendmail.cf")] + ["-O" + o for o in self.options] + list(arguments)

    def start(self):
        self.launch()
        self.wait_ready()

    def launch(self):
        if not os.path.lexists(os.path.join(self.dev, "log")):
            self.syslog = Syslog(os.path.join(self.dev, "log"), self.log)
        self.server = proc.Server("Sendmail '%s'" % self.name, self.command("-L", "sm-mta", "-bD", "-q1s"), self.log + ".start")

    def wait_ready(self):
        self.server.wait_ready(self.port)

    def restart(self):
        self.server.stop()
        self.start()

    def reload(self):
        """Its log has been rotated."""
        self.syslog.reopen()

    def begin_stop(self):
        if self.server:
            self.server.begin_stop()

    def stop(self):
        if self.server:
            self.server.stop()
            self._end_children()
            if self.syslog:
                self.syslog.stop()
            self.server = self.syslog = None

    def _end_children(self):
        """The processes that still deliver; in their queue runs they would go on for long."""
        deadline = time.monotonic() + 10
        while (left := self._processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, 9)

    def _processes(self):
        """Those in our server's session."""
        found = []
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path, "rb") as stat:
                    fields = stat.read().rpartition(b")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.server.pid and fields[0] != b"Z":
                found.append(int(path.split("/")[2]))
        return found

    def text(self):
        with open(self.log, "rb") as log:
            return log.read().decode("utf-8", "replace")

    def queued(self):
        """A mail has a file qf and a file df."""
        return len([name for name in os.listdir(self.queue) if name.startswith(("qf", "df"))])

    def wait_empty(self, seconds=proc.PATIENCE_S):
        proc.wait_for(lambda: self.queued() == 0, "Sendmail '%s' has nothing left in its queue" % self.name, seconds, self.log)

    def lines_of(self, queue_id):
        return [line for line in self.text().splitlines() if re.search(r"\b%s: " % re.escape(queue_id), line)]
