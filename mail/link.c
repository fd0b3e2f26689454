/* SPDX-License-Identifier: BSD-2-Clause */
/* link - see link.h */

#include "mail/link.h"
#include "mail/reference.h"

enum { LOOKED_AT_MAX = 2000 }; /* bytes of a URL or text that words are looked for in */

struct mark {
    struct slice name;
    const char *value; /* NULL: any */
    enum link_mark mark;
};

/* The opt-outs of other senders' templates: SendGrid, SparkPost, Amazon SES, Postmark, Mautic, Halon, ahoy.
 */
static const struct mark marks[] = {
    {SLICE_TEXT("clicktracking"), "off", LINK_MARK_GOES},
    {SLICE_TEXT("data-msys-clicktrack"), "0", LINK_MARK_STAYS},
    {SLICE_TEXT("data-msys-unsubscribe"), "1", LINK_MARK_UNSUBSCRIBE},
    {SLICE_TEXT("ses:no-track"), NULL, LINK_MARK_GOES},
    {SLICE_TEXT("data-pm-no-track"), NULL, LINK_MARK_STAYS},
    {SLICE_TEXT("data-mautic-disable-tracking"), "true", LINK_MARK_STAYS},
    {SLICE_TEXT("mautic:disable-tracking"), NULL, LINK_MARK_GOES},
    {SLICE_TEXT("tracking"), "off", LINK_MARK_GOES},
    {SLICE_TEXT("data-disable-tracking"), "true", LINK_MARK_STAYS},
};

/* In the languages of Europe's newsletters, as text (UTF-8) and as parts of URLs. */
static const char *const unsubscribe_words[] = {"unsubscri",
                                                "unsub/",
                                                "opt-out",
                                                "optout",
                                                "opt_out",
                                                "opt out",
                                                "abmeld",
                                                "abbestell",
                                                "desabon",
                                                "d\xc3\xa9sabon",
                                                "d\xc3\xa9sinscri",
                                                "desinscri",
                                                "darse de baja",
                                                "cancelar la suscrip",
                                                "desuscrib",
                                                "cancelar inscri",
                                                "descadastr",
                                                "disiscri",
                                                "cancella iscri",
                                                "afmelden",
                                                "uitschrijv",
                                                "avmeld",
                                                "avprenumer",
                                                "afmeld",
                                                "wypisz",
                                                "odhl\xc3\xa1s",
                                                "leiratkoz",
                                                "dezabon",
                                                NULL};

/* Endings of files that look like a top-level domain in "report.pdf". */
static const char *const file_endings[] = {"pdf", "doc",  "docx", "xls", "xlsx", "ppt", "pptx",
                                           "odt", "ods",  "odp",  "zip", "png",  "jpg", "jpeg",
                                           "gif", "html", "htm",  "txt", "csv",  "js",  NULL};

bool link_url(struct slice value, struct buf *out, bool *foreign)
{
    size_t kept = 0, start = 0;

    *foreign = false;
    buf_reset(out);
    if (!reference_decode(value, out, foreign))
        return false;
    while (start < out->len && (unsigned char)out->data[start] <= ' ')
        start++;
    while (out->len > start && (unsigned char)out->data[out->len - 1] <= ' ')
        out->len--;
    for (size_t at = start; at < out->len; at++)
        if (out->data[at] != '\t' && out->data[at] != '\r' && out->data[at] != '\n')
            out->data[kept++] = out->data[at];
    out->len = kept;
    if (out->data)
        out->data[kept] = '\0';
    return true;
}

bool link_is_http(struct slice url)
{
    return slice_starts_i(url, slice_str("http:")) || slice_starts_i(url, slice_str("https:"));
}

size_t link_notrack(struct slice url, struct slice *scheme)
{
    static const char *const names[] = {"http+notrack://", "https+notrack://"};

    for (size_t at = 0; at < 2; at++)
        if (slice_starts_i(url, slice_str(names[at]))) {
            *scheme = slice_str(at ? "https" : "http");
            return strlen(names[at]) - strlen("://");
        }
    return 0;
}

/* In lower case, and cut, so that words can be looked for. */
static void lower_copy(struct slice text, char lower[LOOKED_AT_MAX + 1])
{
    size_t len = text.len < LOOKED_AT_MAX ? text.len : LOOKED_AT_MAX;

    for (size_t at = 0; at < len; at++)
        lower[at] = ascii_lower(text.p[at]);
    lower[len] = '\0';
}

static bool holds_word(struct slice text, const char *const *words)
{
    char lower[LOOKED_AT_MAX + 1];

    lower_copy(text, lower);
    for (; *words; words++)
        if (strstr(lower, *words))
            return true;
    return false;
}

static bool is_file_ending(struct slice label)
{
    for (size_t at = 0; file_endings[at]; at++)
        if (slice_is_i(label, file_endings[at]))
            return true;
    return false;
}

/* "example.com" or "example.com/path": at least two labels, the last of letters. */
static bool begins_with_host(struct slice text)
{
    size_t at = 0, label = 0, dots = 0;

    for (; at < text.len && text.p[at] != '/' && text.p[at] != ':' && text.p[at] != '?'; at++) {
        if (text.p[at] == '.') {
            if (at == label)
                return false;
            dots++;
            label = at + 1;
        } else if (!ascii_is_alpha(text.p[at]) && !ascii_is_digit(text.p[at]) && text.p[at] != '-') {
            return false;
        }
    }
    for (size_t letter = label; letter < at; letter++)
        if (!ascii_is_alpha(text.p[letter]))
            return false;
    return dots && at - label >= 2 && !is_file_ending(slice_of(text.p + label, at - label));
}

bool link_text_is_url(struct slice text)
{
    text = slice_trim(text);
    for (size_t at = 0; at < text.len; at++)
        if (ascii_is_space(text.p[at]))
            return false;
    return slice_starts_i(text, slice_str("http://")) || slice_starts_i(text, slice_str("https://")) ||
           slice_starts_i(text, slice_str("www.")) || begins_with_host(text);
}

bool link_is_unsubscribe(struct slice url, struct slice text)
{
    return holds_word(url, unsubscribe_words) || holds_word(text, unsubscribe_words);
}

/* The pieces between the stars, one behind the other: where each is found first is as good as any place. */
static bool holds_pieces(struct slice text, struct slice pattern)
{
    while (pattern.len) {
        const char *star = memchr(pattern.p, '*', pattern.len);
        size_t len = star ? (size_t)(star - pattern.p) : pattern.len;
        const char *found = len ? memmem(text.p, text.len, pattern.p, len) : text.p;

        if (!found)
            return false;
        text = slice_from(text, (size_t)(found - text.p) + len);
        pattern = slice_from(pattern, star ? len + 1 : len);
    }
    return true;
}

bool link_holds_pattern(struct slice url, const struct rewrite_patterns *patterns)
{
    char lower[LOOKED_AT_MAX + 1];

    lower_copy(url, lower);
    for (size_t at = 0; at < patterns->count; at++)
        if (holds_pieces(slice_str(lower), slice_str(patterns->item[at])))
            return true;
    return false;
}

/* Between "//" and what ends the authority; a user name never gets here, such a URL is not signed. */
static struct slice host_of(struct slice url)
{
    size_t start = slice_find_i(url, "://"), len = 0;
    struct slice host = slice_from(url, start == (size_t)-1 ? url.len : start + 3);

    while (len < host.len && !strchr("/:?#\\", host.p[len]))
        len++;
    while (len && host.p[len - 1] == '.')
        len--;
    return slice_of(host.p, len);
}

bool link_host_in(struct slice url, const struct rewrite_patterns *domains)
{
    struct slice host = host_of(url);

    for (size_t at = 0; at < domains->count; at++) {
        struct slice domain = slice_str(domains->item[at]);

        if (!slice_starts_i(domain, slice_str("*."))) {
            if (slice_eq_i(host, domain))
                return true;
            continue;
        }
        domain = slice_from(domain, 1);
        if (host.len > domain.len && slice_eq_i(slice_from(host, host.len - domain.len), domain))
            return true;
    }
    return false;
}

enum link_mark link_mark_of(const struct html_attribute *attribute)
{
    for (size_t at = 0; at < sizeof marks / sizeof marks[0]; at++)
        if (slice_eq_i(attribute->name, marks[at].name) &&
            (!marks[at].value || slice_is_i(slice_trim(attribute->value), marks[at].value)))
            return marks[at].mark;
    return LINK_MARK_NONE;
}
