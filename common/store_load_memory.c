/* SPDX-License-Identifier: BSD-2-Clause */
/* store_load_memory - what a loader remembers from batch to batch: words, and months that have a partition */

#include "common/store_load_private.h"

#include <stdlib.h>
#include <time.h>

static const int64_t day_us = 86400 * (int64_t)1000000;

static const struct db_statement ensure_partitions = {
    "ensure_partitions",
    "select spoor.ensure_partitions(spoor.from_microseconds($1), spoor.from_microseconds($1))", 1};

struct store_memory *store_memory_new(void)
{
    struct store_memory *memory = calloc(1, sizeof *memory);

    if (!memory)
        return NULL;
    memory->words = store_words_new();
    if (!memory->words) {
        store_memory_free(memory);
        return NULL;
    }
    return memory;
}

void store_memory_free(struct store_memory *memory)
{
    if (!memory)
        return;
    store_words_free(memory->words);
    free(memory);
}

void store_memory_meanwhile(struct store_memory *memory, void (*call)(void *arg), void *arg)
{
    memory->meanwhile = (struct db_meanwhile){call, arg};
}

static bool has_month(const struct store_memory *memory, int month)
{
    for (size_t at = 0; at < memory->months && at < LOADING_MONTHS_MOST; at++)
        if (memory->month[at] == month)
            return true;
    return false;
}

static bool make_partition(struct loading *loading, int64_t time_us)
{
    struct store_memory *memory = loading->memory;
    time_t time_s = (time_t)(time_us / 1000000);
    char text[LOADING_NUMBER_TEXT];
    struct tm day;
    int month;

    if (!gmtime_r(&time_s, &day))
        return false;
    month = day.tm_year * 12 + day.tm_mon;
    if (has_month(memory, month))
        return true;
    if (!loading_tell(loading, &ensure_partitions, (const char *const[]){loading_number(text, time_us)}))
        return false;
    memory->month[memory->months++ % LOADING_MONTHS_MOST] = month;
    return true;
}

bool loading_make_partitions(struct loading *loading)
{
    int64_t day = -1; /* since 1970, of the event before: most are of one day */

    for (size_t at = 0; at < loading->cargo.events; at++) {
        int64_t time_us = loading->cargo.event[at].time_us;

        if (time_us / day_us == day)
            continue;
        day = time_us / day_us;
        if (!make_partition(loading, time_us))
            return false;
    }
    return true;
}
