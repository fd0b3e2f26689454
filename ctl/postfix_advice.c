/* SPDX-License-Identifier: BSD-2-Clause */
/* postfix_advice - see postfix_advice.h; ours themselves are in postfix_ours.c, the second pass in postfix_copies.c. */

#include "ctl/postfix_advice_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void postfix_advice_init(struct postfix_advice *advice)
{
    *advice = (struct postfix_advice){.good = true, .in_sight = true};
    buf_init(&advice->lines, POSTFIX_TEXT_MAX);
    buf_init(&advice->findings, POSTFIX_TEXT_MAX);
    buf_init(&advice->troubles, POSTFIX_TEXT_MAX);
}

void postfix_advice_free(struct postfix_advice *advice)
{
    buf_free(&advice->lines);
    buf_free(&advice->findings);
    buf_free(&advice->troubles);
}

void postfix_advice_say(struct postfix_advice *advice, enum postfix_grade grade, const char *what, const char *format, ...)
{
    static const char *const words[] = {"ok", "note", "FAIL"};
    size_t start = advice->findings.len;
    va_list args;

    buf_add_f(&advice->findings, "%-18s %-4s  ", what, words[grade]);
    va_start(args, format);
    buf_add_vf(&advice->findings, format, args);
    va_end(args);
    buf_add_char(&advice->findings, '\n');
    if (grade != POSTFIX_OK)
        buf_add_slice(&advice->troubles, slice_from(buf_slice(&advice->findings), start));
    advice->good &= grade != POSTFIX_FAIL;
}

void postfix_add_quoted(struct buf *out, const char *text)
{
    buf_add_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_add_str(out, "'\\''");
        else
            buf_add_char(out, *text);
    }
    buf_add_char(out, '\'');
}

void postfix_add_line(struct postfix_work *work, struct buf *lines, const char *flag, const char *format, ...)
{
    struct buf word;
    va_list args;

    buf_init(&word, POSTFIX_TEXT_MAX);
    va_start(args, format);
    buf_add_vf(&word, format, args);
    va_end(args);
    buf_add_str(lines, "postconf ");
    if (work->directory) {
        buf_add_str(lines, "-c ");
        postfix_add_quoted(lines, work->directory);
        buf_add_char(lines, ' ');
    }
    buf_add_f(lines, "%s ", flag);
    postfix_add_quoted(lines, buf_text(&word));
    buf_add_char(lines, '\n');
    lines->failed |= word.failed;
    buf_free(&word);
}

/* What of SERVICE's name is the port. */
static struct slice port_of(const char *service)
{
    struct slice name = slice_str(service);

    name.len = slice_find_char(name, '/');
    while (slice_find_char(name, ':') < name.len)
        slice_cut(&name, ':');
    return name;
}

static bool is_one_of(struct slice word, const char *const *words)
{
    for (; *words; words++)
        if (slice_is(word, *words))
            return true;
    return false;
}

enum postfix_use postfix_use(const struct postfix_settings *settings, const char *service)
{
    static const char *const submission[] = {"submission", "587", "submissions", "smtps", "465", NULL};
    static const char *const mx[] = {"smtp", "25", NULL};
    const char *filter = postfix_own(settings, service, "content_filter");
    const char *auth = postfix_own(settings, service, "smtpd_sasl_auth_enable");
    const char *overrides = postfix_own(settings, service, "receive_override_options");

    if (is_one_of(port_of(service), submission) || (auth && strcmp(auth, "yes") == 0))
        return USE_SUBMISSION;
    if ((filter && !*filter) || (overrides && *overrides)) /* where a content filter gives mail back */
        return USE_BEHIND_FILTER;
    if (is_one_of(port_of(service), mx) || strcmp(service, "smtpd/pass") == 0) /* "pass" is behind postscreen(8) */
        return USE_MX;
    return USE_UNKNOWN;
}

/* Where mail passes: which of ours belong there, in order, and the finding's name. */
struct place {
    const char *what;
    const char *service; /* NULL: non_smtpd_milters */
    enum postfix_ours_name first[2];
    size_t firsts;
    bool incoming; /* only spoor-match, between what verifies and what seals */
};

/* Does a filter that does DOES stand in MILTERS before FROM, or behind it when BEHIND? Gives it, or NULL. */
static const char *standing(const struct postfix_milters *milters, unsigned does, unsigned not, size_t from, bool behind)
{
    for (size_t n = behind ? from + 1 : 0; n < (behind ? milters->count : from); n++) {
        unsigned here = postfix_milter_does(milters->milter[n].meaning);

        if ((here & does) && !(here & not))
            return milters->milter[n].meaning;
    }
    return NULL;
}

/* Adds what is wrong with where ours stands. */
static void add_fault(struct postfix_work *work, const struct postfix_milters *milters, const struct place *place,
                      enum postfix_ours_name name, struct buf *fault)
{
    const char *program = work->ours[name].program, *other = NULL;
    size_t at = postfix_find_ours(work, milters, name);

    if (at == milters->count) {
        buf_add_f(fault, "%s is not in %s", program, place->service ? "smtpd_milters" : "non_smtpd_milters");
    } else if (postfix_ours_fault(work, &milters->milter[at])) {
        buf_add_f(fault, "%s: %s", program, postfix_ours_fault(work, &milters->milter[at]));
    } else if (place->incoming) {
        if ((other = standing(milters, MILTER_VERIFIES, 0, at, true)) != NULL)
            buf_add_f(fault, "%s verifies behind %s, which may have changed the mail", other, program);
        else if ((other = standing(milters, MILTER_SEALS, MILTER_VERIFIES, at, false)) != NULL)
            buf_add_f(fault, "%s seals before %s, which may change the mail", other, program);
    } else if ((other = standing(milters, MILTER_SIGNS, 0, at, false)) != NULL) {
        buf_add_f(fault, "%s signs before %s has changed the mail", other, program);
    }
}

/* Another filter than the split: nothing leads from there to the second pass yet. */
static bool is_filtered(const struct postfix_work *work, const char *service)
{
    struct buf meaning;
    bool filtered;

    buf_init(&meaning, POSTFIX_TEXT_MAX);
    postfix_expand(work->settings, postfix_effective(work->settings, service, "content_filter"), &meaning);
    filtered = meaning.len && !slice_starts_i(buf_slice(&meaning), slice_str("split:"));
    buf_free(&meaning);
    return filtered;
}

/* With a second pass the signer belongs there, and here its signature would be broken. */
static bool is_moved(const struct postfix_work *work, const struct place *place, const struct postfix_milter *milter)
{
    return !place->incoming && work->ours[OURS_COPIES].wanted && (postfix_milter_does(milter->meaning) & MILTER_SIGNS) &&
           !is_filtered(work, place->service ? place->service : "pickup/unix");
}

static bool is_placed(const struct postfix_work *work, const struct place *place, const struct postfix_milters *milters, size_t at)
{
    for (size_t n = 0; n < place->firsts; n++)
        if (postfix_find_ours(work, milters, place->first[n]) == at)
            return true;
    return false;
}

static void add_entry(struct buf *list, const char *written)
{
    buf_add_f(list, "%s%s", list->len ? ", " : "", written);
}

static void add_ours(struct postfix_work *work, const struct place *place, const struct postfix_milters *milters, struct buf *list)
{
    for (size_t n = 0; n < place->firsts; n++)
        add_entry(list, postfix_ours_written(work, milters, place->first[n]));
}

/* One program that verifies and seals leaves no room between the two. */
static void note_seal(struct postfix_work *work, const struct place *place, const struct postfix_milters *milters)
{
    for (size_t n = 0; n < milters->count && place->incoming && work->conf->match.clean; n++) {
        unsigned does = postfix_milter_does(milters->milter[n].meaning);

        if ((does & MILTER_SEALS) && (does & MILTER_VERIFIES))
            postfix_advice_say(work->advice, POSTFIX_NOTE, place->what, "where %s seals with ARC, spoor-match breaks the seal of mail that quotes ours"
                               " - let it not seal here, or set clean = no in the section match", milters->milter[n].meaning);
    }
}

/* The list as it should be. */
static void add_list(struct postfix_work *work, const struct place *place, const struct postfix_milters *milters, struct buf *list)
{
    bool added = !place->incoming;

    if (added)
        add_ours(work, place, milters, list);
    for (size_t n = 0; n < milters->count; n++) {
        unsigned does = postfix_milter_does(milters->milter[n].meaning);

        if (is_placed(work, place, milters, n) || is_moved(work, place, &milters->milter[n]))
            continue;
        if (!added && (does & MILTER_SEALS) && !(does & MILTER_VERIFIES)) {
            add_ours(work, place, milters, list);
            added = true;
        }
        add_entry(list, milters->milter[n].written);
    }
    if (!added)
        add_ours(work, place, milters, list);
}

/* Is LIST what is there already, and only a definition wrong? */
static bool is_written(const struct postfix_milters *milters, const struct buf *list)
{
    struct buf now;
    bool same;

    buf_init(&now, POSTFIX_TEXT_MAX);
    for (size_t n = 0; n < milters->count; n++)
        add_entry(&now, milters->milter[n].written);
    same = slice_eq(buf_slice(&now), buf_slice(list));
    buf_free(&now);
    return same;
}

/* postconf takes no blank in a value of master.cf: a list of several gets a name in main.cf. */
static void set_list(struct postfix_work *work, const struct place *place, const struct buf *list)
{
    struct buf name;

    if (!place->service) {
        postfix_add_line(work, &work->lines, "-e", "non_smtpd_milters=%s", buf_text(list));
        return;
    }
    if (!strpbrk(buf_text(list), " ,")) {
        postfix_add_line(work, &work->lines, "-P", "%s/smtpd_milters=%s", place->service, buf_text(list));
        return;
    }
    buf_init(&name, POSTFIX_TEXT_MAX);
    buf_add_str(&name, "spoor_milters_");
    for (const char *at = place->service; *at && *at != '/'; at++)
        buf_add_char(&name, ascii_is_alpha(*at) || ascii_is_digit(*at) ? *at : '_');
    postfix_add_line(work, &work->lines, "-e", "%s=%s", buf_text(&name), buf_text(list));
    postfix_add_line(work, &work->lines, "-P", "%s/smtpd_milters=$%s", place->service, buf_text(&name));
    buf_free(&name);
}

/* What is to be typed and said about the filters of one place. */
static void advise_place(struct postfix_work *work, const struct place *place, const char *value)
{
    struct postfix_milters milters;
    struct buf fault, list;
    const char *moved = NULL;

    buf_init(&fault, POSTFIX_TEXT_MAX);
    buf_init(&list, POSTFIX_TEXT_MAX);
    if (!postfix_milters_read(&milters, work->settings, value)) {
        postfix_advice_say(work->advice, POSTFIX_FAIL, place->what, "more than %d filters", POSTFIX_MILTERS_MOST);
        postfix_milters_free(&milters);
        return;
    }
    for (size_t n = 0; n < place->firsts && !fault.len; n++)
        add_fault(work, &milters, place, place->first[n], &fault);
    for (size_t n = 0; n < milters.count && !moved; n++)
        moved = is_moved(work, place, &milters.milter[n]) ? milters.milter[n].meaning : NULL;
    if (!fault.len && moved)
        buf_add_f(&fault, "%s signs before the copies are made; it belongs behind spoor_copies", moved);
    if (fault.len || fault.failed) {
        postfix_advice_say(work->advice, POSTFIX_FAIL, place->what, "%s", buf_text(&fault));
        add_list(work, place, &milters, &list);
        if (!is_written(&milters, &list))
            set_list(work, place, &list);
    } else {
        postfix_advice_say(work->advice, POSTFIX_OK, place->what, "%s", value);
        for (size_t n = 0; n < place->firsts; n++)
            postfix_ours_written(work, &milters, place->first[n]);
    }
    note_seal(work, place, &milters);
    postfix_milters_free(&milters);
    buf_free(&fault);
    buf_free(&list);
}

static void advise_service(struct postfix_work *work, const char *service, enum postfix_use use)
{
    struct place place = {.what = service, .service = service, .firsts = 1};

    place.first[0] = use == USE_MX ? OURS_MATCH : OURS_STAMP;
    place.incoming = use == USE_MX;
    if (!work->ours[place.first[0]].wanted)
        return;
    if (postfix_list_has(postfix_effective(work->settings, service, "receive_override_options"), "no_milters"))
        postfix_advice_say(work->advice, POSTFIX_FAIL, service, "receive_override_options has no_milters, so no filter is asked - take it out there");
    advise_place(work, &place, postfix_effective(work->settings, service, "smtpd_milters"));
}

static void advise_services(struct postfix_work *work)
{
    size_t at = 0, found[USE_UNKNOWN + 1] = {0};
    char *service;

    while ((service = postfix_next_service(work->settings, &at)) != NULL) {
        enum postfix_use use = postfix_use(work->settings, service);

        if (postfix_runs(work->settings, service, "smtpd")) {
            found[use]++;
            if (use == USE_SUBMISSION || use == USE_MX)
                advise_service(work, service, use);
            else if (use == USE_UNKNOWN)
                postfix_advice_say(work->advice, POSTFIX_NOTE, service, "not known whether it takes mail from users or from the world; left as it is");
        }
        free(service);
    }
    if (work->ours[OURS_STAMP].wanted && !found[USE_SUBMISSION])
        postfix_advice_say(work->advice, POSTFIX_NOTE, "submission", "master.cf has no service for mail of users: only mail of local programs is tracked");
    if (work->ours[OURS_MATCH].wanted && !found[USE_MX])
        postfix_advice_say(work->advice, POSTFIX_NOTE, "smtp", "master.cf has no service for mail from the world: answers are not seen here");
}

/* Hosts that may send without a login mostly do so on port 25, where only spoor-match is. */
static void note_networks(struct postfix_work *work)
{
    const struct conf_list *networks = &work->conf->stamp.submit_networks;

    for (size_t n = 0; n < networks->count && work->ours[OURS_STAMP].wanted; n++) {
        if (strncmp(networks->item[n], "127.", 4) == 0 || strncmp(networks->item[n], "::1", 3) == 0)
            continue;
        postfix_advice_say(work->advice, POSTFIX_NOTE, "submit_networks", "mail from %s is tracked where it comes by a submission service;"
                           " where it comes by port 25, put $spoor_stamp before $spoor_match there", networks->item[n]);
        return;
    }
}

static void advise_local(struct postfix_work *work)
{
    struct place place = {.what = "non_smtpd_milters", .firsts = 0};
    const char *value = postfix_main(work->settings, "non_smtpd_milters");

    if (work->ours[OURS_STAMP].wanted)
        place.first[place.firsts++] = OURS_STAMP;
    if (work->ours[OURS_MATCH].wanted)
        place.first[place.firsts++] = OURS_MATCH;
    if (place.firsts)
        advise_place(work, &place, value ? value : "");
}

static bool is_ours(const struct postfix_work *work, const struct postfix_milters *milters, size_t at)
{
    for (size_t name = 0; name < OURS; name++)
        if (postfix_find_ours(work, milters, (enum postfix_ours_name)name) == at)
            return true;
    return false;
}

/* A bounce that another filter refuses is gone: nobody is left who could be told. */
static void note_who_sees_bounces(struct postfix_work *work)
{
    static const struct place local = {.service = NULL};
    const char *value = postfix_main(work->settings, "non_smtpd_milters");
    struct postfix_milters milters;
    struct buf others;

    buf_init(&others, POSTFIX_TEXT_MAX);
    if (postfix_milters_read(&milters, work->settings, value ? value : ""))
        for (size_t n = 0; n < milters.count; n++)
            if (!is_ours(work, &milters, n) && !is_moved(work, &local, &milters.milter[n]))
                add_entry(&others, milters.milter[n].meaning);
    if (others.len)
        postfix_advice_say(work->advice, POSTFIX_NOTE, "own bounces", "%s in non_smtpd_milters sees these bounces too - let it refuse none",
                           buf_text(&others));
    postfix_milters_free(&milters);
    buf_free(&others);
}

/* Postfix shows no filter the bounces that it writes itself, unless told to. */
static void advise_bounces(struct postfix_work *work)
{
    const char *classes = postfix_main(work->settings, "internal_mail_filter_classes");

    if (!work->ours[OURS_MATCH].wanted)
        return;
    if (classes && postfix_list_has(classes, "bounce")) {
        postfix_advice_say(work->advice, POSTFIX_OK, "own bounces", "internal_mail_filter_classes = %s", classes);
        note_who_sees_bounces(work);
        return;
    }
    postfix_advice_say(work->advice, POSTFIX_FAIL, "own bounces", "internal_mail_filter_classes lacks bounce, so spoor-match does not see the bounces that this Postfix writes");
    postfix_add_line(work, &work->lines, "-e", "internal_mail_filter_classes=%s%sbounce", classes ? classes : "", classes && *classes ? ", " : "");
    note_who_sees_bounces(work);
}

static void advise_protocol(struct postfix_work *work)
{
    const char *version = postfix_main(work->settings, "mail_version"), *protocol = postfix_main(work->settings, "milter_protocol");

    if (version && strtol(version, NULL, 10) < 3)
        postfix_advice_say(work->advice, POSTFIX_FAIL, "postfix", "%s knows no settings for a single filter - 3.0 does", version);
    else
        postfix_advice_say(work->advice, POSTFIX_OK, "postfix", "%s", version ? version : "");
    if (!protocol || strcmp(protocol, "6") == 0)
        return;
    postfix_advice_say(work->advice, POSTFIX_FAIL, "milter_protocol", "is %s; filters of today speak 6", protocol);
    postfix_add_line(work, &work->lines, "-e", "milter_protocol=6");
}

static void add_reload(struct postfix_work *work)
{
    struct buf *lines = &work->advice->lines;

    buf_add_str(lines, "postfix ");
    if (work->directory) {
        buf_add_str(lines, "-c ");
        postfix_add_quoted(lines, work->directory);
        buf_add_char(lines, ' ');
    }
    buf_add_str(lines, "reload\n");
}

void postfix_advise(const struct postfix_settings *settings, const struct conf *conf, const char *directory,
                    struct postfix_advice *advice)
{
    struct postfix_work work = {
        .settings = settings, .conf = conf, .advice = advice, .directory = directory,
        .ours = {{"spoor-stamp", "stamp.listen", "spoor_stamp", "stamp/stamp.sock", {0}, {0}, false, false},
                 {"spoor-copies", "stamp.listen_copies", "spoor_copies", "stamp/copies.sock", {0}, {0}, false, false},
                 {"spoor-match", "match.listen", "spoor_match", "match/match.sock", {0}, {0}, false, false}}};

    buf_init(&work.lines, POSTFIX_TEXT_MAX);
    postfix_ours_fill(&work, OURS_STAMP, conf->stamp.milter.listen);
    postfix_ours_fill(&work, OURS_COPIES, conf->stamp.listen_copies);
    postfix_ours_fill(&work, OURS_MATCH, conf->match.milter.listen);
    advise_protocol(&work);
    for (size_t n = 0; n < OURS; n++)
        postfix_ours_reach(&work, &work.ours[n]);
    work.ours[OURS_COPIES].wanted &= work.ours[OURS_STAMP].wanted;
    if (work.ours[OURS_COPIES].wanted)
        postfix_advise_copies(&work);
    advise_services(&work);
    advise_local(&work);
    advise_bounces(&work);
    note_networks(&work);
    for (size_t n = 0; n < OURS; n++)
        postfix_ours_define(&work, &work.ours[n]);
    buf_add_slice(&advice->lines, buf_slice(&work.lines));
    if (advice->lines.len)
        add_reload(&work);
    advice->lines.failed |= work.lines.failed;
    for (size_t n = 0; n < OURS; n++) {
        buf_free(&work.ours[n].endpoint);
        buf_free(&work.ours[n].listed);
    }
    buf_free(&work.lines);
}
