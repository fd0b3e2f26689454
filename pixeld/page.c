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

static const struct http_header post_allowed_headers[] = {
    {"Content-Type", "text/html; charset=utf-8"},
    {"Cache-Control", "no-store"},
    {"Allow", "GET, HEAD, POST"},
    {"Connection", "close"},
};

static const struct http_header unavailable_headers[] = {
    {"Content-Type", "text/html; charset=utf-8"},
    {"Cache-Control", "no-store"},
    {"Retry-After", "60"},
};

/* The hash is that of STYLE: nothing but this style and a form that comes back here does anything on the page. */
static const struct http_header form_headers[] = {
    {"Content-Type", "text/html; charset=utf-8"},
    {"Cache-Control", "no-store"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Robots-Tag", "noindex, nofollow"},
    {"Referrer-Policy", "no-referrer"},
    {"Content-Security-Policy",
     "default-src 'none'; style-src 'sha256-JTxaJBlQ4LenfvpZVC+i3xFdJ/G9lnZRV15Cb2EoF6s='; form-action 'self';"
     " frame-ancestors 'none'; base-uri 'none'"},
};

static const struct http_header no_content_headers[] = {
    {"Cache-Control", "no-store"},
};

static const struct http_header health_headers[] = {
    {"Content-Type", "text/plain; charset=utf-8"},
    {"Cache-Control", "no-store"},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PAGE(title, text)                                                                                  \
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" title "</title>"            \
    "<meta name=\"viewport\" content=\"width=device-width\">"                                             \
    "<meta name=\"color-scheme\" content=\"light dark\"></head>\n<body><h1>" title "</h1><p>" text         \
    "</p></body></html>\n"

#define STYLE                                                                                              \
    ":root{color-scheme:light dark}"                                                                       \
    "body{font:1.1em/1.5 system-ui,sans-serif;max-width:32em;margin:12vh auto;padding:0 1.2em}"            \
    "h1{font-size:1.4em}button{font:inherit;padding:.6em 1.6em}"
/* For people, on a phone too; dark where they like it dark. */
#define FORM_PAGE(title, text)                                                                             \
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" title "</title>"            \
    "<meta name=\"viewport\" content=\"width=device-width\">"                                             \
    "<meta name=\"color-scheme\" content=\"light dark\"><style>" STYLE "</style></head>\n"                \
    "<body><main><h1>" title "</h1>" text "</main></body></html>\n"

static bool are_there(const struct pages *pages)
{
    return pages->pixel && pages->not_found && pages->no_document && pages->method_not_allowed && pages->bad_request && pages->healthy &&
           pages->post_allowed && pages->too_large && pages->unavailable && pages->too_many && pages->no_content && pages->unsubscribe &&
           pages->unsubscribed && pages->consent && pages->untracked;
}

bool pages_init(struct pages *pages)
{
    *pages = (struct pages){
        .pixel = http_page_new_lasting(200, pixel_headers, COUNT(pixel_headers),
                               slice_of((const char *)gif, sizeof gif)),
        .not_found = http_page_new_lasting(
            404, page_headers, COUNT(page_headers),
            slice_str(PAGE("Not found", "There is nothing at this address. If you followed a "
                                        "link in a mail, it was cut or changed on its way."))),
        .no_document = http_page_new_lasting(
            404, form_headers, COUNT(form_headers),
            slice_str(FORM_PAGE("Nothing here", "<p>This link shows no document, or does not any more. If it came in a mail, its "
                                                "sender can tell you why.</p>"))),
        .method_not_allowed =
            http_page_new_lasting(405, last_page_headers, COUNT(last_page_headers),
                          slice_str(PAGE("Method not allowed", "Only GET and HEAD are answered."))),
        .bad_request =
            http_page_new_lasting(400, last_page_headers, COUNT(last_page_headers),
                          slice_str(PAGE("Bad request", "A request here has one Host, no body but that of a form, and fields "
                                                        "whose names no space follows."))),
        .post_allowed = http_page_new_lasting(405, post_allowed_headers, COUNT(post_allowed_headers),
                                      slice_str(PAGE("Method not allowed", "Only GET, HEAD and POST are answered."))),
        .too_large = http_page_new_lasting(413, last_page_headers, COUNT(last_page_headers),
                                   slice_str(PAGE("Content too large", "So much is not taken here."))),
        .unavailable = http_page_new_lasting(503, unavailable_headers, COUNT(unavailable_headers),
                                     slice_str(PAGE("Not now", "This cannot be done just now. Please try again in a minute."))),
        .unsubscribe = http_page_new_lasting(
            200, form_headers, COUNT(form_headers),
            slice_str(FORM_PAGE("Unsubscribe", "<p>Do you want to get no more mails of this kind?</p>"
                                               "<form method=\"post\"><button>Unsubscribe</button></form>"))),
        .unsubscribed = http_page_new_lasting(
            200, form_headers, COUNT(form_headers),
            slice_str(FORM_PAGE("Unsubscribed", "<p>You will get no more mails of this kind. One that was already on "
                                                "its way may still arrive.</p>"))),
        .too_many = http_page_new_lasting(429, unavailable_headers, COUNT(unavailable_headers),
                                  slice_str(PAGE("Too many requests", "Please try again in a minute."))),
        .no_content = http_page_new_lasting(204, no_content_headers, COUNT(no_content_headers), slice_of("", 0)),
        .consent = http_page_new_lasting(
            200, form_headers, COUNT(form_headers),
            slice_str(FORM_PAGE("Stop tracking", "<p>The sender of this mail is told when you open it, follow its links or read documents that came with it. "
                                                 "Do you want that to end, for this mail and for all others from here?</p>"
                                                 "<form method=\"post\"><button>Stop tracking</button></form>"))),
        .untracked = http_page_new_lasting(
            200, form_headers, COUNT(form_headers),
            slice_str(FORM_PAGE("Tracking is stopped", "<p>Nobody is told any more what you open or follow, and what was "
                                                       "recorded of it is deleted. Of an earlier mail that several people got as one it is "
                                                       "still told that somebody opened it, but not who.</p>"))),
        .healthy = http_page_new_lasting(200, health_headers, COUNT(health_headers), slice_str("ok\n")),
    };
    if (are_there(pages))
        return true;
    pages_release(pages);
    return false;
}

void pages_release(struct pages *pages)
{
    http_page_free(pages->pixel);
    http_page_free(pages->not_found);
    http_page_free(pages->no_document);
    http_page_free(pages->method_not_allowed);
    http_page_free(pages->bad_request);
    http_page_free(pages->healthy);
    http_page_free(pages->post_allowed);
    http_page_free(pages->too_large);
    http_page_free(pages->unavailable);
    http_page_free(pages->too_many);
    http_page_free(pages->no_content);
    http_page_free(pages->unsubscribe);
    http_page_free(pages->unsubscribed);
    http_page_free(pages->consent);
    http_page_free(pages->untracked);
    *pages = (struct pages){.pixel = NULL};
}
