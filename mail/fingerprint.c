/* SPDX-License-Identifier: BSD-2-Clause */
/* fingerprint - see fingerprint.h */

#include "mail/fingerprint.h"

#include "common/digest.h"
#include "mail/msgid.h"

char *fingerprint_message_id(const struct header_list *headers)
{
    const char *value = header_value(headers, "Message-ID");
    struct msgid_list list = {.count = 0};

    msgid_list_read(slice_str(value ? value : ""), &list);
    return list.count ? strndup(list.id[0].p, list.id[0].len) : strdup("");
}

bool fingerprint(const struct header_list *headers, const char *message_id, uint8_t digest[32])
{
    static const char *const names[] = {"From", "Date", "Subject", "In-Reply-To"};
    enum { NAMES = sizeof names / sizeof names[0] };
    struct slice parts[2 * NAMES];

    if (message_id[0]) {
        parts[0] = slice_str(message_id);
        return digest_sha256(parts, 1, digest);
    }
    for (size_t n = 0; n < NAMES; n++) {
        const char *value = header_value(headers, names[n]);

        parts[2 * n] = slice_str(value ? value : "");
        parts[2 * n + 1] = slice_of("", 1); /* a NUL between, which no value holds */
    }
    return digest_sha256(parts, 2 * NAMES, digest);
}
