/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_apply - see stamp_apply.h */

#include "common/address.h"
#include "milter/stamp_apply.h"

#include <stdint.h>
#include <stdio.h>

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

/* Without arguments: what the client said with MAIL FROM (RET, ENVID, BODY, SMTPUTF8) stays. */
static bool change_sender(SMFICTX *ctx, const char *sender)
{
    char path[ADDRESS_MAX + 3];

    if (!sender)
        return true;
    snprintf(path, sizeof path, "<%s>", sender);
    return smfi_chgfrom(ctx, path, NULL) == MI_SUCCESS;
}

bool stamp_apply(SMFICTX *ctx, const struct outgoing_plan *plan)
{
    const struct buf *body = &plan->rewrite.body;

    return apply_headers(ctx, plan, plan->edits) && change_sender(ctx, plan->return_path) &&
           (!plan->rewrite.changed ||
            smfi_replacebody(ctx, (unsigned char *)body->data, (int)body->len) == MI_SUCCESS);
}

bool stamp_apply_controls(SMFICTX *ctx, const struct outgoing_plan *plan)
{
    return apply_headers(ctx, plan, plan->controls);
}
