# SPDX-License-Identifier: BSD-2-Clause
"""
SpamAssassin and rspamd with Debian's rules, offline: what each says of mails as a receiving server sees them.

A verdict is a dict, rule to weight; the rules that weigh nothing are in it too.
"""

import http.client
import json
import os
import re
import shutil

import proc

# Addresses for benchmarks (RFC 2544): those of documentation are punished in Received.
CLIENT = {"IP": "198.18.0.25", "Helo": "mail.example.com", "Hostname": "mail.example.com"}
RECEIVED = ("Received: from mail.example.com (mail.example.com [198.18.0.25])\r\n"
            "\tby mx.customer.example (Postfix) with ESMTPS id 4fXk2m3Wz1z9sRh\r\n"
            "\tfor <bob@customer.example>; Mon, 16 Mar 2026 10:00:02 +0100 (CET)\r\n"
            "Received: from desk.example.com (desk.example.com [198.18.7.4])\r\n"
            "\tby mail.example.com (Postfix) with ESMTPSA id 4fXk2k1qRmzH3p\r\n"
            "\tfor <bob@customer.example>; Mon, 16 Mar 2026 10:00:01 +0100 (CET)\r\n").encode()
SENDER, RECIPIENT = "ann@example.com", "bob@customer.example"


def score(verdict):
    return round(sum(verdict.values()), 3)


class SpamAssassin:
    """One run for all mails: starting it takes longer than judging them. Nothing of the machine's own settings counts."""

    SITE = "/etc/spamassassin"
    RULES = "/usr/share/spamassassin"  # not those that sa-update may have fetched
    SETTINGS = ["use_bayes 0", "bayes_auto_learn 0", "dns_available no", "report_safe 0", "fold_headers 0",
                "trusted_networks 127.0.0.0/8", "clear_headers", "clear_report_template",
                "add_header all Rules _TESTSSCORES(,)_"]

    def __init__(self, folder):
        self.folder = os.path.join(folder, "spamassassin")
        self.site = os.path.join(self.folder, "site")
        os.makedirs(self.site)
        for name in os.listdir(self.SITE):
            if name.endswith(".pre"):
                os.symlink(os.path.join(self.SITE, name), os.path.join(self.site, name))
        with open(os.path.join(self.site, "local.cf"), "w") as out:
            out.write("\n".join(self.SETTINGS) + "\n")

    def judge(self, mails):
        """The verdicts on a list of mails, in its order."""
        paths = []
        for number, mail in enumerate(mails):
            paths.append(os.path.join(self.folder, "%04d.eml" % number))
            with open(paths[-1], "wb") as out:
                out.write(RECEIVED + mail)
        printed = proc.run(["spamassassin", "--local", "--test-mode", "--nocreate-prefs", "--prefspath=/dev/null",
                            "--configpath=" + self.RULES, "--siteconfigpath=" + self.site] + paths,
                           env=dict(os.environ, HOME=self.folder, LC_ALL="C"), cwd=self.folder).stdout
        verdicts = [self._read(line) for line in re.findall(rb"^X-Spam-Rules: ?(.*)$", printed, re.M)]
        if len(verdicts) != len(mails):
            raise proc.Failure("spamassassin judged %d of %d mails" % (len(verdicts), len(mails)))
        return verdicts

    @staticmethod
    def _read(line):
        words = [word.split("=") for word in line.decode().strip().split(",") if "=" in word]
        return {rule: float(weight) for rule, weight in words}


class Rspamd:
    """A private rspamd: one worker on loopback, no name server, no redis, its data in our folder. With SIGNING, the text
    of dkim_signing.conf, it is a milter that signs, and runs as Debian's user for it."""

    # They ask the network or redis; without an answer they would only wait.
    ABSENT = ["antivirus", "arc", "asn", "bimi", "clickhouse", "dcc", "dkim", "dkim_signing", "dmarc", "elastic",
              "external_services", "fuzzy_check", "greylist", "history_redis", "metadata_exporter", "mx_check", "neural",
              "p0f", "ratelimit", "rbl", "replies", "reputation", "rspamd_update", "spf", "url_redirector"]
    CONFIGURATION = """
.include "$CONFDIR/common.conf"
options {
    .include "$CONFDIR/options.inc"
    filters = "regexp";  # without chartable, which guesses the language by chance: one mail has two verdicts
    pidfile = "%(folder)s/rspamd.pid";
    control_socket = "%(folder)s/control.sock mode=0600";
    disable_hyperscan = true;  # compiling the rules would take longer than all mails
    dns { nameserver = ["127.0.0.1:%(nobody)d"]; timeout = 0.1s; retransmits = 1; }
}
logging { type = "console"; level = "warning"; }
%(worker)s
"""
    JUDGE = 'worker "normal" { bind_socket = "127.0.0.1:%(port)d"; count = 1; mime = true; }'
    MILTER = ('worker "rspamd_proxy" { bind_socket = "127.0.0.1:%(port)d"; count = 1; milter = yes; timeout = 60s;'
              ' upstream "local" { default = yes; self_scan = yes; } }')

    def __init__(self, folder, log_folder, signing=None):
        self.folder = os.path.join(folder, "rspamd")
        self.port = proc.free_port()
        local = os.path.join(self.folder, "local.d")
        os.makedirs(local)
        for module in self.ABSENT:
            with open(os.path.join(local, module + ".conf"), "w") as out:
                out.write("enabled = false;\n")
        with open(os.path.join(local, "hfilter.conf"), "w") as out:  # what is left of it looks at URLs
            out.write("".join("%s_enabled = false;\n" % what for what in ("helo", "hostname", "from", "rcpt")))
        whose = ["--insecure"]
        if signing:
            with open(os.path.join(local, "dkim_signing.conf"), "w") as out:
                out.write(signing)
            shutil.chown(self.folder, "_rspamd", "_rspamd")
            whose = ["--user", "_rspamd", "--group", "_rspamd"]
        worker = (self.MILTER if signing else self.JUDGE) % {"port": self.port}
        path = os.path.join(self.folder, "rspamd.conf")
        with open(path, "w") as out:
            out.write(self.CONFIGURATION % {"folder": self.folder, "worker": worker, "nobody": proc.free_port()})
        folders = ["--var=%s=%s" % (name, self.folder) for name in ("DBDIR", "RUNDIR", "LOGDIR", "LOCAL_CONFDIR")]
        self.server = proc.Server("rspamd", ["rspamd", "--no-fork"] + whose + ["--config", path] + folders,
                                  os.path.join(log_folder, "rspamd.log"), cwd=self.folder)

    def wait_ready(self):
        """It computes for ten seconds before."""
        self.server.wait_ready(self.port, 5 * proc.PATIENCE_S)

    def judge(self, mails):
        """The verdicts on a list of mails, in its order."""
        return [self._judge(mail) for mail in mails]

    def _judge(self, mail):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=proc.PATIENCE_S)
        connection.request("POST", "/checkv2", RECEIVED + mail, dict(CLIENT, From=SENDER, Rcpt=RECIPIENT))
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise proc.Failure("rspamd answers %d: %r" % (answer.status, text), self.server.log)
        return {rule: symbol["score"] for rule, symbol in json.loads(text)["symbols"].items()}

    def stop(self):
        self.server.stop()
