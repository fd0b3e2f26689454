# SPDX-License-Identifier: BSD-2-Clause
"""A memcached of our own on a loopback port."""

import os

import proc


class Memcached:
    def __init__(self, log_folder):
        self.port = proc.free_port()
        self.log = os.path.join(log_folder, "memcached.log")
        self.server = None

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def start(self):
        self.server = proc.Server("memcached", ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", str(self.port),
                                                "-U", "0", "-m", "16"], self.log)
        self.server.wait_ready(self.port)

    def stop(self):
        if self.server:
            self.server.stop()
