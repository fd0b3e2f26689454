/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_body - image and links of an outgoing mail, by what was decided about it */

#include "mail/outgoing_work.h"
#include "mail/tracking.h"

static struct rewrite_patterns patterns_of(const struct conf_list *list)
{
    return (struct rewrite_patterns){.item = list->item, .count = list->count};
}

void outgoing_body(struct outgoing_work *work)
{
    struct tracking tracking = {
        .keys = work->settings->keys,
        .tracking_url = work->conf->tracking_url,
        .message = work->plan->record.id,
        .recipient = work->recipient,
        .aggregate = work->wishes.level == LEVEL_AGGREGATE,
    };
    struct rewrite_settings settings = {
        .urls = tracking_urls(&tracking),
        .tracking_url = work->conf->tracking_url,
        .add_pixel = work->wishes.views,
        .add_decoy = work->wishes.links && work->conf->stamp.decoy_link, /* without links there is nobody to tell apart */
        .track_links = work->wishes.links,
        .text_links = work->wishes.links && work->conf->stamp.text_links,
        .sensitive = patterns_of(&work->conf->stamp.sensitive_links),
        .untracked = patterns_of(&work->conf->stamp.untracked_domains),
        .clean = true,
        .body_limit = (size_t)work->conf->stamp.body_limit,
    };
    struct outgoing_plan *plan = work->plan;

    if (!rewrite(work->mail->headers, work->mail->body, &settings, &plan->rewrite))
        plan->failed = true;
    plan->reason = plan->rewrite.reason;
}
