/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/http_quiesce.h"

#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* SUMMONS_MS: an answer takes less than one. SPARE_MAX: descriptors that are passed over on the way to one that suits. */
enum { SUMMONS_MS = 2000, SPARE_MAX = 256 };

struct http_quiesce {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    bool closed; /* who comes stands until it is not */
    unsigned standing;
};

struct http_quiesce *http_quiesce_new(void)
{
    struct http_quiesce *quiesce = calloc(1, sizeof *quiesce);

    if (!quiesce)
        return NULL;
    pthread_mutex_init(&quiesce->lock, NULL);
    clock_condition_init(&quiesce->changed);
    return quiesce;
}

void http_quiesce_free(struct http_quiesce *quiesce)
{
    if (!quiesce)
        return;
    pthread_cond_destroy(&quiesce->changed);
    pthread_mutex_destroy(&quiesce->lock);
    free(quiesce);
}

bool http_quiesce_summons(const struct sockaddr *address)
{
    return address && address->sa_family == AF_UNSPEC;
}

void http_quiesce_stand(struct http_quiesce *quiesce)
{
    pthread_mutex_lock(&quiesce->lock);
    if (quiesce->closed) {
        quiesce->standing++;
        pthread_cond_broadcast(&quiesce->changed);
        while (quiesce->closed)
            pthread_cond_wait(&quiesce->changed, &quiesce->lock);
        quiesce->standing--;
        pthread_cond_broadcast(&quiesce->changed);
    }
    pthread_mutex_unlock(&quiesce->lock);
}

/* The library gives the connection FD to its thread FD % THREADS, which has room; so a number is sought for each. */
static unsigned summon(struct MHD_Daemon *daemon, unsigned threads)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    int spare[SPARE_MAX];
    unsigned spares = 0, next = 0;

    while (next < threads && spares < SPARE_MAX) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
            break;
        if ((unsigned)fd % threads != next)
            spare[spares++] = fd;
        else if (MHD_add_connection(daemon, fd, &nobody, sizeof nobody) == MHD_YES)
            next++;
        else
            break;
    }
    while (spares)
        close(spare[--spares]);
    return next;
}

/* Until so many stand, or it takes too long. */
static bool await_standing(struct http_quiesce *quiesce, unsigned threads)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + SUMMONS_MS);
    bool all;

    pthread_mutex_lock(&quiesce->lock);
    while (quiesce->standing < threads && pthread_cond_timedwait(&quiesce->changed, &quiesce->lock, &until) != ETIMEDOUT)
        ;
    all = quiesce->standing == threads;
    pthread_mutex_unlock(&quiesce->lock);
    return all;
}

/* Opened, it returns when all have left: one that stayed would be counted among those of the next daemon. */
static void set_closed(struct http_quiesce *quiesce, bool closed)
{
    pthread_mutex_lock(&quiesce->lock);
    quiesce->closed = closed;
    pthread_cond_broadcast(&quiesce->changed);
    while (!closed && quiesce->standing)
        pthread_cond_wait(&quiesce->changed, &quiesce->lock);
    pthread_mutex_unlock(&quiesce->lock);
}

void http_quiesce(struct http_quiesce *quiesce, struct MHD_Daemon *daemon, unsigned threads)
{
    unsigned summoned;

    set_closed(quiesce, true);
    summoned = summon(daemon, threads);
    if (!await_standing(quiesce, summoned) || summoned < threads)
        log_warn("a listening socket could not be given up safely: only some of %u threads stood still", threads);
    MHD_quiesce_daemon(daemon);
    set_closed(quiesce, false);
}
