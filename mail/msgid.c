/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * msgid - reading ids out of whatever stands in the header, and building References.
 *
 * Reading takes what is between brackets when it looks like one id, else every run of bytes with an @
 * inside. One pass: nothing is looked at more than a fixed number of times.
 */

#include "mail/msgid.h"

enum { REFERENCES_NEWEST = 8 /* ids at the end that stay */ };

static bool ends_bare_id(char c)
{
    return (unsigned char)c <= ' ' || c == 0x7F || strchr("<>(),;\"", c) != NULL;
}

static size_t count_ats(struct slice s)
{
    size_t ats = 0;

    for (size_t at = 0; at < s.len; at++)
        ats += s.p[at] == '@';
    return ats;
}

static bool looks_like_id(struct slice s)
{
    return s.len >= 3 && s.len <= MSGID_MAX && s.p[0] != '@' && s.p[s.len - 1] != '@' && count_ats(s) > 0;
}

/* When the list is full its second id goes: the root of a thread and its newest mails are what counts. */
static void list_add(struct msgid_list *list, struct slice id)
{
    for (size_t n = 0; n < list->count; n++)
        if (slice_eq_i(list->id[n], id))
            return;
    if (list->count == MSGID_LIST_MAX) {
        memmove(&list->id[1], &list->id[2], (MSGID_LIST_MAX - 2) * sizeof list->id[0]);
        list->count--;
    }
    list->id[list->count++] = id;
}

/*
 * The id between the bracket that begins REST and the next one. Odd bytes are fine when there is one @
 * (RFC 5322 4.5.4 allows quoted left sides); with more it is a list inside one pair of brackets.
 */
static bool bracketed_id(struct slice rest, struct slice *id)
{
    bool odd = false;
    size_t end = 1;

    while (end < rest.len && end <= MSGID_MAX + 1 && rest.p[end] != '>') {
        char c = rest.p[end];
        if ((unsigned char)c <= ' ' || c == 0x7F || c == '<')
            return false;
        odd = odd || ends_bare_id(c);
        end++;
    }
    if (end >= rest.len || rest.p[end] != '>')
        return false;
    *id = slice_of(rest.p + 1, end - 1);
    return looks_like_id(*id) && (!odd || count_ats(*id) == 1);
}

/* Bytes of the comment that begins REST, nested ones included (RFC 5322 3.2.2); 0 when it never ends. */
static size_t comment_length(struct slice rest)
{
    size_t depth = 0;

    for (size_t at = 0; at < rest.len; at++) {
        if (rest.p[at] == '\\')
            at++;
        else if (rest.p[at] == '(')
            depth++;
        else if (rest.p[at] == ')' && --depth == 0)
            return at + 1;
    }
    return 0;
}

static size_t bare_length(struct slice rest)
{
    size_t len = 0;

    while (len < rest.len && !ends_bare_id(rest.p[len]))
        len++;
    return len;
}

void msgid_list_read(struct slice value, struct msgid_list *list)
{
    bool comments_end = true; /* once one does not, none is looked for: the time stays linear */

    while (value.len) {
        struct slice id;
        size_t used = 0;

        if (value.p[0] == '(' && comments_end) {
            used = comment_length(value);
            comments_end = used > 0;
        } else if (value.p[0] == '<' && bracketed_id(value, &id)) {
            list_add(list, id);
            used = id.len + 2;
        } else if ((used = bare_length(value)) > 0) {
            id = slice_of(value.p, used);
            if (looks_like_id(id))
                list_add(list, id);
        }
        value = slice_from(value, used ? used : 1);
    }
}

/* RFC 5322 3.2.3 */
static bool is_atext(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_atom(struct slice s)
{
    bool after_dot = true;

    for (size_t at = 0; at < s.len; at++) {
        bool dot = s.p[at] == '.';
        if ((dot && after_dot) || (!dot && !is_atext(s.p[at])))
            return false;
        after_dot = dot;
    }
    return !after_dot;
}

static bool is_label(struct slice s)
{
    for (size_t at = 0; at < s.len; at++)
        if (!ascii_is_alpha(s.p[at]) && !ascii_is_digit(s.p[at]) && s.p[at] != '-')
            return false;
    return s.len >= 1 && s.len <= 63 && s.p[0] != '-' && s.p[s.len - 1] != '-';
}

/* At least two labels, the last not a number: Gmail replaces ids of a bare host name or an IP address. */
static bool is_fqdn(struct slice s)
{
    size_t labels = 0;

    for (;;) {
        const char *dot = memchr(s.p, '.', s.len);
        struct slice label = slice_of(s.p, dot ? (size_t)(dot - s.p) : s.len);
        if (!is_label(label))
            return false;
        labels++;
        if (!dot)
            return labels >= 2 && ascii_is_alpha(label.p[0]);
        s = slice_from(s, label.len + 1);
    }
}

bool msgid_valid(struct slice value)
{
    struct slice id = slice_trim(value);
    const char *at;

    if (id.len < 5 || id.len > MSGID_MAX + 2 || id.p[0] != '<' || id.p[id.len - 1] != '>')
        return false;
    id = slice_of(id.p + 1, id.len - 2);
    at = memchr(id.p, '@', id.len);
    if (!at)
        return false;
    return is_dot_atom(slice_of(id.p, (size_t)(at - id.p))) && is_fqdn(slice_from(id, (size_t)(at - id.p) + 1));
}

/* What the request asks to add may never be dropped. */
static bool is_asked_for(const struct references_request *request, struct slice id)
{
    bool asked = slice_eq_i(id, request->anchor);

    for (size_t n = 0; n < sizeof request->more / sizeof request->more[0]; n++)
        asked = asked || slice_eq_i(id, request->more[n]);
    return asked;
}

static size_t references_bytes(const struct msgid_list *list)
{
    size_t bytes = 0;

    for (size_t n = 0; n < list->count; n++)
        bytes += list->id[n].len + (n ? sizeof "\n\t<>" : sizeof "<>") - 1;
    return bytes;
}

/* Drops ids until the rest fits, oldest first; the first of all and the KEEP newest stay. */
static void shorten(const struct references_request *request, struct msgid_list *list, size_t keep, bool anchors_only)
{
    size_t n = 1;

    while (n + keep < list->count && references_bytes(list) >= REFERENCES_MAX) {
        struct slice id = list->id[n];
        bool stays = is_asked_for(request, id) ||
                     (anchors_only && !(request->is_anchor && request->is_anchor(request->arg, id)));
        if (stays) {
            n++;
            continue;
        }
        list->count--;
        memmove(&list->id[n], &list->id[n + 1], (list->count - n) * sizeof list->id[0]);
    }
}

static void add_with_twin(const struct references_request *request, struct slice id, struct msgid_list *list)
{
    struct slice twin = request->twin ? request->twin(request->arg, id) : slice_str("");

    list_add(list, id);
    if (!slice_empty(twin))
        list_add(list, twin);
}

bool references_build(const struct references_request *request, struct buf *out)
{
    struct msgid_list old = {.count = 0};
    struct msgid_list list = {.count = 0};

    msgid_list_read(request->old, &old);
    for (size_t n = 0; n < old.count; n++)
        add_with_twin(request, old.id[n], &list);
    for (size_t n = 0; n < sizeof request->more / sizeof request->more[0]; n++)
        if (!slice_empty(request->more[n]))
            add_with_twin(request, request->more[n], &list);
    if (!slice_empty(request->anchor))
        list_add(&list, request->anchor);

    shorten(request, &list, REFERENCES_NEWEST, true);
    shorten(request, &list, REFERENCES_NEWEST, false);
    shorten(request, &list, 0, true); /* only very long ids get here */
    shorten(request, &list, 0, false);

    for (size_t n = 0; n < list.count; n++) {
        buf_add_str(out, n ? "\n\t<" : "<");
        buf_add_slice(out, list.id[n]);
        buf_add_char(out, '>');
    }
    return !out->failed;
}
