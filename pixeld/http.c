/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Life of a connection: accept_policy() may refuse it; connection_changed() gives it a deadline; for each
 * request answer_request() comes when the header is complete and request_completed() when the answer is
 * out; connection_changed() again before the socket is closed. An answer that has to wait suspends its connection;
 * once that is released, answer_request() comes once more.
 */
#include "pixeld/http.h"

#include "common/log.h"
#include "pixeld/crowd.h"
#include "pixeld/deadline.h"
#include "pixeld/held.h"
#include "pixeld/http_fields.h"
#include "pixeld/http_page_private.h"
#include "pixeld/http_quiesce.h"
#include "pixeld/tls.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * A link of ours has 5 KB at most, but a browser sends with it the cookies of the whole domain. The library reads a
 * header into half of this and needs the other half for a second copy of the cookies and a record each. So the 8 KB
 * of cookies that nginx and Apache allow have room. Above 16 KB it answers 431; close below it may lack room for
 * that and close. All of it is filled with zeros after each request: twice as much costs a tenth of a view.
 */
enum { CONNECTION_BYTES = 32 * 1024 };

enum { WARNING_SECONDS = 60 };

struct http {
    struct http_options options;
    struct slice proxy_header;
    struct deadlines *deadlines;
    struct crowd *crowd; /* NULL: a client may have all connections */
    atomic_uint_fast64_t limited;
    atomic_uint_fast64_t limited_address;
    struct held *held;   /* NULL: no answer waits */
    struct http_streams *streams;
    struct http_quiesce *quiesce;
    struct log_throttle refused_throttle;
    struct log_throttle exhausted_throttle;
    struct listeners listeners;
    struct MHD_Daemon *daemon[LISTEN_MAX];
    size_t daemons;
};

enum stage { ANSWER_NONE_YET, ANSWER_WAITS, ANSWER_SETTLED };

/* What belongs to a connection of the library; the request is the one that is read or answered now. */
struct connection {
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

static struct connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static void release(void *what)
{
    struct connection *ours = what;
    struct MHD_Connection *connection = ours->connection;

    atomic_store(&ours->stage, ANSWER_SETTLED);
    MHD_resume_connection(connection);
}

/* Suspended first, for it may be released before held_add() returns. */
static void hold(const struct http *http, struct connection *ours)
{
    atomic_store(&ours->stage, ANSWER_WAITS);
    ours->held = (struct held_answer){.after = ours->answer.after, .what = ours};
    MHD_suspend_connection(ours->connection);
    if (held_add(http->held, &ours->held))
        return;
    http->options.settle(http->options.arg, ours->answer.after, 1);
    release(ours);
}

/* While the connections are drained an answer is the last on its own. */
static enum MHD_Result send_answer(const struct http *http, struct connection *ours)
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
    struct connection *ours = arg;

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
    struct connection *ours = (struct connection *)((char *)what - offsetof(struct connection, work));
    const struct http_options *options = &ours->http->options;

    ours->answer = options->work(options->arg, &ours->request, db);
    if (ours->answer.after && options->settle)
        options->settle(options->arg, ours->answer.after, 1);
    release(ours);
}

/* Suspended first, as in hold(). */
static void go_to_desk(const struct http *http, struct connection *ours)
{
    struct desk *desk = ours->answer.takes_long ? http->options.long_desk : http->options.desk;

    atomic_store(&ours->stage, ANSWER_WAITS);
    ours->request.argument = ours->argument;
    MHD_get_connection_values_n(ours->connection, MHD_GET_ARGUMENT_KIND, next_argument, ours);
    ours->answer = (struct http_answer){.once = false};
    ours->http = http;
    ours->work.perform = work;
    MHD_suspend_connection(ours->connection);
    if (!desk_add(desk, &ours->work))
        work(&ours->work, NULL);
}

static enum MHD_Result answer_now(const struct http *http, struct connection *ours)
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
static bool is_read_to_its_end(const struct http_options *options, struct connection *ours)
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
static enum MHD_Result take_body(struct connection *ours, const char *bytes, size_t *size)
{
    bool taken;

    ours->body_bytes += *size;
    taken = ours->body_bytes <= ours->body_wanted.most;
    if (taken && ours->body_wanted.kept)
        taken = buf_add(&ours->body, bytes, *size);
    *size = 0;
    return taken ? MHD_YES : MHD_NO;
}

static void begin_body(struct connection *ours)
{
    ours->body_bytes = 0;
    ours->body.cap = REQUEST_BODY_MAX;
    buf_reset(&ours->body);
}

/*
 * The library comes with the header complete, with each piece of a body, and when that is in. An answer to the first ends
 * the connection, which is right for a request that has a body we do not want and wrong for all others.
 */
static enum MHD_Result answer_request(void *arg, struct MHD_Connection *connection, const char *target,
                                      const char *method, const char *version, const char *body,
                                      size_t *body_size, void **context)
{
    struct http *http = arg;
    struct connection *ours = connection_of(connection);
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

static void request_completed(void *arg, struct MHD_Connection *connection, void **context,
                              enum MHD_RequestTerminationCode why)
{
    struct http *http = arg;
    struct connection *ours = connection_of(connection);

    (void)context;
    if (ours && why == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        deadline_next(http->deadlines, ours->deadline);
}

static void say_refused(struct http *http, const char *limit)
{
    log_throttled(&http->refused_throttle, LOG_WARNING, "connection closed at once: %s is reached", limit);
}

/* Without memory for it a connection ends at once. */
static struct connection *begin_connection(struct http *http, struct MHD_Connection *connection)
{
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct connection *ours = calloc(1, sizeof *ours);
    bool room = http->crowd == NULL || crowd_enter(http->crowd, http_peer(connection));

    if (ours) {
        ours->connection = connection;
        ours->deadline = deadline_begin(http->deadlines, fd);
    }
    if (!room) {
        atomic_fetch_add(&http->limited_address, 1);
        say_refused(http, "pixeld.connections_per_address");
    }
    if (ours == NULL || !room)
        shutdown(fd, SHUT_RDWR);
    return ours;
}

static void end_connection(struct http *http, struct MHD_Connection *connection, struct connection *ours)
{
    if (http->crowd)
        crowd_leave(http->crowd, http_peer(connection));
    if (ours)
        deadline_end(http->deadlines, ours->deadline);
    if (ours && atomic_load(&ours->stage) != ANSWER_NONE_YET && ours->answer.once)
        http_page_free(ours->answer.page);
    if (ours)
        buf_free(&ours->body);
    free(ours);
}

static void connection_changed(void *arg, struct MHD_Connection *connection, void **ours,
                               enum MHD_ConnectionNotificationCode what)
{
    struct http *http = arg;

    if (http_quiesce_summons(http_peer(connection))) {
        if (what == MHD_CONNECTION_NOTIFY_STARTED)
            http_quiesce_stand(http->quiesce);
        return;
    }
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *ours = begin_connection(arg, connection);
    else
        end_connection(arg, connection, *ours);
}

static enum MHD_Result accept_policy(void *arg, const struct sockaddr *address, socklen_t length)
{
    struct http *http = arg;

    (void)length;
    if (http_quiesce_summons(address))
        return MHD_YES;
    if (deadlines_count(http->deadlines) < http->options.connections)
        return MHD_YES;
    atomic_fetch_add(&http->limited, 1);
    say_refused(http, "pixeld.connections");
    return MHD_NO;
}

/* The library would decode the path by its own rules; ours is signed as it stands. */
static size_t leave_as_it_is(void *arg, struct MHD_Connection *connection, char *text)
{
    (void)arg, (void)connection;
    return strlen(text);
}

static void log_library(void *arg, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void log_library(void *arg, const char *format, va_list args)
{
    char line[256];
    struct http *http = arg;
    size_t length;

    /* Its words for EMFILE and ENFILE: clients wait then, and only the administrator can help. */
    if (strstr(format, "resource limit"))
        log_throttled(&http->exhausted_throttle, LOG_WARNING,
                      "connections wait: no file descriptors are left (LimitNOFILE in systemd, ulimit -n)");
    vsnprintf(line, sizeof line, format, args);
    length = strlen(line);
    if (length && line[length - 1] == '\n')
        line[length - 1] = '\0';
    log_debug("libmicrohttpd: %s", line);
}

static struct MHD_Daemon *start_daemon(struct http *http, const struct listener *listener)
{
    const struct http_options *options = &http->options;
    unsigned most =
        ((unsigned)options->connections + 1) * options->threads; /* it divides by threads; ours is asked first */
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, listener->fd, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)most, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)options->idle_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_as_it_is, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_changed, http},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_completed, http},
        {MHD_OPTION_END, 0, NULL}, /* for the threads, */
        {MHD_OPTION_END, 0, NULL}, /* and for TLS */
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    size_t count = sizeof items / sizeof *items - 4;

    if (options->threads > 1)
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)options->threads, NULL};
    if (listener->tls) {
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, tls_chooser()};
        items[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES};
    }
    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                                (listener->tls ? MHD_USE_TLS : 0U) | (http->held || options->desk ? MHD_ALLOW_SUSPEND_RESUME : 0U),
                            0, accept_policy, http, answer_request, http, MHD_OPTION_EXTERNAL_LOGGER,
                            log_library, http, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

/* The library ends the process when it is stopped while a connection is suspended. */
static void stop_daemons(struct http *http)
{
    held_stop(http->held);
    desk_stop(http->options.desk);
    desk_stop(http->options.long_desk);
    http_streams_end(http->streams);
    while (http->daemons)
        MHD_stop_daemon(http->daemon[--http->daemons]);
    held_free(http->held);
    http->held = NULL;
}

static void free_http(struct http *http)
{
    if (http == NULL)
        return;
    stop_daemons(http);
    deadlines_stop(http->deadlines);
    http_streams_free(http->streams);
    http_quiesce_free(http->quiesce);
    crowd_free(http->crowd);
    free(http);
}

static bool start_holding(struct http *http)
{
    const struct held_options options = {
        .settle = http->options.settle, .arg = http->options.arg, .release = release};

    if (http->options.settle == NULL)
        return true;
    http->held = held_start(&options);
    return http->held;
}

static void put_to_sleep(void *connection)
{
    MHD_suspend_connection(connection);
}

static void wake(void *connection)
{
    MHD_resume_connection(connection);
}

static struct http *new_http(const struct http_options *options)
{
    struct http *http = calloc(1, sizeof *http);

    if (http == NULL)
        return NULL;
    http->options = *options;
    http->proxy_header = slice_str(options->proxy_header);
    http->refused_throttle.every_seconds = WARNING_SECONDS;
    http->exhausted_throttle.every_seconds = WARNING_SECONDS;
    if (options->connections_per_address)
        http->crowd = crowd_new(options->connections_per_address, options->unlimited);
    if (http->crowd || options->connections_per_address == 0)
        http->deadlines =
            deadlines_start(options->header_timeout_ms, (int64_t)options->idle_timeout_s * 1000);
    http->streams = http_streams_new(put_to_sleep, wake);
    http->quiesce = http_quiesce_new();
    if (http->deadlines && http->streams && http->quiesce && start_holding(http))
        return http;
    free_http(http);
    return NULL;
}

struct http *http_start(const struct http_options *options, struct listeners *listeners, struct buf *error)
{
    struct http *http = new_http(options);

    if (http == NULL) {
        buf_add_f(error, "cannot start the HTTP engine: %s", strerrordesc_np(errno));
        return NULL;
    }
    for (size_t n = 0; n < listeners->count; n++) {
        http->daemon[n] = start_daemon(http, &listeners->item[n]);
        if (http->daemon[n] == NULL) {
            buf_add_f(error, "cannot start %u threads of the HTTP engine: %s", options->threads,
                      strerrordesc_np(errno));
            free_http(http);
            return NULL;
        }
        http->daemons++;
    }
    http->listeners = *listeners;
    return http;
}

bool http_stop(struct http *http, int64_t drain_ms, bool shared)
{
    bool finished;

    /* Closed only behind the threads, for one may be about to accept; until then clients are refused. */
    for (size_t n = 0; n < http->daemons; n++) {
        http_quiesce(http->quiesce, http->daemon[n], http->options.threads);
        if (!shared)
            shutdown(http->listeners.item[n].fd, SHUT_RDWR);
    }
    http_streams_end(http->streams);
    finished = deadlines_drain(http->deadlines, drain_ms);
    stop_daemons(http);
    listen_close(&http->listeners);
    free_http(http);
    return finished;
}

struct http_counts http_counts(struct http *http)
{
    return (struct http_counts){
        .open = deadlines_count(http->deadlines),
        .limited = atomic_load(&http->limited),
        .limited_address = atomic_load(&http->limited_address),
        .late = deadlines_missed(http->deadlines),
    };
}
