/* SPDX-License-Identifier: BSD-2-Clause */
/* loader_forget - see loader_forget.h */

#include "common/loader_forget.h"

#include "common/forgotten_list.h"
#include "common/kept_text.h"
#include "common/log.h"
#include "common/store_forget.h"

#include <inttypes.h>

/* A database that was restored may know less than this process; but whoever is missing may have been remembered since. */
static enum store_answer tell_missing(struct db *db, struct slice text, bool *told, int deadline_ms)
{
    struct forgotten *old = forgotten_list_take();
    struct forgotten *now = old ? forgotten_parse(text) : NULL;
    enum store_answer answer = STORE_NO;
    struct buf array;

    buf_init(&array, KEPT_TEXT_MAX);
    if (now && forgotten_missing(old, now, &array))
        answer = store_remember_forgotten(db, buf_text(&array), forgotten_number(old), deadline_ms);
    *told = answer == STORE_YES;
    if (*told)
        log_warn("the database was set back and no longer knows all who are forgotten; run spoorctl schema upgrade");
    buf_free(&array);
    forgotten_let_go(now);
    forgotten_let_go(old);
    return answer;
}

/* TEXT is its list. */
static enum store_answer learn_from_first(struct loader_forget *forget, struct db *db, struct buf *text, int deadline_ms)
{
    bool told;

    if (tell_missing(db, buf_slice(text), &told, deadline_ms) == STORE_AWAY)
        return STORE_AWAY;
    if (told) {
        enum store_answer answer;

        buf_reset(text);
        answer = store_read_forgotten(db, text, deadline_ms);
        if (answer != STORE_YES)
            return answer;
    }
    return forgotten_list_use(0, buf_slice(text), &forget->number) ? STORE_YES : STORE_NO;
}

enum store_answer loader_forget_learn(struct loader_forget *forget, struct db *db, struct buf *why, int deadline_ms)
{
    enum store_answer answer = store_listen_forget(db, deadline_ms);
    struct buf text;

    buf_init(&text, KEPT_TEXT_MAX);
    if (answer == STORE_YES)
        answer = store_read_forgotten(db, &text, deadline_ms);
    if (answer == STORE_YES && forget->shard)
        answer = forgotten_list_use(forget->shard, buf_slice(&text), &forget->number) ? STORE_YES : STORE_NO;
    else if (answer == STORE_YES)
        answer = learn_from_first(forget, db, &text, deadline_ms);
    if (answer == STORE_NO)
        buf_add_str(why, "the list of who is forgotten cannot be read");
    buf_free(&text);
    return answer;
}

enum store_answer loader_forget_begin(struct loader_forget *forget, struct db *db, int32_t spool, int deadline_ms)
{
    enum store_answer answer = forget->number ? store_erasure_due(db, spool, deadline_ms) : STORE_NO;

    if (answer == STORE_AWAY)
        return answer;
    forget->due = answer == STORE_YES;
    forget->parted = false;
    return answer;
}

enum store_answer loader_forget_go_on(struct loader_forget *forget, struct db *db, struct spool *spool, int32_t number,
                                      uint64_t loaded, int deadline_ms)
{
    if (!forget->due)
        return STORE_YES;
    if (!forget->parted)
        forget->parted = spool_part(spool, &forget->until);
    if (!forget->parted || (loaded < forget->until && spool_waiting(spool, loaded) > 0) || !spool_erase(spool, forget->until))
        return STORE_YES; /* the next turn tries again */
    if (store_acknowledge_erasure(db, number, forget->number, deadline_ms) == STORE_AWAY)
        return STORE_AWAY;
    log_notice("the spool holds nothing any more of who is forgotten, up to number %" PRId64, forget->number);
    forget->due = false;
    return STORE_YES;
}

bool loader_forget_is_news(struct db *db)
{
    char channel[CHANNEL_BYTES];
    bool is_news = false;

    while (db_wait_notification(db, 0, channel)) /* all of them are one piece of news */
        is_news = true;
    return is_news;
}

void loader_forget_record(struct spool_record *record, struct buf *scratch)
{
    switch (forgotten_list_record(record->kind, record->payload, scratch)) {
    case FORGOTTEN_KEEPS:
        return;
    case FORGOTTEN_CHANGES:
        record->payload = buf_slice(scratch);
        return;
    case FORGOTTEN_DROPS:
        record->kind = RECORD_NOTHING;
        record->payload = slice_of("", 0);
        return;
    }
}
