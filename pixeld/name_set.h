/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name_set - which of many names stand in a text where a word begins.
 *
 * "curl/" is not found inside "recurl/8". Without regard to case. A question costs a binary search a word,
 * however many names there are. Add names, then build; a built set is read-only and may be asked by all threads.
 */
#ifndef PIXELD_NAME_SET_H
#define PIXELD_NAME_SET_H

#include "common/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct name {
    struct slice text;
    uint32_t number; /* what it stands for */
    uint32_t parent; /* the longest other name that this one begins with, or one with the same text */
};

struct name_set { /* zeroed is empty */
    struct name *item; /* owned */
    size_t count, room;
    uint32_t first[257]; /* where names with this first byte begin */
};

/* TEXT must live as long as the set; not empty. False without memory. */
bool name_set_add(struct name_set *set, struct slice text, uint32_t number);
void name_set_build(struct name_set *set);
void name_set_free(struct name_set *set);

/* Calls FOUND with the number of each name that the word at the beginning of REST begins with. */
void name_set_find(const struct name_set *set, struct slice rest, void (*found)(void *arg, uint32_t number), void *arg);

#endif
