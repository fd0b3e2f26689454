/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * job - one document, from the claim to its state.
 *
 * Pages are stored as they are drawn; the rest is told at the end. A job belongs to one thread, with that thread's database
 * connection and name.
 */
#ifndef RENDER_JOB_H
#define RENDER_JOB_H

#include "common/conf.h"
#include "common/store_render.h"
#include "render/sandbox.h"
#include "render/outcome.h"

struct job {
    /* set by whoever has claimed it */
    const struct conf *conf;
    const struct sandbox *sandbox;
    struct db *db;
    const struct store_holder *holder;
    struct store_job claim;
    int stop_fd;        /* readable: the program ends */

    int pages;          /* that are stored; set by job_run() */
    char words[CHILD_WORDS]; /* what the last program said that did not do its work */
};

/* What becomes of it; the caller tells the database. */
enum finding job_run(struct job *job);

#endif
