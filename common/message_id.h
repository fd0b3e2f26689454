/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message_id - numbers for tracked mails (`message.id`), unique without asking anyone.
 *
 * 42 bits of milliseconds since 2020-01-01 UTC, 10 bits of node, 12 bits of sequence. The number sorts by
 * time and tells the mail's age. Ids are reserved ahead of use in a file, written about every ten seconds
 * while ids are made, so a clock set back or a killed process never makes one twice. (The Message-ID header
 * field is mail/msgid.)
 */
#ifndef COMMON_MESSAGE_ID_H
#define COMMON_MESSAGE_ID_H

#include "common/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum { NODE_MAX = 1023 };

struct message_id_maker;

/* DIRECTORY holds the file of reservations, `reserved`; no two makers may share it (the spool's lock sees to
 * that). The node may be unknown (-1) until the database has leased one. */
struct message_id_maker *message_id_maker_open(const char *directory, int node, struct buf *error);
void message_id_maker_close(struct message_id_maker *maker);
/* By how much ids are ahead of the clock: it was once wrong, or is now. 0 when they are not. */
int64_t message_id_maker_ahead_ms(struct message_id_maker *maker);
void message_id_maker_set_node(struct message_id_maker *maker, int node);

/* False while there is no node, or when the reservation cannot be written (errno). Any thread. */
bool message_id_make(struct message_id_maker *maker, uint64_t *id);

/* Milliseconds since the epoch (1970), from the id. */
int64_t message_id_time_ms(uint64_t id);
unsigned message_id_node(uint64_t id);
uint64_t message_id_compose(int64_t unix_ms, unsigned node, unsigned sequence);

#endif
