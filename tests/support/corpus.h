/* SPDX-License-Identifier: BSD-2-Clause */
/* corpus - the mails of a folder in tests/corpus, one by one. Fails the running test when it cannot. */
#ifndef TESTS_SUPPORT_CORPUS_H
#define TESTS_SUPPORT_CORPUS_H

#include "common/buf.h"
#include "mail/header.h"
#include "mail/mime.h"

struct corpus_mail {
    const char *path; /* without ".eml" */
    struct slice raw;
    struct header_list headers;
    struct slice body;
};

/* Calls TAKE for each mail of the folder NAME, such as "outgoing"; returns how many there are. */
unsigned corpus_each_of(const char *name, void (*take)(const struct corpus_mail *mail, void *arg), void *arg);

/* Those of "outgoing". */
unsigned corpus_each(void (*take)(const struct corpus_mail *mail, void *arg), void *arg);

/* A file's bytes; the caller frees OUT. False when it is not there. */
bool corpus_read(const char *path, struct buf *out);

/* The part's content decoded, and masked so that it can be read as ASCII; false when it cannot be. */
bool corpus_decode(const struct mime_part *part, struct slice body, struct buf *out);

#endif
