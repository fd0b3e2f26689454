/* SPDX-License-Identifier: BSD-2-Clause */
/* match - the dry run of spoor-match: its verdict on a mail in a file, by signatures alone. */

#include "common/keys.h"
#include "common/token.h"
#include "ctl/command.h"
#include "ctl/dry_run.h"
#include "mail/incoming.h"
#include "mail/tracking.h"

#include <stdio.h>

struct judge {
    const struct conf *conf;
    struct keys *keys;
};

static enum token_result verify_token(void *arg, struct slice text, struct token *token)
{
    struct judge *judge = arg;

    return token_verify(judge->keys, text, slice_str(""), token);
}

static enum token_result verify_url(void *arg, struct slice url, struct token *token)
{
    struct judge *judge = arg;

    return tracking_verify_url(judge->keys, judge->conf->tracking_url, url, token, NULL);
}

static uint32_t recipient_key(void *arg, struct slice address)
{
    struct judge *judge = arg;

    return keys_recipient(judge->keys, address);
}

static bool is_local_domain(void *arg, struct slice domain)
{
    struct judge *judge = arg;

    return conf_list_has_domain(&judge->conf->local_domains, domain);
}

/* A delivered mail names its envelope sender in Return-Path. */
static const char *const sender_fields[] = {"Return-Path", "From", NULL};

static bool match(struct judge *judge, struct dry_run *run, struct buf *error)
{
    struct incoming_lookup lookup = {
        .arg = judge,
        .token = verify_token,
        .url = verify_url,
        .tracking_url = judge->conf->tracking_url,
        .recipient_key = recipient_key,
        .is_local_domain = is_local_domain,
    };
    struct incoming_mail mail = {.authenticated = false};
    struct incoming_verdict verdict;
    struct mail_file file;
    struct buf text;
    bool done = false;

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
    struct judge judge = {.conf = conf};
    struct dry_run run;
    struct buf error;
    int status = COMMAND_USAGE;

    buf_init(&error, 1024);
    if (dry_run_words(argc, argv, &run)) {
        judge.keys = keys_load(conf->key_file, &error);
        status = judge.keys && match(&judge, &run, &error) ? COMMAND_DONE : COMMAND_FAILED;
        if (status != COMMAND_DONE)
            fprintf(stderr, "spoorctl match: %s\n", buf_text(&error));
    }
    dry_run_free(&run);
    keys_free(judge.keys);
    buf_free(&error);
    return status;
}
