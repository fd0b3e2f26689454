/* SPDX-License-Identifier: BSD-2-Clause */
/* any mail is rewritten as promised, and cleaning the result works too */

#include "tests/support/rewrite_check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rewrite_settings settings = check_settings("fuzz");
    struct slice mail = slice_of((const char *)data, size), body;
    struct rewrite_result result, again;
    struct header_list headers;

    settings.text_links = size % 2; /* plain text is tracked in every other mail */
    settings.add_decoy = size % 3 == 0;
    settings.consent_text = size % 5 == 0 ? "Stop &#252;." : NULL;
    settings.consent_in_text = true;
    header_list_init(&headers);
    body = slice_from(mail, header_parse(mail, &headers));
    check_rewrite(&headers, body, &settings, &result);
    if (result.changed) {
        settings.add_pixel = settings.track_links = settings.add_decoy = false;
        settings.consent_text = NULL;
        check_rewrite(&headers, buf_slice(&result.body), &settings, &again);
        rewrite_result_free(&again);
    }
    rewrite_result_free(&result);
    header_list_free(&headers);
    return 0;
}
