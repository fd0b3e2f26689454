/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_apply - see stamp_apply.h */

#include "milter/stamp_apply.h"

#include <stdint.h>

static bool apply_headers(SMFICTX *ctx, const struct outgoing_plan *plan, size_t edits)
{
    for (size_t at = 0; at < edits; at++) {
        const struct outgoing_header_edit *edit = &plan->edit[at];

        /* Always chgheader: it changes, adds or removes, and leaves one field on either MTA. */
        if (smfi_chgheader(ctx, (char *)(uintptr_t)edit->name, (int)edit->nth, edit->value) != MI_SUCCESS)
            return false;
    }
    return true;
}

bool stamp_apply(SMFICTX *ctx, const struct outgoing_plan *plan)
{
    const struct buf *body = &plan->rewrite.body;

    return apply_headers(ctx, plan, plan->edits) &&
           (!plan->rewrite.changed ||
            smfi_replacebody(ctx, (unsigned char *)body->data, (int)body->len) == MI_SUCCESS);
}

bool stamp_apply_controls(SMFICTX *ctx, const struct outgoing_plan *plan)
{
    return apply_headers(ctx, plan, plan->controls);
}
