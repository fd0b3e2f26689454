/* SPDX-License-Identifier: BSD-2-Clause */
/* notice - see notice.h */

#include "relay/notice.h"

#include "common/event_kind.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 256 * 1024, WORD_BYTES = 15 /* of an encoded word: 45 characters of at most 75 */, LINE_MAX_QP = 70 };

/* --- forms ------------------------------------------------------------------------------------------- */

static bool is_plain(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7E || strncmp(text, "=?", 2) == 0)
            return false;
    return true;
}

static size_t character_bytes(const char *text)
{
    size_t len = 1;

    while (((unsigned char)text[len] & 0xC0) == 0x80 && len < 4)
        len++;
    return len;
}

/* One encoded word a line (RFC 2047); none ends within a character. */
static void add_encoded(struct buf *out, const char *text)
{
    const char *separator = "";

    while (*text) {
        size_t len = 0;

        buf_add_f(out, "%s=?utf-8?Q?", separator);
        while (text[len] && len + character_bytes(text + len) <= WORD_BYTES)
            len += character_bytes(text + len);
        for (size_t at = 0; at < len; at++)
            buf_add_f(out, "=%02X", (unsigned)(unsigned char)text[at]);
        buf_add_str(out, "?=");
        separator = "\r\n ";
        text += len;
    }
}

static void add_subject(struct buf *out, const char *text)
{
    buf_add_str(out, "Subject: ");
    if (is_plain(text) && strlen(text) < LINE_MAX_QP)
        buf_add_str(out, text);
    else
        add_encoded(out, text);
    buf_add_str(out, "\r\n");
}

/* Quoted-printable (RFC 2045 6.7). */
static void add_quoted(struct buf *out, const char *text)
{
    size_t column = 0;

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = c > 0x20 && c <= 0x7E && c != '=' && !(c == '.' && column == 0);

        if (c == '\n') {
            buf_add_str(out, "\r\n");
            column = 0;
            continue;
        }
        if (column >= LINE_MAX_QP) {
            buf_add_str(out, "=\r\n");
            column = 0;
            plain = plain && c != '.';
        }
        if (plain || (c == ' ' && text[1] != '\n' && text[1]))
            buf_add_char(out, (char)c), column++;
        else
            buf_add_f(out, "=%02X", (unsigned)c), column += 3;
    }
}

/* --- what is said ------------------------------------------------------------------------------------ */

static void add_sentence(struct buf *out, const char *person, const char *what, const char *subject)
{
    const struct event_kind *kind = event_kind_of(what);

    buf_add_f(out, "%s ", *person ? person : "somebody");
    if (kind)
        buf_add_str(out, kind->did_to);
    else
        buf_add_f(out, "(%s)", what);
    buf_add_f(out, " \"%s\"", *subject ? subject : "(no subject)");
}

/* "2026-11-30 12:00 UTC" of RFC 3339 */
static void add_time(struct buf *out, const char *at)
{
    if (strlen(at) < 16)
        return;
    buf_add_f(out, "%.10s %.5s UTC", at, at + 11);
}

static void add_event(const struct event *event, struct buf *subject, struct buf *text)
{
    add_sentence(subject, event->person, event->what, event->subject);
    add_sentence(text, event->person, event->what, event->subject);
    buf_add_str(text, "\n\n");
    add_time(text, event->at);
    buf_add_char(text, '\n');
    if (*event->destination)
        buf_add_f(text, "%s\n", event->destination);
    else if (*event->detail)
        buf_add_f(text, "%s\n", event->detail);
    if (*event->status)
        buf_add_f(text, "Status: %s\n", event->status);
    if (event->gap)
        buf_add_str(text, "Something that happened before this could not be mailed to you.\n");
}

static void add_digest(const struct event *event, struct buf *subject, struct buf *text)
{
    size_t total = event_digest_total(event), told = 0;
    struct event_line line;

    buf_add_f(subject, "Your mails: %zu event%s", total, total == 1 ? "" : "s");
    for (; event_digest_line(event, told, &line); told++) {
        add_time(text, line.at);
        buf_add_str(text, "  ");
        add_sentence(text, line.person, line.what, line.subject);
        buf_add_f(text, "%s%s\n", *line.detail ? "  " : "", line.detail);
    }
    if (total > told)
        buf_add_f(text, "and %zu more\n", total - told);
}

static void add_head(const struct event *event, const char *from, time_t now, const char *subject, struct buf *out)
{
    const char *at = strrchr(from, '@');
    char date[64];
    struct tm day;

    gmtime_r(&now, &day);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &day); /* the locale is C */
    buf_add_f(out, "From: Spoor <%s>\r\nTo: <%s>\r\nDate: %s\r\n", from, event->to, date);
    add_subject(out, subject);
    buf_add_f(out, "Message-ID: <%s.notice%s>\r\n", event->key, at ? at : "@localhost");
    buf_add_str(out, "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\nX-Spoor-Track: off\r\n"
                     "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
}

bool notice_write(const struct event *event, const char *from, time_t now, struct buf *out)
{
    struct buf subject, text;

    buf_init(&subject, TEXT_MAX);
    buf_init(&text, TEXT_MAX);
    if (strcmp(event->what, "digest") == 0)
        add_digest(event, &subject, &text);
    else
        add_event(event, &subject, &text);
    add_head(event, from, now, buf_text(&subject), out);
    add_quoted(out, buf_text(&text));
    out->failed |= subject.failed || text.failed;
    buf_free(&subject);
    buf_free(&text);
    return !out->failed;
}
