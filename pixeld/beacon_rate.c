/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/beacon_rate.h"

#include <pthread.h>
#include <stdlib.h>

enum { LINKS = 4096, MINUTE_MS = 60 * 1000 };

/* Two links may share a place, and then what they may do; that is rare, and costs a report of many. */
struct beacon_rate {
    pthread_mutex_t lock;
    struct {
        int64_t minute;
        unsigned count;
    } link[LINKS];
};

struct beacon_rate *beacon_rate_new(void)
{
    struct beacon_rate *rate = calloc(1, sizeof *rate);

    if (rate)
        pthread_mutex_init(&rate->lock, NULL);
    return rate;
}

void beacon_rate_free(struct beacon_rate *rate)
{
    if (!rate)
        return;
    pthread_mutex_destroy(&rate->lock);
    free(rate);
}

static size_t place_of(const struct token *token)
{
    uint64_t mixed = (token->message * 31 + token->recipient) * 31 + token->index;

    return (mixed * UINT64_C(0x9e3779b97f4a7c15) >> 32) % LINKS;
}

bool beacon_rate_allows(struct beacon_rate *rate, const struct token *token, int64_t now_ms)
{
    unsigned most = token->recipient ? BEACONS_PER_MINUTE : BEACONS_PER_MINUTE_SHARED;
    size_t place = place_of(token);
    bool allows;

    pthread_mutex_lock(&rate->lock);
    if (rate->link[place].minute != now_ms / MINUTE_MS) {
        rate->link[place].minute = now_ms / MINUTE_MS;
        rate->link[place].count = 0;
    }
    allows = rate->link[place].count < most;
    rate->link[place].count += allows;
    pthread_mutex_unlock(&rate->lock);
    return allows;
}
