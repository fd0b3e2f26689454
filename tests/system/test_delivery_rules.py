# SPDX-License-Identifier: BSD-2-Clause
"""Which mail a line of a log is about, and what follows: with lines as spoor-delivery's loader brings them."""

import pytest

from postgres import quote


POSTFIX, SENDMAIL = "4fXwYq5s%dz", "5AUBxh3K%06d"  # the shapes of queue ids


class Lines:
    """A tracked mail by hand, and lines of the log of the host that has it."""

    numbers = iter(range(1, 1 << 30))

    def __init__(self, postgres, recipients, host="mail.example.com", queue_id=POSTFIX):
        self.postgres, self.number = postgres, next(self.numbers)
        self.id = (1023 << 12) + (self.number << 22)
        self.queue_id = queue_id % self.number
        self.execute("insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, host, queue_id)"
                     " values (%d, now() - interval '1 h', 1, 'individual', 1, %d, 'alice@example.com', '%s', '%s')"
                     % (self.id, len(recipients), host, self.queue_id))
        for key, address in enumerate(recipients):
            self.execute("insert into spoor.recipient (message, key, address) values (%d, %d, '%s')" % (self.id, key + 1, address))

    def execute(self, sql):
        self.postgres.execute(sql)

    def log(self, state, recipient="", at_s=0, queue_id=None, host="mail", **more):
        """A line AT_S seconds after the mail was sent."""
        row = dict(more, spool=1, record=next(self.numbers), state=state, host=host, queue_id=queue_id or self.queue_id,
                   recipient=recipient, tls=more.get("tls", False))
        values = ", ".join("NULL" if value is None else quote(str(value)) for value in row.values())
        self.execute("insert into spoor.pending_delivery (%s, at_time) values (%s, now() - interval '1 h' + interval '%d s')"
                     % (", ".join(row), values, at_s))

    def settle(self, within="1 day"):
        self.postgres.value("select spoor.settle_deliveries('%s')" % within)
        return self

    def states(self):
        return {row["delivered_to"] or row["recipient"]: row["state"] for row in self.postgres.rows(
            "select * from spoor.delivery_report where message = %d" % self.id)}


@pytest.fixture
def postgres(servers):
    return servers.postgres


def test_a_host_that_its_mta_calls_otherwise(postgres):
    """myhostname is what the world calls the server, the log has what the machine calls itself."""
    postgres.execute("insert into spoor.node (node, identity, host, program)"
                     " values (1023, gen_random_uuid(), 'web7.internal', 'spoor-stamp') on conflict do nothing")
    mail = Lines(postgres, ["bob@example.net"])
    mail.log("delivered", "bob@example.net", 1, host="web7")
    mail.log("delivered", "bob@example.net", 1, host="other")
    assert mail.settle().states() == {"bob@example.net": "delivered"}
    assert postgres.value("select attempts from spoor.delivery where message = %d" % mail.id) == "1"


def test_one_copy_expires_and_the_others_do_not(postgres):
    mail = Lines(postgres, ["bob@example.net", "carol@example.org"])
    for address, copy in (("bob@example.net", "COPYB"), ("carol@example.org", "COPYC")):
        mail.log("copy", queue_id=copy, first=mail.queue_id, at_s=1)
        mail.log("deferred", address, 2, queue_id=copy)
    mail.log("expired", at_s=3, queue_id="COPYB")
    assert mail.settle().states() == {"bob@example.net": "expired", "carol@example.org": "deferred"}


def test_a_mails_own_filter_is_no_delivery_though_the_copy_waits_for_long(postgres):
    mail = Lines(postgres, ["bob@example.net"])
    mail.log("copy", queue_id="COPYD", first=mail.queue_id, at_s=1)
    postgres.execute("update spoor.pending_delivery set loaded_at = now() - interval '1 h' where queue_id = 'COPYD'")
    mail.log("delivered", "bob@example.net", 1, goes_on_as="COPYD", relay="127.0.0.1")
    assert mail.settle("30 s").states() == {"bob@example.net": "accepted"}
    mail.log("deferred", "bob@example.net", 2, queue_id="COPYD")
    assert mail.settle().states() == {"bob@example.net": "deferred"}


def test_an_alias_that_the_split_took_apart_is_not_stuck(postgres):
    """The copies have only the final recipients; the first pass knows to whom it was."""
    mail = Lines(postgres, ["team@example.net", "one@example.net", "two@example.net"])
    for address, copy in (("one@example.net", "COPYE"), ("two@example.net", "COPYF")):
        mail.log("copy", queue_id=copy, first=mail.queue_id, at_s=1)
        mail.log("delivered", address, 1, original="team@example.net", goes_on_as=copy, relay="127.0.0.1")
        mail.log("delivered" if address.startswith("one") else "bounced", address, 2, queue_id=copy)
    mail.settle()
    rows = postgres.rows("select recipient, delivered_to, state, attempts from spoor.delivery_report where message = %d"
                         " order by 1, 2" % mail.id)
    assert [tuple(row.values()) for row in rows] == [
        ("one@example.net", "one@example.net", "delivered", "1"), ("team@example.net", "one@example.net", "delivered", "1"),
        ("team@example.net", "two@example.net", "bounced", "1"), ("two@example.net", "two@example.net", "bounced", "1")]


def test_a_mail_that_was_handed_in_again_is_one(postgres):
    """A milter behind spoor-stamp put the mail program off; the second time all went well."""
    first, second, other = (Lines(postgres, ["bob@example.net", "carol@example.org"]) for _ in range(3))
    one_id = "<%s@client.test>" % first.queue_id
    postgres.execute("update spoor.message set client_message_id = '%s' where id in (%d, %d)" % (one_id, first.id, second.id))
    postgres.execute("update spoor.message set client_message_id = '%s', owner = 'anton@example.com' where id = %d"
                     % (one_id, other.id))
    second.log("delivered", "bob@example.net", 1)
    second.log("bounced", "carol@example.org", 1)
    second.settle()
    where = " where message in (%d, %d, %d) order by 1, 2" % (first.id, second.id, other.id)
    assert postgres.rows("select message, delivered, deferred, refused from spoor.message_report" + where) == [
        {"message": str(second.id), "delivered": "1", "deferred": "0", "refused": "1"},
        {"message": str(other.id), "delivered": "0", "deferred": "0", "refused": "0"}]
    assert [tuple(row.values()) for row in postgres.rows("select message, address, delivery from spoor.recipient_report" + where)
            ] == [(str(second.id), "bob@example.net", "delivered"), (str(second.id), "carol@example.org", "bounced"),
                  (str(other.id), "bob@example.net", "accepted"), (str(other.id), "carol@example.org", "accepted")]


def test_what_the_first_sending_did_is_kept(postgres):
    """Its answer to the mail program was lost, so the second was the one too many, and never went."""
    first, second = (Lines(postgres, ["bob@example.net"]) for _ in range(2))
    postgres.execute("update spoor.message set client_message_id = '%s' where id in (%d, %d)"
                     % (first.queue_id, first.id, second.id))
    first.log("delivered", "bob@example.net", 1)
    first.settle()
    assert second.states() == {"bob@example.net": "delivered"} and first.states() == {}


def test_addresses_of_which_nobody_knows_the_alias(postgres):
    """Sendmail does not log what an alias led to; a recipient of whom nothing is heard himself is one."""
    mail = Lines(postgres, ["team@example.net", "bob@example.net"], queue_id=SENDMAIL)
    mail.log("delivered", "one@example.net", 1)
    mail.log("delivered", "bob@example.net", 1)
    mail.log("bounced", "two@example.net", 2)
    assert mail.settle().states() == {"one@example.net": "delivered", "two@example.net": "bounced", "bob@example.net": "delivered"}
    assert {row["recipient"] for row in postgres.rows(
        "select recipient from spoor.delivery_report where message = %d and delivered_to <> 'bob@example.net'" % mail.id)
            } == {"team@example.net"}


def bounce_mail(mail, about=None, recipient=0):
    """As the loader brings it."""
    mail.execute("insert into spoor.answer (message, digest, at_time, record, spool, recipient, answerer_key, class, rung, confidence,"
                 " answerer, about) values (%d, sha256('%d'), now(), 1, 1, %d, 0, 'bounce', 'returned_headers', 'high', 'unknown', %s)"
                 % (mail.id, mail.id, recipient, "'%s'" % about if about else "null"))


def undelivered(postgres, mail):
    return [row["person"] for row in postgres.rows(
        "select person from spoor.feed where message = %d and what = 'undelivered' order by 1" % mail.id)]


def test_a_bounce_mail_has_its_time_to_come(postgres):
    mail = Lines(postgres, ["bob@example.net", "carol@example.org"])
    mail.log("bounced", "bob@example.net", 1, status="5.1.1")
    mail.log("bounced", "carol@example.org", 3590, status="5.1.1")
    assert undelivered(postgres, mail.settle()) == ["bob@example.net"]
    assert undelivered(postgres, mail.settle()) == ["bob@example.net"]


def test_a_bounce_mail_that_was_first_leaves_nothing_to_tell(postgres):
    mail = Lines(postgres, ["bob@example.net", "carol@example.org"])
    bounce_mail(mail, about="bob@example.net")
    mail.log("bounced", "bob@example.net", 1)
    mail.log("expired", at_s=3)
    mail.log("deferred", "carol@example.org", 2)
    assert undelivered(postgres, mail.settle().settle()) == ["carol@example.org"]


def test_a_bounce_mail_that_names_nobody_means_the_only_one(postgres):
    one, two = Lines(postgres, ["bob@example.net"]), Lines(postgres, ["bob@example.net", "carol@example.org"])
    for mail in (one, two):
        mail.log("bounced", "bob@example.net", 1)
        mail.settle()
        assert undelivered(postgres, mail) == ["bob@example.net"]
        bounce_mail(mail)
        mail.settle()
    assert undelivered(postgres, one) == [] and undelivered(postgres, two) == ["bob@example.net"]


def test_a_line_that_is_read_twice_is_told_once(postgres):
    mail = Lines(postgres, ["bob@example.net"])
    for _ in range(2):
        mail.log("bounced", "bob@example.net", 1)
        mail.settle()
    assert undelivered(postgres, mail) == ["bob@example.net"]


def test_an_alias_is_none_once_it_is_heard_of(postgres):
    """A line that comes later shows that it was the other one."""
    mail = Lines(postgres, ["team@example.net", "slow@example.net"], queue_id=SENDMAIL)
    mail.log("delivered", "one@example.net", 1)
    mail.settle()
    assert [row["recipient"] for row in postgres.rows(
        "select recipient from spoor.delivery_report where message = %d and delivered_to = 'one@example.net' order by 1" % mail.id)
            ] == ["slow@example.net", "team@example.net"]
    mail.log("deferred", "slow@example.net", 60)
    assert mail.settle().states() == {"one@example.net": "delivered", "slow@example.net": "deferred"}
    assert postgres.value("select recipient from spoor.delivery_report where message = %d and delivered_to = 'one@example.net'"
                          % mail.id) == "team@example.net"


def test_what_the_mta_adds_is_no_recipient(postgres):
    """always_bcc: Postfix logs what an alias led to, so who was never sent to is none of bob's; he waits for his turn."""
    mail = Lines(postgres, ["bob@example.net"])
    mail.log("delivered", "archive@example.com", 1)
    assert mail.settle().states() == {"bob@example.net": "accepted"}
    assert postgres.value("select count(*) from spoor.delivery_window(%d, 0) where first_at is null" % mail.id) == "1"


def test_that_an_archive_is_full_is_not_told_to_the_sender(postgres):
    for queue_id in (POSTFIX, SENDMAIL):
        mail = Lines(postgres, ["bob@example.net"], queue_id=queue_id)
        mail.log("delivered", "bob@example.net", 1)
        mail.log("bounced", "archive@example.com", 1)
        assert undelivered(postgres, mail.settle()) == []


def test_that_a_member_of_an_alias_does_not_get_it_is_told(postgres):
    for queue_id, original, told in ((POSTFIX, "team@example.net", "team@example.net"), (SENDMAIL, None, "two@example.net")):
        mail = Lines(postgres, ["team@example.net", "bob@example.net"], queue_id=queue_id)
        mail.log("delivered", "bob@example.net", 1)
        mail.log("bounced", "two@example.net", 1, original=original)
        assert undelivered(postgres, mail.settle()) == [told]


def test_who_is_not_to_be_named_is_not_named_by_the_log(postgres):
    """With copies a mail that names bob also went to carol, who wants to be off."""
    mail = Lines(postgres, ["bob@example.net"])
    for address, copy in (("bob@example.net", "COPYE"), ("carol@example.org", "COPYF")):
        mail.log("copy", queue_id=copy, first=mail.queue_id, at_s=1)
        mail.log("delivered", address, 1, goes_on_as=copy)
        mail.log("bounced", address, 2, queue_id=copy)
    assert undelivered(postgres, mail.settle()) == ["bob@example.net"]
    assert postgres.value("select count(*) from spoor.delivery where message = %d" % mail.id) == "1"
    assert postgres.value("select count(*) from spoor.expansion where message = %d" % mail.id) == "0"
    postgres.execute("update spoor.pending_delivery set loaded_at = now() - interval '2 days' where recipient = 'carol@example.org'")
    mail.settle()
    assert postgres.value("select count(*) from spoor.pending_delivery where recipient = 'carol@example.org'") == "0"


def test_nor_behind_an_alias(postgres):
    postgres.execute("select spoor.set_policy(recipient => 'off.example', level => 'off');"
                     " select spoor.set_consent('one@example.net', 'individual'); select spoor.set_consent('one@example.net', 'aggregate')")
    try:
        for queue_id, original in ((POSTFIX, "team@example.net"), (SENDMAIL, None)):
            mail = Lines(postgres, ["team@example.net"], queue_id=queue_id)
            for member in ("one@example.net", "carol@off.example", "two@example.net"):
                mail.log("delivered", member, 1, original=original)
            assert mail.settle().states() == {"two@example.net": "delivered"}
    finally:
        postgres.execute("delete from spoor.policy; delete from spoor.consent")


def test_other_loaders_wait_no_longer_than_need_be(postgres):
    """All of them share the lock of spoor.batch: it is taken when all else is done."""
    postgres.execute("""
        create table public.seen (held bigint);
        create function public.see() returns trigger language plpgsql as $$ begin
            insert into public.seen select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
                and classid::bigint << 32 | objid::bigint = hashtext('spoor.batch')::bigint;
            return null; end $$;
        create trigger see after update on spoor.delivery for each statement execute function public.see()""")
    try:
        for _ in range(2):
            mail = Lines(postgres, ["bob@example.net", "carol@example.org"])
            mail.log("bounced", "bob@example.net", 1)
            mail.log("bounced", "carol@example.org", 1)
            assert undelivered(postgres, mail.settle()) == ["bob@example.net", "carol@example.org"]
            bounce_mail(mail, about="bob@example.net")
        mail.settle()
        assert postgres.value("select count(*) > 4 and max(held) = 0 from public.seen") == "t"
    finally:
        postgres.execute("drop trigger see on spoor.delivery; drop function public.see(); drop table public.seen")
