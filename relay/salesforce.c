/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * salesforce - events as Tasks, by Salesforce's REST API.
 *
 * A batch takes two requests: a composite one that finds contacts, leads and users, and one for sObject Collections that
 * writes the tasks by their external id, so that one which is there already is only written anew.
 */

#include "relay/salesforce_people.h"
#include "relay/salesforce_task.h"
#include "relay/sink_type.h"

#include <stdlib.h>
#include <string.h>

enum { TASKS_MAX = 200 /* of one request */, LIMIT_PAUSE_MS = 60000, SAID_MAX = 64 * 1024, RESOURCE_MAX = 200 };

/* Who is it, and the tasks; each twice with a token before it, when none is taken any more. */
enum { REQUESTS_MAX = 8 };

struct salesforce {
    const struct conf_sink *sink;
    struct salesforce_session *session;
    struct salesforce_task_form form;
    struct salesforce_person person[TASKS_MAX];
    int64_t limits; /* in a row */
    struct buf said;
};

static void close_salesforce(void *opened)
{
    struct salesforce *salesforce = opened;

    salesforce_session_free(salesforce->session);
    buf_free(&salesforce->said);
    free(salesforce);
}

static void *open_salesforce(const struct conf_sink *sink, struct buf *why)
{
    struct salesforce *salesforce = calloc(1, sizeof *salesforce);

    if (!salesforce)
        return NULL;
    salesforce->sink = sink;
    buf_init(&salesforce->said, SAID_MAX);
    salesforce->session = salesforce_session_new(sink, why);
    if (salesforce->session)
        return salesforce;
    close_salesforce(salesforce);
    return NULL;
}

/* Without the field a task whose answer was lost would be written twice, so that must be wanted. */
static bool prepare_salesforce(void *opened, struct buf *why)
{
    struct salesforce *salesforce = opened;
    const struct conf_sink *sink = salesforce->sink;
    struct salesforce_result result;
    bool fine;

    salesforce_ask(salesforce->session, "GET", "/sobjects/Task/describe", slice_str(""), &result, why);
    fine = result.answer == SALESFORCE_YES && salesforce_task_form_read(buf_slice(&result.body), sink, &salesforce->form, why);
    salesforce_result_free(&result);
    if (!fine)
        return false;
    if (salesforce->form.has_external_id || sink->at_least_once)
        return true;
    buf_add_f(why, "Task has no field %s that is unique and an External ID, by which Salesforce would know a task again;"
              " make one, or set at_least_once = yes", sink->external_id);
    return false;
}

/* --- what becomes of a batch ------------------------------------------------------------------------- */

static void end_all(struct parcel *parcels, size_t count, enum parcel_outcome outcome, const char *result)
{
    for (size_t n = 0; n < count; n++)
        if (parcels[n].outcome == PARCEL_LATER)
            parcel_end(&parcels[n], outcome, "%s", result);
}

/* For a limit of calls in a day it makes no sense to ask every second. */
static struct sink_pause limit_pause(struct salesforce *salesforce, const struct salesforce_result *result)
{
    int64_t wait_ms = LIMIT_PAUSE_MS << (salesforce->limits < 5 ? salesforce->limits : 5);

    salesforce->limits++;
    if (result->retry_after_ms)
        wait_ms = result->retry_after_ms;
    if (wait_ms > salesforce->sink->retry_most_ms)
        wait_ms = salesforce->sink->retry_most_ms;
    return (struct sink_pause){.away = true, .for_ms = wait_ms};
}

/* The request as a whole was not taken. Only a refusal of it counts against the parcels. */
static struct sink_pause fail(struct salesforce *salesforce, const struct salesforce_result *result, struct parcel *parcels,
                             size_t count, const struct buf *why)
{
    if (result->answer == SALESFORCE_LIMIT) {
        end_all(parcels, count, PARCEL_LATER, buf_text(why));
        return limit_pause(salesforce, result);
    }
    end_all(parcels, count, result->answer == SALESFORCE_NO ? PARCEL_AGAIN : PARCEL_LATER, buf_text(why));
    return (struct sink_pause){.away = result->answer == SALESFORCE_AWAY};
}

static size_t skip_some(struct salesforce *salesforce, struct parcel *parcels, size_t count)
{
    size_t left = count;

    for (size_t n = 0; n < count; n++) {
        if (!salesforce->person[n].skip)
            continue;
        parcel_end(&parcels[n], PARCEL_DROPPED, "Salesforce has nobody, or several, with that address");
        left--;
    }
    return left;
}

static struct sink_pause write_tasks(struct salesforce *salesforce, struct parcel *parcels, size_t count, struct buf *why)
{
    bool upserts = salesforce->form.has_external_id;
    struct sink_pause pause = {0};
    struct salesforce_result result;
    char path[RESOURCE_MAX];
    char *body;

    if (skip_some(salesforce, parcels, count) == 0)
        return pause;
    body = salesforce_task_write(salesforce->sink, &salesforce->form, parcels, salesforce->person, count);
    if (!body) {
        end_all(parcels, count, PARCEL_AGAIN, "no memory for it");
        return pause;
    }
    snprintf(path, sizeof path, "/composite/sobjects%s%s", upserts ? "/Task/" : "", upserts ? salesforce->sink->external_id : "");
    salesforce_ask(salesforce->session, upserts ? "PATCH" : "POST", path, slice_str(body), &result, why);
    if (result.answer != SALESFORCE_YES) {
        pause = fail(salesforce, &result, parcels, count, why);
    } else if (salesforce_task_take(buf_slice(&result.body), parcels, salesforce->person, count)) {
        salesforce->limits = 0;
    } else {
        buf_add_str(why, "Salesforce's answer to tasks is not understood");
        end_all(parcels, count, PARCEL_AGAIN, buf_text(why));
    }
    buf_add_slice(&salesforce->said, buf_slice(&result.body));
    salesforce_result_free(&result);
    free(body);
    return pause;
}

static struct sink_pause send_salesforce(void *opened, struct parcel *parcels, size_t count, struct buf *why)
{
    struct salesforce *salesforce = opened;
    struct salesforce_result result;
    struct sink_pause pause;

    buf_reset(&salesforce->said);
    if (count > TASKS_MAX)
        count = TASKS_MAX;
    if (salesforce_find_people(salesforce->session, salesforce->sink, parcels, &count, salesforce->person, &result, why) ==
        SALESFORCE_YES)
        pause = write_tasks(salesforce, parcels, count, why);
    else
        pause = fail(salesforce, &result, parcels, count, why);
    salesforce_result_free(&result);
    return pause;
}

static const char *said(void *opened)
{
    return buf_text(&((struct salesforce *)opened)->said);
}

const struct sink_type salesforce_sink = {.batch = 50, .requests = REQUESTS_MAX, .open = open_salesforce, .close = close_salesforce,
                                          .prepare = prepare_salesforce, .send = send_salesforce, .said = said};
