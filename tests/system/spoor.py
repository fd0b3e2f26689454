# SPDX-License-Identifier: BSD-2-Clause
"""Spoor's own programs, from the build folder: configuration, keys, schema, daemons."""

import os
import pwd
import re

import proc

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DAEMONS = {"stamp": "milter/spoor-stamp", "match": "milter/spoor-match", "pixeld": "pixeld/spoor-pixeld",
           "delivery": "delivery/spoor-delivery", "relay": "relay/spoor-relay", "render": "render/spoor-render"}


def build_folder():
    return os.path.abspath(os.environ.get("SPOOR_BUILD", os.path.join(SOURCE, "build")))


def program(name):
    path = os.path.join(build_folder(), name)
    if not os.access(path, os.X_OK):
        raise proc.Failure("%s is not built (the build folder is chosen by SPOOR_BUILD)" % path)
    return path


class Spoor:
    """One spoor.conf with what runs by it. `options` and the sections override what is written below."""

    host = None  # of network.py

    def __init__(self, folder, log_folder, conninfo, memcached, domains=("example.com",), sockets=None, **sections):
        self.folder = folder
        self.log_folder = log_folder
        self.port = proc.free_port()
        self.tracking_url = "http://127.0.0.1:%d" % self.port
        self.key_file = os.path.join(folder, "keys")
        self.conf = os.path.join(folder, "spoor.conf")
        self.spool = os.path.join(folder, "spoor-spool")
        self.sockets = sockets or os.path.join(folder, "sockets")
        self.servers = {}
        self.environment = {}  # what daemons get beside ours
        nobody = pwd.getpwnam("nobody")
        for path in (self.spool, self.sockets):
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o755)
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        self.settings = {
            "key_file": self.key_file, "tracking_url": self.tracking_url, "database": conninfo,
            "memcached": memcached or "", "spool_directory": self.spool, "local_domains": list(domains),
            "user": "nobody"}
        self.sections = {
            "stamp": {"listen": "unix:" + self.socket("stamp"), "socket_mode": 0o666,
                      "submit_networks": ["127.0.0.0/8", "::1"]},
            "match": {"listen": "unix:" + self.socket("match"), "socket_mode": 0o666},
            "pixeld": {"listen": ["127.0.0.1:%d" % self.port]}}
        for name, values in sections.items():
            if name in self.sections:
                self.sections[name].update(values)
            else:
                self.settings[name] = values
        self.write_conf()

    def socket(self, name):
        return os.path.join(self.sockets, name + ".sock")

    def write_conf(self, path=None, sections=None, **settings):
        """Writes spoor.conf, or to PATH one that differs by SETTINGS and SECTIONS."""
        lines = [_line(name, value) for name, value in dict(self.settings, **settings).items()]
        for section, values in self.sections.items():
            merged = dict(values, **(sections or {}).get(section, {}))
            lines.append("%s {" % section)
            lines += ["    " + _line(name, value) for name, value in merged.items()]
            lines.append("}")
        with open(path or self.conf, "w") as out:
            out.write("\n".join(lines) + "\n")
        return path or self.conf

    def ctl(self, *arguments, check=True, env=None, conf=None, **more):
        """Runs spoorctl; the result has returncode, stdout and stderr as bytes."""
        environment = {**os.environ, "SPOOR_SQL_DIR": os.path.join(SOURCE, "sql"),
                       "PATH": os.path.join(build_folder(), "relay") + ":" + os.environ["PATH"], **(env or {})}
        return proc.run([program("ctl/spoorctl"), "-c", conf or self.conf] + list(arguments), check=check,
                        env=environment, **more)

    def make_keys(self):
        self.ctl("keygen")
        nobody = pwd.getpwnam("nobody")
        os.chown(self.key_file, nobody.pw_uid, nobody.pw_gid)

    def install_schema(self):
        self.ctl("schema", "install", env={"PGUSER": "postgres"})

    def command(self, name, conf=None):
        return [program(DAEMONS[name]), "-f", "-c", conf or self.conf]

    def ready_address(self, name):
        return self.port if name == "pixeld" else self.socket(name)

    def start(self, name, conf=None, preexec=None, wait=True):
        log = os.path.join(self.log_folder, name + ".log")
        before = len(self.log_text(name)) if os.path.exists(log) else 0
        server = proc.Server("spoor-" + name, self.command(name, conf), log, env=self.environment, preexec=preexec,
                             host=self.host)
        self.servers[name] = server
        if wait and name in ("delivery", "relay", "render"):
            self.wait_log(name, r": ready$", since=before)
        elif wait:
            server.wait_ready(self.ready_address(name))
        return server

    def start_refused(self, name, conf=None):
        """
        Starts a daemon that has to be refused until it ends by itself; the last line of its log. A start waits less than a second for
        what the database says: where a busy machine takes longer, the daemon goes on, and is stopped and started again.
        """
        log = os.path.join(self.log_folder, name + ".log")

        def last_line():
            before = len(self.log_text(name)) if os.path.exists(log) else 0
            server = proc.Server("spoor-" + name, self.command(name, conf), log, env=self.environment, host=self.host)

            def is_ready():
                return re.search(r": ready$", self.log_text(name)[before:], re.M)

            proc.wait_for(lambda: not server.alive() or is_ready(), "spoor-%s ends or is ready" % name, log=log)
            if is_ready():
                server.stop()
                return None
            assert server.child.returncode != 0, proc.tail_of(log)
            return self.log_text(name)[before:].rstrip("\n").split("\n")[-1]

        return proc.wait_for(last_line, "spoor-%s is refused" % name, log=log)

    def stop(self, name):
        return self.servers.pop(name).stop()

    def restart(self, name, conf=None, preexec=None):
        status = self.stop(name)
        self.start(name, conf, preexec)
        return status

    def stop_all(self):
        """
        All at once: libmilter may take seconds to see a signal. The exit statuses, but for those that were killed.
        """
        for server in self.servers.values():
            server.begin_stop()
        statuses = {name: server.stop() for name, server in self.servers.items() if not server.killed}
        self.servers = {}
        return statuses

    def log_text(self, name):
        with open(os.path.join(self.log_folder, name + ".log"), "rb") as log:
            return log.read().decode("utf-8", "replace")

    def wait_log(self, name, pattern, seconds=proc.PATIENCE_S, since=0):
        """The match of PATTERN in the daemon's log beyond SINCE characters, once it is there."""
        return proc.wait_for(lambda: re.search(pattern, self.log_text(name)[since:], re.M),
                             "%r in the log of spoor-%s" % (pattern, name), seconds,
                             os.path.join(self.log_folder, name + ".log"))

    def mail_line(self, queue_id, seconds=proc.PATIENCE_S):
        """The one line of spoor-stamp about a mail, as a dict; words without "=" are keys with value True."""
        found = self.wait_log("stamp", r"\b%s: ((?:message=|untouched\b).*)$" % re.escape(queue_id), seconds)
        line = {}
        for word in found.group(1).split():
            name, equals, value = word.partition("=")
            line[name] = value if equals else True
        return line


def _line(name, value):
    return "%s = %s" % (name, _value(name, value))


def _value(name, value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return "0%o" % value if name == "socket_mode" else str(value)
    if isinstance(value, (list, tuple)):
        return "{ %s }" % ", ".join(_value(name, item) for item in value)
    return '"%s"' % str(value).replace("\\", "\\\\").replace('"', '\\"')
