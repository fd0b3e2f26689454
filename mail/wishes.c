/* SPDX-License-Identifier: BSD-2-Clause */
/* wishes - see wishes.h */

#include "mail/wishes.h"

#include <strings.h>

enum { NO_VIEWS = 1, NO_LINKS = 2 };

/* Header fields of other senders whose value says no to something. */
static const struct refusal {
    const char *name;
    const char *value;
    unsigned refuses;
} refusals[] = {
    {"X-Mailgun-Track", "no", NO_VIEWS | NO_LINKS},
    {"X-Mailgun-Track", "false", NO_VIEWS | NO_LINKS},
    {"X-Mailgun-Track-Opens", "no", NO_VIEWS},
    {"X-Mailgun-Track-Opens", "false", NO_VIEWS},
    {"X-Mailgun-Track-Clicks", "no", NO_LINKS},
    {"X-Mailgun-Track-Clicks", "false", NO_LINKS},
    {"X-PM-TrackOpens", "false", NO_VIEWS},
    {"X-PM-TrackLinks", "None", NO_LINKS},
    {"X-PM-TrackLinks", "TextOnly", NO_LINKS},
};

/* Calls EACH for every comma-separated word of VALUE. */
static void each_word(struct slice value, void (*each)(struct wishes *, struct slice), struct wishes *wishes)
{
    while (value.len) {
        const char *comma = memchr(value.p, ',', value.len);
        size_t len = comma ? (size_t)(comma - value.p) : value.len;

        each(wishes, slice_trim(slice_of(value.p, len)));
        value = slice_from(value, comma ? len + 1 : len);
    }
}

static void restrict_level(struct wishes *wishes, enum tracking_level level)
{
    if (level < wishes->level)
        wishes->level = level;
}

static void read_our_word(struct wishes *wishes, struct slice word)
{
    if (slice_is_i(word, "off"))
        restrict_level(wishes, LEVEL_OFF);
    else if (slice_is_i(word, "aggregate"))
        restrict_level(wishes, LEVEL_AGGREGATE);
    else if (slice_is_i(word, "no-views"))
        wishes->views = false;
    else if (slice_is_i(word, "no-links"))
        wishes->links = false;
    else if (word.len && !slice_is_i(word, "individual"))
        wishes->unknown = true;
}

/* X-MC-Track names what is wanted; what it does not name is not. */
static void read_mandrill(const char *value, struct wishes *wishes)
{
    struct slice text = slice_str(value);

    if (slice_find_i(text, "opens") == (size_t)-1)
        wishes->views = false;
    if (slice_find_i(text, "clicks") == (size_t)-1)
        wishes->links = false;
}

/* Does the JSON text hold "NAME" : false? Good enough for the two flat options that matter. */
static bool json_says_false(struct slice json, const char *name)
{
    size_t at = slice_find_i(json, name);
    struct slice rest;

    if (at == (size_t)-1)
        return false;
    rest = slice_trim(slice_from(json, at + strlen(name)));
    if (!rest.len || rest.p[0] != ':')
        return false;
    return slice_starts_i(slice_trim(slice_from(rest, 1)), slice_str("false"));
}

static void read_sparkpost(const char *value, struct wishes *wishes)
{
    struct slice json = slice_str(value);

    if (json_says_false(json, "\"open_tracking\""))
        wishes->views = false;
    if (json_says_false(json, "\"click_tracking\""))
        wishes->links = false;
}

/* SendGrid: {"filters":{"opentrack":{"settings":{"enable":0}}}}: the next "enable" behind the filter's name. */
static bool filter_is_off(struct slice json, const char *name)
{
    size_t at = slice_find_i(json, name);
    struct slice rest = slice_from(json, at == (size_t)-1 ? json.len : at);

    at = slice_find_i(rest, "\"enable\"");
    if (at == (size_t)-1)
        return false;
    rest = slice_trim(slice_from(rest, at + strlen("\"enable\"")));
    if (!rest.len || rest.p[0] != ':')
        return false;
    rest = slice_trim(slice_from(rest, 1));
    return rest.len && (rest.p[0] == '0' || slice_starts_i(rest, slice_str("false")) || slice_starts_i(rest, slice_str("\"0\"")));
}

static void read_sendgrid(const char *value, struct wishes *wishes)
{
    struct slice json = slice_str(value);

    if (filter_is_off(json, "\"opentrack\""))
        wishes->views = false;
    if (filter_is_off(json, "\"clicktrack\""))
        wishes->links = false;
}

static void read_refusals(const struct header_field *field, struct wishes *wishes)
{
    for (size_t row = 0; row < sizeof refusals / sizeof *refusals; row++) {
        if (strcasecmp(field->name, refusals[row].name) != 0 ||
            !slice_is_i(slice_trim(slice_str(field->value)), refusals[row].value))
            continue;
        if (refusals[row].refuses & NO_VIEWS)
            wishes->views = false;
        if (refusals[row].refuses & NO_LINKS)
            wishes->links = false;
    }
}

void wishes_read(const struct header_list *headers, struct wishes *wishes)
{
    for (size_t at = 0; at < headers->count; at++) {
        const struct header_field *field = &headers->field[at];

        if (ascii_lower(field->name[0]) != 'x')
            continue;
        if (strcasecmp(field->name, "X-Spoor-Track") == 0)
            each_word(slice_str(field->value), read_our_word, wishes);
        else if (strcasecmp(field->name, "X-MC-Track") == 0)
            read_mandrill(field->value, wishes);
        else if (strcasecmp(field->name, "X-MSYS-API") == 0)
            read_sparkpost(field->value, wishes);
        else if (strcasecmp(field->name, "X-SMTPAPI") == 0)
            read_sendgrid(field->value, wishes);
        else
            read_refusals(field, wishes);
    }
}

bool wishes_is_control(const char *name)
{
    return strncasecmp(name, "X-Spoor-", 8) == 0;
}
