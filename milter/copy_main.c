/* SPDX-License-Identifier: BSD-2-Clause */
/* copy_main - see copy_main.h */

#include "milter/copy_main.h"

#include "common/reload.h"
#include "common/token.h"
#include "milter/copy_mail.h"

#include <stdlib.h>

enum { LOADER_DRAIN_MS = 2000 };

int copy_main(struct conf *conf, const struct daemon_options *options)
{
    struct conf_milter place = conf->stamp.milter;
    struct recorder recorder;
    struct copy_filter filter = {.conf = conf, .recorder = &recorder};
    struct mlfi_service service = {
        .program = "spoor-stamp",
        .conf = &place,
        .actions = SMFIF_CHGHDRS | SMFIF_ADDHDRS | SMFIF_CHGBODY,
        .limits = {.body = (size_t)conf->stamp.body_limit, .held = (size_t)conf->memory_limit},
        .can_wait = true,
        .finish = copy_mail_finish,
        .arg = &filter,
    };
    struct buf error;

    buf_init(&error, 4096);
    place.listen = conf->stamp.listen_copies;
    if (!(filter.keys = keys_load_for(conf->key_file, TOKEN_LABELS | 1U << KEYS_LABEL_PASS, &error)) || !mlfi_open(&service, &error))
        daemon_fail_with(&error);
    if (!daemon_drop_privileges(conf))
        daemon_fail();
    if (!recorder_open(&recorder, conf, "copies", 0, &error) ||
        !recorder_start(&recorder, conf, &(struct recorder_program){.name = "spoor-stamp", .keys = filter.keys}, &error) ||
        !(filter.policy = stamp_policy_start(conf->database, recorder.lane[0].directory, &error)) || !mlfi_start(&error))
        daemon_fail_with(&error);
    daemon_ready(conf, options);

    while (daemon_wait_signal() == DAEMON_RELOAD)
        reload_keys(filter.keys);

    if (!mlfi_stop())
        exit(EXIT_FAILURE); /* a copy is still at work; what it recorded is in the spool */
    stamp_policy_stop(filter.policy);
    recorder_close(&recorder, LOADER_DRAIN_MS);
    keys_free(filter.keys);
    return daemon_end();
}
