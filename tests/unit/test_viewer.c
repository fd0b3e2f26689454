/* SPDX-License-Identifier: BSD-2-Clause */
/* the pages of the viewer: what came with a document is text and nothing else */

#include "pixeld/markup.h"
#include "pixeld/viewer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct store_page pages[] = {
    {1, 1240, 1754, "first <script>alert(1)</script> & \"more\""},
    {2, 1240, 1754, ""},
    {3, 1240, 1754, NULL},
};

static struct viewer sample(void)
{
    return (struct viewer){
        .file_name = slice_str("<b>\"offer\" & more.pdf"),
        .bytes = 1234567,
        .token = slice_str("tttt"),
        .version = slice_str("0123456789ab"),
        .view = "f00d",
        .script = "viewer-1.js",
        .style = "viewer-2.css",
        .idle_s = 60,
        .pages_total = 3,
        .page = pages,
        .pages = 3,
    };
}

static bool has(const struct buf *html, const char *text)
{
    return strstr(buf_text(html), text);
}

static void all_pages_are_there(void **state)
{
    struct viewer viewer = sample();
    struct buf html;

    (void)state;
    buf_init(&html, VIEWER_BYTES_MAX);
    assert_true(viewer_add_document(&html, &viewer));
    assert_true(has(&html, "<title>&lt;b&gt;&quot;offer&quot; &amp; more.pdf</title>"));
    assert_true(has(&html, "data-view=\"f00d\" data-idle=\"60\" data-beacon=\"tttt/beacon\""));
    assert_true(has(&html, "<script src=\"../a/viewer-1.js\" defer></script>"));
    assert_true(has(&html, "<img src=\"tttt/1-0123456789ab\" width=\"1240\" height=\"1754\" alt=\"Page 1\" fetchpriority"));
    assert_true(has(&html, "<img src=\"tttt/2-0123456789ab\" width=\"1240\" height=\"1754\" alt=\"Page 2\" loading=\"lazy\""));
    assert_true(has(&html, "first &lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;"));
    assert_true(has(&html, "<a href=\"tttt/3\" lang=\"en\" rel=\"nofollow\">Text of page 3</a>"));
    assert_true(has(&html, "action=\"tttt/download\"") && has(&html, "1.2 MB"));
    assert_false(has(&html, "<script>") || has(&html, "http:") || has(&html, "https:") || has(&html, "style="));
    assert_true(has(&html, "is told when the document is opened"));
    assert_false(has(&html, "These are the first"));
    viewer.pages_total = 1200;
    viewer_add_document(&html, &viewer);
    assert_true(has(&html, "These are the first 3 of 1200 pages"));
    buf_free(&html);
}

static void a_page_alone_has_no_script(void **state)
{
    struct viewer viewer = sample();
    struct buf html;

    (void)state;
    viewer.page = pages + 1;
    viewer.pages = 1;
    buf_init(&html, VIEWER_BYTES_MAX);
    assert_true(viewer_add_page(&html, &viewer));
    assert_false(has(&html, "<script") || has(&html, "data-view"));
    assert_true(has(&html, "src=\"2-0123456789ab\"") && has(&html, "href=\"1\"") && has(&html, "href=\"3\""));
    assert_true(has(&html, "href=\"../../a/viewer-2.css\"") && has(&html, "action=\"download\"") && has(&html, "href=\"../tttt\""));
    buf_free(&html);
}

static void who_asks_for_no_tracking_is_told_so(void **state)
{
    struct viewer viewer = sample();
    struct buf html;

    (void)state;
    viewer.view = "";
    viewer.notice = NOTICE_NOTHING;
    buf_init(&html, VIEWER_BYTES_MAX);
    assert_true(viewer_add_document(&html, &viewer));
    assert_false(has(&html, "data-view") || has(&html, "is told when"));
    assert_true(has(&html, "Nobody is told"));
    buf_free(&html);
}

static void a_pending_page_comes_back_and_gives_up(void **state)
{
    struct viewer viewer = sample();
    struct buf html;

    (void)state;
    buf_init(&html, VIEWER_BYTES_MAX);
    assert_true(viewer_add_pending(&html, &viewer, 2));
    assert_true(has(&html, "<meta http-equiv=\"refresh\" content=\"10;url=tttt?again=3\">") && has(&html, "tttt/download"));
    buf_reset(&html);
    assert_true(viewer_add_pending(&html, &viewer, 99999));
    assert_false(has(&html, "refresh"));
    buf_reset(&html);
    assert_true(viewer_add_download_only(&html, &viewer, slice_str("encrypted")));
    assert_true(has(&html, "password") && has(&html, "tttt/download"));
    buf_free(&html);
}

static void markup_is_only_text(void **state)
{
    static const char foreign[] = "a<b>&\"'\x01\x7f\t\n\xc2\x85\xff\xed\xa0\x80z";
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_true(markup_add_text(&out, slice_of(foreign, sizeof foreign))); /* with its NUL */
    assert_string_equal(buf_text(&out), "a&lt;b&gt;&amp;&quot;&#39;\t\n\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pages_are_there),
        cmocka_unit_test(a_page_alone_has_no_script),
        cmocka_unit_test(who_asks_for_no_tracking_is_told_so),
        cmocka_unit_test(a_pending_page_comes_back_and_gives_up),
        cmocka_unit_test(markup_is_only_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
