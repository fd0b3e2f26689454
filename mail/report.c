/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report - see report.h
 *
 * The kind follows from the machine-readable part, not from the report-type parameter: relays drop the
 * parameter and lists nest the report.
 */

#include "mail/base64.h"
#include "mail/keyword.h"
#include "mail/mime.h"
#include "mail/qp.h"
#include "mail/reference.h"
#include "mail/report.h"

#include <stdint.h>
#include <stdlib.h>

enum {
    DECODED_MAX = 1024 * 1024, /* of one part; a returned mail's header is far smaller */
    CALENDAR_READ = 4096,      /* METHOD stands near the top */
    TEXT_FIELDS_MAX = 64,
};

static const struct {
    const char *type;
    enum report_kind kind;
} machine_parts[] = {
    {"message/delivery-status", REPORT_DELIVERY},
    {"message/global-delivery-status", REPORT_DELIVERY},
    {"message/disposition-notification", REPORT_DISPOSITION},
    {"message/global-disposition-notification", REPORT_DISPOSITION},
    {"message/feedback-report", REPORT_FEEDBACK},
    {"text/calendar", REPORT_MEETING},
};

/* message/rfc822-headers does not exist, but some say so. */
static const char *const returned_parts[] = {
    "message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global", "message/global-headers",
};

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static enum report_kind kind_of(const struct mime_part *part)
{
    for (size_t n = 0; n < LENGTH(machine_parts); n++)
        if (strcmp(part->type, machine_parts[n].type) == 0)
            return machine_parts[n].kind;
    return REPORT_NONE;
}

static bool is_returned(const struct mime_part *part)
{
    for (size_t n = 0; n < LENGTH(returned_parts); n++)
        if (strcmp(part->type, returned_parts[n]) == 0)
            return true;
    return false;
}

/* The part's text; DECODED holds it when it was encoded. message/global may be (RFC 6532 3.5). */
static struct slice part_text(const struct mime_part *part, struct slice body, struct buf *decoded)
{
    struct slice text = slice_of(body.p + part->at, part->len);
    struct qp_map map;

    if (part->encoding == MIME_IDENTITY)
        return text;
    if (text.len > DECODED_MAX)
        text.len = DECODED_MAX;
    buf_reset(decoded);
    if (part->encoding == MIME_BASE64) {
        base64_decode(text, decoded);
    } else {
        qp_decode(text, decoded, &map);
        qp_map_free(&map);
    }
    return buf_slice(decoded);
}

static enum report_action action_of(const char *value)
{
    struct slice word = keyword_of(value);

    if (slice_is_i(word, "failed"))
        return ACTION_FAILED;
    if (slice_is_i(word, "delayed"))
        return ACTION_DELAYED;
    if (slice_is_i(word, "delivered") || slice_is_i(word, "relayed") || slice_is_i(word, "expanded"))
        return ACTION_DELIVERED;
    return ACTION_UNKNOWN;
}

bool report_status_is_hard(const char *status)
{
    return status[0] == '5' && strcmp(status, "5.2.2") != 0;
}

/* 0 is the worst; a recipient of whom nothing is said weighs least. */
static int rank(const struct report_recipient *recipient)
{
    switch (recipient->action) {
    case ACTION_FAILED:
        return report_status_is_hard(recipient->status) ? 0 : 1;
    case ACTION_DELAYED:
        return 2;
    case ACTION_DELIVERED:
        return 3;
    case ACTION_UNKNOWN:
        break;
    }
    return 4;
}

void report_choose(struct report *report, const bool *counts)
{
    const struct report_recipient *worst = NULL;

    for (size_t n = 0; n < report->recipients; n++)
        if ((!counts || counts[n]) && (!worst || rank(&report->recipient[n]) < rank(worst)))
            worst = &report->recipient[n];
    if (!worst)
        return;
    report->worst = (size_t)(worst - report->recipient);
    report->action = worst->action;
    memcpy(report->status, worst->status, sizeof report->status);
}

static bool is_status(struct slice word)
{
    for (size_t at = 0; at < word.len; at++)
        if (!ascii_is_digit(word.p[at]) && word.p[at] != '.')
            return false;
    return word.len >= 5 && word.p[1] == '.';
}

static void set_status(struct slice status, char text[REPORT_STATUS])
{
    if (!is_status(status) || status.len >= REPORT_STATUS)
        status.len = 0;
    memcpy(text, status.p, status.len);
    text[status.len] = '\0';
}

static bool is_code_byte(char c)
{
    return ascii_is_digit(c) || c == '.';
}

/* Marked as a code: "#5.1.1", or behind the reply code of its class, "550 5.1.1" (RFC 2034 4). */
static bool is_marked(struct slice text, size_t at)
{
    const char *before = text.p + at;

    if (at > 0 && before[-1] == '#')
        return true;
    return at >= 4 && (before[-1] == ' ' || before[-1] == '-') && ascii_is_digit(before[-2]) &&
           ascii_is_digit(before[-3]) && before[-4] == before[0] && (at == 4 || !is_code_byte(before[-5]));
}

/* The first enhanced status code (RFC 3463) in running text; empty when there is none. */
static struct slice status_in(struct slice text)
{
    for (size_t at = 0; at + 5 <= text.len; at++) {
        struct slice code = slice_from(text, at);

        if ((code.p[0] != '4' && code.p[0] != '5') || code.p[1] != '.' || !is_marked(text, at))
            continue;
        for (code.len = 0; at + code.len < text.len && is_code_byte(code.p[code.len]);)
            code.len++;
        while (code.len && code.p[code.len - 1] == '.')
            code.len--;
        if (is_status(code))
            return code;
    }
    return slice_of("", 0);
}

/* One character written "\x{F6}" (RFC 6533 3), the form of an address that must stay ASCII. */
static size_t add_escaped(struct slice text, struct buf *out)
{
    uint32_t code = 0;
    size_t at = 3;

    if (!slice_starts_i(text, slice_str("\\x{")))
        return 0;
    while (at < text.len && at < 9 && ascii_hex_value(text.p[at]) >= 0)
        code = code << 4 | (uint32_t)ascii_hex_value(text.p[at++]);
    if (at == 3 || at == text.len || text.p[at] != '}' || !reference_add_utf8(code, out))
        return 0;
    return at + 1;
}

/* "rfc822; bob@client.example": what stands behind the type (RFC 3464 2.3.2). NULL without memory. */
static char *address_of(const char *value)
{
    const char *semicolon = value ? strchr(value, ';') : NULL;
    struct slice text = slice_trim(slice_str(semicolon ? semicolon + 1 : value ? value : ""));
    struct buf address;

    buf_init(&address, 4 * HEADER_BYTES_MAX);
    buf_add_str(&address, "");
    while (text.len) {
        size_t used = add_escaped(text, &address);

        if (!used)
            buf_add_char(&address, text.p[0]);
        text = slice_from(text, used ? used : 1);
    }
    return buf_steal(&address);
}

/* Takes both texts. */
static bool add_recipient(struct report *report, enum report_action action, struct slice status, char *address,
                          char *final)
{
    struct report_recipient *grown = NULL;

    if (address && final)
        grown = reallocarray(report->recipient, report->recipients + 1, sizeof *grown);
    if (!grown) {
        free(address);
        free(final);
        return false;
    }
    report->recipient = grown;
    grown[report->recipients] = (struct report_recipient){.action = action, .address = address, .final = final};
    set_status(status, grown[report->recipients++].status);
    return true;
}

static bool add_block(const struct header_list *block, struct report *report)
{
    const char *original = header_value(block, "Original-Recipient"), *final = header_value(block, "Final-Recipient");
    const char *action = header_value(block, "Action"), *status = header_value(block, "Status");
    const char *diagnostic = header_value(block, "Diagnostic-Code");
    struct slice code = keyword_of(status);

    if (!original && !final && !action && !status)
        return true; /* the block about the mail, or none */
    if (!is_status(code))
        code = status_in(slice_str(diagnostic ? diagnostic : ""));
    return add_recipient(report, action_of(action), code, address_of(original ? original : final),
                         address_of(original ? final : NULL));
}

/* Blocks of fields, the first about the mail, each further one about a recipient (RFC 3464 2.1). */
static bool read_delivery(struct slice text, struct report *report)
{
    bool ok = true;

    while (ok && text.len && report->recipients < REPORT_RECIPIENTS_MAX) {
        struct header_list block;
        size_t used;

        header_list_init(&block);
        used = header_parse(text, &block);
        ok = add_block(&block, report);
        header_list_free(&block);
        text = slice_from(text, used ? used : text.len);
    }
    report_choose(report, NULL);
    return ok;
}

/* "manual-action/MDN-sent-manually; displayed/error" (RFC 8098 3.2.6) */
static const char *disposition_of(const char *value)
{
    static const char *const words[] = {"displayed", "deleted", "dispatched", "processed"};
    const char *semicolon = value ? strchr(value, ';') : NULL;
    struct slice word = semicolon ? keyword_of(semicolon + 1) : slice_str("");

    for (size_t n = 0; n < LENGTH(words); n++) {
        struct slice want = slice_str(words[n]);
        if (slice_starts_i(word, want) && (word.len == want.len || !ascii_is_alpha(word.p[want.len])))
            return words[n];
    }
    return NULL;
}

static bool read_disposition(struct slice text, struct report *report)
{
    header_parse(text, &report->returned); /* for its Original-Message-ID */
    report->disposition = disposition_of(header_value(&report->returned, "Disposition"));
    return true;
}

static bool read_feedback(struct slice text, struct report *report)
{
    const struct header_field *field;
    struct header_list fields;
    struct slice type;
    bool ok = true;

    header_list_init(&fields);
    header_parse(text, &fields);
    type = keyword_of(header_value(&fields, "Feedback-Type"));
    report->complaint = !slice_is_i(type, "not-spam") && !slice_is_i(type, "auth-failure");
    for (size_t nth = 0; ok && nth < REPORT_RECIPIENTS_MAX && (field = header_find(&fields, "Original-Rcpt-To", nth));
         nth++)
        ok = add_recipient(report, ACTION_UNKNOWN, slice_str(""), address_of(field->value), address_of(NULL));
    header_list_free(&fields);
    return ok;
}

/* An answer, not the invitation itself (RFC 5546 1.4). */
static bool answers_meeting(struct slice text)
{
    if (text.len > CALENDAR_READ)
        text.len = CALENDAR_READ;
    return slice_find_i(text, "METHOD:REPLY") != (size_t)-1 || slice_find_i(text, "METHOD:COUNTER") != (size_t)-1;
}

static bool read_machine_part(enum report_kind kind, struct slice text, struct report *report)
{
    if (kind == REPORT_MEETING && !answers_meeting(text))
        return true;
    report->kind = kind;
    switch (kind) {
    case REPORT_DELIVERY:
        return read_delivery(text, report);
    case REPORT_DISPOSITION:
        return read_disposition(text, report);
    case REPORT_FEEDBACK:
        return read_feedback(text, report);
    case REPORT_MEETING:
    case REPORT_NONE:
        break;
    }
    return true;
}

/* A machine part that nobody attached as a file, or that lies in a report. */
static bool may_report(const struct mime_tree *tree, const struct mime_part *part)
{
    if (part->parent != MIME_NO_PARENT && strcmp(tree->part[part->parent].type, "multipart/report") == 0)
        return true;
    return !part->attachment;
}

bool report_read(const struct header_list *headers, struct slice body, struct report *report)
{
    struct mime_tree tree;
    struct buf decoded;
    bool ok;

    *report = (struct report){.kind = REPORT_NONE};
    header_list_init(&report->returned);
    buf_init(&decoded, DECODED_MAX);
    ok = mime_scan(headers, body, &tree);
    for (size_t n = 0; ok && n < tree.count; n++) {
        const struct mime_part *part = &tree.part[n];
        enum report_kind kind = part->multipart ? REPORT_NONE : kind_of(part);
        bool about_mail = report->kind != REPORT_NONE && report->kind != REPORT_MEETING;

        if (kind != REPORT_NONE && report->kind == REPORT_NONE && may_report(&tree, part))
            ok = read_machine_part(kind, part_text(part, body, &decoded), report);
        else if (about_mail && is_returned(part))
            header_parse(part_text(part, body, &decoded), &report->returned);
    }
    mime_tree_free(&tree);
    buf_free(&decoded);
    return ok;
}

void report_free(struct report *report)
{
    for (size_t n = 0; n < report->recipients; n++) {
        free(report->recipient[n].address);
        free(report->recipient[n].final);
    }
    free(report->recipient);
    report->recipient = NULL;
    report->recipients = 0;
    header_list_free(&report->returned);
}

/* Exim and Gmail: a list of addresses. */
static bool read_failed_recipients(const struct header_list *headers, struct report *report)
{
    const char *value = header_value(headers, "X-Failed-Recipients");
    struct slice rest = slice_str(value ? value : "");
    bool ok = true;

    while (ok && rest.len && report->recipients < REPORT_RECIPIENTS_MAX) {
        const char *comma = memchr(rest.p, ',', rest.len);
        struct slice address = slice_trim(slice_of(rest.p, comma ? (size_t)(comma - rest.p) : rest.len));

        rest = slice_from(rest, comma ? (size_t)(comma - rest.p) + 1 : rest.len);
        if (address.len)
            ok = add_recipient(report, ACTION_FAILED, slice_str(""), strndup(address.p, address.len),
                               address_of(NULL));
    }
    return ok;
}

/* qmail's "<bob@client.example>:" (QSBMF). */
static bool read_failed_line(struct slice line, struct report *report)
{
    line = slice_trim(line);
    if (line.len < 5 || line.p[0] != '<' || line.p[line.len - 2] != '>' || line.p[line.len - 1] != ':' ||
        !memchr(line.p, '@', line.len) || report->recipients == REPORT_RECIPIENTS_MAX)
        return true;
    return add_recipient(report, ACTION_FAILED, slice_str(""), strndup(line.p, line.len - 1), address_of(NULL));
}

/* A line of the mail that is returned in the text; AT is where it begins. True when it was one. */
static bool read_returned_line(struct slice body, size_t at, struct report *report)
{
    struct slice rest = slice_from(body, at);
    bool names_mail = slice_starts_i(rest, slice_str("Message-ID:"));
    struct header_line line;
    char value[1024];

    if (!names_mail && !slice_starts_i(rest, slice_str("References:")))
        return false;
    if (header_next(body, &at, &line) && line.value.len < sizeof value) {
        memcpy(value, line.value.p, line.value.len);
        value[line.value.len] = '\0';
        header_list_add(&report->returned, names_mail ? "Message-ID" : "References", value);
    }
    return true;
}

bool report_read_text(const struct header_list *headers, struct slice body, struct report *report)
{
    bool ok = read_failed_recipients(headers, report), returned = false;
    size_t at = 0;

    while (ok && at < body.len && report->returned.count < TEXT_FIELDS_MAX) {
        struct slice line = slice_from(body, at);
        const char *newline = memchr(line.p, '\n', line.len);

        line.len = newline ? (size_t)(newline - line.p) : line.len;
        returned = read_returned_line(body, at, report) || returned;
        if (!returned && !report->status[0])
            set_status(status_in(line), report->status);
        if (!returned)
            ok = read_failed_line(line, report);
        at += line.len + 1;
    }
    for (size_t n = 0; n < report->recipients; n++)
        memcpy(report->recipient[n].status, report->status, sizeof report->status);
    return ok;
}
