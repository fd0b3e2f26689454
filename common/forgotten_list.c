/* SPDX-License-Identifier: BSD-2-Clause */
/* forgotten_list - see forgotten_list.h */

#include "common/forgotten_list.h"

#include "common/kept_text.h"
#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char kept_name[] = "forgotten";

static pthread_mutex_t renewal = PTHREAD_MUTEX_INITIALIZER; /* one loader at a time brings a list; of what is told of epochs, too */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER; /* of `list` */
static struct forgotten *list;
static atomic_bool anybody, unknown;
static char *directory; /* set before there are threads */
static void (*begin_epoch)(void *arg, int64_t epoch);
static void *begin_arg;
static int64_t epochs[SHARDS]; /* of each server: what changes in any of them changes their sum */

struct forgotten *forgotten_list_take(void)
{
    struct forgotten *taken = NULL;

    if (!atomic_load_explicit(&anybody, memory_order_relaxed))
        return NULL;
    pthread_rwlock_rdlock(&lock);
    if (list)
        taken = forgotten_hold(list);
    pthread_rwlock_unlock(&lock);
    return taken;
}

bool forgotten_list_is_known(void)
{
    return !atomic_load(&unknown);
}

static bool censor(const char *text, char *out, size_t size)
{
    struct forgotten *now = forgotten_list_take();
    struct buf line;
    bool changed;

    if (!now)
        return false;
    buf_init(&line, size - 1);
    changed = forgotten_censor(now, slice_str(text), &line);
    if (changed)
        snprintf(out, size, "%s", line.failed ? "a line that names somebody who is forgotten" : buf_text(&line));
    buf_free(&line);
    forgotten_let_go(now);
    return changed;
}

static void replace(struct forgotten *now)
{
    struct forgotten *old;

    pthread_rwlock_wrlock(&lock);
    old = list;
    list = now;
    atomic_store(&anybody, forgotten_count(now) > 0);
    pthread_rwlock_unlock(&lock);
    forgotten_let_go(old);
    log_set_censor(censor);
}

/* 0: none is known. The numbers are drawn from 56 bits, so that all fit. */
static int64_t epoch(void)
{
    int64_t sum = 0;

    for (unsigned shard = 0; shard < SHARDS; shard++)
        sum += epochs[shard];
    return sum;
}

/* The renewal is ours, or there are no threads yet. */
static void use_epoch(unsigned shard, int64_t now)
{
    bool is_news = now && now != epochs[shard];

    epochs[shard] = now ? now : epochs[shard];
    if (is_news && begin_epoch)
        begin_epoch(begin_arg, epoch());
}

void forgotten_list_open(const char *path)
{
    struct forgotten *kept = NULL;
    const char *trouble = NULL;
    struct buf text;

    free(directory);
    directory = strdup(path);
    buf_init(&text, KEPT_TEXT_MAX);
    if (!kept_text_read(path, kept_name, &text))
        trouble = errno == ENOENT ? NULL : strerrordesc_np(errno);
    else if (!(kept = forgotten_parse(buf_slice(&text))))
        trouble = "it cannot be read";
    if (trouble)
        log_err("cannot use the list of who is forgotten in %s, so no mail is tracked until the database gives it: %s", path,
                trouble);
    atomic_store(&unknown, trouble != NULL);
    buf_free(&text);
    use_epoch(0, forgotten_epoch(kept));
    replace(kept);
}

void forgotten_list_tell(void (*begin)(void *arg, int64_t epoch), void *arg)
{
    pthread_mutex_lock(&renewal);
    begin_epoch = begin;
    begin_arg = arg;
    if (epoch())
        begin_epoch(begin_arg, epoch());
    pthread_mutex_unlock(&renewal);
}

/*
 * The renewal is ours. NOW is given away. What was kept and is damaged may have named more than a copy does: that is better than
 * nothing, but who else is forgotten the first server alone can tell, also after a start.
 */
static void use(struct forgotten *now, bool copy, struct slice text)
{
    replace(now);
    if (copy && atomic_load(&unknown))
        return;
    atomic_store(&unknown, false);
    if (directory && !kept_text_write(directory, kept_name, text))
        log_warn("cannot keep the list of who is forgotten in %s: %s", directory, strerrordesc_np(errno));
}

/* One that is behind may tell nothing about people, for another server told more. */
static bool is_behind(const struct forgotten *now)
{
    bool behind;

    pthread_rwlock_rdlock(&lock);
    behind = list && forgotten_number(list) >= forgotten_number(now);
    pthread_rwlock_unlock(&lock);
    return behind;
}

bool forgotten_list_use(unsigned shard, struct slice text, int64_t *number)
{
    struct forgotten *now = forgotten_parse(text);
    int64_t its_epoch = forgotten_epoch(now);

    if (!now)
        return false;
    *number = forgotten_number(now);
    pthread_mutex_lock(&renewal);
    if (shard && is_behind(now))
        forgotten_let_go(now);
    else
        use(now, shard > 0, text);
    use_epoch(shard, its_epoch);
    pthread_mutex_unlock(&renewal);
    return true;
}

enum forgotten_effect forgotten_list_record(uint8_t kind, struct slice record, struct buf *payload)
{
    struct forgotten *now = kind == RECORD_HIT ? NULL : forgotten_list_take();
    enum forgotten_effect effect;

    if (!now)
        return FORGOTTEN_KEEPS;
    effect = forgotten_record(now, kind, record, payload);
    forgotten_let_go(now);
    return effect;
}
