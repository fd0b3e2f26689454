# SPDX-License-Identifier: BSD-2-Clause
"""Everything together, in one folder: two mail servers, PostgreSQL, memcached and Spoor."""

import os
import shutil
import tempfile

import mailer
import maildir
import memcached
import postfix
import postgres
import proc
import sendmail
import spoor

OUR_DOMAIN = "example.com"
DOMAINS = (OUR_DOMAIN, "example.net", "example.org")
PEOPLE = ("alice@example.com", "anton@example.com", "bob@example.net", "carol@example.org", "dave@example.net")


def new_folder(below="/tmp"):
    """Root owns it and all above it, or Postfix refuses to work there."""
    folder = tempfile.mkdtemp(prefix="spoor-", dir=below)
    os.chmod(folder, 0o755)
    return folder


class Servers:
    """
    Mail goes client -> sending (spoor-stamp) -> receiving (spoor-match) -> Maildirs; answers enter at
    receiving as from the world. TELL is called with the name of each step and a function that does it.
    With MTA "sendmail" both are Sendmail, and a Postfix behind them fills the Maildirs.
    """

    def __init__(self, folder=None, tell=None, spoor_settings=None, mta="postfix"):
        if os.geteuid() != 0:
            raise proc.Failure("run me as root: Postfix and PostgreSQL change to their own users")
        self.folder = folder or new_folder()
        self.mta = mta
        # Sendmail trusts nothing below a folder that is everybody's.
        self.trusted = new_folder("/run") if mta == "sendmail" else None
        self.log_folder = os.path.join(self.folder, "log")
        os.makedirs(self.log_folder, exist_ok=True)
        self.tell = tell or (lambda what, work: work())
        self.spoor_settings = spoor_settings or {}
        self.daemon_environment = {}
        self.running = []       # but the mail servers
        self.mail_servers = []
        self.postgres = self.memcached = self.spoor = self.sending = self.receiving = None
        self.mail = maildir.Maildir(os.path.join(self.folder, "mail"), PEOPLE)

    def start(self):
        try:
            self.tell("PostgreSQL: initdb and start", self._start_postgres)
            self.tell("memcached", self._start_memcached)
            self.tell("keys and schema", self._start_spoor)
            for name in ("stamp", "match", "pixeld"):
                self.tell("spoor-" + name, lambda name=name: self.spoor.start(name))
            self.tell("sending and receiving mail server", self._start_mail_servers)
        except BaseException:
            self.stop(quiet=True)
            raise
        return self

    def _start_postgres(self):
        self._start_postgres_of(self.folder)

    def _start_postgres_of(self, folder, settings=None):
        self.postgres = postgres.Postgres(folder, self.log_folder, settings=settings)
        self.running.append(self.postgres)
        self.postgres.start()
        self.postgres.create_database()

    def _start_memcached(self):
        self.memcached = memcached.Memcached(self.log_folder)
        self.running.append(self.memcached)
        self.memcached.start()

    def _start_spoor(self):
        self.spoor = spoor.Spoor(self.folder, self.log_folder, self.postgres.conninfo, self.memcached.address,
                                 (OUR_DOMAIN,), sockets=self.trusted and os.path.join(self.trusted, "sockets"), **self.spoor_settings)
        self.spoor.environment = self.daemon_environment
        self.spoor.make_keys()
        self.spoor.install_schema()

    def _start_mail_servers(self):
        make = {"postfix": self._make_postfix, "sendmail": self._make_sendmail}[self.mta]
        self.mail_servers = make()
        for server in self.mail_servers:
            server.launch()
        for server in self.mail_servers:
            server.wait_ready()

    def _make_postfix(self):
        self.receiving = self._make_store(self.spoor.socket("match"))
        self.sending = postfix.sending(self.folder, self.log_folder, self.spoor.socket("stamp"), self.receiving.port)
        return [self.receiving, self.sending]

    def _make_store(self, milter_socket):
        return postfix.receiving(self.folder, self.log_folder, milter_socket, self.mail.folder, DOMAINS, PEOPLE)

    def _make_sendmail(self):
        store = self._make_store(None)
        sockets = self.spoor.sockets
        self.receiving = sendmail.Sendmail("mx", self.trusted, self.log_folder, sockets, "smtp", store.port)
        self.sending = sendmail.Sendmail("sending", self.trusted, self.log_folder, sockets, "submission", self.receiving.port)
        return [store, self.receiving, self.sending]

    def stop(self, quiet=False):
        """Mail servers first, then Spoor (which drains into PostgreSQL), then the rest; returns Spoor's statuses."""
        statuses, failures = {}, []
        work = [server.begin_stop for server in self.mail_servers] + [server.stop for server in self.mail_servers]
        if self.spoor:
            work.append(lambda: statuses.update(self.spoor.stop_all()))
        work += [server.stop for server in reversed(self.running)]
        for stop in work:
            try:
                stop()
            except Exception as error:
                failures.append(error)
        self.running, self.mail_servers = [], []
        if failures and not quiet:
            raise failures[0]
        return statuses

    def __enter__(self):
        """Not started yet, for whoever does that step by step."""
        return self

    def __exit__(self, *_):
        self.stop(quiet=True)
        self.remove()

    def remove(self):
        for folder in (self.folder, self.trusted):
            if folder:
                shutil.rmtree(folder, ignore_errors=True)

    def submit(self, sender, recipients, content):
        """As a mail program of ours does; returns the queue id."""
        return mailer.send(self.sending.port, sender, recipients, content)

    def answer(self, sender, recipients, content):
        """As another provider's server does."""
        return mailer.send(self.receiving.port, sender, recipients, content)
