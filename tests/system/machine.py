# SPDX-License-Identifier: BSD-2-Clause
"""
A Debian below one folder, unpacked from this machine's own source of packages, whose systemd is started in namespaces of its own
without network.
"""

import glob
import os
import re
import shutil
import subprocess
import sys

import proc

# What a mail server has before Spoor comes.
PACKAGES = "systemd,systemd-sysv,dbus,python3"
MOUNTS = """\
set -e
cd {0}
mount --make-rprivate / && mount --bind . . && cd {0}
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs run && mkdir run/lock
mount -t tmpfs -o mode=755 tmpfs dev && mkdir dev/shm dev/pts && chmod 1777 dev/shm
for name in null zero full random urandom tty; do cp -a /dev/$name dev/; done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts && ln -s pts/ptmx dev/ptmx && ln -s /proc/self/fd dev/fd
"""
BOOT = MOUNTS + """\
ip link set lo up
mount -t sysfs sysfs sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup
else
    mount -t tmpfs tmpfs sys/fs/cgroup && mkdir sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
# Not only chroot, for who lives in one may make no user namespaces.
pivot_root . mnt
exec env -i container=spoor PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /bin/sh -c 'umount -l /mnt && exec /sbin/init --log-target=journal'
"""


class Machine:
    def __init__(self, folder):
        self.folder = folder
        self.init = self.cgroup = None

    def make(self):
        with open("/etc/apt/sources.list.d/debian.sources") as file:
            sources = file.read()
        mirror = re.search(r"^URIs: (\S+)", sources, re.M).group(1)
        suite = re.search(r"^Suites: (\S+)", sources, re.M).group(1)
        subprocess.run(["debootstrap", "--variant=minbase", "--include=" + PACKAGES, suite, self.folder, mirror], check=True,
                       stdout=subprocess.DEVNULL)
        os.chmod(self.folder, 0o755)
        os.unlink(self.folder + "/etc/apt/sources.list")
        for path in glob.glob("/etc/apt/apt.conf.d/*") + ["/etc/apt/sources.list.d/debian.sources", "/etc/resolv.conf"]:
            shutil.copy(path, self.folder + path)

    def copy(self, other):
        """Is made as a copy of one that does not run."""
        subprocess.run(["cp", "-a", other.folder + "/.", self.folder], check=True)

    def bring(self, paths, folder):
        os.makedirs(self.folder + folder, exist_ok=True)
        for path in paths:
            shutil.copy(path, self.folder + folder)

    def unpack(self, tarball, folder):
        """Gives the folder that was in it, as the machine sees it."""
        subprocess.run(["tar", "-C", self.folder + folder, "-xf", tarball], check=True)
        made, = (name for name in os.listdir(self.folder + folder) if not name.startswith(".") and os.path.isdir(self.folder + folder + "/" + name))
        return folder + "/" + made

    def fetch(self, script):
        """Runs SCRIPT with the network of this machine and before systemd is started: nothing may start."""
        policy = self.folder + "/usr/sbin/policy-rc.d"
        with open(policy, "w") as out:
            out.write("#!/bin/sh\nexit 101\n")
        os.chmod(policy, 0o755)
        self._checked(["unshare", "--mount", "sh", "-c", MOUNTS.format(self.folder) + "exec chroot . /bin/sh -e -c \"$0\"", script])
        os.unlink(policy)

    def boot(self):
        # A group of processes of its own, which is the root of what it sees of them.
        top = "/sys/fs/cgroup" if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else "/sys/fs/cgroup/systemd"
        self.cgroup = os.path.join(top, os.path.basename(self.folder))
        os.mkdir(self.cgroup)

        def enter():
            with open(os.path.join(self.cgroup, "cgroup.procs"), "w") as procs:
                procs.write(str(os.getpid()))

        self.init = subprocess.Popen(["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child",
                                      "sh", "-c", BOOT.format(self.folder)], preexec_fn=enter, stdin=subprocess.DEVNULL)
        proc.wait_for(lambda: self._run("systemctl is-system-running").stdout.strip() in (b"running", b"degraded"), "systemd is up", 60)

    def _run(self, script):
        pids = proc.children(self.init.pid)
        if not pids:
            return subprocess.CompletedProcess([], 1, b"", b"")
        return self._outcome(["nsenter", "--target", str(pids[0]), "--all", "--root", "--wd", "/bin/sh", "-e", "-c", script])

    @staticmethod
    def _outcome(command):
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"})

    def _checked(self, command):
        done = self._outcome(command)
        if done.returncode != 0:
            sys.exit("%s\n%s\nexit status %d" % (command[-1], done.stdout.decode("utf-8", "replace"), done.returncode))
        return done.stdout.decode("utf-8", "replace")

    def run(self, script):
        """As root on the machine; gives what it printed."""
        done = self._run(script)
        output = done.stdout.decode("utf-8", "replace")
        if done.returncode != 0:
            log = self._run("journalctl --no-pager -n 400 | grep -v runuser | tail -40").stdout.decode("utf-8", "replace")
            sys.exit("# %s\n%s\nexit status %d; the journal:\n%s" % (script, output, done.returncode, log))
        return output

    def keep(self):
        """Until it is told to go."""
        if self.init:
            print("\nit runs: nsenter --target %d --all --root --wd /bin/sh" % proc.children(self.init.pid)[0], flush=True)
            input("Enter ends and removes it ")
        self.remove()

    def remove(self):
        if self.init:
            self.init.kill()
            self.init.wait()
        if self.cgroup:
            proc.wait_for(lambda: not any(line for where, _, _ in os.walk(self.cgroup) for line in open(where + "/cgroup.procs")),
                          "all its processes are gone")
            for where, _, _ in os.walk(self.cgroup, topdown=False):
                os.rmdir(where)
        subprocess.run(["rm", "-rf", "--one-file-system", self.folder])
