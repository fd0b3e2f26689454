/* SPDX-License-Identifier: BSD-2-Clause */
/* salesforce_task - see salesforce_task.h */

#include "relay/salesforce_task.h"

#include "common/event_kind.h"
#include "common/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum {
    SUBJECT_MAX = 255,       /* units of UTF-16, as Salesforce counts characters */
    DESCRIPTION_MAX = 32000, /* of the same; our text is far below in bytes, too */
    DATE_TEXT = 10
};

/* --- the form ---------------------------------------------------------------------------------------- */

static bool has_value(const json_t *field, const char *value)
{
    const json_t *values = json_object_get(field, "picklistValues");

    for (size_t n = 0; n < json_array_size(values); n++) {
        const json_t *entry = json_array_get(values, n);
        const char *text = json_string_value(json_object_get(entry, "value"));

        if (text && strcmp(text, value) == 0 && !json_is_false(json_object_get(entry, "active")))
            return true;
    }
    return false;
}

bool salesforce_task_form_read(struct slice body, const struct conf_sink *sink, struct salesforce_task_form *form, struct buf *why)
{
    json_t *root = json_loadb(body.len ? body.p : "", body.len, 0, NULL);
    const json_t *fields = json_object_get(root, "fields");
    bool fine = json_is_array(fields);

    *form = (struct salesforce_task_form){0};
    for (size_t n = 0; n < json_array_size(fields); n++) {
        const json_t *field = json_array_get(fields, n);
        const char *name = json_string_value(json_object_get(field, "name"));

        if (!name)
            continue;
        if (*sink->external_id && strcasecmp(name, sink->external_id) == 0)
            form->has_external_id = json_is_true(json_object_get(field, "externalId")) && json_is_true(json_object_get(field, "unique"));
        else if (strcmp(name, "Type") == 0)
            form->has_type_reply = has_value(field, "Reply");
        else if (strcmp(name, "Status") == 0)
            form->has_status = *sink->task_status && has_value(field, sink->task_status);
    }
    json_decref(root);
    if (!fine)
        buf_add_str(why, "Salesforce's description of Task is not understood");
    return fine;
}

/* --- a task ------------------------------------------------------------------------------------------ */

/* Cuts to MOST units of UTF-16; a character of four bytes has two. */
static void cut(struct buf *text, size_t most)
{
    size_t units = 0;

    for (size_t at = 0; at < text->len; at++) {
        unsigned char c = (unsigned char)text->data[at];

        if ((c & 0xC0) == 0x80)
            continue;
        units += c >= 0xF0 ? 2 : 1;
        if (units <= most)
            continue;
        text->data[at] = '\0';
        text->len = at;
    }
}

static void add_on_one_line(struct buf *out, const char *text)
{
    for (; *text; text++)
        buf_add_char(out, (unsigned char)*text < 0x20 || *text == 0x7F ? ' ' : *text);
}

static void add_subject(struct buf *out, const struct event *event)
{
    const struct event_kind *kind = event_kind_of(event->what);

    buf_add_f(out, "%s: ", kind ? kind->heading : event->what);
    add_on_one_line(out, *event->subject ? event->subject : "(no subject)");
    cut(out, SUBJECT_MAX);
}

static void add_line(struct buf *out, const char *name, const char *value)
{
    if (*value)
        buf_add_f(out, "%s: %s\n", name, value);
}

static void add_description(struct buf *out, const struct event *event)
{
    add_line(out, "From", event->answer_from);
    if (!*event->answer_from)
        add_line(out, "Person", event->person);
    add_line(out, "Subject", event->answer_subject);
    add_line(out, "Time", event->at);
    add_line(out, "Link", event->destination);
    if (!*event->destination)
        add_line(out, "Detail", event->detail);
    add_line(out, "Status", event->status);
    add_line(out, "Campaign", event->campaign);
    if (event->gap)
        buf_add_str(out, "Something that happened before this could not be logged.\n");
    if (*event->text)
        buf_add_f(out, "\n%s", event->text);
    cut(out, DESCRIPTION_MAX);
}

static bool set(json_t *task, const char *field, const char *value)
{
    return json_object_set_new(task, field, json_string(value)) == 0;
}

static json_t *write_task(const struct conf_sink *sink, const struct salesforce_task_form *form, const struct event *event,
                          const struct salesforce_person *person)
{
    json_t *task = json_pack("{s:{s:s}}", "attributes", "type", "Task");
    struct buf subject, description;
    char date[DATE_TEXT + 1];
    bool done;

    buf_init(&subject, 64 * 1024);
    buf_init(&description, 256 * 1024);
    add_subject(&subject, event);
    add_description(&description, event);
    snprintf(date, sizeof date, "%s", event->at);
    done = task && set(task, "Subject", buf_text(&subject)) && set(task, "Description", buf_text(&description)) &&
           set(task, "ActivityDate", date);
    if (form->has_external_id)
        done = done && set(task, sink->external_id, event->key);
    if (form->has_type_reply && strcmp(event->what, "reply") == 0)
        done = done && set(task, "Type", "Reply");
    if (form->has_status)
        done = done && set(task, "Status", sink->task_status);
    if (*person->who)
        done = done && set(task, "WhoId", person->who);
    if (*person->owner)
        done = done && set(task, "OwnerId", person->owner);
    buf_free(&subject);
    buf_free(&description);
    if (done)
        return task;
    json_decref(task);
    return NULL;
}

char *salesforce_task_write(const struct conf_sink *sink, const struct salesforce_task_form *form, const struct parcel *parcels,
                            const struct salesforce_person *people, size_t count)
{
    json_t *records = json_array();
    json_t *root = json_pack("{s:b, s:O}", "allOrNone", 0, "records", records);
    bool done = root != NULL;
    char *text;

    for (size_t n = 0; done && n < count; n++)
        if (!people[n].skip)
            done = json_array_append_new(records, write_task(sink, form, &parcels[n].event, &people[n])) == 0;
    text = done ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(records);
    json_decref(root);
    return text;
}

/* --- the answer -------------------------------------------------------------------------------------- */

/* What will be refused as often as it is sent; all else is tried again, and given up in the end. */
static bool is_final(const char *code)
{
    static const char *const final[] = {
        "INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_TYPE_ON_FIELD_IN_RECORD", "STRING_TOO_LONG",
        "REQUIRED_FIELD_MISSING", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "MALFORMED_ID", "DUPLICATE_EXTERNAL_ID", "NUMBER_OUTSIDE_VALID_RANGE", "ENTITY_IS_DELETED"};

    for (size_t n = 0; n < sizeof final / sizeof *final; n++)
        if (strcmp(code, final[n]) == 0)
            return true;
    return false;
}

static void take_one(const json_t *answer, struct parcel *parcel)
{
    const json_t *error = json_array_get(json_object_get(answer, "errors"), 0);
    const char *code = json_string_value(json_object_get(error, "statusCode"));
    const char *message = json_string_value(json_object_get(error, "message"));
    const char *id = json_string_value(json_object_get(answer, "id"));

    if (json_is_true(json_object_get(answer, "success")))
        parcel_end(parcel, PARCEL_SENT, "%s", id ? id : "");
    else
        parcel_end(parcel, code && is_final(code) ? PARCEL_DEAD : PARCEL_AGAIN, "%.60s: %.300s", code ? code : "no code",
                   message ? message : "");
}

bool salesforce_task_take(struct slice body, struct parcel *parcels, const struct salesforce_person *people, size_t count)
{
    json_t *root = json_loadb(body.len ? body.p : "", body.len, 0, NULL);
    size_t wanted = 0, at = 0;
    bool fine;

    for (size_t n = 0; n < count; n++)
        wanted += !people[n].skip;
    fine = json_is_array(root) && json_array_size(root) == wanted;
    for (size_t n = 0; fine && n < count; n++)
        if (!people[n].skip)
            take_one(json_array_get(root, at++), &parcels[n]);
    json_decref(root);
    return fine;
}
