/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_return - the return path of an outgoing mail; see outgoing.h */

#include "common/address.h"
#include "mail/keyword.h"
#include "mail/outgoing_work.h"
#include "mail/return_path.h"

/* A list's own program reads what comes back to it. Lists by List-Id and List-Post were sorted out before. */
static bool is_list_mail(const struct header_list *headers)
{
    static const char *const fields[] = {"List-Subscribe", "List-Archive", "List-Owner", "Mailing-List"};

    for (size_t at = 0; at < sizeof fields / sizeof *fields; at++)
        if (header_value(headers, fields[at]))
            return true;
    return slice_is_i(keyword_of(header_value(headers, "Precedence")), "list");
}

const char *outgoing_return_path(struct outgoing_work *work)
{
    const char *form = work->conf->stamp.bounce_address;
    struct outgoing_plan *plan = work->plan;
    struct buf path;

    if (!form[0] || !return_path_serves(&work->conf->local_domains, plan->record.envelope_sender) ||
        is_list_mail(work->mail->headers))
        return NULL;
    buf_init(&path, ADDRESS_MAX);
    if (return_path_add(&path, form, work->settings->keys, plan->record.id, work->recipient))
        plan->return_path = outgoing_keep(plan, buf_slice(&path)).p;
    else
        plan->failed = true;
    buf_free(&path);
    return NULL;
}
