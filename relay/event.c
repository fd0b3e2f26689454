/* SPDX-License-Identifier: BSD-2-Clause */
/* event - see event.h */

#include "relay/event.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static bool is_address(const char *text)
{
    return strchr(text, '@') && !strpbrk(text, " \t\r\n<>");
}

/* It stands in header fields, of mail and of HTTP. */
static bool is_key(const char *text)
{
    size_t len = strlen(text), graphic = 0;

    while (graphic < len && text[graphic] > ' ' && text[graphic] < 0x7F)
        graphic++;
    return len && graphic == len;
}

static void add_address(struct event *event, const char *address)
{
    if (is_address(address) && event->addresses < EVENT_ADDRESSES)
        event->address[event->addresses++] = address;
}

/* The person; of a mail that was sent, to whom. */
static void find_addresses(struct event *event, const json_t *root)
{
    const json_t *recipients = json_object_get(root, "recipients");

    add_address(event, event->person);
    for (size_t n = 0; n < json_array_size(recipients); n++)
        add_address(event, json_string_value(json_array_get(recipients, n)));
}

/* What nobody got has no mail, but a refusal that tells of it. */
static void find_mail(struct event *event, const json_t *root)
{
    const json_t *mail = json_object_get(root, "message");

    if (!mail)
        mail = json_object_get(root, "refusal");
    event->subject = text_of(mail, "subject");
    event->owner = *text_of(mail, "owner") ? text_of(mail, "owner") : text_of(root, "owner");
    event->sender = text_of(mail, "sender");
    event->campaign = text_of(mail, "campaign");
}

bool event_read(const char *item, struct event *event)
{
    json_t *root = json_loads(item, JSON_REJECT_DUPLICATES, NULL);
    const json_t *answer = json_object_get(root, "answer");
    char *copy = json_is_object(root) ? strdup(item) : NULL;

    *event = (struct event){.root = root, .item = copy};
    if (!copy || !is_key(text_of(root, "id")) || !*text_of(root, "what")) {
        event_free(event);
        return false;
    }
    event->key = text_of(root, "id");
    event->what = text_of(root, "what");
    event->at = text_of(root, "at");
    event->person = text_of(root, "person");
    event->detail = text_of(root, "detail");
    event->to = text_of(root, "to");
    event->text = text_of(answer, "text");
    event->answer_from = text_of(answer, "from");
    event->answer_subject = text_of(answer, "subject");
    event->status = text_of(answer, "status");
    event->destination = text_of(json_object_get(root, "link"), "destination");
    event->gap = json_is_true(json_object_get(root, "gap"));
    find_mail(event, root);
    find_addresses(event, root);
    return true;
}

void event_free(struct event *event)
{
    json_decref(event->root);
    free(event->item);
    *event = (struct event){0};
}

bool event_digest_line(const struct event *event, size_t n, struct event_line *line)
{
    const json_t *item = json_array_get(json_object_get(event->root, "items"), n);

    if (!item)
        return false;
    *line = (struct event_line){.at = text_of(item, "at"), .what = text_of(item, "what"), .person = text_of(item, "person"),
                                .subject = text_of(item, "subject"), .detail = text_of(item, "detail")};
    return true;
}

size_t event_digest_total(const struct event *event)
{
    return (size_t)json_integer_value(json_object_get(event->root, "events"));
}
