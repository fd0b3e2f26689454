/* SPDX-License-Identifier: BSD-2-Clause */
/* who is behind a hit: row by row, and which row wins */

#include "pixeld/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHROME                                                                                             \
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 "       \
    "Safari/537.36"
#define WEBKIT "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
#define GOOGLE "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
#define EDGE12                                                                                             \
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "                    \
    "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
#define YAHOO "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"

static struct rules *rules; /* the built-in ones */

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

struct field {
    enum request_field name;
    const char *value;
};

struct row {
    const char *name;
    enum hit_kind kind;
    enum request_method method;
    int64_t age_ms;
    const char *agent;
    struct field field[3];
    uint8_t address[2];
    enum hit_verdict verdict;
    const char *reason;
};

#define PERSON                                                                                              \
    {{REQUEST_SEC_FETCH_MODE, "navigate"}, {REQUEST_SEC_FETCH_USER, "?1"}, {REQUEST_ACCEPT_LANGUAGE, "de"}}
#define NO_FIELDS {{0, NULL}}
#define ELSEWHERE {192, 0}

static const struct row table[] = {
    {"HEAD", HIT_VIEW, REQUEST_HEAD, HOUR, CHROME, NO_FIELDS, ELSEWHERE, VERDICT_BOT, "head"},
    {"HEAD of a click wins over all signs of a person", HIT_CLICK, REQUEST_HEAD, HOUR, CHROME, PERSON,
     ELSEWHERE, VERDICT_BOT, "head"},
    {"Purpose",
     HIT_CLICK,
     REQUEST_GET,
     HOUR,
     CHROME,
     {{REQUEST_PURPOSE, "prefetch"}},
     ELSEWHERE,
     VERDICT_PREFETCH,
     "purpose_prefetch"},
    {"Sec-Purpose with a parameter",
     HIT_CLICK,
     REQUEST_GET,
     HOUR,
     CHROME,
     {{REQUEST_SEC_PURPOSE, "prefetch;prerender"}},
     ELSEWHERE,
     VERDICT_PREFETCH,
     "purpose_prefetch"},
    {"X-Moz",
     HIT_VIEW,
     REQUEST_GET,
     HOUR,
     CHROME,
     {{REQUEST_X_MOZ, "prefetch"}},
     ELSEWHERE,
     VERDICT_PREFETCH,
     "purpose_prefetch"},
    {"scanner", HIT_CLICK, REQUEST_GET, HOUR, "Mozilla/5.0 (compatible; Barracuda Sentinel)", PERSON,
     ELSEWHERE, VERDICT_BOT, "agent_scanner"},
    {"preview", HIT_CLICK, REQUEST_GET, HOUR, "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
     NO_FIELDS, ELSEWHERE, VERDICT_BOT, "agent_preview"},
    {"library", HIT_VIEW, REQUEST_GET, HOUR, "python-requests/2.31", NO_FIELDS, ELSEWHERE, VERDICT_BOT,
     "agent_library"},
    {"headless browser", HIT_CLICK, REQUEST_GET, HOUR, "Mozilla/5.0 (X11) HeadlessChrome/120", PERSON,
     ELSEWHERE, VERDICT_BOT, "agent_library"},
    {"crawler", HIT_CLICK, REQUEST_GET, HOUR, "Mozilla/5.0 (compatible; AhrefsBot/7.0)", NO_FIELDS,
     ELSEWHERE, VERDICT_BOT, "agent_crawler"},
    {"nameless from Microsoft",
     HIT_CLICK,
     REQUEST_GET,
     HOUR,
     "",
     NO_FIELDS,
     {104, 47},
     VERDICT_BOT,
     "agent_empty_microsoft"},
    {"nameless from elsewhere", HIT_CLICK, REQUEST_GET, HOUR, "", NO_FIELDS, ELSEWHERE, VERDICT_UNKNOWN,
     "agent_empty"},
    {"a browser from Microsoft",
     HIT_CLICK,
     REQUEST_GET,
     HOUR,
     CHROME,
     PERSON,
     {104, 47},
     VERDICT_HUMAN,
     "navigation"},
    {"Apple MPP", HIT_VIEW, REQUEST_GET, HOUR, "Mozilla/5.0", NO_FIELDS, ELSEWHERE, VERDICT_PREFETCH,
     "apple_mpp"},
    {"its name on a click", HIT_CLICK, REQUEST_GET, HOUR, "Mozilla/5.0", NO_FIELDS, ELSEWHERE,
     VERDICT_UNKNOWN, "none"},
    {"Google's prefetcher, whenever", HIT_VIEW, REQUEST_GET, HOUR, EDGE12, NO_FIELDS, ELSEWHERE,
     VERDICT_PREFETCH, "google_prefetch"},
    {"Google's proxy at delivery", HIT_VIEW, REQUEST_GET, 59 * SECOND, GOOGLE, NO_FIELDS, ELSEWHERE,
     VERDICT_PREFETCH, "google_proxy_early"},
    {"Google's proxy later", HIT_VIEW, REQUEST_GET, 61 * SECOND, GOOGLE, NO_FIELDS, ELSEWHERE,
     VERDICT_PROXY, "google_proxy"},
    {"a clock a little behind", HIT_VIEW, REQUEST_GET, -5 * SECOND, GOOGLE, NO_FIELDS, ELSEWHERE,
     VERDICT_PREFETCH, "google_proxy_early"},
    {"a clock far behind tells nothing", HIT_VIEW, REQUEST_GET, -HOUR, GOOGLE, NO_FIELDS, ELSEWHERE,
     VERDICT_PROXY, "google_proxy"},
    {"bare WebKit at delivery", HIT_VIEW, REQUEST_GET, 9 * SECOND, WEBKIT, NO_FIELDS, ELSEWHERE,
     VERDICT_PREFETCH, "webkit_early"},
    {"bare WebKit later", HIT_VIEW, REQUEST_GET, HOUR, WEBKIT, NO_FIELDS, ELSEWHERE, VERDICT_UNKNOWN,
     "browser"},
    {"Yahoo", HIT_VIEW, REQUEST_GET, HOUR, YAHOO, NO_FIELDS, ELSEWHERE, VERDICT_PROXY, "yahoo_proxy"},
    {"Fastmail", HIT_VIEW, REQUEST_GET, HOUR, "FastmailUA/1.0", NO_FIELDS, ELSEWHERE, VERDICT_PROXY,
     "fastmail_proxy"},
    {"Shortwave", HIT_VIEW, REQUEST_GET, HOUR, "Shortwave Image Fetcher", NO_FIELDS, ELSEWHERE,
     VERDICT_PROXY, "shortwave_proxy"},
    {"click before anybody could read", HIT_CLICK, REQUEST_GET, 2 * SECOND, CHROME, PERSON, ELSEWHERE,
     VERDICT_BOT, "too_soon"},
    {"navigation", HIT_CLICK, REQUEST_GET, 5 * SECOND, CHROME, PERSON, ELSEWHERE, VERDICT_HUMAN,
     "navigation"},
    {"navigation without a language",
     HIT_CLICK,
     REQUEST_GET,
     HOUR,
     CHROME,
     {{REQUEST_SEC_FETCH_MODE, "navigate"}, {REQUEST_SEC_FETCH_USER, "?1"}},
     ELSEWHERE,
     VERDICT_UNKNOWN,
     "none"},
    {"behind a link rewriter",
     HIT_CLICK,
     REQUEST_GET,
     HOUR,
     CHROME,
     {{REQUEST_REFERER, "https://eur01.safelinks.protection.outlook.com/?url=x"}},
     ELSEWHERE,
     VERDICT_HUMAN,
     "referer_rewriter"},
    {"from webmail",
     HIT_CLICK,
     REQUEST_GET,
     HOUR,
     CHROME,
     {{REQUEST_REFERER, "https://mail.google.com/"}},
     ELSEWHERE,
     VERDICT_HUMAN,
     "referer_webmail"},
    {"from a host that only ends so",
     HIT_CLICK,
     REQUEST_GET,
     HOUR,
     CHROME,
     {{REQUEST_REFERER, "https://notmail.google.com.example/"}},
     ELSEWHERE,
     VERDICT_UNKNOWN,
     "none"},
    {"age alone shows no person", HIT_VIEW, REQUEST_GET, HOUR, CHROME, PERSON, ELSEWHERE, VERDICT_UNKNOWN,
     "browser"},
    {"a browser at once", HIT_VIEW, REQUEST_GET, 5 * SECOND, CHROME, NO_FIELDS, ELSEWHERE, VERDICT_UNKNOWN,
     "browser_early"},
    {"anything else", HIT_VIEW, REQUEST_GET, HOUR, "Something/1", NO_FIELDS, ELSEWHERE, VERDICT_UNKNOWN,
     "none"},
};

static void ignore(void *arg, const char *line)
{
    (void)arg;
    (void)line;
}

static void each_row(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof table / sizeof *table; n++) {
        const struct row *row = &table[n];
        struct request request = {.method = row->method};
        struct client client = {.address = {row->address[0], row->address[1]}, .address_bytes = 4};
        struct rules_question question = {&request, &client, row->kind, row->age_ms, false};
        struct verdict verdict;

        request.field[REQUEST_USER_AGENT] = slice_str(row->agent);
        for (size_t f = 0; f < 3; f++)
            if (row->field[f].value)
                request.field[row->field[f].name] = slice_str(row->field[f].value);
        verdict = verdict_of(rules, &question);
        print_message("# %s\n", row->name);
        assert_int_equal(verdict.reason.len, strlen(row->reason));
        assert_memory_equal(verdict.reason.p, row->reason, verdict.reason.len);
        assert_int_equal(verdict.verdict, row->verdict);
    }
}

/* Whoever asks for it, however: a rule for the office, HEAD, and what only a person's browser sends. */
static void a_decoy_is_followed_by_machines_alone(void **state)
{
    struct rules *own = rules_parse(slice_str("network\tany\t\tself\toffice\t192.0.0.0/16\n"), ignore, NULL);
    struct request request = {.method = REQUEST_HEAD,
                              .field = {[REQUEST_SEC_FETCH_MODE] = slice_str("navigate"),
                                        [REQUEST_SEC_FETCH_USER] = slice_str("?1"),
                                        [REQUEST_ACCEPT_LANGUAGE] = slice_str("de"),
                                        [REQUEST_USER_AGENT] = slice_str(CHROME)}};
    struct client client = {.address = {192, 0}, .address_bytes = 4};
    struct rules_question question = {&request, &client, HIT_CLICK, HOUR, true};
    struct verdict verdict;

    (void)state;
    assert_non_null(own);
    verdict = verdict_of(own, &question);
    assert_int_equal(verdict.verdict, VERDICT_BOT);
    assert_true(slice_is(verdict.reason, "decoy"));
    question.decoy = false;
    request.method = REQUEST_GET;
    assert_int_equal(verdict_of(own, &question).verdict, VERDICT_SELF);
    rules_let_go(own);
}

/* What a name says at any age. */
static const char *reason_of(const char *agent)
{
    static char text[64];
    struct request request = {.method = REQUEST_GET, .field = {[REQUEST_USER_AGENT] = slice_str(agent)}};
    struct client client = {.address_bytes = 0};
    struct rules_question question = {&request, &client, HIT_VIEW, HOUR, false};
    struct verdict verdict = verdict_of(rules, &question);

    snprintf(text, sizeof text, "%.*s", SLICE_ARG(verdict.reason));
    return text;
}

static void names_begin_words(void **state)
{
    (void)state;
    assert_string_equal(reason_of("curl/8.0"), "agent_library");
    assert_string_equal(reason_of("Mozilla/5.0 (X11) recurl/8.0"), "browser");
    assert_string_equal(reason_of("Mozilla/5.0 (Linux; Android 9; CUBOT X18)"), "browser");
    assert_string_equal(reason_of("Googlebot/2.1"), "agent_crawler");
    assert_string_equal(reason_of("  "), "agent_empty");
    assert_string_equal(reason_of("WGET/1.2"), "agent_library");
    assert_string_equal(reason_of("Zscaler"), "agent_scanner");
    assert_string_equal(reason_of("zzz"), "none");
}

static void fail_at(void *arg, const char *line)
{
    (void)arg;
    fail_msg("%s", line);
}

static int set_up(void **state)
{
    (void)state;
    rules = rules_parse(slice_str(rules_builtin), fail_at, NULL);
    return rules ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    rules_let_go(rules);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row),
        cmocka_unit_test(a_decoy_is_followed_by_machines_alone),
        cmocka_unit_test(names_begin_words),
    };

    return cmocka_run_group_tests_name("verdict", tests, set_up, tear_down);
}
