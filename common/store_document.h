/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_document - files that leave a mail, into the database; see store.h for answers and deadlines.
 *
 * A file's chunks, its document and what its link names commit together, or nothing does. After anything but STORE_YES the
 * commit may all the same have succeeded: then a link exists that no mail has.
 */
#ifndef COMMON_STORE_DOCUMENT_H
#define COMMON_STORE_DOCUMENT_H

#include "common/store.h"

enum { STORE_CHUNK_BYTES = 256 * 1024 };

struct store_file {
    uint64_t message; /* 0: a new entry of the library, whose number it becomes */
    unsigned number;  /* of the link, from 1 */
    const char *type; /* ending of the name, lower case */
    const char *name; /* UTF-8 */
    const char *content_type;
    struct slice bytes;
    uint64_t document; /* set by store_document() */
};

/* STORE_NO: the database refuses it. WHY gets the reason unless it is STORE_YES. */
enum store_answer store_document(struct db *db, struct store_file *file, struct buf *why, int deadline_ms);

/* A link of a mail to what a link of another mail of its owner, or one of the library, names. */
struct store_carried {
    uint64_t from_message;
    unsigned from_number;
    unsigned number; /* wanted in MESSAGE; 0 afterwards: there is no such link */
};
enum store_answer store_carry_documents(struct db *db, uint64_t message, struct slice owner, struct store_carried *carried,
                                        size_t count, int deadline_ms);

/* The library, oldest first; texts are valid in the call. */
struct store_content {
    uint64_t number, document, bytes;
    const char *name, *added_at, *state;
};
enum store_answer store_content_list(struct db *db, void (*each)(void *arg, const struct store_content *content), void *arg,
                                     int deadline_ms);
/* No mail can link it any more; those that were sent keep their links. STORE_NO: there is no such entry. */
enum store_answer store_content_remove(struct db *db, uint64_t number, int deadline_ms);

#endif
