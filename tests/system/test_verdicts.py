# SPDX-License-Identifier: BSD-2-Clause
"""
Who was it? Each way of telling a person from a machine, through HTTP, spool and database, to the verdict in the
reports and to spoor.feed. No mail is sent here: mails are rows, as old as the test wants them.
"""

import itertools
import os
import shutil
import signal

import pytest

import postgres as postgres_of
import proc
import servers as servers_of
import spoor as spoor_of
import tokens
import web
from postgres import quote
from web import BROWSER

PERSON = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1", "Accept-Language": "de"}
GOOGLE = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
GOOGLE_FETCHER = ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
                  "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0")
WEBKIT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
RELAY, HOSTING, OFFICE = "172.224.226.5", "203.0.113.5", "192.0.2.5"
HOUR = 3600
# What is one burst or crowd here is so on a machine that takes its time, too.
BY_A_SLOW_MACHINE = "burst_within = '1 min', burst_all_within = '1 min', crowd_within = '1 min', decoy_within = '1 min'"
FIRST_KEY = 77


class Desk:
    """PostgreSQL and spoor-pixeld behind a trusted proxy, which are we."""

    def __init__(self, **pixeld):
        self.folder = servers_of.new_folder()
        self.log_folder = os.path.join(self.folder, "log")
        os.makedirs(self.log_folder)
        self.postgres = postgres_of.Postgres(self.folder, self.log_folder)
        self.postgres.start()
        self.postgres.create_database()
        pixeld.setdefault("trusted_proxies", ["127.0.0.0/8"])
        self.spoor = spoor_of.Spoor(self.folder, self.log_folder, self.postgres.conninfo, "", pixeld=pixeld)
        tokens.write_keys(self.spoor.key_file)
        self.spoor.install_schema()
        self.start()

    def start(self):
        self.spoor.start("pixeld")

    def stop(self):
        statuses = self.spoor.stop_all()
        self.postgres.stop()
        return statuses

    def mail(self, age_s=HOUR, links=1, recipients=1):
        return Mail(self, age_s, links, recipients)

    def get(self, path, address="198.51.100.7", agent=BROWSER, method="GET", **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.get(self.spoor.tracking_url + path, method, agent, headers=dict(fields, **{"X-Forwarded-For": address}))

    def rules(self, sql):
        """Changes rules, and returns when the daemon has them."""
        self.postgres.execute(sql)
        self.wait_rules()

    def wait_rules(self):
        """The daemon keeps the rules that hold in a file: those of the database, not those of some change before."""
        def numbers_and_networks():
            with open(os.path.join(self.spoor.spool, "pixeld", "rules"), encoding="utf-8") as file:
                lines = [line.rstrip("\n").split("\t") for line in file if line.startswith(("agent\t", "network\t"))]
            return ({line[1] for line in lines if line[0] == "agent"},
                    {network for line in lines if line[0] == "network" for network in line[-1].split(" ")})

        def holds():
            agents, networks = ({row["it"] for row in self.postgres.rows("select distinct %s as it from spoor.%s" % each)}
                                for each in (("number", "agent_rule"), ("network", "network_rule")))
            return numbers_and_networks() == (agents, networks)
        proc.wait_for(holds, "the rules of the database hold", log=os.path.join(self.log_folder, "pixeld.log"))


class Mail:
    """It is looked at from an address of its own, for all mails together would make a crowd."""

    numbers = itertools.count(1)

    def __init__(self, desk, age_s, links, recipients):
        self.desk = desk
        self.address = "198.18.%d.%d" % divmod(next(self.numbers), 256)
        self.id = tokens.message_id(age_s)
        self.destinations = ["https://example.com/%d/%d" % (self.id, number) for number in range(1, links + 1)]
        values = ["insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender, subject) values"
                  " (%d, now() - interval '%f s', 1000, 'individual', 1, %d, 'alice@example.com', 'alice@example.com', 'x')"
                  % (self.id, age_s, recipients)]
        values += ["insert into spoor.link values (%d, %d, %s)" % (self.id, number, quote(to))
                   for number, to in enumerate(self.destinations, 1)]
        values += ["insert into spoor.recipient (message, address, key) values (%d, 'r%d@there.example', %d)"
                   % (self.id, number, FIRST_KEY + number) for number in range(recipients)]
        desk.postgres.execute(";\n".join(values))

    def view(self, recipient=0, **more):
        more.setdefault("address", self.address)
        answer = self.desk.get(tokens.view(message=self.id, recipient=FIRST_KEY + recipient), **more)
        assert answer.status == 200

    def click(self, link=1, recipient=0, **more):
        more.setdefault("address", self.address)
        to = self.destinations[link - 1]
        answer = self.desk.get(tokens.click(to, message=self.id, recipient=FIRST_KEY + recipient, index=link), **more)
        assert (answer.status, answer.headers["location"]) == (302, to)

    def follow_decoy(self, recipient=0, **more):
        more.setdefault("address", self.address)
        to = self.desk.spoor.tracking_url
        answer = self.desk.get(tokens.click(to, message=self.id, recipient=FIRST_KEY + recipient, index=tokens.DECOY), **more)
        assert (answer.status, answer.headers["location"]) == (302, to)

    def verdicts(self, count):
        """As they hold now: what, verdict, reason in the order of the requests, when there are so many."""
        rows = self.desk.postgres.wait_rows("select what, verdict, reason from spoor.event_report where message = %d"
                                            " order by at_time, record" % self.id, count)
        assert len(rows) == count
        return [(row["what"], row["verdict"], row["reason"]) for row in rows]

    def wait_judged(self, reason, count):
        """Until hindsight has given REASON to COUNT of the events."""
        return self.desk.postgres.wait_rows("select * from spoor.event_report where message = %d and reason = %s"
                                            % (self.id, quote(reason)), count)

    def feed(self):
        return self.desk.postgres.rows("select what, person, verdict, detail from spoor.feed where message = %d" % self.id)

    def report(self):
        return self.desk.postgres.rows("select * from spoor.message_report where message = %d" % self.id)[0]


@pytest.fixture(scope="module")
def desk(request):
    made = Desk()
    made.postgres.execute("""insert into spoor.network_rule (network, source, verdict, reason) values
        ('172.224.226.0/27', 'test', null, 'apple_relay'), ('203.0.113.0/24', 'test', null, 'hosting');
        update spoor.verdict_setting set %s""" % BY_A_SLOW_MACHINE)
    made.rules("insert into spoor.network_rule (network, source, verdict, reason) values ('192.0.2.0/24', 'test', 'self', 'office')")
    yield made
    statuses = made.stop()
    failed = request.session.testsfailed > 0
    if not (failed and os.environ.get("SPOOR_KEEP")):
        shutil.rmtree(made.folder, ignore_errors=True)
    assert all(status == 0 for status in statuses.values())


def look(kind, verdict, reason, age_s=HOUR, **request):
    return kind, verdict, reason, age_s, request


# What one request alone tells.
ROWS = {
    "2 a registered network": look("view", "self", "office", address=OFFICE),
    "3 HEAD": look("view", "bot", "head", method="HEAD"),
    "3 HEAD of a click": look("click", "bot", "head", method="HEAD", **PERSON),
    "3 Purpose": look("click", "prefetch", "purpose_prefetch", Purpose="prefetch"),
    "3 Sec-Purpose": look("click", "prefetch", "purpose_prefetch", Sec_Purpose="prefetch;prerender"),
    "3 X-Moz": look("view", "prefetch", "purpose_prefetch", X_Moz="prefetch"),
    "4 before it can have been delivered": look("view", "unknown", "browser_early", age_s=1),
    "7 scanner": look("click", "bot", "agent_scanner", agent="Mozilla/5.0 (compatible; Barracuda Sentinel)", **PERSON),
    "7 library": look("click", "bot", "agent_library", agent="python-requests/2.31"),
    "7 headless": look("click", "bot", "agent_library", agent="Mozilla/5.0 (X11) HeadlessChrome/120", **PERSON),
    "7 preview": look("click", "bot", "agent_preview", agent="Slackbot-LinkExpanding 1.0"),
    "7 crawler": look("view", "bot", "agent_crawler", agent="Mozilla/5.0 (compatible; AhrefsBot/7.0)"),
    "7 no name, from Microsoft": look("click", "bot", "agent_empty_microsoft", agent="", address="104.47.1.2"),
    "7 no name, from a cloud": look("click", "bot", "agent_empty_hosting", agent="", address=HOSTING),
    "7 no name": look("click", "unknown", "agent_empty", agent=""),
    "7 wants a picture of a link": look("click", "bot", "accept_no_page", Accept="image/avif,image/*"),
    "8 Apple": look("view", "prefetch", "apple_mpp", agent="Mozilla/5.0"),
    "8 Apple by its relay": look("view", "prefetch", "apple_mpp_relay", agent="Mozilla/5.0", address=RELAY),
    "8 a person behind the relay": look("click", "human", "navigation", address=RELAY, **PERSON),
    "8 its name on a click": look("click", "unknown", "none", agent="Mozilla/5.0"),
    "9 Google's fetcher, whenever": look("view", "prefetch", "google_prefetch", agent=GOOGLE_FETCHER),
    "9 Google's proxy at delivery": look("view", "prefetch", "google_proxy_early", age_s=20, agent=GOOGLE),
    "9 bare WebKit at delivery": look("view", "prefetch", "webkit_early", age_s=20, agent=WEBKIT),
    "10 Google's proxy": look("view", "proxy", "google_proxy", agent=GOOGLE),
    "10 Yahoo's": look("view", "proxy", "yahoo_proxy", agent=YAHOO),
    "10 Fastmail's": look("view", "proxy", "fastmail_proxy", agent="FastmailUA/1.0"),
    "10 Shortwave's": look("view", "proxy", "shortwave_proxy", agent="Shortwave Image Fetcher"),
    # The mail's host has its clock ahead: three seconds may be over before a slow machine has clicked.
    "11 click before anybody could read": look("click", "bot", "too_soon", age_s=-30, **PERSON),
    "13 navigation": look("click", "human", "navigation", age_s=10, **PERSON),
    "13 behind a link rewriter": look("click", "human", "referer_rewriter",
                                      Referer="https://eur01.safelinks.protection.outlook.com/?url=x"),
    "13 from webmail": look("click", "human", "referer_webmail", Referer="https://mail.google.com/"),
    "14 a browser, and nothing tells when the mail was delivered": look("view", "unknown", "browser"),
    "14 bare WebKit later": look("view", "unknown", "browser", agent=WEBKIT),
    "15 else": look("view", "unknown", "none", agent="Something/1"),
    "15 else, a click": look("click", "unknown", "none"),
}


@pytest.mark.parametrize("row", ROWS, ids=lambda name: name.replace(" ", "-"))
def test_one_request(desk, row):
    kind, verdict, reason, age_s, request = ROWS[row]
    mail = desk.mail(age_s)
    (mail.view if kind == "view" else mail.click)(**request)
    assert mail.verdicts(1) == [(kind, verdict, reason)]
    counts = verdict in ("human", "proxy", "unknown")
    assert [(line["what"], line["person"], line["verdict"]) for line in mail.feed()] == (
        [(kind, "r0@there.example", verdict)] if counts else [])
    report = mail.report()
    assert report["views" if kind == "view" else "clicks"] == str(int(counts))
    assert report["machine_events"] == str(int(verdict in ("bot", "prefetch")))


def test_row_1_a_wrong_signature_is_nobodys(desk):
    mail = desk.mail()
    assert desk.get(tokens.spoiled(tokens.view(message=mail.id))).status == 200
    mail.view()
    assert len(mail.verdicts(1)) == 1


def test_row_3_other_methods_leave_nothing(desk):
    mail = desk.mail()
    assert desk.get(tokens.view(message=mail.id), method="OPTIONS").status == 405
    mail.view()
    assert len(mail.verdicts(1)) == 1


# What only hindsight tells.

def test_row_5_the_decoy_is_a_scanners_whatever_the_rules_say(desk):
    mail = desk.mail()
    mail.follow_decoy(**PERSON)
    mail.follow_decoy(address=OFFICE)
    assert mail.verdicts(2) == [("click", "bot", "decoy")] * 2
    assert mail.feed() == []
    assert (mail.report()["clicks"], mail.report()["clicked"], mail.report()["machine_events"]) == ("0", "0", "2")
    rows = desk.postgres.rows("select link, destination from spoor.event_report where message = %d" % mail.id)
    assert rows == [{"link": None, "destination": None}] * 2
    assert desk.get("/").status == 404


def test_row_5_what_else_is_followed_around_a_decoy(desk):
    mail = desk.mail(links=2, recipients=2)
    mail.view()
    mail.click(1, **PERSON)
    assert mail.verdicts(2)[1] == ("click", "human", "navigation")
    mail.click(1, recipient=1, **PERSON)  # somebody else
    mail.follow_decoy()
    mail.click(2, address="198.51.100.44", **PERSON)  # scanners have many addresses
    mail.wait_judged("decoy", 3)
    assert mail.verdicts(5) == [("view", "unknown", "browser"), ("click", "bot", "decoy"), ("click", "human", "navigation"),
                                ("click", "bot", "decoy"), ("click", "bot", "decoy")]
    assert [(line["what"], line["person"]) for line in mail.feed()] == [("click", "r1@there.example"), ("view", "r0@there.example")]
    assert mail.report()["clicks"] == "1"


def test_row_5_several_people_behind_one_token(desk):
    mail = desk.mail(links=2, recipients=3)
    one_of_them = -FIRST_KEY  # key 0
    mail.click(1, recipient=one_of_them, address="198.51.99.1", **PERSON)
    mail.click(1, recipient=one_of_them, address="198.51.100.9", **PERSON)
    mail.follow_decoy(recipient=one_of_them, address="198.51.100.9")
    mail.wait_judged("decoy", 2)
    assert [verdict for _, verdict, _ in mail.verdicts(3)] == ["human", "bot", "bot"]


def insert_clicks(desk, mail, spool, clicks):
    """As a loader brings them: (seconds, recipient, link, verdict) of each, counted from a minute ago."""
    rows = ["(now() - interval '1 min' + interval '%f s', %d, %d, %d, 0, %d, %d, 'c', '%s', 0)"
            % (after_s, mail.id, number, FIRST_KEY + recipient, spool, link, verdict)
            for number, (after_s, recipient, link, verdict) in enumerate(clicks)]
    desk.postgres.execute("""
        select spoor.ensure_partitions(now() - interval '1 hour', now() + interval '1 hour');
        insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason) values %s;
        select spoor.add_batch(%d::smallint, 0, %d, %d)""" % (", ".join(rows), spool, len(rows) - 1, len(rows)))


@pytest.fixture
def usual_setting(desk):
    """What hindsight goes by where nobody has said otherwise."""
    columns = [each.split(" = ")[0] for each in BY_A_SLOW_MACHINE.split(", ")]
    desk.postgres.execute("update spoor.verdict_setting set " + ", ".join(each + " = default" for each in columns))
    yield
    desk.postgres.execute("update spoor.verdict_setting set " + BY_A_SLOW_MACHINE)


def test_row_5_how_long_before_and_after(desk, usual_setting):
    mail = desk.mail(links=2, recipients=4)  # ten seconds, and one for each link
    clicks = [(0, 0, tokens.DECOY, "b"), (-11.9, 0, 1, "h"), (-12.1, 0, 2, "h"), (11.9, 0, 1, "u"), (12.1, 0, 2, "h"),
              (0, 0, 1, "s"), (1, 0, 2, "p"), (1, 1, 1, "h")]
    insert_clicks(desk, mail, 9999, clicks)
    mail.wait_judged("decoy", 3)
    rows = desk.postgres.rows("select record, verdict from spoor.event_report where message = %d order by record" % mail.id)
    assert [row["verdict"] for row in rows] == ["bot", "bot", "human", "bot", "human", "self", "bot", "human"]


def test_row_5_a_decoy_under_a_key_that_comes_later(desk):
    mail = desk.mail()
    path = tokens.click(desk.spoor.tracking_url, key=210, message=mail.id, index=tokens.DECOY)
    assert desk.get(path, **PERSON).status == 404
    desk.postgres.wait_rows("select 1 from spoor.unjudged_hit where spoor.token_key(target) = 210")
    tokens.write_keys(desk.spoor.key_file, (1, 210))
    desk.spoor.servers["pixeld"].signal(signal.SIGHUP)
    assert mail.verdicts(1) == [("click", "bot", "decoy")]
    tokens.write_keys(desk.spoor.key_file)
    desk.spoor.servers["pixeld"].signal(signal.SIGHUP)


def test_row_6_three_links_at_once_are_a_scanner(desk):
    mail = desk.mail(links=5)
    for link in (1, 2, 3):
        mail.click(link, **PERSON)
    mail.wait_judged("burst", 3)
    assert [verdict for _, verdict, _ in mail.verdicts(3)] == ["bot"] * 3
    assert mail.feed() == []
    rows = desk.postgres.rows("select first_verdict, reason from spoor.event_report where message = %d" % mail.id)
    assert [row["first_verdict"] for row in rows] == ["human"] * 3
    mail.click(4, recipient=1, **PERSON)  # somebody else
    assert mail.verdicts(4)[3] == ("click", "human", "navigation")
    assert mail.report()["clicks"] == "1"
    assert mail.report()["machine_events"] == "3"


def test_row_6_how_fast(desk, usual_setting):
    mail = desk.mail(links=6, recipients=2)
    insert_clicks(desk, mail, 9998, [(after_s, recipient, link, "h") for recipient, within in enumerate((2.1, 1.9))
                                     for link, after_s in enumerate((0, 1, within), 1)])
    mail.wait_judged("burst", 3)
    rows = desk.postgres.rows("select verdict from spoor.event_report where message = %d order by record" % mail.id)
    assert [row["verdict"] for row in rows] == ["human"] * 3 + ["bot"] * 3


def test_row_6_two_links_are_none(desk):
    mail = desk.mail(links=5)
    for link in (1, 2, 2, 1, 2):
        mail.click(link, **PERSON)
    scanned = desk.mail(links=5)  # what is judged later tells that this was, too
    for link in (1, 2, 3):
        scanned.click(link)
    scanned.wait_judged("burst", 3)
    assert mail.verdicts(5) == [("click", "human", "navigation")] * 5


def test_row_6_all_links_of_a_mail(desk):
    desk.postgres.execute("update spoor.verdict_setting set burst_links = 1000")
    try:
        some, every = desk.mail(links=4), desk.mail(links=3)
        for link in (1, 2, 3):
            some.click(link)
            every.click(link)
        every.wait_judged("burst", 3)
        assert [verdict for _, verdict, _ in some.verdicts(3)] == ["unknown"] * 3
    finally:
        desk.postgres.execute("update spoor.verdict_setting set burst_links = default")


def test_row_6_several_people_behind_one_token_are_no_burst(desk):
    mail = desk.mail(links=5)
    one_of_them = -FIRST_KEY  # key 0
    for link in (1, 2, 3):
        mail.click(link, recipient=one_of_them, address="198.51.99.%d" % link)
    for link in (1, 2, 3):
        mail.click(link, recipient=one_of_them, address="198.51.100.9")
    mail.wait_judged("burst", 3)
    assert [verdict for _, verdict, _ in mail.verdicts(6)] == ["unknown"] * 3 + ["bot"] * 3


def test_many_recipients_asked_for_from_one_address_are_a_scanner(desk):
    mail = desk.mail(recipients=12)
    for recipient in range(10):
        mail.view(recipient, address="203.0.113.99")
    mail.view(10, address="198.51.100.8")
    mail.view(11, address="203.0.113.99", agent=BROWSER + " Other/1")
    mail.wait_judged("crowd", 10)
    assert [verdict for _, verdict, _ in mail.verdicts(12)] == ["bot"] * 10 + ["unknown"] * 2
    assert mail.report()["viewed"] == "2"


def test_an_address_that_nobody_has_alone_is_no_crowd(desk):
    """Behind a proxy that nobody told us of, all the world has its address."""
    mail, scanned = desk.mail(recipients=12), desk.mail(recipients=12)
    for recipient in range(12):
        mail.view(recipient, address="10.1.2.3")
    for recipient in range(12):
        scanned.view(recipient, address="203.0.113.98")
    scanned.wait_judged("crowd", 12)
    assert [verdict for _, verdict, _ in mail.verdicts(12)] == ["unknown"] * 12


def test_row_12_a_click_from_a_hosting_network_before_any_view(desk):
    unseen, seen = desk.mail(age_s=30), desk.mail(age_s=30)
    seen.view()
    seen.verdicts(1)
    seen.click(address=HOSTING, **PERSON)
    unseen.click(address=HOSTING, **PERSON)
    unseen.wait_judged("hosting_not_viewed", 1)
    assert unseen.verdicts(1) == [("click", "bot", "hosting_not_viewed")]
    assert seen.verdicts(2)[1] == ("click", "unknown", "hosting_early")


def deliver(desk, mail, ago_s, relay="mx.there.example", recipient=0):
    """As spoor-delivery's loader does, when the receiver's server took the mail so long ago."""
    desk.postgres.execute("""
        insert into spoor.delivery (message, recipient, address, state, at_time, attempts, relay, tls, spool, record)
            values (%d, 'r%d@there.example', 'r%d@there.example', 'delivered', now() - interval '%f s', 1, %s, false, 1, 1);
        insert into spoor.fresh_delivery values (%d) on conflict do nothing"""
                          % (mail.id, recipient, recipient, ago_s, quote(relay), mail.id))


def test_row_4_before_the_receiver_had_it(desk):
    mail = desk.mail()
    mail.view()
    mail.click(**PERSON)
    assert mail.verdicts(2) == [("view", "unknown", "browser"), ("click", "human", "navigation")]
    deliver(desk, mail, -30)
    mail.wait_judged("before_delivery", 2)
    assert [verdict for _, verdict, _ in mail.verdicts(2)] == ["bot", "bot"]


@pytest.mark.parametrize("relay,ago_s,verdict,reason", [
    ("mx.there.example", 1, "bot", "too_soon"),
    ("mx.there.example", 20, "unknown", "soon_after_delivery"),
    ("x.mail.protection.outlook.com", 120, "unknown", "soon_after_delivery"),
    ("mx.there.example", 120, "human", "navigation"),
    ("x.mail.protection.outlook.com", HOUR, "human", "navigation")])
def test_a_click_counts_from_the_delivery_not_from_the_sending(desk, relay, ago_s, verdict, reason):
    """The mail was greylisted: it is hours old, and just delivered."""
    def clicked_in_time():
        """The mail; None when the click was too slow for what it is to show."""
        mail = desk.mail(age_s=3 * HOUR)
        deliver(desk, mail, ago_s, relay)
        mail.click(**PERSON)
        mail.verdicts(1)
        late = desk.postgres.value("select e.at_time > d.at_time + interval '3 s' from spoor.event e join spoor.delivery d"
                                   " using (message) where message = %d" % mail.id)
        return None if reason == "too_soon" and late == "t" else mail

    mail = proc.wait_for(clicked_in_time, "a click within three seconds")
    mail.wait_judged(reason, 1)
    mail.view()
    if verdict == "human":
        mail.wait_judged("after_delivery", 1)
        assert mail.verdicts(2)[1][:2] == ("view", "human")
    assert mail.verdicts(2)[0] == ("click", verdict, reason)


def test_a_token_of_several_waits_for_all_of_them(desk):
    mail = desk.mail(age_s=3 * HOUR, recipients=2)
    deliver(desk, mail, HOUR)
    mail.view(recipient=-FIRST_KEY)
    mail.verdicts(1)
    deliver(desk, mail, HOUR, recipient=1)
    mail.wait_judged("after_delivery", 1)
    assert mail.verdicts(1) == [("view", "human", "after_delivery")]


def test_corrections_travel_in_the_feed(desk):
    before = desk.postgres.value("select coalesce(max(number), 0) from spoor.batch")
    mail = desk.mail(links=3)
    for link in (1, 2, 3):
        mail.click(link)
    mail.wait_judged("burst", 3)
    found = desk.postgres.rows("""
        select e.message from spoor.batch b
        join spoor.event_verdict v on v.number between b.first_record and b.last_record
        join spoor.event e on e.spool = v.spool and e.record = v.record
        where b.spool = 0 and b.number > %s and e.message = %d""" % (before, mail.id))
    assert len(found) == 3
    assert desk.postgres.value("select bool_and(b.records = (select count(*) from spoor.event_verdict v where v.number between"
                               " b.first_record and b.last_record)) from spoor.batch b where b.spool = 0 and b.number > %s" % before) == "t"


def test_one_looks_back_at_a_time_and_gives_each_verdict_once(desk):
    one, other = postgres_of.Session(desk.postgres), postgres_of.Session(desk.postgres)
    # What other tests have left is not to be among what is given here.
    desk.postgres.wait_rows("select 1 from spoor.hindsight where batch >= (select max(number) from spoor.batch)")
    try:
        # The daemon itself may be at it for a moment.
        proc.wait_for(lambda: one.value("begin; select pg_try_advisory_xact_lock(hashtext('spoor.judge_hindsight'))") == "t"
                      or one.value("rollback; select 1") is None, "our turn")
        mail = desk.mail(links=3)
        for link in (1, 2, 3):
            mail.click(link)
        mail.verdicts(3)
        assert other.value("select spoor.judge_hindsight()") == "0"
        assert one.value("select spoor.judge_hindsight()") == "3"
        assert one.value("commit; select spoor.judge_hindsight()") == "0"
        assert other.value("select spoor.judge_hindsight()") == "0"
    finally:
        one.close()
        other.close()
    assert mail.verdicts(3) == [("click", "bot", "burst")] * 3
    assert desk.postgres.value("select count(*) from spoor.event_verdict v join spoor.event e using (spool, record)"
                               " where e.message = %d" % mail.id) == "3"


def test_repeats_from_one_place_count_once(desk):
    mail = desk.mail()
    for address in ("198.51.100.7", "198.51.100.7", "198.51.100.99", "198.51.101.7"):
        mail.view(address=address)
    assert len(mail.verdicts(4)) == 4
    assert len(mail.feed()) == 4
    assert (mail.report()["views"], mail.report()["viewed"]) == ("2", "1")
    assert desk.postgres.value("select views from spoor.recipient_report where message = %d" % mail.id) == "2"
    desk.postgres.execute("update spoor.verdict_setting set repeat_window = '0'")
    try:
        assert mail.report()["views"] == "4"
    finally:
        desk.postgres.execute("update spoor.verdict_setting set repeat_window = default")


def test_a_verdict_settles(desk):
    mail = desk.mail()
    mail.view()
    mail.verdicts(1)
    settled = "select settled from spoor.feed where message = %d" % mail.id
    assert desk.postgres.value(settled) == "f"
    desk.postgres.execute("update spoor.verdict_setting set verdict_settle = '0'")
    assert desk.postgres.value(settled) == "t"
    desk.postgres.execute("update spoor.verdict_setting set verdict_settle = default")


# Rules

def test_a_rule_holds_as_soon_as_it_is_written(desk):
    first, second, third = desk.mail(), desk.mail(), desk.mail()
    first.view(agent="Mozilla/5.0 (X11) House-Scanner/3")
    desk.rules("insert into spoor.agent_rule (number, pattern, verdict, reason) values (150, 'house-scanner', 'bot', 'ours')")
    second.view(agent="Mozilla/5.0 (X11) House-Scanner/3")
    desk.rules("delete from spoor.agent_rule where number = 150")
    third.view(agent="Mozilla/5.0 (X11) House-Scanner/3")
    assert [mail.verdicts(1)[0][2] for mail in (first, second, third)] == ["browser", "ours", "browser"]


def test_what_came_before_a_rule_is_overruled_by_hand(desk):
    theirs, others = desk.mail(), desk.mail()
    theirs.view(address="198.51.100.201")
    theirs.click(address="198.51.100.201", **PERSON)
    others.view()
    assert len(theirs.verdicts(2)) == 2 and len(others.verdicts(1)) == 1
    assert len(theirs.feed()) == 2
    newest = desk.postgres.value("select max(number) from spoor.batch")
    overrule = "select spoor.overrule('198.51.100.201/32', 'bot', 'their_scanner')"
    assert [desk.postgres.value(overrule) for _ in range(2)] == ["2", "0"], "once"
    assert {row[1:] for row in theirs.verdicts(2)} == {("bot", "their_scanner")} and theirs.feed() == []
    assert others.verdicts(1)[0][1] == "unknown" and len(others.feed()) == 1
    told = desk.postgres.rows("select v.verdict from spoor.batch b join spoor.event_verdict v on v.number between b.first_record and b.last_record"
                              " join spoor.event e on e.spool = v.spool and e.record = v.record"
                              " where b.spool = 0 and b.number > %s and e.message = %d" % (newest, theirs.id))
    assert [row["verdict"] for row in told] == ["b"] * 2, "open pages hear of it as of any later verdict"
    desk.postgres.execute("select spoor.overrule('198.51.100.201', 'unknown', 'taken_back')")
    assert len(theirs.feed()) == 2


def test_a_bad_rule_is_named_and_the_others_hold(desk):
    desk.rules("insert into spoor.agent_rule (number, field, test, pattern, verdict, reason)"
               " values (151, 'X-Strange', 'is', 'x', 'bot', 'x')")
    desk.spoor.wait_log("pixeld", 'agent rule 151: cannot test the field "X-Strange"; it is left out')
    mail = desk.mail()
    mail.view(agent="Mozilla/5.0")
    assert mail.verdicts(1) == [("view", "prefetch", "apple_mpp")]
    desk.rules("delete from spoor.agent_rule where number = 151")


def relay_list(desk, text):
    path = os.path.join(desk.folder, "egress.csv")
    with open(path, "w") as out:
        out.write(text)
    return desk.spoor.ctl("rules", "load-apple-relay", path, check=False, env={"PGUSER": "spoor_admin"})


def loaded(desk):
    return desk.postgres.value("select count(*) from spoor.network_rule where source = 'apple_relay'")


def test_relays_are_loaded_from_apples_list(desk):
    done = relay_list(desk, "172.225.0.0/16,US,US-CA,A,\n2a02:26f7::/32,DE,DE-BE,B,\n172.225.0.0/16,US,,,\n")
    assert (done.returncode, done.stdout) == (
        0, b"apple_relay: 2 networks loaded, 1 named more than once, 0 removed from before\n"), done.stderr
    desk.wait_rules()
    mail = desk.mail()
    mail.view(address="172.225.3.4", agent="Mozilla/5.0")
    mail.view(address="2a02:26f7:1::1", agent="Mozilla/5.0")
    assert mail.verdicts(2) == [("view", "prefetch", "apple_mpp_relay")] * 2
    bad = relay_list(desk, "172.225.0.0/17,US,,,\nno network,US,,,\n172.225.0.1/17,US,,,\n")
    assert bad.returncode == 1 and b"egress.csv:2: " in bad.stderr and b"egress.csv:3: " in bad.stderr
    assert relay_list(desk, "\n").returncode == 1
    assert loaded(desk) == "2"
    many = "".join("2a02:26f7:%x:%x::/64,US,,,\n" % (n >> 8, n & 255) for n in range(50000))
    assert relay_list(desk, many).stdout == (
        b"apple_relay: 50000 networks loaded, 0 named more than once, 2 removed from before\n")
    desk.wait_rules()
    assert relay_list(desk, "172.225.0.0/16,US,,,\n").returncode == 0


def test_without_the_database_the_last_rules_hold(desk):
    desk.rules("insert into spoor.agent_rule (number, pattern, verdict, reason) values (152, 'kept-program', 'bot', 'kept')")
    mail = desk.mail()
    desk.spoor.stop("pixeld")
    desk.postgres.stop()
    desk.start()
    mail.view(agent="Mozilla/5.0 (X11) Kept-Program/1")
    desk.postgres.start()
    assert mail.verdicts(1) == [("view", "bot", "kept")]
    desk.rules("delete from spoor.agent_rule where number = 152")


def test_rules_that_are_damaged_give_way_to_the_built_in_ones(desk):
    mail = desk.mail()
    desk.spoor.stop("pixeld")
    with open(os.path.join(desk.spoor.spool, "pixeld", "rules"), "r+") as file:
        file.seek(200)
        file.write("##")
    desk.postgres.stop()
    desk.start()
    desk.spoor.wait_log("pixeld", "cannot use the rules kept in")
    mail.view(agent="Mozilla/5.0")
    desk.postgres.start()
    assert mail.verdicts(1) == [("view", "prefetch", "apple_mpp")]


# Keys, privacy

def test_hits_under_a_key_that_comes_later(desk):
    mail = desk.mail()
    genuine = tokens.click(mail.destinations[0], key=200, message=mail.id, index=1)
    assert desk.get(genuine, **PERSON).status == 404
    forged = tokens.spoiled(tokens.view(key=200, message=mail.id))
    assert desk.get(forged).status == 200
    assert desk.get(tokens.view(key=201, message=mail.id)).status == 200
    desk.postgres.wait_rows("select 1 from spoor.unjudged_hit", 3)
    tokens.write_keys(desk.spoor.key_file, (1, 200))
    desk.spoor.servers["pixeld"].signal(signal.SIGHUP)
    assert mail.verdicts(1) == [("click", "human", "navigation")]
    assert mail.feed()[0]["detail"] == mail.destinations[0]
    proc.wait_for(lambda: desk.postgres.value("select count(*) from spoor.unjudged_hit") == "1", "the forged one goes")
    assert desk.postgres.value("select spoor.token_key(target) from spoor.unjudged_hit") == "201"


@pytest.mark.parametrize("honour, recorded, named", [("no", 1, True), ("aggregate", 1, False), ("drop", 0, None)])
def test_who_asks_not_to_be_tracked(desk, honour, recorded, named):
    mail = desk.mail()
    other = desk.spoor.write_conf(os.path.join(desk.folder, honour + ".conf"), {"pixeld": {"honour_gpc": honour}})
    desk.spoor.restart("pixeld", other)
    mail.view(Sec_GPC="1")
    mail.view(agent="Mozilla/5.0 (X11) Without/1")
    rows = desk.postgres.wait_rows("select person, address, agent from spoor.event_report where message = %d order by at_time"
                                   % mail.id, recorded + 1)
    assert len(rows) == recorded + 1
    assert rows[-1]["agent"] == "Mozilla/5.0 (X11) Without/1" and rows[-1]["address"] == mail.address
    if recorded:
        assert rows[0] == ({"person": "r0@there.example", "address": mail.address, "agent": BROWSER} if named else
                           {"person": "one of 1", "address": None, "agent": None})


@pytest.mark.parametrize("address, kept", [("198.51.100.77", "198.51.100.0"), ("2001:db8:1:2:3::4", "2001:db8:1::")])
def test_addresses_are_made_anonymous(desk, address, kept):
    other = desk.spoor.write_conf(os.path.join(desk.folder, "anonymous.conf"), {"pixeld": {"anonymize_ip": True}})
    desk.spoor.restart("pixeld", other)
    mail = desk.mail()
    mail.view(address=address)
    rows = desk.postgres.wait_rows("select host(address) as address from spoor.event where message = %d" % mail.id)
    assert rows == [{"address": kept}]


def test_an_aggregate_token_leaves_no_person(desk):
    mail = desk.mail()
    assert desk.get(tokens.view(message=mail.id, recipient=0, index=tokens.AGGREGATE)).status == 200
    rows = desk.postgres.wait_rows("select address, agent from spoor.event where message = %d" % mail.id)
    assert rows == [{"address": None, "agent": "0"}]
