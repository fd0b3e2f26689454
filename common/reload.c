/* SPDX-License-Identifier: BSD-2-Clause */
/* reload - see reload.h */

#include "common/log.h"
#include "common/reload.h"

void reload_keys(struct keys *keys)
{
    struct buf error;

    buf_init(&error, 1024);
    if (keys_reload(keys, &error))
        log_notice("keys loaded again: %zu, key %u signs", keys_count(keys), keys_signing_id(keys));
    else
        log_err("the old keys stay: %s", buf_text(&error));
    buf_free(&error);
}
