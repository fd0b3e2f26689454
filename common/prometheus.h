/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prometheus - what a program has counted, as Prometheus reads it (text exposition format 0.0.4).
 *
 * A family is named once, then come its samples. Names, labels and help are constants of ours and need no escape.
 */
#ifndef COMMON_PROMETHEUS_H
#define COMMON_PROMETHEUS_H

#include "common/buf.h"

#include <stdint.h>

#define PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum prometheus_type { PROMETHEUS_COUNTER, PROMETHEUS_GAUGE };

void prometheus_family(struct buf *out, const char *name, enum prometheus_type type, const char *help);
/* LABELS as they stand between the braces, such as `route="view",status="200"`; "" for none. */
void prometheus_sample(struct buf *out, const char *name, const char *labels, uint64_t value);
void prometheus_sample_real(struct buf *out, const char *name, const char *labels, double value);

#endif
