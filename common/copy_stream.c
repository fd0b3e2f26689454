/* SPDX-License-Identifier: BSD-2-Clause */
/* copy_stream - see copy_stream.h */

#include "common/copy_stream.h"

static const char signature[] = "PGCOPY\n\377\r\n"; /* its NUL is part of it */

static const int64_t epoch_us = 946684800000000; /* 2000-01-01, from which PostgreSQL counts */

enum { FAMILY_IPV4 = 2, FAMILY_IPV6 = 3 }; /* PGSQL_AF_INET, PGSQL_AF_INET6 */

static void put_number(unsigned char *text, uint64_t value, unsigned bytes)
{
    for (unsigned at = 0; at < bytes; at++)
        text[at] = (unsigned char)(value >> (8 * (bytes - 1 - at)));
}

static void add_number(struct buf *out, uint64_t value, unsigned bytes)
{
    unsigned char text[8];

    put_number(text, value, bytes);
    buf_add(out, text, bytes);
}

void copy_begin(struct buf *out)
{
    buf_add(out, signature, sizeof signature);
    add_number(out, 0, 4); /* flags */
    add_number(out, 0, 4); /* bytes of header extension */
}

void copy_row(struct buf *out, int16_t columns)
{
    add_number(out, (uint16_t)columns, 2);
}

static void add_column(struct buf *out, uint64_t value, unsigned bytes)
{
    unsigned char text[4 + 8];

    put_number(text, bytes, 4);
    put_number(text + 4, value, bytes);
    buf_add(out, text, 4 + bytes);
}

void copy_char(struct buf *out, char letter)
{
    add_column(out, (unsigned char)letter, 1);
}

void copy_int16(struct buf *out, int16_t value)
{
    add_column(out, (uint16_t)value, 2);
}

void copy_int32(struct buf *out, int32_t value)
{
    add_column(out, (uint32_t)value, 4);
}

void copy_int64(struct buf *out, int64_t value)
{
    add_column(out, (uint64_t)value, 8);
}

void copy_time(struct buf *out, int64_t time_us)
{
    copy_int64(out, time_us - epoch_us);
}

void copy_address(struct buf *out, const uint8_t *bytes, size_t count)
{
    unsigned char head[4] = {count == 4 ? FAMILY_IPV4 : FAMILY_IPV6, (unsigned char)(count * 8), 0, (unsigned char)count};

    if (count != 4 && count != 16) {
        add_number(out, UINT32_MAX, 4);
        return;
    }
    add_number(out, sizeof head + count, 4);
    buf_add(out, head, sizeof head);
    buf_add(out, bytes, count);
}

void copy_bytes(struct buf *out, struct slice bytes)
{
    add_number(out, bytes.len, 4);
    buf_add_slice(out, bytes);
}

void copy_end(struct buf *out)
{
    add_number(out, UINT16_MAX, 2);
}
