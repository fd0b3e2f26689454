/* SPDX-License-Identifier: BSD-2-Clause */
/* salesforce_people - see salesforce_people.h */

#include "relay/salesforce_people.h"

#include "relay/soql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { ADDRESSES_MAX = 1000, PAGES_MOST = 20, URL_MAX = 32 * 1024 };

struct question {
    const char *name;  /* referenceId */
    const char *start; /* of the query, up to the list */
    const char *end;
};

enum { CONTACTS, LEADS, USERS, QUESTIONS };

static const struct question questions[QUESTIONS] = {
    [CONTACTS] = {"contacts", "SELECT Id, Email FROM Contact WHERE Email", " ORDER BY CreatedDate, Id"},
    [LEADS] = {"leads", "SELECT Id, Email FROM Lead WHERE IsConverted = false AND Email", " ORDER BY CreatedDate, Id"},
    [USERS] = {"users", "SELECT Id, Email FROM User WHERE IsActive = true AND Email", " ORDER BY CreatedDate, Id"},
};

struct finding {
    struct salesforce_session *session;
    const char *person[ADDRESSES_MAX];
    size_t persons;
    const char *sender[ADDRESSES_MAX];
    size_t senders;
    json_t *found[QUESTIONS]; /* arrays of records; owned */
};

static const char *sender_of(const struct event *event)
{
    return strchr(event->owner, '@') ? event->owner : event->sender;
}

static void gather(struct finding *finding, const struct parcel *parcels, size_t count)
{
    finding->persons = finding->senders = 0;
    for (size_t n = 0; n < count; n++) {
        const struct event *event = &parcels[n].event;

        for (size_t at = 0; at < event->addresses && finding->persons < ADDRESSES_MAX; at++)
            finding->person[finding->persons++] = event->address[at];
        if (strchr(sender_of(event), '@'))
            finding->sender[finding->senders++] = sender_of(event);
    }
}

/* --- the question ------------------------------------------------------------------------------------ */

/* False when there is nobody to ask for, or there are too many. */
static bool add_query(const struct finding *finding, int which, struct buf *soql)
{
    const char *const *texts = which == USERS ? finding->sender : finding->person;
    size_t count = which == USERS ? finding->senders : finding->persons;

    return count && buf_add_str(soql, questions[which].start) && soql_add_in(soql, texts, count) &&
           buf_add_str(soql, questions[which].end);
}

static bool fits(const struct finding *finding)
{
    struct buf soql;
    bool fit = true;

    for (int which = 0; fit && which < QUESTIONS; which++) {
        buf_init(&soql, SOQL_MAX / 3); /* each byte may take three in a URL */
        add_query(finding, which, &soql);
        fit = !soql.failed;
        buf_free(&soql);
    }
    return fit;
}

static bool append_query(const struct finding *finding, int which, json_t *requests)
{
    struct buf soql, path;
    bool done = true;

    buf_init(&soql, SOQL_MAX);
    buf_init(&path, 4 * SOQL_MAX);
    if (add_query(finding, which, &soql)) {
        salesforce_add_path(finding->session, "/query/?q=", &path);
        https_add_escaped(&path, buf_text(&soql));
        done = !path.failed && json_array_append_new(requests, json_pack("{s:s, s:s, s:s}", "method", "GET", "url", buf_text(&path),
                                                                        "referenceId", questions[which].name)) == 0;
    }
    buf_free(&soql);
    buf_free(&path);
    return done;
}

static char *write_question(const struct finding *finding)
{
    json_t *requests = json_array();
    json_t *root = json_pack("{s:b, s:O}", "allOrNone", 0, "compositeRequest", requests);
    bool done = root != NULL;
    char *text;

    for (int which = 0; done && which < QUESTIONS; which++)
        done = append_query(finding, which, requests);
    text = done && json_array_size(requests) ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(requests);
    json_decref(root);
    return text;
}

/* --- the answer -------------------------------------------------------------------------------------- */

/* The pages behind the first: an address that stands in thousands of records is rare. */
static bool read_pages(struct finding *finding, json_t *found, const json_t *body, struct buf *why)
{
    const char *next = json_string_value(json_object_get(body, "nextRecordsUrl"));
    json_t *page = NULL;
    bool fine = json_array_extend(found, json_object_get(body, "records")) == 0;

    for (int pages = 0; fine && next && pages < PAGES_MOST; pages++) {
        struct salesforce_result result;
        json_t *last = page;

        salesforce_ask(finding->session, "GET", next, slice_str(""), &result, why);
        page = result.answer == SALESFORCE_YES ? json_loadb(result.body.data, result.body.len, 0, NULL) : NULL;
        json_decref(last);
        fine = page && json_array_extend(found, json_object_get(page, "records")) == 0;
        next = json_string_value(json_object_get(page, "nextRecordsUrl"));
        salesforce_result_free(&result);
    }
    json_decref(page);
    return fine;
}

static bool take_part(struct finding *finding, const json_t *part, struct salesforce_result *result, struct buf *why)
{
    const char *name = json_string_value(json_object_get(part, "referenceId"));
    const json_t *body = json_object_get(part, "body");
    const json_t *error = json_array_get(body, 0);
    int which = 0;

    while (name && which < QUESTIONS && strcmp(questions[which].name, name) != 0)
        which++;
    if (!name || which == QUESTIONS)
        return false;
    if (json_integer_value(json_object_get(part, "httpStatusCode")) == 200 && !finding->found[which]) {
        finding->found[which] = json_array();
        return read_pages(finding, finding->found[which], body, why);
    }
    snprintf(result->error_code, sizeof result->error_code, "%s",
             json_string_value(json_object_get(error, "errorCode")) ? json_string_value(json_object_get(error, "errorCode")) : "");
    buf_add_f(why, "Salesforce cannot say who the %s are: %s", name, result->error_code);
    return false;
}

static bool take_answer(struct finding *finding, struct salesforce_result *result, struct buf *why)
{
    json_t *root = json_loadb(result->body.len ? result->body.data : "", result->body.len, 0, NULL);
    const json_t *parts = json_object_get(root, "compositeResponse");
    bool fine = json_is_array(parts);

    if (!fine)
        buf_add_str(why, "Salesforce's answer to a composite request is not understood");
    for (size_t n = 0; fine && n < json_array_size(parts); n++)
        fine = take_part(finding, json_array_get(parts, n), result, why);
    json_decref(root);
    return fine;
}

/* --- the choice -------------------------------------------------------------------------------------- */

/* How many records have the address; FIRST and LAST of them, in the order of their making. */
static size_t records_of(const json_t *found, const char *address, const char **first, const char **last)
{
    size_t count = 0;

    for (size_t n = 0; n < json_array_size(found); n++) {
        const json_t *record = json_array_get(found, n);
        const char *email = json_string_value(json_object_get(record, "Email"));
        const char *id = json_string_value(json_object_get(record, "Id"));

        if (!email || !id || strlen(id) >= SALESFORCE_ID || strcasecmp(email, address) != 0)
            continue;
        *first = count++ ? *first : id;
        *last = id;
    }
    return count;
}

static void choose(const struct conf_sink *sink, size_t count, const char *oldest, const char *newest,
                   struct salesforce_person *person)
{
    bool several = count > 1;

    person->skip = several && sink->when_several == SINK_SEVERAL_SKIP;
    if (!several || sink->when_several == SINK_SEVERAL_NEWEST)
        snprintf(person->who, sizeof person->who, "%s", newest);
    else if (sink->when_several == SINK_SEVERAL_OLDEST)
        snprintf(person->who, sizeof person->who, "%s", oldest);
}

static void find_person(const struct finding *finding, const struct conf_sink *sink, const struct event *event,
                        struct salesforce_person *person)
{
    const char *oldest = "", *newest = "";
    size_t count = 0;

    *person = (struct salesforce_person){0};
    for (int which = CONTACTS; which <= LEADS && count == 0; which++)
        for (size_t n = 0; n < event->addresses && count == 0; n++)
            count = records_of(finding->found[which], event->address[n], &oldest, &newest);
    if (count)
        choose(sink, count, oldest, newest, person);
    else
        person->skip = sink->when_none == SINK_NONE_SKIP;
    if (records_of(finding->found[USERS], sender_of(event), &oldest, &newest) == 1)
        snprintf(person->owner, sizeof person->owner, "%s", newest);
}

enum salesforce_answer salesforce_find_people(struct salesforce_session *session, const struct conf_sink *sink,
                                              const struct parcel *parcels, size_t *count, struct salesforce_person *people,
                                              struct salesforce_result *result, struct buf *why)
{
    struct finding *finding = calloc(1, sizeof *finding);
    char *question = NULL;

    *result = (struct salesforce_result){.answer = SALESFORCE_YES};
    if (!finding) {
        result->answer = SALESFORCE_AWAY;
        return result->answer;
    }
    finding->session = session;
    for (gather(finding, parcels, *count); *count > 1 && !fits(finding); gather(finding, parcels, *count))
        *count /= 2;
    question = write_question(finding);
    if (question) {
        salesforce_ask(session, "POST", "/composite", slice_str(question), result, why);
        if (result->answer == SALESFORCE_YES && !take_answer(finding, result, why))
            result->answer = strcmp(result->error_code, "REQUEST_LIMIT_EXCEEDED") == 0 ? SALESFORCE_LIMIT : SALESFORCE_NO;
    }
    for (size_t n = 0; result->answer == SALESFORCE_YES && n < *count; n++)
        find_person(finding, sink, &parcels[n].event, &people[n]);
    for (int which = 0; which < QUESTIONS; which++)
        json_decref(finding->found[which]);
    free(question);
    free(finding);
    return result->answer;
}
