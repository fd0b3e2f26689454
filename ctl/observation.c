/* SPDX-License-Identifier: BSD-2-Clause */
/* observation - see observation.h */

#include "ctl/observation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SENDERS_SHOWN = 20, ADDRESS_KEPT = 256 /* a path, RFC 5321 */, WORD_KEPT = 40 };

static const char others[] = "all others";

/* a line */

/* What stands behind the program's name and what is in front of the text there: "[PID]: " or ": LEVEL: ".
 * A name that comes later is what another program tells of. */
static bool behind_program(struct slice line, struct slice *text)
{
    size_t colon = slice_find_i(line, ": ");

    if (colon == SIZE_MAX || slice_find_i(slice_of(line.p, colon), "spoor-stamp") == SIZE_MAX)
        return false;
    *text = slice_from(line, colon + 2);
    if (slice_starts_i(*text, slice_str("info: ")))
        *text = slice_from(*text, sizeof "info: " - 1);
    return true;
}

/* The value of a key; one that begins with "<" goes to its ">". */
static bool take_value(struct slice text, const char *key, struct slice *value)
{
    struct slice rest = text;

    *value = slice_of(NULL, 0);
    while (rest.len) {
        bool is_it = slice_starts_i(rest, slice_str(key)) && rest.len > strlen(key) && rest.p[strlen(key)] == '=';
        size_t end = slice_find_char(rest, ' ');
        size_t open = slice_find_char(slice_of(rest.p, end), '<');

        if (open < end)
            end = slice_find_char(rest, '>') < rest.len ? slice_find_char(rest, '>') + 1 : rest.len;
        if (is_it) {
            *value = slice_from(slice_of(rest.p, end), strlen(key) + 1);
            return true;
        }
        rest = slice_from(rest, end);
        while (rest.len && rest.p[0] == ' ')
            rest = slice_from(rest, 1);
    }
    return false;
}

static bool take_number(struct slice text, const char *key, int64_t *number)
{
    struct slice value;
    bool minus;

    *number = 0;
    if (!take_value(text, key, &value))
        return false;
    minus = value.len && value.p[0] == '-';
    value = slice_from(value, minus);
    for (size_t at = 0; at < value.len; at++) {
        if (!ascii_is_digit(value.p[at]) || *number > INT32_MAX)
            return false;
        *number = *number * 10 + (value.p[at] - '0');
    }
    *number = minus ? -*number : *number;
    return value.len > 0;
}

static struct slice without_brackets(struct slice path)
{
    bool bracketed = path.len >= 2 && path.p[0] == '<' && path.p[path.len - 1] == '>';

    return bracketed ? slice_of(path.p + 1, path.len - 2) : path;
}

bool observation_read(struct slice line, struct observation *observation)
{
    static const char copy[] = "copy ";
    struct slice text, from;
    size_t colon;

    *observation = (struct observation){.tracked = false};
    if (!behind_program(slice_trim(line), &text))
        return false;
    colon = slice_find_i(text, ": ");
    if (colon == SIZE_MAX)
        return false;
    observation->queue_id = slice_of(text.p, colon);
    text = slice_from(text, colon + 2);
    observation->copy = slice_starts_i(text, slice_str(copy));
    if (observation->copy)
        text = slice_from(text, sizeof copy - 1);
    observation->tracked = slice_starts_i(text, slice_str("message="));
    if (!observation->tracked && !slice_starts_i(text, slice_str("untouched ")))
        return false;
    if (!take_value(text, observation->copy ? "to" : "from", &from))
        return false;
    observation->from = without_brackets(from);
    take_value(text, "reason", &observation->reason);
    if (observation->tracked && !take_value(text, "would_add", &observation->added) && !take_value(text, "added", &observation->added))
        return false;
    observation->sized = take_number(text, "size", &observation->size) && take_number(text, "grows", &observation->grows);
    return true;
}

uint64_t observation_count(struct slice added, const char *name)
{
    while (added.len) {
        struct slice word = slice_cut(&added, ',');
        struct slice what = slice_cut(&word, ':');
        uint64_t number = 0;

        if (!slice_is(what, name))
            continue;
        for (size_t at = 0; at < word.len && ascii_is_digit(word.p[at]) && number < UINT32_MAX; at++)
            number = number * 10 + (uint64_t)(word.p[at] - '0');
        return word.len ? number : 1;
    }
    return 0;
}

/* sums */

/* A copy that tells a terminal nothing and is not longer than such texts are: NULL without memory. */
static char *keep_text(struct slice text, size_t most)
{
    char *kept = strndup(text.len ? text.p : "", text.len < most ? text.len : most);

    for (char *at = kept; at && *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f || ((unsigned char)*at >= 0x80 && (unsigned char)*at < 0xa0))
            *at = '?'; /* of an address in UTF-8 at worst a letter */
    return kept;
}

struct observed_sums *observed_sums_new(void)
{
    return calloc(1, sizeof(struct observed_sums));
}

static void free_reasons(struct observed_reasons *reasons)
{
    for (size_t n = 0; n < reasons->count; n++) {
        free(reasons->reason[n].word);
        free(reasons->reason[n].queue_id);
        free(reasons->reason[n].from);
    }
}

void observed_sums_free(struct observed_sums *sums)
{
    if (!sums)
        return;
    for (size_t n = 0; n < sums->senders; n++)
        free(sums->sender[n].address);
    free_reasons(&sums->in_part);
    free_reasons(&sums->untouched);
    free(sums);
}

/* Where TEXT is among the first COUNT, or would be. */
static size_t place_of(const struct observed_sums *sums, size_t count, const char *text)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (strcmp(text, sums->sender[middle].address) <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Of that address as it is shown, or of all that have no room; NULL without memory. */
static struct observed_sender *sender_of(struct observed_sums *sums, struct slice address)
{
    bool full = sums->senders >= OBSERVED_SENDERS;
    size_t known = full ? OBSERVED_SENDERS : sums->senders;
    char *text = keep_text(address, ADDRESS_KEPT);
    size_t at = text ? place_of(sums, known, text) : 0;
    bool is_known = text && at < known && strcmp(text, sums->sender[at].address) == 0;

    if (!text)
        return NULL;
    if (is_known || full) {
        free(text);
        sums->senders = full && !is_known ? OBSERVED_SENDERS + 1 : sums->senders;
        return &sums->sender[is_known ? at : OBSERVED_SENDERS];
    }
    memmove(&sums->sender[at + 1], &sums->sender[at], (sums->senders - at) * sizeof sums->sender[0]);
    sums->senders++;
    sums->sender[at] = (struct observed_sender){.address = text};
    return &sums->sender[at];
}

static struct observed_reason *reason_of(struct observed_reasons *reasons, const struct observation *observation)
{
    struct slice word = slice_of(observation->reason.p, observation->reason.len < WORD_KEPT ? observation->reason.len : WORD_KEPT);
    struct observed_reason *reason;

    for (size_t n = 0; n < reasons->count; n++)
        if (reasons->reason[n].word && slice_is(word, reasons->reason[n].word))
            return &reasons->reason[n];
    if (reasons->count >= OBSERVED_REASONS) {
        reasons->count = OBSERVED_REASONS + 1;
        return &reasons->reason[OBSERVED_REASONS];
    }
    reason = &reasons->reason[reasons->count++];
    reason->word = keep_text(word, WORD_KEPT);
    reason->queue_id = keep_text(observation->queue_id, WORD_KEPT);
    reason->from = keep_text(observation->from, ADDRESS_KEPT);
    return reason->word && reason->queue_id && reason->from ? reason : NULL;
}

static void add_list(struct observed_sums *sums, struct slice added)
{
    uint64_t links = observation_count(added, "links"), documents = observation_count(added, "documents");

    sums->pixel += observation_count(added, "pixel") > 0;
    sums->with_links += links > 0;
    sums->links += links;
    sums->with_documents += documents > 0;
    sums->documents += documents;
    sums->id += observation_count(added, "id") > 0;
    sums->cleaned += observation_count(added, "cleaned") > 0;
}

static bool add_reason(struct observed_sums *sums, const struct observation *observation)
{
    struct observed_reason *reason;

    if (!observation->reason.len)
        return true;
    reason = reason_of(observation->tracked ? &sums->in_part : &sums->untouched, observation);
    if (reason)
        reason->mails++;
    return reason != NULL;
}

bool observed_sums_add(struct observed_sums *sums, const struct observation *observation)
{
    struct observed_sender *sender;

    add_list(sums, observation->added);
    if (observation->copy) /* its mail is counted */
        return true;
    sender = sender_of(sums, observation->from);
    if (!sender || !add_reason(sums, observation))
        return false;
    sender->mails++;
    sender->tracked += observation->tracked;
    sender->links += observation_count(observation->added, "links");
    sender->documents += observation_count(observation->added, "documents");
    sums->mails++;
    sums->tracked += observation->tracked;
    if (observation->tracked && observation->sized) {
        sums->sized++;
        sums->size += observation->size;
        sums->grows += observation->grows;
    }
    return true;
}

/* the report */

static int by_mails(const void *a, const void *b)
{
    const struct observed_sender *one = a, *two = b;

    if (!one->address != !two->address)
        return one->address ? -1 : 1;
    if (one->mails != two->mails)
        return one->mails < two->mails ? 1 : -1;
    return one->address ? strcmp(one->address, two->address) : 0;
}

static int by_reason_mails(const void *a, const void *b)
{
    const struct observed_reason *one = a, *two = b;

    if (one->mails != two->mails)
        return one->mails < two->mails ? 1 : -1;
    return one->word && two->word ? strcmp(one->word, two->word) : 0;
}

static void add_number(struct buf *out, const char *what, uint64_t number)
{
    buf_add_f(out, "%-28s%8" PRIu64, what, number);
}

static uint64_t percent(uint64_t part, uint64_t whole)
{
    return whole ? (part * 100 + whole / 2) / whole : 0;
}

static void add_reasons(struct buf *out, const char *title, struct observed_reasons *reasons)
{
    uint64_t mails = 0;

    if (!reasons->count)
        return;
    qsort(reasons->reason, reasons->count, sizeof reasons->reason[0], by_reason_mails);
    for (size_t n = 0; n < reasons->count; n++)
        mails += reasons->reason[n].mails;
    add_number(out, title, mails);
    buf_add_char(out, '\n');
    for (size_t n = 0; n < reasons->count; n++) {
        const struct observed_reason *reason = &reasons->reason[n];

        buf_add_f(out, "  %-26s%8" PRIu64, reason->word ? reason->word : others, reason->mails);
        if (reason->word)
            buf_add_f(out, "  such as %s from <%s>", reason->queue_id, reason->from);
        buf_add_char(out, '\n');
    }
}

static void add_senders(struct buf *out, struct observed_sums *sums)
{
    size_t shown = sums->senders < SENDERS_SHOWN ? sums->senders : SENDERS_SHOWN;

    qsort(sums->sender, sums->senders, sizeof sums->sender[0], by_mails);
    buf_add_f(out, "\n%-44s%8s%8s%8s%8s\n", "envelope sender", "mails", "tracked", "links", "files");
    for (size_t n = 0; n < shown; n++) {
        const struct observed_sender *sender = &sums->sender[n];

        buf_add_f(out, "%-44s%8" PRIu64 "%8" PRIu64 "%8" PRIu64 "%8" PRIu64 "\n",
                  !sender->address ? others : *sender->address ? sender->address : "<>", sender->mails, sender->tracked, sender->links,
                  sender->documents);
    }
    if (sums->senders > shown)
        buf_add_f(out, "and %zu more\n", sums->senders - shown);
}

void observed_sums_report(struct observed_sums *sums, struct buf *out)
{
    add_number(out, "mails", sums->mails);
    buf_add_char(out, '\n');
    add_number(out, "tracked", sums->tracked);
    buf_add_f(out, "  %" PRIu64 " %%\n", percent(sums->tracked, sums->mails));
    add_number(out, "  with an image", sums->pixel);
    buf_add_char(out, '\n');
    add_number(out, "  with links", sums->with_links);
    buf_add_f(out, "  %" PRIu64 " links\n", sums->links);
    add_number(out, "  with documents", sums->with_documents);
    buf_add_f(out, "  %" PRIu64 " files leave for a link\n", sums->documents);
    add_number(out, "  Message-ID replaced", sums->id);
    buf_add_char(out, '\n');
    add_number(out, "  history cleaned", sums->cleaned);
    buf_add_char(out, '\n');
    if (sums->sized)
        buf_add_f(out, "%-28s%8" PRId64 "  to %" PRId64 " bytes of %" PRIu64 " mails, %" PRId64 " each\n", "  bytes added", sums->grows,
                  sums->size, sums->sized, sums->grows / (int64_t)sums->sized);
    add_reasons(out, "tracked in part", &sums->in_part);
    add_reasons(out, "untouched", &sums->untouched);
    add_senders(out, sums);
}
