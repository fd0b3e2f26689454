/* SPDX-License-Identifier: BSD-2-Clause */
/* store_words - see store_words.h */

#include "common/store_words.h"

#include "common/clock.h"
#include "common/dictionary.h"
#include "common/utf8.h"

#include <stdlib.h>

enum {
    AGENTS_MOST = 65536, /* more than twice a batch, so that a batch never empties what it has just learned */
    REASONS_MOST = 65536,
    WORD_MAX = 4096,
    ATTEMPTS = 3         /* to get the number of a word that somebody else is entering */
};

struct store_words {
    struct dictionary *agents;
    struct dictionary *reasons;
};

/* Ordered, so that two loaders with the same new words do not wait for each other. */
#define NUMBER_WORDS(table)                                                                                      \
    "with word as (select w, md5(w)::uuid as hash from (select distinct unnest($1::text[]) as w) asked),"         \
    " made as (insert into " table " (hash, name) select hash, min(w) from word"                                  \
    "  where not exists (select from " table " known where known.hash = word.hash)"                               \
    "  group by hash order by hash on conflict (hash) do nothing returning id, hash)"                             \
    " select w, id from word join made using (hash) union all select w, id from word join " table " using (hash)"

static const struct db_statement number_agents = {"number_agents", NUMBER_WORDS("spoor.agent"), 1};
static const struct db_statement number_reasons = {"number_reasons", NUMBER_WORDS("spoor.reason"), 1};

struct store_words *store_words_new(void)
{
    struct store_words *words = calloc(1, sizeof *words);

    if (!words)
        return NULL;
    words->agents = dictionary_new(AGENTS_MOST);
    words->reasons = dictionary_new(REASONS_MOST);
    if (!words->agents || !words->reasons) {
        store_words_free(words);
        return NULL;
    }
    return words;
}

void store_words_free(struct store_words *words)
{
    if (!words)
        return;
    dictionary_free(words->agents);
    dictionary_free(words->reasons);
    free(words);
}

static int left_ms(int64_t until_ms)
{
    int64_t left = until_ms - clock_monotonic_ms();

    return left > 0 ? (int)left : 0;
}

/* WORD as the database will have it. */
static struct slice cleaned(struct slice word, struct buf *scratch)
{
    buf_reset(scratch);
    return utf8_clean(word, scratch) ? buf_slice(scratch) : slice_of(NULL, 0);
}

static bool find_word(const struct dictionary *dictionary, struct slice word, struct buf *scratch, int32_t *found)
{
    return dictionary_find(dictionary, word, found) || dictionary_find(dictionary, cleaned(word, scratch), found);
}

static bool learn_answer(struct dictionary *dictionary, const struct db_result *result)
{
    for (size_t row = 0; row < db_rows(result); row++)
        if (!dictionary_add(dictionary, slice_str(db_value(result, row, 0)), (int32_t)db_integer(result, row, 1)))
            return false;
    return true;
}

/* Numbers the words that are known; gives how many are not, and gathers those. */
static size_t number_words(const struct cargo *cargo, const struct dictionary *dictionary, bool agents,
                           struct row_set *unknown, struct buf *scratch)
{
    row_set_reset(unknown);
    for (size_t at = 0; at < cargo->events; at++) {
        struct store_event *event = &cargo->event[at];
        struct slice word = agents ? event->agent : event->reason;
        int32_t *number = agents ? &event->agent_number : &event->reason_number;

        if (*number == 0 && !slice_empty(word) && !find_word(dictionary, word, scratch, number))
            row_set_text(unknown, word);
    }
    return unknown->rows;
}

/* After this every word of the cargo has its number. */
static bool learn(struct dictionary *dictionary, struct db *db, const struct cargo *cargo, bool agents,
                  int64_t until_ms)
{
    const struct db_statement *statement = agents ? &number_agents : &number_reasons;
    const char *values[1];
    struct row_set words;
    struct buf scratch;
    size_t unknown;

    row_set_init(&words, 1);
    buf_init(&scratch, WORD_MAX);
    dictionary_make_room(dictionary, cargo->events < AGENTS_MOST ? cargo->events : 0);
    unknown = number_words(cargo, dictionary, agents, &words, &scratch);
    for (int attempt = 0; unknown && attempt < ATTEMPTS; attempt++) {
        struct db_result *result = NULL;
        bool learned;

        if (row_set_values(&words, values))
            result = db_ask(db, statement, values, left_ms(until_ms));
        learned = result && learn_answer(dictionary, result);
        db_result_free(result);
        if (!learned)
            break;
        unknown = number_words(cargo, dictionary, agents, &words, &scratch);
    }
    row_set_free(&words);
    buf_free(&scratch);
    return unknown == 0;
}

bool store_words_number(struct store_words *words, struct db *db, const struct cargo *cargo, int64_t until_ms)
{
    return learn(words->agents, db, cargo, true, until_ms) && learn(words->reasons, db, cargo, false, until_ms);
}
