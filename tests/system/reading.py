# SPDX-License-Identifier: BSD-2-Clause
"""Documents that can be read, without the programs that store and convert them: rows, and pictures made here."""

import hashlib
import os
import random
import shutil
import struct
import time
import zlib

import memcached as memcached_of
import postgres as postgres_of
import servers as servers_of
import spoor as spoor_of
import tokens
from postgres import quote

CHUNK = 256 * 1024
WIDTH, HEIGHT = 1240, 1754


def png(width, height, rows):
    """A picture of one bit a pixel; ROWS are bytes of (width + 7) // 8 each."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    packed = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)) +
            chunk(b"IDAT", packed) + chunk(b"IEND", b""))


def page_picture(number):
    """Grey lines that look like text from afar, and the page's number in large bars."""
    chance = random.Random(number)
    blank = b"\xff" * (WIDTH // 8)
    rows = [blank] * 120
    for bar in range(number):
        rows += [b"\xff" * 12 + b"\0" * 40 + b"\xff" * (WIDTH // 8 - 52)] * 10 + [blank] * 10
    while len(rows) < HEIGHT - 150:
        words = bytearray(blank)
        at = 14
        while at < WIDTH // 8 - 20:
            length = chance.randrange(2, 9)
            for n in range(at, at + length):
                words[n] = chance.randrange(256)
            at += length + 1
        rows += [bytes(words)] * 3 + [bytes(byte | chance.randrange(256) for byte in words)] * 9 + [blank] * 16
    return png(WIDTH, HEIGHT, (rows + [blank] * HEIGHT)[:HEIGHT])


def page_text(number):
    return ("Page %d\n\n" % number + "What the offer holds, in the words of page %d: the price & the terms. " % number * 20)


class Library:
    """PostgreSQL, memcached and spoor-pixeld behind a trusted proxy, which are we."""

    def __init__(self, **settings):
        self.folder = servers_of.new_folder()
        self.log_folder = os.path.join(self.folder, "log")
        os.makedirs(self.log_folder)
        self.postgres = postgres_of.Postgres(self.folder, self.log_folder)
        self.memcached = memcached_of.Memcached(self.log_folder)
        self.postgres.start()
        self.memcached.start()
        self.postgres.create_database()
        settings.setdefault("trusted_proxies", ["127.0.0.0/8"])
        self.spoor = spoor_of.Spoor(self.folder, self.log_folder, self.postgres.conninfo, self.memcached.address, pixeld=settings)
        self.spoor.settings["memcached_timeout"] = "10s"  # on a busy machine it must not seem to be away
        tokens.write_keys(self.spoor.key_file)
        self.spoor.install_schema()
        self.spoor.start("pixeld")

    def stop(self):
        statuses = self.spoor.stop_all()
        self.memcached.stop()
        self.postgres.stop()
        if not os.environ.get("SPOOR_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
        return statuses

    def mail(self, recipients=("bob@example.net",), age_s=3600):
        """A mail that went to these; its number."""
        message = tokens.message_id(age_s)
        self.postgres.execute(
            "INSERT INTO spoor.message (id, sent_at, size, level, pixels, sent_to, owner, sender, subject) VALUES "
            "(%d, now() - interval '%d s', 1000, 'individual', 1, %d, 'alice@example.com', 'alice@example.com', 'Our offer');"
            "INSERT INTO spoor.recipient (message, address, key) VALUES %s" % (
                message, age_s, len(recipients),
                ", ".join("(%d, %s, %d)" % (message, quote(address), 77 + n) for n, address in enumerate(recipients))))
        return message

    def document(self, content, file_type="pdf", pages=0, state=None, reason=None):
        """Its number; PAGES of them can be looked at."""
        self.postgres.execute(
            "INSERT INTO spoor.document (sha256, file_type, bytes, state, reason, pages) VALUES "
            "('\\x%s', %s, %d, %s, %s, %s)" % (
                hashlib.sha256(content).hexdigest(), quote(file_type), len(content), quote(state or ("ready" if pages else "pending")),
                quote(reason) if reason else "null", pages or "null"))
        number = int(self.postgres.value("SELECT max(id) FROM spoor.document"))
        chunks = [content[at:at + CHUNK] for at in range(0, len(content), CHUNK)]
        for n, chunk in enumerate(chunks):
            self.postgres.execute("INSERT INTO spoor.document_chunk VALUES (%d, %d, '\\x%s')" % (number, n, chunk.hex()))
        self.postgres.execute("".join(
            "INSERT INTO spoor.page (document, number, width, height, image, image_type, text) VALUES "
            "(%d, %d, %d, %d, '\\x%s', 'image/png', %s);" % (number, n, WIDTH, HEIGHT, page_picture(n).hex(), quote(page_text(n)))
            for n in range(1, pages + 1)))
        return number

    def attach(self, message, document, name="proposal.pdf", number=1):
        self.postgres.execute(
            "INSERT INTO spoor.attachment (message, number, document, file_name, content_type, bytes) "
            "SELECT %d, %d, id, %s, 'application/octet-stream', bytes FROM spoor.document WHERE id = %d" % (
                message, number, quote(name), document))

    def path(self, message, number=1, recipient=77, aggregate=False):
        return "/d/" + tokens.token(tokens.DOCUMENT, message=message, recipient=recipient,
                                    index=number | (tokens.AGGREGATE if aggregate else 0))

    def url(self, message, **more):
        return self.spoor.tracking_url + self.path(message, **more)


class Reader:
    """
    A person at a browser; counts for himself how long he looked at each page, and how long it may have been in sight at most: a
    browser takes its time to turn pages and tabs.
    """

    def __init__(self, browser, opened=None):
        """OPENED: when the browser was sent there, on the monotonic clock; the first page may be in sight from then on."""
        self.browser = browser
        self.opened = opened
        self.looked, self.at_most = {}, {}
        self.turned = 0  # the longest that it took to turn to a page
        self.page = self.since = None

    def look(self, page, seconds):
        """Turns the wheel until the page is the one in sight, and looks at it."""
        began = time.monotonic()
        where = "return Math.round(document.getElementById('p%d').getBoundingClientRect().top)" % page
        for _ in range(40):
            far = self.browser.script(where) - 60
            if abs(far) < 20:
                break
            self.browser.wheel(max(-9000, min(9000, far)))
        assert abs(far) < 200, "page %d did not come into sight" % page
        self.turned = max(self.turned, time.monotonic() - began)
        self.away()
        self.page, self.since = page, self.opened or began
        self.opened = None
        started = time.monotonic()
        time.sleep(seconds)
        self.looked[page] = self.looked.get(page, 0) + time.monotonic() - started

    def away(self):
        """The page is in sight no more."""
        if self.page:
            self.at_most[self.page] = self.at_most.get(self.page, 0) + time.monotonic() - self.since
        self.page = None
