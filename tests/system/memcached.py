# SPDX-License-Identifier: BSD-2-Clause
"""A memcached of our own, on a loopback port or a host of network.py."""

import os

import proc


class Memcached:
    def __init__(self, log_folder, host=None, port=None):
        self.host = host
        self.place = (host.address if host else "127.0.0.1", port or proc.free_port())
        self.port = self.place[1]
        self.log = os.path.join(log_folder, "memcached.log")
        self.server = None

    @property
    def address(self):
        return "%s:%d" % self.place

    def start(self):
        self.server = proc.Server("memcached", ["memcached", "-u", "nobody", "-l", self.place[0], "-p", str(self.place[1]),
                                                "-U", "0", "-m", "16"], self.log, host=self.host)
        self.server.wait_ready(self.place)

    def stop(self):
        if self.server:
            self.server.stop()
