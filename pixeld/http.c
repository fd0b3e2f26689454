/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http - see http.h
 *
 * Life of a connection: accept_policy() may refuse it; connection_changed() gives it a deadline, and comes again before the
 * socket is closed. What is between, a request and its answer after the other, is in http_connection.c.
 */
#include "pixeld/http_private.h"

#include "pixeld/crowd.h"
#include "pixeld/deadline.h"
#include "pixeld/held.h"
#include "pixeld/http_fields.h"
#include "pixeld/http_quiesce.h"
#include "pixeld/http_stream.h"
#include "pixeld/tls.h"

#include <errno.h>
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

static void say_refused(struct http *http, const char *limit)
{
    log_throttled(&http->refused_throttle, LOG_WARNING, "connection closed at once: %s is reached", limit);
}

static bool is_proxy(const struct http_options *options, const struct sockaddr *peer)
{
    uint8_t address[16];

    return options->proxies && network_address_of(peer, address) && network_list_has_address(options->proxies, address);
}

/* Without memory for it a connection ends at once. */
static struct http_connection *begin_connection(struct http *http, struct MHD_Connection *connection)
{
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    const struct sockaddr *peer = http_peer(connection);
    bool room = http->crowd == NULL || crowd_enter(http->crowd, peer);
    struct http_connection *ours = http_connection_begin(http, connection, is_proxy(&http->options, peer));

    if (!room) {
        atomic_fetch_add(&http->limited_address, 1);
        say_refused(http, "pixeld.connections_per_address");
    }
    if (ours == NULL || !room)
        shutdown(fd, SHUT_RDWR);
    return ours;
}

static void end_connection(struct http *http, struct MHD_Connection *connection, struct http_connection *ours)
{
    if (http->crowd)
        crowd_leave(http->crowd, http_peer(connection));
    http_connection_end(http, ours);
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
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)http_connection_completed, http},
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
                            0, accept_policy, http, http_connection_request, http, MHD_OPTION_EXTERNAL_LOGGER,
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
        .settle = http->options.settle, .arg = http->options.arg, .release = http_connection_release};

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
        http->crowd = crowd_new(options->connections_per_address, options->proxies);
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
