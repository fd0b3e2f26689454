# SPDX-License-Identifier: BSD-2-Clause
"""Processes that end with us, free ports, and waiting for an event with a deadline."""

import ctypes
import errno
import os
import random
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
# How long anything may take on a machine that is busy with other things: only a failure waits so long.
PATIENCE_S = 90.0
LIBC = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """What went wrong, with the log that explains it."""

    def __init__(self, what, log=None):
        self.log = log
        tail = "\n" + tail_of(log) if log else ""
        super().__init__(what + tail)


def tail_of(path, lines=25):
    try:
        with open(path, "rb") as log:
            text = log.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(["--- %s" % path] + text[-lines:])


def wait_for(question, what, seconds=PATIENCE_S, log=None):
    """The first true answer of question(); Failure once the deadline has passed."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failure("%g s passed without: %s" % (seconds, what), log)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


given_ports = {}


def claim_port(port):
    """
    False when another run of these tests has it. The claim is an abstract socket of that name, which goes with its
    process: no file is left behind.
    """
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind("\0spoor-test-port-%d" % port)
    except OSError as error:
        claim.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    given_ports[port] = claim
    return True


def free_port():
    """
    A TCP port of 127.0.0.1 that nobody has, below the range from which the kernel takes them. Each is given once: two
    servers that are told their ports before either listens must not share one, nor two runs side by side.
    """
    while True:
        port = random.randrange(12000, 32000)
        if port in given_ports or not claim_port(port):
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise


def endpoint(where):
    """A number is a port of 127.0.0.1; else it is address and port, of a host of network.py."""
    return ("127.0.0.1", where) if isinstance(where, int) else where


def accepts(address):
    """Does something listen there? A path is a unix socket, all else as in endpoint()."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as client:
        client.settimeout(2)
        try:
            client.connect(address if isinstance(address, str) else endpoint(address))
            return True
        except OSError:
            return False


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return [int(child) for child in file.read().split()]


def die_with_parent(sig=signal.SIGTERM):
    """For preexec_fn: the kernel sends SIG to the child when its parent is gone."""
    def arrange():
        LIBC.prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0)
    return arrange


class Server:
    """A server in the foreground, its output in a log file; on HOST of network.py, or here."""

    def __init__(self, name, argv, log, user=None, env=None, cwd="/", stop_signal=signal.SIGTERM, preexec=None, host=None):
        self.name = name
        self.log = log
        self.stop_signal = stop_signal
        self.asked_to_stop = False
        self.killed = False
        arrange = die_with_parent(stop_signal)

        def before():
            arrange()
            if preexec:
                preexec()

        if host:
            argv, user = host.enter(argv, user), None
        account = dict(user=user, group=user, extra_groups=[]) if user else {}
        with open(log, "ab") as out:
            self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd,
                                          env=dict(os.environ, **(env or {})), preexec_fn=before,
                                          start_new_session=True, **account)

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child.poll() is None

    def wait_ready(self, address, seconds=PATIENCE_S):
        def ready():
            if not self.alive():
                raise Failure("%s ended with status %d while starting" % (self.name, self.child.returncode), self.log)
            return accepts(address)
        wait_for(ready, "%s accepts on %s" % (self.name, address), seconds, self.log)

    def signal(self, sig):
        self.child.send_signal(sig)

    def begin_stop(self):
        """Asks it to end, once: many servers take a second request for impatience."""
        if self.alive() and not self.asked_to_stop:
            self.asked_to_stop = True
            self.child.send_signal(self.stop_signal)

    def stop(self, seconds=PATIENCE_S):
        """Asks it to end and returns its exit status; kills it when it does not listen."""
        self.begin_stop()
        if self.alive():
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise Failure("%s did not end within %d s" % (self.name, seconds), self.log)
        return self.child.returncode

    def kill(self):
        self.killed = True
        if self.alive():
            self.child.kill()
            self.child.wait()
        return self.child.returncode

    def computed_s(self):
        """The computing time of all its threads, which other programs make no longer."""
        with open("/proc/%d/stat" % self.pid) as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def text(self):
        with open(self.log, "rb") as log:
            return log.read().decode("utf-8", "replace")


def run(argv, log=None, check=True, **more):
    """Runs a command to its end; what it printed is in the result, and in Failure when it failed."""
    done = subprocess.run(argv, stdin=more.pop("stdin", subprocess.DEVNULL) if "input" not in more else None,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    if log:
        with open(log, "ab") as out:
            out.write(("$ %s\n" % " ".join(argv)).encode() + done.stdout + done.stderr)
    if check and done.returncode != 0:
        raise Failure("%s: exit status %d\n%s" % (" ".join(argv), done.returncode,
                                                 done.stderr.decode("utf-8", "replace").strip()))
    return done
