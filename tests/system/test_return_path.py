# SPDX-License-Identifier: BSD-2-Clause
"""A return path of each mail's own, and what our own mail server sends back: with real servers."""

import re
import smtplib

import pytest

import mailer
import mails
import postfix
import proc
import smtp_sink
import traces
from postgres import quote

SENDER, BOB, NOBODY, KEEPER, STRANGER = ("alice@example.com", "bob@example.net", "nobody@example.net", "anton@example.com",
                                         "someone@elsewhere.test")
RETURN_PATH = re.compile(r"bounces\+([a-z2-7]{52})@example\.com")


@pytest.fixture(scope="module")
def sink():
    one = smtp_sink.Sink()
    yield one
    one.close()


@pytest.fixture(scope="module")
def servers(module_own, sink):
    """The next hop knows nobody@example.net not; sink.test is somebody else's server."""
    started = module_own(stamp={"bounce_address": "bounces+{token}@example.com"}, match={"bounce_mailbox": KEEPER},
                         database_timeout="20s")
    started.receiving.change({"smtpd_recipient_restrictions":
                              "check_recipient_access inline:{ %s=REJECT_NOBODY }" % NOBODY,
                              "smtpd_restriction_classes": "REJECT_NOBODY",
                              "REJECT_NOBODY": "reject_unlisted_recipient, reject"})
    started.sending.change({"transport_maps": "inline:{ sink.test=smtp:[127.0.0.1]:%d }" % sink.port})
    return started


def submit(servers, to, mark, mail_options=(), rcpt_options=(), sender=SENDER, content=None):
    """Like servers.submit(), with ESMTP parameters."""
    with smtplib.SMTP("127.0.0.1", servers.sending.port, local_hostname="client.test") as client:
        client.ehlo()
        assert client.mail(sender, list(mail_options))[0] == 250
        assert client.rcpt(to, list(rcpt_options))[0] == 250
        code, text = client.data(content or mails.html_quoted_printable(SENDER, [to], mark))
        assert code == 250, text
    return re.search(rb"queued as (\w+)", text).group(1).decode()


def return_path_of(delivered):
    return re.search(RETURN_PATH, traces.field(delivered, "Return-Path"))


def test_the_clients_parameters_stay(servers, sink, mark):
    submit(servers, "x@sink.test", mark, ["RET=HDRS", "ENVID=letter+2B7", "BODY=8BITMIME", "SMTPUTF8"],
           ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;X@Sink.test"])
    proc.wait_for(lambda: sink.said("QUIT"), "the mail is there", log=servers.sending.log)
    mail, = sink.said("MAIL")
    print(mail, sink.said("RCPT"))
    assert RETURN_PATH.search(mail)
    assert {"RET=HDRS", "ENVID=letter+2B7", "BODY=8BITMIME"} <= set(mail.split())
    assert set(sink.said("RCPT")[0].split()[1:]) == {"TO:<x@sink.test>", "NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;X@Sink.test"}
