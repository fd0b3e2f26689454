/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * way - how a type of sink is reached; each type is a file with one of these.
 *
 * A way belongs to one thread. Nothing here logs: what is wrong is said in WHY, without any secret.
 */
#ifndef RELAY_WAY_H
#define RELAY_WAY_H

#include "common/buf.h"
#include "common/conf.h"
#include "relay/parcel.h"

#include <stdio.h>

struct way_pause {
    bool away;      /* the other side as a whole takes nothing now */
    int64_t for_ms; /* 0: as long as seems right */
};

struct way {
    const char *type;
    size_t batch; /* parcels at a time, where the sink says nothing */
    size_t requests, requests_each; /* that send() makes at most: for a batch, and for each parcel in it */
    /* Reads files, connects nowhere. NULL with WHY. */
    void *(*open)(const struct conf_sink *sink, struct buf *why);
    void (*close)(void *opened);
    /* Is the other side as it should be? Asked until it is, and again after a pause. May be NULL. */
    bool (*prepare)(void *opened, struct buf *why);
    /* Sets the outcome of each parcel. */
    struct way_pause (*send)(void *opened, struct parcel *parcels, size_t count, struct buf *why);
    /* What the last call of send() was answered, for people; "" when it was not. */
    const char *(*said)(void *opened);
};

extern const struct way webhook_way;
extern const struct way salesforce_way;
extern const struct way mail_way;

static inline const struct way *way_of(enum conf_sink_type type)
{
    return type == SINK_SALESFORCE ? &salesforce_way : type == SINK_MAIL ? &mail_way : &webhook_way;
}

#endif
