/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/beacon.h"

#include "common/decimal.h"

enum { NUMBER_DIGITS = 9 }; /* a billion ms are eleven days */

struct words {
    struct slice rest;
    bool bad;
};

/* Up to a space or the end; there must be one. */
static struct slice next_word(struct words *words)
{
    size_t len = slice_find_char(words->rest, ' ');
    struct slice word = slice_of(words->rest.p, len);

    if (len == 0)
        words->bad = true;
    words->rest = slice_from(words->rest, len);
    if (words->rest.len == 1)
        words->bad = true; /* a space at the end */
    words->rest = slice_from(words->rest, 1);
    return word;
}

/* As our own script writes it: without zeros in front. */
static bool read_number(struct slice digits, uint32_t *number)
{
    uint64_t value;

    if (digits.len > NUMBER_DIGITS || (digits.len > 1 && digits.p[0] == '0') || !decimal_read(digits, UINT32_MAX, &value))
        return false;
    *number = (uint32_t)value;
    return true;
}

static uint32_t next_number(struct words *words, uint32_t most)
{
    uint32_t number = 0;

    if (!read_number(next_word(words), &number) || number > most)
        words->bad = true;
    return number;
}

static void read_page(struct words *words, struct record_beacon *beacon)
{
    struct slice word = next_word(words);
    size_t colon = slice_find_char(word, ':');
    uint32_t page, ms, before = beacon->pages ? beacon->page[beacon->pages - 1].page : 0;

    if (beacon->pages == BEACON_PAGES_MAX || !read_number(slice_of(word.p, colon), &page) ||
        !read_number(slice_from(word, colon + 1), &ms) || page <= before || page > INT16_MAX) {
        words->bad = true;
        return;
    }
    beacon->page[beacon->pages++] = (struct beacon_page){.page = (uint16_t)page, .ms = ms};
}

bool beacon_parse(struct slice text, struct slice *view, struct record_beacon *beacon)
{
    struct words words = {.rest = text};

    *beacon = (struct record_beacon){.pages = 0};
    *view = next_word(&words);
    beacon->sequence = next_number(&words, UINT32_MAX);
    beacon->visible_ms = next_number(&words, UINT32_MAX);
    beacon->trusted = next_number(&words, UINT32_MAX);
    beacon->automated = next_number(&words, 1);
    beacon->current = (uint16_t)next_number(&words, INT16_MAX);
    while (!words.bad && words.rest.len)
        read_page(&words, beacon);
    return !words.bad;
}

void beacon_clamp(struct record_beacon *beacon, int64_t elapsed_ms)
{
    int64_t most = (elapsed_ms > 0 ? elapsed_ms : 0) + BEACON_GRACE_MS;

    if (beacon->visible_ms > most)
        beacon->visible_ms = (uint32_t)most;
    for (size_t at = 0; at < beacon->pages; at++) {
        if (beacon->page[at].ms > most)
            beacon->page[at].ms = (uint32_t)most;
        most -= beacon->page[at].ms;
    }
}
