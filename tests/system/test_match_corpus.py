# SPDX-License-Identifier: BSD-2-Clause
"""Every mail of tests/corpus/incoming through `spoorctl match`, with really signed ids: the very lines expected."""

import os
import re

import pytest

import proc
import spoor

FOLDER = os.path.join(spoor.SOURCE, "tests", "corpus", "incoming")
NAMES = sorted(name[:-4] for name in os.listdir(FOLDER) if name.endswith(".eml"))
MESSAGE = "1234567890123"
RECIPIENT = "bob@client.example"
DESTINATION = "https://www.example.org/offer?id=1"
VIEW, CLICK, MESSAGE_ID, ANCHOR, BOUNCE = "1", "2", "5", "6", "7"
KINDS = {"message_id": MESSAGE_ID, "several": MESSAGE_ID, "upper": MESSAGE_ID, "unknown_key": MESSAGE_ID,
         "forged": MESSAGE_ID, "anchor": ANCHOR, "view": VIEW, "view_forged": VIEW, "click": CLICK, "bounce": BOUNCE,
         "bounce_forged": BOUNCE}
KEYS = ("class", "rung", "confidence", "message", "answerer", "from", "status", "hard", "receipt", "until", "forged")


def write_keys(path, key_id, secret):
    with open(path, "w") as out:
        out.write("address %s\nkey %d %s\n" % ("0f" * 32, key_id, secret * 32))
    os.chmod(path, 0o600)
    return str(path)


class Desk:
    """Signs, fills in the placeholders, and asks spoorctl."""

    def __init__(self, folder):
        self.folder = folder
        self.keys = write_keys(folder / "keys", 1, "a5")
        self.foreign_keys = write_keys(folder / "foreign-keys", 200, "5a")
        self.conf = str(folder / "spoor.conf")
        with open(self.conf, "w") as out:
            out.write('key_file = "%s"\ntracking_url = "https://t.example.com"\n'
                      'local_domains = { "example.com", "sister.example", "tenant.example" }\n'
                      'organisation = "example.com sister.example"\n' % self.keys)
        self.tokens = {word: self.token(word) for word in KINDS}

    def token(self, word):
        keys = self.foreign_keys if word == "unknown_key" else self.keys
        kind = KINDS[word]
        made = proc.run([spoor.program("tests/support/sign_token"), keys, kind, MESSAGE,
                         "" if word == "several" else RECIPIENT, DESTINATION if kind == CLICK else ""])
        token = made.stdout.decode().strip()
        if "forged" in word:
            token = token[:39] + ("b" if token[39] == "a" else "a") + token[40:]
        return token.upper() if word == "upper" else token

    def placeholder(self, match):
        word, _, half = match.group(1).partition(".")
        token = self.tokens[word]
        return {"": token, "1": token[:26], "2": token[26:]}[half]

    def verdict(self, mail, *options):
        path = self.folder / "mail.eml"
        path.write_text(re.sub("@TOKEN:([a-z_.0-9]+)@", self.placeholder, mail), encoding="utf-8")
        done = proc.run([spoor.program("ctl/spoorctl"), "-c", self.conf, "match", *options, str(path)])
        return done.stdout.decode()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    return Desk(tmp_path_factory.mktemp("match"))


def read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read()


def test_the_corpus_is_whole():
    assert len(NAMES) >= 120
    for name in NAMES:
        keys = [line.partition(":")[0] for line in read(name + ".expect").splitlines()]
        assert keys == [key for key in KEYS if key in keys], name


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_gets_its_verdict(desk, name):
    assert desk.verdict(read(name + ".eml")) == read(name + ".expect")


def test_foreign_keys_match_nothing(desk):
    """What another site signed with keys of the same number is forged here, whatever it is in."""
    other = Desk.__new__(Desk)
    other.folder = desk.folder
    other.foreign_keys = desk.foreign_keys
    other.keys = write_keys(desk.folder / "other-keys", 1, "33")
    other.conf = desk.conf
    other.tokens = {word: other.token(word) for word in KINDS}
    for name in ("reply-gmail", "bounce-postfix", "receipt-displayed", "complaint-abuse", "bounce-return-path",
                 "reply-quoted-google-proxy"):
        assert other.verdict(read(name + ".eml")) == "class: none\nforged: yes\n", name


def test_the_envelope_may_be_given(desk):
    mail = read("reply-gmail.eml")
    assert "class: auto_reply\n" in desk.verdict(mail, "--from", "<>")
    bounced = desk.verdict("From: MAILER-DAEMON@mx.client.example\nSubject: No\n\nNo.\n", "--from", "<>", "--rcpt",
                           "bounces+%s@example.com" % desk.tokens["bounce"])
    assert "class: bounce\nrung: bounce_address\n" in bounced
