# SPDX-License-Identifier: BSD-2-Clause
"""
The Live Feed in Chromium: signing in, what arrives by itself, what is filtered, who sees what. SPOOR_SCREENSHOTS names a
folder for pictures of the pages.
"""

import os
import re
import statistics
import time
import urllib.error

import pytest

import browser as browser_of
import feed_server
import proc
import web

EVENTS = "return document.querySelectorAll('.event').length"
# Is a detail that no pointer shows whole cut off?
CUT_OFF = """const detail = document.createElement("span");
detail.className = "detail";
detail.textContent = "page 3 of a-proposal-with-a-long-name-for-example-net.docx, 3 s";
document.querySelector(".say").append(detail);
const cut = detail.scrollWidth > detail.clientWidth;
detail.remove();
return cut"""
SECRET = "0123456789abcdef" * 4


@pytest.fixture(scope="module")
def server():
    started = feed_server.FeedServer({"203.0.113.0/24": ("K\u00f6ln", "Germany"), "203.0.112.0/25": (None, "Iceland")})
    yield started
    statuses = started.stop()
    started.remove()
    assert all(status == 0 for status in statuses.values())


DESKTOP, PHONE = (1280, 900), (390, 844)


class Page(browser_of.Browser):
    """A browser, and what is asked of the page in it."""

    def look(self, size=DESKTOP, dark=False):
        """On a screen of that size, in light or dark."""
        self.command("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1,
                     mobile=size[0] < 600)
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def forget(self):
        """As if it had just been started."""
        self.script("try { localStorage.clear(); sessionStorage.clear(); } catch (error) { }")
        self.command("Browser.resetPermissions")
        self.go("about:blank")
        self.command("Network.clearBrowserCookies")
        self.complaints()

    def texts(self, selector):
        return self.script("return Array.from(document.querySelectorAll(arguments[0]), e => e.innerText)", selector)

    def wait(self, script, *arguments, what=None, seconds=proc.PATIENCE_S):
        return proc.wait_for(lambda: self.script(script, *arguments), what or script, seconds, self.log)

    def cookies(self):
        return {each["name"]: each for each in self.ask("/cookie")}

    def set_cookie(self, name, value):
        self.ask("/cookie", {"cookie": {"name": name, "value": value, "path": "/"}})


class Pages:
    """A browser takes a second to start, so it is used again."""

    def __init__(self):
        self.idle, self.busy = [], []

    def browser(self):
        self.busy.append(self.idle.pop() if self.idle else Page())
        self.busy[-1].look()
        return self.busy[-1]

    def release(self):
        for page in self.busy:
            page.forget()
        self.idle += self.busy
        self.busy = []

    def stop(self):
        for page in self.idle + self.busy:
            page.close()


@pytest.fixture(scope="module")
def driver():
    started = Pages()
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def _released(request):
    yield
    if "driver" in request.fixturenames:
        request.getfixturevalue("driver").release()


@pytest.fixture
def people():
    """Two senders whom no other test has."""
    people.count = getattr(people, "count", 0) + 1
    return "alice%d@example.com" % people.count, "anton%d@example.com" % people.count


def keep_picture(browser, name):
    if os.environ.get("SPOOR_SCREENSHOTS"):
        browser.picture(os.path.join(os.environ["SPOOR_SCREENSHOTS"], name + ".png"))


def signed_in(server, driver, address):
    browser = driver.browser()
    sign_in(server, browser, address)
    return browser


def sign_in(server, browser, address):
    cookies = server.sign_in(address)
    browser.go(server.url("/feed/sign-in"))
    for name, value in cookies.items():
        browser.set_cookie(name, value)
    browser.go(server.url())
    browser.wait("return document.querySelector('.inside') !== null")


def live(browser):
    browser.wait("return document.querySelector('.live.on') !== null", what="the page says Live")


def test_a_link_lets_in_once_and_only_by_its_button(server, driver, people):
    alice, _ = people
    link = server.invite(alice)
    assert web.get(link).status == 200 and web.get(link, "HEAD").status == 200  # a scanner
    browser = driver.browser()
    browser.go(link)
    browser.click("button.main")
    browser.wait("return document.querySelector('.inside') !== null")
    assert browser.ask("/url") == server.url() and alice in browser.text(".who")
    assert "Nothing has happened yet" in browser.text("#feed")
    keep_picture(browser, "empty")
    session = browser.cookies()["spoor-session"]
    assert session["httpOnly"] and session["sameSite"] == "Lax" and re.fullmatch("[0-9a-f]{64}", session["value"])
    assert not server.postgres.rows("SELECT 1 FROM spoor.session s WHERE s::text LIKE '%%%s%%'" % session["value"])
    browser.go(link)
    browser.click("button.main")
    browser.wait("return document.querySelector('h1').innerText.includes('does not open')")
    assert browser.complaints() == [] or all("403" in each for each in browser.complaints())


def test_an_invitation_tells_when_no_mail_of_theirs_is_known(server, people):
    alice, anton = people
    server.mail(alice)
    known, doubted = (server.spoor.ctl("invite", address, env={"PGUSER": "postgres"}) for address in (alice, anton))
    assert known.stderr == b"" and doubted.stdout.startswith(server.url("/feed/in/").encode())
    assert doubted.stderr.decode().splitlines() == ["spoorctl: no mail of %s is known: the page is empty until there is some" % anton]
    server.execute("UPDATE spoor.sender SET sees_all = true WHERE address = '%s'" % anton)
    assert server.spoor.ctl("invite", anton, env={"PGUSER": "postgres"}).stderr == b""


def test_a_view_shows_up_by_itself(server, driver, people):
    alice, _ = people
    mail = server.mail(alice, to=["bob@example.net", "carol@example.org"], subject="An <i>offer</i> & more")
    browser = signed_in(server, driver, alice)
    live(browser)
    took = []
    for number in range(9):
        browser.script("const n = document.querySelectorAll('.event').length; window.arrived = 0;"
                    "new MutationObserver(() => { if (document.querySelectorAll('.event').length > n && !window.arrived)"
                    " window.arrived = Date.now(); }).observe(document.getElementById('feed'), {childList: true, subtree: true});")
        asked = time.time()
        mail.view(("bob@example.net", "carol@example.org")[number % 2], address="198.51.100.%d" % number)
        took.append(browser.wait("return window.arrived") - asked * 1000)
    print("from the pixel to the page: median %d ms, most %d ms" % (statistics.median(took), max(took)))
    # Each is asked for just after the one before was seen: who only looks every five seconds takes as long each time.
    assert statistics.median(took) < 4000
    mail.click("bob@example.net")
    browser.wait(EVENTS + " === 10")
    assert [text.splitlines()[0] for text in browser.texts(".group .head")] == ["bob@example.net", "carol@example.org"]
    assert browser.text(".mail a") == "An <i>offer</i> & more"
    browser.go(server.url())
    live(browser)
    assert [text.split("\n")[-1] for text in browser.texts(".numbers p")][:2] == ["views", "link followed"]
    mail.click("carol@example.org", address="198.51.100.99")
    browser.wait("return document.querySelectorAll('.numbers p')[1].innerText.endsWith('links followed')")
    assert "followed a link" in browser.texts(".event")[0] and "Firefox on Linux" in browser.texts(".event")[0]
    assert browser.complaints() == []
    browser.click(".mail a")
    browser.wait("return document.querySelector('.whole') !== null")
    assert browser.text("table").count("carol@example.org") == 1 and "What happened" in browser.text("main")
    assert len(browser.texts(".whole .event")) == 11
    assert browser.script("return document.querySelectorAll('svg.chart rect.bar').length") >= 1
    keep_picture(browser, "mail")


def test_nothing_is_lost_or_doubled_when_the_daemon_restarts(server, driver, people):
    alice, _ = people
    mail = server.mail(alice, to=["bob%d@example.net" % n for n in range(30)])
    browser = signed_in(server, driver, alice)
    live(browser)
    for number in range(10):
        mail.view(mail.to[number], address="203.0.113.%d" % number)
    browser.wait(EVENTS + " === 10")
    server.spoor.stop("pixeld")
    browser.wait("return document.querySelector('.live.off') !== null", what="the page says that it reconnects")
    for number in range(10, 20):  # while nobody is there to tell
        server.execute("INSERT INTO spoor.event VALUES (now(), %d, %d, %d, 0, 1, 0, 'v', 'h', 0, '203.0.113.%d')"
                       % (mail.id, 900000000 + number, 1000 + number, number))
    server.execute("SELECT spoor.add_batch(1::smallint, 900000010, 900000019, 10)")
    server.spoor.start("pixeld")
    live(browser)
    for number in range(20, 30):
        mail.view(mail.to[number], address="203.0.113.%d" % number)
    browser.wait(EVENTS + " === 30", what="thirty entries, each once")
    assert sorted(browser.texts(".group h3")) == sorted(mail.to)


def test_two_senders_do_not_see_each_other(server, driver, people):
    alice, anton = people
    of_alice, of_anton = server.mail(alice, subject="Hers"), server.mail(anton, subject="His", to=["dave@example.net"])
    first, second = signed_in(server, driver, alice), signed_in(server, driver, anton)
    live(first)
    live(second)
    of_alice.view()
    of_anton.view()
    first.wait(EVENTS + " === 1")
    second.wait(EVENTS + " === 1")
    assert "Hers" in first.text("#feed") and "His" in second.text("#feed")
    cookies = server.sign_in(anton)
    assert server.get("/feed/mail/%d" % of_alice.id, cookies).status == 404
    assert [server.get("/feed/mail/" + number, cookies).status for number in ("", "x", "9" * 19, "9" * 30)] == [404] * 4
    assert b"Hers" not in server.get("/feed", cookies).body + server.get("/feed/csv", cookies).body
    server.execute("UPDATE spoor.sender SET sees_all = true WHERE address = '%s'" % anton)
    assert b"Hers" in server.get("/feed", cookies).body and server.get("/feed/mail/%d" % of_alice.id, cookies).status == 200


def test_filters_search_and_pages(server, driver, people):
    alice, _ = people
    spring = server.mail(alice, subject="Spring news", campaign="spring %s" % alice, to=["bob@example.net", "carol@example.org"])
    plain = server.mail(alice, subject="Plain words")
    spring.view()
    spring.click("carol@example.org")
    plain.view()
    browser = signed_in(server, driver, alice)
    browser.wait(EVENTS + " === 3")
    browser.click(".tabs a:nth-child(3)")
    browser.wait(EVENTS + " === 1")
    assert "followed a link" in browser.text(".event")
    live(browser)
    spring.view(address="198.51.100.99")  # no link, so it does not belong here
    spring.click("bob@example.net", address="198.51.100.98")
    browser.wait(EVENTS + " === 2")
    browser.go(server.url("/feed?q=plain"))
    assert len(browser.texts(".event")) == 1 and "Plain words" in browser.text(".mail")
    browser.go(server.url())
    browser.script("const s = document.querySelector('select'); s.value = arguments[0]; s.dispatchEvent(new Event('change'))",
                "spring " + alice)
    browser.wait("return location.search.includes('campaign=spring')")
    assert set(browser.texts(".mail a")) == {"Spring news"}
    live(browser)
    shown = len(browser.texts(".event"))
    plain.view(address="198.51.100.97")  # of no campaign
    spring.view("carol@example.org", address="198.51.100.96")
    browser.wait(EVENTS + " === %d" % (shown + 1))
    assert set(browser.texts(".mail a")) == {"Spring news"}
    cookies = server.sign_in(alice)
    lines = server.get("/feed/csv?q=carol@example.org", cookies).body.decode().splitlines()
    assert lines[0].startswith("time,what,person") and len(lines) == 1 + 5
    for number in range(60):
        server.execute("INSERT INTO spoor.event VALUES (now() - interval '%d s', %d, %d, 1000, 0, 1, 0, 'v', 'h', 0, '203.0.113.9')"
                       % (number, plain.id, 800000000 + number))
    server.execute("SELECT spoor.add_batch(1::smallint, 800000000, 800000059, 60)")
    seen, page = [], "/feed"
    while page:
        body = server.get(page, cookies).body.decode()
        seen += re.findall(r'id="(e\d+-\d+)"', body)
        older = re.search(r'href="([^"]*before=[^"]*)">Older', body)
        page = older and older.group(1).replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 67


@pytest.mark.parametrize("what", ["stolen", "expired", "signed_out", "invented", "none"])
def test_a_cookie_that_is_no_session_is_refused(server, people, what):
    alice, _ = people
    cookies = server.sign_in(alice)
    assert server.get("/feed", cookies).status == 200
    if what == "stolen":  # the owner removes the device
        page = server.get("/feed/devices", cookies).body.decode()
        form, device = re.search(r'name="form" value="(\w+)"', page).group(1), re.search(r'name="device" value="([\w-]+)"', page).group(1)
        done = server.get("/feed/devices", cookies, "POST", "form=%s&device=%s" % (form, device), Origin=server.spoor.tracking_url)
        assert done.status == 303
    elif what == "expired":
        server.execute("UPDATE spoor.session SET expires_at = now() WHERE address = '%s'" % alice)
    elif what == "signed_out":
        form = re.search(r'name="form" value="(\w+)"', server.get("/feed", cookies).body.decode()).group(1)
        assert server.get("/feed/out", cookies, "POST", "form=" + form, Origin=server.spoor.tracking_url).status == 303
    elif what == "invented":
        cookies = {"spoor-session": SECRET}
    else:
        cookies = {}
    answer = server.get("/feed", cookies)
    assert answer.status == 303 and answer.headers["Location"] == "/feed/sign-in"
    assert server.get("/feed/live", cookies).status == 403
    assert server.get("/feed/csv", cookies).status == 303
    assert server.get("/feed/mail/1", cookies).status == 303


@pytest.mark.parametrize("headers, form", [
    ({"Origin": "https://evil.example"}, True), ({"Origin": "null"}, True), ({}, True),
    ({"Sec_Fetch_Site": "cross-site"}, True), ({"Sec_Fetch_Site": "same-site"}, True), ({"own": True}, False)])
def test_forms_of_others_are_refused(server, people, headers, form):
    alice, _ = people
    cookies = server.sign_in(alice)
    mark = re.search(r'name="form" value="(\w+)"', server.get("/feed", cookies).body.decode()).group(1)
    headers = {"Origin": server.spoor.tracking_url} if headers.get("own") else headers
    refused = server.get("/feed/out", cookies, "POST", "form=" + (mark if form else "0" * 64), **headers)
    assert refused.status == 403
    assert server.get("/feed", cookies).status == 200
    link = server.invite(alice)
    if form:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        assert web.get(link, "POST", headers=fields).status == 403
        assert web.get(link, "POST", headers={"Origin": server.spoor.tracking_url}).status == 303


def test_pages_say_what_browsers_may_do(server, people):
    alice, _ = people
    answer = server.get("/feed", server.sign_in(alice))
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Content-Type-Options"] == "nosniff"
    body = answer.body.decode()
    assert not re.search(r"<script(?! src)|\son\w+=|style=|https?://(?!127)", body)
    for asset in re.findall(r'(?:href|src)="(/a/[^"]+)"', body):
        assert server.get(asset).status == 200


def test_the_page_works_without_scripts(server, driver, people):
    alice, _ = people
    mail = server.mail(alice)
    mail.view()
    server.postgres.wait_rows("SELECT record FROM spoor.feed_item WHERE owner = '%s'" % alice)
    body = server.get("/feed", server.sign_in(alice)).body.decode()
    assert 'http-equiv="refresh"' in body
    with Page(arguments=["--blink-settings=scriptEnabled=false"]) as browser:
        browser.go(server.url("/feed/sign-in"))
        for name, value in server.sign_in(alice).items():
            browser.set_cookie(name, value)
        browser.go(server.url())
        body = browser.ask("/source")
    assert 'http-equiv="refresh"' in body and "opened the mail" in body


def test_a_verdict_that_comes_later_changes_the_entry(server, driver, people):
    alice, _ = people
    mail = server.mail(alice)
    browser = signed_in(server, driver, alice)
    live(browser)
    first = Happening(server, mail).happens("v", "h")
    browser.wait(EVENTS + " === 1")
    browser.go(server.url())
    live(browser)
    number = Happening(server, mail).happens("v", "h")
    browser.wait(EVENTS + " === 2")
    assert browser.text("[data-counts=view]") == "2"
    assert browser.script("return document.querySelector('.event').classList.contains('human')")
    Happening(server, mail).is_judged(number, "b")
    browser.wait("return document.querySelector('.event.machine') !== null")
    assert "probably automatic" in browser.text(".event")
    assert [browser.text("[data-counts=view]"), browser.text("[data-counts=view] + span")] == ["1", "view"], "it was counted"
    Happening(server, mail).is_judged(number, "h")
    browser.wait("return document.querySelector('.event.machine') === null")
    assert browser.text("[data-counts=view]") == "2"
    Happening(server, mail).is_judged(first, "s")
    browser.wait(EVENTS + " === 1")
    assert browser.text("[data-counts=view]") == "1"


# Which notifications the pages of a tab make; they are made all the same.
NOTE_WHAT_IS_TOLD = """
    if (!window.told) {
        window.told = [];
        try { window.told = JSON.parse(sessionStorage.getItem("told") || "[]"); } catch (error) { }
        window.Notification = class extends Notification {
            constructor(title, options) {
                super(title, options);
                window.told.push(title + ": " + options.body);
                try { sessionStorage.setItem("told", JSON.stringify(window.told)); } catch (error) { }
            }
        };
    }"""


MARKS = "return Object.keys(localStorage).length"


@pytest.fixture
def settles_soon(server):
    server.execute("UPDATE spoor.verdict_setting SET verdict_settle = '1 s'")
    yield
    server.execute("UPDATE spoor.verdict_setting SET verdict_settle = DEFAULT")


class Happening:
    """Events in the database, as a loader brings them."""

    number = 400000000

    def __init__(self, server, mail):
        self.server, self.mail = server, mail

    def happens(self, kind, verdict):
        Happening.number += 1
        self.server.execute("INSERT INTO spoor.event VALUES (now(), %d, %d, 1000, 0, 1, 0, '%s', '%s', 0, '203.0.113.9');"
                            "SELECT spoor.add_batch(1::smallint, %d, %d, 1)"
                            % (self.mail.id, self.number, kind, verdict, self.number, self.number))
        return self.number

    def is_judged(self, number, verdict):
        self.server.execute("WITH v AS (INSERT INTO spoor.event_verdict (spool, record, verdict, reason) VALUES (1, %d, '%s', 0)"
                            " RETURNING number) SELECT spoor.add_batch(0::smallint, number, number, 1) FROM v" % (number, verdict))


def told(browser):
    return browser.script("return window.told")


def told_page(server, browser):
    browser.command("Page.addScriptToEvaluateOnNewDocument", source=NOTE_WHAT_IS_TOLD)
    browser.go(server.url())
    live(browser)


def test_what_is_confirmed_is_notified_once(server, driver, people, settles_soon):
    """Each once, in whichever tab: a person's view when it is settled, a reply and a bounce; nothing that is probably automatic."""
    alice, _ = people
    mail = server.mail(alice)
    happening = Happening(server, mail)
    browser = signed_in(server, driver, alice)
    browser.ask("/permissions", {"descriptor": {"name": "notifications"}, "state": "granted"})
    told_page(server, browser)
    first = browser.tab()
    browser.new_tab()
    told_page(server, browser)
    second = browser.tab()

    def all_told():
        found = []
        for tab in (first, second):
            browser.switch(tab)
            found += told(browser)
        return sorted(found)

    def wait_told(expected):
        proc.wait_for(lambda: len(all_told()) >= len(expected), "%d are told" % len(expected), log=browser.log)
        assert all_told() == sorted(expected)

    view, reply, bounce = ["bob@example.net %s: An offer" % what for what in ("opened the mail", "replied", "did not get the mail: it bounced")]
    happening.happens("v", "b")
    doubtful = happening.happens("v", "u")
    withdrawn = happening.happens("v", "h")
    happening.is_judged(withdrawn, "f")
    happening.happens("v", "h")
    wait_told([view])
    happening.happens("r", "h")
    wait_told([reply, view])
    happening.is_judged(doubtful, "h")
    wait_told([reply, view, view])
    server.spoor.restart("pixeld")
    for tab in (first, second):
        browser.switch(tab)
        live(browser)
    happening.happens("b", "h")
    wait_told([bounce, reply, view, view])
    again = happening.happens("v", "h")
    browser.switch(second)
    browser.wait("return document.getElementById('e1-%d') !== null" % again)
    browser.go(server.url())  # while it settles
    browser.wait(MARKS + " === 5")
    assert all_told() == sorted([bounce, reply, view, view, view])
    browser.switch(first)
    browser.close_tab()
    browser.switch(second)


def test_answers_are_notified_whatever_the_page_shows(server, driver, people):
    alice, _ = people
    happening = Happening(server, server.mail(alice))
    browser = signed_in(server, driver, alice)
    browser.ask("/permissions", {"descriptor": {"name": "notifications"}, "state": "granted"})
    browser.command("Page.addScriptToEvaluateOnNewDocument", source=NOTE_WHAT_IS_TOLD)
    browser.go(server.url("/feed?what=links"))
    live(browser)
    happening.happens("r", "h")
    happening.happens("b", "h")
    proc.wait_for(lambda: len(told(browser)) >= 2, "both are told", log=browser.log)
    assert sorted(told(browser)) == ["bob@example.net %s: An offer" % what for what in ("did not get the mail: it bounced", "replied")]
    assert browser.texts(".event") == []


def test_who_has_not_allowed_it_is_not_notified(server, driver, people, settles_soon):
    alice, _ = people
    happening = Happening(server, server.mail(alice))
    browser = signed_in(server, driver, alice)
    browser.ask("/permissions", {"descriptor": {"name": "notifications"}, "state": "prompt"})
    told_page(server, browser)
    assert browser.script("return !document.getElementById('notify').hidden"), "it asks only when the button is pressed"
    browser.ask("/permissions", {"descriptor": {"name": "notifications"}, "state": "denied"})
    told_page(server, browser)
    assert browser.script("return document.getElementById('notify').hidden")
    happening.happens("r", "h")
    seen = happening.happens("v", "h")
    browser.wait("return document.getElementById('e1-%d') !== null" % seen)
    # It is told of once it has settled, unless nobody allows that: a timer which was set later, for as long, ends later.
    browser.script("const event = document.getElementById('e1-%d');"
                   " setTimeout(() => { window.settled = true; }, 1000 * Number(event.dataset.settles) + 1);" % seen)
    browser.wait("return window.settled === true")
    browser.ask("/permissions", {"descriptor": {"name": "notifications"}, "state": "granted"})
    happening.happens("b", "h")
    browser.wait("return window.told.length > 0")
    assert all("bounced" in each for each in told(browser)), told(browser)


def test_a_browser_without_storage_is_notified_too(server, driver, people):
    alice, _ = people
    happening = Happening(server, server.mail(alice))
    browser = signed_in(server, driver, alice)
    browser.ask("/permissions", {"descriptor": {"name": "notifications"}, "state": "granted"})
    first = browser.tab()
    browser.go("about:blank")  # or this tab tells of it
    browser.new_tab()  # of which nothing stays
    browser.command("Page.addScriptToEvaluateOnNewDocument", source=(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('none', 'SecurityError'); }});"))
    told_page(server, browser)
    happening.happens("r", "h")
    browser.wait("return window.told.length > 0")
    assert told(browser) == ["bob@example.net replied: An offer"]
    browser.close_tab()
    browser.switch(first)


def test_the_page_of_a_mail_says_who_has_it_and_opened_what(server, people):
    alice, _ = people
    bob, carol, dave, erin, frank = ("%s@example.net" % name for name in ("bob", "carol", "dave", "erin", "frank"))
    mail = server.mail(alice, to=[bob, carol, dave, erin, frank])
    page = "/feed/mail/%d" % mail.id
    cookies = server.sign_in(alice)
    before = server.get(page, cookies).body.decode()
    assert "Documents" not in before, "the mail has none that anybody opened"
    assert "<b>5</b> recipients" in before and "</b> delivered" not in before, "nothing is known of that"
    server.execute(
        "INSERT INTO spoor.delivery (message, recipient, address, state, at_time, attempts, relay, text, tls, spool, record) VALUES"
        " (%d, '%s', '%s', 'delivered', now(), 1, 'mx.example.net', '250 ok', true, 1, 1),"
        " (%d, '%s', '%s', 'deferred', now(), 2, 'mx.example.org', '450 <later>', true, 1, 2),"
        " (%d, '%s', '%s', 'delivered', now(), 1, 'mx.example.net', '250 ok', true, 1, 3)"
        % (mail.id, bob, bob, mail.id, carol, carol, mail.id, frank, frank))
    for number, (who, answer) in enumerate(((erin, "'reply', NULL, NULL, NULL"), ("mailer-daemon@mx.example.net", "'bounce', '%s', '5.1.1', true" % frank))):
        server.execute(
            "INSERT INTO spoor.answer (message, digest, at_time, record, spool, recipient, answerer_key, rung, confidence, answerer, from_address,"
            " class, about, status, hard) VALUES (%d, sha256('%d'), now(), 2000 + %d, 1, 0, 0, 'in_reply_to', 'high', 'recipient', '%s', %s)"
            % (mail.id, number, number, who, answer))
    server.execute("INSERT INTO spoor.event VALUES (now(), %d, 500000000, 1000, 0, 1, 1, 'O', 'h', 0, '203.0.113.9'),"
                   " (now(), %d, 500000001, 1000, 0, 1, 1, 'D', 'h', 0, '203.0.113.9')" % (mail.id, mail.id))
    body = server.get(page, cookies).body.decode()
    rows = {row[0]: [re.sub("<[^>]*>", "", cell) for cell in re.findall("<td[^>]*>(.*?)</td>", row[1])]
            for row in re.findall('<tr><th scope="row">([^<]*)</th>(.*?)</tr>', body, re.S)}
    assert rows[bob][0].startswith("delivered") and rows[bob][0].endswith("to mx.example.net")
    assert rows[carol][0].startswith("delayed") and "at mx.example.org" in rows[carol][0] and "450 &lt;later&gt;" in rows[carol][0]
    assert rows[dave][0].startswith("sent "), "whether it has arrived nobody has said"
    assert rows[erin][0].startswith("arrived"), "whoever answers has got it"
    assert rows[frank][0].startswith("bounced") and rows[frank][0].endswith("5.1.1"), "one server took it, another sent it back"
    assert "<b>1</b> delivered" in body and "<b>1</b> bounced" in body and "<b>1</b> delayed" in body
    assert [rows[who][3] for who in (bob, carol, dave)] == ["1", "0", "0"]
    assert "<b>1</b> opened a document" in body and "<b>1</b> downloaded one" in body
    assert "opened it, also where its picture" in body, "nobody has fetched it"
    assert "tells which" not in body and "no more than" not in body
    server.execute("INSERT INTO spoor.event VALUES (now(), %d, 500000002, 0, 0, 1, 1, 'F', 'h', 0, '203.0.113.9')" % mail.id)
    body = server.get(page, cookies).body.decode()
    assert "asked for the document" in body and "fetched<" not in body
    assert "nothing tells which" in body, "the table does not have what one of several did"


def test_what_was_forwarded_is_hinted_at(server, driver, people):
    alice, _ = people
    mail = server.mail(alice)
    for number, agent in enumerate(("Firefox/128.0 (Windows)", "Chrome/120 Safari (Macintosh)", "Version/17 Safari (iPhone)")):
        mail.view(address="198.%d.100.7" % (20 + number), agent="Mozilla/5.0 " + agent)
    server.postgres.wait_rows("SELECT record FROM spoor.event WHERE message = %d" % mail.id, 3)
    server.execute("UPDATE spoor.event SET verdict = 'h' WHERE message = %d" % mail.id)
    assert b"probably forwarded" in server.get("/feed", server.sign_in(alice)).body


def test_what_is_pressed_with_the_keyboard_and_read_aloud(server, driver, people):
    alice, _ = people
    server.mail(alice).view()
    browser = signed_in(server, driver, alice)
    browser.wait(EVENTS + " === 1")
    names = []
    for _ in range(14):
        browser.key("\ue004")
        names.append(browser.script("return document.activeElement.innerText || document.activeElement.name"))
    assert names[0] == "To the content" and {"Live Feed", "Devices", "Sign out", "Views", "q", "people", "An offer"} <= set(names)
    tree = browser.command("Accessibility.getFullAXTree")["nodes"]
    said = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node.get("ignored")}
    assert ("heading", "Live Feed") in said and ("heading", "bob@example.net") in said and ("searchbox", "Search") in said
    assert any(role == "status" for role, _ in said) and any(role == "article" for role, _ in said)


def test_it_is_readable_everywhere(server, driver, people):
    alice, _ = people
    mail = server.mail(alice, to=["person%d@long-domain-name%d.example.net" % (n, n) for n in range(40)], campaign="Spring 2026",
                       subject="A rather long subject, as people write them when they have much to say about a little thing")
    server.execute(
        "INSERT INTO spoor.event SELECT now() - n * interval '7 min', %d, 600000000 + n, 1000 + n %% 40, 0, 1, n %% 3 / 2,"
        " case when n %% 3 = 2 then 'c' else 'v' end::\"char\", (array['h','p','b','h','u'])[1 + n %% 5]::\"char\", 0,"
        " '203.0.113.9' FROM generate_series(1, 1000) n;"
        "SELECT spoor.add_batch(1::smallint, 600000001, 600001000, 1000)" % mail.id)
    browser = signed_in(server, driver, alice)
    for name, more in (("desktop", {}), ("phone", {"size": PHONE}), ("dark", {"dark": True}),
                       ("phone-dark", {"size": PHONE, "dark": True})):
        browser.look(**more)
        browser.go(server.url())
        browser.wait(EVENTS + " === 50")
        keep_picture(browser, name)
        fits = "return document.documentElement.scrollWidth <= %d" % more.get("size", DESKTOP)[0]
        assert browser.script(fits), name
        assert browser.script(CUT_OFF) is False, "how long a page was read stands at the end of a detail"
        dark = browser.script("return getComputedStyle(document.body).backgroundColor") == "rgb(16, 20, 29)"
        assert dark == ("dark" in name)
        browser.go(server.url("/feed/mail/%d" % mail.id))
        assert len(browser.texts(".whole .event")) == 500 and len(browser.texts("tbody tr")) == 40
        assert "no more than 500" in browser.text("main"), "the rest is not shown, which is said"
        keep_picture(browser, name + "-mail")
        assert browser.script(fits), name
        browser.go(server.url("/feed/devices"))
        keep_picture(browser, name + "-devices")
        assert re.search(r"last used \S[^,]*\S, added \S", browser.text(".devices .mail")), "a sentence, and no columns"


def test_places_are_named(server):
    owner = "places@example.com"
    cookies = server.sign_in(owner)
    for address in ("203.0.113.9", "203.0.112.9", "203.0.112.200"):
        server.mail(owner, subject=address).view(address=address)
    server.postgres.wait_rows("SELECT record FROM spoor.feed_item WHERE owner = '%s'" % owner, 3)
    csv = server.get("/feed/csv", cookies).body.decode()
    assert {line.split('","')[3]: line.split('","')[8] for line in csv.split("\r\n")[1:] if line} == {
        "203.0.113.9": "K\u00f6ln, Germany", "203.0.112.9": "Iceland", "203.0.112.200": ""}
    page = server.get("/feed", cookies).body.decode()
    assert page.count('class="fact place"') == 2 and '<span class="fact place">K\u00f6ln, Germany</span>' in page


def test_one_sender_does_not_hold_all_streams(server, driver, people):
    """The newest sixteen go on; others' are none of that. A page that is paused goes on when somebody looks at it."""
    alice, anton = people
    cookies = server.sign_in(alice)
    other = server.live(server.sign_in(anton), -1)
    browser = signed_in(server, driver, alice)
    live(browser)
    browser.script("const live = document.getElementById('live'); new MutationObserver(() => {"
                   " if (live.innerText.includes('Paused')) window.paused = true; }).observe(live, {childList: true});")
    tab = browser.tab()
    browser.new_tab()

    def stream():
        try:
            return server.live(cookies, -1)
        except urllib.error.HTTPError as error:
            assert error.code == 503
            return None  # too many before the first of them was looked at

    streams = [proc.wait_for(stream, "a stream") for _ in range(17)]
    assert b"event: busy\n" in list(streams[0]), "the stream has ended"
    browser.switch(tab)
    assert browser.script("return window.paused")
    live(browser)
    server.mail(alice).view()
    for one in streams[2:]:  # the browser's took the place of another
        assert next(line for line in one if line.startswith(b"event: ")) in (b"event: entry\n", b"event: mark\n")
    server.mail(anton).view()
    assert next(line for line in other if line.startswith(b"event: ")) in (b"event: entry\n", b"event: mark\n")
    browser.wait(EVENTS + " === 1")
    for one in streams + [other]:
        one.close()


def test_who_has_missed_very_much_loads_the_page_again(server):
    """All pages wait for the answer to one question: it must not be about a hundred thousand records for the sake of one."""
    cookies = server.sign_in("late@example.com")
    seen = int(server.postgres.value("SELECT spoor.last_batch()"))
    server.execute("SELECT spoor.add_batch(99::smallint, n * 1000, n * 1000 + 999, 1000) FROM generate_series(1, 100) n")
    with server.live(cookies, seen) as stream:
        assert next(line for line in stream if line.startswith(b"event:")) == b"event: reload\n"
    with server.live(cookies, seen + 90) as stream:
        assert next(line for line in stream if line.startswith(b"event:")) == b"event: mark\n"
