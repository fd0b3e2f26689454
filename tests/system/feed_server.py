# SPDX-License-Identifier: BSD-2-Clause
"""PostgreSQL and spoor-pixeld for tests of the Live Feed. No mail is sent: mails are rows, hits are requests."""

import os
import shutil
import urllib.request

import place_database
import postgres as postgres_of
import proc
import servers as servers_of
import spoor as spoor_of
import tokens
import web
from postgres import quote

READ_AT = 3600  # seconds since a mail was sent, when it is opened


class FeedServer:
    def __init__(self, places=None, **pixeld):
        self.folder = servers_of.new_folder()
        if places:
            pixeld["place_database"] = os.path.join(self.folder, "places.mmdb")
            place_database.write(pixeld["place_database"], places)
        self.log_folder = os.path.join(self.folder, "log")
        os.makedirs(self.log_folder)
        self.postgres = postgres_of.Postgres(self.folder, self.log_folder)
        self.postgres.start()
        self.postgres.create_database()
        pixeld.setdefault("trusted_proxies", ["127.0.0.0/8"])
        pixeld.setdefault("sign_in_server", "")
        self.spoor = spoor_of.Spoor(self.folder, self.log_folder, self.postgres.conninfo, "", pixeld=pixeld)
        tokens.write_keys(self.spoor.key_file)
        self.spoor.install_schema()
        # Tests put events there themselves, up to five days old; a month may begin before, or while they run.
        self.execute("SELECT spoor.ensure_partitions(now() - interval '7 days', now() + interval '1 day')")
        self.start()

    def start(self):
        self.spoor.start("pixeld")
        proc.wait_for(lambda: self.get("/feed").status == 303, "the desk has its connections", log=self.log_folder + "/pixeld.log")

    def stop(self):
        statuses = self.spoor.stop_all()
        self.postgres.stop()
        return statuses

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, path="/feed"):
        return self.spoor.tracking_url + path

    def execute(self, sql):
        self.postgres.execute(sql)

    def invite(self, address):
        """The whole link."""
        return self.spoor.ctl("invite", address, env={"PGUSER": "postgres"}).stdout.decode().strip()

    def sign_in(self, address, device=None):
        """As a browser does; the cookies by name."""
        headers = {"Origin": self.spoor.tracking_url}
        if device:
            headers["Cookie"] = "spoor-device=" + device
        answer = web.get(self.invite(address), "POST", headers=headers)
        assert answer.status == 303, answer.body
        return dict(cookie.split(";")[0].split("=", 1) for cookie in answer.headers.get_all("Set-Cookie"))

    def get(self, path, cookies=None, method="GET", body=None, **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if cookies:
            fields["Cookie"] = "; ".join("%s=%s" % each for each in cookies.items())
        return web.get(self.url(path), method, headers=fields, body=body)

    def live(self, cookies, after):
        """The lines of the stream behind that batch."""
        head = {"Cookie": "; ".join("%s=%s" % each for each in cookies.items())}
        return urllib.request.urlopen(urllib.request.Request(self.url("/feed/live?after=%d" % after), headers=head), timeout=proc.PATIENCE_S)

    def mail(self, owner="alice@example.com", to=("bob@example.net",), subject="An offer", campaign=None, age_s=READ_AT):
        return Mail(self, owner, to, subject, campaign, age_s)


class Mail:
    def __init__(self, server, owner, to, subject, campaign, age_s):
        self.server = server
        self.id = tokens.message_id(age_s)
        self.to = list(to)
        server.execute(
            "INSERT INTO spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender, subject, campaign) VALUES"
            " (%d, now() - interval '%d s', 1000, 'individual', 1, %d, %s, %s, %s, %s)"
            % (self.id, age_s, len(to), quote(owner), quote(owner), quote(subject), quote(campaign) if campaign else "NULL"))
        server.execute("INSERT INTO spoor.recipient (message, address, key) VALUES " + ", ".join(
            "(%d, %s, %d)" % (self.id, quote(address), 1000 + number) for number, address in enumerate(self.to)))
        server.execute("INSERT INTO spoor.link (message, number, destination) VALUES (%d, 1, 'https://www.example.org/offer')" % self.id)

    def key(self, who):
        return 1000 + self.to.index(who) if who else 0

    def view(self, who=None, address="198.51.100.7", agent=web.BROWSER, cookies=None):
        who = self.to[0] if who is None else who
        fields = {"X-Forwarded-For": address, "Referer": "https://mail.example.net/", "Accept-Language": "de"}
        if cookies:
            fields["Cookie"] = "; ".join("%s=%s" % each for each in cookies.items())
        path = tokens.view(message=self.id, recipient=self.key(who))
        assert web.get(self.server.url(path), agent=agent, headers=fields).status == 200

    def click(self, who=None, address="198.51.100.7", cookies=None):
        fields = {"X-Forwarded-For": address, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1", "Accept-Language": "de"}
        if cookies:
            fields["Cookie"] = "; ".join("%s=%s" % each for each in cookies.items())
        path = tokens.click("https://www.example.org/offer", message=self.id, recipient=self.key(self.to[0] if who is None else who))
        assert web.get(self.server.url(path), headers=fields).status == 302
