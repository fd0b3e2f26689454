/* SPDX-License-Identifier: BSD-2-Clause */
/* clerk - see clerk.h */

#include "pixeld/clerk.h"

#include "common/kept_text.h"
#include "common/log.h"
#include "common/store_rules.h"
#include "common/url.h"
#include "common/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUESTION_MS = 10000,
    RULES_MS = 60000, /* hundreds of thousands of networks */
    HINDSIGHT_MS = 30000,
    HINDSIGHT_MOST = 20000,
    UNJUDGED_MOST = 200,
    KEYS_TEXT = 1024 /* 256 numbers and commas */
};

struct clerk {
    struct watch *watch;
    unsigned shard;
    char *directory;
    struct latest *book;
    struct keys *keys;
    struct db *db; /* of the session */
    int most;      /* records looked at in one step */
};

/* rules */

static const char kept_name[] = "rules";

static void say_bad_rule(void *arg, const char *line)
{
    (void)arg;
    log_warn("%s; it is left out", line);
}

static void ignore_line(void *arg, const char *line)
{
    (void)arg, (void)line;
}

struct rules *clerk_first_rules(const char *directory)
{
    struct rules *rules = NULL;
    struct buf text;

    buf_init(&text, KEPT_TEXT_MAX);
    if (kept_text_read(directory, kept_name, &text))
        rules = rules_parse(buf_slice(&text), ignore_line, NULL); /* they were named when they came */
    else if (errno != ENOENT)
        log_warn("cannot use the rules kept in %s, the built-in ones hold: %s", directory, strerrordesc_np(errno));
    buf_free(&text);
    return rules ? rules : rules_parse(slice_str(rules_builtin), ignore_line, NULL);
}

static void use_rules(struct clerk *clerk, struct slice text)
{
    struct rules *rules = rules_parse(text, say_bad_rule, NULL);
    struct rules_size size;

    if (!rules) {
        log_err("no memory for new rules; the old ones hold");
        return;
    }
    size = rules_size(rules);
    latest_replace(clerk->book, rules);
    log_notice("rules: %zu on programs, %zu on networks in %zu ranges", size.agent, size.network, size.ranges);
    if (!kept_text_write(clerk->directory, kept_name, text))
        log_warn("cannot keep the rules in %s: %s", clerk->directory, strerrordesc_np(errno));
}

static bool read_rules(struct clerk *clerk)
{
    enum store_answer answer;
    struct buf text;

    buf_init(&text, KEPT_TEXT_MAX);
    answer = store_read_rules(clerk->db, &text, RULES_MS);
    if (answer == STORE_YES)
        use_rules(clerk, buf_slice(&text));
    else if (answer == STORE_NO)
        log_err("the rules in the database take more than %d MB; the old ones hold", KEPT_TEXT_MAX >> 20);
    buf_free(&text);
    return answer != STORE_AWAY;
}

/* hits whose key has come */

struct verifying {
    struct clerk *clerk;
    bool ok;
};

static void list_keys(struct keys *keys, struct buf *list)
{
    for (unsigned id = 0; id <= UINT8_MAX; id++)
        if (keys_state(keys, (uint8_t)id) != KEY_UNKNOWN) /* a hit under a revoked one is judged, too: not genuine */
            buf_add_f(list, "%s%u", list->len ? "," : "", id);
}

static void verify(void *arg, const struct store_unjudged *hit)
{
    struct verifying *verifying = arg;
    struct clerk *clerk = verifying->clerk;
    struct url_target target;
    struct token token;
    bool genuine, unknown = false;

    genuine = url_target_parse(slice_str(hit->target), &target);
    if (genuine) {
        enum token_result result = token_verify(clerk->keys, target.token, buf_slice(&target.destination), &token);

        genuine = result == TOKEN_GOOD && token.kind == target.kind;
        unknown = result == TOKEN_UNKNOWN_KEY; /* taken away again meanwhile */
    }
    url_target_free(&target);
    if (verifying->ok && !unknown)
        verifying->ok = store_judge_hit(clerk->db, hit->spool, hit->record, genuine ? &token : NULL, QUESTION_MS) != STORE_AWAY;
}

static bool judge_unjudged(struct clerk *clerk)
{
    struct verifying verifying = {.clerk = clerk, .ok = true};
    struct buf keys;
    bool asked;

    buf_init(&keys, KEYS_TEXT);
    list_keys(clerk->keys, &keys);
    asked = store_find_unjudged(clerk->db, buf_text(&keys), UNJUDGED_MOST, verify, &verifying, QUESTION_MS) != STORE_AWAY;
    buf_free(&keys);
    return asked && verifying.ok;
}

/* hindsight */

/* A step that was too much would be so for ever; a smaller one may pass. */
static bool judge(struct clerk *clerk)
{
    int64_t judged;

    if (store_judge_hindsight(clerk->db, clerk->most, &judged, HINDSIGHT_MS) == STORE_AWAY) {
        clerk->most = clerk->most > 1 ? clerk->most / 2 : 1;
        return false;
    }
    clerk->most = HINDSIGHT_MOST;
    return true;
}

/* what the thread calls */

static bool begin_session(void *arg, struct db *db)
{
    struct clerk *clerk = arg;

    clerk->db = db;
    return clerk->shard || (store_listen_rules(db, QUESTION_MS) == STORE_YES && read_rules(clerk));
}

static bool rules_changed(void *arg, struct db *db)
{
    (void)db;
    return read_rules(arg);
}

static bool take_turn(void *arg, struct db *db)
{
    (void)db;
    return judge(arg) && judge_unjudged(arg);
}

static void clerk_free(struct clerk *clerk)
{
    free(clerk->directory);
    free(clerk);
}

struct clerk *clerk_start(const struct clerk_options *options, struct buf *error)
{
    struct clerk *clerk = calloc(1, sizeof *clerk);
    struct watch_options watching = {
        .conninfo = options->conninfo,
        .shard = options->shard,
        .program = options->program,
        .what = "rules and verdicts",
        .begin = begin_session,
        .changed = rules_changed,
        .turn = take_turn,
        .arg = clerk,
    };

    if (!clerk || !(clerk->directory = strdup(options->directory))) {
        buf_add_str(error, "no memory for the thread that asks the database");
        free(clerk);
        return NULL;
    }
    clerk->most = HINDSIGHT_MOST;
    clerk->shard = options->shard;
    clerk->book = options->book;
    clerk->keys = options->keys;
    clerk->watch = watch_start(&watching, error);
    if (clerk->watch)
        return clerk;
    clerk_free(clerk);
    return NULL;
}

void clerk_stop(struct clerk *clerk)
{
    if (!clerk)
        return;
    watch_stop(clerk->watch);
    clerk_free(clerk);
}
