/* SPDX-License-Identifier: BSD-2-Clause */
/* any recipient: a token lies inside it, and what may get mail is one address on one line that is no return path */

#include "common/address.h"
#include "mail/address_token.h"
#include "mail/return_path.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *local[] = {(char *)"example.com"};
    const struct conf_list local_domains = {.item = local, .count = 1};
    struct slice address = slice_of((const char *)data, size);
    struct slice token = address_token(address, TOKEN_BOUNCE);
    char normal[ADDRESS_MAX + 1];

    if (token.len && (token.len != TOKEN_TEXT || token.p < address.p || token.p + token.len > address.p + address.len))
        abort();
    if (!return_path_serves(&local_domains, address))
        return 0;
    if (token.len || slice_find_i(address, "\n") != (size_t)-1 || slice_find_i(address, " ") != (size_t)-1)
        abort();
    if (size <= ADDRESS_MAX && (!address_normal_text(address, normal) || !slice_eq_i(slice_str(normal), address)))
        abort();
    return 0;
}
