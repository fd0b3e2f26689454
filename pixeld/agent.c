/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/agent.h"

#include <stdbool.h>

struct agent_name {
    struct slice start; /* of a word, lower case; the table is sorted by its first letter */
    enum agent_class class_;
};

#define NAME(text) {text, sizeof(text) - 1}

static const struct agent_name names[] = {
    {NAME("aiohttp"), AGENT_LIBRARY},
    {NAME("airmail"), AGENT_BROWSER},
    {NAME("apache-httpclient"), AGENT_LIBRARY},
    {NAME("axios/"), AGENT_LIBRARY},
    {NAME("barracuda"), AGENT_SCANNER},
    {NAME("bingpreview"), AGENT_PREVIEW},
    {NAME("ciscosecureemail"), AGENT_SCANNER},
    {NAME("cloudflareradarurlscanner"), AGENT_SCANNER},
    {NAME("curl/"), AGENT_LIBRARY},
    {NAME("edge/12.246 mozilla/5.0"), AGENT_GOOGLE_PREFETCH},
    {NAME("facebookexternalhit"), AGENT_PREVIEW},
    {NAME("fastmailua/"), AGENT_FASTMAIL_PROXY},
    {NAME("forcepoint"), AGENT_SCANNER},
    {NAME("ggpht.com googleimageproxy"), AGENT_GOOGLE_PROXY},
    {NAME("go-http-client"), AGENT_LIBRARY},
    {NAME("googleimageproxy"), AGENT_GOOGLE_PROXY},
    {NAME("guzzlehttp"), AGENT_LIBRARY},
    {NAME("headless"), AGENT_LIBRARY},
    {NAME("java/"), AGENT_LIBRARY},
    {NAME("k9mail"), AGENT_BROWSER},
    {NAME("libwww-perl"), AGENT_LIBRARY},
    {NAME("microsoft office existence discovery"), AGENT_SCANNER},
    {NAME("microsoft outlook"), AGENT_BROWSER},
    {NAME("microsoftpreview"), AGENT_PREVIEW},
    {NAME("mimecast"), AGENT_SCANNER},
    {NAME("node-fetch"), AGENT_LIBRARY},
    {NAME("okhttp"), AGENT_LIBRARY},
    {NAME("phantomjs"), AGENT_LIBRARY},
    {NAME("proofpoint"), AGENT_SCANNER},
    {NAME("python-"), AGENT_LIBRARY},
    {NAME("safelinks"), AGENT_SCANNER},
    {NAME("scmguard"), AGENT_SCANNER},
    {NAME("shortwave image fetcher"), AGENT_SHORTWAVE_PROXY},
    {NAME("skypeuripreview"), AGENT_PREVIEW},
    {NAME("slack-imgproxy"), AGENT_PREVIEW},
    {NAME("slackbot"), AGENT_PREVIEW},
    {NAME("sophos"), AGENT_SCANNER},
    {NAME("symantec"), AGENT_SCANNER},
    {NAME("telegrambot"), AGENT_PREVIEW},
    {NAME("thunderbird"), AGENT_BROWSER},
    {NAME("tmes"), AGENT_SCANNER},
    {NAME("trendmicro"), AGENT_SCANNER},
    {NAME("urldefense"), AGENT_SCANNER},
    {NAME("virustotal"), AGENT_SCANNER},
    {NAME("wget/"), AGENT_LIBRARY},
    {NAME("whatsapp"), AGENT_PREVIEW},
    {NAME("yahoomailproxy"), AGENT_YAHOO_PROXY},
    {NAME("zscaler"), AGENT_SCANNER},
};
enum { NAMES = sizeof names / sizeof *names };

static bool in_word(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* Where the names with this first letter begin, or would. */
static size_t names_of(char first)
{
    size_t from = 0, to = NAMES;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (names[middle].start.p[0] < first)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

static enum agent_class name_at(struct slice rest)
{
    char first = ascii_lower(rest.p[0]);

    for (size_t n = names_of(first); n < NAMES && names[n].start.p[0] == first; n++)
        if (slice_starts_i(rest, names[n].start))
            return names[n].class_;
    return AGENT_OTHER;
}

static bool ends_i(struct slice word, const char *end)
{
    struct slice tail = slice_str(end);

    return word.len >= tail.len && slice_eq_i(slice_from(word, word.len - tail.len), tail);
}

/* Cubot makes telephones. */
static bool is_crawler(struct slice word)
{
    return (ends_i(word, "bot") && !slice_is_i(word, "cubot")) || ends_i(word, "crawler") ||
           ends_i(word, "spider");
}

static enum agent_class named_class(struct slice agent)
{
    bool crawler = false;

    for (size_t at = 0; at < agent.len;) {
        enum agent_class found;
        size_t end = at;

        while (end < agent.len && in_word(agent.p[end]))
            end++;
        if (end == at) {
            at++;
            continue;
        }
        found = name_at(slice_from(agent, at));
        if (found != AGENT_OTHER)
            return found;
        crawler = crawler || is_crawler(slice_of(agent.p + at, end - at));
        at = end;
    }
    return crawler ? AGENT_CRAWLER : AGENT_OTHER;
}

/* A platform in brackets: what browsers and most mail programs have sent since 1995. */
static bool is_full(struct slice agent)
{
    return slice_starts_i(agent, slice_str("mozilla/5.0 (")) ||
           slice_starts_i(agent, slice_str("mozilla/4.0 ("));
}

enum agent_class agent_classify(struct slice user_agent)
{
    struct slice agent = slice_trim(user_agent);
    enum agent_class named;

    if (slice_empty(agent))
        return AGENT_EMPTY;
    if (slice_is(agent, "Mozilla/5.0"))
        return AGENT_APPLE_MPP;
    named = named_class(agent);
    if (named != AGENT_OTHER)
        return named;
    if (ends_i(agent, "applewebkit/605.1.15 (khtml, like gecko)"))
        return AGENT_BARE_WEBKIT;
    return is_full(agent) ? AGENT_BROWSER : AGENT_OTHER;
}
