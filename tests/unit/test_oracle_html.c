/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * the tokenizer against Gumbo, a parser that builds the whole tree: the same hrefs at the same bytes, on the
 * pages of the corpus and on mutations of them
 *
 * Gumbo knows what a browser's tree drops; the tokenizer does not, and where the tree drops a link an edit
 * of it is seen by nobody. Those elements are the exceptions, each with its reason. A link that Gumbo finds and
 * we do not is a fault but inside svg, math and template, where we are careful on purpose.
 */

#include "mail/html.h"
#include "tests/support/corpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gumbo.h>

/* Gumbo is quadratic on deep pages. */
enum { PAGE_MAX = 20000, HREFS_MAX = 4000, MUTATIONS = 100, WALK_DEPTH_MAX = 400 };

struct hrefs {
    size_t at[HREFS_MAX];
    size_t count;
};

static int compare_places(const void *left, const void *right)
{
    size_t a = *(const size_t *)left, b = *(const size_t *)right;

    return a < b ? -1 : a > b;
}

static void note(struct hrefs *hrefs, size_t at)
{
    if (hrefs->count < HREFS_MAX)
        hrefs->at[hrefs->count++] = at;
}

/* In rising order, each once: Gumbo copies a link that is not closed. */
static void settle(struct hrefs *hrefs)
{
    size_t kept = 0;

    qsort(hrefs->at, hrefs->count, sizeof *hrefs->at, compare_places);
    for (size_t at = 0; at < hrefs->count; at++)
        if (kept == 0 || hrefs->at[kept - 1] != hrefs->at[at])
            hrefs->at[kept++] = hrefs->at[at];
    hrefs->count = kept;
}

static void find_ours(struct slice page, struct hrefs *hrefs)
{
    struct html_scanner scanner;
    struct html_token token;
    struct html_attribute attribute;

    html_scanner_init(&scanner, page);
    while (html_next(&scanner, &token)) {
        size_t at = token.attributes;

        if (token.kind != HTML_START_TAG || !token.live || !(html_is(&token, "a") || html_is(&token, "area")))
            continue;
        while (html_next_attribute(&scanner, &token, &at, &attribute))
            if (slice_is_i(attribute.name, "href")) {
                if (attribute.value.len)
                    note(hrefs, attribute.value_at);
                break;
            }
    }
    settle(hrefs);
}

static void note_href(const GumboElement *element, const char *page, struct hrefs *hrefs)
{
    GumboAttribute *href;

    if ((element->tag != GUMBO_TAG_A && element->tag != GUMBO_TAG_AREA) ||
        element->tag_namespace != GUMBO_NAMESPACE_HTML)
        return;
    href = gumbo_get_attribute(&element->attributes, "href");
    if (href && *href->value) { /* without a value Gumbo gives the name's place */
        const char *value = href->original_value.data;

        if (*value == '"' || *value == '\'')
            value++;
        else
            while (value > page && value[-1] != '=' && !ascii_is_space(value[-1]))
                value--; /* Gumbo begins behind the reference that an unquoted value begins with */
        note(hrefs, (size_t)(value - page));
    }
}

static void find_theirs(const GumboNode *node, const char *page, unsigned depth, struct hrefs *hrefs)
{
    const GumboVector *children = &node->v.element.children;

    if (node->type == GUMBO_NODE_DOCUMENT)
        children = &node->v.document.children;
    else if (node->type == GUMBO_NODE_ELEMENT)
        note_href(&node->v.element, page, hrefs);
    else
        return; /* text, or a template's content */
    if (node->type == GUMBO_NODE_ELEMENT && node->v.element.tag == GUMBO_TAG_TEMPLATE)
        return;
    for (unsigned at = 0; at < children->length && depth < WALK_DEPTH_MAX; at++)
        find_theirs(children->data[at], page, depth + 1, hrefs);
}

/* Tree construction drops tags inside these, or all that is not of its own (HTML 13.2.6). */
static bool tree_drops(struct slice page)
{
    return slice_find_i(page, "<select") != (size_t)-1 || slice_find_i(page, "<frameset") != (size_t)-1;
}

/* What a browser makes of links in there depends on the tree; we leave them alone. */
static bool we_are_careful(struct slice page)
{
    return slice_find_i(page, "<svg") != (size_t)-1 || slice_find_i(page, "<math") != (size_t)-1 ||
           slice_find_i(page, "<template") != (size_t)-1;
}

/*
 * </p> and </br> lead back out of svg and math; Gumbo is older than that rule (HTML 13.2.6.5, of 2020). Nor does
 * it leave them at an end tag with white space in it.
 */
static bool gumbo_is_behind(struct slice page)
{
    static const char *const ends[] = {"</p", "</br", "</svg ", "</svg\n", "</svg\r", "</math ", "</math\n"};

    for (size_t at = 0; at < sizeof ends / sizeof ends[0]; at++)
        if (we_are_careful(page) && slice_find_i(page, ends[at]) != (size_t)-1)
            return true;
    return false;
}

static bool holds(const struct hrefs *hrefs, size_t at)
{
    return bsearch(&at, hrefs->at, hrefs->count, sizeof at, compare_places) != NULL;
}

static void show(const char *what, const char *path, struct slice page, size_t at)
{
    size_t from = at > 200 ? at - 200 : 0;
    size_t len = page.len - from < 300 ? page.len - from : 300;

    fail_msg("%s: %s at %zu:\n%.*s", path, what, at, (int)len, page.p + from);
}

static unsigned compared;

static void compare_page(const char *path, struct slice page)
{
    struct hrefs ours = {.count = 0}, theirs = {.count = 0};
    GumboOutput *output = gumbo_parse_with_options(&kGumboDefaultOptions, page.p, page.len);

    find_ours(page, &ours);
    find_theirs(output->document, page.p, 0, &theirs);
    settle(&theirs);
    gumbo_destroy_output(&kGumboDefaultOptions, output);
    for (size_t at = 0; at < ours.count; at++)
        if (!holds(&theirs, ours.at[at]) && !tree_drops(page) && !gumbo_is_behind(page))
            show("Gumbo has no link", path, page, ours.at[at]);
    for (size_t at = 0; at < theirs.count; at++)
        if (!holds(&ours, theirs.at[at]) && !we_are_careful(page))
            show("we have no link", path, page, theirs.at[at]);
    compared++;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Bytes that change the tokenizer's state, put where they hurt. */
static void mutate(struct slice page, uint32_t *random, struct buf *out)
{
    static const char *const pieces[] = {"<", ">", "\"", "'", "=", "&", "/", "<!--", "-->", "--!>", "<a href=",
                                         "</a>", "<style>", "</style>", "<title>", "</title>", "<textarea>",
                                         "<script>", "</script>", "<!--<script>", "<table>", "<td>", "</body>",
                                         "<![CDATA[", "]]>", "\n", " ", "<svg>", "</svg>", "<p>", "<select>"};
    size_t cuts = 1 + next_random(random) % 3, from = 0;

    buf_reset(out);
    for (size_t cut = 0; cut < cuts; cut++) {
        size_t left = page.len - from;
        size_t at = from + (left ? next_random(random) % left : 0);

        buf_add(out, page.p + from, at - from);
        buf_add_str(out, pieces[next_random(random) % (sizeof pieces / sizeof pieces[0])]);
        from = at + (next_random(random) % 2 && at < page.len);
    }
    buf_add(out, page.p + from, page.len - from);
}

static void compare_part(const char *path, struct slice page)
{
    uint32_t random = (uint32_t)page.len;
    struct buf mutated;

    if (page.len == 0 || page.len > PAGE_MAX || memchr(page.p, '\0', page.len))
        return; /* Gumbo ends a page at a NUL in some states */
    compare_page(path, page);
    buf_init(&mutated, 2 * PAGE_MAX);
    for (int n = 0; n < MUTATIONS; n++) {
        mutate(page, &random, &mutated);
        compare_page(path, buf_slice(&mutated));
    }
    buf_free(&mutated);
}

static void compare_mail(const struct corpus_mail *mail, void *arg)
{
    struct mime_tree tree;
    struct buf page;

    (void)arg;
    assert_true(mime_scan(&mail->headers, mail->body, &tree));
    for (size_t at = 0; at < tree.count; at++) {
        if (tree.part[at].opaque || strcmp(tree.part[at].type, "text/html") != 0)
            continue;
        if (corpus_decode(&tree.part[at], mail->body, &page))
            compare_part(mail->path, buf_slice(&page));
        buf_free(&page);
    }
    mime_tree_free(&tree);
}

static void links_stand_where_gumbo_finds_them(void **state)
{
    (void)state;
    compared = 0;
    corpus_each(compare_mail, NULL);
    assert_true(compared > 100 * MUTATIONS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_stand_where_gumbo_finds_them),
    };

    return cmocka_run_group_tests_name("oracle_html", tests, NULL, NULL);
}
