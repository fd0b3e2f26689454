/* SPDX-License-Identifier: BSD-2-Clause */
/* sink_type - see sink_type.h */

#include "relay/sink_type.h"

static const struct sink_type *const types[] = {
    [SINK_WEBHOOK] = &webhook_sink,
    [SINK_SALESFORCE] = &salesforce_sink,
    [SINK_MAIL] = &mail_sink,
};
_Static_assert(sizeof types / sizeof *types == SINK_TYPES, "a type of sink is missing");

const struct sink_type *sink_type_of(enum conf_sink_type type)
{
    return types[type];
}
