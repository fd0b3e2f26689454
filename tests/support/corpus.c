/* SPDX-License-Identifier: BSD-2-Clause */
/* corpus - see corpus.h */

#include "tests/support/corpus.h"
#include "mail/base64.h"
#include "mail/charset.h"
#include "mail/qp.h"
#include "tests/support/rewrite_check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MOST = 10 * 1000 * 1000 };

bool corpus_read(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    char bytes[4096];
    size_t got;

    buf_init(out, FILE_MOST);
    while (file && (got = fread(bytes, 1, sizeof bytes, file)) > 0)
        buf_add(out, bytes, got);
    if (file)
        fclose(file);
    return file != NULL;
}

static void take_file(const char *path, void (*take)(const struct corpus_mail *mail, void *arg), void *arg)
{
    struct corpus_mail mail;
    struct buf raw;
    char *name = strndup(path, strlen(path) - strlen(".eml"));

    check_that(name && corpus_read(path, &raw), "a mail can be read");
    mail.path = name;
    mail.raw = buf_slice(&raw);
    header_list_init(&mail.headers);
    mail.body = slice_from(mail.raw, header_parse(mail.raw, &mail.headers));
    take(&mail, arg);
    header_list_free(&mail.headers);
    buf_free(&raw);
    free(name);
}

unsigned corpus_each_of(const char *name, void (*take)(const struct corpus_mail *mail, void *arg), void *arg)
{
    const char *top = getenv("top_srcdir");
    struct dirent **entry;
    char folder[2048], path[4096];
    unsigned mails = 0;
    int count;

    snprintf(folder, sizeof folder, "%s/tests/corpus/%s", top ? top : ".", name);
    count = scandir(folder, &entry, NULL, alphasort);
    check_that(count > 0, "the corpus is there");
    for (int at = 0; at < count; at++) {
        size_t len = strlen(entry[at]->d_name);

        if (len > 4 && strcmp(entry[at]->d_name + len - 4, ".eml") == 0) {
            snprintf(path, sizeof path, "%s/%s", folder, entry[at]->d_name);
            take_file(path, take, arg);
            mails++;
        }
        free(entry[at]);
    }
    free(entry);
    return mails;
}

unsigned corpus_each(void (*take)(const struct corpus_mail *mail, void *arg), void *arg)
{
    return corpus_each_of("outgoing", take, arg);
}

static bool undo_encoding(const struct mime_part *part, struct slice content, struct buf *out)
{
    struct qp_map map;
    bool done;

    if (part->encoding == MIME_BASE64)
        return base64_decode(content, out);
    if (part->encoding == MIME_IDENTITY)
        return buf_add_slice(out, content);
    done = qp_decode(content, out, &map);
    qp_map_free(&map);
    return done;
}

bool corpus_decode(const struct mime_part *part, struct slice body, struct buf *out)
{
    enum charset_way way = charset_way_of(slice_str(part->charset));
    struct buf decoded;
    bool done;

    buf_init(out, FILE_MOST);
    buf_init(&decoded, FILE_MOST);
    done = way != CHARSET_UNKNOWN && undo_encoding(part, slice_of(body.p + part->at, part->len), &decoded);
    way = charset_settle(way, buf_slice(&decoded));
    if (done && way == CHARSET_DIRECT)
        done = buf_add_slice(out, buf_slice(&decoded));
    else if (done)
        done = charset_mask(way, buf_slice(&decoded), out);
    buf_free(&decoded);
    return done;
}
