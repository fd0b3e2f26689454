/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/health.h"

#include "common/clock.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_MAX = 1024 };

static void add_lag(struct loader *loader, unsigned shard, struct buf *text)
{
    struct loader_state state = loader_state(loader);
    char name[SHARD_NAME_BYTES];

    if (state.lag_s > HEALTH_LAG_S)
        buf_add_f(text, "loader: the oldest record has waited %.0f s for %s, %" PRIu64 " bytes wait\n", state.lag_s,
                  shard_name(shard, name), state.waiting);
}

static void add_troubles(struct site *site, struct buf *text)
{
    struct journal_state journal = journal_state(site->journal, clock_wall_us());

    if (!journal.writable)
        buf_add_f(text, "spool: hits are answered but not recorded, %" PRIu64 " lost since the start\n",
                  journal.lost);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (site->recorder->lane[shard].loader)
            add_lag(site->recorder->lane[shard].loader, shard, text);
}

bool health_may_know(const struct site *site, const struct request *request)
{
    static const uint8_t loopback[16] = {[15] = 1};
    const struct network_list *trusted = site->hits.trusted_proxies;
    struct client client = client_of(request, trusted, site->hits.proxy_header);
    uint8_t address[16] = {[10] = 0xff, [11] = 0xff}; /* for IPv4, as network.h has it */

    if (client.address_bytes == 0)
        return false;
    memcpy(address + sizeof address - client.address_bytes, client.address, client.address_bytes);
    if (client.address_bytes == 4 ? client.address[0] == 127 : memcmp(address, loopback, sizeof address) == 0)
        return true;
    return trusted && network_list_has_address(trusted, address);
}

struct http_answer health_answer(struct site *site, bool tell)
{
    static const struct http_header headers[] = {
        {"Content-Type", "text/plain; charset=utf-8"},
        {"Cache-Control", "no-store"},
    };
    struct http_answer answer = {.page = site->pages.healthy};
    struct buf text;

    buf_init(&text, TEXT_MAX);
    add_troubles(site, &text);
    if (text.len && !tell) {
        buf_reset(&text);
        buf_add_str(&text, "not ok\n");
    }
    if (text.len || text.failed)
        answer = (struct http_answer){
            .page = http_page_new(503, headers, sizeof headers / sizeof *headers, buf_slice(&text)),
            .once = true,
        };
    buf_free(&text);
    return answer;
}
