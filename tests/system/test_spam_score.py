# SPDX-License-Identifier: BSD-2-Clause
"""
What Spoor adds makes no mail look more like spam.

The mails of tests/corpus/spam have the shape of what mail programs and newsletter tools send. Each is judged by
SpamAssassin and rspamd as it was sent and as `spoorctl stamp` makes it, in each message_id mode, and in `auto` with a
decoy.
"""

import os
import shutil

import pytest

import proc
import servers
import spam_filters
import spoor
import traces

TRACKING = "https://t.example.com"
MAILS = os.path.join(spoor.SOURCE, "tests", "corpus", "spam")
MODES = {"auto": "", "keep": "", "stamp": "", "decoy": "decoy_link = yes"}
FILTERS = ["spamassassin", "rspamd"]

# rspamd gives a point to a multipart/alternative with an odd number of URLs. It counts the pixel, and a link only once
# it is wrapped (of links in HTML, 3.4 leaves out those without a percent sign), so tracking makes some mails odd and
# others even: a toss. A second URL, such as the decoy's, only exchanges them.
TOSS = "URI_COUNT_ODD"
# SpamAssassin's tenth of a point for a plain part below 1 % of the HTML part: "Thursday is fine." That page is as long
# as it is because a shorter one with a pixel would get up to 2.8 points (HTML_IMAGE_ONLY_*).
SHORT = "MIME_HTML_MOSTLY"
TAKEN = (TOSS, SHORT)

ODD_WITH_DECOY = ["apple-mail", "gmail", "iphone", "kmail", "roundcube", "the-bat", "thunderbird", "thunderbird-38"]
ODD = ["iphone-short", "newsletter-phpmailer", "outlook", "outlook-2002", "outlook-web"]
# Every rule with a weight that newly fires: filter, mode, rule, weight, for which mails. `stamp` replaces the ids by
# which the filters know these programs; `auto` is the default for that reason.
NEW_RULES = [
    ("spamassassin", "auto", SHORT, 0.1, ["iphone-short"]),
    ("spamassassin", "keep", SHORT, 0.1, ["iphone-short"]),
    ("spamassassin", "stamp", SHORT, 0.1, ["iphone-short"]),
    ("spamassassin", "decoy", SHORT, 0.1, ["iphone-short"]),
    ("rspamd", "auto", TOSS, 1.0, ODD),
    ("rspamd", "decoy", TOSS, 1.0, ODD_WITH_DECOY),
    ("rspamd", "keep", TOSS, 1.0, ODD),
    ("rspamd", "stamp", TOSS, 1.0, ODD),
    ("spamassassin", "stamp", "FORGED_MUA_MOZILLA", 2.399, ["thunderbird", "thunderbird-38", "thunderbird-reply"]),
    ("spamassassin", "stamp", "FORGED_MUA_OUTLOOK", 3.999, ["outlook-2002"]),
    ("rspamd", "stamp", "FORGED_MUA_THUNDERBIRD_MSGID_UNKNOWN", 2.5,
     ["thunderbird", "thunderbird-38", "thunderbird-reply"]),
    ("rspamd", "stamp", "FORGED_MUA_OUTLOOK", 3.0, ["outlook-2002"]),
    ("rspamd", "stamp", "FORGED_MUA_THEBAT_MSGID_UNKNOWN", 3.0, ["the-bat"]),
]

# No program is named in these, so `auto` puts our id in the place of theirs.
REPLACED_BY_AUTO = {"crm-offer", "gmail", "newsletter-listmonk", "outlook-web"}
WITHOUT_HTML = {"mutt"}


def read_mails():
    mails = {}
    for name in sorted(name[:-len(".eml")] for name in os.listdir(MAILS)):
        with open(os.path.join(MAILS, name + ".eml"), "rb") as file:
            mails[name] = file.read()
    return mails


class Stamp:
    """spoorctl with one configuration a mode."""

    def __init__(self, folder):
        self.folder = folder
        self.program = spoor.program("ctl/spoorctl")
        for mode in MODES:
            with open(self.conf(mode), "w") as out:
                out.write('key_file = "%s/keys"\ntracking_url = "%s"\nlocal_domains = { "example.com" }\n'
                          'stamp { message_id = "%s" %s }\n'
                          % (folder, TRACKING, "auto" if mode == "decoy" else mode, MODES[mode]))
        proc.run([self.program, "-c", self.conf("auto"), "keygen"])

    def conf(self, mode):
        return os.path.join(self.folder, mode + ".conf")

    def stamp(self, mode, name):
        return proc.run([self.program, "-c", self.conf(mode), "stamp", "--ours", "--from", spam_filters.SENDER,
                         "--rcpt", spam_filters.RECIPIENT, os.path.join(MAILS, name + ".eml")]).stdout


@pytest.fixture(scope="module")
def stamped():
    """(mode, name) to mail; the mode of a mail as it was sent is None."""
    folder = servers.new_folder()
    try:
        tool = Stamp(folder)
        mails = {(None, name): mail for name, mail in read_mails().items()}
        for name in [name for _, name in mails]:
            mails.update({(mode, name): tool.stamp(mode, name) for mode in MODES})
        yield mails
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def verdicts(stamped):
    """Filter to (mode, name) to verdict."""
    folder = servers.new_folder()
    rspamd = spam_filters.Rspamd(folder, folder)
    try:
        mails = list(stamped.values())
        judged = {"spamassassin": spam_filters.SpamAssassin(folder).judge(mails)}  # while the other one starts
        rspamd.wait_ready()
        judged["rspamd"] = rspamd.judge(mails)
    finally:
        rspamd.stop()
        shutil.rmtree(folder)
    return {name: dict(zip(stamped, found)) for name, found in judged.items()}


def names(stamped):
    return [name for mode, name in stamped if mode is None]


@pytest.mark.parametrize("mode", MODES)
def test_the_judged_mails_are_tracked(stamped, mode):
    for name in names(stamped):
        before, after = stamped[None, name], stamped[mode, name]
        assert len(traces.pixels(after, TRACKING)) == (0 if name in WITHOUT_HTML else 1), name
        assert len(traces.decoys(after)) == (mode == "decoy" and name not in WITHOUT_HTML), name
        assert len(traces.ids(after, "References")) > len(traces.ids(before, "References")), name
        replaced = traces.field(after, "Message-ID") != traces.field(before, "Message-ID")
        missing = traces.field(before, "Message-ID") is None
        assert replaced == (missing or mode == "stamp" or mode in ("auto", "decoy") and name in REPLACED_BY_AUTO), name


def without_taken(verdict):
    return {rule: weight for rule, weight in verdict.items() if rule not in TAKEN}


@pytest.mark.parametrize("mode", ["auto", "keep", "decoy"])
@pytest.mark.parametrize("judge", FILTERS)
def test_no_mail_scores_higher(stamped, verdicts, judge, mode):
    higher = {}
    for name in names(stamped):
        before, after = verdicts[judge][None, name], verdicts[judge][mode, name]
        print("%-14s %-5s %-22s %6.3f -> %6.3f" % (judge, mode, name, spam_filters.score(before),
                                                  spam_filters.score(after)))
        if spam_filters.score(without_taken(after)) > spam_filters.score(without_taken(before)):
            higher[name] = {rule: weight for rule, weight in after.items() if weight > before.get(rule, 0)}
    assert not higher


def test_the_rules_that_newly_fire_are_listed(stamped, verdicts):
    fired = {}
    for judge in FILTERS:
        for mode in MODES:
            for name in names(stamped):
                before = verdicts[judge][None, name]
                for rule, weight in verdicts[judge][mode, name].items():
                    if weight > max(0, before.get(rule, 0)):
                        fired.setdefault((judge, mode, rule, weight), []).append(name)
    for row, found in fired.items():
        print("%-14s %-5s %-38s %6.3f  %s" % (row + (" ".join(found),)))
    assert fired == {tuple(row[:4]): row[4] for row in NEW_RULES}


def test_the_toss_falls_both_ways(stamped, verdicts):
    """Else it is no toss, and something is to be done about it."""
    judged = verdicts["rspamd"]
    assert any(TOSS in judged[None, name] and TOSS not in judged["auto", name] for name in names(stamped))


def test_the_filters_judge(verdicts):
    """A filter without its rules would find nothing in any mail."""
    assert verdicts["spamassassin"][None, "crm-offer"]["MISSING_MID"] > 0
    assert verdicts["rspamd"][None, "crm-offer"]["MISSING_MID"] > 0
