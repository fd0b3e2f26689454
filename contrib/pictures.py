# SPDX-License-Identifier: BSD-2-Clause
"""What contrib/pictures does: a small play with real mail, and what a sender and a recipient then see, as PNG files."""

import os
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(SOURCE, "tests", "system"), os.path.join(SOURCE, "contrib")]

import browser as browser_of  # noqa: E402
import demo  # noqa: E402
import documents  # noqa: E402
import mails  # noqa: E402
import place_database  # noqa: E402
import proc  # noqa: E402
import reading  # noqa: E402
import servers as servers_of  # noqa: E402
import spoor  # noqa: E402
import traces  # noqa: E402
import web  # noqa: E402

SENDER, BOB, CAROL, DAVE = "alice@example.com", "bob@example.net", "carol@example.org", "dave@example.net"
WIDTH, HEIGHT = 1000, 620

# From where they read their mail, and with what; addresses that are for examples (RFC 5737).
PLACES = {"198.51.100.0/24": ("Berlin", "Germany"), "203.0.113.0/24": ("Lyon", "France"), "192.0.2.0/24": ("Porto", "Portugal")}
AT = {BOB: "198.51.100.23", CAROL: "203.0.113.80", DAVE: "192.0.2.17"}
AGENT = {BOB: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0",
         CAROL: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
         DAVE: web.BROWSER}

PAGE = """<!DOCTYPE html>
<html><body style="margin:0;padding:28px 36px;font:16px/1.5 Carlito,Calibri,sans-serif;color:#222">
%s
<p>Kind regards<br>Alice Example</p>
</body></html>
"""
PROPOSAL = PAGE % """<p>Dear Bob,</p>
<p>it was good to meet you on Monday. Attached is our proposal for the new office: what we would do, when, and what
it costs. The <a href="https://www.example.com/plans">plans of both floors</a> are on our site.</p>
<p>Shall we talk on Thursday?</p>"""
MINUTES = PAGE % """<p>Dear Carol,</p>
<p>the minutes are <a href="https://www.example.com/minutes/2026-11">here</a>.</p>"""
NEWS = PAGE % """<p>Dear Dave,</p>
<p>this spring we have <a href="https://www.example.com/spring">four new colours</a>.</p>"""

CHAPTERS = (
    ("Proposal for the new office",
     "We have measured both floors and asked the people who are to work there. They want light, rooms to be quiet in, and a"
     " kitchen that is large enough for all of them.",
     "On the next pages stand what we would do, when it would be done, and what it costs. The plans are drawn to scale; where a"
     " wall moves, the old one is dotted.",
     "Nothing of this is fixed. Whatever you would rather have otherwise, tell us before the end of January."),
    ("What we would do", "On the second floor the walls beside the stairs go. What is now a corridor becomes a room of its own, with"
     " desks along the windows and a table for twelve."),
    ("When", "The floors are done one after the other, so that nobody has to move out: the second in March and April, the third in"
     " May."),
    ("What it costs", "All of it together 84,200 Euro, of which a third is due when the work begins, and the rest when you have seen"
     " that all is as it should be."))


def heading(text):
    return '<w:p><w:pPr><w:spacing w:after="240"/></w:pPr><w:r><w:rPr><w:b/><w:sz w:val="44"/></w:rPr><w:t>%s</w:t></w:r></w:p>' % text


def words(text):
    return '<w:p><w:pPr><w:spacing w:after="160" w:line="320"/></w:pPr><w:r><w:rPr><w:sz w:val="26"/></w:rPr><w:t>%s</w:t></w:r></w:p>' % text


def proposal():
    pages = [heading(title) + "".join(words(text) for text in texts) for title, *texts in CHAPTERS]
    return documents.docx(documents.page_break().join(pages))


class Play:
    def __init__(self, servers):
        self.servers = servers
        self.url = servers.spoor.tracking_url

    def send(self, to, subject, kind, **more):
        """The mail as it was delivered."""
        number = "%s@client.example.com" % mails.new_mark()
        content = kind(SENDER, [to], "", subject=subject, message_id=number, **more)
        self.servers.spoor.mail_line(self.servers.submit(SENDER, [to], content))
        return self.servers.mail.wait(to, number.encode(), log=self.servers.receiving.log)

    def get(self, person, url):
        web.get(url, agent=AGENT[person], headers={"X-Forwarded-For": AT[person]})

    def views(self, person, mail):
        self.get(person, traces.pixels(mail, self.url)[0])

    def clicks(self, person, mail):
        self.get(person, traces.clicks(mail, self.url)[0])

    def answers(self, person, mail, compose, **more):
        mark = mails.new_mark()
        self.servers.answer(more.pop("envelope_sender", person), [SENDER], compose(person, [SENDER], mark, traces.field(mail, "Message-ID"), **more))
        self.servers.mail.wait(SENDER, mark.encode(), log=self.servers.receiving.log)

    def reads(self, person, link):
        with browser_of.Browser() as chromium:
            chromium.command("Network.enable")
            chromium.command("Network.setExtraHTTPHeaders", headers={"X-Forwarded-For": AT[person]})
            chromium.go(link)
            reader = reading.Reader(chromium)
            for page, seconds in ((1, 2), (2, 4), (4, 3)):
                reader.look(page, seconds)
            chromium.leave()

    def act(self):
        database = self.servers.postgres
        news = self.send(DAVE, "Four new colours", mails.html_quoted_printable, html=NEWS)
        minutes = self.send(CAROL, "Minutes of our meeting", mails.html_base64, html=MINUTES)
        offer = self.send(BOB, "Our proposal", mails.with_file, html=PROPOSAL, content=proposal())
        database.wait_rows("SELECT * FROM spoor.document WHERE state = 'ready'", 1, 90)
        database.wait_rows("SELECT * FROM spoor.delivery_report WHERE state = 'delivered'", 3)
        self.answers(DAVE, news, mails.out_of_office, envelope_sender="")
        self.views(DAVE, news)
        self.views(CAROL, minutes)
        web.get(traces.clicks(minutes, self.url)[0], agent="curl/8.5", headers={"X-Forwarded-For": AT[CAROL]})
        self.clicks(CAROL, minutes)
        self.views(BOB, offer)
        self.clicks(BOB, offer)
        self.reads(BOB, traces.document_links(offer, self.url)[0])
        self.answers(BOB, offer, mails.answer, subject="Re: Our proposal")
        database.wait_rows("SELECT * FROM spoor.feed WHERE what = 'read'", 3)
        database.wait_rows("SELECT * FROM spoor.feed WHERE what IN ('reply', 'auto_reply')", 2)
        return offer


def window(width, height):
    """One without scrollbars, of which the page has all."""
    chromium = browser_of.Browser(width=width, height=height, arguments=["--hide-scrollbars"])
    chromium.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
    return chromium


def take(chromium, folder, name):
    """A palette of 64 colours makes a third of it."""
    path = os.path.join(folder, name)
    chromium.picture(path)
    subprocess.run(["pngquant", "--force", "--strip", "--speed", "1", "--output", path, "64", path], check=True)


def show_feed(servers, folder):
    with window(WIDTH, 780) as chromium:
        chromium.go(demo.link_to_feed(servers))
        chromium.click("button.main")
        proc.wait_for(lambda: chromium.script("return document.querySelector('.live.on') !== null"), "the page says Live")
        take(chromium, folder, "feed.png")
        chromium.script("[...document.querySelectorAll('.mail a')].find(a => a.innerText.includes('proposal')).click()")
        proc.wait_for(lambda: "/feed/mail/" in chromium.ask("/url"), "the page of one mail")
        take(chromium, folder, "mail-report.png")


def show_mail(servers, mail, folder):
    """The HTML of the mail as a mail program shows it, but for the program."""
    path = os.path.join(servers.folder, "mail.html")
    with open(path, "wb") as out:
        out.write(traces.html_parts(mail)[0])
    with window(760, 340) as chromium:
        chromium.go("file://" + path)
        take(chromium, folder, "mail.png")


def show_document(link, folder):
    with window(WIDTH, HEIGHT) as chromium:
        chromium.go(link)
        proc.wait_for(lambda: chromium.script("return [...document.images].slice(0, 1).every(i => i.complete)"), "the first page")
        take(chromium, folder, "viewer.png")


def play_and_take(folder):
    build = spoor.build_folder()
    os.makedirs(build, exist_ok=True)
    demo.step("build in " + build, lambda: demo.build(build))
    places = os.path.join(servers_of.new_folder(), "places.mmdb")
    place_database.write(places, PLACES)
    settings = {"pixeld": {"trusted_proxies": ["127.0.0.0/8"], "place_database": places}}
    with servers_of.Servers(tell=demo.step, spoor_settings=settings) as servers:
        servers.start()
        demo.follow_the_log(servers)
        servers.spoor.start("render")
        play = Play(servers)
        offer = demo.step("mail is sent, read and answered", play.act)
        demo.step("the Live Feed", lambda: show_feed(servers, folder))
        demo.step("the mail", lambda: show_mail(servers, offer, folder))
        demo.step("the document", lambda: show_document(traces.document_links(offer, play.url)[0], folder))


def main():
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(folder, exist_ok=True)
    try:
        play_and_take(folder)
    except proc.Failure as error:
        print("\n%s" % error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
