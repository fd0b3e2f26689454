/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/feed_cookie.h"

enum { SECRET_DIGITS = 64, DEVICE_DIGITS = 32, DEVICE_TEXT = 36 };

/* 400 days is the most that browsers allow; the database ends a session sooner. */
#define LASTS "Max-Age=34560000"
#define ENDS "Max-Age=0"

static const struct {
    const char *bound, *free; /* names, with and without https */
    const char *same_site;
} cookies[] = {
    [FEED_COOKIE_SESSION] = {"__Host-spoor-session", "spoor-session", "Lax"},
    [FEED_COOKIE_DEVICE] = {"__Host-spoor-device", "spoor-device", "None"},
};

static bool is_digits(struct slice text)
{
    for (size_t at = 0; at < text.len; at++)
        if (ascii_hex_value(text.p[at]) < 0)
            return false;
    return true;
}

/* A UUID as PostgreSQL writes it. */
static bool is_device(struct slice text)
{
    if (text.len != DEVICE_TEXT)
        return false;
    for (size_t at = 0; at < text.len; at++) {
        bool dash = at == 8 || at == 13 || at == 18 || at == 23;

        if (dash ? text.p[at] != '-' : ascii_hex_value(text.p[at]) < 0)
            return false;
    }
    return true;
}

static struct slice find(const struct request *request, enum feed_cookie which, bool secure)
{
    struct slice value = request_cookie(request, secure ? cookies[which].bound : cookies[which].free);
    bool fine = which == FEED_COOKIE_DEVICE ? is_device(value) : value.len == SECRET_DIGITS && is_digits(value);

    return fine ? value : slice_of("", 0);
}

void feed_cookie_read(const struct request *request, enum feed_cookie which, bool secure, char *value, size_t size)
{
    struct slice found = find(request, which, secure);

    if (found.len >= size)
        found.len = 0;
    memcpy(value, found.p, found.len);
    value[found.len] = '\0';
}

void feed_cookie_set(struct buf *out, enum feed_cookie which, bool secure, const char *value)
{
    buf_add_f(out, "%s=%s; Path=/; %s; HttpOnly; SameSite=%s%s", secure ? cookies[which].bound : cookies[which].free, value,
              *value ? LASTS : ENDS, secure ? cookies[which].same_site : "Lax", secure ? "; Secure" : "");
}

bool feed_cookie_device(const struct request *request, bool secure, uint8_t device[16])
{
    struct slice text = find(request, FEED_COOKIE_DEVICE, secure);
    size_t digits = 0;

    for (size_t at = 0; at < text.len; at++) {
        int value = ascii_hex_value(text.p[at]);

        if (value < 0)
            continue;
        device[digits / 2] = (uint8_t)(digits % 2 ? device[digits / 2] | value : value << 4);
        digits++;
    }
    return digits == DEVICE_DIGITS;
}
