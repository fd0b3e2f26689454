/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics - how far each sink is behind, in a file that Prometheus' node_exporter picks up.
 *
 * A file, for a door of HTTP would need what is spoor-pixeld's. A thread of its own writes it, whole or not at all.
 */
#ifndef RELAY_METRICS_H
#define RELAY_METRICS_H

#include "relay/sink.h"

struct metrics;
/* Writes nothing when no file is configured. NULL with ERROR. */
struct metrics *metrics_start(const struct conf *conf, struct sink *const *sinks, size_t count, struct buf *error);
void metrics_stop(struct metrics *metrics);

#endif
