/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * salesforce_people - whose task it is: the contact or lead with an address, and the user who had sent the mail.
 *
 * One composite request asks for all of a batch. A contact comes before a lead; of several the sink's rule chooses.
 */
#ifndef RELAY_SALESFORCE_PEOPLE_H
#define RELAY_SALESFORCE_PEOPLE_H

#include "relay/parcel.h"
#include "relay/salesforce_session.h"

enum { SALESFORCE_ID = 19 /* 18 characters */ };

struct salesforce_person {
    char who[SALESFORCE_ID];   /* "" nobody */
    char owner[SALESFORCE_ID]; /* "" the user we are there */
    bool skip;                 /* by when_none or when_several */
};

/*
 * One PERSON a parcel. COUNT gets smaller when the addresses of fewer parcels fit into one request. SALESFORCE_NO: RESULT's
 * error is about the question as a whole.
 */
enum salesforce_answer salesforce_find_people(struct salesforce_session *session, const struct conf_sink *sink,
                                              const struct parcel *parcels, size_t *count, struct salesforce_person *people,
                                              struct salesforce_result *result, struct buf *why);

#endif
