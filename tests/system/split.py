# SPDX-License-Identifier: BSD-2-Clause
"""A Postfix that makes a copy a recipient, by the very lines of contrib/postfix, and a DKIM signer behind it."""

import base64
import os
import re

import proc
import samples

# What a test has instead: no TLS, no login, other paths and ports.
NO_TLS_AND_LOGIN = ("  -o smtpd_tls_security_level=encrypt\n", "  -o smtpd_sasl_auth_enable=yes\n")


class Split:
    """The lines for one Postfix. `submission` is where mail programs hand in, `second` the port of the second smtpd."""

    def __init__(self, stamp_socket, copies_socket, signer_port):
        self.submission, self.second = proc.free_port(), proc.free_port()
        self.places = [("127.0.0.1]:10026", "127.0.0.1]:%d" % self.second), ("unix:spoor/stamp/stamp.sock", "unix:" + stamp_socket),
                       ("unix:spoor/stamp/copies.sock", "unix:" + copies_socket),
                       ("inet:127.0.0.1:8891", "inet:127.0.0.1:%d" % signer_port)]

    def main(self):
        return samples.settings("postfix/main.cf", self.places)

    def master(self):
        text = re.sub(r"^submissions .*\n(  .*\n)+", "", samples.read("postfix/master.cf"), flags=re.M)
        words = [(line, "") for line in NO_TLS_AND_LOGIN] + [
            ("submission inet", "127.0.0.1:%d inet" % self.submission), ("127.0.0.1:10026", "127.0.0.1:%d" % self.second),
            ("permit_sasl_authenticated", "permit_mynetworks")]
        return samples.services(samples.replace(text, words, "postfix/master.cf"))


class Signer:
    """opendkim, which signs, and verifies without a name server."""

    def __init__(self, folder, log_folder, domain):
        self.folder = os.path.join(folder, "dkim")
        self.port = proc.free_port()
        os.mkdir(self.folder, 0o700)
        secret = os.path.join(self.folder, "secret")
        proc.run(["openssl", "genrsa", "-out", secret, "2048"])
        key = proc.run(["openssl", "rsa", "-in", secret, "-pubout", "-outform", "DER"]).stdout
        signing = self._configure("signing", "Mode s", "Domain " + domain, "Selector one", "Canonicalization relaxed/simple",
                                  "KeyFile " + secret, "RequireSafeKeys no", "Syslog no")
        with open(os.path.join(self.folder, "public"), "w") as out:
            out.write("one._domainkey.%s v=DKIM1; k=rsa; p=%s\n" % (domain, base64.b64encode(key).decode()))
        self.verifying = self._configure("verifying", "Mode v", "TestPublicKeys %s/public" % self.folder)
        self.server = proc.Server("opendkim", ["opendkim", "-f", "-x", signing, "-p", "inet:%d@127.0.0.1" % self.port],
                                  os.path.join(log_folder, "opendkim.log"))

    def _configure(self, name, *lines):
        path = os.path.join(self.folder, name)
        with open(path, "w") as out:
            out.write("\n".join(lines) + "\n")
        return path

    def start(self):
        self.server.wait_ready(self.port)

    def stop(self):
        self.server.stop()

    def verdict(self, mail):
        """What opendkim says of the signature of a delivered mail: "succeeded", "failed", or None without one."""
        path = os.path.join(self.folder, "mail")
        with open(path, "wb") as out:
            out.write(mail.replace(b"\r\n", b"\n"))
        done = proc.run(["opendkim", "-f", "-x", self.verifying, "-t", path])
        found = re.search(rb"verification \(.*\) (\w+)", done.stdout + done.stderr)
        return found.group(1).decode() if found else None
