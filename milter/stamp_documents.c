/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_documents - see stamp_documents.h */

#include "common/clock.h"
#include "common/log.h"
#include "common/store_document.h"
#include "milter/stamp_documents.h"

#include <inttypes.h>
#include <stdlib.h>

enum { UPLOADS = 2 };

/* --- whose turn it is --------------------------------------------------------------------------------------- */

static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned under_way;
} uploads = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static void init_uploads(void)
{
    clock_condition_init(&uploads.ended);
}

static bool begin_upload(int64_t until_ms)
{
    struct timespec until = clock_monotonic_at(until_ms);
    bool begun;
    int late = 0;

    pthread_once(&uploads.once, init_uploads);
    pthread_mutex_lock(&uploads.lock);
    while (uploads.under_way == UPLOADS && !late)
        late = pthread_cond_timedwait(&uploads.ended, &uploads.lock, &until);
    begun = uploads.under_way < UPLOADS;
    uploads.under_way += begun;
    pthread_mutex_unlock(&uploads.lock);
    return begun;
}

static void end_upload(void)
{
    pthread_mutex_lock(&uploads.lock);
    uploads.under_way--;
    pthread_cond_signal(&uploads.ended);
    pthread_mutex_unlock(&uploads.lock);
}

/* --- files -------------------------------------------------------------------------------------------------- */

static void begin_time(struct stamp_documents *documents)
{
    if (!documents->until_ms)
        documents->until_ms = clock_monotonic_ms() + documents->filter->conf->stamp.document_timeout_ms;
}

static bool upload(const struct stamp_documents *documents, const struct outgoing_file *from, struct buf *why)
{
    struct store_file file = {
        .message = from->message,
        .number = from->number,
        .type = from->document->type,
        .name = from->document->name,
        .content_type = from->document->content_type,
        .bytes = from->bytes,
    };
    struct db_pool *databases = shard_pools_of(&documents->filter->databases, from->message);
    struct db *db = db_pool_wait(databases, clock_left_ms(documents->until_ms));
    bool stored;

    if (!db) {
        buf_add_str(why, "there is no connection to the database");
        return false;
    }
    stored = store_document(db, &file, why, clock_left_ms(documents->until_ms)) == STORE_YES;
    db_pool_give(databases, db);
    return stored;
}

bool stamp_documents_store(struct stamp_documents *documents, const struct outgoing_file *file)
{
    bool stored = false;
    struct buf why;

    buf_init(&why, 1024);
    begin_time(documents);
    if (!clock_left_ms(documents->until_ms) || !begin_upload(documents->until_ms)) {
        buf_add_str(&why, "document_timeout is over");
    } else {
        stored = upload(documents, file, &why);
        end_upload();
    }
    if (!stored)
        log_warn("message=%" PRIu64 " a file of %zu bytes stays attached: %s", file->message, file->bytes.len, buf_text(&why));
    buf_free(&why);
    return stored;
}

/* --- links to the files of other mails ------------------------------------------------------------------------ */

static bool ask(const struct stamp_filter *filter, const struct record_message *mail, struct store_carried *carried, size_t count)
{
    int64_t until_ms = clock_monotonic_ms() + filter->conf->database_timeout_ms;
    struct db_pool *databases = shard_pools_of(&filter->databases, mail->id);
    struct db *db = db_pool_wait(databases, clock_left_ms(until_ms));
    enum store_answer answer;

    if (!db)
        return false;
    answer = store_carry_documents(db, mail->id, mail->owner, carried, count, clock_left_ms(until_ms));
    if (answer != STORE_YES)
        log_warn("message=%" PRIu64 " links to documents of other mails are not told apart: %s", mail->id, db_error(db));
    db_pool_give(databases, db);
    return answer == STORE_YES;
}

void stamp_documents_carry(const struct stamp_filter *filter, const struct record_message *mail, unsigned first,
                           struct tracking_document *document, size_t count)
{
    struct store_carried *carried = calloc(count, sizeof *carried);
    struct tracking_document **of = calloc(count, sizeof(struct tracking_document *));
    size_t near = 0;

    for (size_t at = 0; carried && of && at < count; at++) {
        if (shard_pools_of(&filter->databases, document[at].message) != shard_pools_of(&filter->databases, mail->id))
            continue; /* the file is on another server: its link stays, and names no recipient */
        of[near] = &document[at];
        carried[near++] = (struct store_carried){
            .from_message = document[at].message, .from_number = document[at].index, .number = first + (unsigned)at};
    }
    if (near && ask(filter, mail, carried, near))
        for (size_t at = 0; at < near; at++)
            of[at]->number = (uint16_t)carried[at].number;
    free(of);
    free(carried);
}
