/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/chart.h"

#include "pixeld/markup.h"

/* In units of the drawing. */
enum { BAR_STEP = 24, BAR_WIDTH = 16, HEIGHT = 72, LABEL_HEIGHT = 16, LEAST = 2 };

static long most_of(const struct chart_bar *bar, size_t bars)
{
    long most = 1;

    for (size_t n = 0; n < bars; n++)
        most = bar[n].value > most ? bar[n].value : most;
    return most;
}

static long height_of(long value, long most)
{
    long height = value * HEIGHT / most;

    return value > 0 && height < LEAST ? LEAST : height;
}

static void add_bar(struct buf *out, const struct chart_bar *bar, size_t n, long most)
{
    size_t x = n * BAR_STEP + (BAR_STEP - BAR_WIDTH) / 2;
    long whole = height_of(bar->value, most), part = height_of(bar->part, most);

    markup_f(out, "<g><title>%s</title>", bar->words);
    buf_add_f(out, "<rect class=\"ground\" x=\"%zu\" y=\"0\" width=\"%d\" height=\"%d\"/>", n * BAR_STEP, BAR_STEP, HEIGHT);
    if (whole)
        buf_add_f(out, "<rect class=\"bar\" x=\"%zu\" y=\"%ld\" width=\"%d\" height=\"%ld\" rx=\"2\"/>", x, HEIGHT - whole, BAR_WIDTH,
                  whole);
    if (part)
        buf_add_f(out, "<rect class=\"part\" x=\"%zu\" y=\"%ld\" width=\"%d\" height=\"%ld\" rx=\"2\"/>", x, HEIGHT - part,
                  BAR_WIDTH, part);
    if (bar->label) {
        buf_add_f(out, "<text x=\"%zu\" y=\"%d\">", x + BAR_WIDTH / 2, HEIGHT + LABEL_HEIGHT - 3);
        markup_f(out, "%s</text>", bar->label);
    }
    buf_add_str(out, "</g>");
}

void chart_add(struct buf *out, const char *title, const struct chart_bar *bar, size_t bars)
{
    long most = most_of(bar, bars);

    buf_add_f(out, "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 %zu %d\" aria-label=\"", bars * BAR_STEP, HEIGHT + LABEL_HEIGHT);
    markup_f(out, "%s\">", title);
    buf_add_f(out, "<line class=\"floor\" x1=\"0\" y1=\"%d\" x2=\"%zu\" y2=\"%d\"/>", HEIGHT, bars * BAR_STEP, HEIGHT);
    for (size_t n = 0; n < bars; n++)
        add_bar(out, &bar[n], n, most);
    buf_add_str(out, "</svg>");
}
