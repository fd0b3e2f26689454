/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sign_token - one token for a test, signed with the first key of a file:
 *
 *     sign_token KEYFILE KIND MESSAGE RECIPIENT DESTINATION
 *
 * KIND is the number on the wire; RECIPIENT and DESTINATION may be empty.
 */

#include "common/token.h"

#include <stdio.h>
#include <stdlib.h>

static int usage(void)
{
    fputs("usage: sign_token KEYFILE KIND MESSAGE RECIPIENT DESTINATION\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct token token = {.index = 0};
    char text[TOKEN_TEXT + 1];
    struct keys *keys;
    struct buf error;
    bool done;

    if (argc != 6)
        return usage();
    buf_init(&error, 1000);
    keys = keys_load(argv[1], &error);
    token.kind = (enum token_kind)strtoul(argv[2], NULL, 10);
    token.message = strtoull(argv[3], NULL, 10);
    token.index = token.kind == TOKEN_CLICK;
    if (keys && argv[4][0])
        token.recipient = keys_recipient(keys, slice_str(argv[4]));
    done = keys && token_sign(keys, &token, slice_str(argv[5]), text);
    if (done)
        puts(text);
    else
        fprintf(stderr, "sign_token: %s\n", error.len ? buf_text(&error) : "cannot sign that");
    keys_free(keys);
    buf_free(&error);
    return done ? 0 : 1;
}
