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
#include "mail/report.h"

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

/* The part's text; DECODED holds it when it is base64. Quoted-printable changes nothing in what is read here. */
static struct slice part_text(const struct mime_part *part, struct slice body, struct buf *decoded)
{
    struct slice text = slice_of(body.p + part->at, part->len);

    if (part->encoding != MIME_BASE64)
        return text;
    buf_reset(decoded);
    base64_decode(text, decoded);
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

/* 1 is the worst; a recipient of whom nothing is said weighs least. */
static int rank(enum report_action action)
{
    return action == ACTION_UNKNOWN ? ACTION_DELIVERED + 1 : (int)action;
}

static bool is_status(struct slice word)
{
    for (size_t at = 0; at < word.len; at++)
        if (!ascii_is_digit(word.p[at]) && word.p[at] != '.')
            return false;
    return word.len >= 5 && word.p[1] == '.';
}

static void set_status(struct report *report, struct slice status)
{
    if (!is_status(status) || status.len >= sizeof report->status)
        status.len = 0;
    memcpy(report->status, status.p, status.len);
    report->status[status.len] = '\0';
}

/* Blocks of fields, the first about the mail, each further one about a recipient (RFC 3464 2.1). */
static void read_delivery(struct slice text, struct report *report)
{
    while (text.len) {
        struct header_list block;
        enum report_action action;
        size_t used;

        header_list_init(&block);
        used = header_parse(text, &block);
        action = action_of(header_value(&block, "Action"));
        if (rank(action) < rank(report->action)) {
            report->action = action;
            set_status(report, keyword_of(header_value(&block, "Status")));
        }
        header_list_free(&block);
        text = slice_from(text, used ? used : text.len);
    }
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

static void read_disposition(struct slice text, struct report *report)
{
    header_parse(text, &report->returned); /* for its Original-Message-ID */
    report->disposition = disposition_of(header_value(&report->returned, "Disposition"));
}

static void read_feedback(struct slice text, struct report *report)
{
    struct header_list fields;
    struct slice type;

    header_list_init(&fields);
    header_parse(text, &fields);
    type = keyword_of(header_value(&fields, "Feedback-Type"));
    report->complaint = !slice_is_i(type, "not-spam") && !slice_is_i(type, "auth-failure");
    header_list_free(&fields);
}

/* An answer, not the invitation itself (RFC 5546 1.4). */
static bool answers_meeting(struct slice text)
{
    if (text.len > CALENDAR_READ)
        text.len = CALENDAR_READ;
    return slice_find_i(text, "METHOD:REPLY") != (size_t)-1 || slice_find_i(text, "METHOD:COUNTER") != (size_t)-1;
}

static void read_machine_part(enum report_kind kind, struct slice text, struct report *report)
{
    if (kind == REPORT_MEETING && !answers_meeting(text))
        return;
    report->kind = kind;
    if (kind == REPORT_DELIVERY)
        read_delivery(text, report);
    else if (kind == REPORT_DISPOSITION)
        read_disposition(text, report);
    else if (kind == REPORT_FEEDBACK)
        read_feedback(text, report);
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
            read_machine_part(kind, part_text(part, body, &decoded), report);
        else if (about_mail && is_returned(part))
            header_parse(part_text(part, body, &decoded), &report->returned);
    }
    mime_tree_free(&tree);
    buf_free(&decoded);
    return ok;
}

void report_free(struct report *report)
{
    header_list_free(&report->returned);
}

void report_read_text(struct slice body, struct report *report)
{
    size_t at = 0;

    while (at < body.len && report->returned.count < TEXT_FIELDS_MAX) {
        struct slice rest = slice_from(body, at);
        const char *newline = memchr(rest.p, '\n', rest.len);
        size_t next = newline ? at + (size_t)(newline - rest.p) + 1 : body.len;
        struct header_line line;

        if (slice_starts_i(rest, slice_str("Message-ID:")) || slice_starts_i(rest, slice_str("References:"))) {
            char value[1024];
            size_t end = at;
            if (header_next(body, &end, &line) && line.value.len < sizeof value) {
                memcpy(value, line.value.p, line.value.len);
                value[line.value.len] = '\0';
                header_list_add(&report->returned, ascii_lower(rest.p[0]) == 'm' ? "Message-ID" : "References", value);
            }
        }
        at = next;
    }
}
