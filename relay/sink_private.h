/* SPDX-License-Identifier: BSD-2-Clause */
/* sink_private - what the files of a sink share: what one has, how it waits, and how it goes through a batch. */
#ifndef RELAY_SINK_PRIVATE_H
#define RELAY_SINK_PRIVATE_H

#include "relay/sink.h"

#include "common/log.h"
#include "common/store_outbox.h"
#include "relay/sink_type.h"

#include <pthread.h>

enum { SINK_QUESTION_MS = 30000, SINK_WHY_MAX = 2000, SINK_LEASE_BYTES = 16 };

struct sink {
    const struct conf *conf;
    const struct conf_sink *settings;
    unsigned shard;
    const struct sink_type *type;
    void *opened;
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock; /* of the four below */
    pthread_cond_t changed;
    bool stopping;
    bool waiting;         /* for the database, with nothing under way */
    struct sink_counts counts;

    /* of the thread alone */
    bool prepared;
    bool in_trouble;      /* and has said so */
    int64_t failures;     /* in a row */
    int64_t tended_ms;
    char lease[2 * SINK_LEASE_BYTES + 1];
    struct parcel *parcel;
    size_t parcels, most;
    struct log_throttle trouble, away;
};

/* Asleep for MS, unless it is to stop. */
void sink_rest(struct sink *sink, int64_t ms);
/* How long after so many FAILURES in a row; of one of them, with some chance in it. */
int64_t sink_wait_after(const struct sink *sink, int64_t failures);
/* With each event, the text of a reply? */
bool sink_wants_text(const struct sink *sink);
/* WHY is NULL once all is well. Logged, and told to the database when it begins and when it ends; false when that is away. */
bool sink_tell_trouble(struct sink *sink, const char *why);

/* Takes what may go now: STORE_YES when there is something, until sink_batch_forget(). */
enum store_answer sink_batch_claim(struct sink *sink);
/* Sends it and writes down what became of each event; then rests, if the other side is away. False when the database is. */
bool sink_batch_send(struct sink *sink);
void sink_batch_forget(struct sink *sink);

#endif
