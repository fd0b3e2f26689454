/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/place.h"

#ifdef HAVE_MAXMINDDB

#include <maxminddb.h>
#include <stdlib.h>

struct places {
    MMDB_s file;
};

struct places *places_open(const char *path, struct buf *error)
{
    struct places *places = calloc(1, sizeof *places);
    int why = places ? MMDB_open(path, MMDB_MODE_MMAP, &places->file) : MMDB_OUT_OF_MEMORY_ERROR;

    if (why == MMDB_SUCCESS)
        return places;
    buf_add_f(error, "%s: %s", path, MMDB_strerror(why));
    free(places);
    return NULL;
}

void places_close(struct places *places)
{
    if (!places)
        return;
    MMDB_close(&places->file);
    free(places);
}

/* Adds the English name below WHAT. */
static bool add_name(MMDB_entry_s *entry, const char *what, const char *before, struct buf *out)
{
    MMDB_entry_data_s name;

    if (MMDB_get_value(entry, &name, what, "names", "en", NULL) != MMDB_SUCCESS || !name.has_data ||
        name.type != MMDB_DATA_TYPE_UTF8_STRING)
        return false;
    buf_add_str(out, before);
    return buf_add(out, name.utf8_string, name.data_size);
}

void place_add(struct places *places, const char *address, struct buf *out)
{
    int unreadable, why;
    MMDB_lookup_result_s found = MMDB_lookup_string(&places->file, address, &unreadable, &why);
    bool has_city;

    if (unreadable || why != MMDB_SUCCESS || !found.found_entry)
        return;
    has_city = add_name(&found.entry, "city", "", out);
    add_name(&found.entry, "country", has_city ? ", " : "", out);
}

#else

struct places *places_open(const char *path, struct buf *error)
{
    buf_add_f(error, "%s: this program was built without libmaxminddb", path);
    return NULL;
}

void places_close(struct places *places)
{
    (void)places;
}

void place_add(struct places *places, const char *address, struct buf *out)
{
    (void)places, (void)address, (void)out;
}

#endif
