/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/feed_entry.h"

#include "common/event_kind.h"
#include "pixeld/agent_name.h"
#include "pixeld/markup.h"

#include <string.h>

enum { WORDS_MAX = 256 };

static bool is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

/* What happened, without the person: "followed a link". */
static const char *words_of(const struct feed_entry *entry)
{
    const struct event_kind *kind = entry->what ? event_kind_of(entry->what) : NULL;

    if (kind)
        return kind->did;
    return entry->what ? entry->what : "";
}

const char *feed_entry_doubt(const struct feed_entry *entry)
{
    static const struct {
        const char *verdict, *reason, *words;
    } doubts[] = {
        {"self", "own_device", "you, in a browser of yours"},
        {"self", "own_copy", "you, in your own copy"},
        {"self", "own_network", "you, from your own network"},
        {"self", NULL, "you"},
        {"bot", NULL, "probably automatic"},
        {"prefetch", NULL, "probably automatic: fetched ahead by the mail program"},
        {"unknown", "perhaps_own", "perhaps you"},
        {"unknown", NULL, "not certain"},
        {"proxy", NULL, "through the provider's image proxy"},
    };

    for (size_t n = 0; n < sizeof doubts / sizeof *doubts; n++)
        if (is(entry->verdict, doubts[n].verdict) && (!doubts[n].reason || is(entry->reason, doubts[n].reason)))
            return doubts[n].words;
    return "";
}

bool feed_entry_is_machine(const struct feed_entry *entry)
{
    return is(entry->verdict, "bot") || is(entry->verdict, "prefetch");
}

static bool is_one_of(const char *person)
{
    return strncmp(person, "one of ", strlen("one of ")) == 0 && !strchr(person, '@');
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The database's "one of 2" would make the reader ask: of two what? */
static void add_person(struct buf *out, const char *person)
{
    if (is(person, "one of 1"))
        buf_add_str(out, "the recipient");
    else
        markup_f(out, "%s%s", person, is_one_of(person) ? " recipients" : "");
}

/* A mail that nobody got has no number of its own. */
bool feed_entry_same_group(const struct feed_entry *a, const struct feed_entry *b)
{
    return same(a->message, b->message) && same(a->person, b->person) && (!is(a->message, "0") || same(a->subject, b->subject));
}

/* What a disposition notification tells (RFC 8098): whether a deleted mail had been read it does not. */
static const char *receipt_words(const char *disposition)
{
    static const char *const words[][2] = {
        {"displayed", "the mail was displayed"}, {"deleted", "the mail was deleted"},
        {"dispatched", "the mail was passed on"}, {"processed", "a program took the mail"},
    };

    for (size_t n = 0; n < sizeof words / sizeof *words; n++)
        if (is(disposition, words[n][0]))
            return words[n][1];
    return NULL;
}

static void add_facts(struct buf *out, const struct feed_entry *entry)
{
    struct buf device;

    buf_init(&device, WORDS_MAX);
    agent_name(entry->agent, &device);
    if (device.len)
        markup_f(out, "<span class=\"fact device\">%s</span>", buf_text(&device));
    if (entry->place)
        markup_f(out, "<span class=\"fact place\">%s</span>", entry->place);
    buf_free(&device);
    if (is(entry->what, "bounce") && entry->hardness)
        markup_f(out, "<span class=\"fact\">%s%s%s</span>", is(entry->hardness, "hard") ? "for good" : "perhaps not for good",
                 entry->status ? ", " : "", entry->status ? entry->status : "");
    if (is(entry->what, "receipt") && receipt_words(entry->status))
        markup_f(out, "<span class=\"fact\">%s</span>", receipt_words(entry->status));
    if (entry->forwarded)
        buf_add_str(out, "<span class=\"hint\">probably forwarded: opened in several places</span>");
}

static void add_detail(struct buf *out, const struct feed_entry *entry)
{
    if (!entry->detail || same(entry->detail, entry->person))
        return;
    if (is(entry->what, "click"))
        markup_f(out, "<span class=\"detail\" title=\"%s\">%s</span>", entry->detail, entry->detail);
    else
        markup_f(out, "<span class=\"detail\">%s</span>", entry->detail);
}

void feed_entry_add_id(struct buf *out, const struct feed_entry *entry)
{
    buf_add_char(out, 'e');
    if (entry->shard)
        buf_add_f(out, "%u.", entry->shard);
    buf_add_f(out, "%s-%s", entry->spool, entry->record);
}

void feed_entry_add_line(struct buf *out, const struct feed_entry *entry, bool with_person)
{
    const struct event_kind *kind = entry->what ? event_kind_of(entry->what) : NULL;
    const char *doubt = feed_entry_doubt(entry);

    markup_f(out, "<li class=\"event %s%s\" id=\"", entry->verdict ? entry->verdict : "fact",
             feed_entry_is_machine(entry) ? " machine" : "");
    feed_entry_add_id(out, entry);
    markup_f(out, "\" data-what=\"%s\" data-verdict=\"%s\" data-settles=\"%s\">", entry->what, entry->verdict ? entry->verdict : "", entry->settles_in ? entry->settles_in : "0");
    markup_f(out, "<span class=\"icon %s\" aria-hidden=\"true\"></span><div class=\"say\">",
             kind ? kind->icon : "eye");
    if (with_person) {
        buf_add_str(out, "<span class=\"person\">");
        add_person(out, entry->person ? entry->person : "somebody");
        buf_add_str(out, "</span>");
    }
    markup_f(out, "<span class=\"what\">%s</span>", words_of(entry));
    markup_f(out, "<span class=\"doubt\">%s</span>", doubt);
    add_detail(out, entry);
    add_facts(out, entry);
    markup_f(out, "</div><time datetime=\"%s\">%s</time></li>\n", entry->at, entry->at);
}

void feed_entry_begin_group(struct buf *out, const struct feed_entry *newest, const char *prefix)
{
    const char *person = newest->person ? newest->person : "somebody";
    char initial[2] = {*person, '\0'};
    bool is_known = !is(newest->message, "0");

    markup_f(out, "<article class=\"group\" data-group=\"%s|%s|%s\"><span class=\"initial\" aria-hidden=\"true\">%s</span>",
             newest->message, person, is_known ? "" : newest->subject,
             (unsigned char)*initial < 0x80 && !is_one_of(person) ? initial : "•");
    buf_add_str(out, "<div class=\"head\"><h3>");
    add_person(out, person);
    buf_add_str(out, "</h3><p class=\"mail\">");
    if (is_known)
        markup_f(out, "<a href=\"%s/feed/mail/%s\">%s</a>", prefix, newest->message,
                 newest->subject && *newest->subject ? newest->subject : "(no subject)");
    else
        markup_f(out, "%s", newest->subject && *newest->subject ? newest->subject : "(no subject)");
    if (newest->campaign)
        markup_f(out, "<span class=\"campaign\">%s</span>", newest->campaign);
    if (newest->show_owner)
        markup_f(out, "<span class=\"owner\">from %s</span>", newest->owner);
    buf_add_str(out, "</p></div><ol class=\"events\">\n");
}

void feed_entry_end_group(struct buf *out)
{
    buf_add_str(out, "</ol></article>\n");
}

const char feed_entry_csv_head[] = "time,what,person,subject,detail,verdict,reason,device,place,address,campaign,sender\r\n";

void feed_entry_add_csv(struct buf *out, const struct feed_entry *entry)
{
    struct buf device;

    buf_init(&device, WORDS_MAX);
    agent_name(entry->agent, &device);
    for (size_t n = 0; n < 12; n++) {
        const char *const column[] = {
            entry->at, entry->what, entry->person, entry->subject, entry->detail, entry->verdict, entry->reason,
            buf_text(&device), entry->place, entry->address, entry->campaign, entry->owner};

        if (n)
            buf_add_char(out, ',');
        markup_csv(out, column[n]);
    }
    buf_add_str(out, "\r\n");
    buf_free(&device);
}
