/* SPDX-License-Identifier: BSD-2-Clause */
/* ids of any header value, and References built from it: within its limit, and the anchor in it */

#include "mail/msgid.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_anchor(void *arg, struct slice id)
{
    (void)arg;
    return id.p[0] == 'a';
}

/* Of an id that begins with t: the rest of it. */
static struct slice twin(void *arg, struct slice id)
{
    (void)arg;
    return id.p[0] == 't' && id.p[1] != '@' ? slice_from(id, 1) : slice_str("");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice value = slice_of((const char *)data, size);
    struct references_request request = {.old = value, .anchor = slice_str("anchor@example.com"),
                                         .is_anchor = is_anchor, .twin = twin};
    struct msgid_list list = {.count = 0};
    struct buf out;

    msgid_list_read(value, &list);
    for (size_t n = 0; n < list.count; n++)
        if (list.id[n].len > MSGID_MAX || !memchr(list.id[n].p, '@', list.id[n].len))
            abort();
    msgid_valid(value);
    buf_init(&out, 100000);
    if (!references_build(&request, &out) || out.len >= REFERENCES_MAX ||
        slice_find_i(buf_slice(&out), "<anchor@example.com>") == (size_t)-1)
        abort();
    buf_free(&out);
    return 0;
}
