/* SPDX-License-Identifier: BSD-2-Clause */
/* campaign - see campaign.h */

#include "mail/campaign.h"

#include "common/address.h"
#include "common/date.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_SHOWN = 80, ADDRESS_SHOWN = 200 };

static const int64_t second_us = 1000000;

/* --- who -------------------------------------------------------------------------------------------- */

static bool is_address_byte(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (unsigned char)c >= 0x80 || memchr("!#$%&'*+-/=?^_`{|}~.", c, 20);
}

/* Does ADDRESS stand in the field, not as the end of a longer one? A domain in U-labels is not found. */
static bool field_names(struct slice field, const char *address)
{
    size_t len = strlen(address);
    size_t at;

    for (size_t start = 0; (at = slice_find_i(slice_from(field, start), address)) != (size_t)-1; start += at + 1) {
        size_t first = start + at;
        bool begins = first == 0 || !is_address_byte(field.p[first - 1]);
        bool ends = first + len == field.len || !is_address_byte(field.p[first + len]);

        if (begins && ends)
            return true;
    }
    return false;
}

static bool is_copied(const struct header_list *headers, const char *address)
{
    const char *value = header_value(headers, "Cc");

    return value && address[0] && field_names(slice_str(value), address);
}

bool campaign_init(struct campaign *campaign, const struct slice *path, size_t paths, const struct header_list *headers)
{
    struct buf normal;

    *campaign = (struct campaign){.recipient = calloc(paths ? paths : 1, sizeof *campaign->recipient)};
    if (!campaign->recipient)
        return false;
    for (size_t at = 0; at < paths; at++) {
        struct campaign_recipient *recipient = &campaign->recipient[campaign->recipients++];

        buf_init(&normal, ADDRESS_MAX);
        address_normalize(path[at], &normal);
        recipient->path = path[at];
        recipient->address = strdup(buf_text(&normal));
        buf_free(&normal);
        if (!recipient->address)
            return false;
        recipient->copied = is_copied(headers, recipient->address);
    }
    return true;
}

void campaign_free(struct campaign *campaign)
{
    for (size_t at = 0; at < campaign->recipients; at++)
        free(campaign->recipient[at].address);
    free(campaign->recipient);
    *campaign = (struct campaign){.recipient = NULL};
}

void campaign_block(struct campaign *campaign, const char *address, const char *reason, int64_t since_us, int64_t until_us)
{
    for (size_t at = 0; at < campaign->recipients; at++) {
        struct campaign_recipient *recipient = &campaign->recipient[at];

        if (strcmp(recipient->address, address) != 0)
            continue;
        recipient->state = until_us ? CAMPAIGN_PAUSED : CAMPAIGN_STOPPED;
        snprintf(recipient->reason, sizeof recipient->reason, "%s", reason);
        recipient->since_us = since_us;
        recipient->until_us = until_us;
    }
}

/* --- what follows ------------------------------------------------------------------------------------- */

void campaign_judge(const struct campaign *campaign, int64_t now_us, int64_t pause_max_s, struct campaign_verdict *verdict)
{
    const struct campaign_recipient *stopped = NULL;
    const struct campaign_recipient *paused = NULL;
    bool somebody = false; /* gets it, now or because the wait would be too long */

    *verdict = (struct campaign_verdict){.action = CAMPAIGN_GO};
    for (size_t at = 0; at < campaign->recipients; at++) {
        const struct campaign_recipient *recipient = &campaign->recipient[at];

        if (recipient->state == CAMPAIGN_STOPPED) {
            verdict->stopped++;
            stopped = stopped ? stopped : recipient;
        } else if (recipient->state == CAMPAIGN_PAUSED && recipient->until_us - now_us <= pause_max_s * second_us) {
            paused = paused ? paused : recipient;
        } else {
            somebody = true;
        }
    }
    verdict->because = stopped;
    if (somebody || (!stopped && !paused))
        verdict->action = stopped ? CAMPAIGN_DROP : CAMPAIGN_GO;
    else
        verdict->action = paused ? CAMPAIGN_LATER : CAMPAIGN_REFUSE;
    if (verdict->action == CAMPAIGN_LATER)
        verdict->because = paused;
}

static void add_plain(struct buf *text, struct slice from, size_t most)
{
    for (size_t at = 0; at < from.len && at < most; at++) {
        char c = from.p[at];

        buf_add_char(text, c < ' ' || c > '~' || c == '%' || c == '"' ? '?' : c);
    }
}

bool campaign_explain(const struct campaign_verdict *verdict, struct slice name, struct buf *text)
{
    const struct campaign_recipient *because = verdict->because;

    if (!because)
        return false;
    buf_add_str(text, "campaign \"");
    add_plain(text, name, NAME_SHOWN);
    buf_add_str(text, verdict->action == CAMPAIGN_LATER ? "\" pauses for <" : "\" has ended for <");
    add_plain(text, slice_str(because->address), ADDRESS_SHOWN);
    buf_add_str(text, ">: ");
    buf_add_str(text, because->reason);
    buf_add_str(text, verdict->action == CAMPAIGN_LATER ? ", until " : " of ");
    date_add(text, verdict->action == CAMPAIGN_LATER ? because->until_us : because->since_us);
    return !text->failed;
}

const char *campaign_action_name(enum campaign_action action)
{
    static const char *const words[] = {
        [CAMPAIGN_GO] = "go", [CAMPAIGN_DROP] = "drop", [CAMPAIGN_REFUSE] = "refuse", [CAMPAIGN_LATER] = "later"};

    return words[action];
}

/* --- answers -------------------------------------------------------------------------------------------- */

static bool ends_something(const struct incoming_verdict *verdict, int64_t now_us)
{
    switch (verdict->class_) {
    case ANSWER_REPLY:
    case ANSWER_COMPLAINT:
        return true;
    case ANSWER_BOUNCE:
        return verdict->hard == HARD_YES;
    case ANSWER_AUTO_REPLY:
        return date_begins_us(verdict->until) > now_us;
    default:
        return false;
    }
}

/*
 * A bounce or complaint comes from a machine: not its From but its report says whom it concerns. Whether that is a
 * recipient the database judges once more, for it may have been away when the verdict was made.
 */
static struct slice whom(const struct incoming_verdict *verdict)
{
    bool from_a_person = verdict->class_ == ANSWER_REPLY || verdict->class_ == ANSWER_AUTO_REPLY;

    return slice_str(from_a_person ? verdict->from : verdict->about);
}

bool campaign_stop_of(const struct incoming_verdict *verdict, bool others, int64_t now_us, struct record_stop *stop)
{
    if (!ends_something(verdict, now_us))
        return false;
    *stop = (struct record_stop){
        .message = verdict->message,
        .address = whom(verdict),
        .recipient = verdict->recipient,
        .class_ = verdict->class_,
        .others = others && verdict->confidence > CONFIDENCE_LOW, /* an id that is not signed may be guessed */
        .time_us = now_us,
        .until_us = verdict->class_ == ANSWER_AUTO_REPLY ? date_begins_us(verdict->until) : 0,
    };
    memcpy(stop->digest, verdict->digest, sizeof stop->digest);
    return true;
}
