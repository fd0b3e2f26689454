/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/open_page.h"

#include "common/address.h"
#include "pixeld/owners.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_MOST = 256 * 1024 }; /* bytes of a slow page */

/* An open page, as all voices have it; the last that lets go of it frees it. */
struct live_page {
    struct open_pages *all;
    struct http_stream *stream;
    char secret[72];
    char address[ADDRESS_MAX + 1]; /* who it is */
    uint64_t opened; /* the how manyth of all */
    bool sees_all;
    bool sent_off; /* of the first voice's thread: it has been told that it is one of too many */
    atomic_uint holders;
    atomic_int_fast64_t after[SHARDS]; /* each its voice's; -1: from now on, or no such server */
};

void open_pages_init(struct open_pages *all, size_t most, size_t of_one)
{
    *all = (struct open_pages){.most = most, .of_one = of_one};
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        all->list[shard].all = all;
        all->list[shard].shard = shard;
    }
    pthread_mutex_init(&all->lock, NULL);
}

void open_pages_destroy(struct open_pages *all)
{
    pthread_mutex_destroy(&all->lock);
}

static void let_go_of(struct live_page *live)
{
    struct open_pages *all = live->all;

    if (atomic_fetch_sub(&live->holders, 1) > 1)
        return;
    http_stream_leave(live->stream);
    explicit_bzero(live->secret, sizeof live->secret);
    free(live);
    pthread_mutex_lock(&all->lock);
    all->count--;
    pthread_mutex_unlock(&all->lock);
}

static void free_page(struct listener_page *page)
{
    let_go_of(page->live);
    free(page->owners);
    free(page);
}

static int64_t after_of(const struct page_list *list, const struct listener_page *page)
{
    return atomic_load(&page->live->after[list->shard]);
}

/* How many of these are ADDRESS's and have not ended, and the one that was opened first. */
static size_t count_of(struct listener_page *pages, const char *address, struct listener_page **first)
{
    size_t count = 0;

    for (struct listener_page *page = pages; page; page = page->next) {
        if (page->live->sent_off || strcmp(page->live->address, address) != 0)
            continue;
        count++;
        if (first && (!*first || page->live->opened < (*first)->live->opened))
            *first = page;
    }
    return count;
}

static struct live_page *live_page_new(struct open_pages *all, const char *secret, const char *address, bool sees_all,
                                       const struct feed_cursor *after)
{
    struct live_page *live = calloc(1, sizeof *live);

    if (live)
        live->stream = http_stream_new(WAITING_MOST);
    if (!live || !live->stream) {
        free(live);
        return NULL;
    }
    live->all = all;
    snprintf(live->secret, sizeof live->secret, "%s", secret);
    snprintf(live->address, sizeof live->address, "%s", address);
    live->sees_all = sees_all;
    atomic_init(&live->holders, 1);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        atomic_init(&live->after[shard], after->batch[shard]);
    return live;
}

/* The lock is held. False without memory. */
static bool hand_to(struct page_list *list, struct live_page *live)
{
    struct listener_page *page = calloc(1, sizeof *page);

    if (!page)
        return false;
    atomic_fetch_add(&live->holders, 1);
    page->live = live;
    page->next = list->arrived;
    list->arrived = page;
    return true;
}

struct http_stream *open_pages_open(struct open_pages *all, const char *secret, const char *address, bool sees_all,
                                    const struct feed_cursor *after)
{
    struct live_page *live = live_page_new(all, secret, address, sees_all, after);
    struct http_stream *stream = live ? live->stream : NULL;
    bool good;

    if (!live)
        return NULL;
    pthread_mutex_lock(&all->lock);
    all->count++;
    live->opened = ++all->opened;
    good = !all->closed && all->count <= all->most &&
           count_of(all->list[0].arrived, address, NULL) < all->of_one; /* for the thread ends old ones by and by */
    for (unsigned shard = 0; shard < SHARDS && good; shard++)
        if (all->list[shard].has_voice)
            good = hand_to(&all->list[shard], live);
    pthread_mutex_unlock(&all->lock);
    if (!good) {
        http_stream_end(stream); /* a voice that has it already lets go of it */
        http_stream_leave(stream);
    }
    let_go_of(live);
    return good ? stream : NULL;
}

void open_pages_close(struct open_pages *all)
{
    pthread_mutex_lock(&all->lock);
    all->closed = true;
    pthread_mutex_unlock(&all->lock);
}

bool open_pages_are_closed(struct open_pages *all)
{
    bool closed;

    pthread_mutex_lock(&all->lock);
    closed = all->closed;
    pthread_mutex_unlock(&all->lock);
    return closed;
}

bool page_list_has_arrived(struct page_list *list)
{
    bool arrived;

    pthread_mutex_lock(&list->all->lock);
    arrived = list->arrived != NULL || list->all->closed;
    pthread_mutex_unlock(&list->all->lock);
    return arrived;
}

static void tell(struct listener_page *page, const char *text)
{
    http_stream_add(page->live->stream, slice_str(text));
}

/* Whoever has too many pages open loses the oldest: the newest is the one that is looked at. */
static void keep_few(struct page_list *list, const char *address)
{
    struct listener_page *first = NULL;

    while (count_of(list->pages, address, &first) > list->all->of_one && first) {
        tell(first, "event: busy\ndata:\n\n");
        http_stream_end(first->live->stream);
        first->live->sent_off = true;
        first = NULL;
    }
}

void page_list_let_in(struct page_list *list)
{
    struct listener_page *page;

    pthread_mutex_lock(&list->all->lock);
    page = list->arrived;
    list->arrived = NULL;
    pthread_mutex_unlock(&list->all->lock);
    for (struct listener_page *next, *one = page; one; one = next) {
        next = one->next;
        one->next = list->pages;
        list->pages = one;
        if (list->shard == 0) /* one counts, and all have the same pages */
            keep_few(list, one->live->address);
    }
}

void page_list_let_go(struct page_list *list)
{
    struct listener_page **at = &list->pages;

    while (*at) {
        struct listener_page *page = *at;

        if (!http_stream_is_over(page->live->stream)) {
            at = &page->next;
            continue;
        }
        *at = page->next;
        free_page(page);
    }
}

void page_list_end(struct page_list *list)
{
    page_list_let_in(list);
    for (struct listener_page *next, *page = list->pages; page; page = next) {
        next = page->next;
        http_stream_end(page->live->stream);
        free_page(page);
    }
    list->pages = NULL;
}

/* Sessions */

void page_list_add_secrets(const struct page_list *list, struct buf *out)
{
    const char *gap = "{";

    for (const struct listener_page *page = list->pages; page; page = page->next, gap = ",")
        buf_add_f(out, "%s%s", gap, page->live->secret); /* digits alone */
    buf_add_str(out, list->pages ? "}" : "{}");
}

bool page_list_is_anybody_new(const struct page_list *list)
{
    for (const struct listener_page *page = list->pages; page; page = page->next)
        if (!page->known)
            return true;
    return false;
}

void listener_page_take_session(struct listener_page *page, const char *owners)
{
    free(page->owners);
    page->owners = owners ? strdup(owners) : NULL;
    page->known = page->live->sees_all ? !owners : page->owners != NULL;
}

void page_list_miss_session(const struct page_list *list, struct listener_page *page)
{
    page->known = false;
    if (list->shard)
        return;
    tell(page, "event: over\ndata:\n\n");
    http_stream_end(page->live->stream);
}

static bool may_see(const struct listener_page *page, const char *owner)
{
    if (!page->known)
        return false;
    return page->live->sees_all || (owner && page->owners && owners_have(page->owners, owner));
}

/* News */

void page_list_tell(struct page_list *list, const char *text)
{
    for (struct listener_page *page = list->pages; page; page = page->next)
        tell(page, text);
}

void page_list_tell_event(struct page_list *list, int64_t batch, const char *owner, const struct slice event[2])
{
    for (struct listener_page *page = list->pages; page; page = page->next)
        if (batch > after_of(list, page) && may_see(page, owner))
            http_stream_add(page->live->stream, event[page->live->sees_all]);
}

int64_t page_list_oldest(struct page_list *list, int64_t upto, int64_t floor)
{
    int64_t oldest_after = upto;

    for (struct listener_page *page = list->pages; page; page = page->next) {
        int64_t after = after_of(list, page);
        bool missed = after >= 0 && (after > upto || after < floor);

        if (missed)
            tell(page, "event: reload\ndata:\n\n");
        if (missed || after < 0)
            atomic_store(&page->live->after[list->shard], after = upto);
        if (after < oldest_after && page->known)
            oldest_after = after;
    }
    return oldest_after;
}

static void mark(const struct listener_page *page)
{
    struct feed_cursor cursor = feed_cursor_read(slice_str(""));
    struct buf event;

    for (unsigned shard = 0; shard < SHARDS; shard++)
        cursor.batch[shard] = atomic_load(&page->live->after[shard]);
    buf_init(&event, FEED_CURSOR_TEXT + 64);
    buf_add_str(&event, "id: ");
    feed_cursor_add(&event, &cursor);
    buf_add_str(&event, "\nevent: mark\ndata:\n\n");
    http_stream_add(page->live->stream, buf_slice(&event));
    buf_free(&event);
}

void page_list_move_on(struct page_list *list, int64_t upto)
{
    for (struct listener_page *page = list->pages; page; page = page->next) {
        bool moves = page->known && after_of(list, page) < upto;

        if (!moves)
            continue;
        atomic_store(&page->live->after[list->shard], upto);
        mark(page);
    }
}
