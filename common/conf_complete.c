/* SPDX-License-Identifier: BSD-2-Clause */
/* conf_complete - whether a configuration has what a program needs, and its options fit each other */

#include "common/conf_private.h"

#include "common/conninfo.h"

#include <string.h>

/* Answers must come back to a server that has spoor-match, and SPF speaks for nobody else's domain. */
static bool is_return_path_ours(const struct conf *conf, struct buf *error)
{
    const char *at = strrchr(conf->stamp.bounce_address, '@');

    if (!at || conf_list_has_domain(&conf->local_domains, slice_str(at + 1)))
        return true;
    buf_add_f(error, "%s: stamp.bounce_address: %s is not in local_domains", conf->path, at + 1);
    return false;
}

/* Copies without a second pass would leave untracked, with a header that is nobody else's business. */
static bool has_place_for_copies(const struct conf *conf, struct buf *error)
{
    if (conf->stamp.copies && !*conf->stamp.listen_copies)
        buf_add_f(error, "%s: stamp.copies needs stamp.listen_copies, where the second smtpd finds spoor-stamp", conf->path);
    else if (strcmp(conf->stamp.milter.listen, conf->stamp.listen_copies) == 0)
        buf_add_f(error, "%s: stamp.listen and stamp.listen_copies are one socket: the passes would not be told apart",
                  conf->path);
    else
        return true;
    return false;
}

/* spoor-pixeld needs a place to listen on, and for TLS what it shows there. */
static bool has_doors(const struct conf *conf, struct buf *error)
{
    bool tls = conf->pixeld.listen_tls.count > 0;
    const char *missing = NULL;

    if (!tls && conf->pixeld.listen.count == 0)
        missing = "listen is missing: where spoor-pixeld answers HTTP; or set listen_tls";
    else if (tls && !*conf->pixeld.tls_certificate)
        missing = "tls_certificate is missing, for listen_tls is set";
    else if (tls && !*conf->pixeld.tls_key)
        missing = "tls_key is missing, for listen_tls is set";
    if (missing)
        buf_add_f(error, "%s: pixeld.%s", conf->path, missing);
    return missing == NULL;
}

/* Each further server once, and the one that has this host's mail among them. */
static bool are_shards_named(const struct conf *conf, struct buf *error)
{
    bool named[CONF_SHARD_MOST + 1] = {true};

    for (size_t n = 0; n < conf->shards.count; n++) {
        unsigned shard = (unsigned)(conf->shards.item[n][0] - '0');

        if (named[shard]) {
            buf_add_f(error, "%s: shards names %u twice", conf->path, shard);
            return false;
        }
        named[shard] = true;
    }
    if (!named[conf->shard])
        buf_add_f(error, "%s: shard is %d, which shards does not name", conf->path, (int)conf->shard);
    return named[conf->shard];
}

static bool is_connection_string(const struct conf *conf, const char *option, const char *text, struct buf *error)
{
    struct buf why;
    bool readable;

    buf_init(&why, 1000);
    readable = conninfo_is_readable(text, &why);
    if (!readable)
        buf_add_f(error, "%s: %s: %s", conf->path, option, buf_text(&why));
    buf_free(&why);
    return readable;
}

/* A daemon that started with another would wait for a database that never comes. */
static bool are_connection_strings(const struct conf *conf, struct buf *error)
{
    bool fine = is_connection_string(conf, "database", conf->database, error);

    for (size_t n = 0; fine && n < conf->shards.count; n++)
        fine = is_connection_string(conf, "shards", conf->shards.item[n] + CONF_SHARD_PREFIX, error);
    return fine;
}

static bool are_sinks_complete(const struct conf *conf, struct buf *error)
{
    struct buf why;
    bool fine = true;

    buf_init(&why, 1000);
    for (size_t n = 0; fine && n < conf->sinks; n++)
        fine = conf_sink_is_complete(&conf->sink[n], &why);
    if (conf->sinks == 0) {
        buf_add_str(&why, "there is no sink in it, so spoor-relay has nothing to do");
        fine = false;
    }
    if (!fine)
        buf_add_f(error, "%s: %s", conf->path, buf_text(&why));
    buf_free(&why);
    return fine;
}

bool conf_is_complete(const struct conf *conf, enum conf_part part, struct buf *error)
{
    for (size_t n = 0; n < conf_rows_count; n++) {
        if (!(conf_rows[n].needed_by & 1U << part) || !conf_row_is_empty(&conf_rows[n], conf))
            continue;
        buf_add_f(error, "%s: %s%s%s is missing: %s", conf->path, conf_rows[n].section,
                  *conf_rows[n].section ? "." : "", conf_rows[n].name, conf_rows[n].help);
        return false;
    }
    if (conf->spool_max_bytes < 2 * conf->spool_segment_bytes) {
        buf_add_f(error, "%s: spool_max has no room for two files of spool_segment", conf->path);
        return false;
    }
    return is_return_path_ours(conf, error) && are_shards_named(conf, error) &&
           (part == CONF_ANY || part == CONF_DRY_RUN || are_connection_strings(conf, error)) && (part != CONF_STAMP || has_place_for_copies(conf, error)) &&
           (part != CONF_PIXELD || has_doors(conf, error)) && (part != CONF_RELAY || are_sinks_complete(conf, error));
}
