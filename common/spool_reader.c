/* SPDX-License-Identifier: BSD-2-Clause */
/* spool_reader - reads back what is on the disk; takes the spool's mutex only when it has used up what it knew of */

#include "common/spool_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct spool_reader {
    struct spool *spool;
    struct spool_segment *segment; /* open, counted in its `readers`; NULL: none yet */
    struct spool_window window;
    uint64_t position;
    uint64_t limit; /* known to be on the disk, in this segment */
    uint64_t stop;  /* never reads from here on */
};

static struct spool_reader *reader_new(struct spool *spool, uint64_t from, uint64_t stop)
{
    struct spool_reader *reader = calloc(1, sizeof *reader);

    if (!reader)
        return NULL;
    reader->spool = spool;
    reader->position = from;
    reader->stop = stop;
    if (!spool_window_init(&reader->window, -1)) {
        free(reader);
        return NULL;
    }
    return reader;
}

struct spool_reader *spool_reader_new(struct spool *spool, uint64_t from)
{
    uint64_t first = spool_first(spool);

    return reader_new(spool, from < first ? first : from, UINT64_MAX);
}

struct spool_reader *spool_reader_new_inherited(struct spool *spool, uint64_t from)
{
    struct spool_inherited inherited = {.first = 0};

    spool_inherited(spool, &inherited);
    return reader_new(spool, from < inherited.first ? inherited.first : from, inherited.end);
}

/* The mutex is held. */
static void segment_leave(struct spool_reader *reader)
{
    if (!reader->segment)
        return;
    reader->segment->readers--;
    reader->segment = NULL;
    close(reader->window.file);
    spool_window_turn(&reader->window, -1);
}

void spool_reader_free(struct spool_reader *reader)
{
    if (!reader)
        return;
    pthread_mutex_lock(&reader->spool->mutex);
    segment_leave(reader);
    pthread_mutex_unlock(&reader->spool->mutex);
    spool_window_free(&reader->window);
    free(reader);
}

uint64_t spool_reader_position(const struct spool_reader *reader)
{
    return reader->position;
}

/* The mutex is held. */
static bool segment_enter(struct spool_reader *reader, struct spool_segment *segment)
{
    char name[SPOOL_NAME_MAX];
    int file;

    segment_leave(reader);
    spool_segment_name(segment->start, name);
    file = openat(reader->spool->folder.directory, name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    spool_window_turn(&reader->window, file);
    reader->segment = segment;
    segment->readers++;
    if (reader->position < segment->start + SPOOL_HEADER_BYTES)
        reader->position = segment->start + SPOOL_HEADER_BYTES;
    return true;
}

/* The first segment that ends behind POSITION, or the current one. The mutex is held. */
static struct spool_segment *segment_of(const struct spool *spool, uint64_t position)
{
    size_t n = 0;

    while (n + 1 < spool->segments && spool->segment[n]->end <= position)
        n++;
    return spool->segment[n];
}

/* Finds more to read: SPOOL_READ_RECORD when there is. */
static enum spool_read advance(struct spool_reader *reader)
{
    struct spool *spool = reader->spool;
    struct spool_segment *segment;
    enum spool_read read = SPOOL_READ_FAILED;

    if (reader->position >= reader->stop)
        return SPOOL_READ_END;
    pthread_mutex_lock(&spool->mutex);
    segment = segment_of(spool, reader->position);
    if (segment == reader->segment || segment_enter(reader, segment)) {
        reader->limit = segment == spool_current(spool) ? spool->durable : segment->end;
        if (reader->limit > reader->stop)
            reader->limit = reader->stop;
        read = reader->position < reader->limit ? SPOOL_READ_RECORD : SPOOL_READ_END;
    }
    pthread_mutex_unlock(&spool->mutex);
    return read;
}

/* Past a bad record. If it is in the current segment that is ended here, so that there is a next one. */
static enum spool_read skip(struct spool_reader *reader)
{
    struct spool *spool = reader->spool;
    enum spool_read read = SPOOL_READ_SKIPPED;

    pthread_mutex_lock(&spool->mutex);
    if (reader->segment == spool_current(spool) && spool_turn(spool, SIZE_MAX) != SPOOL_OK)
        read = SPOOL_READ_FAILED;
    else if (reader->segment == spool_current(spool))
        read = SPOOL_READ_FAILED; /* a failing disk: the records wait in memory until it is mended */
    else
        reader->position = reader->limit = reader->segment->end;
    pthread_mutex_unlock(&spool->mutex);
    return read;
}

enum spool_read spool_reader_next(struct spool_reader *reader, struct spool_record *record)
{
    if (reader->position >= reader->limit) {
        enum spool_read read = advance(reader);

        if (read != SPOOL_READ_RECORD)
            return read;
    }
    switch (spool_record_find(&reader->window, reader->segment, reader->position, reader->limit, record)) {
    case SPOOL_FOUND:
        reader->position = record->end;
        return SPOOL_READ_RECORD;
    case SPOOL_FIND_FAILED:
        return SPOOL_READ_FAILED;
    case SPOOL_FIND_BAD:
    case SPOOL_FIND_END: /* zeros where there were records */
        break;
    }
    return skip(reader);
}
