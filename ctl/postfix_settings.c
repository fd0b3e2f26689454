/* SPDX-License-Identifier: BSD-2-Clause */
/* postfix_settings - see postfix_settings.h */

#include "ctl/postfix_settings.h"

#include <stdlib.h>
#include <string.h>

enum { SETTINGS_MOST = 16384, NAME_MOST = 512, DEPTH_MOST = 8, REFERENCES_MOST = 1000 };

void postfix_settings_init(struct postfix_settings *settings)
{
    *settings = (struct postfix_settings){0};
}

void postfix_settings_free(struct postfix_settings *settings)
{
    for (size_t n = 0; n < settings->count; n++) {
        free(settings->setting[n].name);
        free(settings->setting[n].value);
    }
    free(settings->setting);
    postfix_settings_init(settings);
}

static bool add(struct postfix_settings *settings, struct slice name, struct slice value)
{
    struct postfix_setting *more;

    if (settings->count == SETTINGS_MOST)
        return false;
    more = reallocarray(settings->setting, settings->count + 1, sizeof *more);
    if (!more)
        return false;
    settings->setting = more;
    more += settings->count;
    *more = (struct postfix_setting){strndup(name.len ? name.p : "", name.len), strndup(value.len ? value.p : "", value.len)};
    settings->count++;
    return more->name && more->value;
}

bool postfix_settings_read(struct postfix_settings *settings, struct slice text)
{
    while (!slice_empty(text)) {
        struct slice value = slice_cut(&text, '\n');
        bool setting = slice_find_char(value, '=') < value.len;
        struct slice name = slice_trim(slice_cut(&value, '='));

        if (setting && name.len && !add(settings, name, slice_trim(value)))
            return false;
    }
    return true;
}

const char *postfix_main(const struct postfix_settings *settings, const char *name)
{
    for (size_t n = settings->count; n > 0; n--)
        if (strcmp(settings->setting[n - 1].name, name) == 0)
            return settings->setting[n - 1].value;
    return NULL;
}

const char *postfix_own(const struct postfix_settings *settings, const char *service, const char *name)
{
    struct buf full;
    const char *value;

    buf_init(&full, NAME_MOST);
    buf_add_f(&full, "%s/%s", service, name);
    value = full.failed ? NULL : postfix_main(settings, buf_text(&full));
    buf_free(&full);
    return value;
}

const char *postfix_effective(const struct postfix_settings *settings, const char *service, const char *name)
{
    const char *value = postfix_own(settings, service, name);

    if (!value)
        value = postfix_main(settings, name);
    return value ? value : "";
}

char *postfix_next_service(const struct postfix_settings *settings, size_t *at)
{
    static const char field[] = "/command";

    while (*at < settings->count) {
        const char *name = settings->setting[(*at)++].name;
        size_t len = strlen(name);

        if (len > sizeof field - 1 && strcmp(name + len - (sizeof field - 1), field) == 0)
            return strndup(name, len - (sizeof field - 1));
    }
    return NULL;
}

bool postfix_runs(const struct postfix_settings *settings, const char *service, const char *program)
{
    struct slice command = slice_str(postfix_own(settings, service, "command"));

    return slice_is(slice_cut(&command, ' '), program);
}

bool postfix_chrooted(const struct postfix_settings *settings, const char *service)
{
    const char *field = postfix_own(settings, service, "chroot");
    const char *level = postfix_main(settings, "compatibility_level");

    if (field && strcmp(field, "-") != 0)
        return strcmp(field, "y") == 0;
    return !level || strcmp(level, "0") == 0; /* what "-" means changed with level 1 */
}

/* The name in a reference that begins at TEXT, which has a "$" there, and what follows it. Empty for what is none. */
static struct slice reference(const char *text, const char **rest)
{
    char close = text[1] == '{' ? '}' : text[1] == '(' ? ')' : '\0';
    const char *start = text + 1 + (close != '\0');
    size_t len = 0;

    while (ascii_is_alpha(start[len]) || ascii_is_digit(start[len]) || start[len] == '_')
        len++;
    *rest = start + len + (close != '\0');
    return close && start[len] != close ? slice_of("", 0) : slice_of(start, len);
}

/* LEFT references more are followed, for a name that stands for many of another grows with each step. */
static void expand(const struct postfix_settings *settings, const char *text, struct buf *out, int depth, size_t *left)
{
    char name[NAME_MOST];

    while (*text) {
        const char *rest, *value = NULL;
        struct slice found = *text == '$' && depth < DEPTH_MOST && *left > 0 ? reference(text, &rest) : slice_of("", 0);

        if (found.len && found.len < sizeof name) {
            memcpy(name, found.p, found.len);
            name[found.len] = '\0';
            value = postfix_main(settings, name);
        }
        if (value) {
            --*left;
            expand(settings, value, out, depth + 1, left);
        } else {
            buf_add_char(out, *text);
        }
        text = value ? rest : text + 1;
    }
}

void postfix_expand(const struct postfix_settings *settings, const char *text, struct buf *out)
{
    size_t left = REFERENCES_MOST;

    expand(settings, text, out, 0, &left);
}

bool postfix_list_has(const char *list, const char *word)
{
    static const char parting[] = ", \t";

    for (list += strspn(list, parting); *list; list += strspn(list, parting)) {
        size_t len = strcspn(list, parting);

        if (slice_is(slice_of(list, len), word))
            return true;
        list += len;
    }
    return false;
}
