/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing - see outgoing.h */

#include "common/address.h"
#include "common/token.h"
#include "mail/keyword.h"
#include "mail/msgid.h"
#include "mail/outgoing.h"
#include "mail/tracking.h"
#include "mail/wishes.h"

#include <stdlib.h>
#include <strings.h>

/* Bytes of subject and kin that are kept; the rest of a hostile header is of no use to anybody. */
enum { SUBJECT_KEPT = 1000, CAMPAIGN_KEPT = 200, TEXT_MAX = 65535 /* what a record's text may have */ };
enum { CONTROLS_MAX = 100 };
enum { RECORD_ENTRY_BYTES = 8 /* of a recipient or link, besides its text */ };

/* A copy that lives as long as the plan. */
struct outgoing_text {
    struct outgoing_text *next;
    char bytes[];
};

/* What the steps hand on to each other. */
struct work {
    const struct outgoing_mail *mail;
    const struct outgoing_settings *settings;
    const struct conf *conf;
    struct outgoing_plan *plan;
    struct wishes wishes;
    enum rewrite_degree degree;
    struct buf sender;    /* From, normal form */
    struct buf client_id; /* its own Message-ID, no brackets; empty when there is none that is valid */
    struct buf token_id;  /* what stands in Message-ID when it is replaced */
    uint32_t recipient;   /* key in the tokens */
};

static struct slice keep(struct outgoing_plan *plan, struct slice text)
{
    struct outgoing_text *kept;

    if (text.len > TEXT_MAX)
        text.len = TEXT_MAX;
    kept = malloc(sizeof *kept + text.len + 1);
    if (!kept) {
        plan->failed = true;
        return slice_of(NULL, 0);
    }
    if (text.len)
        memcpy(kept->bytes, text.p, text.len);
    kept->bytes[text.len] = '\0';
    kept->next = plan->text;
    plan->text = kept;
    return slice_of(kept->bytes, text.len);
}

static struct slice cut(struct slice text, size_t most)
{
    return slice_of(text.p, text.len > most ? most : text.len);
}

/* VALUE is taken over; NULL removes the field. */
static void edit_header(struct outgoing_plan *plan, const char *name, unsigned nth, char *value)
{
    struct outgoing_header_edit *grown = realloc(plan->edit, (plan->edits + 1) * sizeof *grown);

    if (!grown) {
        plan->failed = true;
        free(value);
        return;
    }
    plan->edit = grown;
    plan->edit[plan->edits++] = (struct outgoing_header_edit){.name = name, .nth = nth, .value = value};
}

static void set_header(struct outgoing_plan *plan, const char *name, unsigned nth, struct buf *value)
{
    char *text = buf_steal(value);

    if (!text)
        plan->failed = true;
    else
        edit_header(plan, name, nth, text);
}

/* From the last to the first, for an MTA may number the rest anew after each removal. */
static void remove_header(struct work *work, const char *name, unsigned first)
{
    for (unsigned nth = (unsigned)header_count(work->mail->headers, name); nth >= first; nth--)
        edit_header(work->plan, name, nth, NULL);
}

/* --- whose mail ------------------------------------------------------------------------------- */

static bool from_address(const struct header_list *headers, struct buf *address)
{
    const char *from = header_value(headers, "From");
    struct buf mailbox;
    bool found;

    buf_init(&mailbox, HEADER_BYTES_MAX);
    found = from && header_mailbox(slice_str(from), &mailbox) && address_normalize(buf_slice(&mailbox), address);
    buf_free(&mailbox);
    return found;
}

/* Mail that has passed another hand, or goes to many by a list, is not a person's or a tool's own sending. */
static const char *passed_on(const struct header_list *headers)
{
    for (size_t at = 0; at < headers->count; at++) {
        const char *name = headers->field[at].name;

        if (strncasecmp(name, "Resent-", 7) == 0)
            return "resent";
        if (strcasecmp(name, "List-Id") == 0 || strcasecmp(name, "List-Post") == 0)
            return "list";
        if (strncasecmp(name, "ARC-", 4) == 0)
            return "arc";
    }
    return NULL;
}

/* The login; without one From, for the network was trusted; whichever of them is an address. */
static bool find_owner(const struct outgoing_mail *mail, struct slice sender, struct buf *owner)
{
    if (mail->login.len)
        return address_normalize(mail->login, owner) || address_normalize(mail->envelope_sender, owner) ||
               address_normalize(sender, owner);
    return address_normalize(sender, owner) || address_normalize(mail->envelope_sender, owner);
}

const char *outgoing_not_ours(const struct outgoing_mail *mail, const struct conf *conf, struct buf *owner)
{
    struct buf sender;
    const char *reason = NULL;

    buf_init(&sender, ADDRESS_MAX);
    from_address(mail->headers, &sender);
    if (mail->assume_ours)
        reason = NULL;
    else if (!mail->login.len && !mail->from_submit_network)
        reason = "not_submitted";
    else if (!sender.len)
        reason = "no_from";
    else if (!conf_list_has_domain(&conf->local_domains, address_domain(buf_slice(&sender))))
        reason = "foreign_from";
    else
        reason = passed_on(mail->headers);
    if (!reason)
        find_owner(mail, buf_slice(&sender), owner);
    buf_free(&sender);
    return reason;
}

/* --- the steps: each gives the reason why the ladder ends there, or NULL ------------------------ */

static const char *step_ours(struct work *work)
{
    struct buf owner;
    const char *reason;

    if (work->mail->headers->failed)
        return "header_limit";
    buf_init(&owner, ADDRESS_MAX);
    reason = outgoing_not_ours(work->mail, work->conf, &owner);
    work->plan->record.owner = keep(work->plan, buf_slice(&owner));
    buf_free(&owner);
    return reason;
}

/* Our control headers go, whatever else is decided, once the mail is ours. */
static const char *step_controls(struct work *work)
{
    const struct header_list *headers = work->mail->headers;

    for (size_t at = headers->count; at-- > 0;) {
        const char *name = headers->field[at].name;
        unsigned nth = 1;

        if (!wishes_is_control(name))
            continue;
        if (work->plan->edits == CONTROLS_MAX)
            return "too_many_controls"; /* numbering more of them costs time that a hostile mail shall not have */
        for (size_t above = 0; above < at; above++)
            nth += strcasecmp(headers->field[above].name, name) == 0;
        edit_header(work->plan, name, nth, NULL);
    }
    work->plan->controls = work->plan->edits;
    return NULL;
}

/* Read early: a campaign's stops hold for mail that is not tracked too. */
static const char *step_campaign(struct work *work)
{
    struct wishes *wishes = &work->wishes;
    struct slice name;

    *wishes = (struct wishes){
        .level = LEVEL_INDIVIDUAL, .views = work->conf->stamp.views, .links = work->conf->stamp.links};
    wishes_read(work->mail->headers, wishes);
    name = cut(slice_trim(slice_str(wishes->campaign)), CAMPAIGN_KEPT);
    work->plan->record.campaign = keep(work->plan, name);
    return NULL;
}

static bool is_automatic(const struct header_list *headers)
{
    for (size_t at = 0; at < headers->count; at++) {
        struct slice word = slice_of(NULL, 0);

        if (strcasecmp(headers->field[at].name, "Auto-Submitted") == 0)
            word = keyword_of(headers->field[at].value);
        if (word.len && !slice_is_i(word, "no"))
            return true;
    }
    return false;
}

static const char *step_automatic(struct work *work)
{
    if (header_value(work->mail->headers, "DKIM-Signature") && !work->conf->stamp.track_dkim_signed)
        return "dkim_signed";
    if (work->conf->stamp.track_auto_generated)
        return NULL;
    if (is_automatic(work->mail->headers))
        return "auto_submitted";
    return work->mail->envelope_sender.len ? NULL : "null_sender";
}

static bool list_has(const struct conf_list *list, struct slice address)
{
    for (size_t at = 0; at < list->count; at++)
        if (slice_is_i(address, list->item[at]))
            return true;
    return conf_list_has_domain(list, address_domain(address));
}

static const char *step_wishes(struct work *work)
{
    const struct conf *conf = work->conf;

    if (conf->track_only.count && !list_has(&conf->track_only, work->plan->record.owner) &&
        !list_has(&conf->track_only, buf_slice(&work->sender)))
        return "track_only";
    if (work->wishes.unknown)
        return "unknown_wish"; /* whoever asks for something that we do not understand may have asked for nothing */
    return work->wishes.level == LEVEL_OFF ? "policy_off" : NULL;
}

static const char *step_degree(struct work *work)
{
    const char *reason = NULL;

    work->degree = rewrite_degree_of(work->mail->headers, work->mail->body, (size_t)work->conf->stamp.body_limit,
                                     &reason);
    if (work->degree == REWRITE_BODY && work->mail->body_missing) {
        work->degree = REWRITE_HEADERS;
        reason = work->mail->body_missing;
    }
    if (work->degree == REWRITE_NOTHING)
        return reason;
    work->plan->reason = reason; /* the ladder goes on without the body */
    return NULL;
}

static const char *step_number(struct work *work)
{
    const struct outgoing_settings *settings = work->settings;

    if (!settings->number(settings->arg, &work->plan->record.id))
        return "no_number";
    work->plan->tracked = true;
    return NULL;
}

/* One address written twice is one recipient. */
static bool recipient_known(const struct record_message *record, struct slice address)
{
    for (size_t at = 0; at < record->recipients; at++)
        if (slice_eq(record->recipient[at].address, address))
            return true;
    return false;
}

/* The envelope in normal form. Returns how many recipients could not be read: a local name without domain, odd bytes. */
static size_t read_recipients(struct work *work, bool *outsiders)
{
    struct record_message *record = &work->plan->record;
    const struct outgoing_mail *mail = work->mail;
    size_t unreadable = 0;
    struct buf address;

    buf_init(&address, ADDRESS_MAX);
    for (size_t at = 0; at < mail->recipients; at++) {
        buf_reset(&address);
        if (!address_normalize(mail->recipient[at], &address)) {
            unreadable++;
            continue;
        }
        if (recipient_known(record, buf_slice(&address)))
            continue;
        *outsiders |= !conf_list_has_domain(&work->conf->local_domains, address_domain(buf_slice(&address)));
        record->recipient[record->recipients++] = (struct record_recipient){
            .address = keep(work->plan, buf_slice(&address)),
            .key = keys_recipient(work->settings->keys, buf_slice(&address)),
        };
    }
    buf_free(&address);
    return unreadable;
}

static const char *step_recipients(struct work *work)
{
    struct record_message *record = &work->plan->record;
    bool outsiders = false;
    size_t unreadable;

    record->recipient = calloc(work->mail->recipients + 1, sizeof *record->recipient);
    if (!record->recipient) {
        work->plan->failed = true;
        return NULL;
    }
    unreadable = read_recipients(work, &outsiders);
    record->sent_to = (uint32_t)(record->recipients + unreadable);
    if (work->wishes.level != LEVEL_INDIVIDUAL)
        record->recipients = 0; /* counted, not named */
    else if (record->recipients == 1 && unreadable == 0)
        work->recipient = record->recipient[0].key; /* whoever opens it, opens it as this one */
    if (!outsiders && !work->mail->assume_ours && work->degree == REWRITE_BODY) {
        work->degree = REWRITE_HEADERS;
        work->plan->reason = "local_recipients";
    }
    return NULL;
}

static bool is_full(struct slice domain)
{
    return domain.len && memchr(domain.p, '.', domain.len);
}

static struct slice host_of(struct slice url)
{
    size_t start = slice_find_i(url, "://");
    struct slice host = slice_from(url, start == (size_t)-1 ? 0 : start + 3);
    size_t len = 0;

    while (len < host.len && host.p[len] != '/' && host.p[len] != ':')
        len++;
    return slice_of(host.p, len);
}

/* From's domain when it is ours: what a filter expects to see. A single label would be replaced by large receivers. */
static struct slice id_domain(const struct work *work)
{
    struct slice sender = address_domain(buf_slice(&work->sender));

    if (is_full(sender) && conf_list_has_domain(&work->conf->local_domains, sender))
        return sender;
    if (work->conf->stamp.message_id_domain[0])
        return slice_str(work->conf->stamp.message_id_domain);
    return host_of(slice_str(work->conf->tracking_url));
}

static bool sign_id(struct work *work, enum token_kind kind, struct buf *id)
{
    struct token token = {.kind = kind, .message = work->plan->record.id, .recipient = work->recipient};
    char text[TOKEN_TEXT + 1];

    return token_sign(work->settings->keys, &token, slice_str(""), text) && buf_add_str(id, text) &&
           buf_add_char(id, '@') && buf_add_slice(id, id_domain(work));
}

/* Spam filters score a mail that names Thunderbird without a Thunderbird id as forged. */
static bool must_replace(const struct work *work, bool valid)
{
    const struct header_list *headers = work->mail->headers;

    switch (work->conf->stamp.message_id) {
    case MESSAGE_ID_STAMP:
        return true;
    case MESSAGE_ID_KEEP:
        return !valid;
    case MESSAGE_ID_AUTO:
        break;
    }
    return !valid || !(header_value(headers, "User-Agent") || header_value(headers, "X-Mailer"));
}

static const char *step_message_id(struct work *work)
{
    const struct header_list *headers = work->mail->headers;
    struct outgoing_plan *plan = work->plan;
    const char *value = header_value(headers, "Message-ID");
    bool valid = value && header_count(headers, "Message-ID") == 1 && msgid_valid(slice_str(value));
    struct msgid_list ids = {.count = 0};
    struct buf field;

    if (value)
        msgid_list_read(slice_str(value), &ids);
    if (ids.count)
        buf_add_slice(&work->client_id, ids.id[0]);
    plan->id_replaced = must_replace(work, valid);
    if (!plan->id_replaced) {
        plan->record.sent_message_id = plan->record.client_message_id = keep(plan, buf_slice(&work->client_id));
        return NULL;
    }
    if (!sign_id(work, TOKEN_MESSAGE_ID, &work->token_id))
        plan->failed = true;
    plan->record.sent_message_id = keep(plan, buf_slice(&work->token_id));
    plan->record.client_message_id = keep(plan, buf_slice(&work->client_id));
    if (!valid)
        buf_reset(&work->client_id); /* nobody will thread by it */
    buf_init(&field, MSGID_MAX * 2);
    buf_add_f(&field, "<%s>", buf_text(&work->token_id));
    remove_header(work, "Message-ID", 2);
    set_header(plan, "Message-ID", 1, &field);
    buf_free(&field);
    return NULL;
}

static const char *step_references(struct work *work)
{
    const struct header_list *headers = work->mail->headers;
    const char *old = header_value(headers, "References");
    const char *parent = header_value(headers, "In-Reply-To");
    struct references_request request = {.old = slice_str(old), .is_anchor = tracking_is_anchor};
    struct msgid_list parents = {.count = 0};
    struct buf anchor;
    struct buf field;

    buf_init(&anchor, MSGID_MAX);
    buf_init(&field, REFERENCES_MAX * 2);
    if (parent && !old) { /* RFC 5322 3.6.4: a parent that is named only there goes along */
        msgid_list_read(slice_str(parent), &parents);
        if (parents.count == 1)
            request.more[0] = parents.id[0];
    }
    if (work->plan->id_replaced)
        request.more[1] = buf_slice(&work->client_id);
    if (!sign_id(work, TOKEN_ANCHOR, &anchor))
        work->plan->failed = true;
    request.anchor = buf_slice(&anchor);
    if (!references_build(&request, &field))
        work->plan->failed = true;
    remove_header(work, "References", 2);
    set_header(work->plan, "References", 1, &field);
    buf_free(&field);
    buf_free(&anchor);
    return NULL;
}

/* What is left for links of a record's bytes. A click carries its destination itself: without a row it still works. */
static size_t room_for_links(const struct record_message *record)
{
    size_t room = RECORD_BYTES_MAX - RECORD_BYTES_MAX / 4; /* a quarter for all other texts */

    for (size_t at = 0; at < record->recipients; at++) {
        size_t need = record->recipient[at].address.len + RECORD_ENTRY_BYTES;

        room -= need < room ? need : room;
    }
    return room;
}

/* Each destination once: a repeated one has its first number. */
static void keep_links(struct outgoing_plan *plan)
{
    struct record_message *record = &plan->record;
    const struct rewrite_result *rewrite = &plan->rewrite;
    bool seen[REWRITE_DESTINATIONS_MAX + 1] = {false};
    size_t room = room_for_links(record);

    record->link = calloc(rewrite->links + 1, sizeof *record->link);
    if (!record->link) {
        plan->failed = true;
        return;
    }
    for (size_t at = 0; at < rewrite->links; at++) {
        unsigned index = rewrite->link[at].index;
        struct slice destination = slice_str(rewrite->link[at].destination);

        if (index == 0 || index > REWRITE_DESTINATIONS_MAX || seen[index] ||
            destination.len + RECORD_ENTRY_BYTES > room)
            continue;
        seen[index] = true;
        room -= destination.len + RECORD_ENTRY_BYTES;
        record->link[record->links++] =
            (struct record_link){.index = (uint16_t)index, .destination = destination};
    }
}

static struct rewrite_patterns patterns_of(const struct conf_list *list)
{
    return (struct rewrite_patterns){.item = list->item, .count = list->count};
}

static const char *step_body(struct work *work)
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
        .track_links = work->wishes.links,
        .text_links = work->wishes.links && work->conf->stamp.text_links,
        .sensitive = patterns_of(&work->conf->stamp.sensitive_links),
        .untracked = patterns_of(&work->conf->stamp.untracked_domains),
        .clean = true,
        .body_limit = (size_t)work->conf->stamp.body_limit,
    };
    struct outgoing_plan *plan = work->plan;

    if (work->degree != REWRITE_BODY)
        return NULL;
    if (!rewrite(work->mail->headers, work->mail->body, &settings, &plan->rewrite))
        plan->failed = true;
    plan->reason = plan->rewrite.reason;
    plan->record.pixels = (uint8_t)(plan->rewrite.pixels > UINT8_MAX ? UINT8_MAX : plan->rewrite.pixels);
    keep_links(plan);
    return NULL;
}

static const char *step_record(struct work *work)
{
    struct outgoing_plan *plan = work->plan;
    struct record_message *record = &plan->record;
    struct buf subject;
    struct buf envelope;

    buf_init(&subject, HEADER_BYTES_MAX);
    buf_init(&envelope, ADDRESS_MAX);
    header_text(work->mail->headers, "Subject", SUBJECT_KEPT, &subject);
    address_normalize(work->mail->envelope_sender, &envelope);
    record->level = work->wishes.level;
    record->size = work->mail->headers->bytes + work->mail->body.len;
    record->sender = keep(plan, buf_slice(&work->sender));
    record->envelope_sender = keep(plan, buf_slice(&envelope));
    record->subject = keep(plan, buf_slice(&subject));
    buf_free(&subject);
    buf_free(&envelope);
    return NULL;
}

void outgoing_plan_make(const struct outgoing_mail *mail, const struct outgoing_settings *settings,
                        struct outgoing_plan *plan)
{
    static const char *(*const ladder[])(struct work *) = {
        step_ours,   step_controls,   step_campaign,   step_automatic,  step_wishes, step_degree,
        step_number, step_recipients, step_message_id, step_references, step_body,   step_record,
    };
    struct work work = {.mail = mail, .settings = settings, .conf = settings->conf, .plan = plan};
    const char *reason = NULL;

    *plan = (struct outgoing_plan){.reason = NULL};
    buf_init(&work.sender, ADDRESS_MAX);
    buf_init(&work.client_id, HEADER_BYTES_MAX);
    buf_init(&work.token_id, MSGID_MAX);
    from_address(mail->headers, &work.sender);
    for (size_t step = 0; step < sizeof ladder / sizeof *ladder && !reason && !plan->failed; step++)
        reason = ladder[step](&work);
    if (reason)
        plan->reason = reason;
    if (plan->failed)
        plan->reason = "memory";
    buf_free(&work.sender);
    buf_free(&work.client_id);
    buf_free(&work.token_id);
}

void outgoing_plan_free(struct outgoing_plan *plan)
{
    for (size_t at = 0; at < plan->edits; at++)
        free(plan->edit[at].value);
    free(plan->edit);
    free(plan->record.recipient);
    free(plan->record.link);
    rewrite_result_free(&plan->rewrite);
    while (plan->text) {
        struct outgoing_text *next = plan->text->next;

        free(plan->text);
        plan->text = next;
    }
    *plan = (struct outgoing_plan){.reason = NULL};
}

void outgoing_plan_summary(const struct outgoing_plan *plan, struct buf *out)
{
    const struct rewrite_result *rewrite = &plan->rewrite;

    if (!plan->tracked) {
        buf_add_char(out, '-');
        return;
    }
    buf_add_str(out, plan->id_replaced ? "id,anchor" : "anchor");
    if (rewrite->pixels)
        buf_add_f(out, ",pixel:%u", rewrite->pixels);
    if (rewrite->wrapped)
        buf_add_f(out, ",links:%u", rewrite->wrapped);
    if (rewrite->cleaned)
        buf_add_f(out, ",cleaned:%u", rewrite->cleaned);
}
