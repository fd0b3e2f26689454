# SPDX-License-Identifier: BSD-2-Clause
"""`spoorctl stamp` on the corpus of mails: what it leaves alone it prints byte for byte, and --explain says why."""

import glob
import os
import re

import proc
import pytest
from spoor import SOURCE, program

CORPUS = sorted(glob.glob(os.path.join(SOURCE, "tests", "corpus", "outgoing", "*.eml")))


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dry-run")
    path = folder / "spoor.conf"
    path.write_text('key_file = "%s/keys"\ntracking_url = "https://t.example.com"\n'
                    'local_domains = { "example.com" }\n' % folder)
    proc.run([program("ctl/spoorctl"), "-c", str(path), "keygen"])
    return str(path)


def stamp(conf, path, *words):
    return proc.run([program("ctl/spoorctl"), "-c", conf, "stamp", *words, path]).stdout


def body_of(mail):
    return re.split(rb"\r?\n\r?\n", mail, maxsplit=1)[1]


@pytest.mark.parametrize("ends", [b"\r\n", b"\n"], ids=["crlf", "lf"])
def test_a_mail_that_is_not_ours_is_printed_byte_for_byte(conf, tmp_path, ends):
    file = tmp_path / "mail.eml"
    for path in CORPUS:
        with open(path, "rb") as mail:
            text = mail.read().replace(b"From: Ann Example <ann@example.com>", b"From: Eve <eve@foreign.example>", 1)
        if ends == b"\n":
            text = text.replace(b"\r\n", b"\n")
        file.write_bytes(text)
        assert stamp(conf, str(file)) == text, path


@pytest.mark.parametrize("ends", [b"\r\n", b"\n"], ids=["crlf", "lf"])
def test_a_body_that_stays_is_printed_byte_for_byte(conf, tmp_path, ends):
    file = tmp_path / "mail.eml"
    stayed = 0
    for path in CORPUS:
        with open(path[:-4] + ".expect", encoding="ascii") as expect:
            if "reason=-" in expect.read():
                continue
        with open(path, "rb") as mail:
            text = mail.read()
        if ends == b"\n":
            text = text.replace(b"\r\n", b"\n")
        file.write_bytes(text)
        assert body_of(stamp(conf, str(file))) == body_of(text), path
        stayed += 1
    assert stayed > 40


def test_at_debug_the_way_of_a_mail_is_told(conf, tmp_path):
    told = tmp_path / "debug.conf"
    with open(conf, encoding="utf-8") as file:
        told.write_text(file.read() + "log_level = debug\n")
    answer = tmp_path / "answer.eml"
    answer.write_bytes(b"From: bob@example.net\r\nTo: ann@example.com\r\nIn-Reply-To: <other@example.org>\r\n\r\nYes\r\n")
    done = proc.run([program("ctl/spoorctl"), "-c", str(told), "stamp", "--from", "", str(answer)])
    assert done.stderr.startswith(b"way: strange_pass, ours: foreign_from\n"), done.stderr
    done = proc.run([program("ctl/spoorctl"), "-c", str(told), "match", str(answer)])
    assert done.stderr == b"way: report, ids: some, signed_id, kept_id, bounce_address, own_anchor, quoted_url, class: none\n"
    assert proc.run([program("ctl/spoorctl"), "-c", conf, "match", str(answer)]).stderr == b""


def test_explain_lists_header_edits_parts_and_links(conf):
    lines = stamp(conf, os.path.join(SOURCE, "tests/corpus/outgoing/outlook-classic-alternative.eml"),
                  "--explain").decode().splitlines()
    assert lines[0] == "decision: tracked"
    assert [line.split()[1] for line in lines if line.startswith("header: ")] == ["References"]
    parts = [line.split() for line in lines if line.startswith("part: ")]
    assert [part[2] for part in parts] == ["multipart/alternative", "text/plain", "text/html"]
    assert [part[7] for part in parts] == ["multipart", "not_html", "edited"]
    assert parts[2][8:] == ["pixels", "1", "links", "3"]
    assert [line for line in lines if line.startswith("link: ")] == [
        "link: 1 part 2 wrapped https://shop.example/prices?y=2026&l=en",
        "link: 0 part 2 not_http mailto:ann@example.com",
        "link: 2 part 2 wrapped https://shop.example/terms"]


def test_explain_names_the_return_path(conf, tmp_path):
    other = tmp_path / "spoor.conf"
    with open(conf, encoding="ascii") as file:
        other.write_text(file.read() + 'stamp { bounce_address = "bounces+{token}@example.com" }\n')
    lines = stamp(str(other), os.path.join(SOURCE, "tests/corpus/outgoing/outlook-classic-alternative.eml"),
                  "--explain", "--from", "ann@example.com").decode().splitlines()
    sender, = [line for line in lines if line.startswith("sender: ")]
    token = re.fullmatch(r"sender: bounces\+([a-z2-7]{52})@example\.com", sender).group(1)
    assert b"bounce" in proc.run([program("ctl/spoorctl"), "-c", str(other), "decode", token]).stdout


def test_explain_says_why_a_sealed_mail_stays(conf):
    lines = stamp(conf, os.path.join(SOURCE, "tests/corpus/outgoing/pgp-encrypted.eml"),
                  "--explain").decode().splitlines()
    assert lines[0] == "decision: partly encrypted"
    assert [line.split()[7] for line in lines if line.startswith("part: ")] == ["encrypted"] * 3
    assert not [line for line in lines if line.startswith("link: ")]
