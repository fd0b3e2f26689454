/* SPDX-License-Identifier: BSD-2-Clause */
/* any text as a token: none verifies that we did not make, and one token has one spelling */

#include "common/token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keys *keys;
    struct slice text = slice_of((const char *)data, size < TOKEN_TEXT ? size : TOKEN_TEXT);
    struct slice destination = slice_from(slice_of((const char *)data, size), text.len);
    char spelled[TOKEN_TEXT + 1];
    struct token token, again;

    if (!keys && !(keys = some_keys()))
        abort();
    if (!token_parse(text, &token))
        return 0;
    if (token_verify(keys, text, destination, &again) == TOKEN_GOOD)
        abort();
    if (!token_sign(keys, &token, destination, spelled))
        return 0;
    if (token_verify(keys, slice_str(spelled), destination, &again) != TOKEN_GOOD || again.message != token.message)
        abort();
    return 0;
}
