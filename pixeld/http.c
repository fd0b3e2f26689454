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

struct http_page {
    struct MHD_Response *response;
    unsigned status;
};

struct http {
    struct http_options options;
    struct slice proxy_header;
    struct deadlines *deadlines;
    struct crowd *crowd; /* NULL: a client may have all connections */
    struct held *held;   /* NULL: no answer waits */
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
    struct MHD_Connection *connection;
    struct http_answer answer;
    atomic_int stage; /* of ANSWER, an enum stage: set on the thread that settles, too */
    struct held_answer held;
};

struct http_page *http_page_new(unsigned status, const struct http_header *headers, size_t count,
                                struct slice body)
{
    struct http_page *page = malloc(sizeof *page);
    bool ok;

    if (page == NULL)
        return NULL;
    page->status = status;
    page->response =
        MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
    ok = page->response != NULL;
    for (size_t n = 0; ok && n < count; n++)
        ok = MHD_add_response_header(page->response, headers[n].name, headers[n].value) == MHD_YES;
    if (ok)
        return page;
    http_page_free(page);
    return NULL;
}

void http_page_free(struct http_page *page)
{
    if (page && page->response)
        MHD_destroy_response(page->response);
    free(page);
}

/* What is collected while the library goes through the header fields. */
struct reading {
    const struct http *http;
    struct request *request;
    unsigned hosts;
};

/*
 * Can somebody else find the end of this request elsewhere than we do? It has no body, one Host at most, and no field
 * that might be read as one of these.
 */
static bool blurs_the_end(struct reading *reading, struct slice name, struct slice value)
{
    /* RFC 9112 5.1: a space before the colon, as in "Content-Length : 5", is an attack. */
    if (name.len == 0 || ascii_is_space(name.p[name.len - 1]))
        return true;
    if (slice_is_i(name, MHD_HTTP_HEADER_HOST))
        return ++reading->hosts > 1;
    if (slice_is_i(name, MHD_HTTP_HEADER_CONTENT_LENGTH))
        return !slice_is(value, "0");
    return slice_is_i(name, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

#define FIELD_NAME(text) {text, sizeof(text) - 1}

static const struct {
    struct slice name;
    enum request_field field;
} wanted[] = {
    {FIELD_NAME("User-Agent"), REQUEST_USER_AGENT},
    {FIELD_NAME("Referer"), REQUEST_REFERER},
    {FIELD_NAME("Accept-Language"), REQUEST_ACCEPT_LANGUAGE},
    {FIELD_NAME("Purpose"), REQUEST_PURPOSE},
    {FIELD_NAME("Sec-Purpose"), REQUEST_SEC_PURPOSE},
    {FIELD_NAME("X-Purpose"), REQUEST_X_PURPOSE},
    {FIELD_NAME("X-Moz"), REQUEST_X_MOZ},
    {FIELD_NAME("Sec-Fetch-Mode"), REQUEST_SEC_FETCH_MODE},
    {FIELD_NAME("Sec-Fetch-User"), REQUEST_SEC_FETCH_USER},
};

static void keep_forwarded(struct request *request, struct slice line)
{
    if (request->forwarded_lines == REQUEST_FORWARDED_MAX) {
        memmove(request->forwarded, request->forwarded + 1,
                sizeof request->forwarded - sizeof *request->forwarded);
        request->forwarded_lines--;
    }
    request->forwarded[request->forwarded_lines++] = line;
}

static void read_field(struct reading *reading, struct slice name, struct slice value)
{
    struct request *request = reading->request;

    if (blurs_the_end(reading, name, value))
        request->unframed = true;
    if (reading->http->proxy_header.len && slice_eq_i(name, reading->http->proxy_header))
        keep_forwarded(request, value);
    for (size_t n = 0; n < sizeof wanted / sizeof *wanted; n++)
        if (slice_eq_i(name, wanted[n].name)) {
            request->field[wanted[n].field] = value;
            return;
        }
}

static enum MHD_Result next_field(void *arg, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                  const char *value, size_t value_size)
{
    (void)kind;
    read_field(arg, slice_of(name, name_size), slice_of(value, value ? value_size : 0));
    return MHD_YES;
}

static enum request_method method_of(const char *method)
{
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0)
        return REQUEST_GET;
    return strcmp(method, MHD_HTTP_METHOD_HEAD) == 0 ? REQUEST_HEAD : REQUEST_OTHER;
}

static struct connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static const struct sockaddr *address_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return info ? info->client_addr : NULL;
}

static void read_request(const struct http *http, struct MHD_Connection *connection, const char *target,
                         const char *method, struct request *request)
{
    struct reading reading = {.http = http, .request = request};

    *request = (struct request){
        .method = method_of(method), .target = slice_str(target), .peer = address_of(connection)};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, next_field, &reading);
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

static enum MHD_Result send_answer(struct connection *ours)
{
    const struct http_answer *answer = &ours->answer;
    enum MHD_Result queued = MHD_NO;

    if (answer->page)
        queued = MHD_queue_response(ours->connection, answer->page->status, answer->page->response);
    if (answer->once)
        http_page_free(answer->page);
    return queued;
}

static enum MHD_Result answer_now(const struct http *http, struct connection *ours)
{
    if (atomic_load(&ours->stage) == ANSWER_NONE_YET) {
        ours->answer = http->options.answer(http->options.arg, &ours->request);
        if (ours->answer.after == 0 || http->held == NULL)
            return send_answer(ours);
        hold(http, ours);
        return MHD_YES;
    }
    if (atomic_load(&ours->stage) == ANSWER_WAITS)
        return MHD_YES;
    atomic_store(&ours->stage, ANSWER_NONE_YET);
    return send_answer(ours);
}

/*
 * The library comes twice: with the header complete, and when the body is in. An answer to the first ends
 * the connection, which is right for a request that has a body and wrong for all others.
 */
static enum MHD_Result answer_request(void *arg, struct MHD_Connection *connection, const char *target,
                                      const char *method, const char *version, const char *body,
                                      size_t *body_size, void **context)
{
    struct http *http = arg;
    struct connection *ours = connection_of(connection);
    bool first = *context == NULL;

    (void)version, (void)body, (void)body_size;
    if (ours == NULL)
        return MHD_NO;
    *context = ours;
    if (first) {
        deadline_met(ours->deadline);
        read_request(http, connection, target, method, &ours->request);
        if (!ours->request.unframed && ours->request.method != REQUEST_OTHER)
            return MHD_YES;
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
    bool room = http->crowd == NULL || crowd_enter(http->crowd, address_of(connection));

    if (ours) {
        ours->connection = connection;
        ours->deadline = deadline_begin(http->deadlines, fd);
    }
    if (!room)
        say_refused(http, "pixeld.connections_per_address");
    if (ours == NULL || !room)
        shutdown(fd, SHUT_RDWR);
    return ours;
}

static void end_connection(struct http *http, struct MHD_Connection *connection, struct connection *ours)
{
    if (http->crowd)
        crowd_leave(http->crowd, address_of(connection));
    if (ours)
        deadline_end(http->deadlines, ours->deadline);
    if (ours && atomic_load(&ours->stage) != ANSWER_NONE_YET && ours->answer.once)
        http_page_free(ours->answer.page);
    free(ours);
}

static void connection_changed(void *arg, struct MHD_Connection *connection, void **ours,
                               enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *ours = begin_connection(arg, connection);
    else
        end_connection(arg, connection, *ours);
}

static enum MHD_Result accept_policy(void *arg, const struct sockaddr *address, socklen_t length)
{
    struct http *http = arg;

    (void)address, (void)length;
    if (deadlines_count(http->deadlines) < http->options.connections)
        return MHD_YES;
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

static struct MHD_Daemon *start_daemon(struct http *http, int fd)
{
    const struct http_options *options = &http->options;
    unsigned most =
        (unsigned)options->connections * options->threads; /* it divides by threads; ours is asked first */
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)most, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)options->idle_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_as_it_is, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_changed, http},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_completed, http},
        {options->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)options->threads,
         NULL},
        {MHD_OPTION_END, 0, NULL},
    };

    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                                (http->held ? MHD_ALLOW_SUSPEND_RESUME : 0U),
                            0, accept_policy, http, answer_request, http, MHD_OPTION_EXTERNAL_LOGGER,
                            log_library, http, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

/* The library ends the process when it is stopped while a connection is suspended. */
static void stop_daemons(struct http *http)
{
    held_stop(http->held);
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
    if (http->deadlines && start_holding(http))
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
        http->daemon[n] = start_daemon(http, listeners->fd[n]);
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

bool http_stop(struct http *http, int64_t drain_ms)
{
    bool finished;

    /* Closed only behind the threads, for one may be about to accept; until then clients are refused. */
    for (size_t n = 0; n < http->daemons; n++) {
        MHD_quiesce_daemon(http->daemon[n]);
        shutdown(http->listeners.fd[n], SHUT_RDWR);
    }
    finished = deadlines_drain(http->deadlines, drain_ms);
    stop_daemons(http);
    listen_close(&http->listeners);
    free_http(http);
    return finished;
}
