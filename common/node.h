/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * node - the node number that a spool has leased from the database, kept beside it.
 *
 * So that a start without the database still knows it. A number belongs to the spool's identity: a copied
 * folder has a new identity and finds none.
 */
#ifndef COMMON_NODE_H
#define COMMON_NODE_H

#include "common/spool.h"

enum { NODE_UNKNOWN = -1 };

/* NODE_UNKNOWN when none is kept for this identity. */
int node_read(const char *directory, const uint8_t identity[SPOOL_IDENTITY_BYTES]);
/* False with errno. */
bool node_keep(const char *directory, const uint8_t identity[SPOOL_IDENTITY_BYTES], int node);

#endif
