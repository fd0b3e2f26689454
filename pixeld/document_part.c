/* SPDX-License-Identifier: BSD-2-Clause */
/* document_part - see document_part.h */

#include "pixeld/document_part.h"

#include "pixeld/viewer.h"

#include <string.h>

struct slice document_take_number(struct slice text, int *number)
{
    int value = 0;
    size_t len = 0;

    while (len < text.len && len < 5 && ascii_is_digit(text.p[len]) && !(len == 0 && text.p[0] == '0'))
        value = value * 10 + (text.p[len++] - '0');
    *number = value;
    return slice_from(text, len);
}

struct document_target document_target_of(struct slice rest)
{
    struct document_target target = {.part = PART_NOTHING};
    struct slice behind = document_take_number(rest, &target.page);

    if (slice_empty(rest))
        target.part = PART_ALL;
    else if (slice_is(rest, "download"))
        target.part = PART_FILE;
    else if (slice_is(rest, "beacon"))
        target.part = PART_BEACON;
    else if (target.page && slice_empty(behind))
        target.part = PART_PAGE;
    else if (target.page && behind.len == 1 + VIEWER_VERSION_TEXT && behind.p[0] == '-')
        target.part = PART_IMAGE;
    target.version = slice_from(behind, 1);
    return target;
}

struct facts_wanted {
    struct document_facts *facts;
    bool fits;
};

static bool copy(char *to, size_t room, const char *from)
{
    size_t len = from ? strlen(from) : 0;

    if (len >= room)
        return false;
    memcpy(to, from ? from : "", len + 1);
    return true;
}

static void take_facts(void *arg, const struct store_document *found)
{
    struct facts_wanted *wanted = arg;
    struct document_facts *facts = wanted->facts;

    facts->id = found->id;
    facts->bytes = found->bytes;
    facts->pages = found->pages;
    wanted->fits = copy(facts->hash, sizeof facts->hash, found->hash) &&
                   copy(facts->file_type, sizeof facts->file_type, found->file_type) &&
                   copy(facts->state, sizeof facts->state, found->state) && buf_add_str(&facts->file_name, found->file_name);
    if (!copy(facts->reason, sizeof facts->reason, found->reason))
        facts->reason[0] = '\0'; /* a word that is no word is none */
}

enum store_answer document_facts_of(const struct document_request *document, struct document_facts *facts)
{
    struct facts_wanted wanted = {.facts = facts, .fits = true};
    enum store_answer answer;

    *facts = (struct document_facts){.id = 0};
    buf_init(&facts->file_name, DOCUMENT_NAME_MAX);
    answer = store_find_document(document->db, document->link, take_facts, &wanted, DOCUMENT_QUESTION_MS);
    return wanted.fits ? answer : STORE_AWAY;
}

void document_facts_release(struct document_facts *facts)
{
    buf_free(&facts->file_name);
}

struct http_answer document_refusal(const struct document_request *document, enum store_answer answer)
{
    const struct pages *pages = &document->site->pages;

    return (struct http_answer){.page = answer == STORE_NO ? pages->no_document : pages->unavailable};
}

struct http_answer document_once(const struct site *site, struct http_page *page, uint64_t after)
{
    if (!page)
        return (struct http_answer){.page = site->pages.unavailable};
    return (struct http_answer){.page = page, .once = true, .after = after};
}
