/* SPDX-License-Identifier: BSD-2-Clause */
/* buf - see buf.h */

#include "common/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64 };

void buf_init(struct buf *buf, size_t cap)
{
    *buf = (struct buf){.cap = cap};
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.cap = buf->cap};
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

bool buf_reserve(struct buf *buf, size_t more)
{
    size_t size;
    char *data;

    if (buf->failed || more > buf->cap || buf->len > buf->cap - more) {
        buf->failed = true;
        return false;
    }
    if (buf->len + more < buf->size)
        return true;
    size = buf->size ? buf->size : FIRST_SIZE;
    while (size <= buf->len + more)
        size *= 2;
    if (size > buf->cap + 1)
        size = buf->cap + 1;
    data = realloc(buf->data, size);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->size = size;
    return true;
}

bool buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (!buf_reserve(buf, len))
        return false;
    if (len)
        memcpy(buf->data + buf->len, bytes, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return true;
}

bool buf_add_slice(struct buf *buf, struct slice s)
{
    return buf_add(buf, s.p, s.len);
}

bool buf_add_str(struct buf *buf, const char *text)
{
    return buf_add(buf, text, strlen(text));
}

bool buf_add_char(struct buf *buf, char c)
{
    return buf_add(buf, &c, 1);
}

bool buf_add_vf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0) {
        buf->failed = true;
        return false;
    }
    if (!buf_reserve(buf, (size_t)len))
        return false;
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    buf->len += (size_t)len;
    return true;
}

bool buf_add_f(struct buf *buf, const char *format, ...)
{
    va_list args;
    bool added;

    va_start(args, format);
    added = buf_add_vf(buf, format, args);
    va_end(args);
    return added;
}

struct slice buf_slice(const struct buf *buf)
{
    return slice_of(buf->data, buf->len);
}

const char *buf_text(const struct buf *buf)
{
    return buf->data && buf->len ? buf->data : "";
}

char *buf_steal(struct buf *buf)
{
    char *data;

    if (!buf_reserve(buf, 0))
        return NULL;
    data = buf->data;
    data[buf->len] = '\0';
    *buf = (struct buf){.cap = buf->cap};
    return data;
}
