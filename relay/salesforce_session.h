/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * salesforce_session - a session with Salesforce: who we are there, and requests under its token.
 *
 * OAuth 2.0 JWT bearer flow (RFC 7523): a token signed by our key is exchanged for an access token, and again whenever that is
 * not taken any more. One thread.
 */
#ifndef RELAY_SALESFORCE_SESSION_H
#define RELAY_SALESFORCE_SESSION_H

#include "relay/https.h"

enum salesforce_answer {
    SALESFORCE_YES,
    SALESFORCE_NO,      /* a status of 400 and more; STATUS, and ERROR_CODE where there is one */
    SALESFORCE_LIMIT,   /* REQUEST_LIMIT_EXCEEDED, and whatever else asks for patience */
    SALESFORCE_AWAY     /* no answer, or no token */
};

struct salesforce_session;
struct salesforce_session *salesforce_session_new(const struct conf_sink *sink, struct buf *why);
void salesforce_session_free(struct salesforce_session *session);

struct salesforce_result {
    enum salesforce_answer answer;
    long status;
    int64_t retry_after_ms;
    char error_code[64];
    struct buf body;
};

/*
 * PATH begins behind the instance's URL; "/services/data/VERSION" goes before one that does not begin with /services. WHY gets
 * what went wrong. Free the result in any case.
 */
void salesforce_ask(struct salesforce_session *session, const char *method, const char *path, struct slice body,
                    struct salesforce_result *result, struct buf *why);
void salesforce_result_free(struct salesforce_result *result);

/* The path of a resource for requests within composite ones. */
void salesforce_add_path(const struct salesforce_session *session, const char *path, struct buf *out);

#endif
