# SPDX-License-Identifier: BSD-2-Clause
"""What spoor-stamp and spoor-match do beside a real Sendmail: tests of other files, with its servers in place of Postfix."""

import pytest

import smtp_sink
import test_return_path
from test_campaign import (  # noqa: F401
    name, send, session, test_a_mail_that_is_tried_again_is_refused_once, test_absence_pauses, test_all_stopped_is_refused_with_the_reason,
    test_nobody_gets_a_step_after_the_answer, test_signed_mail_keeps_its_body_and_loses_its_recipient,
    test_some_stopped_and_the_others_get_it)
from test_main_job import (  # noqa: F401
    test_html_gets_pixel_and_links_and_nothing_else_changes, test_these_bodies_stay_byte_for_byte,
    test_no_line_grows_beyond_what_smtp_allows, test_x_spoor_fields_do_not_leave,
    test_auto_replaces_the_id_of_mail_that_names_no_program, test_auto_keeps_the_id_of_a_mail_program,
    test_a_missing_id_is_given, test_references_of_a_long_thread_stay_short, test_mail_that_is_not_for_us_passes_byte_for_byte,
    test_the_null_sender_passes_untouched, test_mail_among_ourselves_gets_neither_pixel_nor_links, test_every_view_counts,
    test_a_click_goes_where_the_link_went, test_an_answer_from_any_address_is_a_reply, test_several_answers_also_from_cc,
    test_ids_are_found_in_every_form, test_automatic_answers_are_no_replies, test_a_forged_id_is_no_reply,
    test_mail_that_answers_nothing_arrives_as_it_was)
from test_return_path import KEEPER, answers, blank_bounce, return_path_of, submit  # noqa: F401
from test_unsubscribe import (  # noqa: F401
    MAILBOX, person, test_a_mail_takes_effect_before_it_is_accepted_and_is_delivered, test_one_click_stops_the_next_mail_and_looking_does_not,
    test_one_recipient_is_offered_a_click_and_a_mail, test_other_mail_is_not_given_any)
from test_threads import mode, test_both_sides_see_one_thread  # noqa: F401


@pytest.fixture(scope="module")
def servers(module_own):
    return module_own(mta="sendmail", database_timeout="20s", memcached_timeout="10s", unsubscribe_address=MAILBOX)


@pytest.fixture
def return_paths(servers):
    conf = servers.spoor.write_conf(servers.spoor.conf + ".return-path", {
        "stamp": {"bounce_address": "bounces+{token}@example.com"}, "match": {"bounce_mailbox": KEEPER}})
    for daemon in ("stamp", "match"):
        servers.spoor.restart(daemon, conf)
    yield
    for daemon in ("stamp", "match"):
        servers.spoor.restart(daemon)


@pytest.fixture
def sink(servers):
    """The next hop for the time of a test."""
    one = smtp_sink.Sink(extensions=smtp_sink.EXTENSIONS)
    servers.sending.configure(one.port)
    servers.sending.restart()
    yield one
    servers.sending.configure(servers.receiving.port)
    servers.sending.restart()
    one.stop()


def test_what_comes_back_to_a_return_path_goes_on_to_the_sender(servers, mark, return_paths):
    line = submit(servers, "bob@example.net", mark)
    path, _token = return_path_of(servers, mark)
    servers.answer("", [path], blank_bounce(mark))
    servers.mail.wait("alice@example.com", b"Returned mail " + mark.encode(), log=servers.receiving.log)
    row, = answers(servers, line)
    assert (row["class"], row["rung"]) == ("bounce", "bounce_address")
    servers.receiving.wait_empty()
    assert servers.mail.mails(path, mark.encode()) == []


def test_a_changed_sender_keeps_the_clients_parameters(servers, sink, mark, return_paths):
    test_return_path.test_the_clients_parameters_stay(servers, sink, mark)


TEAM, MEMBERS = "team@example.org", ("one@example.org", "two@example.org")


@pytest.fixture
def aliases(servers):
    """TEAM is an alias of the sending server."""
    servers.sending.configure(servers.receiving.port, aliases={TEAM: MEMBERS})
    servers.sending.restart()


def test_an_alias_that_is_stopped_gets_no_more(servers, name, aliases):  # noqa: F811
    """Its members are in Sendmail's envelope before a filter takes the alias out, and go with it."""
    before = send(servers, ["bob@example.net", TEAM], name)
    for member in MEMBERS:
        servers.mail.wait(member, before.encode(), log=servers.receiving.log)
    servers.postgres.execute("SELECT spoor.stop_campaign('%s', '%s')" % (name, TEAM))
    after = send(servers, ["bob@example.net", TEAM], name)
    servers.mail.wait("bob@example.net", after.encode(), log=servers.receiving.log)
    servers.sending.wait_empty()
    servers.receiving.wait_empty()
    assert [to for to in MEMBERS if servers.mail.mails(to, after.encode())] == []
