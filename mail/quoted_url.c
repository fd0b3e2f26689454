/* SPDX-License-Identifier: BSD-2-Clause */
/* quoted_url - see quoted_url.h */

#include "mail/base64.h"
#include "mail/mime.h"
#include "mail/qp.h"
#include "mail/quoted_url.h"

#include <stdint.h>

enum {
    DECODED_MAX = 1024 * 1024, /* of one part */
    URL_MAX = 8192,
    DEPTH_MAX = 2, /* mails in a mail */
};

static const char encoded_slashes[] = "%3a%2f%2f";

struct searching {
    const struct quoted_url_search *search;
    struct slice scheme; /* of tracking_url */
    struct slice host;   /* its name alone: no port, no path */
    size_t asked;
    bool found;
};

static size_t position(struct slice text, struct slice wanted)
{
    const char *at = wanted.len && text.len ? memmem(text.p, text.len, wanted.p, wanted.len) : NULL;

    return at ? (size_t)(at - text.p) : SIZE_MAX;
}

/* A soft line break of quoted-printable may cut the host once, so one of its halves is whole. */
static bool may_hold(const struct searching *searching, struct slice text)
{
    size_t half = searching->host.len / 2;

    return position(text, slice_of(searching->host.p, half)) != SIZE_MAX ||
           position(text, slice_from(searching->host, half)) != SIZE_MAX;
}

/* What our URLs are made of, also when they are encoded once more. */
static bool is_url_byte(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c && strchr(":/._%~-", c));
}

static bool ask(struct searching *searching, struct slice url)
{
    const struct quoted_url_search *search = searching->search;

    if (searching->asked == QUOTED_URLS_MAX || url.len > URL_MAX)
        return false;
    searching->asked++;
    searching->found = search->is_ours(search->arg, url);
    return searching->found;
}

/* In plain text the end of a sentence stands right behind. */
static void ask_plain(struct searching *searching, struct slice url)
{
    if (ask(searching, url))
        return;
    if (url.p[url.len - 1] == '.' || url.p[url.len - 1] == ':')
        ask(searching, slice_of(url.p, url.len - 1));
}

static void ask_encoded(struct searching *searching, struct slice url)
{
    struct buf decoded;

    buf_init(&decoded, URL_MAX);
    for (size_t at = 0; at < url.len; at++) {
        int high = url.p[at] == '%' && at + 2 < url.len ? ascii_hex_value(url.p[at + 1]) : -1;
        int low = high >= 0 ? ascii_hex_value(url.p[at + 2]) : -1;

        buf_add_char(&decoded, low < 0 ? url.p[at] : (char)(high * 16 + low));
        if (low >= 0)
            at += 2;
    }
    if (!decoded.failed)
        ask(searching, buf_slice(&decoded));
    buf_free(&decoded);
}

/* Does START stand in TEXT right before AT? */
static bool stands_before(struct slice text, size_t at, struct slice start)
{
    return at >= start.len && slice_starts_i(slice_from(text, at - start.len), start);
}

/* The host was found at AT: is it the host of a URL? */
static void ask_at(struct searching *searching, struct slice text, size_t at)
{
    static const struct slice plain = SLICE_TEXT("://");
    const struct slice encoded = slice_str(encoded_slashes);
    bool is_plain = stands_before(text, at, plain);
    size_t slashes = is_plain ? plain.len : encoded.len, start;
    struct slice url;

    if (!is_plain && !stands_before(text, at, encoded))
        return;
    if (!stands_before(text, at - slashes, searching->scheme))
        return;
    start = at - slashes - searching->scheme.len;
    url = slice_from(text, start);
    for (url.len = at - start; start + url.len < text.len && is_url_byte(text.p[start + url.len]);)
        url.len++;
    if (is_plain)
        ask_plain(searching, url);
    else
        ask_encoded(searching, url);
}

static void search_text(struct searching *searching, struct slice text)
{
    size_t start = 0, found;

    while (!searching->found && searching->asked < QUOTED_URLS_MAX &&
           (found = position(slice_from(text, start), searching->host)) != SIZE_MAX) {
        ask_at(searching, text, start + found);
        start += found + searching->host.len;
    }
}

static void search_part(struct searching *searching, const struct mime_part *part, struct slice text)
{
    struct qp_map map = {.lines = 0};
    struct buf decoded;

    if (part->encoding == MIME_IDENTITY) {
        search_text(searching, text);
        return;
    }
    buf_init(&decoded, DECODED_MAX);
    if (part->encoding == MIME_BASE64)
        base64_decode(text, &decoded);
    else if (may_hold(searching, text))
        qp_decode(text, &decoded, &map);
    search_text(searching, buf_slice(&decoded));
    qp_map_free(&map);
    buf_free(&decoded);
}

static void search_mail(struct searching *searching, const struct header_list *headers, struct slice body, int depth);

static void search_returned(struct searching *searching, struct slice mail, int depth)
{
    struct header_list headers;

    header_list_init(&headers);
    mail = slice_from(mail, header_parse(mail, &headers));
    search_mail(searching, &headers, mail, depth);
    header_list_free(&headers);
}

static void search_mail(struct searching *searching, const struct header_list *headers, struct slice body, int depth)
{
    struct mime_tree tree;
    bool done;

    if (depth == DEPTH_MAX)
        return;
    done = mime_scan(headers, body, &tree);
    for (size_t at = 0; done && at < tree.count && !searching->found; at++) {
        const struct mime_part *part = &tree.part[at];
        struct slice text = slice_of(body.p + part->at, part->len);

        if (strcmp(part->type, "message/rfc822") == 0 || strcmp(part->type, "message/global") == 0)
            search_returned(searching, text, depth + 1);
        else if (!part->multipart && slice_starts_i(slice_str(part->type), slice_str("text/")))
            search_part(searching, part, text);
    }
    mime_tree_free(&tree);
}

/* The scheme and host of tracking_url. */
static bool read_tracking_url(struct searching *searching)
{
    struct slice url = slice_str(searching->search->tracking_url);
    size_t colon = position(url, slice_str("://"));

    if (colon == SIZE_MAX)
        return false;
    searching->scheme = slice_of(url.p, colon);
    searching->host = slice_from(url, colon + 3);
    searching->host.len = strcspn(searching->host.p, ":/");
    return searching->host.len > 1;
}

bool quoted_url_find(const struct header_list *headers, struct slice body, const struct quoted_url_search *search)
{
    struct searching searching = {.search = search};

    if (read_tracking_url(&searching))
        search_mail(&searching, headers, body, 0);
    return searching.found;
}
