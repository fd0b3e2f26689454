/* SPDX-License-Identifier: BSD-2-Clause */
/* a form's body, its first line a Cookie field */

#include "common/utf8.h"
#include "pixeld/feed_cookie.h"
#include "pixeld/form.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input = slice_of((const char *)data, size);
    struct slice cookies = slice_of(input.p, slice_find_char(input, '\n'));
    struct request request = {.field = {[REQUEST_COOKIE] = cookies}};
    struct buf value, clean;
    uint8_t device[16];
    char session[65];

    feed_cookie_read(&request, FEED_COOKIE_SESSION, true, session, sizeof session);
    if (strlen(session) != 0 && strlen(session) != 64)
        abort();
    feed_cookie_device(&request, true, device);
    buf_init(&value, 256);
    buf_init(&clean, 1024);
    if (form_field(slice_from(input, cookies.len + 1), "form", &value) &&
        (!utf8_clean(buf_slice(&value), &clean) || !slice_eq(buf_slice(&clean), buf_slice(&value))))
        abort(); /* what is handed on is text */
    buf_free(&value);
    buf_free(&clean);
    return 0;
}
