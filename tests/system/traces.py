# SPDX-License-Identifier: BSD-2-Clause
"""
What Spoor left in a delivered mail: found, and taken out again to compare with what was sent.

Written from the documented forms alone, with Python's own mail code, so that it shares no error with
the C code it judges.
"""

import base64
import email
import email.policy
import quopri
import re
import urllib.parse

TOKEN = rb"[a-z2-7]+"
PIXEL = re.compile(rb'<img\b[^<>]*?/o/' + TOKEN + rb'\.gif[^<>]*>', re.I)
DECOY = re.compile(rb'<a href="([^"<>]*/c/' + TOKEN + rb'/[A-Za-z0-9:._%~-]+)" aria-hidden="true" tabindex="-1"></a>')
TRACE_FIELDS = (b"return-path", b"received", b"x-original-to", b"delivered-to")


def split(mail):
    """Header and body of a mail, or of a part."""
    header, blank, body = mail.partition(b"\r\n\r\n")
    return (header + b"\r\n" if blank else header), body


def fields(mail, without=TRACE_FIELDS):
    """The header as (name, value with its folds) pairs in order, without those that servers add on the way."""
    found = []
    for line in split(mail)[0].split(b"\r\n")[:-1]:
        if line[:1] in (b" ", b"\t"):
            found[-1][1] += b"\r\n" + line
        else:
            name, _, value = line.partition(b":")
            found.append([name, value])
    return [(name, value) for name, value in found if name.lower() not in without]


def field(mail, name):
    """The unfolded value, or None."""
    for found, value in fields(mail, ()):
        if found.lower() == name.lower().encode():
            return re.sub(rb"\r\n(?=[ \t])", b"", value).strip().decode("utf-8", "replace")
    return None


def field_count(mail, name):
    return sum(found.lower() == name.lower().encode() for found, _ in fields(mail, ()))


def ids(mail, name):
    """The message ids in a header field, without brackets."""
    return re.findall(r"<([^<>\s]+)>", field(mail, name) or "")


def html_parts(mail):
    """The decoded HTML of a delivered mail, part by part."""
    parsed = email.message_from_bytes(mail, policy=email.policy.compat32)
    return [part.get_payload(decode=True) for part in parsed.walk() if part.get_content_type() == "text/html"]


def pixels(mail, tracking_url):
    return _urls(mail, tracking_url, rb"/o/" + TOKEN + rb"\.gif")


def clicks(mail, tracking_url):
    found = _urls(mail, tracking_url, rb"/c/" + TOKEN + rb"/[A-Za-z0-9:._%~-]+")
    return [url for url in found if url not in decoys(mail)]


def document_links(mail, tracking_url):
    """Links to files that have left the mail, each once."""
    return list(dict.fromkeys(_urls(mail, tracking_url, rb"/d/" + TOKEN)))


def decoys(mail):
    return [url.decode() for html in html_parts(mail) for url in DECOY.findall(html)]


def _urls(mail, tracking_url, path):
    pattern = re.escape(tracking_url.encode()) + path
    return [url.decode() for html in html_parts(mail) for url in re.findall(pattern, html)]


def destination(click_url):
    return urllib.parse.unquote(click_url.split("/c/", 1)[1].split("/", 1)[1])


class Undo:
    """Takes pixel, decoy and links of TRACKING_URL out of HTML bytes."""

    def __init__(self, tracking_url):
        self.click = re.compile(re.escape(tracking_url.encode()) + rb"/c/" + TOKEN + rb"/([A-Za-z0-9:._%~-]+)")

    def html(self, content):
        return self.click.sub(lambda m: urllib.parse.unquote_to_bytes(m.group(1)), PIXEL.sub(b"", DECOY.sub(b"", content)))

    def same(self, sent_body, delivered_body, encoding):
        """None when taking the edits out gives the sent body again, else what differs first."""
        compare = {"quoted-printable": self._same_quoted_printable, "base64": self._same_base64}
        return compare.get(encoding, self._same_plain)(sent_body, delivered_body)

    def _same_plain(self, sent, delivered):
        return first_difference(_entities_out(sent), _entities_out(self.html(delivered)))

    def _same_base64(self, sent, delivered):
        return first_difference(_entities_out(base64.b64decode(sent)),
                                _entities_out(self.html(base64.b64decode(delivered))))

    def _same_quoted_printable(self, sent, delivered):
        """Lines without an edit are the same bytes; in the others soft line breaks may move."""
        ours, theirs = _logical_lines(sent), _logical_lines(delivered)
        if len(ours) != len(theirs):
            return "%d lines became %d" % (len(ours), len(theirs))
        for before, after in zip(ours, theirs):
            if before == after:
                continue
            flat = quopri.decodestring(after.replace(b"=\r\n", b""))
            undone = self.html(flat)
            if undone == flat:
                return "a line without an edit: " + first_difference(before, after)
            wanted = quopri.decodestring(before.replace(b"=\r\n", b""))
            difference = first_difference(_entities_out(wanted), _entities_out(undone))
            if difference:
                return difference
        return None


def _logical_lines(body):
    """Quoted-printable lines with the soft breaks inside them."""
    return re.split(rb"(?<!=)\r\n", body)


def _entities_out(html):
    """A destination stands decoded in a tracked URL: "&amp;" in the sent attribute came back as "&"."""
    return html.replace(b"&amp;", b"&")


def first_difference(sent, delivered):
    if sent == delivered:
        return None
    at = next((i for i, (a, b) in enumerate(zip(sent, delivered)) if a != b), min(len(sent), len(delivered)))
    return "byte %d: sent %r, delivered %r" % (at, sent[max(0, at - 20):at + 60], delivered[max(0, at - 20):at + 60])


def parts(mail):
    """The leaves of a mail: (where its content begins, where it ends, transfer encoding, content type)."""
    found = []
    _walk(mail, 0, len(mail), found)
    return found


def _walk(mail, start, end, found):
    blank = mail.find(b"\r\n\r\n", start, end)
    header = mail[start:blank + 2] if blank >= 0 else b""
    at = blank + 4 if blank >= 0 else end
    if mail[start:start + 2] == b"\r\n":  # a part without a header
        header, at = b"", start + 2
    parsed = email.message_from_bytes(header, policy=email.policy.compat32)
    boundary = parsed.get_boundary()
    if parsed.get_content_maintype() == "multipart" and boundary:
        for first, last in _between(mail, at, end, boundary.encode()):
            _walk(mail, first, last, found)
        return
    encoding = parsed.get("Content-Transfer-Encoding", "7bit").strip().lower()
    found.append((at, end, encoding, parsed.get_content_type()))


def _between(mail, start, end, boundary):
    marks = list(re.finditer(rb"(?:^|\r\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r\n|$)", mail[start:end]))
    for one, following in zip(marks, marks[1:]):
        if one.group(1):
            break
        # The line break before a boundary belongs to the boundary; the next match may reuse it.
        yield start + one.end(), start + following.start()


def whole_difference(sent, delivered, tracking_url):
    """None when the delivered mail is the sent one but for what Spoor says it changes."""
    return header_difference(sent, delivered) or body_difference(sent, delivered, tracking_url)


OUR_FIELDS = (b"message-id", b"references", b"in-reply-to")


def header_difference(sent, delivered):
    skipped = TRACE_FIELDS + OUR_FIELDS
    before = [item for item in fields(sent, skipped) if not item[0].lower().startswith(b"x-spoor-")]
    after = fields(delivered, skipped)
    for one, other in zip(before, after):
        if one != other:
            return "header: sent %r, delivered %r" % (one, other)
    if len(before) != len(after):
        return "header: %d fields became %d" % (len(before), len(after))
    return None


def body_difference(sent, delivered, tracking_url):
    undo = Undo(tracking_url)
    before, after = parts(sent), parts(delivered)
    if [part[2:] for part in before] != [part[2:] for part in after]:
        return "parts: sent %r, delivered %r" % (before, after)
    at, other_at = len(split(sent)[0]) + 2, len(split(delivered)[0]) + 2
    for (start, end, encoding, kind), (other_start, other_end, _, _) in zip(before, after):
        difference = first_difference(sent[at:start], delivered[other_at:other_start])
        if not difference:
            content, other = sent[start:end], delivered[other_start:other_end]
            difference = (undo.same(content, other, encoding) if kind == "text/html"
                          else first_difference(content, other))
        if difference:
            return "%s part: %s" % (kind, difference)
        at, other_at = end, other_end
    return first_difference(sent[at:], delivered[other_at:])
