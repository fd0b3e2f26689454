/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spoor-pixeld - answers for the picture and the links in tracked mails.
 *
 * main() opens in order what the site needs and closes it in reverse. Threads: those of the HTTP engine
 * (http.c), one for late connections (deadline.c), the spool's and the loader's. None of the first waits
 * for the database.
 */
#include "common/daemon.h"
#include "common/log.h"
#include "common/network.h"
#include "common/recorder.h"
#include "common/reload.h"
#include "pixeld/route.h"
#include "pixeld/site.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 1024, LOADER_DRAIN_MS = 2000 };

static const char program[] = "spoor-pixeld";

struct pixeld {
    struct conf *conf;
    struct network_list trusted_proxies;
    struct listeners listeners;
    struct recorder recorder;
    struct site site;
    struct http *http;
};

/* WHY is what a library says; empty when memory was lacking. */
static bool failed(const struct buf *why)
{
    log_err("%s", why->len ? buf_text(why) : "out of memory");
    return false;
}

static unsigned thread_count(int64_t wanted)
{
    cpu_set_t cores;

    if (wanted > 0)
        return (unsigned)wanted;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 ? (unsigned)CPU_COUNT(&cores) : 1;
}

static bool open_proxies(struct pixeld *pixeld, struct buf *error)
{
    const struct conf *conf = pixeld->conf;

    pixeld->site.hits.anonymize_ip = conf->pixeld.anonymize_ip;
    pixeld->site.hits.proxy_header = slice_is_i(slice_str(conf->pixeld.proxy_header), "forwarded")
                                         ? CLIENT_FORWARDED
                                         : CLIENT_X_FORWARDED_FOR;
    if (conf->pixeld.trusted_proxies.count == 0)
        return true;
    pixeld->site.hits.trusted_proxies = &pixeld->trusted_proxies;
    if (network_list_parse(&pixeld->trusted_proxies, conf->pixeld.trusted_proxies.item,
                           conf->pixeld.trusted_proxies.count))
        return true;
    buf_add_str(error, "cannot use pixeld.trusted_proxies: not a list of networks such as \"10.0.0.0/8\"");
    return failed(error);
}

static bool open_keys(struct pixeld *pixeld, struct buf *error)
{
    pixeld->site.prefix = route_url_path(slice_str(pixeld->conf->tracking_url));
    pixeld->site.keys = keys_load(pixeld->conf->key_file, error);
    return pixeld->site.keys || failed(error);
}

static bool open_sockets(struct pixeld *pixeld, struct buf *error)
{
    return listen_open(&pixeld->conf->pixeld.listen, &pixeld->listeners, error) || failed(error);
}

static bool drop_privileges(struct pixeld *pixeld, struct buf *error)
{
    (void)error;
    return daemon_drop_privileges(pixeld->conf);
}

static bool open_spool(struct pixeld *pixeld, struct buf *error)
{
    const struct conf *conf = pixeld->conf;

    if (recorder_open(&pixeld->recorder, conf, "pixeld", conf->spool_sync_ms, error))
        pixeld->site.journal = journal_new(&pixeld->recorder, conf->spool_sync_ms == 0);
    return pixeld->site.journal || failed(error);
}

static bool start_loader(struct pixeld *pixeld, struct buf *error)
{
    bool started = recorder_start(&pixeld->recorder, pixeld->conf, program, NULL, NULL, error);

    pixeld->site.loader = pixeld->recorder.loader;
    return started || failed(error);
}

static bool start_http(struct pixeld *pixeld, struct buf *error)
{
    const struct conf *conf = pixeld->conf;
    bool proxied = pixeld->site.hits.trusted_proxies != NULL;
    struct http_options options = {
        .threads = thread_count(conf->pixeld.threads),
        .connections = (size_t)conf->pixeld.connections,
        /* Behind a proxy all connections come from one address. */
        .connections_per_address = (unsigned)conf->pixeld.connections_per_address,
        .unlimited = pixeld->site.hits.trusted_proxies,
        .header_timeout_ms = conf->pixeld.header_timeout_ms,
        .idle_timeout_s = (unsigned)conf->pixeld.idle_timeout_s,
        .proxy_header = proxied ? conf->pixeld.proxy_header : "",
        .answer = site_answer,
        .settle = conf->spool_sync_ms == 0 ? site_settle : NULL,
        .arg = &pixeld->site,
    };

    if (!pages_init(&pixeld->site.pages))
        return failed(error);
    pixeld->http = http_start(&options, &pixeld->listeners, error);
    if (pixeld->http == NULL)
        return failed(error);
    log_notice("answering on %zu addresses with %u threads each", pixeld->listeners.count, options.threads);
    return true;
}

static bool start(struct pixeld *pixeld)
{
    static bool (*const steps[])(struct pixeld *, struct buf *) = {
        open_proxies, open_keys, open_sockets, drop_privileges, open_spool, start_loader, start_http,
    };
    bool ok = true;
    struct buf error;

    buf_init(&error, TEXT_MAX);
    for (size_t n = 0; ok && n < sizeof steps / sizeof *steps; n++)
        ok = steps[n](pixeld, &error);
    buf_free(&error);
    return ok;
}

static void serve(struct pixeld *pixeld)
{
    while (daemon_wait_signal() == DAEMON_RELOAD)
        reload_keys(pixeld->site.keys);
    log_notice("stopping");
    if (!http_stop(pixeld->http, pixeld->conf->pixeld.drain_timeout_ms))
        log_warn("some connections had not ended after %lld ms and were closed",
                 (long long)pixeld->conf->pixeld.drain_timeout_ms);
}

static void stop(struct pixeld *pixeld)
{
    recorder_close(&pixeld->recorder, LOADER_DRAIN_MS);
    pages_release(&pixeld->site.pages);
    journal_free(pixeld->site.journal);
    keys_free(pixeld->site.keys);
    network_list_free(&pixeld->trusted_proxies);
    conf_free(pixeld->conf);
}

int main(int argc, char **argv)
{
    struct daemon_options options = daemon_options(program, argc, argv);
    struct pixeld pixeld = {.conf = daemon_configure(&options, CONF_PIXELD)};

    daemon_start(&options);
    if (!start(&pixeld))
        daemon_fail();
    daemon_ready(pixeld.conf, &options);
    serve(&pixeld);
    stop(&pixeld);
    daemon_end();
    return 0;
}
