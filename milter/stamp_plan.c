/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_plan - see stamp_plan.h */

#include "milter/stamp_plan.h"

#include "common/clock.h"
#include "common/forgotten_list.h"
#include "milter/way_log.h"

struct outgoing_mail stamp_plan_mail(const struct mlfi_message *message)
{
    return (struct outgoing_mail){
        .headers = &message->headers,
        .body = buf_slice(&message->body),
        .body_missing = message->body_missing,
        .envelope_sender = message->envelope_sender,
        .recipient = message->recipient,
        .recipients = message->recipients,
    };
}

void stamp_plan_make(struct stamp_policy *current, stamp_planner *make, const struct outgoing_mail *mail,
                     struct outgoing_settings *settings, struct outgoing_plan *plan)
{
    struct policy *policy = stamp_policy_take(current);
    struct forgotten *forgotten;

    settings->now_s = clock_wall_us() / 1000000;
    settings->policy = policy;
    settings->forgotten_unknown = !forgotten_list_is_known(); /* before it is taken: it may come between */
    forgotten = forgotten_list_take();
    settings->forgotten = forgotten;
    make(mail, settings, plan);
    settings->policy = NULL;
    settings->forgotten = NULL;
    way_log(&plan->way);
    forgotten_let_go(forgotten);
    policy_let_go(policy);
}
