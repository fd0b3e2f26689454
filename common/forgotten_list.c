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

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER; /* of `list` */
static struct forgotten *list;
static atomic_bool anybody;
static char *directory; /* set before there are threads, as what follows */
static void (*flush)(void *arg);
static void *flush_arg;

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

void forgotten_list_open(const char *path)
{
    struct forgotten *kept = NULL;
    struct buf text;

    free(directory);
    directory = strdup(path);
    buf_init(&text, KEPT_TEXT_MAX);
    if (kept_text_read(path, kept_name, &text))
        kept = forgotten_parse(buf_slice(&text));
    else if (errno != ENOENT)
        log_err("cannot use the list of who is forgotten in %s until the database gives it: %s", path, strerrordesc_np(errno));
    buf_free(&text);
    replace(kept);
}

void forgotten_list_tell(void (*call)(void *arg), void *arg)
{
    flush = call;
    flush_arg = arg;
}

static bool names_somebody_new(const struct forgotten *now)
{
    struct forgotten *old = forgotten_list_take();
    bool is_news = forgotten_count(now) > 0;
    struct buf array;

    buf_init(&array, KEPT_TEXT_MAX);
    if (old)
        is_news = forgotten_missing(now, old, &array);
    buf_free(&array);
    forgotten_let_go(old);
    return is_news;
}

bool forgotten_list_use(struct slice text, int64_t *number)
{
    struct forgotten *now = forgotten_parse(text);
    bool is_news;

    if (!now)
        return false;
    *number = forgotten_number(now);
    is_news = names_somebody_new(now);
    replace(now);
    if (directory && !kept_text_write(directory, kept_name, text))
        log_warn("cannot keep the list of who is forgotten in %s: %s", directory, strerrordesc_np(errno));
    if (is_news && flush)
        flush(flush_arg);
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
