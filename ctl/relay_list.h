/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_list - the networks of a published list of relays. Pure.
 *
 * The form of https://mask-api.icloud.com/egress-ip-ranges.csv: "PREFIX,COUNTRY,REGION,CITY," a line, no head. Only the
 * prefix counts. Empty lines are passed over.
 */
#ifndef CTL_RELAY_LIST_H
#define CTL_RELAY_LIST_H

#include "common/network.h"

enum relay_line { RELAY_END, RELAY_NETWORK, RELAY_BAD };

struct relay_list {
    struct slice rest; /* of the file */
    size_t line;       /* number of the one read last, from 1 */
    struct slice text; /* of it: the prefix, or all of a bad one */
    struct network network;
};

/* The next network; a bad line is no end. */
enum relay_line relay_list_next(struct relay_list *list);

#endif
