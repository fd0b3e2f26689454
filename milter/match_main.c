/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spoor-match - inbound milter: finds the answers to our mails and records them.
 *
 * main() is the table of contents; a mail's life is in match_mail.c, what is decided about it in
 * mail/incoming.c.
 */

#include "common/daemon.h"
#include "common/forgotten_list.h"
#include "common/reload.h"
#include "common/store.h"
#include "common/token.h"
#include "milter/match_mail.h"

#include <stdlib.h>

enum { LOADER_DRAIN_MS = 2000, DATABASE_CONNECTIONS = 8 };

int main(int argc, char **argv)
{
    struct daemon_options options = daemon_options("spoor-match", argc, argv);
    struct conf *conf = daemon_configure(&options, CONF_MATCH);
    struct recorder recorder;
    struct match_filter filter = {.conf = conf, .recorder = &recorder};
    struct mlfi_service service = {
        .program = "spoor-match",
        .conf = &conf->match.milter,
        .actions = SMFIF_CHGHDRS | SMFIF_ADDHDRS | SMFIF_CHGBODY | SMFIF_ADDRCPT | SMFIF_DELRCPT,
        .limits = {.body = (size_t)conf->match.body_limit, .held = (size_t)conf->memory_limit},
        .finish = match_mail_finish,
        .arg = &filter,
    };
    struct buf error;

    buf_init(&error, 4096);
    daemon_start(&options);
    if (!(filter.keys = keys_load_for(conf->key_file, TOKEN_LABELS, &error)) ||
        !(filter.cache = cache_new(conf->memcached, (int)conf->memcached_timeout_ms, filter.keys, &error)) ||
        !mlfi_open(&service, &error))
        daemon_fail_with(&error);
    if (!daemon_drop_privileges(conf))
        daemon_fail();
    forgotten_list_tell(cache_begin_epoch, filter.cache);
    if (!shard_pools_open(&filter.databases, conf, "spoor-match", DATABASE_CONNECTIONS, store_connect) ||
        !recorder_open(&recorder, conf, "match", 0, &error) ||
        !recorder_start(&recorder, conf, &(struct recorder_program){.name = "spoor-match", .keys = filter.keys}, &error) || !mlfi_start(&error))
        daemon_fail_with(&error);
    daemon_ready(conf, &options);

    while (daemon_wait_signal() == DAEMON_RELOAD)
        reload_keys(filter.keys);

    if (!mlfi_stop())
        exit(1); /* a mail is still at work; what it recorded is in the spool */
    recorder_close(&recorder, LOADER_DRAIN_MS);
    shard_pools_close(&filter.databases);
    cache_free(filter.cache);
    keys_free(filter.keys);
    daemon_end();
    conf_free(conf);
    return 0;
}
