/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qp - quoted-printable (RFC 2045 6.7): decoded with a way back, so that it can be spliced inside.
 *
 * The map holds one entry a raw line, which keeps it small; a place inside a line is found by reading
 * that line again. Broken escapes stand for themselves, as mail readers show them. Pure.
 */
#ifndef MAIL_QP_H
#define MAIL_QP_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdint.h>

enum { QP_LINE_MAX = 76 }; /* characters, the "=" of a soft break included */

/* A large part of lines that are nothing but breaks would cost more in its map than in itself: such is not decoded. */
enum { QP_LARGE = 4 * 1024 * 1024 /* bytes */, QP_MEAN_LINE_MIN = 40 /* bytes, in a large part */ };

struct qp_line {
    uint32_t raw, decoded; /* where it begins */
};

struct qp_map {
    struct slice raw;
    struct qp_line *line;
    size_t lines, size;
    bool too_many; /* lines: why it was not decoded */
    /* where the last search ended: places are asked for in rising order, and a line may be very long */
    size_t last, at, decoded, text, end;
};

/* Adds the decoded bytes to OUT, which must be empty, and makes the map. False without memory, or when it would cost too much. */
bool qp_decode(struct slice raw, struct buf *out, struct qp_map *map);
void qp_map_free(struct qp_map *map);

/*
 * Where decoded byte DECODED begins in the raw text; before the trailing white space of its line when it is
 * a line break, and the end for the one behind the last. qp_end() is behind that byte. Fast in rising order.
 */
size_t qp_start(struct qp_map *map, size_t decoded);
size_t qp_end(struct qp_map *map, size_t decoded);

/* Adds text, escaped, with soft breaks; CRLF in it is a hard one. *COLUMN is that of the raw line so far. */
bool qp_add_text(struct slice text, const char *line_break, size_t *column, struct buf *out);

#endif
