/* SPDX-License-Identifier: BSD-2-Clause */
/* document_part - what of a document a request is for, and what the database says of it. For the files of document. */
#ifndef PIXELD_DOCUMENT_PART_H
#define PIXELD_DOCUMENT_PART_H

#include "common/store_document_view.h"
#include "pixeld/site.h"

#include <stdbool.h>
#include <stdint.h>

enum document_part {
    PART_NOTHING,
    PART_ALL,
    PART_PAGE,
    PART_IMAGE,
    PART_FILE,
    PART_BEACON
};

struct document_target {
    enum document_part part;
    int page;             /* PART_PAGE and PART_IMAGE: from 1 */
    struct slice version; /* PART_IMAGE */
};

/* REST is what stands behind the token, see url.h. */
struct document_target document_target_of(struct slice rest);
/* The number that TEXT begins with, 0 for none: without a leading zero, and no more digits than fit. Gives the rest. */
struct slice document_take_number(struct slice text, int *number);

enum { DOCUMENT_QUESTION_MS = 2000, DOCUMENT_NAME_MAX = 1024 };

/* What a request at the desk is about. */
struct document_request {
    struct site *site;
    const struct request *request;
    const struct token *token;
    struct slice token_text;
    struct document_target target;
    struct store_link link;
    struct db *db;
};

/* What the database says of it, copied. */
struct document_facts {
    uint64_t id;
    char hash[DOCUMENT_HASH_TEXT + 1];
    char file_type[8];
    char state[16];
    char reason[32];
    struct buf file_name;
    int64_t bytes;
    int64_t pages;
};

/* FACTS need document_facts_release() in any case. */
enum store_answer document_facts_of(const struct document_request *document, struct document_facts *facts);
void document_facts_release(struct document_facts *facts);

/* The answer for STORE_NO and STORE_AWAY. */
struct http_answer document_refusal(const struct document_request *document, enum store_answer answer);

/* The answer with that body, or that it cannot be given. */
struct http_answer document_once(const struct site *site, struct http_page *page, uint64_t after);

/* The answers, at the desk. */
struct http_answer document_html(const struct document_request *document);
struct http_answer document_image(const struct document_request *document);
struct http_answer document_file(const struct document_request *document);

#endif
