# SPDX-License-Identifier: BSD-2-Clause
"""A PostgreSQL that keeps what it commits, on a core of its own, and load_rate (load.c) on the other."""

import contextlib
import os
import shutil
import subprocess

import postgres
import proc
import spoor
import stage
from cores import OTHER_CORE, SERVER_CORE, pin


class LoadRate(stage.Stage):
    def __init__(self, buffers="64MB"):
        super().__init__()
        self.postgres = postgres.Postgres(self.folder, self.log_folder, durable=True, buffers=buffers)
        self.spoor = spoor.Spoor(self.folder, self.log_folder, self.postgres.conninfo, None)
        self.conninfo = self.postgres.conninfo + " user=postgres"
        self.program = os.path.join(spoor.build_folder(), "tests", "bench", "load_rate")

    def start(self):
        proc.run(["make", "-s", "-C", spoor.build_folder(), "tests/bench/load_rate"])
        self.postgres.start()
        pin(self.postgres.server.pid, OTHER_CORE)
        self.postgres.create_database()
        self.spoor.make_keys()
        self.spoor.install_schema()
        self.postgres.execute("SELECT spoor.ensure_partitions(now(), now())")

    def stop(self):
        self.postgres.stop()

    @contextlib.contextmanager
    def listener(self):
        """Somebody who waits for news, as a feed does."""
        session = postgres.Session(self.postgres)
        session.value("LISTEN spoor_feed; SELECT 1")
        try:
            yield
        finally:
            session.close()

    def value(self, sql):
        return next(iter(self.postgres.rows(sql)[0].values()))

    def sizes(self, sql):
        return {row["name"]: int(row["bytes"]) for row in self.postgres.rows(sql)}

    def empty(self):
        """No events, and nothing of the last arm left to be written."""
        self.postgres.execute("TRUNCATE spoor.event; CHECKPOINT")

    def fill(self, seed, events):
        """A new spool with so many hits; its folder."""
        folder = os.path.join(self.folder, "spool-%d" % seed)
        shutil.rmtree(folder, ignore_errors=True)
        self._run(["fill", folder, str(seed), str(events)])
        return folder

    def _argv(self, arguments):
        return ["taskset", "-c", SERVER_CORE, self.program] + arguments

    def _run(self, arguments):
        return proc.run(self._argv(arguments)).stdout

    def rate(self, arguments, events):
        seconds = float(self._run(arguments))
        self.check_rows(events)
        return events / seconds

    def check_rows(self, events):
        rows = int(self.value("SELECT count(*) FROM spoor.event"))
        if rows != events:
            raise SystemExit("%d events, %d rows" % (events, rows))

    def load_at_once(self, folders):
        loaders = [subprocess.Popen(self._argv(["load", self.conninfo, folder]), stdout=subprocess.DEVNULL)
                   for folder in folders]
        if any([loader.wait() for loader in loaders]):
            raise SystemExit("a loader failed")
