/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dictionary - numbers of words that were asked for lately.
 *
 * Holds at most so many words; when it is full it is emptied, for what is in use comes back at once. Words
 * are copied. Belongs to one thread.
 */
#ifndef COMMON_DICTIONARY_H
#define COMMON_DICTIONARY_H

#include "common/slice.h"

#include <stdint.h>

struct dictionary;

struct dictionary *dictionary_new(size_t most); /* NULL without memory */
void dictionary_free(struct dictionary *dictionary);

bool dictionary_find(const struct dictionary *dictionary, struct slice word, int32_t *number);
/* False without memory. A word that is there already keeps its number. */
bool dictionary_add(struct dictionary *dictionary, struct slice word, int32_t number);
/* Empties it unless MORE words still fit. */
void dictionary_make_room(struct dictionary *dictionary, size_t more);

#endif
