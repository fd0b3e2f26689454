/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_policy - what policy says of an outgoing mail: how far, for whom, which campaign, which files; see common/policy.h */

#include "common/address.h"
#include "mail/outgoing_work.h"

enum { FIELD_READ = 2000 /* bytes of a header field that a pattern looks at */ };

const char *outgoing_limits_unknown(const struct outgoing_work *work)
{
    return policy_is_known(work->settings->policy) && !work->settings->forgotten_unknown ? NULL : "policy_unknown";
}

/* What is said of one address; mail from or to somebody who is forgotten is not tracked. */
static void limit(const struct outgoing_work *work, enum policy_side side, struct slice address, struct policy_limits *limits)
{
    policy_limit(work->settings->policy, side, address, limits);
    if (limits->level > LEVEL_OFF && forgotten_has(work->settings->forgotten, address)) {
        limits->level = LEVEL_OFF;
        limits->whom = address;
    }
}

bool outgoing_asks_recipients(const struct outgoing_work *work)
{
    return policy_has_recipients(work->settings->policy) || forgotten_count(work->settings->forgotten) > 0;
}

/* --- senders ---------------------------------------------------------------------------------------------- */

/* The owner, and From where that is another one. */
static size_t senders_of(const struct outgoing_work *work, struct slice sender[2])
{
    size_t count = 0;

    if (work->plan->record.owner.len)
        sender[count++] = work->plan->record.owner;
    if (work->sender.len && (count == 0 || !slice_eq(buf_slice(&work->sender), sender[0])))
        sender[count++] = buf_slice(&work->sender);
    return count;
}

static void limit_by_senders(const struct outgoing_work *work, struct policy_limits *limits)
{
    struct slice sender[2];
    size_t count = senders_of(work, sender);

    for (size_t at = 0; at < count; at++)
        limit(work, POLICY_SENDER, sender[at], limits);
}

/* --- recipients ------------------------------------------------------------------------------------------- */

/* Calls EACH for the recipients that can be read, until it gives false. */
static void each_recipient(const struct outgoing_work *work, bool (*each)(void *arg, struct slice address), void *arg)
{
    struct buf address;

    buf_init(&address, ADDRESS_MAX);
    for (size_t at = 0; at < work->mail->recipients; at++) {
        buf_reset(&address);
        if (address_normalize(work->mail->recipient[at], &address) && !each(arg, buf_slice(&address)))
            break;
    }
    buf_free(&address);
}

struct limiting {
    struct outgoing_work *work;
    struct policy_limits *limits;
    enum tracking_level most; /* of any recipient */
    size_t seen;
};

/* LIMITS keeps the words of the policy, which go with the address: so that must live as long as the plan. */
static bool limit_by_recipient(void *arg, struct slice address)
{
    struct limiting *limiting = arg;
    enum tracking_level before = limiting->limits->level;

    limit(limiting->work, POLICY_RECIPIENT, address, limiting->limits);
    if (limiting->limits->level < before)
        limiting->limits->whom = outgoing_keep(limiting->work->plan, address);
    return true;
}

static bool note_level(void *arg, struct slice address)
{
    struct limiting *limiting = arg;
    struct policy_limits own = {.level = LEVEL_INDIVIDUAL, .documents = true};

    limit(limiting->work, POLICY_RECIPIENT, address, &own);
    limiting->limits->documents &= own.documents && own.level > LEVEL_OFF;
    if (own.level > limiting->most)
        limiting->most = own.level;
    if (own.level < LEVEL_INDIVIDUAL && !limiting->limits->whom.len)
        limiting->limits->whom = outgoing_keep(limiting->work->plan, address);
    limiting->seen++;
    return true;
}

/* With a copy a recipient only what all of them share is decided here, and what holds for files: they leave the mail once. */
static void limit_by_all_copies(struct outgoing_work *work, struct policy_limits *limits)
{
    struct slice whom = limits->whom;
    struct limiting limiting = {work, limits, LEVEL_OFF, 0};

    each_recipient(work, note_level, &limiting);
    if (limiting.seen && limiting.most < limits->level)
        limits->level = limiting.most;
    else
        limits->whom = whom;
}

void outgoing_limit_copy(struct outgoing_work *work, struct policy_limits *limits)
{
    struct limiting limiting = {work, limits, LEVEL_OFF, 0};

    if (outgoing_asks_recipients(work))
        each_recipient(work, limit_by_recipient, &limiting);
}

enum tracking_level outgoing_level_of(const struct outgoing_work *work, struct slice address)
{
    struct policy_limits own = {.level = LEVEL_INDIVIDUAL};

    limit(work, POLICY_RECIPIENT, address, &own);
    return own.level;
}

/* --- the steps -------------------------------------------------------------------------------------------- */

const char *outgoing_policy(struct outgoing_work *work)
{
    struct wishes *wishes = &work->wishes;
    struct policy_limits limits = {
        .level = wishes->level, .views = wishes->views, .links = wishes->links, .documents = true};
    const char *unknown = outgoing_limits_unknown(work);

    if (unknown)
        return unknown;
    limit_by_senders(work, &limits);
    if (outgoing_asks_recipients(work)) {
        if (outgoing_leaves_body(work))
            limit_by_all_copies(work, &limits);
        else
            outgoing_limit_copy(work, &limits);
    }
    wishes->level = limits.level;
    wishes->views = limits.views;
    wishes->links = limits.links;
    work->documents = limits.documents;
    work->plan->whom = outgoing_keep(work->plan, limits.whom);
    return wishes->level == LEVEL_OFF ? "policy_off" : NULL;
}

struct reading {
    const struct header_list *headers;
    struct buf value;
};

static struct slice value_of(void *arg, struct slice header)
{
    struct reading *reading = arg;
    struct buf name;

    buf_init(&name, FIELD_READ);
    buf_add_slice(&name, header);
    buf_reset(&reading->value);
    header_text(reading->headers, buf_text(&name), FIELD_READ, &reading->value);
    buf_free(&name);
    return slice_trim(buf_slice(&reading->value));
}

struct slice outgoing_policy_campaign(struct outgoing_work *work)
{
    struct reading reading = {.headers = work->mail->headers};
    struct slice campaign = slice_of(NULL, 0);
    struct slice sender[2];
    size_t count = senders_of(work, sender);

    buf_init(&reading.value, 4 * FIELD_READ);
    while (count-- > 0 && !campaign.len) /* From first: it is what has a +tag */
        campaign = policy_campaign(work->settings->policy, sender[count], value_of, &reading);
    buf_free(&reading.value);
    return campaign;
}

/* --- files -------------------------------------------------------------------------------------------------- */

struct wanting {
    const struct policy *policy;
    struct slice name;
    uint64_t bytes;
    bool wanted;
};

static bool recipient_wants(void *arg, struct slice address)
{
    struct wanting *wanting = arg;

    wanting->wanted = policy_wants_file(wanting->policy, POLICY_RECIPIENT, address, wanting->name, wanting->bytes);
    return !wanting->wanted;
}

bool outgoing_wants_file(const struct outgoing_work *work, struct slice name, uint64_t bytes)
{
    struct wanting wanting = {work->settings->policy, name, bytes, false};
    struct slice sender[2];
    size_t count = senders_of(work, sender);

    if (!work->documents)
        return false;
    for (size_t at = 0; at < count && !wanting.wanted; at++)
        wanting.wanted = policy_wants_file(wanting.policy, POLICY_SENDER, sender[at], name, bytes);
    if (!wanting.wanted && policy_has_recipients(wanting.policy))
        each_recipient(work, recipient_wants, &wanting);
    return wanting.wanted;
}
