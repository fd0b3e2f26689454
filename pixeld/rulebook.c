/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rulebook - see rulebook.h
 *
 * The lock is held for a few instructions: between reading the pointer and counting oneself in, nobody may free what
 * it points to.
 */
#include "pixeld/rulebook.h"

#include <pthread.h>
#include <stdlib.h>

struct rulebook {
    pthread_rwlock_t lock;
    struct rules *rules;
};

struct rulebook *rulebook_new(struct rules *rules)
{
    struct rulebook *book = rules ? calloc(1, sizeof *book) : NULL;

    if (!book) {
        rules_let_go(rules);
        return NULL;
    }
    pthread_rwlock_init(&book->lock, NULL);
    book->rules = rules;
    return book;
}

void rulebook_free(struct rulebook *book)
{
    if (!book)
        return;
    rules_let_go(book->rules);
    pthread_rwlock_destroy(&book->lock);
    free(book);
}

struct rules *rulebook_take(struct rulebook *book)
{
    struct rules *rules;

    pthread_rwlock_rdlock(&book->lock);
    rules = rules_hold(book->rules);
    pthread_rwlock_unlock(&book->lock);
    return rules;
}

void rulebook_replace(struct rulebook *book, struct rules *rules)
{
    struct rules *old;

    pthread_rwlock_wrlock(&book->lock);
    old = book->rules;
    book->rules = rules;
    pthread_rwlock_unlock(&book->lock);
    rules_let_go(old);
}
