/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/owners.h"

/* Goes over the element that begins at *AT, up to the comma or brace behind it. True when it is OWNER. */
static bool pass_element(const char **at, const char *owner)
{
    bool quoted = **at == '"', same = true;
    const char *byte = *at + quoted;

    for (; *byte && (quoted ? *byte != '"' : *byte != ',' && *byte != '}'); byte++) {
        if (*byte == '\\' && byte[1])
            byte++;
        same = same && *owner && *owner++ == *byte;
    }
    if (quoted && *byte)
        byte++;
    *at = byte;
    return same && !*owner;
}

bool owners_have(const char *owners, const char *owner)
{
    bool found = false;

    if (*owners != '{' || owners[1] == '}')
        return false;
    while (!found && (*owners == '{' || *owners == ',')) {
        owners++;
        found = pass_element(&owners, owner);
    }
    return found;
}
