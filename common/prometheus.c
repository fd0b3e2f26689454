/* SPDX-License-Identifier: BSD-2-Clause */
/* prometheus - see prometheus.h */

#include "common/prometheus.h"

#include <inttypes.h>

void prometheus_family(struct buf *out, const char *name, enum prometheus_type type, const char *help)
{
    buf_add_f(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
              type == PROMETHEUS_COUNTER ? "counter" : "gauge");
}

static void add_name(struct buf *out, const char *name, const char *labels)
{
    buf_add_str(out, name);
    if (*labels)
        buf_add_f(out, "{%s}", labels);
}

void prometheus_sample(struct buf *out, const char *name, const char *labels, uint64_t value)
{
    add_name(out, name, labels);
    buf_add_f(out, " %" PRIu64 "\n", value);
}

void prometheus_sample_real(struct buf *out, const char *name, const char *labels, double value)
{
    add_name(out, name, labels);
    buf_add_f(out, " %.3f\n", value);
}
