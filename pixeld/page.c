/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/page.h"

/* GIF89a, 1 x 1, its only colour transparent. */
static const unsigned char gif[43] = {
    'G',  'I',  'F',  '8',  '9',  'a',  0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00,
    0x00, 0xff, 0xff, 0xff, 0x21, 0xf9, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3b,
};

/* Image proxies keep a picture for a year unless they see all of these (RFC 9111 5.2.2). */
static const struct http_header pixel_headers[] = {
    {"Content-Type", "image/gif"},
    {"Cache-Control", "no-store, no-cache, must-revalidate, private, max-age=0"},
    {"Pragma", "no-cache"},
    {"Expires", "0"},
};

static const struct http_header page_headers[] = {
    {"Content-Type", "text/html; charset=utf-8"},
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
};

/* Whatever body the client still sends must not be taken for a request. */
static const struct http_header last_page_headers[] = {
    {"Content-Type", "text/html; charset=utf-8"},
    {"Cache-Control", "no-store"},
    {"Allow", "GET, HEAD"},
    {"Connection", "close"},
};

static const struct http_header health_headers[] = {
    {"Content-Type", "text/plain; charset=utf-8"},
    {"Cache-Control", "no-store"},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PAGE(title, text)                                                                                  \
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" title "</title>"            \
    "<meta name=\"viewport\" content=\"width=device-width\"></head>\n<body><h1>" title "</h1><p>" text     \
    "</p></body></html>\n"

bool pages_init(struct pages *pages)
{
    *pages = (struct pages){
        .pixel = http_page_new_lasting(200, pixel_headers, COUNT(pixel_headers),
                               slice_of((const char *)gif, sizeof gif)),
        .not_found = http_page_new_lasting(
            404, page_headers, COUNT(page_headers),
            slice_str(PAGE("Not found", "There is nothing at this address. If you followed a "
                                        "link in a mail, it was cut or changed on its way."))),
        .method_not_allowed =
            http_page_new_lasting(405, last_page_headers, COUNT(last_page_headers),
                          slice_str(PAGE("Method not allowed", "Only GET and HEAD are answered."))),
        .bad_request =
            http_page_new_lasting(400, last_page_headers, COUNT(last_page_headers),
                          slice_str(PAGE("Bad request", "A request here has no body, one Host, and fields whose names no space follows."))),
        .healthy = http_page_new_lasting(200, health_headers, COUNT(health_headers), slice_str("ok\n")),
    };
    if (pages->pixel && pages->not_found && pages->method_not_allowed && pages->bad_request &&
        pages->healthy)
        return true;
    pages_release(pages);
    return false;
}

void pages_release(struct pages *pages)
{
    http_page_free(pages->pixel);
    http_page_free(pages->not_found);
    http_page_free(pages->method_not_allowed);
    http_page_free(pages->bad_request);
    http_page_free(pages->healthy);
    *pages = (struct pages){.pixel = NULL};
}
