/* SPDX-License-Identifier: BSD-2-Clause */
/* dictionary - see dictionary.h; a hash table with open addressing, never more than half full */

#include "common/dictionary.h"

#include "common/little_endian.h"

#include <stdlib.h>

struct entry {
    char *word; /* NULL: free */
    size_t len;
    uint64_t hash;
    int32_t number;
};

struct dictionary {
    size_t most;
    size_t count;
    size_t mask;
    uint64_t seed; /* words come from strangers, who shall not choose where they collide */
    struct entry *entry;
};

struct dictionary *dictionary_new(size_t most)
{
    struct dictionary *dictionary = calloc(1, sizeof *dictionary);
    size_t places = 16;

    if (!dictionary)
        return NULL;
    while (places < most * 2)
        places *= 2;
    dictionary->most = most;
    dictionary->mask = places - 1;
    dictionary->seed = (uint64_t)(uintptr_t)dictionary * 0x9e3779b97f4a7c15;
    dictionary->entry = calloc(places, sizeof *dictionary->entry);
    if (!dictionary->entry) {
        free(dictionary);
        return NULL;
    }
    return dictionary;
}

static void empty(struct dictionary *dictionary)
{
    for (size_t at = 0; at <= dictionary->mask; at++)
        free(dictionary->entry[at].word);
    memset(dictionary->entry, 0, (dictionary->mask + 1) * sizeof *dictionary->entry);
    dictionary->count = 0;
}

void dictionary_free(struct dictionary *dictionary)
{
    if (!dictionary)
        return;
    empty(dictionary);
    free(dictionary->entry);
    free(dictionary);
}

void dictionary_make_room(struct dictionary *dictionary, size_t more)
{
    if (dictionary->count + more > dictionary->most)
        empty(dictionary);
}

static uint64_t mix(uint64_t hash, uint64_t bytes)
{
    hash = (hash ^ bytes) * 0x9e3779b97f4a7c15;
    return hash ^ hash >> 29;
}

/* Eight bytes a step, for User-Agents are long and every event has one. */
static uint64_t hash_of(uint64_t seed, struct slice word)
{
    uint64_t hash = mix(seed, word.len);
    char last[sizeof hash] = {0};

    for (; word.len > sizeof last; word = slice_from(word, sizeof last))
        hash = mix(hash, le64_get(word.p));
    if (word.len)
        memcpy(last, word.p, word.len);
    hash = mix(hash, le64_get(last));
    return hash ^ hash >> 32;
}

/* The word's place, or the free one where it belongs. */
static struct entry *place_of(const struct dictionary *dictionary, struct slice word, uint64_t hash)
{
    size_t at = hash & dictionary->mask;

    for (;; at = (at + 1) & dictionary->mask) {
        struct entry *entry = &dictionary->entry[at];

        if (!entry->word || (entry->hash == hash && slice_eq(slice_of(entry->word, entry->len), word)))
            return entry;
    }
}

bool dictionary_find(const struct dictionary *dictionary, struct slice word, int32_t *number)
{
    const struct entry *entry = place_of(dictionary, word, hash_of(dictionary->seed, word));

    if (!entry->word)
        return false;
    *number = entry->number;
    return true;
}

bool dictionary_add(struct dictionary *dictionary, struct slice word, int32_t number)
{
    uint64_t hash = hash_of(dictionary->seed, word);
    struct entry *entry;

    dictionary_make_room(dictionary, 1);
    entry = place_of(dictionary, word, hash);
    if (entry->word)
        return true;
    entry->word = malloc(word.len + 1);
    if (!entry->word)
        return false;
    if (word.len)
        memcpy(entry->word, word.p, word.len);
    entry->len = word.len;
    entry->hash = hash;
    entry->number = number;
    dictionary->count++;
    return true;
}
