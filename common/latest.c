/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latest - see latest.h
 *
 * The lock is held for a few instructions: between reading the pointer and counting oneself in, nobody may free what
 * it points to.
 */
#include "common/latest.h"

#include <pthread.h>
#include <stdlib.h>

struct latest {
    pthread_rwlock_t lock;
    void *value;
    void (*hold)(void *value);
    void (*let_go)(void *value);
};

struct latest *latest_new(void *value, void (*hold)(void *value), void (*let_go)(void *value))
{
    struct latest *latest = value ? calloc(1, sizeof *latest) : NULL;

    if (!latest) {
        let_go(value);
        return NULL;
    }
    pthread_rwlock_init(&latest->lock, NULL);
    latest->value = value;
    latest->hold = hold;
    latest->let_go = let_go;
    return latest;
}

void latest_free(struct latest *latest)
{
    if (!latest)
        return;
    latest->let_go(latest->value);
    pthread_rwlock_destroy(&latest->lock);
    free(latest);
}

void *latest_take(struct latest *latest)
{
    void *value;

    pthread_rwlock_rdlock(&latest->lock);
    value = latest->value;
    latest->hold(value);
    pthread_rwlock_unlock(&latest->lock);
    return value;
}

void latest_replace(struct latest *latest, void *value)
{
    void *old;

    pthread_rwlock_wrlock(&latest->lock);
    old = latest->value;
    latest->value = value;
    pthread_rwlock_unlock(&latest->lock);
    latest->let_go(old);
}
