/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forgotten - who is forgotten, known by digests, and what that takes out of records and texts. Pure.
 *
 * Made from the text that spoor.forgotten_lines() gives, or from the file kept of it, one thing a line, parted by tabs:
 *     salt HEX        random bytes
 *     number N        of the last row of spoor.forgotten
 *     epoch N         what was cached in another one may be about somebody who is forgotten since; 0 or absent: not known
 *     digest HEX      SHA-256 of the salt and an address in normal form
 * Made once, then read by all threads; it counts who holds it.
 */
#ifndef COMMON_FORGOTTEN_H
#define COMMON_FORGOTTEN_H

#include "common/record.h"

struct forgotten;

/* NULL without memory, and for a text that is no such list. */
struct forgotten *forgotten_parse(struct slice text);
struct forgotten *forgotten_hold(struct forgotten *forgotten); /* one more holder */
void forgotten_let_go(struct forgotten *forgotten); /* the last one frees; NULL is fine */

int64_t forgotten_number(const struct forgotten *forgotten);
int64_t forgotten_epoch(const struct forgotten *forgotten); /* 0 for NULL */
size_t forgotten_count(const struct forgotten *forgotten); /* 0 for NULL */

/* Does ADDRESS (normal form) belong to somebody who is forgotten? FORGOTTEN may be NULL: nobody is. */
bool forgotten_has(const struct forgotten *forgotten, struct slice address);

/* "{...}", an array of bytea, of those in OLD whom NEW does not have; false when there are none, or the salts differ. */
bool forgotten_missing(const struct forgotten *old, const struct forgotten *now, struct buf *array);

/* Adds TEXT with each address of somebody who is forgotten replaced; false when none stands in it. */
bool forgotten_censor(const struct forgotten *forgotten, struct slice text, struct buf *out);

enum forgotten_effect { FORGOTTEN_KEEPS, FORGOTTEN_CHANGES /* PAYLOAD has what is left */, FORGOTTEN_DROPS };
/* What becomes of a record. PAYLOAD is emptied first. */
enum forgotten_effect forgotten_record(const struct forgotten *forgotten, uint8_t kind, struct slice record, struct buf *payload);

#endif
