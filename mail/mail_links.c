/* SPDX-License-Identifier: BSD-2-Clause */
/* mail_links - see mail_links.h */

#include "mail/mail_links.h"
#include "common/url.h"
#include "mail/link.h"

#include <stdlib.h>

enum { LISTED_URL_MAX = 2000, FIRST_LINKS = 32, UNSUBSCRIBE_SHORTEST = 10 };

bool mail_links_full(const struct mail_links *links)
{
    return links->result->links == REWRITE_LINKS_MAX;
}

bool mail_links_add(struct mail_links *links, struct rewrite_link link, struct slice url)
{
    struct rewrite_result *result = links->result;

    if (result->links == links->size) {
        size_t size = links->size ? links->size * 2 : FIRST_LINKS;
        struct rewrite_link *grown = reallocarray(result->link, size, sizeof *grown);

        if (!grown)
            return false;
        result->link = grown;
        links->size = size;
    }
    link.destination = strndup(url.len ? url.p : "", url.len < LISTED_URL_MAX ? url.len : LISTED_URL_MAX);
    if (!link.destination)
        return false;
    result->link[result->links++] = link;
    return true;
}

bool mail_links_begins_as_ours(const struct mail_links *links, struct slice url)
{
    const char *ours = links->settings->tracking_url;

    return ours && *ours && slice_starts_i(url, slice_str(ours));
}

enum rewrite_own mail_links_own(const struct mail_links *links, struct slice url, struct buf *destination)
{
    const struct rewrite_urls *urls = &links->settings->urls;

    buf_reset(destination);
    if (!urls->own || !mail_links_begins_as_ours(links, url))
        return REWRITE_NOT_OWN;
    return urls->own(urls->arg, url, destination);
}

bool mail_links_address(struct mail_links *links, struct slice url, struct buf *out)
{
    const struct rewrite_urls *urls = &links->settings->urls;

    links->result->documents++;
    buf_reset(out);
    return urls->address && urls->address(urls->arg, url, out) && !slice_eq(buf_slice(out), url);
}

static bool listed_for_unsubscribe(const struct mail_links *links, struct slice url)
{
    struct slice fields = links->unsubscribe;

    return url.len > UNSUBSCRIBE_SHORTEST && fields.len && memmem(fields.p, fields.len, url.p, url.len) != NULL;
}

enum rewrite_fate mail_links_judge(const struct mail_links *links, struct slice url, struct link_place place)
{
    const struct rewrite_settings *settings = links->settings;

    if (!link_is_http(url))
        return LINK_NOT_HTTP;
    if (place.quoted)
        return place.was_ours ? LINK_UNWRAPPED : LINK_QUOTED;
    if (place.foreign || !url_destination_ok(url))
        return LINK_UNSIGNABLE;
    if (listed_for_unsubscribe(links, url) || link_is_unsubscribe(url, slice_str("")))
        return LINK_UNSUBSCRIBE;
    if (link_holds_pattern(url, &settings->sensitive))
        return LINK_SENSITIVE;
    if (link_host_in(url, &settings->untracked))
        return LINK_EXCLUDED;
    if (!settings->track_links)
        return place.was_ours ? LINK_UNWRAPPED : LINK_NOT_ASKED;
    return LINK_WRAPPED;
}

unsigned mail_links_wrap(struct mail_links *links, struct slice url, size_t most, struct buf *out,
                         enum rewrite_fate *fate)
{
    const struct rewrite_urls *urls = &links->settings->urls;
    unsigned index = destination_number(&links->destinations, url);

    buf_reset(out);
    if (index == 0)
        *fate = LINK_TOO_MANY;
    else if (!urls->click(urls->arg, index, url, out) || out->failed)
        *fate = LINK_UNSIGNABLE;
    else if (out->len > most)
        *fate = LINK_NO_ROOM;
    else
        *fate = LINK_WRAPPED;
    return *fate == LINK_WRAPPED ? index : 0;
}
