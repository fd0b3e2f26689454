/* SPDX-License-Identifier: BSD-2-Clause */
/* pdf_info - see pdf_info.h */

#include "render/pdf_info.h"

#include <stdio.h>

enum { LINE_MOST = 200 };

static int at_least_one(double pixels)
{
    return pixels < 1 ? 1 : (int)(pixels + 0.5);
}

struct pdf_size pdf_info_scale(double width, double height)
{
    struct pdf_size size = {0, 0};
    double tall;

    if (!(width > 0 && height > 0) || width > 1e9 || height > 1e9)
        return size;
    tall = PICTURE_WIDTH / width * height;
    if (tall > PICTURE_SIDE) {
        size.width = at_least_one(PICTURE_SIDE / height * width);
        size.height = PICTURE_SIDE;
    } else {
        size.width = PICTURE_WIDTH;
        size.height = at_least_one(tall);
    }
    return size;
}

static void read_line(const char *line, struct pdf_info *info)
{
    double width, height;
    int number, turned;
    long pages;

    if (sscanf(line, "Pages: %9ld", &pages) == 1) {
        info->pages = pages > 0 ? pages : 0;
    } else if (sscanf(line, "Page %7d size: %lf x %lf pts", &number, &width, &height) == 3) {
        if (number == (int)info->sized + 1 && info->sized < PDF_PAGES_MOST)
            info->size[info->sized++] = pdf_info_scale(width, height);
    } else if (sscanf(line, "Page %7d rot: %4d", &number, &turned) == 2 && number == (int)info->sized && number > 0 &&
               turned % 180 != 0) {
        struct pdf_size *size = &info->size[number - 1];

        *size = pdf_info_scale(size->height, size->width);
    }
}

void pdf_info_read(struct slice text, struct pdf_info *info)
{
    char line[LINE_MOST];

    memset(info, 0, sizeof *info);
    while (text.len) {
        size_t len = slice_find_char(text, '\n');

        snprintf(line, sizeof line, "%.*s", (int)(len < LINE_MOST ? len : LINE_MOST - 1), text.p);
        read_line(line, info);
        text = slice_from(text, len + 1);
    }
}
