/* SPDX-License-Identifier: BSD-2-Clause */
/* log_siblings - see log_siblings.h */

#include "delivery/log_siblings.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct found {
    char *path;
    struct timespec changed;
};

static int compare(const void *left, const void *right)
{
    const struct found *a = left, *b = right;

    if (a->changed.tv_sec != b->changed.tv_sec)
        return a->changed.tv_sec < b->changed.tv_sec ? -1 : 1;
    if (a->changed.tv_nsec != b->changed.tv_nsec)
        return a->changed.tv_nsec < b->changed.tv_nsec ? -1 : 1;
    return strcmp(b->path, a->path); /* mail.log.2 before mail.log.1 */
}

/* Room for one more; NULL without memory. */
static struct found *grow(struct found **list, size_t count)
{
    struct found *grown = reallocarray(*list, count + 1, sizeof **list);

    if (grown)
        *list = grown;
    return grown ? &grown[count] : NULL;
}

static bool is_sibling(const char *name, const char *base)
{
    size_t len = strlen(base);

    return strncmp(name, base, len) == 0 && (name[len] == '.' || name[len] == '-');
}

static bool add(struct found **list, size_t *count, const char *folder, const char *name)
{
    struct found *found = grow(list, *count);
    struct stat status;

    if (!found || asprintf(&found->path, "%s/%s", folder, name) < 0)
        return false;
    if (stat(found->path, &status) != 0 || !S_ISREG(status.st_mode)) {
        free(found->path); /* it has gone meanwhile */
        return true;
    }
    found->changed = status.st_mtim;
    ++*count;
    return true;
}

static bool read_folder(const char *folder, const char *base, struct found **list, size_t *count)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    bool fine = directory != NULL;

    while (fine && (entry = readdir(directory)))
        if (is_sibling(entry->d_name, base))
            fine = add(list, count, folder, entry->d_name);
    if (directory)
        closedir(directory);
    return fine;
}

static bool keep_paths(struct log_siblings *siblings, struct found *list, size_t count)
{
    siblings->path = calloc(count + 1, sizeof *siblings->path);
    for (size_t n = 0; n < count; n++) {
        if (siblings->path)
            siblings->path[n] = list[n].path;
        else
            free(list[n].path);
    }
    siblings->count = siblings->path ? count : 0;
    return siblings->path != NULL;
}

bool log_siblings_find(struct log_siblings *siblings, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1) : strdup(".");
    struct found *list = NULL;
    size_t count = 0;
    bool read = folder && read_folder(folder, slash ? slash + 1 : path, &list, &count);

    *siblings = (struct log_siblings){0};
    if (count)
        qsort(list, count, sizeof *list, compare);
    if (!keep_paths(siblings, list, count))
        read = false;
    free(list);
    free(folder);
    return read;
}

void log_siblings_free(struct log_siblings *siblings)
{
    for (size_t n = 0; n < siblings->count; n++)
        free(siblings->path[n]);
    free(siblings->path);
    *siblings = (struct log_siblings){0};
}

bool log_siblings_since(struct log_siblings *siblings, const struct log_head *head, uint64_t offset)
{
    size_t first = siblings->count;

    while (first > 0 && !log_head_fits(head, siblings->path[first - 1], offset))
        first--;
    if (first == 0)
        return false;
    first--;
    for (size_t n = 0; n < first; n++)
        free(siblings->path[n]);
    siblings->count -= first;
    memmove(siblings->path, siblings->path + first, siblings->count * sizeof *siblings->path);
    return true;
}
