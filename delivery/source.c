/* SPDX-License-Identifier: BSD-2-Clause */
/* source - see source.h */

#include "delivery/source.h"

#include "delivery/journal.h"
#include "delivery/log_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct source { /* one of them */
    struct log_file *file;
    struct journal *journal;
};

static const char journal_word[] = "journal", journal_mark[] = "journal:";

static bool is_journal(const char *name)
{
    return strcmp(name, journal_word) == 0 || strncmp(name, journal_mark, sizeof journal_mark - 1) == 0;
}

static struct journal *open_journal(const char *name, const char *directory, const char *bookmark, struct buf *error)
{
    const char *which = strchr(name, ':');
    const char *folder = which && which[1] == '/' ? which + 1 : NULL;

    return journal_open(folder, which && !folder ? which + 1 : NULL, directory, bookmark, error);
}

/* For free(). */
static char *bookmark_name(const char *name)
{
    char *bookmark;

    if (asprintf(&bookmark, "bookmark-%s", name) < 0)
        return NULL;
    for (char *at = bookmark; *at; at++)
        if (*at == '/')
            *at = '_';
    return bookmark;
}

struct source *source_open(const char *name, const char *directory, struct buf *error)
{
    struct source *source = calloc(1, sizeof *source);
    char *bookmark = bookmark_name(name);

    if (source && bookmark && is_journal(name))
        source->journal = open_journal(name, directory, bookmark, error);
    else if (source && bookmark)
        source->file = log_file_open(name, directory, bookmark, error);
    free(bookmark);
    if (source && (source->journal || source->file))
        return source;
    source_close(source);
    return NULL;
}

void source_close(struct source *source)
{
    if (!source)
        return;
    log_file_close(source->file);
    journal_close(source->journal);
    free(source);
}

int64_t source_read(struct source *source, size_t most, void (*line)(void *arg, struct slice line), void *arg,
                    struct buf *error)
{
    return source->file ? log_file_read(source->file, most, line, arg, error)
                        : journal_read(source->journal, most, line, arg, error);
}

bool source_save(struct source *source)
{
    return source->file ? log_file_save(source->file) : journal_save(source->journal);
}
