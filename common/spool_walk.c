/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/spool_walk.h"

#include "common/record.h"
#include "common/shard.h"
#include "common/spool_loaded.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A record that a daemon is just writing may look bad; a moment later it does not. */
enum { LOOKS = 4, LOOK_AGAIN_MS = 20, PATH_MOST = 4096, NAME_MOST = 24 };
/* What is in the folder is its daemon's doing: a pipe must not keep us waiting, nor a link lead us elsewhere. */
enum { READ_FILE = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW };

static int by_value(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static bool add_segment(struct spool_walk *walk, const char *name)
{
    char expected[SPOOL_NAME_MAX];
    uint64_t start = strtoull(name, NULL, 16), *more;

    spool_segment_name(start, expected);
    if (strcmp(name, expected) != 0)
        return true;
    more = realloc(walk->start, (walk->segments + 1) * sizeof *more);
    if (more == NULL)
        return false;
    walk->start = more;
    walk->start[walk->segments++] = start;
    return true;
}

static bool list_segments(struct spool_walk *walk)
{
    int again = openat(walk->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = again < 0 ? NULL : fdopendir(again);
    const struct dirent *entry;
    bool good = folder != NULL;

    if (folder == NULL && again >= 0)
        close(again);
    while (good && (entry = readdir(folder)))
        good = add_segment(walk, entry->d_name);
    if (folder)
        closedir(folder);
    if (walk->segments)
        qsort(walk->start, walk->segments, sizeof *walk->start, by_value);
    return good;
}

bool spool_walk_open(struct spool_walk *walk, const char *path, struct buf *error)
{
    *walk = (struct spool_walk){.directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (walk->directory >= 0 && list_segments(walk))
        return true;
    buf_add_f(error, "%s: %s", path, strerrordesc_np(errno));
    spool_walk_close(walk);
    return false;
}

void spool_walk_close(struct spool_walk *walk)
{
    if (walk->directory >= 0)
        close(walk->directory);
    free(walk->start);
    *walk = (struct spool_walk){.directory = -1};
}

/* Its descriptor; -1 with errno. With errno 0 there is no good header. */
static int open_segment(const struct spool_walk *walk, size_t n, struct spool_segment *segment)
{
    char name[SPOOL_NAME_MAX];
    int file;

    spool_segment_name(walk->start[n], name);
    memset(segment, 0, sizeof *segment);
    segment->start = walk->start[n];
    file = openat(walk->directory, name, READ_FILE);
    if (file < 0 || spool_segment_read_header(file, walk->start[n], segment))
        return file;
    close(file);
    segment->start = walk->start[n];
    return -1;
}

uint64_t spool_walk_loaded(const struct spool_walk *walk)
{
    struct spool_segment newest;
    int segment = walk->segments ? open_segment(walk, walk->segments - 1, &newest) : -1;
    int note = segment < 0 ? -1 : openat(walk->directory, "loaded", READ_FILE);
    uint64_t loaded = note < 0 ? 0 : spool_loaded_read(note, newest.identity);

    if (segment >= 0)
        close(segment);
    if (note >= 0)
        close(note);
    return loaded;
}

/* Where the records of segment N end, if the header of the next one tells; else the end of the file. */
static uint64_t limit_of(const struct spool_walk *walk, size_t n, const struct spool_segment *segment, bool *told)
{
    uint64_t first = segment->start + SPOOL_HEADER_BYTES, end = segment->start + segment->size;
    struct spool_segment next;
    int file = n + 1 < walk->segments ? open_segment(walk, n + 1, &next) : -1;

    *told = file >= 0 && next.previous_end >= first && next.previous_end <= end;
    if (file >= 0)
        close(file);
    return *told ? next.previous_end : end;
}

static enum spool_find find(struct spool_window *window, const struct spool_segment *segment, uint64_t limit,
                            struct spool_record *record)
{
    enum spool_find found = spool_record_find(window, segment, segment->end, limit, record);

    for (int look = 1; found == SPOOL_FIND_BAD && look < LOOKS; look++) {
        struct timespec pause = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};

        nanosleep(&pause, NULL);
        spool_window_turn(window, window->file);
        found = spool_record_find(window, segment, segment->end, limit, record);
    }
    return found;
}

/* Bad bytes behind the last record of the newest segment with nothing good behind them were never answered for. */
static bool is_torn(const struct spool_window *window, const struct spool_segment *segment)
{
    struct spool_segment again = *segment;
    struct spool_recovery recovery;

    return spool_segment_recover(window->file, &again, &recovery) && again.end == segment->end && !recovery.severed;
}

static void walk_records(const struct spool_walk *walk, size_t n, struct spool_window *window,
                         void (*see)(void *arg, const struct spool_record *record), void *arg,
                         struct spool_walk_report *report)
{
    struct spool_segment *segment = &report->segment;
    bool told;
    uint64_t limit = limit_of(walk, n, segment, &told);
    struct spool_record record;
    enum spool_find found;

    while ((found = find(window, segment, limit, &record)) == SPOOL_FOUND) {
        segment->end = record.end;
        report->records++;
        if (see)
            see(arg, &record);
    }
    if (found == SPOOL_FIND_FAILED)
        report->end = SPOOL_WALK_FAILED;
    else if (found == SPOOL_FIND_BAD && n + 1 == walk->segments && is_torn(window, segment))
        report->end = SPOOL_WALK_TORN;
    else if (found == SPOOL_FIND_BAD || (told && segment->end < limit))
        report->end = SPOOL_WALK_BAD;
}

/* A segment that is loaded may become the next one's file while we read it. */
static bool is_gone(const struct spool_walk *walk, size_t n, int file)
{
    char name[SPOOL_NAME_MAX];
    struct stat ours, there;

    spool_segment_name(walk->start[n], name);
    return fstat(file, &ours) == 0 &&
           (fstatat(walk->directory, name, &there, 0) != 0 || there.st_ino != ours.st_ino);
}

void spool_walk_segment(const struct spool_walk *walk, size_t n,
                        void (*see)(void *arg, const struct spool_record *record), void *arg,
                        struct spool_walk_report *report)
{
    struct spool_window window;
    int file;

    *report = (struct spool_walk_report){.end = SPOOL_WALK_GOOD};
    file = open_segment(walk, n, &report->segment);
    if (file < 0) {
        report->end = errno == ENOENT ? SPOOL_WALK_GONE : errno ? SPOOL_WALK_FAILED : SPOOL_WALK_BAD;
        report->headless = errno == 0;
        return;
    }
    if (spool_window_init(&window, file))
        walk_records(walk, n, &window, see, arg, report);
    else
        report->end = SPOOL_WALK_FAILED;
    if (report->end == SPOOL_WALK_BAD && is_gone(walk, n, file))
        report->end = SPOOL_WALK_GONE;
    spool_window_free(&window);
    close(file);
}

struct counting {
    struct spool_walk_waiting waiting;
    uint64_t loaded;
};

static void count_waiting(void *arg, const struct spool_record *record)
{
    struct counting *counting = arg;
    int64_t time_us;

    if (record->position < counting->loaded)
        return;
    counting->waiting.bytes += record->end - record->position;
    if (counting->waiting.oldest_us == 0 && record_time(record->kind, record->payload, &time_us))
        counting->waiting.oldest_us = time_us;
}

static struct spool_walk_waiting count(const struct spool_walk *walk, uint64_t loaded, bool all)
{
    struct counting counting = {.loaded = loaded};

    for (size_t n = 0; n < walk->segments && (all || counting.waiting.bytes == 0); n++) {
        struct spool_walk_report report;

        if (n + 1 == walk->segments || walk->start[n + 1] > loaded)
            spool_walk_segment(walk, n, count_waiting, &counting, &report);
    }
    return counting.waiting;
}

struct spool_walk_waiting spool_walk_waiting(const struct spool_walk *walk, uint64_t loaded)
{
    return count(walk, loaded, true);
}

struct spool_walk_waiting spool_walk_first_waiting(const struct spool_walk *walk, uint64_t loaded)
{
    return count(walk, loaded, false);
}

unsigned spool_walk_shard(const char *path)
{
    static const char mark[] = "shard-";
    size_t len = strlen(path);
    const char *name;

    while (len > 1 && path[len - 1] == '/')
        len--;
    name = path + len - sizeof mark; /* the mark and one digit */
    return len >= sizeof mark && memcmp(name, mark, sizeof mark - 1) == 0 && (len == sizeof mark || name[-1] == '/')
               ? (unsigned)(path[len - 1] - '0') % SHARDS : 0;
}

/* A folder is a spool's when its identity is there. Not by access(), which knows nothing of capabilities; errno says whether it may be asked. */
static bool path_of(const char *above, const char *name, char path[PATH_MOST])
{
    char identity[PATH_MOST + sizeof "/identity"];
    struct stat there;

    errno = 0;
    if ((size_t)snprintf(path, PATH_MOST, "%s/%s", above, name) >= PATH_MOST)
        return false;
    snprintf(identity, sizeof identity, "%s/identity", path);
    return name[0] != '.' && stat(identity, &there) == 0;
}

/* Those that a daemon keeps for further servers, by the names it gives them: it could put anything there. */
static bool look_at_shards(const char *spool, bool (*look)(void *arg, const char *path), void *arg)
{
    char name[NAME_MOST];
    char path[PATH_MOST];
    bool good = true;

    for (unsigned shard = 1; shard < SHARDS; shard++) {
        snprintf(name, sizeof name, "shard-%u", shard);
        if (path_of(spool, name, path))
            good = look(arg, path) && good;
    }
    return good;
}

bool spool_walk_folders(const char *above, bool (*look)(void *arg, const char *path), void *arg, struct buf *error)
{
    struct dirent **entry;
    int count = scandir(above, &entry, NULL, alphasort);
    char path[PATH_MOST];
    bool good = true;

    if (count < 0) {
        buf_add_f(error, "%s: %s", above, strerrordesc_np(errno));
        return false;
    }
    for (int n = 0; n < count; n++) {
        if (path_of(above, entry[n]->d_name, path)) {
            good = look(arg, path) && good;
            good = look_at_shards(path, look, arg) && good;
        } else if (errno == EACCES) {
            good = look(arg, path) && good; /* to be told, and not passed over as if it were none */
        }
        free(entry[n]);
    }
    free(entry);
    return good;
}
