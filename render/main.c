/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spoor-render - makes pictures of the pages of documents, and finds their words.
 *
 * main() is the table of contents. worker.c takes documents from the database, job.c is one document's way; what is
 * decided is in outcome.c, file_type.c and pdf_info.c. No document is parsed in this process: sandbox.c runs those who do.
 */
#include "common/daemon.h"
#include "common/log.h"
#include "common/store.h"
#include "render/worker.h"

#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 4096, NO_STOP = -1 };

static const char program[] = "spoor-render";

/* Whoever breaks out of a converter is then this user, so he must not be root. */
static bool has_user(const struct conf *conf, struct buf *warning, struct buf *error)
{
    (void)warning;
    if (geteuid() != 0 || *conf->user || *conf->render.user)
        return true;
    buf_add_f(error, "%s: render.user is missing: documents are not converted as root", conf->path);
    return false;
}

/* Documents are told off one by one, so that each has its reason; here the administrator is told once. */
static void report_sandbox(const struct sandbox *sandbox)
{
    struct child_result result;

    if (!sandbox_works(sandbox, NO_STOP, &result))
        log_err("the sandbox does not work, so nothing is converted; /usr/bin/bwrap said: %s",
                *result.words ? result.words : "nothing");
}

int main(int argc, char **argv)
{
    struct daemon_options options = daemon_options(program, argc, argv);
    struct sandbox *sandbox;
    struct workers *workers;
    struct conf *conf;
    struct buf error;

    options.examine = has_user;
    conf = daemon_configure(&options, CONF_RENDER);
    buf_init(&error, TEXT_MAX);
    daemon_start(&options);
    if (!has_user(conf, NULL, &error))
        daemon_fail_with(&error);
    if (!daemon_drop_privileges(conf))
        daemon_fail();
    if (geteuid() == 0)
        buf_add_f(&error, "user \"%s\" is root: documents are not converted as root", conf->user);
    if (error.len || !(sandbox = sandbox_new(&error)))
        daemon_fail_with(&error);
    report_sandbox(sandbox);
    if (store_forbids_start(conf, program, &error))
        daemon_fail_with(&error);
    if (!(workers = workers_start(conf, sandbox, program, &error)))
        daemon_fail_with(&error);
    daemon_ready(conf, &options);

    while (daemon_wait_signal() == DAEMON_RELOAD)
        continue; /* there is nothing to load again */

    workers_stop(workers);
    sandbox_free(sandbox);
    daemon_end();
    conf_free(conf);
    return 0;
}
