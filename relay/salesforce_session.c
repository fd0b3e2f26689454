/* SPDX-License-Identifier: BSD-2-Clause */
/* salesforce_session - see salesforce_session.h */

#include "relay/salesforce_session.h"

#include "relay/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

enum {
    ANSWER_MAX = 4 * 1024 * 1024, /* a description of Task with all its fields takes some hundred KB */
    TOKEN_MAX = 8 * 1024,
    URL_MAX = 32 * 1024,
    JWT_LIVES_S = 180 /* what Salesforce allows at most is five minutes */
};

struct salesforce_session {
    const struct conf_sink *sink;
    struct https *https;
    struct signature_key *key;
    struct buf authorization; /* "Authorization: Bearer ..."; empty: there is no token */
    struct buf instance;      /* URL, no trailing slash */
};

struct salesforce_session *salesforce_session_new(const struct conf_sink *sink, struct buf *why)
{
    struct salesforce_session *session = calloc(1, sizeof *session);

    if (!session)
        return NULL;
    session->sink = sink;
    buf_init(&session->authorization, TOKEN_MAX);
    buf_init(&session->instance, TOKEN_MAX);
    session->key = signature_key_read(sink->private_key_file, why);
    if (session->key && (session->https = https_new(sink, ANSWER_MAX, why)))
        return session;
    salesforce_session_free(session);
    return NULL;
}

static void forget_token(struct salesforce_session *session)
{
    if (session->authorization.data)
        explicit_bzero(session->authorization.data, session->authorization.size);
    buf_reset(&session->authorization);
}

void salesforce_session_free(struct salesforce_session *session)
{
    if (!session)
        return;
    forget_token(session);
    buf_free(&session->authorization);
    buf_free(&session->instance);
    https_free(session->https);
    signature_key_free(session->key);
    free(session);
}

/* --- token ------------------------------------------------------------------------------------------- */

static bool add_claims(const struct conf_sink *sink, struct buf *out)
{
    json_t *claims = json_pack("{s:s, s:s, s:s, s:I}", "iss", sink->client_id, "sub", sink->username, "aud", sink->login_url,
                               "exp", (json_int_t)(time(NULL) + JWT_LIVES_S));
    char *text = claims ? json_dumps(claims, JSON_COMPACT) : NULL;
    bool done = text && signature_add_base64url(slice_str(text), out);

    free(text);
    json_decref(claims);
    return done;
}

/* RFC 7515: header, claims and signature, each in base64url. */
static bool add_jwt(const struct salesforce_session *session, struct buf *out)
{
    struct buf jwt, mac;
    bool done;

    buf_init(&jwt, TOKEN_MAX);
    buf_init(&mac, TOKEN_MAX);
    done = signature_add_base64url(slice_str("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"), &jwt) && buf_add_char(&jwt, '.') &&
           add_claims(session->sink, &jwt) && signature_rs256(session->key, buf_slice(&jwt), &mac) &&
           buf_add_f(out, "%s.%s", buf_text(&jwt), buf_text(&mac));
    buf_free(&jwt);
    buf_free(&mac);
    return done;
}

static bool take_token(struct salesforce_session *session, struct slice body)
{
    json_t *root = json_loadb(body.len ? body.p : "", body.len, 0, NULL);
    const char *token = json_string_value(json_object_get(root, "access_token"));
    const char *instance = json_string_value(json_object_get(root, "instance_url"));
    bool fine = token && instance && strncmp(instance, "https://", 8) == 0 && !strpbrk(instance, " @?#\\") &&
                !strpbrk(token, "\r\n");

    if (fine) {
        buf_reset(&session->instance);
        fine = buf_add_f(&session->authorization, "Authorization: Bearer %s", token) && buf_add_str(&session->instance, instance);
        if (fine && session->instance.data[session->instance.len - 1] == '/')
            session->instance.data[--session->instance.len] = '\0';
    }
    json_decref(root);
    return fine;
}

static void add_login_error(const struct https_answer *answer, struct buf *why)
{
    struct slice body = buf_slice(&answer->body);
    json_t *root = json_loadb(body.len ? body.p : "", body.len, 0, NULL);
    const char *error = json_string_value(json_object_get(root, "error"));
    const char *more = json_string_value(json_object_get(root, "error_description"));

    buf_add_f(why, "no token from Salesforce: HTTP %ld %.100s%s%.200s", answer->status, error ? error : "", more ? ", " : "",
              more ? more : "");
    json_decref(root);
}

static bool log_in(struct salesforce_session *session, struct buf *why)
{
    static const char *const fields[] = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json", NULL};
    struct https_request request = {.method = "POST", .fields = fields};
    struct https_answer answer = {0};
    struct buf url, form;
    bool done = false;

    buf_init(&url, URL_MAX);
    buf_init(&form, TOKEN_MAX);
    buf_add_f(&url, "%s/services/oauth2/token", session->sink->login_url);
    buf_add_str(&form, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
    request.url = buf_text(&url);
    if (!add_jwt(session, &form)) {
        buf_add_str(why, "cannot sign a token for Salesforce");
    } else {
        request.body = buf_slice(&form);
        if (!https_ask(session->https, &request, &answer))
            buf_add_f(why, "no token from Salesforce: %s", answer.why);
        else if (answer.status != 200)
            add_login_error(&answer, why);
        else if (!(done = take_token(session, buf_slice(&answer.body))))
            buf_add_str(why, "Salesforce's answer holds no access_token, or no instance_url with https");
    }
    if (answer.body.data)
        explicit_bzero(answer.body.data, answer.body.size);
    https_answer_free(&answer);
    buf_free(&url);
    buf_free(&form);
    return done;
}

/* --- requests ---------------------------------------------------------------------------------------- */

void salesforce_add_path(const struct salesforce_session *session, const char *path, struct buf *out)
{
    if (strncmp(path, "/services/", 10) != 0)
        buf_add_f(out, "/services/data/%s", session->sink->api_version);
    buf_add_str(out, path);
}

/* [{"errorCode": ..., "message": ...}] */
static void read_error(struct salesforce_result *result, struct buf *why)
{
    struct slice body = buf_slice(&result->body);
    json_t *root = json_loadb(body.len ? body.p : "", body.len, 0, NULL);
    const json_t *first = json_array_get(root, 0);
    const char *code = json_string_value(json_object_get(first, "errorCode"));
    const char *message = json_string_value(json_object_get(first, "message"));

    snprintf(result->error_code, sizeof result->error_code, "%s", code ? code : "");
    buf_add_f(why, "Salesforce: HTTP %ld %s%s%.200s", result->status, result->error_code, message ? ": " : "", message ? message : "");
    json_decref(root);
}

static bool asks_for_patience(const struct salesforce_result *result)
{
    return strcmp(result->error_code, "REQUEST_LIMIT_EXCEEDED") == 0 || strcmp(result->error_code, "SERVER_UNAVAILABLE") == 0 ||
           result->status == 429 || result->status == 503;
}

static bool ask_once(struct salesforce_session *session, const char *method, const char *path, struct slice body,
                     struct salesforce_result *result, struct buf *why)
{
    const char *const fields[] = {buf_text(&session->authorization), "Content-Type: application/json", "Accept: application/json",
                                  NULL};
    struct https_request request = {.method = method, .fields = fields, .body = body};
    struct https_answer answer;
    struct buf url;
    bool answered;

    buf_init(&url, URL_MAX);
    buf_add_str(&url, buf_text(&session->instance));
    salesforce_add_path(session, path, &url);
    request.url = buf_text(&url);
    answered = https_ask(session->https, &request, &answer);
    if (answered) {
        result->status = answer.status;
        result->retry_after_ms = answer.retry_after_ms;
        buf_free(&result->body);
        result->body = answer.body;
    } else {
        buf_add_f(why, "Salesforce: %s", answer.why);
        https_answer_free(&answer);
    }
    buf_free(&url);
    return answered;
}

void salesforce_ask(struct salesforce_session *session, const char *method, const char *path, struct slice body,
                    struct salesforce_result *result, struct buf *why)
{
    *result = (struct salesforce_result){.answer = SALESFORCE_AWAY};
    /* a token that is not taken any more is renewed once */
    for (int attempt = 0; attempt < 2; attempt++) {
        if (session->authorization.len == 0 && !log_in(session, why))
            return;
        if (!ask_once(session, method, path, body, result, why))
            return;
        if (result->status != 401)
            break;
        forget_token(session);
    }
    if (result->status < 400) {
        result->answer = SALESFORCE_YES;
        return;
    }
    read_error(result, why);
    result->answer = asks_for_patience(result) ? SALESFORCE_LIMIT : SALESFORCE_NO;
}

void salesforce_result_free(struct salesforce_result *result)
{
    buf_free(&result->body);
}
