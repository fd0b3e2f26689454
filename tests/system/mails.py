# SPDX-License-Identifier: BSD-2-Clause
"""The mails that tests and demo send, as bytes with CRLF. MARK goes into the subject, so each can be found again."""

import base64
import email.utils
import itertools
import os
import quopri
import time

COUNTER = itertools.count(1)

# A one-pixel picture that belongs to the mail: no tracking, it must pass as it is.
PICTURE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

LINKS = ("https://www.example.org/spring?colour=green&size=large",
         "http://shop.example.org/offers/%C3%BCber/2026#top",
         "https://www.example.org/a/very/long/path/that/does/not/fit/into/one/line/of/quoted-printable/at/all.html")

HTML = """<!DOCTYPE html>
<html><head><title>Spring</title></head>
<body style="margin:0">
<p>Grüße, dear reader — this is a line that is long enough to need a soft line break in quoted-printable.</p>
<p><a href="https://www.example.org/spring?colour=green&amp;size=large">Our spring colours</a></p>
<p><a class="x" href='http://shop.example.org/offers/%C3%BCber/2026#top'>Offers</a> and
<a href="https://www.example.org/a/very/long/path/that/does/not/fit/into/one/line/of/quoted-printable/at/all.html">more</a></p>
<p><a href="mailto:shop@example.com">Write to us</a> or <a href="tel:+4930123456">call</a>.</p>
<p><a data-pm-no-track href="https://www.example.org/private">not tracked</a></p>
</body></html>
"""
TRACKED_LINKS = 3


def new_mark():
    return "mark-%d-%d-%s" % (os.getpid(), next(COUNTER), os.urandom(4).hex())


def crlf(text):
    return text.replace("\n", "\r\n").encode()


def header(sender, to, mark, subject="Spring news", cc=(), message_id=None, agent=None, more=()):
    """The header block up to but without the MIME fields; MESSAGE_ID "" leaves it out."""
    lines = ["From: Alice Example <%s>" % sender, "To: %s" % ", ".join(to)]
    if cc:
        lines.append("Cc: %s" % ", ".join(cc))
    lines += ["Subject: %s %s" % (subject, mark), "Date: %s" % email.utils.formatdate(time.time(), localtime=False)]
    if message_id != "":
        lines.append("Message-ID: <%s>" % (message_id or "%s@client.example.com" % mark))
    if agent:
        lines.append("User-Agent: %s" % agent)
    return crlf("\n".join(lines + list(more)) + "\nMIME-Version: 1.0\n")


def quoted_printable(text):
    return quopri.encodestring(text.encode(), quotetabs=False).replace(b"\n", b"\r\n")


def html_quoted_printable(sender, to, mark, html=HTML, **more):
    return (header(sender, to, mark, **more) + b"Content-Type: text/html; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + quoted_printable(html))


def html_base64(sender, to, mark, html=HTML, **more):
    return (header(sender, to, mark, **more) + b"Content-Type: text/html; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n" + base64_lines(html.encode().replace(b"\n", b"\r\n")))


def html_8bit(sender, to, mark, html=HTML, **more):
    return (header(sender, to, mark, **more) + b"Content-Type: text/html; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: 8bit\r\n\r\n" + crlf(html))


def html_7bit(sender, to, mark, html=HTML, **more):
    ascii_html = html.replace("ü", "&uuml;").replace("ß", "&szlig;").replace("—", "&mdash;")
    return (header(sender, to, mark, **more) + b"Content-Type: text/html; charset=us-ascii\r\n\r\n" +
            crlf(ascii_html))


def base64_lines(content):
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


def alternative_with_picture(sender, to, mark, html=HTML, **more):
    """multipart/alternative: plain text, and multipart/related of HTML with its picture."""
    html = html.replace("</body>", '<img src="cid:picture@example.com" alt="logo">\n</body>')
    return (header(sender, to, mark, **more) +
            b'Content-Type: multipart/alternative; boundary="outer=_1"\r\n\r\n'
            b"This is a MIME message.\r\n"
            b"--outer=_1\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            + crlf("Grüße. See https://www.example.org/spring\n") +
            b'--outer=_1\r\nContent-Type: multipart/related; boundary="inner=_2"\r\n\r\n'
            b"--inner=_2\r\nContent-Type: text/html; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + quoted_printable(html) +
            b"\r\n--inner=_2\r\nContent-Type: image/png\r\nContent-ID: <picture@example.com>\r\n"
            b"Content-Disposition: inline\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64_lines(PICTURE) +
            b"--inner=_2--\r\n\r\n--outer=_1--\r\nepilogue\r\n")


def with_file(sender, to, mark, name="proposal.docx", content=b"", html=HTML, more=(), **others):
    """multipart/mixed: HTML and an attached file, which may leave the mail."""
    return (header(sender, to, mark, more=["X-Spoor-Attachments: track"] + list(more), **others) +
            b'Content-Type: multipart/mixed; boundary="mixed=_1"\r\n\r\n'
            b"--mixed=_1\r\nContent-Type: text/html; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + quoted_printable(html) +
            b"\r\n--mixed=_1\r\nContent-Type: application/octet-stream\r\n"
            b"Content-Disposition: attachment; filename=\"%s\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" % name.encode() +
            base64_lines(content) + b"--mixed=_1--\r\n")


def plain(sender, to, mark, text="Good morning,\nthis is plain text: https://www.example.org/plain\n", **more):
    return (header(sender, to, mark, **more) + b"Content-Type: text/plain; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: 8bit\r\n\r\n" + crlf(text))


def pgp_signed(sender, to, mark, **more):
    """RFC 3156. The signature is no real one: what matters is that the signed part stays."""
    return (header(sender, to, mark, **more) +
            b'Content-Type: multipart/signed; micalg=pgp-sha256; protocol="application/pgp-signature"; boundary="sig"\r\n'
            b"\r\n--sig\r\nContent-Type: text/html; charset=us-ascii\r\n\r\n"
            b'<p>Signed. <a href="https://www.example.org/signed">a link</a></p>\r\n'
            b"\r\n--sig\r\nContent-Type: application/pgp-signature; name=signature.asc\r\n\r\n"
            b"-----BEGIN PGP SIGNATURE-----\r\n\r\niHUEABYIAB0WIQTexample\r\n-----END PGP SIGNATURE-----\r\n\r\n--sig--\r\n")


def answer(sender, to, mark, in_reply_to, references=(), subject="Re: Spring news", more=()):
    """A person's answer; the ids stand as they are, with their brackets."""
    threads = ["In-Reply-To: %s" % in_reply_to] if in_reply_to else []
    if references:
        threads.append("References: " + "\n ".join(references))
    return answer_with(sender, to, mark, threads, subject, more)


def answer_with(sender, to, mark, threads, subject="Re: Spring news", more=(), text="Thank you, please call me.\n"):
    """An answer whose thread fields are given as whole lines."""
    lines = ["From: Bob <%s>" % sender, "To: %s" % ", ".join(to), "Subject: %s %s" % (subject, mark),
             "Date: %s" % email.utils.formatdate(time.time(), localtime=False),
             "Message-ID: <%s@mail.example.net>" % mark]
    lines += list(threads) + list(more) + ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8"]
    return crlf("\n".join(lines) + "\n\n" + text)


def out_of_office(sender, to, mark, in_reply_to):
    """As Exchange and most others send it: RFC 3834's field, a subject in words, no quoted text."""
    return answer_with(sender, to, mark, ["In-Reply-To: %s" % in_reply_to],
                       subject="Automatic reply: Spring news",
                       more=["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All",
                             "Precedence: bulk"],
                       text="I am out of the office until 1 December 2026.\n")


def newsletter(size, links=20):
    """HTML of about SIZE bytes with LINKS links, for the benchmarks."""
    rows, paragraph = [], ("<p>Spring is coming, and with it the colours that our weavers have dyed over the "
                           "winter: madder, woad and weld, each on wool that grew on the hills nearby.</p>\n")
    for number in range(links):
        rows.append('<p><a href="https://www.example.org/offer/%d?campaign=spring&amp;place=%d">Offer %d</a></p>\n'
                    % (number, number, number))
    room = max(0, size - len("".join(rows)) - 80)
    filler = max(1, room // len(paragraph) // max(1, links))
    for number in range(links):
        rows[number] += paragraph * filler
    return "<!DOCTYPE html>\n<html><body>\n%s</body></html>\n" % "".join(rows)
