/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/view_id.h"

#include "common/big_endian.h"
#include "common/digest.h"
#include "common/hex.h"

#include <string.h>

enum { AT_TIME = 1, AT_DOCUMENT = 9, AT_NONCE = 17, AT_MAC = AT_NONCE + VIEW_BYTES, MAC_BYTES = VIEW_ID_BYTES - AT_MAC };
enum { CLOCKS_MS = 60 * 1000 }; /* two of our machines differ by less */

static bool mac_of(struct keys *keys, const struct token *token, const uint8_t bytes[VIEW_ID_BYTES], uint8_t mac[KEYS_MAC_BYTES])
{
    uint8_t link[8 + 4 + 2 + 1];
    const struct slice parts[] = {
        slice_str("spoor view 1"), slice_of((const char *)link, sizeof link), slice_of((const char *)bytes, AT_MAC)};

    be_put(link, token->message, 8);
    be_put(link + 8, token->recipient, 4);
    be_put(link + 12, token->index, 2);
    link[14] = token->aggregate;
    return keys_holds(keys_mac(keys, bytes[0], KEYS_LABEL_VIEW_ID, parts, sizeof parts / sizeof *parts, mac));
}

bool view_id_make(struct keys *keys, const struct token *token, uint64_t document, int64_t now_ms, char text[VIEW_ID_TEXT + 1])
{
    uint8_t bytes[VIEW_ID_BYTES], mac[KEYS_MAC_BYTES];

    bytes[0] = keys_signing_id(keys);
    be_put(bytes + AT_TIME, (uint64_t)now_ms, 8);
    be_put(bytes + AT_DOCUMENT, document, 8);
    if (!digest_random(bytes + AT_NONCE, VIEW_BYTES) || !mac_of(keys, token, bytes, mac))
        return false;
    memcpy(bytes + AT_MAC, mac, MAC_BYTES);
    hex_write(bytes, sizeof bytes, text);
    return true;
}

bool view_id_read(struct keys *keys, const struct token *token, struct slice text, int64_t now_ms, struct view_id *id)
{
    uint8_t bytes[VIEW_ID_BYTES], mac[KEYS_MAC_BYTES];

    if (!hex_read(text, bytes, VIEW_ID_BYTES) || !mac_of(keys, token, bytes, mac) || !digest_equal(mac, bytes + AT_MAC, MAC_BYTES))
        return false;
    id->time_ms = (int64_t)be_get(bytes + AT_TIME, 8);
    id->document = be_get(bytes + AT_DOCUMENT, 8);
    memcpy(id->nonce, bytes + AT_NONCE, VIEW_BYTES);
    return now_ms >= id->time_ms - CLOCKS_MS && now_ms - id->time_ms <= VIEW_ID_VALID_MS;
}
