/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/gzip.h"

#include <stdint.h>
#include <zlib.h>

enum { LEVEL = 6, GZIP_WINDOW = 15 + 16, MEMORY = 8 };

/* "gzip;q=0" refuses it; any other weight takes it. */
static bool takes_gzip(struct slice entry)
{
    size_t semicolon = slice_find_char(entry, ';');
    struct slice weight = slice_trim(slice_from(entry, semicolon + 1));

    if (!slice_is_i(slice_trim(slice_of(entry.p, semicolon)), "gzip"))
        return false;
    if (!slice_starts_i(weight, slice_str("q=")))
        return true;
    for (weight = slice_from(weight, 2); weight.len; weight = slice_from(weight, 1))
        if (weight.p[0] != '0' && weight.p[0] != '.')
            return true;
    return false;
}

bool gzip_is_accepted(struct slice accept_encoding)
{
    while (accept_encoding.len) {
        size_t comma = slice_find_char(accept_encoding, ',');

        if (takes_gzip(slice_of(accept_encoding.p, comma)))
            return true;
        accept_encoding = slice_from(accept_encoding, comma + 1);
    }
    return false;
}

bool gzip_add(struct buf *out, struct slice bytes)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)bytes.p, .avail_in = (uInt)bytes.len};
    size_t most;
    bool done;

    if (bytes.len > UINT32_MAX || deflateInit2(&stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    most = deflateBound(&stream, (uLong)bytes.len);
    done = buf_reserve(out, most);
    if (done) {
        stream.next_out = (Bytef *)out->data + out->len;
        stream.avail_out = (uInt)most;
        done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
        out->len += done ? stream.total_out : 0;
    }
    deflateEnd(&stream);
    return done;
}
