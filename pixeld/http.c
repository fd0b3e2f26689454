/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Life of a connection: accept_policy() may refuse it; connection_changed() gives it a deadline; for each
 * request answer_request() comes when the header is complete and request_completed() when the answer is
 * out; connection_changed() again before the socket is closed.
 */
#include "pixeld/http.h"

#include "common/log.h"
#include "pixeld/deadline.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * A link of ours has 5 KB at most, but a browser sends with it the cookies of the whole domain, 180 at most. The
 * library reads a header into half of this and needs the other half for a second copy of the cookies and a record
 * each. So 180 cookies of 140 bytes have room. Above 32 KB it answers 431; close below it may lack room for that
 * and close. What is not used is never touched, so it costs no memory.
 */
enum { CONNECTION_BYTES = 64 * 1024 };

struct http_page {
    struct MHD_Response *response;
    unsigned status;
};

struct http {
    struct http_options options;
    struct slice proxy_header;
    struct deadlines *deadlines;
    struct listeners listeners;
    struct MHD_Daemon *daemon[LISTEN_MAX];
    size_t daemons;
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

/* How the end of a request is told. */
struct framing {
    unsigned hosts;
    bool plain; /* no body, one Host at most, and no field that somebody else might read as one of these */
};

static enum MHD_Result look_at_framing(void *arg, enum MHD_ValueKind kind, const char *name,
                                       size_t name_size, const char *value, size_t value_size)
{
    struct framing *framing = arg;
    struct slice field = slice_of(name, name_size);

    (void)kind;
    /* RFC 9112 5.1: a space before the colon, as in "Content-Length : 5", is an attack. */
    if (name_size == 0 || ascii_is_space(name[name_size - 1]))
        framing->plain = false;
    else if (slice_is_i(field, MHD_HTTP_HEADER_HOST))
        framing->plain = framing->plain && ++framing->hosts == 1;
    else if (slice_is_i(field, MHD_HTTP_HEADER_TRANSFER_ENCODING))
        framing->plain = false;
    else if (slice_is_i(field, MHD_HTTP_HEADER_CONTENT_LENGTH))
        framing->plain = framing->plain && value && slice_is(slice_of(value, value_size), "0");
    return MHD_YES;
}

static bool is_plain(struct MHD_Connection *connection)
{
    struct framing framing = {.plain = true};

    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, look_at_framing, &framing);
    return framing.plain;
}

/* What is collected while the library goes through the header fields. */
struct reading {
    const struct http *http;
    struct request *request;
};

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

static struct deadline *deadline_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static enum MHD_Result answer_now(const struct http *http, struct MHD_Connection *connection,
                                  struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct reading reading = {.http = http, .request = request};
    enum MHD_Result queued = MHD_NO;
    struct http_answer answer;

    request->peer = info ? info->client_addr : NULL;
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, next_field, &reading);
    answer = http->options.answer(http->options.arg, request);
    if (answer.page)
        queued = MHD_queue_response(connection, answer.page->status, answer.page->response);
    if (answer.once)
        http_page_free(answer.page);
    return queued;
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
    struct request request = {.method = method_of(method), .target = slice_str(target)};
    bool first = *context == NULL;

    (void)version, (void)body, (void)body_size;
    *context = http;
    if (first) {
        deadline_met(deadline_of(connection));
        request.ambiguous = !is_plain(connection);
        if (!request.ambiguous && request.method != REQUEST_OTHER)
            return MHD_YES;
    }
    return answer_now(http, connection, &request);
}

static void request_completed(void *arg, struct MHD_Connection *connection, void **context,
                              enum MHD_RequestTerminationCode why)
{
    struct http *http = arg;

    (void)context;
    if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        deadline_next(http->deadlines, deadline_of(connection));
}

static void connection_changed(void *arg, struct MHD_Connection *connection, void **deadline,
                               enum MHD_ConnectionNotificationCode what)
{
    struct http *http = arg;

    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *deadline = deadline_begin(
            http->deadlines,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    else
        deadline_end(http->deadlines, *deadline);
}

static enum MHD_Result accept_policy(void *arg, const struct sockaddr *address, socklen_t length)
{
    const struct http *http = arg;

    (void)address, (void)length;
    return deadlines_count(http->deadlines) < http->options.connections ? MHD_YES : MHD_NO;
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
    size_t length;

    (void)arg;
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
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)options->connections_per_address, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)options->idle_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_as_it_is, NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)connection_changed, http},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)request_completed, http},
        {options->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)options->threads,
         NULL},
        {MHD_OPTION_END, 0, NULL},
    };

    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0,
                            accept_policy, http, answer_request, http, MHD_OPTION_EXTERNAL_LOGGER,
                            log_library, NULL, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
}

static void stop_daemons(struct http *http)
{
    while (http->daemons)
        MHD_stop_daemon(http->daemon[--http->daemons]);
}

struct http *http_start(const struct http_options *options, struct listeners *listeners, struct buf *error)
{
    struct http *http = calloc(1, sizeof *http);

    if (http)
        http->deadlines =
            deadlines_start(options->header_timeout_ms, (int64_t)options->idle_timeout_s * 1000);
    if (http == NULL || http->deadlines == NULL) {
        buf_add_f(error, "cannot start the HTTP engine: %s", strerrordesc_np(errno));
        free(http);
        return NULL;
    }
    http->options = *options;
    http->proxy_header = slice_str(options->proxy_header);
    for (size_t n = 0; n < listeners->count; n++) {
        http->daemon[n] = start_daemon(http, listeners->fd[n]);
        if (http->daemon[n] == NULL) {
            buf_add_f(error, "cannot start %u threads of the HTTP engine: %s", options->threads,
                      strerrordesc_np(errno));
            stop_daemons(http);
            deadlines_stop(http->deadlines);
            free(http);
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
    deadlines_stop(http->deadlines);
    free(http);
    return finished;
}
