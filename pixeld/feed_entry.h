/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed_entry - an event of the feed in plain words, and as HTML. Pure.
 *
 * Entries about one person and one mail stand together in a group, newest first.
 */
#ifndef PIXELD_FEED_ENTRY_H
#define PIXELD_FEED_ENTRY_H

#include "common/buf.h"

#include <stdbool.h>

/* All texts as the database gives them; NULL where there is none. */
struct feed_entry {
    const char *batch, *record, *spool;
    unsigned shard; /* the server whose numbers these are */
    const char *at; /* ISO 8601, UTC; NULL: a later verdict on an entry that came before */
    const char *what, *owner, *person, *subject, *detail, *verdict, *reason, *message, *campaign, *status, *hardness;
    const char *agent;
    const char *address;
    const char *place; /* in words */
    const char *recipient;
    bool forwarded;
    bool show_owner;   /* to who sees everybody's mail */
    const char *settles_in;
};

/* Who did it, where that is in doubt: "probably automatic". "" else. */
const char *feed_entry_doubt(const struct feed_entry *entry);
bool feed_entry_is_machine(const struct feed_entry *entry);

bool feed_entry_same_group(const struct feed_entry *a, const struct feed_entry *b);

/* What the page knows it by: the same each time it is told. */
void feed_entry_add_id(struct buf *out, const struct feed_entry *entry);

/* PREFIX is the path of tracking_url. */
void feed_entry_add_line(struct buf *out, const struct feed_entry *entry, bool with_person);
void feed_entry_begin_group(struct buf *out, const struct feed_entry *newest, const char *prefix);
void feed_entry_end_group(struct buf *out);

/* A line of CSV; its columns are those of feed_entry_csv_head. */
extern const char feed_entry_csv_head[];
void feed_entry_add_csv(struct buf *out, const struct feed_entry *entry);

#endif
