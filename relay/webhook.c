/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * webhook - events as JSON to a URL, signed by the Standard Webhooks convention.
 *
 * https://github.com/standard-webhooks/standard-webhooks: fields webhook-id, webhook-timestamp and webhook-signature; what is
 * signed is ID.TIMESTAMP.BODY. Each secret makes a signature of its own, so that a receiver can change from one to the next.
 */

#include "relay/https.h"
#include "relay/signature.h"
#include "relay/sink_type.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    BODY_MAX = 16 * 1024 * 1024,
    ANSWER_MAX = 64 * 1024,
    FIELD_MAX = 4096,
    SAID_MAX = 300 /* of an answer that is shown */
};

struct webhook {
    const struct conf_sink *sink;
    struct https *https;
    struct signature_secret *secret;
    size_t secrets;
    struct buf said;
};

static void close_webhook(void *opened)
{
    struct webhook *webhook = opened;

    https_free(webhook->https);
    for (size_t n = 0; n < webhook->secrets; n++)
        signature_secret_wipe(&webhook->secret[n]);
    free(webhook->secret);
    buf_free(&webhook->said);
    free(webhook);
}

static bool read_secrets(struct webhook *webhook, struct buf *why)
{
    const struct conf_list *files = &webhook->sink->secret_files;

    webhook->secret = calloc(files->count, sizeof *webhook->secret);
    for (size_t n = 0; webhook->secret && n < files->count; n++) {
        if (!signature_secret_read(files->item[n], &webhook->secret[n], why))
            return false;
        webhook->secrets++;
    }
    return webhook->secret != NULL;
}

static void *open_webhook(const struct conf_sink *sink, struct buf *why)
{
    struct webhook *webhook = calloc(1, sizeof *webhook);

    if (!webhook)
        return NULL;
    webhook->sink = sink;
    buf_init(&webhook->said, ANSWER_MAX + 100);
    if (read_secrets(webhook, why) && (webhook->https = https_new(sink, ANSWER_MAX, why)))
        return webhook;
    close_webhook(webhook);
    return NULL;
}

/* --- what is sent ------------------------------------------------------------------------------------ */

static void add_event(struct buf *body, const struct event *event)
{
    buf_add_f(body, "{\"type\":\"spoor.%s\",\"timestamp\":\"%s\",\"data\":%s}", event->what, event->at, event->item);
}

/* Several events stand in one of type spoor.batch, which happened when the last of them did. */
static bool add_body(struct buf *body, const struct parcel *parcels, size_t count)
{
    const char *latest = parcels[0].event.at;

    if (count == 1) {
        add_event(body, &parcels[0].event);
        return !body->failed;
    }
    for (size_t n = 1; n < count; n++)
        latest = strcmp(parcels[n].event.at, latest) > 0 ? parcels[n].event.at : latest;
    buf_add_f(body, "{\"type\":\"spoor.batch\",\"timestamp\":\"%s\",\"data\":{\"events\":[", latest);
    for (size_t n = 0; n < count; n++) {
        buf_add_str(body, n ? "," : "");
        add_event(body, &parcels[n].event);
    }
    return buf_add_str(body, "]}}");
}

/* The same events have the same id, however often they are sent. */
static bool add_id(const struct webhook *webhook, struct buf *id, const struct parcel *parcels, size_t count)
{
    struct buf keys, mac;
    bool done;

    if (count == 1)
        return buf_add_f(id, "evt_%s", parcels[0].event.key);
    buf_init(&keys, count * 40);
    buf_init(&mac, FIELD_MAX);
    for (size_t n = 0; n < count; n++)
        buf_add_str(&keys, parcels[n].event.key);
    done = signature_hmac(&webhook->secret[0], buf_slice(&keys), &mac) && buf_add_str(id, "bat_") &&
           signature_add_base64url(buf_slice(&mac), id);
    buf_free(&keys);
    buf_free(&mac);
    return done;
}

static bool add_signatures(const struct webhook *webhook, struct slice content, struct buf *out)
{
    for (size_t n = 0; n < webhook->secrets; n++)
        if (!buf_add_str(out, n ? " v1," : "v1,") || !signature_hmac(&webhook->secret[n], content, out))
            return false;
    return !out->failed;
}

struct letter {
    struct buf body, id, signature, content;
    char timestamp[24];
};

static bool letter_write(struct letter *letter, const struct webhook *webhook, const struct parcel *parcels, size_t count)
{
    buf_init(&letter->body, BODY_MAX);
    buf_init(&letter->id, FIELD_MAX);
    buf_init(&letter->signature, FIELD_MAX);
    buf_init(&letter->content, BODY_MAX + FIELD_MAX);
    snprintf(letter->timestamp, sizeof letter->timestamp, "%lld", (long long)time(NULL));
    return add_body(&letter->body, parcels, count) && add_id(webhook, &letter->id, parcels, count) &&
           buf_add_f(&letter->content, "%s.%s.", buf_text(&letter->id), letter->timestamp) &&
           buf_add_slice(&letter->content, buf_slice(&letter->body)) &&
           add_signatures(webhook, buf_slice(&letter->content), &letter->signature);
}

static void letter_free(struct letter *letter)
{
    buf_free(&letter->body);
    buf_free(&letter->id);
    buf_free(&letter->signature);
    buf_free(&letter->content);
}

static bool post(struct webhook *webhook, const struct letter *letter, struct https_answer *answer)
{
    char id[FIELD_MAX], timestamp[64], signature[FIELD_MAX + 64];
    const char *const fields[] = {"Content-Type: application/json", id, timestamp, signature, NULL};
    struct https_request request = {.method = "POST", .url = webhook->sink->url, .fields = fields, .body = buf_slice(&letter->body),
                                    .answer_may_be_cut = true};

    snprintf(id, sizeof id, "webhook-id: %s", buf_text(&letter->id));
    snprintf(timestamp, sizeof timestamp, "webhook-timestamp: %s", letter->timestamp);
    snprintf(signature, sizeof signature, "webhook-signature: %s", buf_text(&letter->signature));
    return https_ask(webhook->https, &request, answer);
}

/* --- what is answered -------------------------------------------------------------------------------- */

/* Statuses by which the receiver says that this very event will never do. */
static bool is_final(long status)
{
    static const long final[] = {400, 405, 406, 410, 411, 413, 414, 415, 422, 501};

    for (size_t n = 0; n < sizeof final / sizeof *final; n++)
        if (status == final[n])
            return true;
    return false;
}

static enum parcel_outcome outcome_of(long status)
{
    if (status >= 200 && status < 300)
        return PARCEL_SENT;
    return is_final(status) ? PARCEL_DEAD : status == 429 || status == 503 ? PARCEL_LATER : PARCEL_AGAIN;
}

static void end_all(struct parcel *parcels, size_t count, enum parcel_outcome outcome, const char *result)
{
    for (size_t n = 0; n < count; n++)
        parcel_end(&parcels[n], outcome, "%s", result);
}

static void add_status(const struct https_answer *answer, struct buf *out)
{
    struct slice body = buf_slice(&answer->body);

    buf_add_f(out, "HTTP %ld", answer->status);
    if (body.len)
        buf_add_f(out, " %.*s", (int)(body.len < SAID_MAX ? body.len : SAID_MAX), body.p);
}

static struct sink_pause send_letter(struct webhook *webhook, struct parcel *parcels, size_t count, struct buf *why)
{
    struct sink_pause pause = {0};
    struct https_answer answer = {0};
    struct letter letter;

    buf_reset(&webhook->said);
    end_all(parcels, count, PARCEL_AGAIN, "no memory for it");
    if (letter_write(&letter, webhook, parcels, count)) {
        if (post(webhook, &letter, &answer)) {
            add_status(&answer, &webhook->said);
            end_all(parcels, count, outcome_of(answer.status), buf_text(&webhook->said));
            pause.away = outcome_of(answer.status) == PARCEL_LATER;
            pause.for_ms = answer.retry_after_ms;
            if (parcels[0].outcome != PARCEL_SENT)
                buf_add_str(why, buf_text(&webhook->said));
        } else {
            end_all(parcels, count, PARCEL_LATER, answer.why);
            buf_add_str(why, answer.why);
            pause.away = true;
        }
    }
    https_answer_free(&answer);
    letter_free(&letter);
    return pause;
}

/* A batch that will never do goes event by event: one of them may be the reason. */
static struct sink_pause send_webhook(void *opened, struct parcel *parcels, size_t count, struct buf *why)
{
    struct sink_pause pause = send_letter(opened, parcels, count, why);

    if (count == 1 || parcels[0].outcome != PARCEL_DEAD)
        return pause;
    end_all(parcels, count, PARCEL_LATER, "not tried yet");
    for (size_t n = 0; n < count && !pause.away; n++)
        pause = send_letter(opened, &parcels[n], 1, why);
    return pause;
}

static const char *said(void *opened)
{
    return buf_text(&((struct webhook *)opened)->said);
}

const struct sink_type webhook_sink = {
    .batch = 1, .requests = 1, .requests_each = 1, .open = open_webhook, .close = close_webhook, .send = send_webhook, .said = said};
