# SPDX-License-Identifier: BSD-2-Clause
"""A PostgreSQL of our own, on a unix socket in its folder, asked through psql."""

import atexit
import csv
import functools
import glob
import io
import os
import pwd
import shutil
import signal
import subprocess
import tempfile

import proc

csv.field_size_limit(1 << 28)  # a whole file in base64
NULL = "\\N"  # what a NULL is in the rows that come back


def binary_folder():
    """Debian keeps the server's programs out of PATH, one folder a version; the newest wins."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    if not folders:
        raise proc.Failure("PostgreSQL is not installed; run contrib/install-deps run")
    return folders[-1]


@functools.lru_cache(maxsize=None)
def new_data():
    """What initdb makes, once for all servers that are started here: a copy takes a tenth of its time."""
    folder = tempfile.mkdtemp(prefix="spoor-initdb-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    owner = pwd.getpwnam("postgres")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    proc.run([binary_folder() + "/initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
              "--username=postgres", "--pgdata", folder],
             cwd="/", user="postgres", group="postgres", extra_groups=[])
    return folder


class Postgres:
    """SETTINGS are added to those below; on HOST of network.py, the socket is there for everybody here all the same."""

    def __init__(self, folder, log_folder, durable=False, buffers="64MB", settings=None, host=None):
        self.data = os.path.join(folder, "postgres")
        self.socket_folder = os.path.join(folder, "pgsocket")
        self.log = os.path.join(log_folder, "postgres.log")
        self.settings = settings or {}
        self.host = host
        self.durable = durable
        self.buffers = buffers
        self.server = None
        owner = pwd.getpwnam("postgres")
        os.mkdir(self.socket_folder, 0o755)
        os.chown(self.socket_folder, owner.pw_uid, owner.pw_gid)
        proc.run(["cp", "-a", new_data(), self.data])

    @property
    def conninfo(self):
        return "host=%s dbname=spoor" % self.socket_folder

    def start(self):
        settings = {"listen_addresses": "", "unix_socket_directories": self.socket_folder,
                    "max_connections": "60", "log_min_messages": "warning", "timezone": "UTC",
                    "fsync": "on" if self.durable else "off", "shared_buffers": self.buffers}
        settings.update(self.settings)
        argv = [binary_folder() + "/postgres", "-D", self.data]
        for name, value in settings.items():
            argv += ["-c", "%s=%s" % (name, value)]
        # SIGINT is the fast shutdown: clients are thrown off, the data stay whole.
        self.server = proc.Server("PostgreSQL", argv, self.log, user="postgres", stop_signal=signal.SIGINT, host=self.host)
        self.server.wait_ready(os.path.join(self.socket_folder, ".s.PGSQL.5432"))
        self.wait_answers()

    def wait_answers(self):
        proc.wait_for(lambda: self._psql("SELECT 1", "postgres").returncode == 0, "PostgreSQL answers", log=self.log)

    def stop(self):
        if self.server:
            self.server.stop()

    def stop_at_once(self):
        """As pg_ctl stop -m immediate: the next start recovers."""
        self.server.signal(signal.SIGQUIT)
        self.server.child.wait(proc.PATIENCE_S)

    def kill(self):
        """The first process dies; the others see that and end, and only then can it start again."""
        others = proc.children(self.server.pid)
        self.server.kill()
        proc.wait_for(lambda: not any(os.path.exists("/proc/%d" % pid) for pid in others), "all of PostgreSQL ended", log=self.log)

    def copy(self, path):
        """A copy of all data while the server stands still, to be given to put_back()."""
        shutil.rmtree(path, ignore_errors=True)
        proc.run(["cp", "-a", self.data, path])
        return path

    def put_back(self, copy):
        shutil.rmtree(self.data)
        proc.run(["cp", "-a", copy, self.data])

    def create_database(self):
        self.execute("CREATE DATABASE spoor", database="postgres")

    def environment(self, role="postgres"):
        return {"PGHOST": self.socket_folder, "PGUSER": role, "PGDATABASE": "spoor"}

    def _psql(self, sql, database, role="postgres", options=()):
        argv = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.socket_folder, "-U", role, "-d", database]
        return subprocess.run(argv + list(options) + ["-f", "-"], input=sql.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd="/")

    def execute(self, sql, database="spoor", role="postgres"):
        done = self._psql(sql, database, role)
        if done.returncode != 0:
            raise proc.Failure("psql: %s\n%s" % (sql, done.stderr.decode("utf-8", "replace")), self.log)

    def rows(self, sql, role="postgres"):
        """The answer as a list of dicts of text; NULL is None."""
        done = self._psql(sql, "spoor", role, ["--csv", "-P", "null=" + NULL])
        if done.returncode != 0:
            raise proc.Failure("psql: %s\n%s" % (sql, done.stderr.decode("utf-8", "replace")), self.log)
        found = csv.DictReader(io.StringIO(done.stdout.decode(), newline=""))
        return [{name: None if value == NULL else value for name, value in row.items()} for row in found]

    def value(self, sql, role="postgres"):
        return next(iter(self.rows(sql, role)[0].values()))

    def table(self, sql):
        """The answer as psql draws it, for people."""
        return self._psql(sql, "spoor").stdout.decode("utf-8", "replace")

    def wait_rows(self, sql, count=1, seconds=proc.PATIENCE_S, log=None):
        """The rows as soon as there are at least COUNT."""
        def enough():
            rows = self.rows(sql)
            return rows if len(rows) >= count else None
        return proc.wait_for(enough, "%d row(s) of: %s" % (count, sql), seconds, log or self.log)

    def wait_value(self, sql, seconds=proc.PATIENCE_S):
        """The first column of the first row, as soon as there is one that is neither NULL nor empty."""
        def first():
            rows = self.rows(sql)
            return next(iter(rows[0].values())) if rows else None
        return proc.wait_for(first, "a value of: " + sql, seconds, self.log)


class Session:
    """One psql that stays: an answer takes a millisecond, not the start of a program."""

    def __init__(self, database):
        self.child = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-h", database.socket_folder, "-U", "postgres",
                                       "-d", "spoor"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/",
                                      preexec_fn=proc.die_with_parent())

    def value(self, sql):
        """The one value that SQL answers with."""
        self.child.stdin.write((sql + ";\n").encode())
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        if not line:
            raise proc.Failure("psql ended at: %s" % sql)
        return line.decode().rstrip("\n")

    def close(self):
        self.child.stdin.close()
        self.child.stdout.close()
        self.child.wait()


def quote(text):
    """TEXT as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"
