/* SPDX-License-Identifier: BSD-2-Clause */
/* any value of X-Spoor-Pass: none is believed that we did not make; and what it would say comes back when we do make it */

#include "mail/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 10000, NOW = 1790000000 };

static struct keys *some_keys(void)
{
    char path[] = "/tmp/spoor-fuzz-XXXXXX";
    int fd = mkstemp(path);
    struct keys *keys;
    struct buf error;

    buf_init(&error, 1000);
    if (fd < 0 || unlink(path) != 0 || close(fd) != 0 || !keys_create(path, &error))
        abort();
    keys = keys_load(path, &error);
    unlink(path);
    buf_free(&error);
    return keys;
}

/* The input as owner and Message-ID of a pass that is ours. */
static void expect_same(struct keys *keys, struct slice input, struct buf *value, struct buf *text)
{
    struct slice owner = slice_of(input.p, input.len < 300 ? input.len : 300);
    struct pass in = {.message = input.len, .time_s = NOW, .level = LEVEL_AGGREGATE, .views = true, .owner = owner};
    struct pass out;

    if (!pass_write(keys, &in, input, value) || pass_read(keys, buf_slice(value), input, NOW, &out, text))
        abort();
    if (out.message != in.message || out.level != in.level || !out.views || out.links || !slice_eq(out.owner, owner))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keys *keys;
    struct slice input = slice_of((const char *)data, size);
    struct buf value, text;
    struct pass pass;

    if (!keys && !(keys = some_keys()))
        abort();
    buf_init(&value, CAP);
    buf_init(&text, CAP);
    if (!pass_read(keys, input, slice_str("a@example.com"), NOW, &pass, &text))
        abort();
    expect_same(keys, input, &value, &text);
    buf_free(&text);
    buf_free(&value);
    return 0;
}
