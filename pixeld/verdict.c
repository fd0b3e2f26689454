/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/verdict.h"

#include "pixeld/agent.h"

#include <stdbool.h>
#include <string.h>

/* What the rows look at. */
struct facts {
    const struct request *request;
    enum hit_kind kind;
    const struct client *client;
    enum agent_class agent;
    int64_t age_ms;
};

enum { EARLY_MS = 60 * 1000, TOO_SOON_MS = 3 * 1000, CLOCKS_DIFFER_MS = 60 * 1000 };

static bool any(const struct facts *facts)
{
    return facts != NULL;
}

static bool is_view(const struct facts *facts)
{
    return facts->kind == HIT_VIEW;
}

static bool is_head(const struct facts *facts)
{
    return facts->request->method == REQUEST_HEAD;
}

static bool is_prefetch(const struct facts *facts)
{
    static const enum request_field fields[] = {REQUEST_PURPOSE, REQUEST_SEC_PURPOSE, REQUEST_X_PURPOSE,
                                                REQUEST_X_MOZ};

    for (size_t n = 0; n < sizeof fields / sizeof *fields; n++) {
        struct slice value = facts->request->field[fields[n]];

        if (slice_starts_i(value, slice_str("prefetch")) || slice_starts_i(value, slice_str("preview")))
            return true;
    }
    return false;
}

static bool is_scanner(const struct facts *facts)
{
    return facts->agent == AGENT_SCANNER;
}

static bool is_preview(const struct facts *facts)
{
    return facts->agent == AGENT_PREVIEW;
}

static bool is_library(const struct facts *facts)
{
    return facts->agent == AGENT_LIBRARY;
}

static bool is_crawler(const struct facts *facts)
{
    return facts->agent == AGENT_CRAWLER;
}

static bool has_no_agent(const struct facts *facts)
{
    return facts->agent == AGENT_EMPTY;
}

/* Exchange Online Protection looks into links from 104.47.0.0/16, without a name. */
static bool is_microsoft_without_agent(const struct facts *facts)
{
    const struct client *client = facts->client;

    return has_no_agent(facts) && client->address_bytes == 4 && client->address[0] == 104 &&
           client->address[1] == 47;
}

/* A little before the mail can only be two clocks that differ. */
static bool is_younger(const struct facts *facts, int64_t ms)
{
    return facts->age_ms >= -CLOCKS_DIFFER_MS && facts->age_ms < ms;
}

static bool is_early(const struct facts *facts)
{
    return is_younger(facts, EARLY_MS);
}

static bool is_apple_view(const struct facts *facts)
{
    return is_view(facts) && facts->agent == AGENT_APPLE_MPP;
}

static bool is_google_prefetch_view(const struct facts *facts)
{
    return is_view(facts) && facts->agent == AGENT_GOOGLE_PREFETCH;
}

static bool is_google_view(const struct facts *facts)
{
    return is_view(facts) && facts->agent == AGENT_GOOGLE_PROXY;
}

static bool is_early_google_view(const struct facts *facts)
{
    return is_google_view(facts) && is_early(facts);
}

static bool is_early_webkit_view(const struct facts *facts)
{
    return is_view(facts) && facts->agent == AGENT_BARE_WEBKIT && is_early(facts);
}

static bool is_yahoo_view(const struct facts *facts)
{
    return is_view(facts) && facts->agent == AGENT_YAHOO_PROXY;
}

static bool is_fastmail_view(const struct facts *facts)
{
    return is_view(facts) && facts->agent == AGENT_FASTMAIL_PROXY;
}

static bool is_shortwave_view(const struct facts *facts)
{
    return is_view(facts) && facts->agent == AGENT_SHORTWAVE_PROXY;
}

static bool is_click_too_soon(const struct facts *facts)
{
    return facts->kind == HIT_CLICK && is_younger(facts, TOO_SOON_MS);
}

/* Fetch Metadata: browsers send these when a person follows a link, and programs that imitate them rarely
 * do. */
static bool is_navigation(const struct facts *facts)
{
    const struct slice *field = facts->request->field;

    return facts->kind == HIT_CLICK && slice_is_i(field[REQUEST_SEC_FETCH_MODE], "navigate") &&
           slice_is(field[REQUEST_SEC_FETCH_USER], "?1") && !slice_empty(field[REQUEST_ACCEPT_LANGUAGE]);
}

/* The host of an http or https URL, without port. */
static struct slice host_of(struct slice url)
{
    size_t start = slice_starts_i(url, slice_str("https://"))  ? 8
                   : slice_starts_i(url, slice_str("http://")) ? 7
                                                               : 0;
    struct slice host;
    size_t end = 0;

    if (start == 0)
        return slice_of("", 0);
    host = slice_from(url, start);
    while (end < host.len && strchr("/:?#", host.p[end]) == NULL)
        end++;
    return slice_of(host.p, end);
}

static bool referer_is_one_of(const struct facts *facts, const char *const *domains, size_t count)
{
    struct slice host = host_of(facts->request->field[REQUEST_REFERER]);

    for (size_t n = 0; n < count; n++) {
        struct slice domain = slice_str(domains[n]);
        size_t before = host.len - domain.len;

        if (host.len >= domain.len && slice_eq_i(slice_from(host, before), domain) &&
            (before == 0 || host.p[before - 1] == '.'))
            return true;
    }
    return false;
}

/* Their links lead through a page, so somebody looked at the mail and followed one. */
static bool is_click_from_rewriter(const struct facts *facts)
{
    static const char *const domains[] = {"safelinks.protection.outlook.com",
                                          "urldefense.proofpoint.com",
                                          "urldefense.com",
                                          "linkprotect.cudasvc.com",
                                          "mimecast.com",
                                          "secure-web.cisco.com"};

    return facts->kind == HIT_CLICK && referer_is_one_of(facts, domains, sizeof domains / sizeof *domains);
}

static bool is_click_from_webmail(const struct facts *facts)
{
    static const char *const domains[] = {"mail.google.com",       "outlook.live.com", "outlook.office.com",
                                          "outlook.office365.com", "mail.yahoo.com",   "mail.aol.com",
                                          "mail.proton.me",        "app.fastmail.com", "mail.zoho.com"};

    return facts->kind == HIT_CLICK && referer_is_one_of(facts, domains, sizeof domains / sizeof *domains);
}

static bool is_browser_view(const struct facts *facts)
{
    return is_view(facts) && (facts->agent == AGENT_BROWSER || facts->agent == AGENT_BARE_WEBKIT);
}

static bool is_early_browser_view(const struct facts *facts)
{
    return is_browser_view(facts) && is_early(facts);
}

struct row {
    bool (*matches)(const struct facts *facts);
    struct verdict verdict;
};

static const struct row rows[] = {
    {is_head, {VERDICT_BOT, "head"}},
    {is_prefetch, {VERDICT_PREFETCH, "purpose_prefetch"}},
    {is_scanner, {VERDICT_BOT, "agent_scanner"}},
    {is_preview, {VERDICT_BOT, "agent_preview"}},
    {is_library, {VERDICT_BOT, "agent_library"}},
    {is_crawler, {VERDICT_BOT, "agent_crawler"}},
    {is_microsoft_without_agent, {VERDICT_BOT, "agent_empty_microsoft"}},
    {is_apple_view, {VERDICT_PREFETCH, "apple_mpp"}},
    {is_google_prefetch_view, {VERDICT_PREFETCH, "google_prefetch"}},
    {is_early_google_view, {VERDICT_PREFETCH, "google_proxy_early"}},
    {is_early_webkit_view, {VERDICT_PREFETCH, "webkit_early"}},
    {is_google_view, {VERDICT_PROXY, "google_proxy"}},
    {is_yahoo_view, {VERDICT_PROXY, "yahoo_proxy"}},
    {is_fastmail_view, {VERDICT_PROXY, "fastmail_proxy"}},
    {is_shortwave_view, {VERDICT_PROXY, "shortwave_proxy"}},
    {is_click_too_soon, {VERDICT_BOT, "too_soon"}},
    {is_navigation, {VERDICT_HUMAN, "navigation"}},
    {is_click_from_rewriter, {VERDICT_HUMAN, "referer_rewriter"}},
    {is_click_from_webmail, {VERDICT_HUMAN, "referer_webmail"}},
    /* A person more than 60 s after delivery, which only hindsight knows. */
    {is_early_browser_view, {VERDICT_UNKNOWN, "browser_early"}},
    {is_browser_view, {VERDICT_UNKNOWN, "browser"}},
    {has_no_agent, {VERDICT_UNKNOWN, "agent_empty"}},
    {any, {VERDICT_UNKNOWN, "none"}},
};

struct verdict verdict_of(const struct request *request, enum hit_kind kind, const struct client *client,
                          int64_t age_ms)
{
    struct facts facts = {
        .request = request,
        .kind = kind,
        .client = client,
        .agent = agent_classify(request->field[REQUEST_USER_AGENT]),
        .age_ms = age_ms,
    };
    size_t n = 0;

    while (!rows[n].matches(&facts))
        n++;
    return rows[n].verdict;
}
