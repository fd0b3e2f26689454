/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/agent.h"

#include <stdbool.h>

struct agent_name {
    const char *start; /* of a word, lower case; the table is sorted by its first letter */
    enum agent_class class_;
};

static const struct agent_name names[] = {
    {"aiohttp", AGENT_LIBRARY},
    {"airmail", AGENT_BROWSER},
    {"apache-httpclient", AGENT_LIBRARY},
    {"axios/", AGENT_LIBRARY},
    {"barracuda", AGENT_SCANNER},
    {"bingpreview", AGENT_PREVIEW},
    {"ciscosecureemail", AGENT_SCANNER},
    {"cloudflareradarurlscanner", AGENT_SCANNER},
    {"curl/", AGENT_LIBRARY},
    {"edge/12.246 mozilla/5.0", AGENT_GOOGLE_PREFETCH},
    {"facebookexternalhit", AGENT_PREVIEW},
    {"fastmailua/", AGENT_FASTMAIL_PROXY},
    {"forcepoint", AGENT_SCANNER},
    {"ggpht.com googleimageproxy", AGENT_GOOGLE_PROXY},
    {"go-http-client", AGENT_LIBRARY},
    {"googleimageproxy", AGENT_GOOGLE_PROXY},
    {"guzzlehttp", AGENT_LIBRARY},
    {"headless", AGENT_LIBRARY},
    {"java/", AGENT_LIBRARY},
    {"k9mail", AGENT_BROWSER},
    {"libwww-perl", AGENT_LIBRARY},
    {"microsoft office existence discovery", AGENT_SCANNER},
    {"microsoft outlook", AGENT_BROWSER},
    {"microsoftpreview", AGENT_PREVIEW},
    {"mimecast", AGENT_SCANNER},
    {"node-fetch", AGENT_LIBRARY},
    {"okhttp", AGENT_LIBRARY},
    {"phantomjs", AGENT_LIBRARY},
    {"proofpoint", AGENT_SCANNER},
    {"python-", AGENT_LIBRARY},
    {"safelinks", AGENT_SCANNER},
    {"scmguard", AGENT_SCANNER},
    {"shortwave image fetcher", AGENT_SHORTWAVE_PROXY},
    {"skypeuripreview", AGENT_PREVIEW},
    {"slack-imgproxy", AGENT_PREVIEW},
    {"slackbot", AGENT_PREVIEW},
    {"sophos", AGENT_SCANNER},
    {"symantec", AGENT_SCANNER},
    {"telegrambot", AGENT_PREVIEW},
    {"thunderbird", AGENT_BROWSER},
    {"tmes", AGENT_SCANNER},
    {"trendmicro", AGENT_SCANNER},
    {"urldefense", AGENT_SCANNER},
    {"virustotal", AGENT_SCANNER},
    {"wget/", AGENT_LIBRARY},
    {"whatsapp", AGENT_PREVIEW},
    {"yahoomailproxy", AGENT_YAHOO_PROXY},
    {"zscaler", AGENT_SCANNER},
};
enum { NAMES = sizeof names / sizeof *names };

static bool in_word(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

static enum agent_class name_at(struct slice rest)
{
    char first = ascii_lower(rest.p[0]);

    for (size_t n = 0; n < NAMES && names[n].start[0] <= first; n++)
        if (names[n].start[0] == first && slice_starts_i(rest, slice_str(names[n].start)))
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
    return (ends_i(word, "bot") && !slice_is_i(word, "cubot")) || ends_i(word, "crawler") || ends_i(word, "spider");
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
    return slice_starts_i(agent, slice_str("mozilla/5.0 (")) || slice_starts_i(agent, slice_str("mozilla/4.0 ("));
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
