/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink - the thread of one sink: takes from the outbox what may go, sends it, writes down what became of it.
 *
 * Several relays may serve the same sink: a row is leased to one of them at a time, and of one mail only the first that waits
 * is ever given out, so the order within a mail holds. Who dies leaves leases that end by themselves.
 */
#ifndef RELAY_SINK_H
#define RELAY_SINK_H

#include "common/buf.h"
#include "common/conf.h"

struct sink_counts { /* since the start */
    uint64_t sent, dropped, dead, again;
};

struct sink;
/* For what lies on one server. CONF stays the caller's, and must live as long. NULL with ERROR. */
struct sink *sink_start(const struct conf *conf, const struct conf_sink *settings, unsigned shard, struct buf *error);
/* All are told first, so that they end together. */
void sink_begin_stop(struct sink *sink);
void sink_free(struct sink *sink);

const char *sink_name(const struct sink *sink);
unsigned sink_shard(const struct sink *sink);
struct sink_counts sink_counts(struct sink *sink); /* from any thread */

#endif
