/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latest - a value that never changes itself, but is replaced: whoever reads takes the one that holds now, in any thread,
 * while another replaces it.
 *
 * The values count who holds them; HOLD and LET_GO are theirs, LET_GO(NULL) is fine.
 */
#ifndef COMMON_LATEST_H
#define COMMON_LATEST_H

struct latest;

/* VALUE becomes its own. NULL without memory, or when VALUE is. */
struct latest *latest_new(void *value, void (*hold)(void *value), void (*let_go)(void *value));
void latest_free(struct latest *latest);

/* Held once more: let it go. */
void *latest_take(struct latest *latest);
/* VALUE becomes its own; the one before goes when nobody holds it any more. */
void latest_replace(struct latest *latest, void *value);

#endif
