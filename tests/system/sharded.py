# SPDX-License-Identifier: BSD-2-Clause
"""Two PostgreSQL servers, and two hosts that send: the mail of the first host is on the first server, that of the other on shard 1."""

import os
import shutil

import mailer
import postfix
import postgres
import servers
import spoor

REPLICATING = {"wal_level": "logical", "wal_receiver_timeout": "5s", "wal_retrieve_retry_interval": "200ms"}


class Sharded(servers.Servers):
    """
    As Servers, whose Spoor is the first host's and answers for both (spoor-match, spoor-pixeld); `other` is the second host's
    spoor-stamp, behind the mail server `sending_other`, and `shard` the second PostgreSQL.
    """

    def _start_postgres(self):
        self._start_postgres_of(self.folder, REPLICATING)
        below = os.path.join(self.folder, "shard-1")
        self.other_log_folder = os.path.join(below, "log")
        os.makedirs(self.other_log_folder)
        os.chmod(below, 0o755)
        self.other_folder = below
        self.shard = postgres.Postgres(below, self.other_log_folder, settings=REPLICATING)
        self.running.append(self.shard)
        self.shard.start()
        self.shard.create_database()

    def _start_spoor(self):
        shards = ["1 " + self.shard.conninfo]
        self.spoor_settings = dict(self.spoor_settings, shards=shards)
        super()._start_spoor()
        self.other = spoor.Spoor(self.other_folder, self.other_log_folder, self.postgres.conninfo, self.memcached.address,
                                 (servers.OUR_DOMAIN,), **dict(self.spoor_settings, shard=1))
        self.other.tracking_url = self.spoor.tracking_url
        self.other.settings["tracking_url"] = self.spoor.tracking_url
        self.other.environment = self.daemon_environment
        shutil.copy(self.spoor.key_file, self.other.key_file)
        shutil.chown(self.other.key_file, "nobody")
        self.other.write_conf()
        self.other.start("stamp")

    def _make_postfix(self):
        made = super()._make_postfix()
        self.sending_other = postfix.sending(self.folder, self.log_folder, self.other.socket("stamp"), self.receiving.port,
                                             name="sending-other")
        return made + [self.sending_other]

    def stop(self, quiet=False):
        if getattr(self, "other", None):
            for server in self.mail_servers:
                server.begin_stop()
            for server in self.mail_servers:
                server.stop()
            self.mail_servers = []
            status = self.other.stop_all()
            statuses = super().stop(quiet)
            statuses.update({name + " of the other host": value for name, value in status.items()})
            return statuses
        return super().stop(quiet)

    def submit_other(self, sender, recipients, content):
        return mailer.send(self.sending_other.port, sender, recipients, content)
