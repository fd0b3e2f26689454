/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replication.h"

#include "common/clock.h"
#include "common/shard.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ASK_MS = 3000, PATIENCE_MS = 5000, LOOK_MS = 200, TEXT_MAX = 1024 };
enum { SHARD, WAY, NAME, STATE, UNTOLD }; /* the columns */

static const struct db_statement ask = {
    "replication", "select shard, way, name, state, untold from spoor.replication() order by shard, way", 0};

static bool is_fine(const struct db_result *rows, size_t row)
{
    return strcmp(db_value(rows, row, STATE), "fine") == 0;
}

/* What only a person changes. */
static bool is_for_long(const struct db_result *rows, size_t row)
{
    const char *state = db_value(rows, row, STATE);

    return strcmp(state, "lost") == 0 || strcmp(state, "gone") == 0 || strcmp(state, "disabled") == 0;
}

static bool may_become_fine(const struct db_result *rows)
{
    bool may = false;

    for (size_t row = 0; row < db_rows(rows); row++) {
        if (is_for_long(rows, row))
            return false;
        may |= !is_fine(rows, row);
    }
    return may;
}

/* Whatever has just begun gets time: PostgreSQL starts a worker that failed again and again. */
static struct db_result *ask_patiently(struct db *db)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    const struct timespec nap = {.tv_nsec = LOOK_MS * 1000000L};
    struct db_result *rows;

    while ((rows = db_ask(db, &ask, NULL, ASK_MS)) && may_become_fine(rows) && clock_left_ms(until_ms)) {
        db_result_free(rows);
        nanosleep(&nap, NULL);
    }
    return rows;
}

static const char *in_words(const char *state)
{
    static const struct {
        const char *state, *words;
    } words[] = {
        {"lost", "is gone"},
        {"unread", "is not fetched from"},
        {"gone", "is not there"},
        {"disabled", "is disabled: an error stopped it, or somebody did"},
        {"stopped", "does not run"},
        {"starting", "fails each time that it starts"},
        {"copying", "has tables that are still to be copied"},
    };

    for (size_t n = 0; n < sizeof words / sizeof *words; n++)
        if (strcmp(words[n].state, state) == 0)
            return words[n].words;
    return state;
}

static const char *advice_for(const char *state)
{
    if (strcmp(state, "lost") == 0 || strcmp(state, "gone") == 0)
        return "spoorctl schema upgrade makes it anew and copies all there is; see spoor-recipes(7), A SERVER DOES NOT FOLLOW";
    if (strcmp(state, "unread") == 0)
        return "is the other server there, and does it follow?";
    return "the log of that PostgreSQL says why; spoor-recipes(7), A SERVER DOES NOT FOLLOW, what to do";
}

static bool say_row(const struct db_result *rows, size_t row, unsigned shard, replication_sayer *say)
{
    unsigned other_shard = (unsigned)db_integer(rows, row, SHARD);
    bool tells = strcmp(db_value(rows, row, WAY), "tells") == 0;
    char name[SHARD_NAME_BYTES], other[SHARD_NAME_BYTES];
    const char *state = db_value(rows, row, STATE);
    struct buf text;

    shard_name(shard, name);
    shard_name(other_shard, other);
    buf_init(&text, TEXT_MAX);
    buf_add_f(&text, "%s does not hear of %s: the %s %s in %s %s", tells ? other : name, tells ? name : other,
              tells ? "slot" : "subscription", db_value(rows, row, NAME), name, in_words(state));
    if (tells && db_value(rows, row, UNTOLD))
        buf_add_f(&text, ", and %" PRId64 " bytes of log are kept for it", db_integer(rows, row, UNTOLD));
    say(false, "replication", buf_text(&text), advice_for(state));
    buf_free(&text);
    return false;
}

bool replication_check(struct db *db, unsigned shard, replication_sayer *say)
{
    struct db_result *rows = ask_patiently(db);
    char name[SHARD_NAME_BYTES];
    struct buf text;
    bool good = true;

    for (size_t row = 0; rows && row < db_rows(rows); row++)
        good &= is_fine(rows, row) || say_row(rows, row, shard, say);
    if (rows && db_rows(rows) && good) {
        buf_init(&text, TEXT_MAX);
        buf_add_f(&text, "%s tells others, and follows them", shard_name(shard, name));
        say(true, "replication", buf_text(&text), "");
        buf_free(&text);
    }
    db_result_free(rows);
    return good;
}
