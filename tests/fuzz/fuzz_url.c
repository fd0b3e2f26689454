/* SPDX-License-Identifier: BSD-2-Clause */
/* any request target; and any destination comes back as it was */

#include "common/url.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_back(struct slice destination)
{
    static const char token[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct url_target target = {0};
    struct slice path;
    struct buf url;

    buf_init(&url, 10000);
    if (url_add_click(&url, "https://t.example", token, destination)) {
        if (!url_target_of(buf_slice(&url), "https://t.example", &path) || !url_target_parse(path, &target))
            abort();
        if (!slice_eq(buf_slice(&target.destination), destination))
            abort();
        url_target_free(&target);
    }
    buf_free(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size);
    struct url_target target;

    url_target_parse(text, &target);
    url_target_free(&target);
    if (url_destination_ok(text))
        read_back(text);
    return 0;
}
