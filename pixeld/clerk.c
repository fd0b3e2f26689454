/* SPDX-License-Identifier: BSD-2-Clause */
/* clerk - see clerk.h */

#include "pixeld/clerk.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/store_rules.h"
#include "common/url.h"
#include "pixeld/rules_file.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_MS = 5000,
    QUESTION_MS = 10000,
    RULES_MS = 60000, /* hundreds of thousands of networks */
    HINDSIGHT_MS = 30000,
    TURN_MS = 2000,   /* from one look in hindsight to the next */
    HINDSIGHT_MOST = 20000,
    UNJUDGED_MOST = 200,
    AWAY_REMINDER_S = 300,
    KEYS_TEXT = 1024 /* 256 numbers and commas */
};

struct clerk {
    pthread_t thread;
    pthread_mutex_t lock; /* of `stopping` */
    pthread_cond_t changed;
    bool stopping;
    char *directory;
    struct rulebook *book;
    struct keys *keys;
    struct db *db;
    int most; /* records looked at in one step */
    struct log_throttle trouble;
};

/* rules */

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

    buf_init(&text, STORE_RULES_MAX);
    if (rules_file_read(directory, &text))
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
    rulebook_replace(clerk->book, rules);
    log_notice("rules: %zu on programs, %zu on networks in %zu ranges", size.agent, size.network, size.ranges);
    if (!rules_file_write(clerk->directory, text))
        log_warn("cannot keep the rules in %s: %s", clerk->directory, strerrordesc_np(errno));
}

static bool read_rules(struct clerk *clerk)
{
    enum store_answer answer;
    struct buf text;

    buf_init(&text, STORE_RULES_MAX);
    answer = store_read_rules(clerk->db, &text, RULES_MS);
    if (answer == STORE_YES)
        use_rules(clerk, buf_slice(&text));
    else if (answer == STORE_NO)
        log_err("the rules in the database take more than %d MB; the old ones hold", STORE_RULES_MAX >> 20);
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
        if (keys_has(keys, (uint8_t)id))
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

/* the thread */

static bool is_stopping(struct clerk *clerk)
{
    bool stopping;

    pthread_mutex_lock(&clerk->lock);
    stopping = clerk->stopping;
    pthread_mutex_unlock(&clerk->lock);
    return stopping;
}

static void rest(struct clerk *clerk)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + TURN_MS);

    pthread_mutex_lock(&clerk->lock);
    while (!clerk->stopping && pthread_cond_timedwait(&clerk->changed, &clerk->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&clerk->lock);
}

static bool begin_session(struct clerk *clerk)
{
    return db_connect(clerk->db, CONNECT_MS) && store_listen_rules(clerk->db, QUESTION_MS) == STORE_YES && read_rules(clerk);
}

/* Waits for changed rules, no longer than a turn. */
static bool wait_for_rules(struct clerk *clerk)
{
    char channel[CHANNEL_BYTES];

    if (!db_wait_notification(clerk->db, TURN_MS, channel))
        return true;
    while (db_wait_notification(clerk->db, 0, channel))
        ;
    return read_rules(clerk);
}

static void *run(void *arg)
{
    struct clerk *clerk = arg;
    bool in_session = false;

    while (!is_stopping(clerk)) {
        bool ok = in_session ? judge(clerk) && judge_unjudged(clerk) && wait_for_rules(clerk) : begin_session(clerk);

        in_session = ok && db_stands(clerk->db);
        if (ok || is_stopping(clerk))
            continue;
        log_throttled(&clerk->trouble, LOG_WARNING, "cannot ask the database for rules and verdicts: %s", db_error(clerk->db));
        rest(clerk);
    }
    return NULL;
}

static void clerk_free(struct clerk *clerk)
{
    db_free(clerk->db);
    free(clerk->directory);
    pthread_cond_destroy(&clerk->changed);
    pthread_mutex_destroy(&clerk->lock);
    free(clerk);
}

static struct clerk *clerk_new(const struct clerk_options *options)
{
    struct clerk *clerk = calloc(1, sizeof *clerk);

    if (!clerk)
        return NULL;
    pthread_mutex_init(&clerk->lock, NULL);
    clock_condition_init(&clerk->changed);
    clerk->trouble.every_seconds = AWAY_REMINDER_S;
    clerk->most = HINDSIGHT_MOST;
    clerk->book = options->book;
    clerk->keys = options->keys;
    clerk->directory = strdup(options->directory);
    clerk->db = db_new(options->conninfo, options->program);
    if (clerk->directory && clerk->db)
        return clerk;
    clerk_free(clerk);
    return NULL;
}

struct clerk *clerk_start(const struct clerk_options *options, struct buf *error)
{
    struct clerk *clerk = clerk_new(options);
    int failure;

    if (!clerk) {
        buf_add_str(error, "no memory for the thread that asks the database");
        return NULL;
    }
    failure = pthread_create(&clerk->thread, NULL, run, clerk);
    if (failure == 0)
        return clerk;
    buf_add_f(error, "cannot start the thread that asks the database: %s", strerrordesc_np(failure));
    clerk_free(clerk);
    return NULL;
}

void clerk_stop(struct clerk *clerk)
{
    if (!clerk)
        return;
    pthread_mutex_lock(&clerk->lock);
    clerk->stopping = true;
    pthread_cond_broadcast(&clerk->changed);
    pthread_mutex_unlock(&clerk->lock);
    db_end_by(clerk->db, 0);
    pthread_join(clerk->thread, NULL);
    clerk_free(clerk);
}
