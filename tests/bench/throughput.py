# SPDX-License-Identifier: BSD-2-Clause
"""
Mails a second through one Postfix that has a port for each filter.

All else is the same for every arm: smtp-source sends, Postfix accepts, smtp-sink takes what leaves. The
clock of Spoor's arm stops when all rows are in PostgreSQL, the peer's when the last mail is accepted.
"""

import os
import subprocess
import time

import memcached
import postfix
import postgres
import proc
import spoor
import stage

SENDER, RECIPIENT = "alice@example.com", "bob@example.net"
SESSIONS = 10


class Throughput(stage.Stage):
    """Filters are "none", "buffer", "opendkim", "stamp" and "match"."""

    def __init__(self, filters, content, mails):
        super().__init__()
        self.filters = filters
        self.mails = mails
        self.mail_file = os.path.join(self.folder, "mail")
        with open(self.mail_file, "wb") as out:
            # smtp-source makes the line ends and adds the last one.
            out.write(content.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n")
        self.running = []
        self.postgres = self.spoor = self.session = self.sending = None
        self.ports = {name: proc.free_port() for name in filters}

    def start(self):
        if {"stamp", "match"} & set(self.filters):
            self._start_spoor()
        services = []
        for name in self.filters:
            socket = getattr(self, "_start_" + name)()
            services.append("127.0.0.1:%d inet n - n - - smtpd%s"
                            % (self.ports[name], " -o smtpd_milters=unix:" + socket if socket else ""))
        sink_port = proc.free_port()
        self._run("smtp-sink", ["smtp-sink", "-u", "postfix", "127.0.0.1:%d" % sink_port, "500"], sink_port)
        self.sending = postfix.Postfix("bench", self.folder, self.log_folder,
                                       {"relayhost": "[127.0.0.1]:%d" % sink_port}, services)
        self.sending.start()
        return self

    def _run(self, name, argv, ready):
        server = proc.Server(name, argv, os.path.join(self.log_folder, name + ".log"))
        self.running.append(server)
        server.wait_ready(ready)

    def _start_spoor(self):
        self.postgres = postgres.Postgres(self.folder, self.log_folder, durable=True)
        self.running.append(self.postgres)
        self.postgres.start()
        self.postgres.create_database()
        cache = memcached.Memcached(self.log_folder)
        self.running.append(cache)
        cache.start()
        self.spoor = spoor.Spoor(self.folder, self.log_folder, self.postgres.conninfo, cache.address)
        self.spoor.make_keys()
        self.spoor.install_schema()
        self.session = postgres.Session(self.postgres)

    def _start_none(self):
        return None

    def _start_buffer(self):
        socket = os.path.join(self.folder, "buffer.sock")
        self._run("buffer_milter", [spoor.program("tests/bench/buffer_milter"), "unix:" + socket], socket)
        return socket

    def _start_stamp(self):
        self.spoor.start("stamp")
        return self.spoor.socket("stamp")

    def _start_match(self):
        self.spoor.start("match")
        return self.spoor.socket("match")

    def _start_opendkim(self):
        key, socket = os.path.join(self.folder, "dkim.key"), os.path.join(self.folder, "dkim.sock")
        proc.run(["openssl", "genrsa", "-out", key, "2048"])
        os.chmod(key, 0o600)
        conf = os.path.join(self.folder, "opendkim.conf")
        with open(conf, "w") as out:
            out.write("Domain example.com\nSelector bench\nKeyFile %s\nSocket local:%s\nMode s\nUMask 000\n"
                      "Canonicalization relaxed/relaxed\nUserID root\nSyslog no\nRequireSafeKeys no\n"
                      "PidFile %s.pid\n" % (key, socket, conf))
        self._run("opendkim", ["opendkim", "-f", "-x", conf], socket)
        return socket

    def rows(self):
        return int(self.session.value("SELECT count(*) FROM spoor.message"))

    def measure(self, name):
        """Mails a second through that filter, from an empty queue."""
        self.sending.wait_empty(300)
        os.sync()  # what the arm before left to be written is not this arm's burden
        wanted = self.rows() + self.mails if name == "stamp" else None
        began = time.monotonic()
        done = subprocess.run(["smtp-source", "-s", str(SESSIONS), "-m", str(self.mails), "-f", SENDER, "-t", RECIPIENT,
                               "-F", self.mail_file, "127.0.0.1:%d" % self.ports[name]],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise proc.Failure("smtp-source: " + done.stdout.decode("utf-8", "replace"), self.sending.log)
        while wanted and self.rows() < wanted:
            if time.monotonic() - began > 300:
                raise proc.Failure("the spool was not drained", os.path.join(self.log_folder, "stamp.log"))
            time.sleep(0.002)
        return self.mails / (time.monotonic() - began)

    def arms(self):
        return {name: lambda name=name: self.measure(name) for name in self.filters}

    def stop(self):
        if self.session:
            self.session.close()
        if self.sending:
            self.sending.stop()
        if self.spoor:
            self.spoor.stop_all()
        for server in reversed(self.running):
            server.stop()
