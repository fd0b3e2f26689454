# SPDX-License-Identifier: BSD-2-Clause
"""The sample in contrib/dkim, with the real OpenDKIM behind spoor-stamp: both fields of one click are signed."""

import base64
import os
import re

import pytest

import mails
import postfix
import proc
import spoor as spoor_of
import traces

SENDER, BOB = "alice@example.com", "bob@example.net"
SELECTOR = "mail"
SAMPLE = os.path.join(spoor_of.SOURCE, "contrib/dkim/opendkim.conf")


class OpenDkim:
    """Signs with the settings of the sample, but for where things are; verifies with a public key in a file."""

    def __init__(self, folder, log_folder):
        self.folder = os.path.join(folder, "opendkim")
        os.mkdir(self.folder)
        self.socket = os.path.join(self.folder, "sock")
        self.key = os.path.join(self.folder, "key")
        proc.run(["openssl", "genrsa", "-out", self.key, "2048"])
        os.chmod(self.key, 0o600)
        self.write("key_table", "%s._domainkey.example.com example.com:%s:%s\n" % (SELECTOR, SELECTOR, self.key))
        self.write("signing_table", "*@example.com %s._domainkey.example.com\n" % SELECTOR)
        self.conf = self.write("opendkim.conf", self.sample())
        public = proc.run(["openssl", "rsa", "-in", self.key, "-pubout", "-outform", "DER"]).stdout
        self.write("public", "%s._domainkey.example.com v=DKIM1; k=rsa; p=%s\n"
                   % (SELECTOR, base64.b64encode(public).decode()))
        self.verifier = self.write("verify.conf", "Mode v\nTestPublicKeys %s/public\nSyslog no\n" % self.folder)
        self.server = proc.Server("opendkim", ["opendkim", "-f", "-x", self.conf], os.path.join(log_folder, "opendkim.log"))
        self.server.wait_ready(self.socket)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as out:
            out.write(text)
        return path

    def sample(self):
        with open(SAMPLE) as file:
            lines = [line.split(None, 1) for line in file if line.strip() and not line.startswith("#")]
        ours = {"Socket": "local:" + self.socket, "PidFile": self.socket + ".pid", "UserID": "root", "Syslog": "no",
                "UMask": "000", "KeyTable": self.folder + "/key_table",
                "SigningTable": "refile:%s/signing_table" % self.folder}
        assert set(ours) <= {name for name, _ in lines}
        # below /tmp no key is safe
        return "".join("%s %s\n" % (name, ours.get(name, value.strip())) for name, value in lines) + "RequireSafeKeys no\n"

    def verifies(self, mail):
        path = os.path.join(self.folder, "mail.eml")
        with open(path, "wb") as out:
            out.write(mail)
        return b"succeeded" in proc.run(["opendkim", "-x", self.verifier, "-t", path], check=False).stdout

    def stop(self):
        self.server.stop()


@pytest.fixture(scope="module")
def signing(module_own):
    """Servers whose sending Postfix asks spoor-stamp, then OpenDKIM."""
    servers = module_own(unsubscribe_address="unsubscribe@example.com", database_timeout="20s")
    signer = OpenDkim(servers.folder, servers.log_folder)
    servers.sending.stop()
    servers.sending.configure({
        "relayhost": "[127.0.0.1]:%d" % servers.receiving.port,
        "smtpd_milters": "%s, %s" % (postfix.milter(servers.spoor.socket("stamp")), postfix.milter(signer.socket))})
    servers.sending.start()
    yield servers, signer
    signer.stop()


def signed_fields(signature):
    return re.search(r";h=([^;]*)", re.sub(r"\s", "", signature)).group(1).lower().split(":")


def campaign_mail(servers, mark):
    sent = mails.html_quoted_printable(SENDER, [BOB], mark, more=["X-Spoor-Campaign: spring"])
    servers.submit(SENDER, [BOB], sent)
    return servers.mail.wait(BOB, mark.encode(), log=servers.receiving.log)


def test_opendkim_signs_both_fields(signing, mark):
    servers, signer = signing
    mail = campaign_mail(servers, mark)
    signed = signed_fields(traces.field(mail, "DKIM-Signature"))
    assert "list-unsubscribe" in signed and "list-unsubscribe-post" in signed
    assert signer.verifies(mail)
    post = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    assert mail.count(post) == 1
    assert not signer.verifies(mail.replace(post, post.replace(b"One", b"Two")))
    assert not signer.verifies(mail.replace(b"/u/", b"/v/"))


def test_mail_without_them_is_signed_too(signing, mark):
    servers, signer = signing
    servers.submit(SENDER, [BOB], mails.plain(SENDER, [BOB], mark))
    mail = servers.mail.wait(BOB, mark.encode(), log=servers.receiving.log)
    assert signer.verifies(mail)
    assert signer.verifies(b"List-Unsubscribe: <https://list.example/>\r\n" + mail), "a mailing list may add its own"
