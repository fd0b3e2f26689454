/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * open_page - the feed pages that are open, and for each server the list of those that its voice (herald.c) tells.
 *
 * Desks open pages on any thread: they are handed to each list, as arrived, under the lock. A list takes them in on its voice's thread;
 * what is in belongs to that thread alone, which calls all of page_list_...() and listener_page_...(). The stream, the session's secret and
 * how far the page has come on each server are shared by the lists, and freed by the last that lets go of them. The lock is held for
 * moments, and with no other.
 */
#ifndef PIXELD_OPEN_PAGE_H
#define PIXELD_OPEN_PAGE_H

#include "common/buf.h"
#include "common/shard.h"
#include "pixeld/feed_cursor.h"
#include "pixeld/http_stream.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_page;

/* An open page, as one voice has it. */
struct listener_page {
    struct listener_page *next;
    struct live_page *live;
    char *owners; /* as PostgreSQL writes an array of texts; NULL: everybody's mail */
    bool known;   /* OWNERS were asked for */
};

/* Those that one voice tells. */
struct page_list {
    struct open_pages *all;
    unsigned shard;
    bool has_voice;                /* set before any page is opened */
    struct listener_page *arrived; /* under the lock */
    struct listener_page *pages;   /* of the voice's thread alone */
};

struct open_pages {
    struct page_list list[SHARDS];
    size_t most;
    size_t of_one;        /* of these, of one sender */
    pthread_mutex_t lock; /* of what stands below, and of each list's ARRIVED */
    size_t count;
    uint64_t opened; /* since the start */
    bool closed;
};

void open_pages_init(struct open_pages *all, size_t most, size_t of_one);
void open_pages_destroy(struct open_pages *all); /* when no page is left, and nobody opens any */
/* As herald_open(). */
struct http_stream *open_pages_open(struct open_pages *all, const char *secret, const char *address, bool sees_all,
                                    const struct feed_cursor *after);
void open_pages_close(struct open_pages *all); /* none is opened any more; those that are stay */
bool open_pages_are_closed(struct open_pages *all);

bool page_list_has_arrived(struct page_list *list); /* has anybody come, or is it closed? */
/* Those that arrived; whoever has too many open loses the oldest. */
void page_list_let_in(struct page_list *list);
/* Those whose client has gone, or read too little. */
void page_list_let_go(struct page_list *list);
/* All, of a voice whose thread has ended. */
void page_list_end(struct page_list *list);

/* As PostgreSQL writes an array, in the list's order. */
void page_list_add_secrets(const struct page_list *list, struct buf *out);
bool page_list_is_anybody_new(const struct page_list *list); /* whose session is to be asked for */
void listener_page_take_session(struct listener_page *page, const char *owners);
/* Who is not signed in any more gets the end of the stream. Another server than the first has a copy, which may not have come yet. */
void page_list_miss_session(const struct page_list *list, struct listener_page *page);

void page_list_tell(struct page_list *list, const char *text);
/* Whoever may see OWNER's mail, and has not come to BATCH. EVENT[1] is for who sees everybody's mail. */
void page_list_tell_event(struct page_list *list, int64_t batch, const char *owner, const struct slice event[2]);
/*
 * Where the page that has seen least stands. Those that missed too much, or begin now, are told and set to UPTO; whose session is not
 * known here yet does not move, so that nothing passes by.
 */
int64_t page_list_oldest(struct page_list *list, int64_t upto, int64_t floor);
void page_list_move_on(struct page_list *list, int64_t upto); /* and tells those that move where they stand */

#endif
