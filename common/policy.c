/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - see policy.h
 *
 * What is said of people stands in one array, sorted by side and name, so that a question is three searches: the
 * address, its domain, everybody. The same for campaigns, whose lines for one sender stand together, the longest pattern first,
 * and for logins.
 */
#include "common/policy.h"

#include "common/address.h"
#include "common/decimal.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PERSON_COLUMNS = 9, CAMPAIGN_COLUMNS = 5, LOGIN_COLUMNS = 3, COMPLAINT_MAX = 600, LINE_SHOWN = 200, NAMES = 3 };

struct person {
    enum policy_side side;
    struct slice who;
    enum tracking_level level;
    bool no_views, no_links, no_documents;
    struct slice files;
    uint64_t files_from;
};

struct membership {
    struct slice sender;
    struct slice campaign;
    struct slice header;
    struct slice pattern;
};

struct login {
    struct slice name;
    struct slice address;
};

struct policy {
    atomic_uint holders;
    bool unknown;
    char *text; /* behind all slices */
    struct person *person;
    size_t people;
    size_t recipients; /* of the people */
    size_t filers;     /* of the people: those with patterns of files */
    struct membership *membership;
    size_t memberships;
    struct login *login;
    size_t logins;
};

/* --- reading the text --------------------------------------------------------------------------------- */

static bool read_side(struct slice word, enum policy_side *side)
{
    *side = slice_is(word, "recipient") ? POLICY_RECIPIENT : POLICY_SENDER;
    return *side == POLICY_RECIPIENT || slice_is(word, "sender");
}

static bool read_level(struct slice word, enum tracking_level *level)
{
    if (!word.len) {
        *level = LEVEL_INDIVIDUAL;
        return true;
    }
    for (*level = LEVEL_OFF; *level <= LEVEL_INDIVIDUAL; ++*level)
        if (slice_is(word, tracking_level_name(*level)))
            return true;
    return false;
}

static bool read_refusal(struct slice word, bool *refused)
{
    *refused = slice_is(word, "false");
    return *refused || !word.len || slice_is(word, "true");
}

/* Nothing is no bytes. */
static bool read_bytes(struct slice digits, uint64_t *bytes)
{
    *bytes = 0;
    return !digits.len || decimal_read(digits, INT64_MAX, bytes);
}

static bool read_person(struct slice line, struct person *person)
{
    struct slice column[PERSON_COLUMNS];

    if (!slice_columns(line, column, PERSON_COLUMNS) || !slice_is(column[0], "policy"))
        return false;
    *person = (struct person){.who = column[2], .files = column[7]};
    return column[2].len && read_side(column[1], &person->side) && read_level(column[3], &person->level) &&
           read_refusal(column[4], &person->no_views) && read_refusal(column[5], &person->no_links) &&
           read_refusal(column[6], &person->no_documents) && read_bytes(column[8], &person->files_from);
}

/* Whom a policy line is about of which all else is not to be read. */
static bool read_person_off(struct slice line, struct person *person)
{
    struct slice word = slice_cut(&line, '\t'), side = slice_cut(&line, '\t');

    *person = (struct person){.who = slice_cut(&line, '\t'), .level = LEVEL_OFF};
    return slice_is(word, "policy") && read_side(side, &person->side) && person->who.len;
}

static bool read_membership(struct slice line, struct membership *membership)
{
    struct slice column[CAMPAIGN_COLUMNS];

    if (!slice_columns(line, column, CAMPAIGN_COLUMNS) || !slice_is(column[0], "campaign"))
        return false;
    *membership = (struct membership){column[1], column[2], column[3], column[4]};
    return column[1].len && column[2].len && column[3].len && column[4].len;
}

static bool read_login(struct slice line, struct login *login)
{
    struct slice column[LOGIN_COLUMNS];

    if (!slice_columns(line, column, LOGIN_COLUMNS) || !slice_is(column[0], "login"))
        return false;
    *login = (struct login){column[1], column[2]};
    return column[1].len && address_domain(column[2]).len;
}

static void complain_of(struct slice line, const char *what_follows, void (*complain)(void *arg, const char *line), void *arg)
{
    struct buf words;

    buf_init(&words, COMPLAINT_MAX);
    buf_add_f(&words, "policy: this is no line of it: \"%.*s\"; %s", (int)(line.len < LINE_SHOWN ? line.len : LINE_SHOWN), line.p,
              what_follows);
    complain(arg, buf_text(&words));
    buf_free(&words);
}

static void add_person(struct policy *policy)
{
    const struct person *person = &policy->person[policy->people++];

    policy->filers += person->files.len > 0;
    policy->recipients += person->side == POLICY_RECIPIENT;
}

static void read_lines(struct policy *policy, struct slice text, void (*complain)(void *arg, const char *line), void *arg)
{
    while (text.len) {
        struct slice line = slice_cut(&text, '\n');

        if (read_person(line, &policy->person[policy->people])) {
            add_person(policy);
        } else if (read_membership(line, &policy->membership[policy->memberships])) {
            policy->memberships++;
        } else if (read_login(line, &policy->login[policy->logins])) {
            policy->logins++;
        } else if (read_person_off(line, &policy->person[policy->people])) {
            add_person(policy);
            complain_of(line, "whom it names is not tracked", complain, arg);
        } else if (line.len) {
            complain_of(line, "it is left out", complain, arg);
        }
    }
}

static size_t count_lines(struct slice text)
{
    size_t lines = 0;

    for (; text.len; lines++)
        slice_cut(&text, '\n');
    return lines;
}

/* --- order ---------------------------------------------------------------------------------------------- */

static int compare_slices(struct slice a, struct slice b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.p, b.p, least) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_people(const void *left, const void *right)
{
    const struct person *a = left, *b = right;

    return a->side != b->side ? (int)a->side - (int)b->side : compare_slices(a->who, b->who);
}

static int compare_memberships(const void *left, const void *right)
{
    const struct membership *a = left, *b = right;
    int order = compare_slices(a->sender, b->sender);

    if (order == 0)
        order = (a->pattern.len < b->pattern.len) - (a->pattern.len > b->pattern.len);
    if (order == 0)
        order = compare_slices(a->pattern, b->pattern);
    return order ? order : compare_slices(a->header, b->header);
}

static int compare_logins(const void *left, const void *right)
{
    struct slice a = ((const struct login *)left)->name, b = ((const struct login *)right)->name;
    size_t least = a.len < b.len ? a.len : b.len;

    for (size_t at = 0; at < least; at++)
        if (ascii_lower(a.p[at]) != ascii_lower(b.p[at]))
            return ascii_lower(a.p[at]) - ascii_lower(b.p[at]);
    return (a.len > b.len) - (a.len < b.len);
}

struct policy *policy_parse(struct slice text, void (*complain)(void *arg, const char *line), void *arg)
{
    struct policy *policy = calloc(1, sizeof *policy);
    size_t lines = count_lines(text) + 1;

    if (!policy)
        return NULL;
    policy->holders = 1;
    policy->text = malloc(text.len + 1);
    policy->person = calloc(lines, sizeof *policy->person);
    policy->membership = calloc(lines, sizeof *policy->membership);
    policy->login = calloc(lines, sizeof *policy->login);
    if (!policy->text || !policy->person || !policy->membership || !policy->login) {
        policy_let_go(policy);
        return NULL;
    }
    if (text.len)
        memcpy(policy->text, text.p, text.len);
    read_lines(policy, slice_of(policy->text, text.len), complain, arg);
    qsort(policy->person, policy->people, sizeof *policy->person, compare_people);
    qsort(policy->membership, policy->memberships, sizeof *policy->membership, compare_memberships);
    qsort(policy->login, policy->logins, sizeof *policy->login, compare_logins);
    return policy;
}

struct policy *policy_unknown(void)
{
    struct policy *policy = policy_parse(slice_of(NULL, 0), NULL, NULL);

    if (policy)
        policy->unknown = true;
    return policy;
}

struct policy *policy_hold(struct policy *policy)
{
    atomic_fetch_add_explicit(&policy->holders, 1, memory_order_relaxed);
    return policy;
}

void policy_let_go(struct policy *policy)
{
    if (!policy || atomic_fetch_sub_explicit(&policy->holders, 1, memory_order_acq_rel) > 1)
        return;
    free(policy->text);
    free(policy->person);
    free(policy->membership);
    free(policy->login);
    free(policy);
}

struct policy_size policy_size(const struct policy *policy)
{
    return (struct policy_size){policy->people, policy->memberships, policy->logins};
}

bool policy_is_known(const struct policy *policy)
{
    return !policy || !policy->unknown;
}

/* --- questions ------------------------------------------------------------------------------------------- */

struct slice policy_owner(const struct policy *policy, struct slice login)
{
    const struct login sought = {.name = login};
    const struct login *found = NULL;

    if (policy && policy->logins)
        found = bsearch(&sought, policy->login, policy->logins, sizeof *policy->login, compare_logins);
    return found ? found->address : slice_of(NULL, 0);
}

/* By what somebody may be named, the narrowest first. */
static size_t names_of(struct slice address, struct slice name[NAMES])
{
    size_t names = 0;

    if (address.len) {
        name[names++] = address;
        name[names++] = address_domain(address);
    }
    name[names++] = slice_str("*");
    return names;
}

/* Where the lines of that name begin. */
static size_t find_people(const struct policy *policy, enum policy_side side, struct slice who)
{
    const struct person sought = {.side = side, .who = who};
    size_t first = 0, end = policy->people;

    while (first < end) {
        size_t middle = first + (end - first) / 2;

        if (compare_people(&policy->person[middle], &sought) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

/* Calls EACH for all that is said of ADDRESS; it ends when that gives true. */
static bool each_person(const struct policy *policy, enum policy_side side, struct slice address,
                        bool (*each)(void *arg, const struct person *person), void *arg)
{
    struct slice name[NAMES];
    size_t names = policy ? names_of(address, name) : 0;

    for (size_t n = 0; n < names; n++) {
        for (size_t at = find_people(policy, side, name[n]); at < policy->people; at++) {
            const struct person *person = &policy->person[at];

            if (person->side != side || !slice_eq(person->who, name[n]))
                break;
            if (each(arg, person))
                return true;
        }
    }
    return false;
}

struct limiting {
    struct policy_limits *limits;
    struct slice address;
};

static bool limit_by(void *arg, const struct person *person)
{
    const struct limiting *limiting = arg;
    struct policy_limits *limits = limiting->limits;

    if (person->level < limits->level) {
        limits->level = person->level;
        limits->whom = limiting->address;
    }
    limits->views &= !person->no_views;
    limits->links &= !person->no_links;
    limits->documents &= !person->no_documents;
    return false;
}

void policy_limit(const struct policy *policy, enum policy_side side, struct slice address, struct policy_limits *limits)
{
    struct limiting limiting = {limits, address};

    each_person(policy, side, address, limit_by, &limiting);
}

bool policy_has_recipients(const struct policy *policy)
{
    return policy && policy->recipients > 0;
}

bool policy_names_files(const struct policy *policy)
{
    return policy && policy->filers > 0;
}

/* One star back is enough: the shortest run that fits is as good as any. */
static bool fits(struct slice text, struct slice pattern)
{
    size_t at = 0, in = 0, star = pattern.len, resume = 0;

    while (at < text.len) {
        if (in < pattern.len && pattern.p[in] == '*') {
            star = in++;
            resume = at;
        } else if (in < pattern.len && ascii_lower(pattern.p[in]) == ascii_lower(text.p[at])) {
            in++;
            at++;
        } else if (star < pattern.len) {
            in = star + 1;
            at = ++resume;
        } else {
            return false;
        }
    }
    while (in < pattern.len && pattern.p[in] == '*')
        in++;
    return in == pattern.len;
}

struct file {
    struct slice name;
    uint64_t bytes;
};

static bool file_fits(void *arg, const struct person *person)
{
    const struct file *file = arg;
    struct slice patterns = person->files;

    if (file->bytes < person->files_from)
        return false;
    while (patterns.len) {
        struct slice pattern = slice_cut(&patterns, ' ');

        if (pattern.len && fits(file->name, pattern))
            return true;
    }
    return false;
}

bool policy_wants_file(const struct policy *policy, enum policy_side side, struct slice address, struct slice name, uint64_t bytes)
{
    struct file file = {name, bytes};

    return each_person(policy, side, address, file_fits, &file);
}

struct slice policy_campaign(const struct policy *policy, struct slice sender,
                             struct slice (*value_of)(void *arg, struct slice header), void *arg)
{
    struct slice name[NAMES];
    size_t names = policy && policy->memberships ? names_of(sender, name) : 0;

    for (size_t n = 0; n < names; n++) {
        for (size_t at = 0; at < policy->memberships; at++) {
            const struct membership *membership = &policy->membership[at];

            if (slice_eq(membership->sender, name[n]) && fits(value_of(arg, membership->header), membership->pattern))
                return membership->campaign;
        }
    }
    return slice_of(NULL, 0);
}
