/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_policy - see stamp_policy.h */

#include "milter/stamp_policy.h"

#include "common/kept_text.h"
#include "common/latest.h"
#include "common/log.h"
#include "common/store_policy.h"
#include "common/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { QUESTION_MS = 10000, READ_MS = 60000 /* a million people who gave consent */ };

static const char kept_name[] = "policy";

struct stamp_policy {
    struct latest *latest;
    struct watch *watch;
    char *directory;
};

static void say_bad_line(void *arg, const char *line)
{
    (void)arg;
    log_warn("%s", line);
}

static void ignore_line(void *arg, const char *line)
{
    (void)arg, (void)line;
}

static void hold(void *policy)
{
    policy_hold(policy);
}

static void let_go(void *policy)
{
    policy_let_go(policy);
}

static struct policy *first_policy(const char *directory)
{
    struct policy *policy = NULL;
    const char *trouble = NULL;
    struct buf text;

    buf_init(&text, KEPT_TEXT_MAX);
    if (kept_text_read(directory, kept_name, &text))
        policy = policy_parse(buf_slice(&text), ignore_line, NULL); /* they were named when they came */
    else if (errno == ENOENT)
        policy = policy_parse(slice_of(NULL, 0), ignore_line, NULL); /* nobody has said anything, or not to this host */
    else
        trouble = errno == EBADMSG ? "its checksum is wrong" : strerrordesc_np(errno);
    buf_free(&text);
    if (policy)
        return policy;
    log_err("cannot use the policy kept in %s/%s, so no mail is tracked until the database gives it, and no stop holds for a campaign that "
            "it alone names: %s", directory, kept_name, trouble ? trouble : "no memory");
    return policy_unknown();
}

static void use_text(struct stamp_policy *keeper, struct slice text)
{
    struct policy *policy = policy_parse(text, say_bad_line, NULL);
    struct policy_size size;

    if (!policy) {
        log_err("no memory for the new policy; the old one holds");
        return;
    }
    size = policy_size(policy);
    latest_replace(keeper->latest, policy);
    log_notice("policy: %zu on people, %zu on campaigns, %zu logins", size.people, size.campaigns, size.logins);
    if (!kept_text_write(keeper->directory, kept_name, text))
        log_warn("cannot keep the policy in %s: %s", keeper->directory, strerrordesc_np(errno));
}

static bool read_policy(void *arg, struct db *db)
{
    struct stamp_policy *keeper = arg;
    enum store_answer answer;
    struct buf text;

    buf_init(&text, KEPT_TEXT_MAX);
    answer = store_read_policy(db, &text, READ_MS);
    if (answer == STORE_YES)
        use_text(keeper, buf_slice(&text));
    else if (answer == STORE_NO)
        log_err("the policy in the database takes more than %d MB; the old one holds", KEPT_TEXT_MAX >> 20);
    buf_free(&text);
    return answer != STORE_AWAY;
}

static bool begin_session(void *arg, struct db *db)
{
    return store_listen_policy(db, QUESTION_MS) == STORE_YES && read_policy(arg, db);
}

struct stamp_policy *stamp_policy_start(const char *conninfo, const char *directory, struct buf *error)
{
    struct stamp_policy *keeper = calloc(1, sizeof *keeper);
    struct watch_options watching = {
        .conninfo = conninfo,
        .program = "spoor-stamp",
        .what = "policy",
        .begin = begin_session,
        .changed = read_policy,
        .arg = keeper,
    };

    if (!keeper || !(keeper->directory = strdup(directory)) ||
        !(keeper->latest = latest_new(first_policy(directory), hold, let_go))) {
        buf_add_str(error, "no memory for the policy");
        stamp_policy_stop(keeper);
        return NULL;
    }
    keeper->watch = watch_start(&watching, error);
    if (keeper->watch)
        return keeper;
    stamp_policy_stop(keeper);
    return NULL;
}

void stamp_policy_stop(struct stamp_policy *keeper)
{
    if (!keeper)
        return;
    watch_stop(keeper->watch);
    latest_free(keeper->latest);
    free(keeper->directory);
    free(keeper);
}

struct policy *stamp_policy_take(struct stamp_policy *keeper)
{
    return latest_take(keeper->latest);
}
