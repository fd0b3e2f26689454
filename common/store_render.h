/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_render - what spoor-render asks and tells the database: which document is next, its bytes, its pages.
 *
 * A document is a job while it is pending. Whoever claims it holds it for a lease that he renews; all that he tells
 * afterwards counts only as long as it is his. NO means it is not any more, or that there is none.
 */
#ifndef COMMON_STORE_RENDER_H
#define COMMON_STORE_RENDER_H

#include "common/store.h"

struct store_holder {
    const char *name; /* nobody else's */
    int lease_s;
};

enum { STORE_FILE_TYPE = 8 }; /* "docx" and its kin, with NUL */

struct store_job {
    int64_t document;
    char file_type[STORE_FILE_TYPE];
    int64_t bytes;
    int attempts; /* this one counted */
};

struct store_page {
    int number; /* from 1 */
    int width, height;
    struct slice image; /* WebP */
    struct slice text;  /* UTF-8 without NUL */
};

enum store_answer store_listen_jobs(struct db *db, int deadline_ms);
enum store_answer store_claim_job(struct db *db, const struct store_holder *holder, struct store_job *job, int deadline_ms);
enum store_answer store_keep_job(struct db *db, const struct store_holder *holder, int64_t document, int deadline_ms);

/* Adds piece NUMBER, from 0, of a document to OUT. NO: there is none. OUT fails when it is full. */
enum store_answer store_read_chunk(struct db *db, int64_t document, int number, struct buf *out, int deadline_ms);

/* Renews the lease too. */
enum store_answer store_add_page(struct db *db, const struct store_holder *holder, int64_t document, const struct store_page *page,
                                 int deadline_ms);

/* The end of a job: STATE and REASON (NULL: none). Of its pages the first PAGES stay. */
enum store_answer store_finish_job(struct db *db, const struct store_holder *holder, int64_t document, const char *state,
                                   const char *reason, int pages, int deadline_ms);
/* To be tried again after WAIT_S. */
enum store_answer store_put_off_job(struct db *db, const struct store_holder *holder, int64_t document, const char *reason,
                                    int wait_s, int deadline_ms);
/* As if it had not been claimed. */
enum store_answer store_give_back_job(struct db *db, const struct store_holder *holder, int64_t document, int deadline_ms);

#endif
