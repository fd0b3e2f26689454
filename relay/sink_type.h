/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink_type - what each type of sink can do; a file a type, and a row in sink_type.c.
 *
 * What open() gives belongs to one thread. Nothing here logs: what is wrong is said in WHY, without any secret.
 */
#ifndef RELAY_SINK_TYPE_H
#define RELAY_SINK_TYPE_H

#include "common/buf.h"
#include "common/conf.h"
#include "relay/parcel.h"

#include <stdio.h>

struct sink_pause {
    bool away;      /* the other side as a whole takes nothing now */
    int64_t for_ms; /* 0: as long as seems right */
};

struct sink_type {
    size_t batch; /* parcels at a time, where the sink says nothing */
    size_t requests, requests_each; /* that send() makes at most: for a batch, and for each parcel in it */
    bool to_sender; /* in the sender's own mailbox: as each sender chooses, with digests, and replies are there anyhow */
    /* Reads files, connects nowhere. NULL with WHY. */
    void *(*open)(const struct conf_sink *sink, struct buf *why);
    void (*close)(void *opened);
    /* Is the other side as it should be? Asked until it is, and again after a pause. May be NULL. */
    bool (*prepare)(void *opened, struct buf *why);
    /* Sets the outcome of each parcel. */
    struct sink_pause (*send)(void *opened, struct parcel *parcels, size_t count, struct buf *why);
    /* What the last call of send() was answered, for people; "" when it was not. */
    const char *(*said)(void *opened);
};

const struct sink_type *sink_type_of(enum conf_sink_type type);

/* Those there are. */
extern const struct sink_type webhook_sink;
extern const struct sink_type salesforce_sink;
extern const struct sink_type mail_sink;

#endif
