/* SPDX-License-Identifier: BSD-2-Clause */
/* loader_place - where in the spool a loader goes on; see loader_private.h */

#include "common/loader_private.h"

#include <inttypes.h>

/* The last record that the database knows, as it stands in the spool. SPOOL_READ_FAILED without memory, too. */
static enum spool_read read_last(struct loader *loader, struct spool_record *record)
{
    struct spool_reader *reader = spool_reader_new(loader->spool, loader->progress.record);
    enum spool_read read = reader ? spool_reader_next(reader, record) : SPOOL_READ_FAILED;

    spool_reader_free(reader);
    return read;
}

/*
 * Does the database know the spool as it is, or another life of it, from which the folder was set back? A last
 * record that cannot be read says nothing; but when the folder notes the same position as the database, both
 * speak of the same life.
 */
static bool is_same_life(struct loader *loader)
{
    const struct store_progress *progress = &loader->progress;
    struct spool_record record;

    if (progress->position > spool_end(loader->spool))
        return false;
    if (progress->position == 0 || progress->record < spool_first(loader->spool))
        return true; /* there is nothing left to compare with */
    switch (read_last(loader, &record)) {
    case SPOOL_READ_RECORD:
        return record.position == progress->record && record.end == progress->position
               && record.checksum == progress->checksum;
    case SPOOL_READ_END:
        return false;
    default:
        log_warn("the last record loaded, at position %" PRIu64 " of the spool, cannot be read any more", progress->record);
        return spool_loaded(loader->spool) == progress->position;
    }
}

static enum store_answer find_progress(struct loader *loader, const uint8_t identity[SPOOL_IDENTITY_BYTES])
{
    return store_progress(loader->db, identity, loader->host, loader->program, &loader->progress,
                          loader_allowed_ms(loader, LOADER_QUESTION_MS));
}

static enum loader_step start_reading(struct loader *loader, struct spool_reader *reader)
{
    loader->reader = reader;
    if (!reader)
        log_err("no memory to read the spool");
    return reader ? STEP_ON : STEP_AGAIN;
}

static enum loader_step place_inherited(struct loader *loader, const struct spool_inherited *inherited)
{
    loader->inherited = true;
    if (find_progress(loader, inherited->identity) == STORE_AWAY)
        return loader_away(loader, "ask");
    return start_reading(loader, spool_reader_new_inherited(loader->spool, loader->progress.position));
}

static enum loader_step renew(struct loader *loader)
{
    log_warn("the database knows another life of this spool, up to position %" PRIu64 "; it gets a new identity, "
             "and what was appended from position %" PRIu64 " on is loaded again",
             loader->progress.position, spool_loaded(loader->spool));
    if (!spool_renew(loader->spool, &loader->why)) {
        log_err("%s", buf_text(&loader->why));
        return STEP_AGAIN;
    }
    loader->node_leased = false;
    loader->furthest = 0;
    return STEP_ON;
}

/* What is not kept any more had been loaded; a database that has not got it now was set back too far. Ends of segments hold nothing. */
static void look_for_gap(struct loader *loader)
{
    uint64_t gone = spool_gone(loader->spool);
    bool lacks = loader->progress.position < spool_loaded(loader->spool);

    if (lacks && loader->progress.position < gone && loader->gap != loader->progress.position + 1) {
        log_err("the database has this spool up to position %" PRIu64 ", and its records are kept from %" PRIu64
                " only: what lay between is lost", loader->progress.position, gone);
        loader->gap = loader->progress.position + 1;
    }
    if (loader->progress.position < loader->furthest)
        log_warn("the database was set back: loading again from position %" PRIu64, loader->progress.position);
    loader->furthest = loader->progress.position;
}

static bool seems_set_back(struct loader *loader)
{
    return loader->progress.position == 0 || loader->progress.position < spool_loaded(loader->spool);
}

/* A database that was set back may also lack what it had under older identities of this spool. */
static enum loader_step look_back(struct loader *loader)
{
    struct spool_inherited past;

    loader->looked_back = true;
    for (size_t n = 0; spool_past(loader->spool, n, &past); n++) {
        if (find_progress(loader, past.identity) == STORE_AWAY)
            return loader_away(loader, "ask");
        if (loader->progress.position >= past.end)
            continue;
        log_warn("the database was set back: what it had of an older identity of the spool is loaded again from position"
                 " %" PRIu64, loader->progress.position);
        if (!spool_inherit(loader->spool, n, &loader->why)) {
            log_err("%s", buf_text(&loader->why));
            return STEP_AGAIN;
        }
    }
    return STEP_ON;
}

/* Agrees with the database on where to go on. */
enum loader_step loader_place(struct loader *loader)
{
    uint8_t identity[SPOOL_IDENTITY_BYTES];
    struct spool_inherited inherited;

    if (spool_inherited(loader->spool, &inherited))
        return place_inherited(loader, &inherited);
    loader->inherited = false;
    spool_identity(loader->spool, identity);
    if (find_progress(loader, identity) == STORE_AWAY)
        return loader_away(loader, "ask");
    if (!loader->looked_back && seems_set_back(loader)) {
        enum loader_step step = look_back(loader);

        return step == STEP_ON ? loader_place(loader) : step;
    }
    if (!is_same_life(loader)) {
        if (renew(loader) != STEP_ON)
            return STEP_AGAIN;
        spool_identity(loader->spool, identity);
        if (find_progress(loader, identity) == STORE_AWAY)
            return loader_away(loader, "ask");
    }
    look_for_gap(loader);
    spool_release(loader->spool, loader->progress.position);
    return start_reading(loader, spool_reader_new(loader->spool, loader->progress.position));
}

/* All that the folder brought along is loaded: on to its own records. */
enum loader_step loader_settle(struct loader *loader)
{
    buf_reset(&loader->why);
    if (!spool_inherited_settle(loader->spool, &loader->why)) {
        log_err("%s", buf_text(&loader->why));
        return STEP_AGAIN;
    }
    spool_reader_free(loader->reader);
    loader->reader = NULL;
    return loader_place(loader);
}
