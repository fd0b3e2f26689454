/* SPDX-License-Identifier: BSD-2-Clause */
/* spool_segment - see spool_segment.h; the layout is in spool.h */

#include "common/spool_segment.h"
#include "common/crc32c.h"
#include "common/little_endian.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FORMAT_VERSION = 1,
    /* places in the header */
    AT_VERSION = 8,
    AT_SUM = 12,
    AT_IDENTITY = 16,
    AT_START = 32,
    AT_PREVIOUS_END = 40,
    /* places in a record */
    AT_RECORD_SUM = 4,
    AT_KIND = 8,
    AT_PAYLOAD_VERSION = 9,
    AT_ZEROS = 10,
    CHUNK = 256 * 1024,
    PAUSE_NS = 1000 * 1000,
    WINDOW = SPOOL_RECORD_HEADER + SPOOL_RECORD_MAX + CHUNK,
    LOOK_MAX = 1 << 30 /* bytes: payloads made to look like records must not hold up a start */
};
static const char magic[] = "SPOORSEG";
static const uint8_t zeros[CHUNK];

void spool_segment_name(uint64_t start, char name[SPOOL_NAME_MAX])
{
    snprintf(name, SPOOL_NAME_MAX, "%016" PRIx64 SPOOL_SUFFIX, start);
}

void spool_segment_init(struct spool_segment *segment, uint64_t start, uint64_t size,
                        const uint8_t identity[SPOOL_IDENTITY_BYTES])
{
    *segment = (struct spool_segment){.start = start, .size = size, .end = start + SPOOL_HEADER_BYTES};
    memcpy(segment->identity, identity, SPOOL_IDENTITY_BYTES);
    segment->seal = crc32c(0, identity, SPOOL_IDENTITY_BYTES);
}

/* pwrite of everything; a short one goes on, so that its reason comes out. */
static bool write_all(const struct spool_io *io, int file, const uint8_t *bytes, size_t len, uint64_t at)
{
    while (len) {
        ssize_t wrote = io->pwrite(file, bytes, len, (off_t)at);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            errno = wrote == 0 ? ENOSPC : errno;
            return false;
        }
        bytes += wrote;
        len -= (size_t)wrote;
        at += (uint64_t)wrote;
    }
    return true;
}

static bool write_zeros(const struct spool_io *io, int file, uint64_t from, uint64_t to, bool gently)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};

    for (; from < to; from += CHUNK) {
        if (!write_all(io, file, zeros, to - from < CHUNK ? (size_t)(to - from) : CHUNK, from))
            return false;
        if (gently && to - from > CHUNK)
            nanosleep(&pause, NULL);
    }
    return true;
}

/* Closes FILE and takes NAME away if given; errno stays. */
static void give_up(int file, int directory, const char *name)
{
    int why = errno;

    close(file);
    if (name)
        unlinkat(directory, name, 0);
    errno = why;
}

bool spool_segment_spare(const struct spool_io *io, int directory, const char *name, uint64_t size, bool gently)
{
    int file;
    bool good;

    if (name && renameat(directory, name, directory, SPOOL_SPARE_UNREADY) != 0)
        return false;
    file = openat(directory, SPOOL_SPARE_UNREADY, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    good = ftruncate(file, (off_t)size) == 0 && write_zeros(io, file, 0, size, gently) && io->fdatasync(file) == 0;
    give_up(file, directory, good ? NULL : SPOOL_SPARE_UNREADY); /* which gives a full disk its bytes back */
    return good && renameat(directory, SPOOL_SPARE_UNREADY, directory, SPOOL_SPARE) == 0;
}

static uint32_t header_sum(const uint8_t header[SPOOL_HEADER_BYTES])
{
    return crc32c(crc32c(0, header, AT_SUM), header + AT_IDENTITY, SPOOL_HEADER_BYTES - AT_IDENTITY);
}

static void header_build(uint8_t header[SPOOL_HEADER_BYTES], const struct spool_segment *segment)
{
    memset(header, 0, SPOOL_HEADER_BYTES);
    memcpy(header, magic, AT_VERSION);
    le32_put(header + AT_VERSION, FORMAT_VERSION);
    memcpy(header + AT_IDENTITY, segment->identity, SPOOL_IDENTITY_BYTES);
    le64_put(header + AT_START, segment->start);
    le64_put(header + AT_PREVIOUS_END, segment->previous_end);
    le32_put(header + AT_SUM, header_sum(header));
}

int spool_segment_begin(const struct spool_io *io, int directory, const struct spool_segment *segment,
                        struct slice content)
{
    uint8_t header[SPOOL_HEADER_BYTES];
    char name[SPOOL_NAME_MAX];
    int file = openat(directory, SPOOL_SPARE, O_RDWR | O_CLOEXEC);

    if (file < 0)
        return -1;
    header_build(header, segment);
    spool_segment_name(segment->start, name);
    /* The name comes last: until then the folder is as it was before. */
    if (!write_all(io, file, header, sizeof header, 0) ||
        !write_all(io, file, (const uint8_t *)content.p, content.len, SPOOL_HEADER_BYTES) ||
        io->fdatasync(file) != 0 || renameat(directory, SPOOL_SPARE, directory, name) != 0) {
        give_up(file, directory, SPOOL_SPARE);
        return -1;
    }
    if (fsync(directory) == 0)
        return file;
    /* A header that says where the segment before it ends must not stay while that one goes on. */
    give_up(file, directory, name);
    return -1;
}

bool spool_segment_read_header(int file, uint64_t start, struct spool_segment *segment)
{
    uint8_t header[SPOOL_HEADER_BYTES];
    struct stat status;
    ssize_t got = pread(file, header, sizeof header, 0);

    if (got < 0 || fstat(file, &status) != 0)
        return false;
    errno = 0;
    segment->size = (uint64_t)status.st_size;
    if (got < (ssize_t)sizeof header || memcmp(header, magic, AT_VERSION) != 0 ||
        le32_get(header + AT_VERSION) != FORMAT_VERSION || le32_get(header + AT_SUM) != header_sum(header) ||
        le64_get(header + AT_START) != start)
        return false;
    spool_segment_init(segment, start, segment->size, header + AT_IDENTITY);
    segment->previous_end = le64_get(header + AT_PREVIOUS_END);
    segment->written_s = status.st_mtime;
    return true;
}

size_t spool_record_size(size_t payload)
{
    return (SPOOL_RECORD_HEADER + payload + SPOOL_ALIGN - 1) / SPOOL_ALIGN * SPOOL_ALIGN;
}

static uint32_t record_sum(const uint8_t *at, const struct spool_segment *segment, uint64_t position)
{
    uint8_t place[sizeof position];
    uint32_t sum;

    le64_put(place, position);
    sum = crc32c(segment->seal, place, sizeof place);
    sum = crc32c(sum, at, AT_RECORD_SUM);
    return crc32c(sum, at + AT_KIND, SPOOL_RECORD_HEADER - AT_KIND + le32_get(at));
}

size_t spool_records_count(const uint8_t *bytes, size_t len)
{
    size_t count = 0;

    for (size_t at = 0; at < len; count++)
        at += spool_record_size(le32_get(bytes + at));
    return count;
}

size_t spool_record_reseal(uint8_t *at, const struct spool_segment *segment, uint64_t position)
{
    le32_put(at + AT_RECORD_SUM, record_sum(at, segment, position));
    return spool_record_size(le32_get(at));
}

void spool_record_build(uint8_t *at, const struct spool_segment *segment, uint64_t position, uint8_t kind,
                        uint8_t version, struct slice payload)
{
    size_t size = spool_record_size(payload.len), used = SPOOL_RECORD_HEADER + payload.len;

    memset(at, 0, SPOOL_RECORD_HEADER);
    le32_put(at, (uint32_t)payload.len);
    at[AT_KIND] = kind;
    at[AT_PAYLOAD_VERSION] = version;
    memcpy(at + SPOOL_RECORD_HEADER, payload.p, payload.len);
    memset(at + used, 0, size - used);
    spool_record_reseal(at, segment, position);
}

bool spool_window_init(struct spool_window *window, int file)
{
    *window = (struct spool_window){.file = file, .bytes = malloc(WINDOW)};
    return window->bytes;
}

void spool_window_free(struct spool_window *window)
{
    free(window->bytes);
    window->bytes = NULL;
}

void spool_window_turn(struct spool_window *window, int file)
{
    window->file = file;
    window->len = 0;
}

/* LEN bytes at POSITION. Never looks past LIMIT: what is there now may be another thing soon. */
static const uint8_t *window_at(struct spool_window *window, const struct spool_segment *segment,
                                uint64_t position, size_t len, uint64_t limit)
{
    ssize_t got;
    uint64_t want = limit - position;

    if (position >= window->from && position + len <= window->from + window->len)
        return window->bytes + (position - window->from);
    window->from = position;
    window->len = 0;
    do
        got = pread(window->file, window->bytes, want < WINDOW ? (size_t)want : WINDOW,
                    (off_t)(position - segment->start));
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return NULL;
    window->len = (size_t)got;
    errno = 0;
    return window->len < len ? NULL : window->bytes;
}

enum spool_find spool_record_find(struct spool_window *window, const struct spool_segment *segment,
                                  uint64_t position, uint64_t limit, struct spool_record *record)
{
    const uint8_t *at;
    uint32_t len;

    if (position >= limit || limit - position < SPOOL_RECORD_HEADER)
        return SPOOL_FIND_END;
    at = window_at(window, segment, position, SPOOL_RECORD_HEADER, limit);
    if (!at)
        return errno ? SPOOL_FIND_FAILED : SPOOL_FIND_BAD;
    len = le32_get(at);
    if (len == 0)
        return le64_get(at) || le64_get(at + AT_KIND) ? SPOOL_FIND_BAD : SPOOL_FIND_END;
    if (len > SPOOL_RECORD_MAX || spool_record_size(len) > limit - position || le16_get(at + AT_ZEROS) ||
        le32_get(at + AT_ZEROS + 2))
        return SPOOL_FIND_BAD;
    at = window_at(window, segment, position, spool_record_size(len), limit);
    if (!at)
        return errno ? SPOOL_FIND_FAILED : SPOOL_FIND_BAD;
    window->summed += len;
    if (record_sum(at, segment, position) != le32_get(at + AT_RECORD_SUM))
        return SPOOL_FIND_BAD;
    *record = (struct spool_record){
        .position = position,
        .end = position + spool_record_size(len),
        .checksum = le32_get(at + AT_RECORD_SUM),
        .kind = at[AT_KIND],
        .version = at[AT_PAYLOAD_VERSION],
        .payload = slice_of((const char *)at + SPOOL_RECORD_HEADER, len),
    };
    return SPOOL_FOUND;
}

/* Is there anything but zeros behind the records, and is it good? */
static bool look_behind(struct spool_window *window, struct spool_segment *segment,
                        struct spool_recovery *recovery)
{
    uint64_t limit = segment->start + segment->size / SPOOL_ALIGN * SPOOL_ALIGN;
    struct spool_record record;
    enum spool_find found;

    window->summed = 0;
    for (uint64_t position = segment->end; position < limit; position += SPOOL_ALIGN) {
        const uint8_t *at = window_at(window, segment, position, SPOOL_ALIGN, limit);

        if (!at)
            return errno == 0;
        if (le64_get(at) == 0)
            continue;
        recovery->torn = true;
        found = spool_record_find(window, segment, position, limit, &record);
        if (found == SPOOL_FIND_FAILED)
            return false;
        recovery->severed = found == SPOOL_FOUND || window->summed > LOOK_MAX;
        if (recovery->severed)
            return true;
    }
    return true;
}

bool spool_segment_recover(int file, struct spool_segment *segment, struct spool_recovery *recovery)
{
    struct spool_window window;
    struct spool_record record;
    enum spool_find found;
    bool good;

    *recovery = (struct spool_recovery){.torn = false};
    if (!spool_window_init(&window, file))
        return false;
    segment->end = segment->start + SPOOL_HEADER_BYTES;
    while ((found = spool_record_find(&window, segment, segment->end, segment->start + segment->size,
                                      &record)) == SPOOL_FOUND)
        segment->end = record.end;
    good = found != SPOOL_FIND_FAILED && look_behind(&window, segment, recovery);
    spool_window_free(&window);
    return good;
}

bool spool_segment_cut(const struct spool_io *io, int file, const struct spool_segment *segment)
{
    return write_zeros(io, file, segment->end - segment->start, segment->size, false);
}
