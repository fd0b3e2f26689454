/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * the MIME scanner against GMime: the same parts at the same bytes, on every mail of the corpus
 *
 * Mails on which readers differ are named below, each with its reason; in all of them the scanner takes the
 * side that edits less.
 */

#include "tests/support/corpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <gmime/gmime.h>

enum { LEAVES_MAX = 200 };

struct leaves {
    size_t at[LEAVES_MAX], end[LEAVES_MAX];
    size_t count;
};

struct exception {
    const char *name, *reason;
};

static const struct exception exceptions[] = {
    {"broken-empty-boundary", "no boundary is to be used; GMime takes the empty one"},
    {"broken-multipart-quoted-printable", "an encoding that a multipart must not have (RFC 2045 6.4)"},
    {"broken-no-boundary-parameter", "GMime gives no part at all, we one that stays as it is"},
    {"broken-part-without-empty-line", "a part that is header only: GMime drops it, we keep it empty"},
    {"broken-same-boundary-nested", "GMime drops the part that cannot begin, we keep it empty"},
    {"scanner", "before a last delimiter that ends without a line break GMime gives the CR to the part"},
};

static const char *exception_of(const char *path)
{
    const char *name = strrchr(path, '/') + 1;

    for (size_t at = 0; at < sizeof exceptions / sizeof exceptions[0]; at++)
        if (strcmp(exceptions[at].name, name) == 0)
            return exceptions[at].reason;
    return NULL;
}

static void note(struct leaves *leaves, size_t at, size_t end)
{
    assert_true(leaves->count < LEAVES_MAX);
    leaves->at[leaves->count] = at;
    leaves->end[leaves->count++] = end;
}

static void find_ours(const struct corpus_mail *mail, struct leaves *leaves)
{
    size_t start = mail->raw.len - mail->body.len;
    struct mime_tree tree;

    assert_true(mime_scan(&mail->headers, mail->body, &tree));
    for (size_t at = 0; at < tree.count; at++) {
        const struct mime_part *part = &tree.part[at];

        if (!part->multipart)
            note(leaves, start + part->at, start + part->at + part->len);
    }
    mime_tree_free(&tree);
}

static void note_content(GMimeDataWrapper *content, struct leaves *leaves)
{
    GMimeStream *stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;

    if (stream)
        note(leaves, (size_t)stream->bound_start, (size_t)stream->bound_end);
}

/* A forwarded message is one part; its bounds are not kept by GMime, so it is left out on both sides. */
static void find_theirs(GMimeObject *object, struct leaves *leaves)
{
    if (GMIME_IS_MULTIPART(object)) {
        for (int at = 0; at < g_mime_multipart_get_count(GMIME_MULTIPART(object)); at++)
            find_theirs(g_mime_multipart_get_part(GMIME_MULTIPART(object), at), leaves);
    } else if (GMIME_IS_PART(object)) {
        note_content(g_mime_part_get_content(GMIME_PART(object)), leaves);
    }
}

static void parse_theirs(struct slice raw, struct leaves *leaves)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(raw.p, raw.len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message;

    g_mime_parser_set_persist_stream(parser, TRUE);
    message = g_mime_parser_construct_message(parser, NULL);
    if (message && g_mime_message_get_mime_part(message))
        find_theirs(g_mime_message_get_mime_part(message), leaves);
    if (message)
        g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
}

static unsigned agreed, differed;

static void compare_mail(const struct corpus_mail *mail, void *arg)
{
    struct leaves ours = {.count = 0}, theirs = {.count = 0};
    bool same;

    (void)arg;
    if (strstr(mail->path, "forward") || strstr(mail->path, "report"))
        return; /* message/ parts */
    find_ours(mail, &ours);
    parse_theirs(mail->raw, &theirs);
    same = ours.count == theirs.count;
    for (size_t at = 0; same && at < ours.count; at++)
        same = ours.at[at] == theirs.at[at] && ours.end[at] == theirs.end[at];
    agreed += same;
    if (same == (exception_of(mail->path) == NULL))
        return;
    print_message("%s: %s\n", mail->path, same ? "is no exception" : "parts differ");
    for (size_t at = 0; at < ours.count; at++)
        print_message("  ours   %zu-%zu\n", ours.at[at], ours.end[at]);
    for (size_t at = 0; at < theirs.count; at++)
        print_message("  theirs %zu-%zu\n", theirs.at[at], theirs.end[at]);
    differed++;
}

static void parts_stand_where_gmime_finds_them(void **state)
{
    (void)state;
    g_mime_init();
    corpus_each(compare_mail, NULL);
    g_mime_shutdown();
    assert_int_equal(differed, 0);
    assert_true(agreed > 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_stand_where_gmime_finds_them),
    };

    return cmocka_run_group_tests_name("oracle_mime", tests, NULL, NULL);
}
