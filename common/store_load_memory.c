/* SPDX-License-Identifier: BSD-2-Clause */
/* store_load_memory - see store_load_private.h */

#include "common/store_load_private.h"

#include "common/clock.h"

#include <stdio.h>
#include <stdlib.h>

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

int loading_left_ms(const struct loading *loading)
{
    int64_t left = loading->until_ms - clock_monotonic_ms();

    return left > 0 ? (int)left : 0;
}

struct db_result *loading_ask(struct loading *loading, const struct db_statement *statement, const char *const *values)
{
    return db_ask(loading->db, statement, values, loading_left_ms(loading));
}

bool loading_tell(struct loading *loading, const struct db_statement *statement, const char *const *values)
{
    struct db_result *result = loading_ask(loading, statement, values);

    db_result_free(result);
    return result != NULL;
}

struct db_result *loading_ask_rows(struct loading *loading, const struct db_statement *statement, struct row_set *rows)
{
    const char *values[ROW_COLUMNS_MAX];
    struct db_result *result;

    loading->refusable = true;
    result = row_set_values(rows, values) ? loading_ask(loading, statement, values) : NULL;
    loading->refusable = !result;
    return result;
}

bool loading_tell_rows(struct loading *loading, const struct db_statement *statement, struct row_set *rows)
{
    struct db_result *result;

    if (rows->rows == 0)
        return true;
    result = loading_ask_rows(loading, statement, rows);
    db_result_free(result);
    return result != NULL;
}

const char *loading_number(char text[LOADING_NUMBER_TEXT], int64_t value)
{
    snprintf(text, LOADING_NUMBER_TEXT, "%lld", (long long)value);
    return text;
}
