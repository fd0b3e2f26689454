/* SPDX-License-Identifier: BSD-2-Clause */
/* record_bytes - see record_bytes.h */

#include "common/record_bytes.h"

#include "common/little_endian.h"

/* writing */

void put_u8(struct buf *out, unsigned value)
{
    buf_add_char(out, (char)(uint8_t)value);
}

void put_u16(struct buf *out, uint16_t value)
{
    char bytes[sizeof value];

    le16_put(bytes, value);
    buf_add(out, bytes, sizeof bytes);
}

void put_u32(struct buf *out, uint32_t value)
{
    char bytes[sizeof value];

    le32_put(bytes, value);
    buf_add(out, bytes, sizeof bytes);
}

void put_u64(struct buf *out, uint64_t value)
{
    char bytes[sizeof value];

    le64_put(bytes, value);
    buf_add(out, bytes, sizeof bytes);
}

void put_text(struct buf *out, struct slice text)
{
    if (text.len > UINT16_MAX) {
        out->failed = true;
        return;
    }
    put_u16(out, (uint16_t)text.len);
    buf_add_slice(out, text);
}

bool put_done(struct buf *out, size_t start)
{
    if (!out->failed)
        return true;
    out->len = start;
    return false;
}

/* reading */

static const char *take(struct record_input *in, size_t len)
{
    const char *p = in->rest.p;

    if (in->bad || in->rest.len < len) {
        in->bad = true;
        return NULL;
    }
    in->rest = slice_from(in->rest, len);
    return p;
}

uint8_t take_u8(struct record_input *in)
{
    const char *p = take(in, 1);

    return p ? (uint8_t)*p : 0;
}

uint16_t take_u16(struct record_input *in)
{
    const char *p = take(in, sizeof(uint16_t));

    return p ? le16_get(p) : 0;
}

uint32_t take_u32(struct record_input *in)
{
    const char *p = take(in, sizeof(uint32_t));

    return p ? le32_get(p) : 0;
}

uint64_t take_u64(struct record_input *in)
{
    const char *p = take(in, sizeof(uint64_t));

    return p ? le64_get(p) : 0;
}

struct slice take_text(struct record_input *in)
{
    size_t len = take_u16(in);
    const char *p = take(in, len);

    return slice_of(p, p ? len : 0);
}

void take_bytes(struct record_input *in, void *to, size_t len)
{
    const char *p = take(in, len);

    if (p)
        memcpy(to, p, len);
}

unsigned take_word(struct record_input *in, unsigned first, unsigned last)
{
    unsigned value = take_u8(in);

    if (value < first || value > last)
        in->bad = true;
    return in->bad ? first : value;
}

size_t take_count(struct record_input *in, size_t entry_min)
{
    size_t count = take_u32(in);

    if (count > in->rest.len / entry_min)
        in->bad = true;
    return in->bad ? 0 : count;
}
