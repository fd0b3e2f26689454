/* SPDX-License-Identifier: BSD-2-Clause */
/* loader_keys - see loader_keys.h */

#include "common/loader_keys.h"

#include "common/hex.h"
#include "common/log.h"
#include "common/store_keys.h"

enum { ARRAY_MAX = KEY_IDS * (2 * KEYS_FINGERPRINT_BYTES + 8) };

struct arrays {
    struct buf ids;
    struct buf states;
    struct buf fingerprints;
};

static void add_key(struct arrays *arrays, uint8_t id, enum key_state state,
                    const uint8_t fingerprint[KEYS_FINGERPRINT_BYTES])
{
    const char *comma = arrays->ids.len > 1 ? "," : "";

    buf_add_f(&arrays->ids, "%s%u", comma, id);
    buf_add_f(&arrays->states, "%s%s", comma, key_state_name(state));
    buf_add_f(&arrays->fingerprints, "%s\"\\\\x", comma);
    hex_add(&arrays->fingerprints, fingerprint, KEYS_FINGERPRINT_BYTES);
    buf_add_char(&arrays->fingerprints, '"');
}

static bool list_keys(struct keys *keys, struct arrays *arrays)
{
    uint8_t fingerprint[KEYS_FINGERPRINT_BYTES];
    struct buf *const all[] = {&arrays->ids, &arrays->states, &arrays->fingerprints};
    bool good = true;

    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        buf_add_char(all[n], '{');
    for (unsigned id = 0; id < KEY_IDS; id++) {
        enum key_state state = keys_state(keys, (uint8_t)id);

        if (state != KEY_UNKNOWN && keys_fingerprint(keys, (uint8_t)id, fingerprint))
            add_key(arrays, (uint8_t)id, state, fingerprint);
    }
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        good = buf_add_char(all[n], '}') && good;
    return good;
}

static bool tell(struct keys *keys, struct db *db, int32_t spool, int deadline_ms)
{
    struct arrays arrays;
    bool told;

    buf_init(&arrays.ids, ARRAY_MAX);
    buf_init(&arrays.states, ARRAY_MAX);
    buf_init(&arrays.fingerprints, ARRAY_MAX);
    told = list_keys(keys, &arrays);
    if (told) {
        const struct store_key_list list = {buf_text(&arrays.ids), buf_text(&arrays.states),
                                            buf_text(&arrays.fingerprints)};

        told = store_report_keys(db, spool, &list, deadline_ms) == STORE_YES;
    }
    buf_free(&arrays.ids);
    buf_free(&arrays.states);
    buf_free(&arrays.fingerprints);
    return told;
}

bool loader_keys_tell(struct loader_keys *told, struct db *db, int32_t spool, int deadline_ms)
{
    unsigned generation;

    if (!told->keys)
        return true;
    generation = keys_generation(told->keys);
    if (told->told && told->generation == generation && told->spool == spool)
        return true;
    if (!tell(told->keys, db, spool, deadline_ms)) {
        if (!db_stands(db))
            return false;
        log_warn("cannot tell the database which keys are here: %s; until a session does, no new key can be"
                 " promoted", db_error(db));
    }
    *told = (struct loader_keys){.keys = told->keys, .told = true, .generation = generation, .spool = spool};
    return true;
}
