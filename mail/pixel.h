/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pixel - the markup that is put into a page: the invisible image, the decoy and the footer that stand before it.
 *
 * ASCII, as splices want it. URLs are ours and need no escape. Pure; false without memory.
 */
#ifndef MAIL_PIXEL_H
#define MAIL_PIXEL_H

#include "common/buf.h"
#include "common/slice.h"

enum { PIXEL_DECOY_URL_MAX = 450 }; /* a decoy and the pixel behind it fit a line of a 7bit part */

/* The image, its tag BLANKS longer than it must be: blanks inside a tag show nowhere, and go when it goes. */
bool pixel_write(struct slice url, size_t blanks, struct buf *markup);

/* A paragraph of small letters that links to URL with TEXT, which is HTML. */
bool pixel_write_footer(struct slice url, const char *text, struct buf *markup);

/* A link with nothing to see, to hear or to reach with the keyboard: only a program that reads the page follows it. */
bool pixel_write_decoy(struct slice url, struct buf *markup);

#endif
