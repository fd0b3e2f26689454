# SPDX-License-Identifier: BSD-2-Clause
"""The play that contrib/demo shows. Servers and mails are those of the system tests."""

import argparse
import os
import signal
import subprocess
import sys
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(SOURCE, "tests", "system"))

import browser  # noqa: E402
import documents  # noqa: E402
import mailer  # noqa: E402
import mails  # noqa: E402
import proc  # noqa: E402
import reading  # noqa: E402
import renderer  # noqa: E402
import salesforce  # noqa: E402
import servers as servers_of  # noqa: E402
import spoor  # noqa: E402
import traces  # noqa: E402
import web  # noqa: E402

SENDER = "alice@example.com"
TO, CC, ELSEWHERE = "bob@example.net", "carol@example.org", "dave@example.net"
# what it is, how it is made, its subject, whether its body is tracked
MAILS = (("newsletter, quoted-printable", mails.html_quoted_printable, "Spring news", True),
         ("alternative with an inline picture", mails.alternative_with_picture, "Our new colours", True),
         ("HTML in base64", mails.html_base64, "An invitation", True),
         ("plain text", mails.plain, "Plain words", False),
         ("PGP-signed", mails.pgp_signed, "The contract, signed", False))

UNICODE = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
YES, NO = ("✓", "✗") if UNICODE else ("ok", "FAILED")


class Wrong(Exception):
    """A step did its work and the outcome is not what Spoor promises."""


def step(what, work):
    """Does WORK under one line of progress."""
    began = time.monotonic()
    terminal = sys.stdout.isatty()
    if terminal:
        print("    %s ..." % what, end="", flush=True)
    line_start = "\r\033[K" if terminal else ""
    try:
        result = work()
    except BaseException:
        print("%s  %s %s" % (line_start, NO, what), flush=True)
        raise
    print("%s  %s %s (%.1f s)" % (line_start, YES, what, time.monotonic() - began), flush=True)
    return result


def need(truth, what):
    if not truth:
        raise Wrong(what)


# --- build --------------------------------------------------------------------------------------------


def build(folder):
    log = os.path.join(folder, "demo-build.log")
    commands = []
    if not os.path.exists(os.path.join(SOURCE, "configure")):
        commands.append((["autoreconf", "-fi"], SOURCE))
    if not os.path.exists(os.path.join(folder, "Makefile")):
        commands.append(([os.path.join(SOURCE, "configure"), "-q"], folder))
    commands.append((["make", "-j%d" % (os.cpu_count() or 1)], folder))
    with open(log, "wb") as out:
        for argv, where in commands:
            if subprocess.run(argv, cwd=where, stdout=out, stderr=out, stdin=subprocess.DEVNULL).returncode != 0:
                raise proc.Failure("%s failed" % " ".join(argv), log)


# --- the play -----------------------------------------------------------------------------------------


class Play:
    def __init__(self, servers, crm):
        self.servers = servers
        self.crm = crm
        self.database = servers.postgres
        self.mark = {}  # what is in the subject of each mail sent, by kind
        self.wanted = {"view": 1, "click": 1, "reply": 3, "auto_reply": 1}  # events in the feed

    def act(self):
        for what, kind, subject, tracked in MAILS:
            step("send: " + what, lambda: self.send(kind, subject))
            step("arrives, " + ("tracked" if tracked else "without pixel and links"),
                 lambda: self.arrives(kind, tracked))
        step("%s loads the picture" % TO, self.view)
        step("%s reads for a while: a link followed at once is a scanner's" % TO,
             lambda: web.read_for_a_while(time.monotonic()))
        step("%s follows a link" % TO, self.click)
        step("%s answers from %s" % (TO, ELSEWHERE), lambda: self.answer(ELSEWHERE, mails.html_quoted_printable))
        step("%s, who was in Cc, answers" % CC, lambda: self.answer(CC, mails.alternative_with_picture))
        step("%s is out of office" % TO, self.out_of_office)
        step("the log of the mail server tells who has got it", self.has_arrived)
        step("a campaign writes to %s, who answers" % CC, self.campaign)
        step("the campaign's next mail to %s is refused" % CC, self.refused)
        self.document()
        step("everything is in the database", self.recorded)
        step("each reply is a Task in Salesforce", self.tasks)

    def send(self, kind, subject):
        mark = self.mark[kind] = mails.new_mark()
        content = kind(SENDER, [TO], mark, cc=[CC], subject=subject)
        queue_id = self.servers.submit(SENDER, [TO, CC], content)
        self.servers.spoor.mail_line(queue_id)

    def delivered(self, kind, address=TO):
        return self.servers.mail.wait(address, self.mark[kind].encode(), log=self.servers.receiving.log)

    def arrives(self, kind, tracked):
        for address in (TO, CC):
            mail = self.delivered(kind, address)
            need(traces.field_count(mail, "Message-ID") == 1, "%s has not exactly one Message-ID" % address)
            need(bool(traces.pixels(mail, self.servers.spoor.tracking_url)) == tracked, "pixel in the mail to " + address)
            need(bool(traces.clicks(mail, self.servers.spoor.tracking_url)) == tracked, "links in the mail to " + address)

    def view(self):
        pixel = traces.pixels(self.delivered(mails.html_quoted_printable), self.servers.spoor.tracking_url)[0]
        answer = web.get(pixel)
        need(answer.status == 200 and len(answer.body) == 43, "%s: %d, %d bytes" % (pixel, answer.status, len(answer.body)))

    def click(self):
        link = traces.clicks(self.delivered(mails.html_quoted_printable), self.servers.spoor.tracking_url)[0]
        answer = web.get(link)
        need(answer.status == 302, "%s: %d" % (link, answer.status))
        need(answer.headers["Location"] == mails.LINKS[0], "redirected to %s" % answer.headers["Location"])

    def answer(self, person, kind):
        mail = self.delivered(kind, CC)
        own_id = traces.field(mail, "Message-ID")
        references = ["<%s>" % each for each in traces.ids(mail, "References")] + [own_id]
        self.reaches_sender(person, lambda mark: mails.answer(person, [SENDER], mark, own_id, references))

    def out_of_office(self):
        own_id = traces.field(self.delivered(mails.html_base64), "Message-ID")
        self.reaches_sender(TO, lambda mark: mails.out_of_office(TO, [SENDER], mark, own_id), envelope_sender="")

    def has_arrived(self):
        mark = self.mark[mails.html_quoted_printable]
        rows = self.database.wait_rows("SELECT recipient FROM spoor.delivery_report WHERE state = 'delivered'"
                                       " AND subject LIKE '%%%s'" % mark, 2)
        need({row["recipient"] for row in rows} == {TO, CC}, "it was delivered to %r" % rows)

    def campaign_mail(self):
        self.mark["campaign"] = mails.new_mark()
        return mails.plain(SENDER, [CC], self.mark["campaign"], more=["X-Spoor-Campaign: spring"])

    def campaign(self):
        self.servers.submit(SENDER, [CC], self.campaign_mail())
        own_id = traces.field(self.delivered("campaign", CC), "Message-ID")
        self.reaches_sender(CC, lambda mark: mails.answer(CC, [SENDER], mark, own_id))

    def refused(self):
        try:
            self.servers.submit(SENDER, [CC], self.campaign_mail())
        except mailer.Refused as refused:
            need(refused.code == 550 and CC in str(refused), str(refused))
        else:
            raise Wrong("the campaign goes on after the answer")

    def document(self):
        """A proposal leaves its mail and is read, where this machine can make pages and has a browser."""
        trouble = renderer.sandbox_trouble()
        step("send: a mail with proposal.docx, whose file becomes a link", self.send_document)
        if trouble:
            print("    proposal.docx stays a download: no sandbox on this machine (%s)" % trouble)
            return
        step("spoor-render makes pages of it", lambda: self.database.wait_rows(
            "SELECT * FROM spoor.document WHERE state = 'ready'", 1, 60))
        if not browser.is_there():
            print("    nobody reads it: chromium is not installed")
            return
        step("%s reads pages 1 and 3 in Chromium and downloads it" % TO, self.read_document)

    def send_document(self):
        mark = self.mark["document"] = mails.new_mark()
        self.servers.submit(SENDER, [TO], mails.with_file(SENDER, [TO], mark, content=documents.docx_with_pages(4),
                                                          subject="Our proposal"))
        need(self.document_link(), "no link in the mail")

    def document_link(self):
        return traces.document_links(self.delivered("document"), self.servers.spoor.tracking_url)[0]

    def read_document(self):
        with browser.Browser() as chromium:
            chromium.go(self.document_link())
            reader = reading.Reader(chromium)
            reader.look(1, 2)
            reader.look(3, 3)
            chromium.click("header button")
            chromium.leave()
        self.wanted.update(opened=1, read=2, downloaded=1)
        self.database.wait_rows("SELECT * FROM spoor.feed WHERE what = 'read' AND verdict = 'human'", 2)

    def reaches_sender(self, person, compose, envelope_sender=None):
        mark = mails.new_mark()
        self.servers.answer(person if envelope_sender is None else envelope_sender, [SENDER], compose(mark))
        self.servers.mail.wait(SENDER, mark.encode(), log=self.servers.receiving.log)

    def recorded(self):
        wanted = self.wanted

        def complete():
            rows = self.database.rows("SELECT what, count(*) AS number FROM spoor.feed GROUP BY what")
            found = {row["what"]: int(row["number"]) for row in rows}
            need(all(found.get(what, 0) <= number for what, number in wanted.items()), "too much was recorded: %r" % found)
            return all(found.get(what) == number for what, number in wanted.items())
        try:
            proc.wait_for(complete, "%r in spoor.feed" % wanted, 30)
        except proc.Failure as failure:
            raise Wrong("%s\n%s" % (failure, self.database.table("TABLE spoor.feed")))
        people = {row["person"] for row in self.database.rows("SELECT person FROM spoor.feed WHERE what = 'reply'")}
        need(people == {ELSEWHERE, CC}, "replies are from %r" % people)


    def tasks(self):
        proc.wait_for(lambda: len(self.crm.tasks) == 3, "three tasks", 30, os.path.join(self.servers.log_folder, "relay.log"))
        need(not self.crm.wrong, "Salesforce would not take %r" % self.crm.wrong)
        known = [task for task in self.crm.tasks.values() if task.get("WhoId") == self.crm.people["Contact"][0][0]]
        need(len(known) == 2 and all(task["Type"] == "Reply" for task in known), "tasks are %r" % self.crm.tasks)


# --- what is shown ------------------------------------------------------------------------------------


# Behind each subject stands the mark by which the play finds its mails again.
SUBJECT = "regexp_replace(subject, ' mark-.*', '') AS subject"


def show(database):
    print("\nspoor.feed")
    print(database.table("SELECT to_char(at_time, 'HH24:MI:SS') AS at, what, person, verdict, " + SUBJECT +
                         ", left(detail, 32) AS detail FROM spoor.feed"))
    print("spoor.message_report")
    print(database.table("SELECT message, " + SUBJECT + ", recipients, viewed, clicked, replied, auto_replies "
                         "FROM spoor.message_report"))
    print("spoor.recipient_report")
    print(database.table("SELECT message, " + SUBJECT + ", address, viewed, clicked, replied FROM spoor.recipient_report"))
    print("spoor.delivery_report")
    print(database.table("SELECT message, " + SUBJECT + ", recipient, state, relay, left(text, 40) AS text FROM spoor.delivery_report"))
    print("spoor.document_report")
    print(database.table("SELECT file_name, person, class, visits, pages, pages_read, page_times, downloads FROM spoor.document_report"))
    print("spoor.campaign_report")
    print(database.table("SELECT campaign, mails, recipients, replied, stopped, refused FROM spoor.campaign_report"))


def show_tasks(crm):
    """What the replies have created in Salesforce, here a stand-in that checks what it is sent as the real one does."""
    print("Tasks in Salesforce")
    for task in crm.tasks.values():
        for name, value in task.items():
            print("  %-12s %s" % (name, value.replace("\n", "\n" + " " * 15)))
        print()


def bring_replies(servers):
    """spoor-relay and a stand-in for Salesforce, which knows CC as a contact and SENDER as a user."""
    crm = salesforce.Salesforce(servers.folder)
    crm.add("Contact", CC)
    crm.add("User", SENDER)
    servers.spoor.sections["sink crm"] = crm.settings()
    servers.spoor.write_conf()
    servers.postgres.execute("insert into spoor.sink_rule (sink) values ('crm')")
    servers.spoor.start("relay")
    return crm


def follow_the_log(servers):
    servers.spoor.sections["delivery"] = {"log": [servers.sending.log], "poll": "100ms"}
    servers.spoor.write_conf()
    servers.spoor.start("delivery")


def link_to_feed(servers):
    return servers.spoor.ctl("invite", SENDER, env={"PGUSER": "postgres"}).stdout.decode().strip()


def watch(servers):
    """Before the play begins, so that one sees it happen."""
    print("See it happen: open this in a browser on this machine, and press the button")
    print("  " + link_to_feed(servers))
    print("or without a browser:")
    print("  echo 'TABLE spoor.feed LIMIT 20 \\watch 2' | psql -h %s -U postgres spoor" % servers.postgres.socket_folder, flush=True)


def check_feed(servers):
    """The page shows to who is signed in what the play did."""
    signed_in = web.get(link_to_feed(servers), "POST", headers={"Origin": servers.spoor.tracking_url})
    need(signed_in.status == 303, "signing in: %d" % signed_in.status)
    cookies = "; ".join(cookie.split(";")[0] for cookie in signed_in.headers.get_all("Set-Cookie"))
    page = web.get(servers.spoor.tracking_url + "/feed", headers={"Cookie": cookies}).body.decode()
    for words in ("opened the mail", "followed a link", "replied"):
        need(words in page, "the Live Feed does not say \"%s\"" % words)


def invite(servers):
    """How to send one's own."""
    print("Send your own (any address at %s):" % ", ".join(servers_of.DOMAINS[1:]))
    print("""  swaks --server 127.0.0.1:%d --from %s --to %s \\
        --header 'Subject: hello' --add-header 'Content-Type: text/html' \\
        --body '<p>Hello, <a href="https://www.debian.org/">look here</a></p>'""" % (servers.sending.port, SENDER, TO))
    print("Answer as the world would: the same with --server 127.0.0.1:%d and an In-Reply-To." % servers.receiving.port)
    print("Read it:")
    print("  psql -h %s -U postgres spoor -c 'TABLE spoor.feed'" % servers.postgres.socket_folder)
    print("Look at it:")
    print("  Live Feed        %s" % (servers.spoor.tracking_url + "/feed"))
    print("  another link     PGUSER=postgres %s -c %s invite %s" % (spoor.program("ctl/spoorctl"), servers.spoor.conf, SENDER))
    print("  delivered mails  %s/*/*/new" % servers.mail.folder)
    print("  logs             %s" % servers.log_folder)
    print("  spoor.conf       %s" % servers.spoor.conf)
    print("  tracking_url     %s" % servers.spoor.tracking_url)
    print("Ctrl-C stops and removes all of it.", flush=True)


def wait_for_end():
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def end_on_signals():
    def leave(number, frame):
        raise KeyboardInterrupt
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def stop(servers):
    statuses = servers.stop()
    need(all(status == 0 for status in statuses.values()), "ended with %r" % statuses)


def perform(servers, once):
    print("  servers in " + servers.folder)
    servers.start()
    step("spoor-delivery", lambda: follow_the_log(servers))
    step("spoor-render", lambda: servers.spoor.start("render"))
    crm = step("spoor-relay and a stand-in for Salesforce", lambda: bring_replies(servers))
    watch(servers)
    Play(servers, crm).act()
    step("the Live Feed shows it", lambda: check_feed(servers))
    show(servers.postgres)
    show_tasks(crm)
    if not once:
        invite(servers)
        wait_for_end()
    step("stop everything", lambda: stop(servers))


def tell_wrong(error, servers):
    print("\n%s: %s" % (NO, error), file=sys.stderr)
    if isinstance(error, Wrong):
        for name in ("stamp", "match", "pixeld", "delivery", "relay"):
            print(proc.tail_of(os.path.join(servers.log_folder, name + ".log")), file=sys.stderr)


def main():
    options = argparse.ArgumentParser(prog="contrib/demo", description="Spoor at work, on servers of its own.")
    options.add_argument("--once", action="store_true", help="check every step, stop everything, exit 0 or 1")
    once = options.parse_args().once
    end_on_signals()
    try:
        folder = spoor.build_folder()
        os.makedirs(folder, exist_ok=True)
        step("build in " + folder, lambda: build(folder))
        with servers_of.Servers(tell=step) as servers:
            try:
                perform(servers, once)
            except (proc.Failure, Wrong) as error:
                tell_wrong(error, servers)
                return 1
    except proc.Failure as error:
        print("\n%s: %s" % (NO, error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
