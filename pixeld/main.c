/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spoor-pixeld - answers for the picture and the links in tracked mails.
 *
 * main() opens in order what the site needs and closes it in reverse. Threads: those of the HTTP engine
 * (http.c), one for late connections (deadline.c), the spool's, the loader's, the clerk's and the desks'. None of the
 * first waits for the database.
 */
#include "common/clock.h"
#include "common/daemon.h"
#include "common/forgotten_list.h"
#include "common/log.h"
#include "common/network.h"
#include "common/recorder.h"
#include "common/reload.h"
#include "common/store.h"
#include "pixeld/admin.h"
#include "pixeld/certificate.h"
#include "pixeld/clerk.h"
#include "pixeld/dispatch.h"
#include "pixeld/examine.h"
#include "pixeld/handover.h"
#include "pixeld/route.h"
#include "pixeld/site.h"
#include "pixeld/tls.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* TAKEOVER_MS: what a predecessor needs to end, beyond the time for its connections. */
enum { TEXT_MAX = 1024, LOADER_DRAIN_MS = 2000, ADMIN_CONNECTIONS = 64, TAKEOVER_MS = 30 * 1000 };

/* A page takes the database some milliseconds; who would wait for more than a second is told to come again. */
enum { DESK_THREADS = 4, DESK_PLACES = 512, FEED_STREAMS = 2048, FEED_STREAMS_OF_ONE = 16 };
/* A file takes it a second, and who downloads one waits for that. */
enum { LONG_DESK_THREADS = 2, LONG_DESK_PLACES = 128 };

/* What stands in URLs: it can make no Message-ID and no return path. */
enum {
    KEY_LABELS = 1 << TOKEN_VIEW | 1 << TOKEN_CLICK | 1 << TOKEN_DOCUMENT | 1 << TOKEN_UNSUBSCRIBE | 1 << TOKEN_CONSENT |
                 1 << KEYS_LABEL_VIEW_ID
};

static const char program[] = "spoor-pixeld";
static const char spool_name[] = "pixeld";

struct pixeld {
    struct conf *conf;
    const struct daemon_options *options;
    struct handover handover;
    pid_t successor; /* 0: none was started */
    struct network_list trusted_proxies;
    struct listeners doors;
    struct listeners admin_doors;
    struct recorder recorder;
    struct site site;
    struct clerk *clerk[SHARDS];
    struct desk *desk;
    struct desk *long_desk;
    char *prefix; /* the path of tracking_url */
    struct http *http;
    struct admin admin;
    struct http *admin_http; /* NULL: none */
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

/* The lines of TEXT, each a warning. */
static void warn_lines(const struct buf *text)
{
    for (const char *line = buf_text(text), *end; (end = strchr(line, '\n')); line = end + 1)
        log_warn("%.*s", (int)(end - line), line);
}

static bool warn_of_doubts(struct pixeld *pixeld, struct buf *error)
{
    struct buf warning;

    (void)error;
    buf_init(&warning, TEXT_MAX);
    examine_warn(pixeld->conf, &warning);
    warn_lines(&warning);
    buf_free(&warning);
    return true;
}

/* What the configuration alone says. */
static bool describe_site(struct pixeld *pixeld, struct buf *error)
{
    const struct conf *conf = pixeld->conf;
    struct hit_settings *hits = &pixeld->site.hits;

    (void)error;
    hits->anonymize_ip = conf->pixeld.anonymize_ip;
    hits->honour_gpc = conf->pixeld.honour_gpc;
    hits->secure_cookies = slice_starts_i(slice_str(conf->tracking_url), slice_str("https:"));
    hits->proxy_header = slice_is_i(slice_str(conf->pixeld.proxy_header), "forwarded") ? CLIENT_FORWARDED : CLIENT_X_FORWARDED_FOR;
    pixeld->site.unsubscribe_everywhere = conf->unsubscribe_scope == UNSUBSCRIBE_ALL;
    pixeld->site.prefix = route_url_path(slice_str(conf->tracking_url));
    return true;
}

static bool open_proxies(struct pixeld *pixeld, struct buf *error)
{
    const struct conf *conf = pixeld->conf;

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
    pixeld->site.keys = keys_load_for(pixeld->conf->key_file, KEY_LABELS, error);
    return pixeld->site.keys || failed(error);
}

static bool open_sockets(struct pixeld *pixeld, struct buf *error)
{
    const struct conf *conf = pixeld->conf;
    struct listen_inherited *inherited = &pixeld->handover.inherited;
    size_t unnamed;

    if (!listen_add(&pixeld->doors, &conf->pixeld.listen, false, inherited, error) ||
        !listen_add(&pixeld->doors, &conf->pixeld.listen_tls, true, inherited, error) ||
        !listen_add(&pixeld->admin_doors, &conf->pixeld.admin_listen, false, inherited, error))
        return failed(error);
    unnamed = listen_close_unnamed(inherited);
    if (unnamed)
        log_warn("%zu sockets were handed over that no option names; closed", unnamed);
    return true;
}

static bool drop_privileges(struct pixeld *pixeld, struct buf *error)
{
    (void)error;
    return daemon_drop_privileges(pixeld->conf);
}

static bool open_certificate(struct pixeld *pixeld, struct buf *error)
{
    return certificate_open(pixeld->conf, error) || failed(error);
}

/* All that can fail without the spool has not: a predecessor may end, and it alone keeps us from going on. */
static bool take_over(struct pixeld *pixeld, struct buf *error)
{
    char *directory;
    bool taken;

    if (pixeld->handover.predecessor == 0)
        return true;
    directory = recorder_directory(pixeld->conf, spool_name);
    taken = directory && handover_take_over(&pixeld->handover, directory, pixeld->conf->pixeld.drain_timeout_ms + TAKEOVER_MS, error);
    free(directory);
    return taken || failed(error);
}

static bool open_spool(struct pixeld *pixeld, struct buf *error)
{
    const struct conf *conf = pixeld->conf;

    if (recorder_open(&pixeld->recorder, conf, spool_name, conf->spool_sync_ms, error))
        pixeld->site.journal = journal_new(&pixeld->recorder, conf->spool_sync_ms == 0);
    return pixeld->site.journal || failed(error);
}

static bool start_loader(struct pixeld *pixeld, struct buf *error)
{
    const struct recorder_program ours = {.name = program, .keys = pixeld->site.keys};
    bool started = recorder_start(&pixeld->recorder, pixeld->conf, &ours, error);

    pixeld->site.recorder = &pixeld->recorder;
    return started || failed(error);
}

/* One for each server: rules come from the first, and each judges what it has. */
static bool start_clerks(struct pixeld *pixeld, struct buf *error)
{
    struct clerk_options options = {
        .program = program,
        .directory = pixeld->recorder.lane[0].directory,
        .keys = pixeld->site.keys,
    };

    options.book = pixeld->site.rulebook = rulebook_new(clerk_first_rules(options.directory));
    if (!options.book)
        return failed(error);
    for (options.shard = 0; options.shard < SHARDS; options.shard++) {
        options.conninfo = shard_database(pixeld->conf, options.shard);
        if (options.conninfo && !(pixeld->clerk[options.shard] = clerk_start(&options, error)))
            return failed(error);
    }
    return true;
}

static void stop_clerks(struct pixeld *pixeld)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        clerk_stop(pixeld->clerk[shard]);
}

static bool open_viewer(struct pixeld *pixeld, struct buf *error)
{
    const struct conf *conf = pixeld->conf;

    pixeld->site.cache = cache_new(conf->memcached, (int)conf->memcached_timeout_ms, pixeld->site.keys, error);
    pixeld->site.beacon_rate = beacon_rate_new();
    if (pixeld->site.cache)
        forgotten_list_tell(cache_begin_epoch, pixeld->site.cache);
    return (pixeld->site.cache && pixeld->site.beacon_rate && assets_init(&pixeld->site.assets)) || failed(error);
}

static struct desk *start_one_desk(const struct pixeld *pixeld, unsigned threads, size_t places)
{
    const struct desk_options options = {
        .conf = pixeld->conf,
        .program = program,
        .connect = store_connect,
        .threads = threads,
        .places = places,
    };

    return desk_start(&options);
}

static bool start_desks(struct pixeld *pixeld, struct buf *error)
{
    pixeld->desk = start_one_desk(pixeld, DESK_THREADS, DESK_PLACES);
    if (pixeld->desk)
        pixeld->long_desk = start_one_desk(pixeld, LONG_DESK_THREADS, LONG_DESK_PLACES);
    if (!pixeld->long_desk)
        buf_add_f(error, "cannot start the threads that ask the database: %s", strerrordesc_np(errno));
    return pixeld->long_desk || failed(error);
}

/* "https://t.example.com" of "https://t.example.com/t". */
static struct slice origin_of(struct slice url)
{
    return slice_of(url.p, url.len - route_url_path(url).len);
}

static bool open_places(struct pixeld *pixeld, struct buf *error)
{
    const char *path = pixeld->conf->pixeld.place_database;

    if (!*path)
        return true;
    pixeld->site.feed.places = places_open(path, error);
    return pixeld->site.feed.places || failed(error);
}

static bool start_feed(struct pixeld *pixeld, struct buf *error)
{
    const struct conf *conf = pixeld->conf;
    struct feed *feed = &pixeld->site.feed;
    struct herald_options options = {
        .conf = conf, .program = program, .places = feed->places, .streams = FEED_STREAMS,
        .of_one = FEED_STREAMS_OF_ONE};

    options.prefix = pixeld->prefix = strndup(pixeld->site.prefix.p ? pixeld->site.prefix.p : "", pixeld->site.prefix.len);
    feed->pools = desk_pools(pixeld->desk);
    feed->origin = origin_of(slice_str(conf->tracking_url));
    feed->secure = pixeld->site.hits.secure_cookies;
    feed->local_domains = &conf->local_domains;
    if (!options.prefix)
        return failed(error);
    if (*conf->pixeld.sign_in_server && !(feed->courier = courier_start(conf->pixeld.sign_in_server, error)))
        return failed(error);
    feed->herald = herald_start(&options, error);
    return feed->herald || failed(error);
}

static void stop_feed(struct pixeld *pixeld)
{
    herald_free(pixeld->site.feed.herald);
    courier_stop(pixeld->site.feed.courier);
    places_close(pixeld->site.feed.places);
    free(pixeld->prefix);
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
        .proxies = pixeld->site.hits.trusted_proxies,
        .header_timeout_ms = conf->pixeld.header_timeout_ms,
        .idle_timeout_s = (unsigned)conf->pixeld.idle_timeout_s,
        .proxy_header = proxied ? conf->pixeld.proxy_header : "",
        .answer = dispatch_answer,
        .wants_body = dispatch_wants_body,
        .work = dispatch_work,
        .desk = pixeld->desk,
        .long_desk = pixeld->long_desk,
        .settle = conf->spool_sync_ms == 0 ? site_settle : NULL,
        .arg = &pixeld->site,
    };

    if (!pages_init(&pixeld->site.pages))
        return failed(error);
    pixeld->http = http_start(&options, &pixeld->doors, error);
    if (pixeld->http == NULL)
        return failed(error);
    log_notice("answering on %zu addresses with %u threads each", pixeld->doors.count, options.threads);
    return true;
}

/* After the public doors: what it tells is there now. */
static bool start_admin(struct pixeld *pixeld, struct buf *error)
{
    const struct conf *conf = pixeld->conf;
    struct http_options options = {
        .threads = 1,
        .connections = ADMIN_CONNECTIONS,
        .header_timeout_ms = conf->pixeld.header_timeout_ms,
        .idle_timeout_s = (unsigned)conf->pixeld.idle_timeout_s,
        .proxy_header = "",
        .answer = admin_answer,
        .arg = &pixeld->admin,
    };

    if (pixeld->admin_doors.count == 0)
        return true;
    pixeld->admin.site = &pixeld->site;
    pixeld->admin.sources = (struct metrics_sources){
        .http = pixeld->http,
        .journal = pixeld->site.journal,
        .recorder = &pixeld->recorder,
        .spool_max_bytes = conf->spool_max_bytes,
        .spool_start = metrics_appended(&pixeld->recorder),
        .start_us = clock_wall_us(),
    };
    pixeld->admin_http = http_start(&options, &pixeld->admin_doors, error);
    return pixeld->admin_http || failed(error);
}

static bool start(struct pixeld *pixeld)
{
    static bool (*const steps[])(struct pixeld *, struct buf *) = {
        warn_of_doubts, describe_site, open_proxies, open_keys,    open_sockets, drop_privileges, open_certificate,
        take_over,      open_spool,    start_loader, start_clerks, open_viewer,  start_desks,
        open_places,    start_feed,    start_http,   start_admin,
    };
    bool ok = true;
    struct buf error;

    buf_init(&error, TEXT_MAX);
    for (size_t n = 0; ok && n < sizeof steps / sizeof *steps; n++)
        ok = steps[n](pixeld, &error);
    buf_free(&error);
    return ok;
}

static void start_successor(struct pixeld *pixeld)
{
    struct buf error;

    if (handover_is_alive(pixeld->successor)) {
        log_warn("process %ld is about to take over already", (long)pixeld->successor);
        return;
    }
    buf_init(&error, TEXT_MAX);
    pixeld->successor = handover_start(pixeld->options, &pixeld->doors, &pixeld->admin_doors, &error);
    if (pixeld->successor < 0)
        log_err("cannot hand over: %s", buf_text(&error));
    else
        log_notice("process %ld shall take over", (long)pixeld->successor);
    buf_free(&error);
}

/* False when it is time to stop. */
static bool await_stop(struct pixeld *pixeld)
{
    switch (daemon_wait_signal()) {
    case DAEMON_RELOAD:
        reload_keys(pixeld->site.keys);
        certificate_reload(pixeld->conf);
        return true;
    case DAEMON_UPGRADE:
        start_successor(pixeld);
        return true;
    case DAEMON_STOP:
        break;
    }
    return false;
}

static void serve(struct pixeld *pixeld)
{
    bool handed_over;

    while (await_stop(pixeld))
        ;
    log_notice("stopping");
    handed_over = handover_is_alive(pixeld->successor);
    if (handed_over)
        daemon_leave_pid_file();
    if (pixeld->admin_http)
        http_stop(pixeld->admin_http, 0, true);
    herald_stop(pixeld->site.feed.herald);
    if (!http_stop(pixeld->http, pixeld->conf->pixeld.drain_timeout_ms, handed_over || pixeld->doors.shared))
        log_warn("some connections had not ended after %lld ms and were closed",
                 (long long)pixeld->conf->pixeld.drain_timeout_ms);
}

static void stop(struct pixeld *pixeld)
{
    stop_clerks(pixeld);
    desk_free(pixeld->desk);
    desk_free(pixeld->long_desk);
    stop_feed(pixeld);
    assets_release(&pixeld->site.assets);
    beacon_rate_free(pixeld->site.beacon_rate);
    recorder_close(&pixeld->recorder, LOADER_DRAIN_MS);
    cache_free(pixeld->site.cache); /* its loaders tell it of epochs */
    latest_free(pixeld->site.rulebook);
    pages_release(&pixeld->site.pages);
    tls_release();
    journal_free(pixeld->site.journal);
    keys_free(pixeld->site.keys);
    network_list_free(&pixeld->trusted_proxies);
    conf_free(pixeld->conf);
}

int main(int argc, char **argv)
{
    struct daemon_options options = daemon_options(program, argc, argv);
    struct pixeld pixeld = {.options = &options, .handover = handover_take()};

    options.upgrades = true;
    options.examine = examine_configuration;
    pixeld.conf = daemon_configure(&options, CONF_PIXELD);
    daemon_start(&options);
    if (!start(&pixeld))
        daemon_fail();
    daemon_ready(pixeld.conf, &options);
    serve(&pixeld);
    stop(&pixeld);
    daemon_end();
    return 0;
}
