# SPDX-License-Identifier: BSD-2-Clause
"""What was delivered: the files of the Maildirs that virtual(8) fills."""

import os

import proc


class Maildir:
    """Of the receiving server: people have a folder each, all other addresses share "others"."""

    def __init__(self, folder, people):
        self.folder = folder
        self.people = people

    def path(self, address):
        local, domain = address.lower().rsplit("@", 1)
        where = os.path.join(domain, local) if address in self.people else "others"
        return os.path.join(self.folder, where, "new")

    def files(self, address):
        folder = self.path(address)
        try:
            names = sorted(os.listdir(folder), key=lambda name: os.stat(os.path.join(folder, name)).st_mtime_ns)
        except FileNotFoundError:
            return []
        return [os.path.join(folder, name) for name in names]

    def mails(self, address, mark=b""):
        """The delivered mails that contain MARK, oldest first, with the line ends of SMTP."""
        found = []
        delivered_to = b"\nDelivered-To: " + address.lower().encode() + b"\n"
        for path in self.files(address):
            with open(path, "rb") as file:
                content = file.read()
            if mark in content and delivered_to in content:
                found.append(content.replace(b"\n", b"\r\n"))
        return found

    def wait(self, address, mark, seconds=proc.PATIENCE_S, log=None):
        """The first mail to ADDRESS that contains MARK, once it is there."""
        return proc.wait_for(lambda: self.mails(address, mark), "a mail to %s with %r" % (address, mark), seconds,
                             log)[0]
