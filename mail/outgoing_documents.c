/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outgoing_documents - which files leave a mail
 *
 * X-Spoor-Attachments says it of one mail: "track", "none" or patterns of names with commas between; else the configuration
 * does. A file leaves only when settings->store() has it safe.
 */

#include "mail/outgoing_work.h"

#include <stdlib.h>
#include <strings.h>

#define FIELD "X-Spoor-Attachments"

enum { PATTERNS_MAX = 100 };

/* What is asked for: by the mail where it says anything, else by the configuration and by policy. */
struct patterns {
    const struct outgoing_work *work;
    struct slice item[PATTERNS_MAX];
    size_t count;
    bool said; /* by the mail */
    bool none;
};

static void add_pattern(struct patterns *patterns, struct slice text)
{
    if (patterns->count < PATTERNS_MAX && text.len)
        patterns->item[patterns->count++] = text;
}

static void read_word(struct patterns *patterns, struct slice word)
{
    if (slice_is_i(word, "none"))
        patterns->none = true;
    else
        add_pattern(patterns, slice_is_i(word, "track") ? slice_str("*") : word);
}

static void read_words(struct patterns *patterns, struct slice text)
{
    while (text.len) {
        size_t len = slice_find_char(text, ',');

        read_word(patterns, slice_trim(slice_of(text.p, len)));
        text = slice_from(text, len + 1);
    }
}

/* All fields of that name count: what one of them refuses is refused. TEXT holds the words. */
static void read_wishes(struct outgoing_work *work, struct patterns *patterns, struct buf *text)
{
    const struct header_list *headers = work->mail->headers;
    const struct conf_list *usual = &work->conf->stamp.attachments;

    for (size_t at = 0; at < headers->count; at++)
        if (strcasecmp(headers->field[at].name, FIELD) == 0) {
            header_decode_words(slice_str(headers->field[at].value), text);
            buf_add_char(text, ',');
        }
    patterns->said = text->len > 0;
    if (patterns->said)
        read_words(patterns, buf_slice(text));
    else
        for (size_t at = 0; at < usual->count; at++)
            add_pattern(patterns, slice_str(usual->item[at]));
    patterns->none |= text->failed;
}

static bool is_wanted(void *arg, struct slice name, uint64_t bytes)
{
    const struct patterns *patterns = arg;

    for (size_t at = 0; at < patterns->count; at++)
        if (document_name_fits(name, patterns->item[at]))
            return true;
    return !patterns->said && outgoing_wants_file(patterns->work, name, bytes);
}

bool outgoing_store_dry(void *arg, const struct outgoing_file *file)
{
    (void)arg;
    (void)file;
    return true;
}

/* Else the mail need not be looked through. */
static bool asks_for_any(const struct patterns *patterns)
{
    return patterns->count > 0 || (!patterns->said && policy_names_files(patterns->work->settings->policy));
}

/* A file that cannot be read as its mail says, or is found to be too large or too small, stays. */
static bool store(struct outgoing_work *work, struct document *document, unsigned number)
{
    const struct outgoing_settings *settings = work->settings;
    const struct conf *conf = work->conf;
    struct outgoing_file file = {.message = work->plan->record.id, .number = number, .document = document};
    struct buf bytes;
    bool stored = false;

    buf_init(&bytes, document->len + 4);
    if (document_decode(work->mail->body, document, &bytes) && bytes.len >= (size_t)conf->stamp.attachment_smallest &&
        bytes.len <= (size_t)conf->stamp.attachment_largest) {
        document->bytes = bytes.len;
        file.bytes = buf_slice(&bytes);
        stored = settings->store(settings->arg, &file);
    }
    work->plan->failed |= bytes.failed;
    buf_free(&bytes);
    return stored;
}

const char *outgoing_documents(struct outgoing_work *work)
{
    const struct conf *conf = work->conf;
    struct patterns patterns = {.work = work};
    struct document_choice choice = {
        .type = conf->stamp.attachment_types.item,
        .types = conf->stamp.attachment_types.count,
        .wanted = is_wanted,
        .arg = &patterns,
        .smallest = (uint64_t)conf->stamp.attachment_smallest,
        .largest = (uint64_t)conf->stamp.attachment_largest,
    };
    struct document_list *list;
    struct buf text;
    unsigned number = 0;

    if (work->degree != REWRITE_BODY || !work->settings->store)
        return NULL;
    buf_init(&text, HEADER_BYTES_MAX);
    read_wishes(work, &patterns, &text);
    work->documents &= !patterns.none;
    if (work->documents && asks_for_any(&patterns)) {
        list = work->plan->documents = calloc(1, sizeof *list);
        if (!list || !document_find(work->mail->headers, work->mail->body, &choice, list))
            work->plan->failed = true;
        for (size_t at = 0; !work->plan->failed && at < list->count; at++)
            if (store(work, &list->item[at], number + 1))
                list->item[at].number = ++number;
    }
    buf_free(&text);
    return NULL;
}

/* The whole mail was the file: its header is that of the page now. */
void outgoing_document_header(struct outgoing_work *work)
{
    static const struct {
        const char *name, *value;
    } fields[] = {{"Content-Type", "text/html; charset=us-ascii"},
                  {"Content-Transfer-Encoding", "7bit"},
                  {"Content-Disposition", NULL},
                  {"Content-Description", NULL},
                  {"Content-ID", NULL},
                  {"Content-MD5", NULL}};
    for (size_t at = 0; at < sizeof fields / sizeof *fields; at++) {
        struct buf value;

        if (!fields[at].value) {
            outgoing_remove_headers(work, fields[at].name, 1);
            continue;
        }
        buf_init(&value, HEADER_BYTES_MAX);
        buf_add_str(&value, fields[at].value);
        outgoing_set_header(work->plan, fields[at].name, 1, &value);
        buf_free(&value);
    }
}
