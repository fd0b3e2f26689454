/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_run - what tests of an outgoing mail share: keys, a configuration, a number, and one mail with its plan. */
#ifndef TESTS_UNIT_OUTGOING_RUN_H
#define TESTS_UNIT_OUTGOING_RUN_H

#include "common/conf.h"
#include "common/keys.h"
#include "mail/outgoing.h"

struct outgoing_run {
    struct header_list headers;
    struct outgoing_plan plan;
};

void outgoing_run_free(struct outgoing_run *run);

/* Mail of example.com is ours, views and links are tracked, and nothing else. The keys are the caller's; NULL when there are none. */
struct keys *outgoing_prepare(struct conf *conf);
/* As outgoing_settings.number: always the same. */
bool outgoing_number(void *arg, uint64_t *id);

#endif
