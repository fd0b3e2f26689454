/* SPDX-License-Identifier: BSD-2-Clause */
/* any bytes as a document of each type, and as a ZIP archive: all that is found lies within them */

#include "render/file_type.h"
#include "render/zip_directory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void stays_within(struct slice part, struct slice whole)
{
    if (part.len && (part.p < whole.p || part.p + part.len > whole.p + whole.len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice file = slice_of((const char *)data, size);
    struct zip_directory directory;
    struct zip_entry entry;
    size_t entries = 0;

    for (enum document_type type = 0; type < DOCUMENT_TYPES; type++)
        file_type_look(type, file);
    if (!zip_directory_open(file, &directory))
        return 0;
    while (zip_directory_next(&directory, &entry) == ZIP_ENTRY) {
        stays_within(entry.name, file);
        stays_within(zip_directory_content(&directory, &entry), file);
        if (++entries > size)
            abort();
    }
    return 0;
}
