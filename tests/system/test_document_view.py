# SPDX-License-Identifier: BSD-2-Clause
"""
Documents are read: in a real browser, by scripts without one, by who asks for no tracking; and what the sender is told
of it. Documents and mails are rows here, but in the last test, which goes the whole way.
"""

import gzip
import hashlib
import os
import re
import time
import urllib.parse
import uuid

import pytest

import browser as browser_of
import documents
import mails
import proc
import reading
import renderer
import tokens
import traces
import web
from postgres import quote

needs_browser = pytest.mark.skipif(not browser_of.is_there(), reason="chromium and chromium-driver are not installed")
FILE = b"%PDF-1.7\n" + bytes(range(256)) * 3000  # three pieces in the database
PAGES = 8
FIRST_PAGE_BYTES = 100 * 1000


@pytest.fixture(scope="module")
def library(request):
    started = reading.Library()
    yield started
    assert all(status == 0 for status in started.stop().values()), "spoor-pixeld ended badly"


@pytest.fixture(scope="module")
def offer(library):
    """A document that can be read, sent in many mails."""
    return library.document(FILE, pages=PAGES)


@pytest.fixture(scope="module")
def chromium():
    """One for all tests that do not close it."""
    with browser_of.Browser() as started:
        yield started


@pytest.fixture
def mail(library, offer):
    message = library.mail()
    library.attach(message, offer)
    return message


def report(library, message, person="bob@example.net"):
    return library.postgres.rows("SELECT * FROM spoor.document_report WHERE message = %d AND person = %s" % (message, quote(person)))[0]


def page_times(library, message):
    return {int(row["page"]): int(row["ms"]) for row in
            library.postgres.rows("SELECT page, ms FROM spoor.document_page_report WHERE message = %d" % message)}


def events(library, message, what):
    return library.postgres.rows("SELECT * FROM spoor.event_report WHERE message = %d AND what = %s ORDER BY at_time" % (
        message, quote(what)))


def wait_events(library, message, what, count=1):
    library.postgres.wait_rows("SELECT * FROM spoor.event_report WHERE message = %d AND what = %s" % (message, quote(what)), count)
    return events(library, message, what)


def view_id(answer):
    return re.search(rb'data-view="([0-9a-f]+)"', answer.body).group(1).decode()


def tell(library, url, words, **headers):
    return web.get(url + "/beacon", "POST", body=words.encode(),
                   headers=dict({"Content-Type": "text/plain;charset=UTF-8"}, **{k.replace("_", "-"): v for k, v in headers.items()}))


def settle(library, message):
    """Once everything that was answered is loaded: a hit of another kind goes the same way, and in order."""
    mark = library.mail()
    web.get(library.spoor.tracking_url + tokens.view(message=mark))
    library.postgres.wait_rows("SELECT * FROM spoor.event WHERE message = %d" % mark)


def mail_page(library, mail):
    """The mail's page in the feed, as its owner sees it."""
    owner = library.postgres.value("SELECT owner FROM spoor.message WHERE id = %d" % mail)
    link = library.spoor.ctl("invite", owner, env={"PGUSER": "postgres"}).stdout.decode().strip()
    answer = web.get(link, "POST", headers={"Origin": library.spoor.tracking_url})
    cookies = "; ".join(cookie.split(";")[0] for cookie in answer.headers.get_all("Set-Cookie"))
    return web.get(library.spoor.tracking_url + "/feed/mail/%d" % mail, headers={"Cookie": cookies}).body.decode()


def read_some_pages(library, offer, chromium):
    """
    The mail, and who has read it: pages 1, 3 and 5 for some seconds, with another tab in front for a while, and a download. None
    when the machine took so long to turn pages that those between were looked at, too.
    """
    mail = library.mail()
    library.attach(mail, offer)
    opened = time.monotonic()
    chromium.go(library.url(mail))
    reader = reading.Reader(chromium, opened)
    reader.look(1, 2.5)
    reader.look(3, 2)
    reader.look(5, 1.6)
    first = chromium.tab()
    other = chromium.new_tab()
    reader.away()
    time.sleep(2)
    chromium.close_tab()
    assert other != first
    back = time.monotonic()
    chromium.switch(first)
    chromium.wait_visible()
    reader.look(5, 1.4)
    reader.since = back
    chromium.click("header button")
    saved = os.path.join(chromium.folder, "proposal.pdf")
    proc.wait_for(lambda: os.path.exists(saved), "the file was downloaded")
    with open(saved, "rb") as file:
        assert file.read() == FILE
    os.unlink(saved)
    chromium.leave()
    reader.away()
    wait_events(library, mail, "read", 3)
    library.postgres.wait_rows("SELECT * FROM spoor.document_view WHERE message = %d AND NOT unsettled" % mail)
    passed = set(page_times(library, mail)) - set(reader.looked)
    return None if passed and reader.turned > 0.9 else (mail, reader)


@needs_browser
def test_a_person_reads_some_pages(library, offer, chromium):
    mail, reader = proc.wait_for(lambda: read_some_pages(library, offer, chromium), "pages are turned at once", 3 * proc.PATIENCE_S)
    times = page_times(library, mail)
    assert sorted(times) == [1, 3, 5], "pages that were only passed are not told: %r" % times
    for page, seconds in reader.looked.items():
        assert seconds - 0.5 < times[page] / 1000 < reader.at_most[page] + 0.5, "page %d: %d ms, looked at for %.1f to %.1f s" % (
            page, times[page], seconds, reader.at_most[page])
    row = report(library, mail)
    assert (row["opened"], row["class"], row["visits"], row["pages"], row["pages_read"], row["completion"], row["downloads"]) == (
        "t", "confirmed", "1", str(PAGES), "3", "38", "1")
    assert re.fullmatch(r"1: \d+ s, 3: \d+ s, 5: \d+ s", row["page_times"])
    feed = library.postgres.rows("SELECT * FROM spoor.feed WHERE message = %d ORDER BY at_time" % mail)
    told = sorted((line["what"], line["detail"].split(",")[0]) for line in feed)
    assert told == [("downloaded", "proposal.pdf"), ("opened", "proposal.pdf"), ("read", "page 1 of proposal.pdf"),
                    ("read", "page 3 of proposal.pdf"), ("read", "page 5 of proposal.pdf")]
    assert {line["verdict"] for line in feed} == {"human"} and {line["person"] for line in feed} == {"bob@example.net"}
    assert [line["detail"] for line in feed if "page 5" in line["detail"]] == ["page 5 of proposal.pdf, %d s" % (times[5] // 1000)]
    summary = library.postgres.rows("SELECT * FROM spoor.message_report WHERE message = %d" % mail)[0]
    assert (summary["viewed"], summary["opened"], summary["downloaded"], summary["views"]) == ("1", "1", "1", "0")
    person = library.postgres.rows("SELECT * FROM spoor.recipient_report WHERE message = %d" % mail)[0]
    assert (person["viewed"], person["opened"]) == ("t", "t")
    chart = mail_page(library, mail)
    assert re.search(r"<title>Page 3: \d+ s</title>", chart) and "<title>Page 2: not read</title>" in chart and "proposal.pdf" in chart
    top = library.postgres.rows("SELECT * FROM spoor.top_documents")
    assert top[0]["file_name"] == "proposal.pdf" and int(top[0]["opened_by"]) >= 1 and int(top[0]["downloads"]) >= 1


@needs_browser
def test_the_first_page_is_light_and_asks_nobody_else(library, mail, chromium):
    chromium.traffic()
    chromium.go(library.url(mail))
    loaded = chromium.script("return performance.getEntriesByType('resource').map(e => [e.name, e.transferSize])"
                             ".concat(performance.getEntriesByType('navigation').map(e => [e.name, e.transferSize]))")
    assert chromium.script("return getComputedStyle(document.querySelector('header')).position") == "sticky", "style applied"
    assert chromium.script("return [...document.images].map(i => [i.width > 0, i.getAttribute('width')])") == [[True, "1240"]] * PAGES
    asked = [answer for answer in chromium.traffic() if not answer["url"].startswith(("chrome:", "data:"))]
    complaints = [line for line in chromium.complaints() if "favicon" not in line]
    assert not complaints
    hosts = {urllib.parse.urlsplit(answer["url"]).netloc for answer in asked}
    assert hosts == {"127.0.0.1:%d" % library.spoor.port}
    assert {urllib.parse.urlsplit(name).netloc for name, _ in loaded} == hosts
    assert sum(answer["bytes"] for answer in asked) <= FIRST_PAGE_BYTES
    script = [name for name, _ in loaded if name.endswith(".js")]
    answer = web.get(script[0])
    assert len(script) == 1 and len(answer.body) <= 3000
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert hashlib.sha256(answer.body).hexdigest()[:16] in script[0]


@needs_browser
def test_a_keyboard_turns_pages(library, mail, chromium):
    chromium.go(library.url(mail))
    chromium.key("\ue014")
    proc.wait_for(lambda: chromium.text("#at") == "2", "page 2 in sight")
    chromium.key("\ue012")
    proc.wait_for(lambda: chromium.text("#at") == "1", "page 1 in sight")


@needs_browser
def test_a_driven_browser_is_a_machine(library, mail):
    """As chromedriver starts it: it reads like a person, and says of itself that it is none."""
    with browser_of.Browser(automated=True) as chromium:
        chromium.go(library.url(mail))
        reading.Reader(chromium).look(2, 3.5)
        chromium.leave()
    wait_events(library, mail, "read")
    library.postgres.wait_rows("SELECT * FROM spoor.document_view WHERE message = %d AND NOT unsettled AND automated" % mail)
    assert report(library, mail)["opened"] == "f"
    assert {event["verdict"] for event in events(library, mail, "opened") + events(library, mail, "read")} == {"bot"}
    assert not library.postgres.rows("SELECT * FROM spoor.feed WHERE message = %d" % mail)


def test_without_a_script_there_is_a_page_for_each_page(library, mail):
    answer = web.get(library.url(mail))
    assert b"<noscript>" in answer.body and ("%s/3" % library.path(mail)[3:]).encode() in answer.body
    page = web.get(library.url(mail) + "/3")
    assert page.status == 200 and page.headers["Cache-Control"] == "no-store"
    assert b"the words of page 3: the price &amp; the terms" in page.body and b"<script" not in page.body
    assert wait_events(library, mail, "read")[0]["destination"] == "page 3 of proposal.pdf"
    assert report(library, mail)["class"] == "fetched", "no script told of it"
    assert web.get(library.url(mail) + "/%d" % (PAGES + 1)).status == 404
    assert web.get(library.url(mail) + "/0").status == 404


def test_who_only_asks_for_headers_or_looks_ahead_opens_nothing(library, mail):
    full = web.get(library.url(mail))
    head = web.get(library.url(mail), "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", full.headers["Content-Length"])
    assert web.get(library.url(mail), headers={"Sec-Purpose": "prefetch;prerender"}).status == 200
    assert web.get(library.url(mail) + "/download", "HEAD").headers["Content-Length"] == str(len(FILE))
    settle(library, mail)
    assert len(events(library, mail, "fetched")) == 1 and not events(library, mail, "downloaded")


def test_the_page_allows_nothing_but_our_own(library, mail):
    answer = web.get(library.url(mail), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip" and b"proposal.pdf" in gzip.decompress(answer.body)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy
    for name, value in (("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"), ("X-Robots-Tag", "noindex, nofollow"),
                        ("X-Content-Type-Options", "nosniff")):
        assert answer.headers[name] == value


def test_unknown_expired_and_revoked_look_the_same(library, offer):
    kept, revoked, expired = library.mail(), library.mail(), library.mail()
    for message in (kept, revoked, expired):
        library.attach(message, offer)
    library.postgres.execute("SELECT spoor.revoke_document(%d, %d); SELECT spoor.expire_document(%d, now() - interval '1 s', %d)" % (
        offer, revoked, offer, expired))
    assert web.get(library.url(kept)).status == 200
    gone = [library.url(revoked), library.url(expired), library.url(library.mail()), library.url(kept, number=2),
            library.spoor.tracking_url + tokens.spoiled(library.path(kept)), library.url(kept) + "/nothing",
            library.spoor.tracking_url + "/d/" + tokens.token(tokens.VIEW, message=kept)]
    gone += [library.url(revoked) + part for part in ("/1", "/download", "/1-" + hashlib.sha256(FILE).hexdigest()[:12])]
    answers = [web.get(url) for url in gone]
    assert {answer.status for answer in answers} == {404} and len({answer.body for answer in answers}) == 1
    assert web.get(library.spoor.tracking_url + "/a/none.js").status == 404
    settle(library, revoked)
    assert not events(library, revoked, "fetched")


def test_pictures_come_from_the_cache_and_only_as_what_they_are(library, mail):
    version = hashlib.sha256(FILE).hexdigest()[:12]
    url = library.url(mail) + "/2-" + version
    answer = web.get(url)
    assert answer.body == reading.page_picture(2) and answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Cache-Control"] == "private, max-age=86400, immutable"
    assert web.get(library.url(mail) + "/2-" + "0" * 12).status == 404, "of another version"
    library.postgres.execute("UPDATE spoor.page SET image = 'x' WHERE number = 2")
    try:
        assert web.get(url).body == answer.body, "memcached has it"
    finally:
        library.postgres.execute("UPDATE spoor.page SET image = '\\x%s' WHERE number = 2" % answer.body.hex())
    other = library.document(b"odd", pages=1)
    library.postgres.execute("UPDATE spoor.page SET image_type = 'text/html' WHERE document = %d" % other)
    library.attach(mail, other, number=3)
    assert web.get(library.url(mail, number=3) + "/1-" + hashlib.sha256(b"odd").hexdigest()[:12]).status == 404


def test_the_file_comes_as_an_attachment_whole_and_in_parts(library, mail):
    library.postgres.execute("UPDATE spoor.attachment SET file_name = 'Gr\u00fc\u00dfe \"1\".pdf' WHERE message = %d" % mail)
    url = library.url(mail) + "/download"
    whole = web.get(url)
    assert whole.body == FILE and whole.headers["Content-Type"] == "application/pdf"
    assert whole.headers["Content-Disposition"] == (
        "attachment; filename=\"Gr__e _1_.pdf\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%221%22.pdf")
    assert whole.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert whole.headers["X-Content-Type-Options"] == "nosniff" and whole.headers["Cache-Control"] == "no-store"
    part = web.get(url, headers={"Range": "bytes=262140-262150"})
    assert (part.status, part.body) == (206, FILE[262140:262151])
    assert part.headers["Content-Range"] == "bytes 262140-262150/%d" % len(FILE)
    assert web.get(url, headers={"Range": "bytes=-10"}).body == FILE[-10:]
    assert web.get(url, headers={"Range": "bytes=%d-" % len(FILE)}).status == 416
    assert web.get(url, headers={"Range": "bytes=5-6", "If-Range": '"other"'}).body == FILE
    assert web.get(url, headers={"Range": "bytes=5-6", "If-Range": whole.headers["ETag"]}).body == FILE[5:7]
    assert web.get(url, headers={"Range": "bytes=0-"}).status == 206
    settle(library, mail)
    assert len(events(library, mail, "downloaded")) == 3, "the whole file, the whole file, and bytes=0-"


def test_beacons_are_believed_as_far_as_they_can_be_true(library, mail):
    url = library.url(mail)
    view = view_id(web.get(url))
    assert tell(library, url, view + " 2 1500 3 0 3 1:1400 3:100").status == 204
    assert tell(library, url, view + " 1 1200 1 0 1 1:1200").status == 204  # late
    assert tell(library, url, view + " 3 999999 4 0 0 1:1500 3:400 4:900000 %d:50 300:70000" % PAGES).status == 204
    settle(library, mail)
    rows = library.postgres.rows("SELECT p.* FROM spoor.document_view_page p JOIN spoor.document_view v USING (view) "
                                 "WHERE v.message = %d ORDER BY page" % mail)
    times = {int(row["page"]): int(row["ms"]) for row in rows}
    assert times[1] == 1500 and times[3] == 400 and sum(times.values()) <= 2000 + 3000 and set(times) <= {1, 3, 4, PAGES}
    assert len(events(library, mail, "opened")) == 1
    # what is no beacon
    for words in ("", "x", view[:-1] + ("0" if view[-1] != "0" else "1") + " 1 1000 0 0 0", view + " 1 1000 0 0 0 1:1 1:1"):
        assert tell(library, url, words).status == 400
    good = view + " 4 1600 4 0 0 1:1600"
    assert tell(library, url, good, Sec_Fetch_Site="cross-site").status == 400
    assert web.get(url + "/beacon", "POST", body=good.encode(), headers={"Content-Type": "application/json"}).status == 400
    assert tell(library, library.url(library.mail()), good).status == 400, "of another link"
    assert web.get(url + "/beacon").status == 404 and web.get(url, "POST", body=b"").status == 405
    assert tell(library, url, "x" * 20000).status == 413
    assert tell(library, url, good).status == 204


def test_a_link_can_report_only_so_often(library, mail):
    url = library.url(mail)
    view = view_id(web.get(url))
    statuses = [tell(library, url, view + " 1 1000 0 0 1 1:1000").status for _ in range(241)]
    assert 429 in statuses and statuses.count(204) >= 120


def test_viewed_is_not_confirmed_until_somebody_moves_something(library, mail):
    url = library.url(mail)
    view = view_id(web.get(url))
    tell(library, url, view + " 1 1000 0 0 0 1:1000")
    assert wait_events(library, mail, "read")[0]["verdict"] == "unknown"
    assert report(library, mail)["class"] == "viewed"
    tell(library, url, view + " 2 2000 2 0 0 1:1000 2:1000")  # two pages for a second, and something was used
    proc.wait_for(lambda: report(library, mail)["class"] == "confirmed", "confirmed")
    library.postgres.wait_rows("SELECT * FROM spoor.feed WHERE message = %d AND verdict = 'human' AND what = 'opened'" % mail)
    assert library.postgres.value("SELECT viewed FROM spoor.message_report WHERE message = %d" % mail) == "1"


def test_one_view_tells_of_its_whole_visit(library, mail):
    """Who waits until the pages are made moves nothing; the view that comes next, with pages, confirms both."""
    url = library.url(mail)
    tell(library, url, view_id(web.get(url)) + " 1 1500 0 0 0")
    library.postgres.wait_rows("SELECT * FROM spoor.document_view WHERE message = %d AND NOT unsettled" % mail)
    tell(library, url, view_id(web.get(url)) + " 1 2000 5 0 0 1:1000 2:1000")
    library.postgres.wait_rows("SELECT * FROM spoor.feed WHERE message = %d AND verdict = 'human'" % mail, 3)
    assert [event["verdict"] for event in events(library, mail, "opened")] == ["human"]


@needs_browser
def test_who_moves_nothing_is_not_reading(library, mail, chromium):
    began = time.monotonic()
    chromium.go(library.url(mail))
    chromium.script("document.body.dataset.idle = 2")  # seconds; a minute is long for a test
    chromium.wheel(10)
    used_s = time.monotonic() - began
    time.sleep(4)
    chromium.leave()
    wait_events(library, mail, "read")
    assert 1 <= page_times(library, mail)[1] / 1000 <= used_s + 2.5


def test_visits_are_ten_minutes_apart(library, mail):
    url = library.url(mail)
    for _ in range(2):
        tell(library, url, view_id(web.get(url)) + " 1 1500 1 0 0 1:1500")
    wait_events(library, mail, "opened")
    settle(library, mail)
    assert report(library, mail)["visits"] == "1" and len(events(library, mail, "opened")) == 1 and len(events(library, mail, "read")) == 1
    library.postgres.execute("UPDATE spoor.document_view SET started_at = started_at - interval '11 min', "
                             "last_at = last_at - interval '11 min' WHERE message = %d" % mail)
    tell(library, url, view_id(web.get(url)) + " 1 1500 1 0 0 1:1500")
    wait_events(library, mail, "opened", 2)
    row = report(library, mail)
    assert row["visits"] == "2" and row["pages_read"] == "1" and page_times(library, mail) == {1: 4500}


def test_many_links_from_one_address_are_a_machine(library, offer):
    message = library.mail(recipients=["p%d@example.net" % n for n in range(4)])
    library.attach(message, offer)
    for n in range(3):
        url = library.url(message, recipient=77 + n)
        headers = {"X-Forwarded-For": "198.51.100.77"}
        view = view_id(web.get(url, headers=headers))
        tell(library, url, view + " 1 1500 %d 0 0 1:1500" % (n == 0), **headers)
    library.postgres.wait_rows("SELECT * FROM spoor.document_view WHERE message = %d AND crowd AND NOT unsettled" % message, 3)
    library.postgres.wait_rows("SELECT * FROM spoor.event_report WHERE message = %d AND what = 'opened' AND verdict = 'bot' "
                               "AND reason = 'crowd'" % message, 3)
    assert report(library, message, "p1@example.net")["opened"] == "f"


def test_an_aggregate_link_tells_of_nobody(library, mail):
    url = library.url(mail, recipient=0, aggregate=True)
    page = web.get(url, headers={"X-Forwarded-For": "198.51.100.9"})
    assert b"but not by whom" in page.body
    tell(library, url, view_id(page) + " 1 1500 1 0 0 1:1500", **{"X-Forwarded-For": "198.51.100.9"})
    web.get(url + "/download", headers={"X-Forwarded-For": "198.51.100.9"})
    for what in ("fetched", "opened", "read", "downloaded"):
        event = wait_events(library, mail, what)[0]
        assert (event["address"], event["agent"], event["person"]) == (None, None, "one of 1")
    assert library.postgres.rows("SELECT address, recipient FROM spoor.document_view WHERE message = %d" % mail) == [
        {"address": None, "recipient": "0"}]


def test_the_senders_own_copy_is_nobodys(library, offer):
    """Alice, who has sent it, looks at what went to herself."""
    message = library.mail(recipients=["alice@example.com", "bob@example.net"])
    library.attach(message, offer)
    url = library.url(message)
    view = view_id(web.get(url))
    tell(library, url, view + " 1 2000 5 0 1 1:2000")
    library.postgres.wait_rows("SELECT * FROM spoor.event_report WHERE message = %d AND what = 'opened' AND verdict = 'self'" % message)
    tell(library, url, view + " 2 2000 6 0 0 1:2000")
    library.postgres.wait_rows("SELECT * FROM spoor.event_report WHERE message = %d AND what = 'read' AND verdict = 'self'" % message)
    row = report(library, message, "alice@example.com")
    assert (row["opened"], row["class"], row["pages_read"]) == ("f", None, "0")
    assert not library.postgres.rows("SELECT * FROM spoor.feed WHERE message = %d" % message)


def test_who_asks_for_no_tracking_is_counted_at_most(library, mail):
    def told(message):
        page = web.get(library.url(message), headers={"Sec-GPC": "1"})
        if b"data-view" in page.body:
            tell(library, library.url(message), view_id(page) + " 1 1500 1 0 0 1:1500", Sec_GPC="1")
        settle(library, message)
        return page.body, library.postgres.rows("SELECT address, recipient FROM spoor.document_view WHERE message = %d" % message)

    def restart(**pixeld):
        library.spoor.restart("pixeld", library.spoor.write_conf(library.spoor.conf + ".gpc", {"pixeld": pixeld}))
        proc.wait_for(lambda: web.get(library.url(mail), "HEAD").status == 200, "the database is asked")

    try:
        restart(honour_gpc="aggregate")
        page, views = told(mail)
        assert b"but not by whom" in page and views == [{"address": None, "recipient": "0"}]
        restart(honour_gpc="drop")
        page, views = told(mail)
        assert b"Nobody is told" in page and len(views) == 1 and not events(library, mail, "fetched")[1:]
    finally:
        restart()


def test_a_document_that_is_not_ready_waits_and_can_be_downloaded(library):
    message = library.mail()
    document = library.document(b"PK waiting " + uuid.uuid4().bytes, "docx")
    library.attach(message, document, "plan <1>.docx")
    waiting = web.get(library.url(message))
    assert b"being prepared" in waiting.body and b'http-equiv="refresh"' in waiting.body and b"plan &lt;1&gt;.docx" in waiting.body
    assert b"?again=3" in web.get(library.url(message) + "?again=2").body
    assert b"refresh" not in web.get(library.url(message) + "?again=18").body
    assert web.get(library.url(message) + "/download").body.startswith(b"PK waiting")
    library.postgres.execute("UPDATE spoor.document SET state = 'download_only', reason = 'encrypted' WHERE id = %d" % document)
    assert b"protected by a password" in web.get(library.url(message)).body
    library.postgres.execute("UPDATE spoor.document SET state = 'failed', reason = 'timeout' WHERE id = %d" % document)
    assert b"cannot be shown here" in web.get(library.url(message)).body


def test_replaced_under_the_same_link(library, mail, offer):
    newer = library.document(b"%PDF newer", pages=2)
    tell(library, library.url(mail), view_id(web.get(library.url(mail))) + " 1 1500 1 0 0 7:1500")
    wait_events(library, mail, "read")
    library.postgres.execute("SELECT spoor.replace_document(%d, %d, %d)" % (offer, newer, mail))
    page = web.get(library.url(mail))
    assert b"/ 2</p>" in page.body and hashlib.sha256(b"%PDF newer").hexdigest()[:12].encode() in page.body
    row = report(library, mail)
    assert (row["pages"], row["completion"], row["pages_read"]) == ("2", "0", "1"), "page 7 was of the one before"


def test_a_link_of_the_library_itself(library, offer):
    """Pasted without a mail around it: nobody is known, and it works."""
    library.attach(5, offer)
    assert web.get(library.url(5, recipient=0)).status == 200
    library.postgres.wait_rows("SELECT * FROM spoor.document_report WHERE message = 5 AND class = 'fetched'")


def test_without_the_database(library, mail):
    library.postgres.stop()
    try:
        answer = proc.wait_for(lambda: [a for a in [web.get(library.url(mail))] if a.status == 503], "503")[0]
        assert int(answer.headers["Retry-After"]) > 0 and b"try again" in answer.body
        assert web.get(library.url(mail) + "/download").status == 503
        assert web.get(library.spoor.tracking_url + tokens.spoiled(library.path(mail))).status == 404
    finally:
        library.postgres.start()
    proc.wait_for(lambda: web.get(library.url(mail)).status == 200, "the document is back")


def test_a_disk_that_is_nearly_full_is_left_alone(library, mail, small_disk):
    """Whoever reads slowly keeps his file on the disk, so there is an end to that before the disk's."""
    url = library.url(mail) + "/download"
    library.spoor.environment["TMPDIR"] = small_disk
    library.spoor.restart("pixeld")
    try:
        def refused():
            answer = web.get(url)
            return "cannot hand out a document" in library.spoor.log_text("pixeld") and answer
        answer = proc.wait_for(refused, "a refusal because of the disk")
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
        assert os.listdir(small_disk) == []
    finally:
        del library.spoor.environment["TMPDIR"]
        library.spoor.restart("pixeld")
    assert proc.wait_for(lambda: [a for a in [web.get(url)] if a.status == 200], "the file")[0].body == FILE


def test_what_is_read_meanwhile_is_not_lost(library, mail):
    url = library.url(mail)
    view = view_id(web.get(url))
    library.postgres.stop()
    try:
        assert tell(library, url, view + " 1 1800 1 0 0 2:1800").status == 204
    finally:
        library.postgres.start()
    library.postgres.wait_rows("SELECT * FROM spoor.document_page_report WHERE message = %d AND page = 2" % mail)
    dumped = library.spoor.ctl("spool", "dump", os.path.join(library.spoor.spool, "pixeld")).stdout.decode()
    assert " kind=beacon " in dumped and " kind=document " in dumped and "page=2:1800" in dumped


@needs_browser
@pytest.mark.skipif(renderer.sandbox_trouble() is not None, reason="no sandbox on this machine")
def test_the_whole_way(module_own, mark):
    """A .docx leaves a mail, becomes pages, is read in a browser behind the mail's link, and the sender sees what."""
    servers = module_own(database_timeout="20s", stamp={"document_timeout": "20s"})
    servers.spoor.start("render")
    content = mails.with_file("alice@example.com", ["bob@example.net"], mark, content=documents.docx_with_pages(5))
    servers.submit("alice@example.com", ["bob@example.net"], content)
    mail = servers.mail.wait("bob@example.net", mark.encode(), log=servers.receiving.log)
    link = traces.document_links(mail, servers.spoor.tracking_url)[0]
    servers.postgres.wait_rows("SELECT * FROM spoor.document WHERE state = 'ready' AND pages = 5", seconds=3 * proc.PATIENCE_S)
    with browser_of.Browser() as chromium:
        chromium.go(link)
        assert chromium.text("h1") == "proposal.docx" and "Page 3" in chromium.script("return document.getElementById('p3').textContent")
        pictures = "return [...document.images].slice(0, 2).every(i => i.complete && i.naturalWidth > 600)"
        proc.wait_for(lambda: chromium.script(pictures), "pictures of pages")
        reader = reading.Reader(chromium)
        reader.look(1, 1.5)
        reader.look(3, 2.5)
        chromium.leave()
    servers.postgres.wait_rows("SELECT * FROM spoor.feed WHERE what = 'read' AND verdict = 'human'", 2)
    row = servers.postgres.rows("SELECT * FROM spoor.document_report WHERE person = 'bob@example.net'")[0]
    assert (row["file_name"], row["class"], row["pages"], row["pages_read"]) == ("proposal.docx", "confirmed", "5", "2")
    assert row["owner"] == "alice@example.com" and row["read_for"]
