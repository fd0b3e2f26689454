/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message_id - see message_id.h
 *
 * `reserved` holds one line with a time, milliseconds since 1970: ids up to that time may have been given
 * out. A maker begins behind what the file says and writes it anew, RESERVE_MS ahead, before it gives out ids
 * beyond. So a killed process and a clock set back only make ids a few seconds younger than they are.
 */

#include "common/message_id.h"
#include "common/clock.h"
#include "common/file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SEQUENCE_BITS = 12,
    NODE_BITS = 10,
    TIME_SHIFT = SEQUENCE_BITS + NODE_BITS,
    SEQUENCE_MAX = (1 << SEQUENCE_BITS) - 1
};
enum { RESERVE_MS = 10000 };
#define EPOCH_MS INT64_C(1577836800000) /* 2020-01-01 */
#define TIME_MAX ((INT64_C(1) << 42) - 1)

static const char file_name[] = "reserved";

struct message_id_maker {
    pthread_mutex_t mutex;
    int directory;
    int node;
    int64_t last_ms;     /* of the newest id */
    unsigned sequence;   /* the next one within last_ms */
    int64_t reserved_ms; /* ids before this time may be given out */
    bool made;           /* any since the start */
};

/* False with errno; a file that is not there is 0. */
static bool reserved_read(int directory, int64_t *reserved)
{
    char text[32], *end;
    int file = openat(directory, file_name, O_RDONLY | O_CLOEXEC);
    ssize_t len;

    *reserved = 0;
    if (file < 0)
        return errno == ENOENT;
    len = read(file, text, sizeof text - 1);
    close(file);
    if (len < 0)
        return false;
    text[len] = '\0';
    errno = 0;
    *reserved = strtoll(text, &end, 10);
    if (errno == 0 && end != text && end + 1 == text + len && *end == '\n' && *reserved >= 0 &&
        *reserved - EPOCH_MS < TIME_MAX)
        return true;
    errno = EBADMSG;
    return false;
}

static bool reserve(struct message_id_maker *maker, int64_t until)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%" PRId64 "\n", until);
    int file = file_replace_begin(maker->directory, file_name);

    if (file < 0 || !file_replace_commit(maker->directory, file_name, file, slice_of(text, (size_t)len)))
        return false;
    maker->reserved_ms = until;
    return true;
}

struct message_id_maker *message_id_maker_open(const char *directory, int node, struct buf *error)
{
    struct message_id_maker *maker = calloc(1, sizeof *maker);

    if (!maker) {
        buf_add_str(error, "no memory for message ids");
        return NULL;
    }
    pthread_mutex_init(&maker->mutex, NULL);
    maker->node = node;
    maker->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (maker->directory >= 0 && reserved_read(maker->directory, &maker->reserved_ms)) {
        maker->last_ms = maker->reserved_ms;
        return maker;
    }
    buf_add_f(error, "cannot read the reserved message ids in %s/%s: %m", directory, file_name);
    message_id_maker_close(maker);
    return NULL;
}

void message_id_maker_close(struct message_id_maker *maker)
{
    if (!maker)
        return;
    if (maker->made) /* what was not used is given back; if that fails the next ids are a little younger */
        reserve(maker, maker->last_ms + 1);
    if (maker->directory >= 0)
        close(maker->directory);
    pthread_mutex_destroy(&maker->mutex);
    free(maker);
}

int64_t message_id_maker_ahead_ms(struct message_id_maker *maker)
{
    int64_t ahead;

    pthread_mutex_lock(&maker->mutex);
    ahead = maker->last_ms - clock_wall_us() / 1000;
    pthread_mutex_unlock(&maker->mutex);
    return ahead > 0 ? ahead : 0;
}

void message_id_maker_set_node(struct message_id_maker *maker, int node)
{
    pthread_mutex_lock(&maker->mutex);
    maker->node = node;
    pthread_mutex_unlock(&maker->mutex);
}

/* The next time and sequence: the clock's time when that is newer than the last, else on from the last. */
static void step(const struct message_id_maker *maker, int64_t *ms, unsigned *sequence)
{
    *ms = clock_wall_us() / 1000;
    *sequence = 0;
    if (*ms > maker->last_ms)
        return;
    *ms = maker->last_ms;
    *sequence = maker->sequence;
    if (*sequence > SEQUENCE_MAX) {
        ++*ms;
        *sequence = 0;
    }
}

static bool make(struct message_id_maker *maker, uint64_t *id)
{
    unsigned sequence;
    int64_t ms;

    if (maker->node < 0 || maker->node > NODE_MAX) {
        errno = EAGAIN;
        return false;
    }
    step(maker, &ms, &sequence);
    if (ms < EPOCH_MS || ms - EPOCH_MS > TIME_MAX) {
        errno = ERANGE;
        return false;
    }
    if (ms >= maker->reserved_ms && !reserve(maker, ms + RESERVE_MS))
        return false;
    maker->last_ms = ms;
    maker->sequence = sequence + 1;
    maker->made = true;
    *id = message_id_compose(ms, (unsigned)maker->node, sequence);
    return true;
}

bool message_id_make(struct message_id_maker *maker, uint64_t *id)
{
    bool made;

    pthread_mutex_lock(&maker->mutex);
    made = make(maker, id);
    pthread_mutex_unlock(&maker->mutex);
    return made;
}

int64_t message_id_time_ms(uint64_t id)
{
    return (int64_t)(id >> TIME_SHIFT) + EPOCH_MS;
}

unsigned message_id_node(uint64_t id)
{
    return (unsigned)(id >> SEQUENCE_BITS) & NODE_MAX;
}

uint64_t message_id_compose(int64_t unix_ms, unsigned node, unsigned sequence)
{
    return (uint64_t)(unix_ms - EPOCH_MS) << TIME_SHIFT | (uint64_t)(node & NODE_MAX) << SEQUENCE_BITS |
           (sequence & SEQUENCE_MAX);
}
