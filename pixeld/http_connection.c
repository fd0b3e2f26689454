/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_connection - see http_private.h: one connection, and how each of its requests is read and answered.
 *
 * For each request http_connection_request() comes when the header is complete, with each piece of a body, and when that is in;
 * http_connection_completed() when the answer is out. An answer that has to wait suspends the connection; once that is
 * released, http_connection_request() comes once more.
 */
#include "pixeld/http_private.h"

#include "pixeld/deadline.h"
#include "pixeld/held.h"
#include "pixeld/http_fields.h"
#include "pixeld/http_page_private.h"

#include <stdlib.h>

enum stage { ANSWER_NONE_YET, ANSWER_WAITS, ANSWER_SETTLED };

/* The request is the one that is read or answered now. */
struct http_connection {
    struct deadline *deadline;
    struct request request;
    struct http_body body_wanted; /* of a POST */
    size_t body_bytes;            /* so far */
    struct buf body;              /* where it is kept */
    struct MHD_Connection *connection;
    struct http_answer answer;
    atomic_int stage; /* of ANSWER, an enum stage: set on the thread that settles, too */
    struct held_answer held;
    const struct http *http;
    struct desk_work work;
    struct request_argument argument[REQUEST_ARGUMENTS_MAX]; /* for work at the desk alone */
};

static struct http_connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

void http_connection_release(void *what)
{
    struct http_connection *ours = what;
    struct MHD_Connection *connection = ours->connection;

    atomic_store(&ours->stage, ANSWER_SETTLED);
    MHD_resume_connection(connection);
}

/* Suspended first, for it may be released before held_add() returns. */
static void hold(const struct http *http, struct http_connection *ours)
{
    atomic_store(&ours->stage, ANSWER_WAITS);
    ours->held = (struct held_answer){.after = ours->answer.after, .what = ours};
    MHD_suspend_connection(ours->connection);
    if (held_add(http->held, &ours->held))
        return;
    http->options.settle(http->options.arg, ours->answer.after, 1);
    http_connection_release(ours);
}

/* While the connections are drained an answer is the last on its own. */
static enum MHD_Result send_answer(const struct http *http, struct http_connection *ours)
{
    const struct http_answer *answer = &ours->answer;
    enum MHD_Result queued = MHD_NO;

    if (answer->page && answer->page->stream)
        http_stream_begin(answer->page->stream, http->streams, ours->connection);
    if (answer->page)
        queued = MHD_queue_response(ours->connection, answer->page->status,
                                    http_page_response(answer->page, deadlines_draining(http->deadlines)));
    if (answer->once)
        http_page_free(answer->page);
    return queued;
}

static enum MHD_Result next_argument(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                     const char *value, size_t value_size)
{
    struct http_connection *ours = arg;

    (void)kind;
    if (ours->request.arguments == REQUEST_ARGUMENTS_MAX)
        return MHD_NO;
    ours->argument[ours->request.arguments++] =
        (struct request_argument){slice_of(name, name_size), slice_of(value, value ? value_size : 0)};
    return MHD_YES;
}

/* On a thread of the desk. */
static void work(struct desk_work *what, struct db *db)
{
    struct http_connection *ours = (struct http_connection *)((char *)what - offsetof(struct http_connection, work));
    const struct http_options *options = &ours->http->options;

    ours->answer = options->work(options->arg, &ours->request, db);
    if (ours->answer.after && options->settle)
        options->settle(options->arg, ours->answer.after, 1);
    http_connection_release(ours);
}

/* Suspended first, as in hold(). */
static void go_to_desk(const struct http *http, struct http_connection *ours)
{
    struct desk *desk = ours->answer.takes_long ? http->options.long_desk : http->options.desk;

    atomic_store(&ours->stage, ANSWER_WAITS);
    ours->request.argument = ours->argument;
    ours->work.message = ours->answer.message;
    MHD_get_connection_values_n(ours->connection, MHD_GET_ARGUMENT_KIND, next_argument, ours);
    ours->answer = (struct http_answer){.once = false};
    ours->http = http;
    ours->work.perform = work;
    MHD_suspend_connection(ours->connection);
    if (!desk_add(desk, &ours->work))
        work(&ours->work, NULL);
}

static enum MHD_Result answer_now(const struct http *http, struct http_connection *ours)
{
    if (atomic_load(&ours->stage) == ANSWER_NONE_YET) {
        ours->answer = http->options.answer(http->options.arg, &ours->request);
        if (ours->answer.at_desk) {
            go_to_desk(http, ours);
            return MHD_YES;
        }
        if (ours->answer.after == 0 || http->held == NULL)
            return send_answer(http, ours);
        hold(http, ours);
        return MHD_YES;
    }
    if (atomic_load(&ours->stage) == ANSWER_WAITS)
        return MHD_YES;
    atomic_store(&ours->stage, ANSWER_NONE_YET);
    return send_answer(http, ours);
}

/* May the connection go on behind this request? Then its body, if any, is read first. */
static bool is_read_to_its_end(const struct http_options *options, struct http_connection *ours)
{
    struct request *request = &ours->request;

    if (request->unframed || request->too_large || request->method == REQUEST_OTHER)
        return false;
    if (request->method != REQUEST_POST)
        return true;
    ours->body_wanted = options->wants_body ? options->wants_body(options->arg, request) : (struct http_body){.most = 0};
    request->too_large = ours->body_wanted.most && request->length > ours->body_wanted.most;
    return ours->body_wanted.most && !request->too_large;
}

/* Chunks do not say beforehand how many there are: above the limit the connection ends without an answer. */
static enum MHD_Result take_body(struct http_connection *ours, const char *bytes, size_t *size)
{
    bool taken;

    ours->body_bytes += *size;
    taken = ours->body_bytes <= ours->body_wanted.most;
    if (taken && ours->body_wanted.kept)
        taken = buf_add(&ours->body, bytes, *size);
    *size = 0;
    return taken ? MHD_YES : MHD_NO;
}

static void begin_body(struct http_connection *ours)
{
    ours->body_bytes = 0;
    ours->body.cap = REQUEST_BODY_MAX;
    buf_reset(&ours->body);
}

/*
 * The library comes with the header complete, with each piece of a body, and when that is in. An answer to the first ends
 * the connection, which is right for a request that has a body we do not want and wrong for all others.
 */
enum MHD_Result http_connection_request(void *arg, struct MHD_Connection *connection, const char *target, const char *method,
                                        const char *version, const char *body, size_t *body_size, void **context)
{
    struct http *http = arg;
    struct http_connection *ours = connection_of(connection);
    bool first = *context == NULL;

    (void)version;
    if (ours == NULL)
        return MHD_NO;
    *context = ours;
    if (first) {
        http_read_request(connection, target, method, http->proxy_header, &ours->request);
        if (ours->request.method == REQUEST_POST)
            begin_body(ours);
        else
            deadline_met(ours->deadline);
        if (is_read_to_its_end(&http->options, ours))
            return MHD_YES;
    } else if (*body_size) {
        return take_body(ours, body, body_size);
    }
    if (ours->request.method == REQUEST_POST) {
        deadline_met(ours->deadline);
        ours->request.body = buf_slice(&ours->body);
    }
    return answer_now(http, ours);
}

void http_connection_completed(void *arg, struct MHD_Connection *connection, void **context,
                               enum MHD_RequestTerminationCode why)
{
    struct http *http = arg;
    struct http_connection *ours = connection_of(connection);

    (void)context;
    if (ours && why == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        deadline_next(http->deadlines, ours->deadline);
}

struct http_connection *http_connection_begin(struct http *http, struct MHD_Connection *connection, bool patient)
{
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct http_connection *ours = calloc(1, sizeof *ours);

    if (ours == NULL)
        return NULL;
    ours->connection = connection;
    ours->deadline = deadline_begin(http->deadlines, fd, patient);
    return ours;
}

void http_connection_end(struct http *http, struct http_connection *ours)
{
    if (ours == NULL)
        return;
    deadline_end(http->deadlines, ours->deadline);
    if (atomic_load(&ours->stage) != ANSWER_NONE_YET && ours->answer.once)
        http_page_free(ours->answer.page);
    buf_free(&ours->body);
    free(ours);
}
