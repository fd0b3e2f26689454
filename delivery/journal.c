/* SPDX-License-Identifier: BSD-2-Clause */
/* journal - see journal.h */

#include "delivery/journal.h"

#include "common/file_replace.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

enum { CURSOR_MAX = 512, LINE_MOST = 64 * 1024, MICROSECONDS = 1000000 };

static const char mark[] = "journal "; /* begins a bookmark */

struct journal {
    sd_journal *handle;
    char *name; /* of the bookmark */
    int directory;
    char cursor[CURSOR_MAX + 1]; /* of the last entry given; "" before the first */
    bool sought;                 /* the cursor was gone to, and nothing read since */
    struct buf line;
};

/* the bookmark */

static bool read_bookmark(struct journal *journal, struct buf *error)
{
    char text[sizeof mark + CURSOR_MAX];
    const size_t start = sizeof mark - 1;
    int file = openat(journal->directory, journal->name, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (file < 0 && errno == ENOENT)
        return true;
    got = file < 0 ? -1 : read(file, text, sizeof text);
    if (got < 0)
        buf_add_f(error, "cannot read the bookmark %s: %s", journal->name, strerrordesc_np(errno));
    if (file >= 0)
        close(file);
    if (got < 0)
        return false;
    if ((size_t)got > start + 1 && memcmp(text, mark, start) == 0 && text[got - 1] == '\n') {
        memcpy(journal->cursor, text + start, (size_t)got - start - 1);
        return true;
    }
    buf_add_f(error, "the %s is damaged; remove it to have the journal read from its beginning", journal->name);
    return false;
}

bool journal_save(struct journal *journal)
{
    char text[sizeof mark + CURSOR_MAX + 1];
    int file;

    if (journal->cursor[0] == '\0')
        return true;
    file = file_replace_begin(journal->directory, journal->name);
    if (file < 0)
        return false;
    snprintf(text, sizeof text, "%s%s\n", mark, journal->cursor);
    return file_replace_commit(journal->directory, journal->name, file, slice_str(text));
}

/* opening */

static bool failed(int result, const char *what, struct buf *error)
{
    if (result < 0)
        buf_add_f(error, "cannot %s the journal: %s", what, strerrordesc_np(-result));
    return result < 0;
}

/* libsystemd passes over files that it may not read, without a word. */
static bool may_read(struct buf *error)
{
    static const char *const folders[] = {"/var/log/journal", "/run/log/journal"};
    char machine[SD_ID128_STRING_MAX], path[sizeof "/var/log/journal//system.journal" + SD_ID128_STRING_MAX];
    sd_id128_t id;

    if (sd_id128_get_machine(&id) < 0)
        return true;
    sd_id128_to_string(id, machine);
    for (size_t n = 0; n < sizeof folders / sizeof *folders; n++) {
        snprintf(path, sizeof path, "%s/%s/system.journal", folders[n], machine);
        if (access(path, R_OK) != 0 && errno == EACCES) {
            buf_add_f(error, "may not read %s: add the option user's account to the group systemd-journal", path);
            return false;
        }
    }
    return true;
}

static bool open_handle(struct journal *journal, const char *folder, struct buf *error)
{
    int result;

    if (!folder && !may_read(error))
        return false;
    result = folder ? sd_journal_open_directory(&journal->handle, folder, 0)
                    : sd_journal_open(&journal->handle, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
    if (failed(result, "open", error))
        return false;
    sd_journal_set_data_threshold(journal->handle, LINE_MOST);
    return true;
}

static bool choose_entries(struct journal *journal, const char *unit, struct buf *error)
{
    char match[512];

    snprintf(match, sizeof match, unit ? "_SYSTEMD_UNIT=%s" : "SYSLOG_FACILITY=2", unit);
    return !failed(sd_journal_add_match(journal->handle, match, 0), "choose from", error);
}

static bool go_to_bookmark(struct journal *journal, struct buf *error)
{
    journal->sought = journal->cursor[0] != '\0';
    return !failed(journal->sought ? sd_journal_seek_cursor(journal->handle, journal->cursor)
                                   : sd_journal_seek_head(journal->handle), "find the place of the bookmark in", error);
}

struct journal *journal_open(const char *folder, const char *unit, const char *directory, const char *name,
                             struct buf *error)
{
    struct journal *journal = calloc(1, sizeof *journal);

    if (!journal)
        return NULL;
    buf_init(&journal->line, 2 * LINE_MOST);
    journal->name = strdup(name);
    journal->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->directory < 0)
        buf_add_f(error, "cannot open %s: %s", directory, strerrordesc_np(errno));
    else if (journal->name && read_bookmark(journal, error) && open_handle(journal, folder, error) &&
             choose_entries(journal, unit, error) && go_to_bookmark(journal, error))
        return journal;
    journal_close(journal);
    return NULL;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    sd_journal_close(journal->handle);
    if (journal->directory >= 0)
        close(journal->directory);
    buf_free(&journal->line);
    free(journal->name);
    free(journal);
}

/* entries as lines */

/* Empty when the entry has none; valid until the next call. */
static struct slice field(struct journal *journal, const char *name)
{
    const void *data;
    size_t len, skip = strlen(name) + 1;

    if (sd_journal_get_data(journal->handle, name, &data, &len) < 0 || len < skip)
        return (struct slice){0};
    return slice_from(slice_of(data, len), skip);
}

static uint64_t number(struct slice text)
{
    uint64_t value = 0;

    for (size_t at = 0; at < text.len && ascii_is_digit(text.p[at]); at++)
        value = value * 10 + (uint64_t)(text.p[at] - '0');
    return value;
}

/* When the program said it; when it was written down, where nobody knows better. */
static void add_time(struct journal *journal)
{
    uint64_t us = number(field(journal, "_SOURCE_REALTIME_TIMESTAMP"));
    char text[sizeof "2026-11-21T07:01:10"];
    time_t seconds;
    struct tm utc;

    if (us == 0 && sd_journal_get_realtime_usec(journal->handle, &us) < 0)
        us = 0;
    seconds = (time_t)(us / MICROSECONDS);
    if (gmtime_r(&seconds, &utc) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc))
        buf_add_f(&journal->line, "%s.%06" PRIu64 "Z ", text, us % MICROSECONDS);
}

static void add_process(struct journal *journal)
{
    struct slice pid;

    buf_add_slice(&journal->line, field(journal, "SYSLOG_IDENTIFIER"));
    pid = field(journal, "SYSLOG_PID");
    if (slice_empty(pid))
        pid = field(journal, "_PID");
    buf_add_f(&journal->line, "[%.*s]: ", SLICE_ARG(pid));
}

/* A line has no line ends in it. */
static void add_message(struct journal *journal)
{
    struct slice message = field(journal, "MESSAGE");

    for (size_t at = 0; at < message.len; at++)
        buf_add_char(&journal->line, message.p[at] == '\n' || message.p[at] == '\0' ? ' ' : message.p[at]);
}

static void give_line(struct journal *journal, void (*line)(void *arg, struct slice line), void *arg)
{
    buf_reset(&journal->line);
    add_time(journal);
    buf_add_slice(&journal->line, field(journal, "_HOSTNAME"));
    buf_add_char(&journal->line, ' ');
    add_process(journal);
    add_message(journal);
    line(arg, buf_slice(&journal->line));
}

/* reading */

/* Also of files that have come since; 0 when there is none now. */
static int next_entry(struct journal *journal)
{
    int result = sd_journal_next(journal->handle);

    if (result == 0 && sd_journal_wait(journal->handle, 0) != SD_JOURNAL_NOP)
        result = sd_journal_next(journal->handle);
    return result;
}

/* The first entry after the cursor was gone to is the one that was given last; unless that one is gone. */
static bool was_given(struct journal *journal)
{
    if (!journal->sought)
        return false;
    journal->sought = false;
    if (sd_journal_test_cursor(journal->handle, journal->cursor) > 0)
        return true;
    log_warn("what was read last of the journal is no more there: lines may be missing");
    return false;
}

static bool keep_cursor(struct journal *journal, struct buf *error)
{
    char *cursor;
    bool fits;

    if (failed(sd_journal_get_cursor(journal->handle, &cursor), "tell the place in", error))
        return false;
    fits = (size_t)snprintf(journal->cursor, sizeof journal->cursor, "%s", cursor) < sizeof journal->cursor;
    free(cursor);
    if (!fits)
        buf_add_f(error, "a place in the journal takes more than %d characters", CURSOR_MAX);
    return fits;
}

int64_t journal_read(struct journal *journal, size_t most, void (*line)(void *arg, struct slice line), void *arg,
                     struct buf *error)
{
    int64_t total = 0;

    while ((uint64_t)total < most) {
        int result = next_entry(journal);

        if (failed(result, "read", error))
            return -1;
        if (result == 0)
            break;
        if (was_given(journal))
            continue;
        give_line(journal, line, arg);
        total += (int64_t)journal->line.len;
        if (!keep_cursor(journal, error))
            return -1;
    }
    return total;
}
