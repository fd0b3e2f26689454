/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_file - see policy_file.h */

#include "ctl/policy_file.h"

#include "common/kept_text.h"
#include "ctl/mail_file.h"

/* The first bad line is named; it is no use to go on with less than was meant. */
static void note_bad_line(void *arg, const char *line)
{
    struct buf *error = arg;

    if (!error->len)
        buf_add_str(error, line);
}

struct policy *policy_file_read(const char *path, struct buf *error)
{
    struct policy *policy = NULL;
    struct slice text;
    struct buf bytes;

    buf_init(&bytes, KEPT_TEXT_MAX);
    if (mail_file_bytes(path, &bytes, error)) {
        if (!slice_starts_i(buf_slice(&bytes), slice_str("spoor policy ")))
            text = buf_slice(&bytes);
        else if (!kept_text_of("policy", buf_slice(&bytes), &text))
            buf_add_f(error, "%s is damaged: its checksum is another one", path);
        if (!error->len)
            policy = policy_parse(text, note_bad_line, error);
        if (!policy && !error->len)
            buf_add_f(error, "no memory for %s", path);
    }
    buf_free(&bytes);
    if (!error->len)
        return policy;
    policy_let_go(policy);
    return NULL;
}
