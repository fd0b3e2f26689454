/* SPDX-License-Identifier: BSD-2-Clause */
/* spool_open - from a folder to a spool: recovery, identity, and the way back */

#include "common/spool_loaded.h"
#include "common/spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEGMENT_MIN = 4096 };

struct opening { /* what only the opening needs */
    struct spool *spool;
    const char *path;
    struct buf *warning;
    struct buf *error;
    uint64_t floor;  /* no segment may begin before: files of unknown contents were there */
    bool may_extend; /* the newest segment can be appended to */
};

static bool open_failed(struct opening *opening, const char *what)
{
    buf_add_f(opening->error, "spool folder %s: %s: %m", opening->path, what);
    return false;
}

static bool name_start(const char *name, uint64_t *start)
{
    char expected[SPOOL_NAME_MAX];

    *start = strtoull(name, NULL, 16); /* whatever it made of the name, only ours reads so */
    spool_segment_name(*start, expected);
    return strcmp(name, expected) == 0;
}

/* A file that is no segment of ours stays for the administrator, under another name. */
static void set_aside(struct opening *opening, const char *name, uint64_t start, uint64_t size)
{
    char aside[NAME_MAX + 1];
    int folder = opening->spool->folder.directory;

    snprintf(aside, sizeof aside, "%.200s.aside", name);
    if (start <= UINT64_MAX / 2 && start + size > opening->floor)
        opening->floor = start + size;
    if (renameat(folder, name, folder, aside) == 0)
        buf_add_f(opening->warning, "%s/%s is no segment of this spool, set aside as %s\n", opening->path,
                  name, aside);
}

static bool segment_add(struct opening *opening, const char *name, uint64_t start)
{
    struct spool *spool = opening->spool;
    struct spool_segment found = {.size = 0}, **more;
    int file = openat(spool->folder.directory, name, O_RDONLY | O_CLOEXEC);
    bool good;

    if (file < 0)
        return open_failed(opening, name);
    good = spool_segment_read_header(file, start, &found);
    close(file);
    if (!good && errno)
        return open_failed(opening, name);
    if (!good || found.size < SPOOL_HEADER_BYTES ||
        !spool_folder_knows(&spool->folder, found.identity, start)) {
        set_aside(opening, name, start, found.size);
        return true;
    }
    more = realloc(spool->segment, (spool->segments + 1) * sizeof *more);
    if (!more)
        return open_failed(opening, name);
    spool->segment = more;
    more[spool->segments] = malloc(sizeof found);
    if (!more[spool->segments])
        return open_failed(opening, name);
    *more[spool->segments++] = found;
    return true;
}

static int by_start(const void *a, const void *b)
{
    const struct spool_segment *const *left = a, *const *right = b;

    return ((*left)->start > (*right)->start) - ((*left)->start < (*right)->start);
}

static bool segments_list(struct opening *opening)
{
    struct spool *spool = opening->spool;
    int again = openat(spool->folder.directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = again < 0 ? NULL : fdopendir(again);
    const struct dirent *entry;
    uint64_t start;
    bool good = true;

    if (!folder) {
        if (again >= 0)
            close(again);
        return open_failed(opening, "cannot list it");
    }
    while (good && (entry = readdir(folder)))
        if (name_start(entry->d_name, &start))
            good = segment_add(opening, entry->d_name, start);
    closedir(folder);
    if (spool->segments)
        qsort(spool->segment, spool->segments, sizeof(struct spool_segment *), by_start);
    return good;
}

/* Where the records of all but the newest end is told by the header of the next. */
static bool ends_find(struct opening *opening)
{
    struct spool *spool = opening->spool;

    for (size_t n = 0; n + 1 < spool->segments; n++) {
        struct spool_segment *segment = spool->segment[n];
        uint64_t end = spool->segment[n + 1]->previous_end;

        if (segment->start + segment->size > spool->segment[n + 1]->start) {
            errno = EINVAL;
            return open_failed(opening, "segments overlap");
        }
        segment->end = end;
        if (end < segment->start + SPOOL_HEADER_BYTES || end > segment->start + segment->size) {
            buf_add_f(opening->warning, "%s: a segment is missing behind position %" PRIu64 "\n",
                      opening->path, segment->start);
            segment->end = segment->start + segment->size; /* the reader stops at the zeros */
        }
    }
    return true;
}

/* The newest segment: cut what is torn; when good records are behind bad ones it is left as it is, and
 * closed. */
static bool newest_recover(struct opening *opening)
{
    struct spool *spool = opening->spool;
    struct spool_segment *newest = spool_current(spool);
    struct spool_recovery recovery;
    char name[SPOOL_NAME_MAX];

    spool_segment_name(newest->start, name);
    spool->current = openat(spool->folder.directory, name, O_RDWR | O_CLOEXEC);
    if (spool->current < 0 || !spool_segment_recover(spool->current, newest, &recovery))
        return open_failed(opening, name);
    if (recovery.severed) {
        buf_add_f(opening->warning,
                  "%s/%s: bad bytes at %" PRIu64 " before good records; skipped to the next segment\n",
                  opening->path, name, newest->end);
        newest->end = newest->start + newest->size;
        opening->may_extend = false;
    } else if (recovery.torn) {
        buf_add_f(opening->warning, "%s/%s: cut a torn record at %" PRIu64 "\n", opening->path, name,
                  newest->end);
        if (!spool_segment_cut(&spool->io, spool->current, newest))
            return open_failed(opening, name);
    }
    if (spool->io.fdatasync(spool->current) != 0)
        return open_failed(opening, name);
    spool->end = spool->durable = newest->end;
    return true;
}

/* The copy of a folder lets the original have its identity. */
static bool copy_renew(struct opening *opening, uint64_t next)
{
    struct spool *spool = opening->spool;

    if (!spool->folder.copied)
        return true;
    if (!spool_folder_renew(&spool->folder, next, next, spool->segments > 0))
        return open_failed(opening, "cannot renew the identity of a copied folder");
    opening->may_extend = false;
    buf_add_f(opening->warning, "%s was copied or moved from another place: it has a new identity\n",
              opening->path);
    return true;
}

/* Makes the newest segment one that may be appended to. */
static bool newest_begin(struct opening *opening)
{
    struct spool *spool = opening->spool;
    uint64_t next = spool->folder.first;

    if (spool->segments)
        next = spool_current(spool)->start + spool_current(spool)->size;
    if (next < opening->floor)
        next = opening->floor;
    next = (next + SPOOL_ALIGN - 1) / SPOOL_ALIGN * SPOOL_ALIGN;
    if (!copy_renew(opening, next))
        return false;
    if (opening->may_extend &&
        memcmp(spool_current(spool)->identity, spool->folder.identity, SPOOL_IDENTITY_BYTES) == 0 &&
        next == spool_current(spool)->start + spool_current(spool)->size)
        return true;
    return spool_begin(spool, next, spool->end, slice_of(NULL, 0)) ||
           open_failed(opening, "cannot make a segment");
}

/* Left by a process that died at it; what is in them may look like records. */
static void leftovers_remove(const struct spool *spool)
{
    unlinkat(spool->folder.directory, SPOOL_SPARE, 0);
    unlinkat(spool->folder.directory, SPOOL_SPARE_UNREADY, 0);
    unlinkat(spool->folder.directory, SPOOL_RECYCLED, 0);
}

/* What the folder notes must not be ahead of its records, be it that one came from a backup without the other. */
static void loaded_find(struct spool *spool)
{
    spool->loaded = spool_loaded_open(spool->folder.directory);
    if (spool->loaded < 0)
        return;
    spool->released = spool_loaded_read(spool->loaded, spool->folder.identity);
    if (spool->released > spool->end)
        spool_note_loaded(spool, spool->end);
    /* A spool that is opened at its cap has room at once, be the database there or not. */
    spool_mark_released(spool, spool->released);
}

static bool recover(struct opening *opening)
{
    struct spool *spool = opening->spool;

    leftovers_remove(spool);
    if (!segments_list(opening) || !ends_find(opening))
        return false;
    opening->may_extend = spool->segments > 0;
    if (spool->segments && !newest_recover(opening))
        return false;
    if (!newest_begin(opening))
        return false;
    loaded_find(spool);
    return true;
}

static void spool_free(struct spool *spool)
{
    if (spool->current >= 0)
        close(spool->current);
    if (spool->loaded >= 0)
        close(spool->loaded);
    spool_folder_close(&spool->folder);
    for (size_t n = 0; n < spool->segments; n++)
        free(spool->segment[n]);
    free(spool->segment);
    free(spool->pending);
    pthread_cond_destroy(&spool->changed);
    pthread_cond_destroy(&spool->news);
    pthread_cond_destroy(&spool->work);
    pthread_cond_destroy(&spool->dirty);
    pthread_mutex_destroy(&spool->mutex);
    free(spool);
}

static struct spool *spool_make(const struct spool_options *options)
{
    struct spool *spool = calloc(1, sizeof *spool);

    if (!spool)
        return NULL;
    spool->io = (struct spool_io){pwrite, fdatasync};
    spool->folder.directory = spool->folder.lock = spool->current = spool->loaded = -1;
    spool->segment_bytes =
        (uint64_t)(options->segment_bytes < SEGMENT_MIN ? SEGMENT_MIN : options->segment_bytes);
    spool->segment_bytes -= spool->segment_bytes % SPOOL_ALIGN;
    spool->max_bytes = (uint64_t)options->max_bytes;
    spool->keep_s = options->keep_s;
    spool->sync_ms = options->sync_ms;
    pthread_mutex_init(&spool->mutex, NULL);
    pthread_cond_init(&spool->changed, NULL);
    clock_condition_init(&spool->news);
    clock_condition_init(&spool->work);
    clock_condition_init(&spool->dirty);
    return spool;
}

struct spool *spool_open(const struct spool_options *options, struct buf *warning, struct buf *error)
{
    struct spool *spool = spool_make(options);
    struct opening opening = {.spool = spool, .path = options->directory, .warning = warning, .error = error};

    if (!spool) {
        buf_add_str(error, "no memory for a spool");
        return NULL;
    }
    if (!spool_folder_open(&spool->folder, options->directory, error) || !recover(&opening)) {
        spool_free(spool);
        return NULL;
    }
    if (!spool_keeper_start(spool)) {
        open_failed(&opening, "cannot start its threads");
        spool_free(spool);
        return NULL;
    }
    return spool;
}

enum spool_result spool_close(struct spool *spool, size_t *lost)
{
    enum spool_result synced;
    size_t left;
    int why;

    if (lost)
        *lost = 0;
    if (!spool)
        return SPOOL_OK;
    spool_keeper_stop(spool);
    pthread_mutex_lock(&spool->mutex);
    synced = spool_sync_locked(spool, spool->end);
    why = errno;
    left = spool_records_count((const uint8_t *)spool->pending, spool->pending_len);
    pthread_mutex_unlock(&spool->mutex);
    spool_free(spool);
    if (lost)
        *lost = left;
    errno = why;
    return synced;
}
