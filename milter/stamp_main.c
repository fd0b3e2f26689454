/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spoor-stamp - outbound milter: gives each mail of ours a signed id, a pixel and tracked links.
 *
 * main() is the table of contents; a mail's life is in stamp_mail.c, what is decided about it in
 * mail/outgoing.c. The second process, where there is one, begins in copy_main.c.
 */

#include "common/daemon.h"
#include "common/forgotten_list.h"
#include "common/reload.h"
#include "common/store.h"
#include "common/token.h"
#include "milter/copy_main.h"
#include "milter/stamp_mail.h"
#include "milter/stamp_numbers.h"

#include <stdlib.h>

enum { LOADER_DRAIN_MS = 2000, DATABASE_CONNECTIONS = 8 };

/* conf_load() has checked the texts: only memory can be short. */
static bool open_submit_networks(struct stamp_filter *filter, const struct conf *conf)
{
    return network_list_parse(&filter->submit_networks, conf->stamp.submit_networks.item, conf->stamp.submit_networks.count);
}

/* What it may do to a mail: no more than the configuration can ask for. */
static unsigned long actions_of(const struct conf *conf)
{
    return SMFIF_CHGHDRS | SMFIF_ADDHDRS | SMFIF_CHGBODY | SMFIF_DELRCPT | (conf->stamp.bounce_address[0] ? SMFIF_CHGFROM : 0) |
           (conf->stamp.crm_bcc.count ? SMFIF_ADDRCPT : 0);
}

int main(int argc, char **argv)
{
    struct daemon_options options = daemon_options("spoor-stamp", argc, argv);
    struct conf *conf = daemon_configure(&options, CONF_STAMP);
    struct recorder recorder;
    struct stamp_filter filter = {.conf = conf, .recorder = &recorder};
    struct mlfi_service service = {
        .program = "spoor-stamp",
        .conf = &conf->stamp.milter,
        .actions = actions_of(conf),
        .limits = {.body = (size_t)conf->stamp.body_limit, .held = (size_t)conf->memory_limit},
        .finish = stamp_mail_finish,
        .arg = &filter,
    };
    struct recorder_program program = {.name = "spoor-stamp", .node_known = stamp_numbers_node_known, .arg = &filter};
    struct buf error;
    int status;

    daemon_start(&options);
    if (*conf->stamp.listen_copies && daemon_fork()) {
        status = copy_main(conf, &options);
        conf_free(conf);
        return status;
    }
    buf_init(&error, 4096);
    if (!open_submit_networks(&filter, conf) ||
        !(filter.keys = keys_load_for(conf->key_file, TOKEN_LABELS | 1U << KEYS_LABEL_PASS, &error)) ||
        !(filter.cache = cache_new(conf->memcached, (int)conf->memcached_timeout_ms, filter.keys, &error)) ||
        !mlfi_open(&service, &error))
        daemon_fail_with(&error);
    if (!daemon_drop_privileges(conf))
        daemon_fail();
    if (!shard_pools_open(&filter.databases, conf, "spoor-stamp", DATABASE_CONNECTIONS, store_connect))
        daemon_fail_with(&error);
    forgotten_list_tell(cache_begin_epoch, filter.cache);
    program.keys = filter.keys;
    if (!recorder_open(&recorder, conf, "stamp", 0, &error) ||
        !stamp_numbers_open(&filter, &error) ||
        !recorder_start(&recorder, conf, &program, &error) ||
        !(filter.policy = stamp_policy_start(conf->database, recorder.lane[0].directory, &error)) || !mlfi_start(&error))
        daemon_fail_with(&error);
    daemon_ready(conf, &options);

    while (daemon_wait_signal() == DAEMON_RELOAD)
        reload_keys(filter.keys);

    if (!mlfi_stop())
        exit(1); /* a mail is still at work; what it recorded is in the spool */
    stamp_policy_stop(filter.policy);
    recorder_close(&recorder, LOADER_DRAIN_MS);
    message_id_maker_close(filter.numbers);
    shard_pools_close(&filter.databases);
    cache_free(filter.cache);
    network_list_free(&filter.submit_networks);
    keys_free(filter.keys);
    status = daemon_end();
    conf_free(conf);
    return status;
}
