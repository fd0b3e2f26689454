/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spoor-stamp - outbound milter: gives each mail of ours a signed id, a pixel and tracked links.
 *
 * main() is the table of contents; a mail's life is in stamp_mail.c, what is decided about it in
 * mail/outgoing.c. The second process, where there is one, begins in copies.c.
 */

#include "common/daemon.h"
#include "common/forgotten_list.h"
#include "common/log.h"
#include "common/node.h"
#include "common/reload.h"
#include "milter/copies.h"
#include "milter/stamp_mail.h"

#include <stdlib.h>

enum { LOADER_DRAIN_MS = 2000, DATABASE_CONNECTIONS = 8, AHEAD_MS = 60000 /* more than ids are ever reserved ahead */ };

/* From the loader's thread: the database has said which node this spool is. */
static void node_known(void *arg, int node)
{
    struct stamp_filter *filter = arg;
    uint8_t identity[SPOOL_IDENTITY_BYTES];

    spool_identity(filter->recorder->spool, identity);
    message_id_maker_set_node(filter->numbers, node);
    if (node_read(filter->recorder->directory, identity) != node &&
        !node_keep(filter->recorder->directory, identity, node))
        log_warn("cannot keep node number %d in %s: %m; a start without the database will not know it", node,
                 filter->recorder->directory);
}

static bool open_numbers(struct stamp_filter *filter, struct buf *error)
{
    uint8_t identity[SPOOL_IDENTITY_BYTES];
    const char *directory = filter->recorder->directory;

    spool_identity(filter->recorder->spool, identity);
    filter->numbers = message_id_maker_open(directory, node_read(directory, identity), error);
    if (filter->numbers && message_id_maker_ahead_ms(filter->numbers) > AHEAD_MS)
        log_warn("message ids in %s are %lld s ahead of the clock, which is or was wrong: mails get that time",
                 directory, (long long)message_id_maker_ahead_ms(filter->numbers) / 1000);
    return filter->numbers != NULL;
}

/* From the loader's thread: what memcached holds may be about somebody who is forgotten. */
static void flush_cache(void *cache)
{
    cache_flush(cache);
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
        .actions = SMFIF_CHGHDRS | SMFIF_ADDHDRS | SMFIF_CHGBODY | SMFIF_DELRCPT,
        .body_limit = (size_t)conf->stamp.body_limit,
        .memory_limit = (size_t)conf->memory_limit,
        .finish = stamp_mail_finish,
        .arg = &filter,
    };
    struct buf error;
    int status;

    if (conf->stamp.bounce_address[0])
        service.actions |= SMFIF_CHGFROM;
    if (conf->stamp.crm_bcc.count)
        service.actions |= SMFIF_ADDRCPT;
    daemon_start(&options);
    if (*conf->stamp.listen_copies && daemon_fork()) {
        status = copies_serve(conf, &options);
        conf_free(conf);
        return status;
    }
    buf_init(&error, 4096);
    /* conf_load() has checked the texts: only memory can be short */
    if (!network_list_parse(&filter.submit_networks, conf->stamp.submit_networks.item, conf->stamp.submit_networks.count))
        daemon_fail_with(&error);
    if (!(filter.keys = keys_load(conf->key_file, &error)) ||
        !(filter.cache = cache_new(conf->memcached, (int)conf->memcached_timeout_ms, &error)) ||
        !mlfi_open(&service, &error))
        daemon_fail_with(&error);
    if (!daemon_drop_privileges(conf))
        daemon_fail();
    if (!(filter.databases = db_pool_new(conf->database, "spoor-stamp", DATABASE_CONNECTIONS)))
        daemon_fail_with(&error);
    forgotten_list_tell(flush_cache, filter.cache);
    if (!recorder_open(&recorder, conf, "stamp", 0, &error) ||
        !open_numbers(&filter, &error) ||
        !recorder_start(&recorder, conf, "spoor-stamp", node_known, &filter, &error) ||
        !(filter.policy = stamp_policy_start(conf->database, recorder.directory, &error)) || !mlfi_start(&error))
        daemon_fail_with(&error);
    daemon_ready(conf, &options);

    while (daemon_wait_signal() == DAEMON_RELOAD)
        reload_keys(filter.keys);

    if (!mlfi_stop())
        exit(1); /* a mail is still at work; what it recorded is in the spool */
    stamp_policy_stop(filter.policy);
    recorder_close(&recorder, LOADER_DRAIN_MS);
    message_id_maker_close(filter.numbers);
    db_pool_free(filter.databases);
    cache_free(filter.cache);
    network_list_free(&filter.submit_networks);
    keys_free(filter.keys);
    status = daemon_end();
    conf_free(conf);
    return status;
}
