/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pdf_info - what pdfinfo says of a PDF, and the size in pixels that each page's picture gets.
 *
 * Pure. The sandbox wrote what is read here: it may say anything.
 */
#ifndef RENDER_PDF_INFO_H
#define RENDER_PDF_INFO_H

#include "common/slice.h"

#include <stddef.h>

enum {
    PICTURE_WIDTH = 1240, /* about 150 dots an inch of a letter */
    PICTURE_SIDE = 4000,  /* no side is longer */
    PDF_PAGES_MOST = 1000
};

struct pdf_size {
    int width, height; /* pixels; 0: not told, or no size */
};

struct pdf_info {
    long pages;     /* that it has; 0: not told */
    size_t sized;   /* of how many of the first ones `size` tells */
    struct pdf_size size[PDF_PAGES_MOST];
};

void pdf_info_read(struct slice text, struct pdf_info *info);

/* Points; pages wider than high are as wide as others. A page without a size has no picture: 0. */
struct pdf_size pdf_info_scale(double width, double height);

#endif
