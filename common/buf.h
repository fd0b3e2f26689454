/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buf - bytes that grow, always with a cap.
 *
 * `data` always has a NUL after `len` bytes once anything was added, so it may be passed to printf.
 * An addition that would pass the cap, or for which there is no memory, adds nothing and sets
 * `failed`, which stays set until buf_reset(): build first, look at `failed` once at the end.
 * Not for use by two threads at once.
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include "common/slice.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;  /* owned; NULL until the first addition */
    size_t len;  /* bytes in use */
    size_t size; /* bytes allocated */
    size_t cap;  /* most bytes that may be in use */
    bool failed;
};

void buf_init(struct buf *buf, size_t cap);
void buf_free(struct buf *buf);  /* also fine on a zeroed or freed one */
void buf_reset(struct buf *buf); /* empty again; keeps the memory and the cap */

bool buf_reserve(struct buf *buf, size_t more); /* room for MORE further bytes */
bool buf_add(struct buf *buf, const void *bytes, size_t len);
bool buf_add_slice(struct buf *buf, struct slice s);
bool buf_add_str(struct buf *buf, const char *text);
bool buf_add_char(struct buf *buf, char c);
bool buf_add_f(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool buf_add_vf(struct buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

struct slice buf_slice(const struct buf *buf);
const char *buf_text(const struct buf *buf); /* "" when empty; valid until the next change */

/* The bytes, NUL-terminated, now owned by the caller; the buffer is empty. NULL when it had failed or no memory. */
char *buf_steal(struct buf *buf);

#endif
