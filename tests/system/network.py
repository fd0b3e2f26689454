# SPDX-License-Identifier: BSD-2-Clause
"""
Hosts of the test's own on one wire: a namespace each for network and host name, and a bridge in that of whoever makes them.
Nothing leads outside, and all of it goes with its processes.
"""

import glob
import os
import pwd
import signal
import subprocess
import sys

import proc

BRIDGE = "wire"
NAME_AND_STAY = 'echo "$0" >/proc/sys/kernel/hostname; exec sleep infinity'
BYPASS = "bypass"  # the way of the one host whose wire is slow


def ip(*words):
    proc.run(["ip"] + list(words))


class Host:
    """One of them, by NAME and ADDRESS."""

    def __init__(self, number, name, address, gateway):
        self.address = address
        self.wire = "host%d" % number
        self.anchor = subprocess.Popen(["unshare", "--net", "--uts", "sh", "-c", NAME_AND_STAY, name],
                                       stdin=subprocess.DEVNULL, preexec_fn=proc.die_with_parent(signal.SIGKILL))
        self.namespace = "/proc/%d/ns/net" % self.anchor.pid
        self.delayer = None
        ours = os.readlink("/proc/self/ns/net")
        proc.wait_for(lambda: os.readlink(self.namespace) != ours, "a network namespace")
        ip("link", "add", self.wire, "type", "veth", "peer", "name", "eth0", "netns", str(self.anchor.pid))
        ip("link", "set", self.wire, "master", BRIDGE, "up")
        for words in (("link", "set", "lo", "up"), ("address", "add", address + "/24", "dev", "eth0"),
                      ("link", "set", "eth0", "up"), ("route", "add", "default", "via", gateway)):
            proc.run(self.enter(["ip"] + list(words)))

    def enter(self, argv, user=None):
        """ARGV as it is run on this host; by root, who becomes USER."""
        account = pwd.getpwnam(user) if user else None
        become = ["--setuid=%d" % account.pw_uid, "--setgid=%d" % account.pw_gid] if account else []
        home = ["env", "HOME=" + account.pw_dir] if account else []
        return ["nsenter", "--target=%d" % self.anchor.pid, "--net", "--uts"] + become + ["--"] + home + argv

    def processes(self):
        """Whatever runs there."""
        inside, found = os.readlink(self.namespace), []
        for path in glob.glob("/proc/[0-9]*/ns/net"):
            try:
                if os.readlink(path) == inside:
                    found.append(int(path.split("/")[2]))
            except OSError:
                pass  # it has ended
        return [pid for pid in found if pid != self.anchor.pid]

    def kill(self):
        """Everything on it dies at once, and has when this returns."""
        def none_left():
            pids = self.processes()
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return all(_is_dead(pid) for pid in pids)
        proc.wait_for(none_left, "all on %s is dead" % self.address)

    def cut(self):
        ip("link", "set", self.wire, "down")

    def join(self):
        ip("link", "set", self.wire, "up")

    def slow_down(self, delay_ms):
        """Each frame from and to it takes DELAY_MS longer."""
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slow_wire.py")
        ip("link", "add", BYPASS, "type", "veth", "peer", "name", BYPASS + "-far")
        ip("link", "set", BYPASS + "-far", "master", BRIDGE, "up")
        ip("link", "set", BYPASS, "arp", "off", "up")
        ip("link", "set", self.wire, "nomaster", "arp", "off")
        self.delayer = subprocess.Popen([sys.executable, "-B", script, self.wire, BYPASS, str(delay_ms)],
                                        stdout=subprocess.PIPE, preexec_fn=proc.die_with_parent(signal.SIGKILL))
        if not self.delayer.stdout.readline():
            raise proc.Failure("slow_wire.py ended")

    def speed_up(self):
        self.delayer.kill()
        self.delayer.wait()
        self.delayer.stdout.close()
        self.delayer = None
        ip("link", "delete", BYPASS)
        ip("link", "set", self.wire, "master", BRIDGE, "arp", "on")


def _is_dead(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


class Network:
    """The wire. GATEWAY, on it, is the hosts' way to ADDRESSES beyond it; all of them are ours."""

    def __init__(self, gateway, addresses):
        self.gateway = gateway
        self.count = 0
        with open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w") as switch:
            switch.write("1")
        ip("link", "set", "lo", "up")
        # An address of its own: else it is that of one of the wires, and another one's when that goes.
        ip("link", "add", BRIDGE, "address", "02:00:00:00:00:01", "type", "bridge", "forward_delay", "0")
        ip("link", "set", BRIDGE, "up")
        for address in [gateway] + list(addresses):
            ip("address", "add", address + "/24", "dev", BRIDGE)
        # Who does not say from where comes from the world.
        ip("route", "replace", gateway.rpartition(".")[0] + ".0/24", "dev", BRIDGE, "src", addresses[0])

    def add(self, name, address):
        self.count += 1
        return Host(self.count, name, address, self.gateway)
