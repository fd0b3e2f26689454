/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp - the dry run of spoor-stamp: the mail as it would be sent; nothing is recorded. */

#include "common/keys.h"
#include "common/message_id.h"
#include "ctl/command.h"
#include "ctl/dry_run.h"
#include "ctl/explain.h"
#include "ctl/policy_file.h"
#include "mail/outgoing.h"

#include <stdio.h>
#include <time.h>

enum { WHOM_MAX = 400 };

/* A number like any other of this moment, from no node: it is never recorded. */
static bool sample_number(void *arg, uint64_t *id)
{
    struct timespec now;

    (void)arg;
    clock_gettime(CLOCK_REALTIME, &now);
    *id = message_id_compose((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, 0, 0);
    return true;
}

static bool print_mail(const struct conf *conf, const struct mail_file *file, const struct outgoing_plan *plan)
{
    struct outgoing_plan nothing = {.reason = NULL};
    const char *reason = conf->mode == MODE_OBSERVE ? "observe" : plan->reason;
    bool untouched = plan->failed || conf->mode == MODE_OBSERVE;
    struct buf out;
    struct buf whom;
    bool printed;

    buf_init(&out, file->raw.cap * 2);
    printed = mail_file_apply(file, untouched ? &nothing : plan, &out) &&
              fwrite(out.data, 1, out.len, stdout) == out.len;
    buf_init(&whom, WHOM_MAX);
    outgoing_plan_whom(plan, &whom);
    if (reason || whom.len)
        fprintf(stderr, "%s:%s%s%s\n", untouched || !plan->tracked ? "untouched" : reason ? "partly" : "tracked",
                reason ? " reason=" : "", reason ? reason : "", buf_text(&whom));
    buf_free(&whom);
    buf_free(&out);
    return printed;
}

static bool print_explanation(const struct conf *conf, const struct mail_file *file,
                              const struct outgoing_plan *plan)
{
    struct buf out;
    bool printed;

    buf_init(&out, file->raw.cap * 2);
    printed = explain_plan(file, plan, conf->mode == MODE_OBSERVE, &out) &&
              fwrite(out.data, 1, out.len, stdout) == out.len;
    buf_free(&out);
    return printed;
}

static const char *const sender_fields[] = {"From", NULL};

static bool stamp(const struct conf *conf, struct keys *keys, const struct policy *policy, struct dry_run *run, struct buf *error)
{
    struct outgoing_settings settings = {
        .conf = conf, .keys = keys, .number = sample_number, .store = outgoing_store_dry, .policy = policy};
    struct outgoing_mail mail = {.from_submit_network = true, .assume_ours = run->ours};
    struct outgoing_plan plan;
    struct mail_file file;
    bool done = false;

    if (mail_file_read(run->path, &file, error)) {
        dry_run_complete(run, &file.headers, sender_fields);
        mail.headers = &file.headers;
        mail.body = buf_slice(&file.body);
        mail.body_missing = file.body.len > (size_t)conf->stamp.body_limit ? "body_limit" : NULL;
        mail.envelope_sender = run->from;
        mail.recipient = run->recipient;
        mail.recipients = run->recipients;
        outgoing_plan_make(&mail, &settings, &plan);
        dry_run_tell_way(conf, &plan.way);
        done = run->explain ? print_explanation(conf, &file, &plan) : print_mail(conf, &file, &plan);
        if (!done)
            buf_add_str(error, run->explain ? "cannot write the explanation" : "cannot write the mail");
        outgoing_plan_free(&plan);
    }
    mail_file_free(&file);
    return done;
}

int stamp_command(const struct conf *conf, int argc, char **argv)
{
    struct dry_run run;
    struct policy *policy = NULL;
    struct keys *keys = NULL;
    struct buf error;
    int status = COMMAND_USAGE;

    buf_init(&error, 1024);
    if (dry_run_words(argc, argv, &run)) {
        keys = keys_load(conf->key_file, &error);
        if (keys && run.policy)
            policy = policy_file_read(run.policy, &error);
        status = keys && (policy || !run.policy) && stamp(conf, keys, policy, &run, &error) ? COMMAND_DONE : COMMAND_FAILED;
        if (status != COMMAND_DONE)
            fprintf(stderr, "spoorctl stamp: %s\n", buf_text(&error));
    }
    dry_run_free(&run);
    policy_let_go(policy);
    keys_free(keys);
    buf_free(&error);
    return status;
}
