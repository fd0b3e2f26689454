/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spoor-delivery - follows the MTA's log: whose server took, put off or refused which of our mails, and when.
 *
 * main() is the table of contents. What a line says is read in line_read.c, what becomes of it in follow.c; follower.c is
 * the thread that does it, source.c what it reads.
 */
#include "common/daemon.h"
#include "common/recorder.h"
#include "delivery/follower.h"

#include <stdlib.h>

enum { TEXT_MAX = 4096, LOADER_DRAIN_MS = 2000 };

static const char program[] = "spoor-delivery";

int main(int argc, char **argv)
{
    struct daemon_options options = daemon_options(program, argc, argv);
    struct conf *conf = daemon_configure(&options, CONF_DELIVERY);
    struct recorder recorder;
    struct follower *follower;
    struct buf error;

    buf_init(&error, TEXT_MAX);
    daemon_start(&options);
    if (!daemon_drop_privileges(conf))
        daemon_fail();
    if (!recorder_open(&recorder, conf, "delivery", 0, &error) ||
        !recorder_start(&recorder, conf, &(struct recorder_program){.name = program}, &error) ||
        !(follower = follower_start(conf, &recorder, &error)))
        daemon_fail_with(&error);
    daemon_ready(conf, &options);

    while (daemon_wait_signal() == DAEMON_RELOAD)
        continue; /* the log's rotation is noticed without being told */

    follower_stop(follower);
    recorder_close(&recorder, LOADER_DRAIN_MS);
    daemon_end();
    conf_free(conf);
    return 0;
}
