# SPDX-License-Identifier: BSD-2-Clause
"""
Files that left a mail, judged from outside: what the mail should be without them, and what it says of them.

Written from the manual alone, with Python's own mail code, so that it shares no error with the C code it judges.
"""

import base64
import email
import email.policy
import quopri
import re

import tokens
import traces

HTML = re.compile(rb'<table role="presentation" border="0" cellspacing="0" cellpadding="0"\s+style="margin:16px 0;'
                  rb'border-collapse:collapse">.*?</table>', re.S)
TEXT = rb"[^\r\n]+ \([A-Z]{3,4}, \d+(?:\.\d)? (?:bytes|KB|MB)\):\r\n%s/d/[a-z2-7]{52}"


def files(mail):
    """The named files of a mail as (name, bytes), in order, as any mail program sees them."""
    parsed = email.message_from_bytes(mail, policy=email.policy.default)
    return [(part.get_filename(), part.get_payload(decode=True)) for part in parsed.walk() if part.get_filename()]


def links(mail, tracking_url):
    """The tokens of the links to documents, part by part: (content type, [tokens])."""
    parsed = email.message_from_bytes(mail, policy=email.policy.compat32)
    found = []
    for part in parsed.walk():
        if part.get_content_maintype() == "text" and not part.get_filename():
            text = part.get_payload(decode=True)
            found.append((part.get_content_type(),
                          re.findall(re.escape(tracking_url.encode()) + rb"/d/([a-z2-7]{52})", text)))
    return [(kind, [token.decode() for token in each]) for kind, each in found]


def all_links(mail, tracking_url):
    """Every token once, in order."""
    return list(dict.fromkeys(token for _, each in links(mail, tracking_url) for token in each))


def verify(token, key_file):
    """(message, recipient, index) of a document's token whose signature is right."""
    raw = base64.b32decode(token.upper() + "=" * 4)
    number, secret = tokens.first_key(key_file)
    message, recipient, index = (int.from_bytes(raw[at:end], "big") for at, end in ((2, 10), (10, 14), (14, 16)))
    assert raw[0] == 1 << 4 | tokens.DOCUMENT and raw[1] == number
    assert tokens.sign(secret, tokens.DOCUMENT, message, key=number, recipient=recipient, index=index) == token
    return message, recipient, index


def without(mail, names):
    """The sent mail without the parts of these files, each with the delimiter before it."""
    for name in names:
        begin, end = _part_of(mail, name)
        mail = mail[:begin] + mail[end:]
    return mail


def _part_of(mail, name):
    parsed = email.message_from_bytes(mail, policy=email.policy.default)
    for multipart in parsed.walk():
        if multipart.get_content_type() != "multipart/mixed":
            continue
        mark = re.compile(rb"^--" + re.escape(multipart.get_boundary().encode()) + rb"(?:--)?[ \t]*\r\n", re.M)
        marks = [found.start() for found in mark.finditer(mail)]
        for part, begin, end in zip(multipart.iter_parts(), marks, marks[1:]):
            if part.get_filename() == name:
                return begin, end
    raise AssertionError("no part of %r" % name)


def difference(sent, delivered, names, tracking_url):
    """None when the delivered mail is the sent one without these files, with links to them and Spoor's other edits."""
    return traces.header_difference(sent, delivered) or body_difference(sent, delivered, names, tracking_url)


def body_difference(sent, delivered, names, tracking_url):
    expected = without(sent, names)
    before, after = traces.parts(expected), traces.parts(delivered)
    if [part[2:] for part in before] != [part[2:] for part in after]:
        return "parts: sent %r, delivered %r" % (before, after)
    for (start, end, encoding, kind) in reversed(after):
        if kind.startswith("text/"):
            content = _unlinked(delivered[start:end], encoding, kind, tracking_url)
            delivered = delivered[:start] + content + delivered[end:]
    return (_same_texts(expected, delivered)
            or traces.body_difference(_plain_texts_out(expected), _plain_texts_out(delivered), tracking_url))


def _unlinked(content, encoding, kind, tracking_url):
    """The part without our links. In quoted-printable and base64 nothing but they may have changed once they are decoded."""
    if encoding == "base64":
        decoded = base64.b64decode(content)
        return content if kind == "text/html" and not HTML.search(decoded) else _encode_like(
            content, _unlink(decoded, kind, tracking_url, b""))
    if encoding == "quoted-printable" and kind == "text/html":
        return _unlink_quoted_printable(content)
    if encoding == "quoted-printable":
        decoded = quopri.decodestring(content)
        undone = _unlink(decoded, kind, tracking_url, b"")
        return content if undone == decoded else b"=?" + undone
    return _unlink(content, kind, tracking_url, b"\r\n")


def _unlink(text, kind, tracking_url, line_break):
    if kind == "text/html":
        text = traces.PIXEL.sub(b"", traces.DECOY.sub(b"", text))  # a second pass puts them before the last line break
        return re.sub(line_break + HTML.pattern + line_break, b"", text, flags=re.S)
    links_of = TEXT % re.escape(tracking_url.encode())
    block = links_of + rb"(?:\r\n" + links_of + rb")*"
    text, count = re.subn(rb"\r\n\r\n" + block + rb"(?=\s*\Z)", b"", text)
    return text if count else re.sub(block + rb"\r\n\r\n", b"", text)


def _unlink_quoted_printable(content):
    """A line that holds the table, decoded without it: for the judge of edits, who decodes lines that differ."""
    lines = []
    for line in traces._logical_lines(content):
        flat = quopri.decodestring(line.replace(b"=\r\n", b""))
        lines.append(quopri.encodestring(HTML.sub(b"", flat)).replace(b"=\n", b"=\r\n").rstrip(b"\n")
                     if HTML.search(flat) else line)
    return b"\r\n".join(lines)


def _encode_like(old, decoded):
    width = len(old.split(b"\r\n")[0])
    text = base64.b64encode(decoded)
    lines = [text[at:at + width] for at in range(0, len(text), width)]
    return b"\r\n".join(lines) + (b"\r\n" if old.endswith(b"\r\n") else b"")


def _texts(mail):
    return [(start, end, encoding) for start, end, encoding, kind in traces.parts(mail) if kind == "text/plain"]


def _same_texts(sent, delivered):
    """Plain texts say the same once decoded; what is not encoded is the same bytes."""
    for (start, end, encoding), (at, to, _) in zip(_texts(sent), _texts(delivered)):
        before, after = sent[start:end], delivered[at:to]
        if encoding == "quoted-printable" and after.startswith(b"=?"):
            before, after = quopri.decodestring(before), after[2:]
        if before != after:
            return "text/plain: " + traces.first_difference(before, after)
    return None


def _plain_texts_out(mail):
    for start, end, encoding in reversed(_texts(mail)):
        mail = mail[:start] + b"(text)" + mail[end:]
    return mail
