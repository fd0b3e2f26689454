/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_words - the numbers that the database has for User-Agents and reasons. For store_load.c alone.
 */
#ifndef COMMON_STORE_WORDS_H
#define COMMON_STORE_WORDS_H

#include "common/db.h"
#include "common/store_cargo.h"

struct store_words;

struct store_words *store_words_new(void);
void store_words_free(struct store_words *words);

/* Gives every event its numbers; words that are new get one, outside of any transaction. False: see db_error(). */
bool store_words_number(struct store_words *words, struct db *db, const struct cargo *cargo, int64_t until_ms);

#endif
