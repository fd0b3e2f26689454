/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict - who is behind a hit, as far as the request alone tells. Pure.
 *
 * The first row of the table in verdict.c that matches gives verdict and reason; every hit is recorded
 * all the same, and hindsight (bursts, decoys, delivery) may judge again. Age is since the mail
 * was accepted here. The recipient's server may have got it much later, so age alone can show a machine but
 * never a person.
 */
#ifndef PIXELD_VERDICT_H
#define PIXELD_VERDICT_H

#include "common/record.h"
#include "pixeld/client.h"
#include "pixeld/request.h"

#include <stdint.h>

struct verdict {
    enum hit_verdict verdict;
    const char *reason; /* a word, kept in the database; static */
};

struct verdict verdict_of(const struct request *request, enum hit_kind kind, const struct client *client,
                          int64_t age_ms);

#endif
