/* SPDX-License-Identifier: BSD-2-Clause */
/* whatever a sandbox may write: pages come in order, their pictures and texts are looked at, sizes are read */

#include "render/page_stream.h"
#include "render/page_text.h"
#include "render/pdf_info.h"
#include "render/webp.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool got(void *arg, const struct page_frame *frame)
{
    int *last = arg;
    int width, height;
    struct buf text;

    if (frame->number != ++*last)
        abort();
    if (webp_size(frame->image, &width, &height) && (width < 1 || height < 1))
        abort();
    buf_init(&text, PAGE_TEXT_MOST + 1);
    if (!page_text_clean(frame->text, &text) || text.len > PAGE_TEXT_MOST || (text.len && memchr(text.data, '\0', text.len)))
        abort();
    buf_free(&text);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pdf_info info;
    struct slice bytes = slice_of((const char *)data, size);
    struct page_stream stream;
    bool going = true;
    int last = 0;

    page_stream_init(&stream);
    for (size_t piece = 1; going && bytes.len; piece = 2 * piece + 1) {
        size_t len = bytes.len < piece ? bytes.len : piece;

        going = page_stream_take(&stream, slice_of(bytes.p, len), got, &last);
        bytes = slice_from(bytes, len);
    }
    page_stream_free(&stream);
    pdf_info_read(slice_of((const char *)data, size), &info);
    for (size_t page = 0; page < info.sized; page++)
        if (info.size[page].width > PICTURE_SIDE || info.size[page].height > PICTURE_SIDE)
            abort();
    return 0;
}
