/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * salesforce_task - an event as a Task of Salesforce, and what an organisation's Task looks like. Pure JSON.
 */
#ifndef RELAY_SALESFORCE_TASK_H
#define RELAY_SALESFORCE_TASK_H

#include "relay/parcel.h"
#include "relay/salesforce_people.h"

struct salesforce_task_form { /* what the description of Task says */
    bool has_external_id;     /* the sink's field, unique and an External ID */
    bool has_type_reply;      /* "Reply" is a value of Type */
    bool has_status;          /* the sink's task_status is a value of Status */
};

/* BODY: of sobjects/Task/describe. False with WHY when it is none. */
bool salesforce_task_form_read(struct slice body, const struct conf_sink *sink, struct salesforce_task_form *form, struct buf *why);

/* The body of a request for sObject Collections; parcels whose person is to be skipped are left out. NULL without memory. */
char *salesforce_task_write(const struct conf_sink *sink, const struct salesforce_task_form *form, const struct parcel *parcels,
                            const struct salesforce_person *people, size_t count);

/* Sets the outcome of each parcel that was not left out. False when the answer is not understood. */
bool salesforce_task_take(struct slice body, struct parcel *parcels, const struct salesforce_person *people, size_t count);

#endif
