# SPDX-License-Identifier: BSD-2-Clause
"""What became of each mail at the next server: spoor-delivery beside real mail servers, recipient by recipient."""

import gzip
import os
import shutil

import pytest

import mails
import postfix
import proc
import smtp_sink

SENDER = "alice@example.com"
TEAM, MEMBERS = "team@example.net", ("ok-one@example.net", "later-two@example.net")
LONG_S = 3600
SES = "010f0193c5a1b2c3-0a1b2c3d-1111-2222-3333-444455556666-000000"


def mood(phase, recipient, attempt):
    """By the first word of the local part."""
    word = recipient.split("@")[0].split("-")[0]
    if phase == "rcpt":
        return {"nobody": "550 5.1.1 <%s> No such user" % recipient,
                "never": "451 4.7.1 Greylisted for ever",
                "later": "451 4.7.1 Greylisted" if attempt == 1 else None}.get(word)
    return {"spam": "554 5.7.1 We do not like this",
            "exchange": "250 2.6.0 <%s@prod.outlook.com> [InternalId=1] Queued mail for delivery" % SES}.get(word)


class Delivery:
    """A sending MTA that is in a hurry, its next hop, and spoor-delivery on its log."""

    def __init__(self, servers, log=None):
        self.servers = servers
        self.sink = smtp_sink.Sink(mood)
        self.log = log or servers.sending.log
        servers.spoor.sections["delivery"] = {"log": [self.log], "poll": "50ms"}
        servers.spoor.write_conf()
        getattr(self, "hurry_" + servers.mta)(servers.sending, self.sink.port)
        servers.spoor.start("delivery")

    def live_for(self, seconds):
        """How long a mail is tried from now on."""
        getattr(self, "hurry_" + self.servers.mta)(self.servers.sending, self.sink.port, seconds)

    def hurry_postfix(self, sending, next_port, lifetime_s=LONG_S):
        sending.configure({
            "relayhost": "[127.0.0.1]:%d" % next_port,
            "smtpd_milters": postfix.milter(self.servers.spoor.socket("stamp")),
            "minimal_backoff_time": "1s", "maximal_backoff_time": "1s", "queue_run_delay": "1s",
            "maximal_queue_lifetime": "%ds" % lifetime_s, "bounce_queue_lifetime": "1s",
            "virtual_alias_maps": "inline:{ { %s = %s } }" % (TEAM, ", ".join(MEMBERS))})
        sending.reload()

    def hurry_sendmail(self, sending, next_port, lifetime_s=LONG_S):
        sending.configure(next_port, ("Timeout.queuereturn=%ds" % lifetime_s, "MinQueueAge=0"), {TEAM: MEMBERS})
        sending.restart()

    def send(self, *recipients):
        """The queue id and the message of a tracked mail."""
        content = mails.html_quoted_printable(SENDER, list(recipients), mails.new_mark())
        queue_id = self.servers.submit(SENDER, list(recipients), content)
        self.queue_id = queue_id
        return self.servers.spoor.mail_line(queue_id)["message"]

    def wait_logged(self, *recipients):
        """The log has what became of the last mail: it may be written after the queue is empty, and is lost to a copy of it."""
        def logged():
            lines = [line for line in self.servers.sending.lines_of(self.queue_id) if "stat" in line]
            return all(any("to=<%s>" % recipient in line for line in lines) for recipient in recipients)
        proc.wait_for(logged, "the log tells of %r" % (recipients,), log=self.servers.sending.log)

    def rows(self, message, until):
        """The mail's rows of spoor.delivery_report by final recipient, once UNTIL is true of them."""
        def found():
            rows = {row["delivered_to"] or row["recipient"]: row for row in self.servers.postgres.rows(
                "SELECT * FROM spoor.delivery_report WHERE message = %s" % message)}
            return rows if rows and until(rows) else None
        return proc.wait_for(found, "the deliveries of " + message, log=os.path.join(
            self.servers.spoor.log_folder, "delivery.log"))

    def states(self, message, **wanted):
        """Waits until the recipients whose local parts (- as _) are named have these states."""
        def until(rows):
            states = {address.split("@")[0].replace("-", "_"): row["state"] for address, row in rows.items()}
            return states == wanted
        return self.rows(message, until)


@pytest.fixture(scope="module", params=("postfix", "sendmail"))
def delivery(module_own, request):
    one = Delivery(module_own(mta=request.param))
    yield one
    one.sink.stop()


def test_each_recipient_has_its_own_fate(delivery):
    message = delivery.send("ok-a@example.net", "nobody-b@example.net", "later-c@example.net")
    rows = delivery.states(message, ok_a="delivered", nobody_b="bounced", later_c="delivered")
    good, bad, late = (rows[name + "@example.net"] for name in ("ok-a", "nobody-b", "later-c"))
    assert good["status"] == "2.0.0" and good["attempts"] == "1" and good["relay"] == "127.0.0.1"
    assert bad["status"] == "5.1.1" and "No such user" in bad["text"]
    assert late["attempts"] == "2"
    report = delivery.servers.postgres.rows("SELECT delivery, relay, server_words, deferred_since, sent_at <= delivered_at + interval '1 s'"
                                            " AS later FROM spoor.recipient_report WHERE message = %s ORDER BY address" % message)
    assert [row["delivery"] for row in report] == ["delivered", "bounced", "delivered"]
    assert "No such user" in report[1]["server_words"] and report[2]["relay"] == "127.0.0.1" and report[2]["later"] == "t"


def test_a_refused_body_is_a_bounce(delivery):
    rows = delivery.states(delivery.send("spam-d@example.net"), spam_d="bounced")
    assert rows["spam-d@example.net"]["status"] == "5.7.1" and "We do not like this" in rows["spam-d@example.net"]["text"]


@pytest.fixture
def short_life(delivery):
    """short_life() lets mail expire that is tried the next time."""
    yield lambda: delivery.live_for(1)
    delivery.live_for(LONG_S)


def test_a_mail_that_is_put_off_says_since_when_and_expires(delivery, short_life):
    message = delivery.send("never-e@example.net", "ok-e@example.net")
    rows = delivery.states(message, never_e="deferred", ok_e="delivered")
    assert rows["never-e@example.net"]["deferred_since"] and "Greylisted" in rows["never-e@example.net"]["text"]
    short_life()
    rows = delivery.states(message, never_e="expired", ok_e="delivered")
    assert int(rows["never-e@example.net"]["attempts"]) > 1


def test_an_alias_of_two_has_a_row_each(delivery):
    rows = delivery.states(delivery.send(TEAM), ok_one="delivered", later_two="delivered")
    assert {row["recipient"] for row in rows.values()} == {TEAM}


def test_the_next_hops_own_id_is_kept(delivery):
    message = delivery.send("exchange-f@example.net")
    delivery.states(message, exchange_f="delivered")
    rows = delivery.servers.postgres.wait_rows("SELECT alias FROM spoor.message_alias WHERE message = %s" % message)
    assert [row["alias"] for row in rows] == [SES + "@prod.outlook.com"]


def test_an_answer_to_the_next_hops_id_is_found(delivery):
    """It is all that a program without References names."""
    servers = delivery.servers
    message = delivery.send("exchange-p@example.net")
    delivery.states(message, exchange_p="delivered")
    servers.postgres.execute("UPDATE spoor.message_alias SET alias = 'other' || alias WHERE message <> %s" % message)
    mark = mails.new_mark()
    servers.answer("exchange-p@example.net", [SENDER], mails.answer(
        "exchange-p@example.net", [SENDER], mark, "<%s@prod.outlook.com>" % SES, []))
    servers.mail.wait(SENDER, mark.encode(), log=servers.receiving.log)
    rows = servers.postgres.wait_rows("SELECT person FROM spoor.feed WHERE what = 'reply' AND message = %s" % message)
    assert rows[0]["person"] == "exchange-p@example.net"


def told(delivery, message, until):
    """The mail's lines of the feed, as what, person, status and reason, once UNTIL is true of them."""
    def found():
        delivery.servers.postgres.execute("SELECT spoor.settle_deliveries('1 day')")
        rows = [tuple(row.values()) for row in delivery.servers.postgres.rows(
            "SELECT what, person, status, reason FROM spoor.feed WHERE message = %s ORDER BY person" % message)]
        return rows if until(rows) else None
    return proc.wait_for(found, "the feed about " + message)


def test_the_feed_tells_of_refusals_that_no_bounce_mail_told(delivery):
    """Each once; the bounce goes where spoor-match does not see it."""
    postgres = delivery.servers.postgres
    postgres.execute("UPDATE spoor.retention SET bounce_within = '0 s'")
    message = delivery.send("nobody-q@example.net", "ok-r@example.net", "nobody-r@example.net")
    delivery.states(message, nobody_q="bounced", ok_r="delivered", nobody_r="bounced")
    assert told(delivery, message, lambda rows: len(rows) >= 2) == [
        ("undelivered", "nobody-q@example.net", "5.1.1", "bounced"), ("undelivered", "nobody-r@example.net", "5.1.1", "bounced")]
    words = [row["detail"] for row in postgres.rows("SELECT detail FROM spoor.feed WHERE message = %s ORDER BY person" % message)]
    assert all("No such user" in each for each in words)
    page = postgres.rows("SELECT what, person FROM spoor.feed_page('%s', count => 5)" % SENDER)
    assert {("undelivered", "nobody-q@example.net"), ("undelivered", "nobody-r@example.net")} <= {tuple(row.values()) for row in page}


def test_a_bounce_mail_takes_the_place_of_what_the_log_told(delivery):
    servers = delivery.servers
    servers.postgres.execute("UPDATE spoor.retention SET bounce_within = '0 s'")
    message = delivery.send("nobody-s@example.net")
    told(delivery, message, lambda rows: [row[0] for row in rows] == ["undelivered"])
    bounce = proc.wait_for(lambda: [content for to, content in delivery.sink.mails if to == [SENDER] and b"nobody-s@" in content],
                           "the bounce")[0]
    servers.answer("", [SENDER], bounce)
    rows = told(delivery, message, lambda rows: "bounce" in [row[0] for row in rows] and len(rows) == 1)
    assert rows[0][1:3] == ("nobody-s@example.net", "5.1.1")
    assert servers.postgres.value("SELECT count(*) FROM spoor.feed_page('%s', count => 100) WHERE message = %s" % (SENDER, message)
                                  ) == "1"


def make_anew(log):
    """As logrotate's "create": postlogd's own would be for root alone."""
    os.close(os.open(log, os.O_CREAT, 0o644))


def rotate_by_name(log):
    os.rename(log, log + ".1")
    make_anew(log)


def rotate_and_compress(log):
    with open(log, "rb") as plain, gzip.open(log + ".2.gz", "wb") as packed:
        shutil.copyfileobj(plain, packed)
    os.unlink(log)
    make_anew(log)


def rotate_by_truncation(log):
    shutil.copyfile(log, log + ".3")
    os.truncate(log, 0)


@pytest.mark.parametrize("rotate", [rotate_by_name, rotate_and_compress, rotate_by_truncation])
def test_stopped_while_the_log_is_rotated(delivery, rotate):
    spoor, sending = delivery.servers.spoor, delivery.servers.sending
    before = delivery.send("ok-g@example.net")
    delivery.states(before, ok_g="delivered")
    assert spoor.stop("delivery") == 0
    missed = delivery.send("ok-h@example.net", "nobody-h@example.net")
    delivery.wait_logged("ok-h@example.net", "nobody-h@example.net")
    rotate(delivery.log)
    sending.reload()
    after = delivery.send("ok-i@example.net")
    sending.wait_empty()
    spoor.start("delivery")
    delivery.states(missed, ok_h="delivered", nobody_h="bounced")
    delivery.states(after, ok_i="delivered")
    rows = delivery.states(before, ok_g="delivered")
    assert rows["ok-g@example.net"]["attempts"] == "1"


@pytest.mark.parametrize("rotate", [rotate_by_name, rotate_by_truncation])
def test_rotated_while_it_runs(delivery, rotate):
    first = delivery.send("ok-j@example.net")
    delivery.wait_logged("ok-j@example.net")
    rotate(delivery.log)
    delivery.servers.sending.reload()
    second = delivery.send("ok-k@example.net")
    delivery.states(first, ok_j="delivered")
    delivery.states(second, ok_k="delivered")


def test_a_second_one_is_refused(delivery):
    spoor = delivery.servers.spoor
    done = proc.run(spoor.command("delivery"), check=False)
    assert done.returncode != 0 and b"is in use by process" in done.stderr, done.stderr


def test_the_database_away_for_a_while(delivery):
    delivery.servers.postgres.stop()
    message = delivery.send("ok-l@example.net", "nobody-l@example.net")
    delivery.servers.sending.wait_empty()
    delivery.servers.postgres.start()
    delivery.states(message, ok_l="delivered", nobody_l="bounced")


def test_mail_of_others_is_not_followed(delivery):
    """Its envelope sender is not of ours."""
    mark = mails.new_mark()
    queue_id = delivery.servers.submit("stranger@example.org", ["ok-m@example.net"],
                                       mails.plain("stranger@example.org", ["ok-m@example.net"], mark))
    delivery.servers.sending.wait_empty()
    delivery.states(delivery.send("ok-n@example.net"), ok_n="delivered")
    assert delivery.servers.postgres.rows("SELECT 1 FROM spoor.pending_delivery WHERE queue_id = '%s'" % queue_id) == []


def test_a_mail_of_which_nothing_is_known_is_stuck(delivery):
    spoor, postgres = delivery.servers.spoor, delivery.servers.postgres
    assert spoor.stop("delivery") == 0
    message = delivery.send("ok-o@example.net")
    postgres.rows("UPDATE spoor.retention SET stuck_after = '0' RETURNING 1")
    rows = postgres.wait_rows("SELECT recipient, state FROM spoor.stuck WHERE message = %s" % message)
    assert [(row["recipient"], row["state"]) for row in rows] == [("ok-o@example.net", "accepted")]
    spoor.start("delivery")
    delivery.states(message, ok_o="delivered")
    assert postgres.rows("SELECT 1 FROM spoor.stuck WHERE message = %s" % message) == []
