/* SPDX-License-Identifier: BSD-2-Clause */
/* match - the dry run of spoor-match: its verdict on a mail in a file, by signatures alone. */

#include "ctl/command.h"
#include "ctl/dry_run.h"
#include "mail/incoming_site.h"

#include <stdio.h>

/* A delivered mail names its envelope sender in Return-Path. */
static const char *const sender_fields[] = {"Return-Path", "From", NULL};

static bool match(struct incoming_site *site, struct dry_run *run, struct buf *error)
{
    struct incoming_lookup lookup;
    struct incoming_mail mail = {.authenticated = false};
    struct incoming_verdict verdict;
    struct mail_file file;
    struct buf text;
    bool done = false;

    incoming_site_lookup(site, &lookup);
    buf_init(&text, 65536);
    if (mail_file_read(run->path, &file, error)) {
        dry_run_complete(run, &file.headers, sender_fields);
        mail.envelope_sender = run->from;
        mail.recipient = run->recipient;
        mail.recipients = run->recipients;
        mail.headers = &file.headers;
        mail.body = buf_slice(&file.body);
        done = incoming_judge(&mail, &lookup, &verdict);
        if (done) {
            dry_run_tell_way(site->conf, &verdict.way);
            incoming_print(&verdict, &text);
            fputs(buf_text(&text), stdout);
            incoming_verdict_free(&verdict);
        } else {
            buf_add_str(error, "no memory");
        }
    }
    mail_file_free(&file);
    buf_free(&text);
    return done;
}

int match_command(const struct conf *conf, int argc, char **argv)
{
    struct incoming_site site = {.conf = conf};
    struct dry_run run;
    struct buf error;
    int status = COMMAND_USAGE;

    buf_init(&error, 1024);
    if (dry_run_words(argc, argv, &run)) {
        site.keys = keys_load(conf->key_file, &error);
        status = site.keys && match(&site, &run, &error) ? COMMAND_DONE : COMMAND_FAILED;
        if (status != COMMAND_DONE)
            fprintf(stderr, "spoorctl match: %s\n", buf_text(&error));
    }
    dry_run_free(&run);
    keys_free(site.keys);
    buf_free(&error);
    return status;
}
