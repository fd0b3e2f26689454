/* SPDX-License-Identifier: BSD-2-Clause */
/* what postconf says: whatever main.cf holds, each line that comes out is one command with one quoted word */

#include "ctl/postfix_advice.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where one word of sh in single quotes ends, an escaped quote in it or not. */
static size_t word_end(struct slice line)
{
    size_t at = 0;

    while (at < line.len && line.p[at] == '\'') {
        at += 1 + slice_find_char(slice_from(line, at + 1), '\'') + 1;
        if (slice_starts_i(slice_from(line, at), slice_str("\\''")))
            at += 2;
        else
            break;
    }
    return at;
}

static void check(struct slice line)
{
    static const char command[] = "postconf -e ";

    if (slice_is(line, "postfix reload"))
        return;
    if (line.len < sizeof command || !slice_starts_i(line, slice_str("postconf -")))
        abort();
    line = slice_from(line, strlen(command));
    if (word_end(line) != line.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char stamp[] = "unix:/var/spool/postfix/spoor/stamp/stamp.sock", copies[] = "unix:/var/spool/postfix/spoor/stamp/copies.sock";
    char match[] = "inet:9000@localhost";
    struct conf conf = {.stamp = {.milter = {.listen = stamp}, .listen_copies = copies}, .match = {.milter = {.listen = match}}};
    struct postfix_settings settings;
    struct postfix_advice advice;

    postfix_settings_init(&settings);
    postfix_advice_init(&advice);
    if (postfix_settings_read(&settings, slice_of((const char *)data, size))) {
        struct slice rest;

        postfix_advise(&settings, &conf, NULL, &advice);
        rest = buf_slice(&advice.lines);
        while (!slice_empty(rest) && !advice.lines.failed)
            check(slice_cut(&rest, '\n'));
    }
    postfix_advice_free(&advice);
    postfix_settings_free(&settings);
    return 0;
}
