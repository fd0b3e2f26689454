# SPDX-License-Identifier: BSD-2-Clause
"""A private systemd-journald: the real one, in a namespace in which /run and the machine's id are its own."""

import glob
import os
import shutil
import signal

import proc

PROGRAM = "/lib/systemd/systemd-journald"
MACHINE = "0123456789abcdef0123456789abcdef"

# $0 is the folder: its run becomes /run, and its machine-id the machine's.
NAMESPACE = 'mount --bind "$0/machine-id" /etc/machine-id && mount --bind "$0/run" /run && exec "$@"'


def missing():
    """Why there can be none here; None when there can."""
    for path in (PROGRAM, "/etc/machine-id"):
        if not os.path.exists(path):
            return "there is no %s" % path
    return None


class Journald:
    def __init__(self, folder, log_folder, group):
        """The journal is to be read by GROUP, a number."""
        self.folder = os.path.join(folder, "journald")
        self.log = os.path.join(log_folder, "journald.log")
        self.files = os.path.join(self.folder, "run/log/journal")
        self.socket = os.path.join(self.folder, "run/systemd/journal/dev-log")
        self.server = None
        os.makedirs(os.path.join(self.files, MACHINE))
        os.chown(os.path.join(self.files, MACHINE), 0, group)
        os.chmod(os.path.join(self.files, MACHINE), 0o2755)
        with open(os.path.join(self.folder, "machine-id"), "w") as out:
            out.write(MACHINE + "\n")

    def inside(self, argv):
        """ARGV, to be run where this journal is the machine's."""
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", NAMESPACE, self.folder] + argv

    def start(self):
        self.server = proc.Server("journald", self.inside([PROGRAM]), self.log)
        proc.wait_for(lambda: os.path.exists(self.socket), "journald is there", log=self.log)

    def archives(self):
        return glob.glob(os.path.join(self.files, MACHINE, "system@*.journal"))

    def rotate(self):
        before = len(self.archives())
        self.server.signal(signal.SIGUSR2)
        proc.wait_for(lambda: len(self.archives()) > before, "the journal is rotated", log=self.log)

    def wait_lines(self, queue_id, recipients):
        """The journal has what became of a mail: it is told after the queue is empty."""
        def told():
            said = proc.run(["journalctl", "--directory", self.files, "--quiet", "--output=cat", "--grep", queue_id], check=False).stdout
            lines = [line for line in said.decode("utf-8", "replace").splitlines() if "stat=" in line]
            return all(any("to=<%s>" % recipient in line for line in lines) for recipient in recipients)
        proc.wait_for(told, "the journal tells of %r" % (recipients,), log=self.log)

    def vacuum(self):
        """Forgets all but what is written now."""
        proc.run(["journalctl", "--directory", self.files, "--vacuum-files=1"])
        assert self.archives() == []

    def stop(self):
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
