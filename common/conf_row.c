/* SPDX-License-Identifier: BSD-2-Clause */
/* conf_row - see conf_row.h */

#include "common/conf_row.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum { VALUE_MAX = 64 * 1024 };

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first: a number is written with the first one that divides it. */
static const struct unit milliseconds[] = {{"d", 86400000}, {"h", 3600000}, {"min", 60000},
                                           {"s", 1000},     {"ms", 1},      {0}};
static const struct unit seconds[] = {{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}, {0}};
static const struct unit sizes[] = {{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"", 1}, {0}};
static const struct unit plain[] = {{"", 1}, {0}};
static const struct unit priorities[] = {{"err", LOG_ERR},   {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
                                         {"info", LOG_INFO}, {"debug", LOG_DEBUG},     {0}};

static const struct unit *units_of(enum conf_type type)
{
    switch (type) {
    case CONF_MILLISECONDS: return milliseconds;
    case CONF_SECONDS: return seconds;
    case CONF_SIZE: return sizes;
    default: return plain;
    }
}

static void *field(const struct conf_row *row, void *of)
{
    return (char *)of + row->offset;
}

static const void *field_of(const struct conf_row *row, const void *of)
{
    return (const char *)of + row->offset;
}

bool conf_row_is_list(const struct conf_row *row)
{
    return row->type == CONF_LIST || row->type == CONF_JOINED;
}

static bool is_textual(const struct conf_row *row)
{
    return row->type == CONF_TEXT || conf_row_is_list(row);
}

static bool parse_digits(const char **text, unsigned base, int64_t *value)
{
    const char *start = *text;

    *value = 0;
    for (; ascii_is_digit(**text); (*text)++) {
        if (**text - '0' >= (int)base || __builtin_mul_overflow(*value, (int64_t)base, value) ||
            __builtin_add_overflow(*value, (int64_t)(**text - '0'), value))
            return false;
    }
    return *text > start;
}

static bool parse_with_unit(const char *text, const struct unit *units, int64_t *value)
{
    if (!parse_digits(&text, 10, value))
        return false;
    while (*text == ' ')
        text++;
    for (const struct unit *unit = units; unit->name; unit++)
        if (strcasecmp(text, unit->name) == 0)
            return !__builtin_mul_overflow(*value, unit->factor, value);
    return *text == '\0' && *value == 0; /* nothing is nothing in any unit */
}

static bool parse_bool(const char *text, int64_t *value)
{
    *value = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
    return *value || strcmp(text, "no") == 0 || strcmp(text, "false") == 0;
}

static bool parse_word(const char *const *words, const char *text, int64_t *value)
{
    for (*value = 0; words[*value]; ++*value)
        if (strcmp(words[*value], text) == 0)
            return true;
    return false;
}

static bool parse_priority(const char *text, int64_t *value)
{
    for (const struct unit *priority = priorities; priority->name; priority++) {
        *value = priority->factor;
        if (strcmp(priority->name, text) == 0)
            return true;
    }
    return false;
}

/* Everything but the texts is a number in the end. */
static bool parse_number(const struct conf_row *row, const char *text, int64_t *value)
{
    switch (row->type) {
    case CONF_BOOL: return parse_bool(text, value);
    case CONF_CHOICE: return parse_word(row->words, text, value);
    case CONF_PRIORITY: return parse_priority(text, value);
    case CONF_OCTAL: return parse_digits(&text, 8, value) && *text == '\0';
    default: return parse_with_unit(text, units_of(row->type), value);
    }
}

static bool add_number(const struct conf_row *row, int64_t value, struct buf *out)
{
    const struct unit *unit = units_of(row->type);

    if (row->type == CONF_OCTAL)
        return buf_add_f(out, "0%llo", (unsigned long long)value);
    while (value % unit->factor != 0 || (value == 0 && unit[1].name))
        unit++;
    return buf_add_f(out, "%lld%s", (long long)(value / unit->factor), unit->name);
}

bool conf_row_add_range(const struct conf_row *row, struct buf *out)
{
    switch (row->type) {
    case CONF_BOOL:
        return buf_add_str(out, "yes or no");
    case CONF_PRIORITY:
        for (const struct unit *priority = priorities; priority->name; priority++)
            buf_add_f(out, "%s%s", priority == priorities ? "" : ", ", priority->name);
        return !out->failed;
    case CONF_CHOICE:
        for (const char *const *word = row->words; *word; word++)
            buf_add_f(out, "%s%s", word == row->words ? "" : ", ", *word);
        return !out->failed;
    case CONF_TEXT:
        return buf_add_str(out, row->wanted ? row->wanted : "text");
    case CONF_LIST:
    case CONF_JOINED:
        return buf_add_f(out, "list; each %s", row->wanted ? row->wanted : "text");
    default:
        return add_number(row, row->least, out) && buf_add_str(out, " to ") && add_number(row, row->most, out);
    }
}

static bool has_control_bytes(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static bool normalize(const struct conf_row *row, const char *text, struct buf *out)
{
    buf_reset(out);
    return row->normalize ? row->normalize(slice_str(text), out) : buf_add_str(out, text);
}

static bool text_ok(const struct conf_row *row, const char *text)
{
    struct buf normal;
    bool fine;

    /* An empty text is "none"; whether there must be one is not asked here. */
    if (row->type != CONF_LIST && *text == '\0')
        return true;
    buf_init(&normal, VALUE_MAX);
    fine = normalize(row, text, &normal);
    buf_free(&normal);
    return fine;
}

bool conf_row_check(const struct conf_row *row, const char *text, struct buf *why)
{
    int64_t value = 0;
    bool fine;

    if (has_control_bytes(text)) {
        buf_add_f(why, "the value of %s has a control character in it", row->name);
        return false;
    }
    if (is_textual(row))
        fine = text_ok(row, text);
    else
        fine = parse_number(row, text, &value) &&
               (row->type == CONF_BOOL || row->type == CONF_CHOICE || row->type == CONF_PRIORITY ||
                (value >= row->least && value <= row->most));
    if (fine)
        return true;
    buf_add_f(why, "\"%.200s\" is no value for %s; wanted: ", text, row->name);
    conf_row_add_range(row, why);
    return false;
}

void conf_row_clear(const struct conf_row *row, void *of)
{
    if (row->type == CONF_LIST) {
        struct conf_list *list = field(row, of);

        for (size_t n = 0; n < list->count; n++)
            free(list->item[n]);
        free(list->item);
        *list = (struct conf_list){0};
    } else if (is_textual(row)) {
        char **text = field(row, of);

        free(*text);
        *text = NULL;
    }
}

static bool set_list(const struct conf_row *row, struct conf_list *list, const char *const *texts, size_t count)
{
    struct buf normal;

    buf_init(&normal, VALUE_MAX);
    list->item = calloc(count ? count : 1, sizeof *list->item);
    while (list->item && list->count < count) {
        char *item = normalize(row, texts[list->count], &normal) ? buf_steal(&normal) : NULL;

        if (!item)
            break;
        list->item[list->count++] = item;
    }
    buf_free(&normal);
    return list->item && list->count == count;
}

static bool set_text(const struct conf_row *row, char **text, const char *const *texts, size_t count)
{
    struct buf joined, normal;
    bool fine = true;

    buf_init(&joined, VALUE_MAX);
    buf_init(&normal, VALUE_MAX);
    for (size_t n = 0; n < count && fine; n++) {
        if (*texts[n] == '\0')
            continue;
        fine = normalize(row, texts[n], &normal) && (joined.len == 0 || buf_add_char(&joined, ',')) &&
               buf_add_slice(&joined, buf_slice(&normal));
    }
    *text = fine ? buf_steal(&joined) : NULL;
    buf_free(&joined);
    buf_free(&normal);
    return *text != NULL;
}

bool conf_row_set(const struct conf_row *row, void *of, const char *const *texts, size_t count)
{
    int64_t value;

    conf_row_clear(row, of);
    if (row->type == CONF_LIST)
        return set_list(row, field(row, of), texts, count);
    if (is_textual(row))
        return set_text(row, field(row, of), texts, count);
    if (count != 1 || !parse_number(row, texts[0], &value))
        return false;
    if (row->type == CONF_BOOL)
        *(bool *)field(row, of) = value != 0;
    else if (row->type == CONF_CHOICE)
        *(unsigned *)field(row, of) = (unsigned)value;
    else
        *(int64_t *)field(row, of) = value;
    return true;
}

bool conf_row_set_default(const struct conf_row *row, void *of)
{
    enum { ITEMS = 64 };
    const char *items[ITEMS] = {row->initial};
    size_t count = 1;
    char *copy = NULL, *rest;
    bool set;

    if (row->type == CONF_LIST) {
        copy = rest = strdup(row->initial);
        count = 0;
        while (rest && *rest && count < ITEMS)
            items[count++] = strsep(&rest, ",");
        if (!copy)
            return false;
    }
    set = !(row->type == CONF_LIST && rest && *rest) && conf_row_set(row, of, items, count); /* none is left out */
    free(copy);
    return set;
}

bool conf_row_is_empty(const struct conf_row *row, const void *of)
{
    if (row->type == CONF_LIST)
        return ((const struct conf_list *)field_of(row, of))->count == 0;
    return is_textual(row) && **(char *const *)field_of(row, of) == '\0';
}

bool conf_row_add_quoted(struct buf *out, const char *text)
{
    /* Inside "" libconfuse would replace ${NAME}; inside '' it does not. */
    char quote = strchr(text, '$') ? '\'' : '"';

    buf_add_char(out, quote);
    for (; *text; text++) {
        if (*text == quote || *text == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
    return buf_add_char(out, quote);
}

static bool add_list(const struct conf_list *list, struct buf *out)
{
    buf_add_str(out, "{");
    for (size_t n = 0; n < list->count; n++) {
        buf_add_str(out, n ? ", " : " ");
        conf_row_add_quoted(out, list->item[n]);
    }
    return buf_add_str(out, list->count ? " }" : "}");
}

bool conf_row_add_value(const struct conf_row *row, const void *of, struct buf *out)
{
    const void *at = field_of(row, of);

    switch (row->type) {
    case CONF_TEXT:
    case CONF_JOINED:
        return conf_row_add_quoted(out, *(char *const *)at);
    case CONF_LIST:
        return add_list(at, out);
    case CONF_BOOL:
        return buf_add_str(out, *(const bool *)at ? "yes" : "no");
    case CONF_CHOICE:
        return buf_add_f(out, "\"%s\"", row->words[*(const unsigned *)at]);
    case CONF_PRIORITY:
        for (const struct unit *priority = priorities; priority->name; priority++)
            if (priority->factor == *(const int64_t *)at)
                return buf_add_f(out, "\"%s\"", priority->name);
        return false;
    default:
        return add_number(row, *(const int64_t *)at, out);
    }
}
