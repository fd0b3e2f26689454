/* SPDX-License-Identifier: BSD-2-Clause */
/* pages on their way: what pdfinfo says, scale, the sandbox's stream, WebP headers, text */

#include "common/little_endian.h"
#include "render/page_stream.h"
#include "render/page_text.h"
#include "render/pdf_info.h"
#include "render/webp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect_scale(double width, double height, int wanted_width, int wanted_height)
{
    struct pdf_size size = pdf_info_scale(width, height);

    assert_int_equal(size.width, wanted_width);
    assert_int_equal(size.height, wanted_height);
}

static void pages_are_as_wide_as_a_screen(void **state)
{
    (void)state;
    expect_scale(595.304, 841.89, 1240, 1754);
    expect_scale(960, 540, 1240, 698);
    expect_scale(1, 10000, 1, 4000);
    expect_scale(10000, 1, 1240, 1);
    expect_scale(200, 1000, 800, 4000);
    expect_scale(14400000, 14400000, 1240, 1240);
}

static void a_page_without_a_size_has_no_picture(void **state)
{
    (void)state;
    expect_scale(0, 100, 0, 0);
    expect_scale(100, -1, 0, 0);
    expect_scale(1e300, 1e300, 0, 0);
    expect_scale(0.0 / strtod("0", NULL), 1, 0, 0);
}

static void read_info(const char *text, struct pdf_info *info)
{
    pdf_info_read(slice_str(text), info);
}

static void sizes_in_order_and_turned(void **state)
{
    static struct pdf_info info;

    (void)state;
    read_info("Creator:         Writer\nPages:           3\nEncrypted:       no\nPage    1 size:  595 x 842 pts (A4)\n"
              "Page    1 rot:   0\nPage    2 size:  595 x 842 pts (A4)\nPage    2 rot:   90\nPage    3 size:  612 x 792 pts (letter)\n"
              "Page    3 rot:   180\nFile size:       7372 bytes\n", &info);
    assert_int_equal(info.pages, 3);
    assert_int_equal(info.sized, 3);
    assert_int_equal(info.size[0].height, 1755);
    assert_int_equal(info.size[1].width, 1240);
    assert_int_equal(info.size[1].height, 876);
    assert_int_equal(info.size[2].height, 1605);
}

static void lies_do_no_harm(void **state)
{
    static struct pdf_info info;

    (void)state;
    read_info("Pages: -5\nPage 2 size: 1 x 1 pts\nPage 0 rot: 90\nPage 99999999999 size: 5 x 5 pts\nPage 1 size: nan x inf pts\n"
              "Page 1 rot: 90", &info);
    assert_int_equal(info.pages, 0);
    assert_int_equal(info.sized, 1);
    assert_int_equal(info.size[0].width, 0);
    read_info("", &info);
    assert_int_equal(info.pages, 0);
    read_info("Title: Pages: 7", &info);
    assert_int_equal(info.pages, 0);
}

struct seen {
    int count;
    int refuse_at;
    size_t image, text;
};

static bool see(void *arg, const struct page_frame *frame)
{
    struct seen *seen = arg;

    assert_int_equal(frame->number, ++seen->count);
    seen->image += frame->image.len;
    seen->text += frame->text.len;
    if (frame->number == 1)
        assert_true(slice_is(frame->image, "image\n") && slice_is(frame->text, "text"));
    return seen->count != seen->refuse_at;
}

static const char three_pages[] = "page 1 6 4\nimage\ntextpage 2 0 0\npage 3 1 1\nab";

static void pages_come_in_pieces(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < sizeof three_pages; piece++) {
        struct slice rest = slice_str(three_pages);
        struct page_stream stream;
        struct seen seen = {0};

        page_stream_init(&stream);
        while (rest.len) {
            size_t len = rest.len < piece ? rest.len : piece;

            assert_true(page_stream_take(&stream, slice_of(rest.p, len), see, &seen));
            rest = slice_from(rest, len);
        }
        assert_int_equal(seen.count, 3);
        assert_int_equal(seen.image, 7);
        assert_int_equal(seen.text, 5);
        page_stream_free(&stream);
    }
}

static bool takes(const char *text, int refuse_at)
{
    struct seen seen = {.refuse_at = refuse_at};
    struct page_stream stream;
    bool taken;

    page_stream_init(&stream);
    taken = page_stream_take(&stream, slice_str(text), see, &seen);
    page_stream_free(&stream);
    return taken;
}

static void what_is_no_page_is_refused(void **state)
{
    (void)state;
    assert_true(takes(three_pages, 0));
    assert_false(takes(three_pages, 2));
    assert_false(takes("page 2 0 0\n", 0));
    assert_false(takes("page 1 99999999 0\n", 0));
    assert_false(takes("page 1 0 99999999\n", 0));
    assert_false(takes("page 1 6\nimage\n", 0));
    assert_false(takes("hello\n", 0));
    assert_false(takes("no newline for longer than any line of ours would ever be, which is why", 0));
}

static bool size_of(const char *bytes, size_t len, int *width, int *height)
{
    return webp_size(slice_of(bytes, len), width, height);
}

static void sizes_in_webp_headers(void **state)
{
    char lossy[40] = "RIFF\x20\0\0\0WEBPVP8 ", lossless[40] = "RIFF\x20\0\0\0WEBPVP8L", extended[40] = "RIFF\x20\0\0\0WEBPVP8X";
    int width, height;

    (void)state;
    memcpy(lossy + 23, "\x9D\x01\x2A", 3);
    le16_put(lossy + 26, 1240);
    le16_put(lossy + 28, 1754);
    assert_true(size_of(lossy, sizeof lossy, &width, &height));
    assert_int_equal(width, 1240);
    assert_int_equal(height, 1754);

    lossless[20] = 0x2F;
    le32_put(lossless + 21, 1239 | 1753 << 14);
    assert_true(size_of(lossless, sizeof lossless, &width, &height));
    assert_int_equal(width, 1240);
    assert_int_equal(height, 1754);

    le16_put(extended + 24, 1239);
    le16_put(extended + 27, 1753);
    assert_true(size_of(extended, sizeof extended, &width, &height));
    assert_int_equal(width, 1240);
    assert_int_equal(height, 1754);

    assert_false(size_of(lossy, sizeof lossy - 1, &width, &height)); /* cut */
    assert_false(size_of(lossy, 20, &width, &height));
    le16_put(lossy + 26, 0);
    assert_false(size_of(lossy, sizeof lossy, &width, &height));
    lossless[20] = 0;
    assert_false(size_of(lossless, sizeof lossless, &width, &height));
    assert_false(size_of("GIF89a                                  ", 40, &width, &height));
}

static void expect_text(const char *text, size_t len, const char *wanted)
{
    struct buf out;

    buf_init(&out, PAGE_TEXT_MOST + 1);
    assert_true(page_text_clean(slice_of(text, len), &out));
    assert_string_equal(buf_text(&out), wanted);
    buf_free(&out);
}

#define EXPECT_TEXT(text, wanted) expect_text(text, sizeof text - 1, wanted)

static void text_is_words_and_lines(void **state)
{
    (void)state;
    EXPECT_TEXT("Hello   world\t!\n\n\n\nNext\f", "Hello world !\n\nNext");
    EXPECT_TEXT("\n\n  first", "first");
    EXPECT_TEXT("end of line  \nnext", "end of line\nnext");
    EXPECT_TEXT("", "");
}

static void text_holds_nothing_that_acts(void **state)
{
    (void)state;
    EXPECT_TEXT("a\0b\x1b[31mc\x7f" "d\r", "ab[31mcd");
    EXPECT_TEXT("x\xC2\x85y\xE2\x80\xAEz\xE2\x81\xA6w", "xyzw");
    EXPECT_TEXT("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80", "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80");
    EXPECT_TEXT("bad \xFF\xC3 bytes", "bad \xEF\xBF\xBD\xEF\xBF\xBD bytes");
    EXPECT_TEXT("<b>&amp;", "<b>&amp;"); /* whoever shows it escapes it */
}

static void text_has_an_end(void **state)
{
    static char much[3 * PAGE_TEXT_MOST];
    struct buf out;

    (void)state;
    for (size_t at = 0; at + 3 <= sizeof much; at += 3)
        memcpy(much + at, "\xE2\x82\xAC", 3);
    buf_init(&out, PAGE_TEXT_MOST + 1);
    assert_true(page_text_clean(slice_of(much, sizeof much), &out));
    assert_in_range(out.len, PAGE_TEXT_MOST - 8, PAGE_TEXT_MOST);
    assert_int_equal(out.len % 3, 0); /* no half character */
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_as_wide_as_a_screen),
        cmocka_unit_test(a_page_without_a_size_has_no_picture),
        cmocka_unit_test(sizes_in_order_and_turned),
        cmocka_unit_test(lies_do_no_harm),
        cmocka_unit_test(pages_come_in_pieces),
        cmocka_unit_test(what_is_no_page_is_refused),
        cmocka_unit_test(sizes_in_webp_headers),
        cmocka_unit_test(text_is_words_and_lines),
        cmocka_unit_test(text_holds_nothing_that_acts),
        cmocka_unit_test(text_has_an_end),
    };

    return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
