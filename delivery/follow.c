/* SPDX-License-Identifier: BSD-2-Clause */
/* follow - see follow.h */

#include "delivery/follow.h"

#include "common/address.h"
#include "common/crc32c.h"
#include "delivery/line_read.h"
#include "delivery/relay.h"

#include <stdlib.h>
#include <string.h>

enum { MAILS = 1 << 16, PROCESSES = 1 << 10, NAME_MAX_BYTES = 63, RELAY_MAX = 255, STATUS_MAX = 15, ID_MAX = 1000 };

struct mail { /* by its queue id; another one with the same slot takes its place */
    char queue_id[33];
    bool foreign;
};

struct process {
    char name[NAME_MAX_BYTES + 1];
    char relay[RELAY_MAX + 1]; /* that it last made a TLS connection to */
};

struct follow {
    const struct conf_list *domains;
    void (*record)(void *arg, const struct record_delivery *delivery);
    void *arg;
    struct mail mail[MAILS];
    struct process process[PROCESSES];
    struct log_hour hour;
    struct follow_counts counts;
};

struct follow *follow_new(const struct conf_list *domains,
                          void (*record)(void *arg, const struct record_delivery *delivery), void *arg)
{
    struct follow *follow = calloc(1, sizeof *follow);

    if (follow) {
        follow->domains = domains;
        follow->record = record;
        follow->arg = arg;
    }
    return follow;
}

void follow_free(struct follow *follow)
{
    free(follow);
}

struct follow_counts follow_counts(const struct follow *follow)
{
    return follow->counts;
}

static bool copy(char *to, size_t most, struct slice from)
{
    if (from.len > most)
        return false;
    if (from.len)
        memcpy(to, from.p, from.len);
    to[from.len] = '\0';
    return true;
}

/* mails of others */

static struct mail *slot_of(struct follow *follow, struct slice queue_id)
{
    return &follow->mail[crc32c(0, queue_id.p, queue_id.len) % MAILS];
}

static bool is_foreign(struct follow *follow, struct slice queue_id)
{
    const struct mail *mail = slot_of(follow, queue_id);

    return mail->foreign && slice_is(queue_id, mail->queue_id);
}

static void note_mail(struct follow *follow, struct slice queue_id, bool foreign)
{
    struct mail *mail = slot_of(follow, queue_id);

    mail->foreign = foreign && copy(mail->queue_id, sizeof mail->queue_id - 1, queue_id);
}

/* The null sender's mails are reports, which are not tracked. */
static bool is_ours(const struct follow *follow, struct slice sender)
{
    return !follow->domains || conf_list_has_domain(follow->domains, address_domain(sender));
}

/* TLS */

static struct process *process_of(struct follow *follow, struct slice name)
{
    return &follow->process[crc32c(0, name.p, name.len) % PROCESSES];
}

static void note_tls(struct follow *follow, const struct log_line *line)
{
    struct process *process = process_of(follow, line->process);

    if (!copy(process->name, NAME_MAX_BYTES, line->process) || !copy(process->relay, RELAY_MAX, line->relay))
        process->name[0] = '\0';
}

static bool has_tls(struct follow *follow, const struct log_line *line)
{
    const struct process *process = process_of(follow, line->process);

    return slice_is(line->process, process->name) && slice_is(line->relay, process->relay);
}

/* records */

static void record(struct follow *follow, const struct record_delivery *delivery)
{
    follow->counts.recorded++;
    follow->record(follow->arg, delivery);
}

/* A record must fit into the spool whatever a line holds, or nothing behind that line is ever read. */
static struct slice cut(struct slice text, size_t most)
{
    return slice_of(text.p, text.len < most ? text.len : most);
}

static struct record_delivery begin_record(struct follow *follow, const struct log_line *line, enum delivery_state state,
                                           int64_t now_us)
{
    return (struct record_delivery){
        .state = state, .time_us = log_hour_us(&follow->hour, &line->time, now_us), .host = cut(line->host, RELAY_MAX),
        .queue_id = line->queue_id};
}

static void record_copy(struct follow *follow, const struct log_line *line, struct slice queue_id, struct slice first,
                        int64_t now_us)
{
    struct record_delivery delivery = begin_record(follow, line, DELIVERY_COPY, now_us);

    delivery.queue_id = queue_id;
    delivery.first = first;
    record(follow, &delivery);
}

static enum delivery_state state_of(enum line_state state)
{
    switch (state) {
    case STATE_DELIVERED: return DELIVERY_DELIVERED;
    case STATE_DEFERRED: return DELIVERY_DEFERRED;
    default: return DELIVERY_BOUNCED;
    }
}

static struct slice normal(struct slice address, char text[ADDRESS_MAX + 1])
{
    return address_normal_text(address, text) ? slice_str(text) : (struct slice){0};
}

static void record_recipient(struct follow *follow, const struct log_line *line, struct slice recipient,
                             struct record_delivery delivery)
{
    char text[ADDRESS_MAX + 1], original[ADDRESS_MAX + 1];
    struct relay relay = relay_of(line->relay);
    struct buf id;

    delivery.recipient = normal(recipient, text);
    if (slice_empty(delivery.recipient))
        return; /* no mail is submitted to what is no address */
    delivery.original = normal(line->original, original);
    buf_init(&id, ID_MAX);
    if (line->state == STATE_DELIVERED && relay_assigned_id(&relay, line->text, recipient, &id))
        delivery.assigned_id = buf_slice(&id);
    record(follow, &delivery);
    buf_free(&id);
}

/* local(8) hands a mail on to itself: what becomes of it stands under its next queue id. */
static bool is_forwarded(const struct log_line *line, struct slice next)
{
    return line->state == STATE_DELIVERED && !slice_empty(next) && slice_is(line->relay, "local");
}

static void record_attempt(struct follow *follow, const struct log_line *line, int64_t now_us)
{
    struct record_delivery delivery = begin_record(follow, line, state_of(line->state), now_us);
    struct slice next = line_goes_on_as(line->text);
    struct slice recipients = line->recipient, recipient;
    struct relay relay = relay_of(line->relay);

    if (is_forwarded(line, next)) {
        record_copy(follow, line, next, line->queue_id, now_us);
        return;
    }
    delivery.relay = cut(slice_empty(relay.host) && !slice_is(line->relay, "none") ? line->relay : relay.host, RELAY_MAX);
    delivery.relay_address = cut(relay.address, RELAY_MAX);
    delivery.status = cut(line->status, STATUS_MAX);
    delivery.text = line->text;
    delivery.tls = has_tls(follow, line);
    if (line->state == STATE_DELIVERED)
        delivery.goes_on_as = next;
    while (line_next_recipient(&recipients, &recipient))
        record_recipient(follow, line, recipient, delivery);
}

static void record_expired(struct follow *follow, const struct log_line *line, int64_t now_us)
{
    struct record_delivery delivery = begin_record(follow, line, DELIVERY_EXPIRED, now_us);

    record(follow, &delivery);
}

static void follow_ours(struct follow *follow, const struct log_line *line, int64_t now_us)
{
    switch (line->kind) {
    case LINE_COPY: record_copy(follow, line, line->queue_id, line->first, now_us); break;
    case LINE_ATTEMPT: record_attempt(follow, line, now_us); break;
    case LINE_EXPIRED: record_expired(follow, line, now_us); break;
    default: break;
    }
}

void follow_line(struct follow *follow, struct slice text, int64_t now_us)
{
    struct log_line line;

    line_read(text, &line);
    follow->counts.lines++;
    if (line.kind == LINE_OTHER) {
        follow->counts.other++;
    } else if (line.kind == LINE_FROM) {
        note_mail(follow, line.queue_id, !is_ours(follow, line.sender));
    } else if (line.kind == LINE_TLS) {
        note_tls(follow, &line);
    } else if (is_foreign(follow, line.kind == LINE_COPY ? line.first : line.queue_id)) {
        follow->counts.foreign++;
        if (line.kind == LINE_COPY)
            note_mail(follow, line.queue_id, true);
        else if (line.kind == LINE_REMOVED)
            note_mail(follow, line.queue_id, false);
    } else {
        follow_ours(follow, &line, now_us);
    }
}
