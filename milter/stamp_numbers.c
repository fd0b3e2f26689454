/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_numbers - see stamp_numbers.h */

#include "milter/stamp_numbers.h"

#include "common/log.h"
#include "common/node.h"

enum { AHEAD_MS = 60000 /* more than ids are ever reserved ahead */ };

void stamp_numbers_node_known(void *arg, int node)
{
    struct stamp_filter *filter = arg;
    const struct recorder_lane *lane = &filter->recorder->lane[0];
    uint8_t identity[SPOOL_IDENTITY_BYTES];

    spool_identity(lane->spool, identity);
    message_id_maker_set_node(filter->numbers, node);
    if (node_read(lane->directory, identity) != node && !node_keep(lane->directory, identity, node))
        log_warn("cannot keep node number %d in %s: %m; a start without the database will not know it", node, lane->directory);
}

/* A number that was leased for another shard is of no use: mail under it would not go where this host's mail goes. */
static int kept_node(const struct recorder *recorder)
{
    uint8_t identity[SPOOL_IDENTITY_BYTES];
    int node;

    spool_identity(recorder->lane[0].spool, identity);
    node = node_read(recorder->lane[0].directory, identity);
    return node != NODE_UNKNOWN && (unsigned)node / SHARD_NODES == recorder->here ? node : NODE_UNKNOWN;
}

bool stamp_numbers_open(struct stamp_filter *filter, struct buf *error)
{
    const char *directory = filter->recorder->lane[0].directory;

    filter->numbers = message_id_maker_open(directory, kept_node(filter->recorder), error);
    if (filter->numbers && message_id_maker_ahead_ms(filter->numbers) > AHEAD_MS)
        log_warn("message ids in %s are %lld s ahead of the clock, which is or was wrong: mails get that time",
                 directory, (long long)message_id_maker_ahead_ms(filter->numbers) / 1000);
    return filter->numbers != NULL;
}
