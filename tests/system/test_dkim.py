# SPDX-License-Identifier: BSD-2-Clause
"""The samples in contrib/dkim, with the real OpenDKIM and rspamd behind spoor-stamp: both fields of one click are signed."""

import base64
import os
import pwd
import re

import pytest

import mails
import postfix
import proc
import spam_filters
import spoor as spoor_of
import traces

SENDER, BOB = "alice@example.com", "bob@example.net"
SELECTOR = "mail"
SAMPLES = os.path.join(spoor_of.SOURCE, "contrib/dkim")


class Signer:
    """A folder with a key, and a verifier that has the public key in a file: OpenDKIM's, whoever signs."""

    def __init__(self, folder):
        self.folder = folder
        os.mkdir(self.folder)
        self.key = os.path.join(self.folder, "example.com.%s.key" % SELECTOR)
        proc.run(["openssl", "genrsa", "-out", self.key, "2048"])
        os.chmod(self.key, 0o600)
        public = proc.run(["openssl", "rsa", "-in", self.key, "-pubout", "-outform", "DER"]).stdout
        self.write("public", "%s._domainkey.example.com v=DKIM1; k=rsa; p=%s\n"
                   % (SELECTOR, base64.b64encode(public).decode()))
        self.verifier = self.write("verify.conf", "Mode v\nTestPublicKeys %s/public\nSyslog no\n" % self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as out:
            out.write(text)
        return path

    def verifies(self, mail):
        path = os.path.join(self.folder, "mail.eml")
        with open(path, "wb") as out:
            out.write(mail)
        return b"succeeded" in proc.run(["opendkim", "-x", self.verifier, "-t", path], check=False).stdout

    def stop(self):
        self.server.stop()


class OpenDkim(Signer):
    """Signs with the settings of the sample, but for where things are."""

    def __init__(self, folder, log_folder):
        super().__init__(os.path.join(folder, "opendkim"))
        self.socket = os.path.join(self.folder, "sock")
        self.milter = postfix.milter(self.socket)
        self.write("key_table", "%s._domainkey.example.com example.com:%s:%s\n" % (SELECTOR, SELECTOR, self.key))
        self.write("signing_table", "*@example.com %s._domainkey.example.com\n" % SELECTOR)
        self.conf = self.write("opendkim.conf", self.sample())
        self.server = proc.Server("opendkim", ["opendkim", "-f", "-x", self.conf], os.path.join(log_folder, "opendkim.log"))
        self.server.wait_ready(self.socket)

    def sample(self):
        with open(os.path.join(SAMPLES, "opendkim.conf")) as file:
            lines = [line.split(None, 1) for line in file if line.strip() and not line.startswith("#")]
        ours = {"Socket": "local:" + self.socket, "PidFile": self.socket + ".pid", "UserID": "root", "Syslog": "no",
                "UMask": "000", "KeyTable": self.folder + "/key_table",
                "SigningTable": "refile:%s/signing_table" % self.folder}
        assert set(ours) <= {name for name, _ in lines}
        # below /tmp no key is safe
        return "".join("%s %s\n" % (name, ours.get(name, value.strip())) for name, value in lines) + "RequireSafeKeys no\n"


class RspamdSigner(Signer):
    """rspamd as Debian's starts it, as its own user, asked by the milter protocol; the sample as it is but for the key's folder."""

    def __init__(self, folder, log_folder):
        super().__init__(os.path.join(folder, "rspamd-signer"))
        with open(os.path.join(SAMPLES, "rspamd-dkim_signing.conf")) as file:
            sample = file.read()
        assert "/var/lib/rspamd/dkim/$domain.$selector.key" in sample
        rspamd = spam_filters.Rspamd(self.folder, log_folder, signing=sample.replace("/var/lib/rspamd/dkim", self.folder))
        owner = pwd.getpwnam("_rspamd")
        os.chown(self.key, owner.pw_uid, owner.pw_gid)
        self.server = rspamd.server
        self.milter = "inet:127.0.0.1:%d" % rspamd.port
        rspamd.wait_ready()


@pytest.fixture(scope="module")
def servers_that_sign(module_own):
    return module_own(unsubscribe_address="unsubscribe@example.com", database_timeout="20s")


@pytest.fixture(scope="module", params=[OpenDkim, RspamdSigner], ids=["opendkim", "rspamd"])
def signing(request, servers_that_sign):
    """Servers whose sending Postfix asks spoor-stamp, then the signer."""
    servers = servers_that_sign
    signer = request.param(servers.folder, servers.log_folder)
    servers.sending.stop()
    servers.sending.configure({
        "relayhost": "[127.0.0.1]:%d" % servers.receiving.port,
        "smtpd_milters": "%s, %s" % (postfix.milter(servers.spoor.socket("stamp")), signer.milter)})
    servers.sending.start()
    yield servers, signer
    signer.stop()


def signed_fields(signature):
    return re.search(r";h=([^;]*)", re.sub(r"\s", "", signature)).group(1).lower().split(":")


def campaign_mail(servers, mark):
    sent = mails.html_quoted_printable(SENDER, [BOB], mark, more=["X-Spoor-Campaign: spring"])
    servers.submit(SENDER, [BOB], sent)
    return servers.mail.wait(BOB, mark.encode(), log=servers.receiving.log)


def test_both_fields_are_signed(signing, mark):
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
