/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_document_view - what the viewer of documents asks the database.
 *
 * As store.h for answers, deadlines and threads. A link is named by the mail and the number of the attachment, as in its
 * token; one that is revoked, expired or unknown is answered by NO.
 */
#ifndef COMMON_STORE_DOCUMENT_VIEW_H
#define COMMON_STORE_DOCUMENT_VIEW_H

#include "common/store.h"

enum { DOCUMENT_CHUNK_BYTES = 256 * 1024 }; /* of a file; all pieces but the last have as many */
enum { DOCUMENT_HASH_TEXT = 64 };

struct store_link {
    uint64_t message;
    uint16_t number;
};

/* The texts are valid in the call. */
struct store_document {
    uint64_t id;
    const char *hash; /* SHA-256 in hex */
    const char *file_name;
    const char *file_type; /* "pdf", "docx", ... */
    int64_t bytes;
    const char *state;  /* a word of spoor.document_state */
    const char *reason; /* NULL: none */
    int64_t pages;      /* 0: not known */
};
struct store_page {
    int number, width, height;
    const char *text; /* "": none; NULL: too much to come with all others */
};

enum store_answer store_find_document(struct db *db, struct store_link link, void (*found)(void *arg, const struct store_document *document),
                                      void *arg, int deadline_ms);
/* FOUND is called once, with all pages that can be shown, in order; with ONLY alone when that is not 0. NO: there are none. */
enum store_answer store_find_pages(struct db *db, struct store_link link, int only,
                                   void (*found)(void *arg, const struct store_page *page, size_t pages), void *arg, int deadline_ms);
/* Adds the picture of a page to IMAGE and its media type to TYPE. */
enum store_answer store_find_image(struct db *db, struct store_link link, int page, struct buf *image, struct buf *type, int deadline_ms);
/* Adds piece CHUNK, from 0, of the file to BYTES. NO: the link shows another document now. */
enum store_answer store_find_chunk(struct db *db, struct store_link link, uint64_t document, int chunk, struct buf *bytes, int deadline_ms);

#endif
