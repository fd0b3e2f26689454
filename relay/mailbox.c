/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mailbox - events as mails to the sender's own mailbox, by the local MTA.
 *
 * SMTP and not sendmail(1): that needs to gain rights, which a hardened service may not. The sender of the envelope is nobody, or
 * who is configured, so that nothing that goes wrong with it comes back as another event.
 */

#include "relay/notice.h"
#include "relay/sink_type.h"
#include "relay/smtp.h"

#include <stdlib.h>
#include <string.h>

enum { LETTER_MAX = 1024 * 1024 };

struct mailbox {
    const struct conf_sink *sink;
    char said[300];
};

static void *open_mailbox(const struct conf_sink *sink, struct buf *why)
{
    struct mailbox *mailbox = calloc(1, sizeof *mailbox);

    if (mailbox)
        mailbox->sink = sink;
    else
        buf_add_str(why, "no memory");
    return mailbox;
}

static void close_mailbox(void *opened)
{
    free(opened);
}

static bool is_empty_digest(const struct event *event)
{
    return strcmp(event->what, "digest") == 0 && event_digest_total(event) == 0;
}

static struct sink_pause send_one(struct mailbox *mailbox, struct parcel *parcel, struct buf *why)
{
    struct sink_pause pause = {0};
    struct smtp_answer answer;
    struct buf letter;

    if (!strchr(parcel->event.to, '@') || strpbrk(parcel->event.to, " \t\r\n<>")) {
        parcel_end(parcel, PARCEL_DROPPED, "the owner is no address, and none is in spoor.mail_choice");
        return pause;
    }
    if (is_empty_digest(&parcel->event)) {
        parcel_end(parcel, PARCEL_DROPPED, "nothing happened");
        return pause;
    }
    buf_init(&letter, LETTER_MAX);
    if (!notice_write(&parcel->event, mailbox->sink->from, time(NULL), &letter)) {
        parcel_end(parcel, PARCEL_DEAD, "the mail would be too long");
        buf_free(&letter);
        return pause;
    }
    smtp_send(mailbox->sink, parcel->event.to, buf_slice(&letter), &answer);
    snprintf(mailbox->said, sizeof mailbox->said, "SMTP %ld%s%s", answer.code, answer.taken ? "" : " ", answer.why);
    if (answer.taken)
        parcel_end(parcel, PARCEL_SENT, "%s", mailbox->said);
    else if (answer.code >= 500)
        parcel_end(parcel, PARCEL_DEAD, "%s", mailbox->said);
    else
        parcel_end(parcel, answer.code >= 400 ? PARCEL_AGAIN : PARCEL_LATER, "%s", mailbox->said);
    if (parcel->outcome == PARCEL_LATER) {
        buf_add_str(why, mailbox->said);
        pause.away = true;
    }
    buf_free(&letter);
    return pause;
}

static struct sink_pause send_mails(void *opened, struct parcel *parcels, size_t count, struct buf *why)
{
    struct sink_pause pause = {0};

    for (size_t n = 0; n < count && !pause.away; n++)
        pause = send_one(opened, &parcels[n], why);
    return pause;
}

static const char *said(void *opened)
{
    return ((struct mailbox *)opened)->said;
}

const struct sink_type mail_sink = {
    .batch = 1, .requests_each = 1, .to_sender = true, .open = open_mailbox, .close = close_mailbox, .send = send_mails, .said = said};
