/* SPDX-License-Identifier: BSD-2-Clause */
/* log_file - see log_file.h */

#include "delivery/log_file.h"

#include "common/log.h"
#include "delivery/bookmark.h"
#include "delivery/log_siblings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

enum { CHUNK = 64 * 1024, LINE_MOST = 64 * 1024 };

struct log_file {
    char *path;
    char *name; /* of the bookmark */
    int directory;
    struct log_siblings old; /* to be read before the log itself */
    size_t old_next;
    gzFile old_stream;  /* one of them, or */
    int stream;         /* the log itself; -1 while neither is open */
    struct bookmark at; /* behind the last line given */
    struct buf partial; /* of a line; begins at at.offset */
    bool cutting;       /* a line was too long: all goes up to its end */
    bool new_seen;      /* another file has the log's name now, and is written to */
};

/* where to begin */

static bool is_open(const struct log_file *file)
{
    return file->old_stream || file->stream >= 0;
}

static void close_stream(struct log_file *file)
{
    if (file->old_stream)
        gzclose(file->old_stream);
    if (file->stream >= 0)
        close(file->stream);
    file->old_stream = NULL;
    file->stream = -1;
    buf_reset(&file->partial);
    file->cutting = file->new_seen = false;
}

/* The rest of the file that the bookmark names, then what is newer. */
static bool seek_rest(struct log_file *file)
{
    log_siblings_free(&file->old);
    file->old_next = 0;
    if (!log_siblings_find(&file->old, file->path))
        return false;
    if (log_siblings_since(&file->old, &file->at.head, file->at.offset))
        return true;
    log_warn("what was read last of %s is no more there nor beside it: lines may be missing", file->path);
    log_siblings_free(&file->old);
    return true;
}

static void begin_new(struct log_file *file)
{
    file->at = (struct bookmark){.offset = 0};
}

static bool begin(struct log_file *file, struct buf *error)
{
    bool found;

    if (!bookmark_read(file->directory, file->name, &file->at, &found, error))
        return false;
    if (found && log_head_fits(&file->at.head, file->path, file->at.offset))
        return true;
    if (found ? seek_rest(file) : log_siblings_find(&file->old, file->path)) {
        if (file->old.count == 0 || !found)
            begin_new(file);
        return true;
    }
    buf_add_f(error, "cannot read the folder of %s: %s", file->path, strerrordesc_np(errno));
    return false;
}

struct log_file *log_file_open(const char *path, const char *directory, const char *name, struct buf *error)
{
    struct log_file *file = calloc(1, sizeof *file);

    if (!file)
        return NULL;
    buf_init(&file->partial, LINE_MOST + CHUNK);
    file->path = strdup(path);
    file->name = strdup(name);
    file->stream = -1;
    file->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file->directory < 0)
        buf_add_f(error, "cannot open %s: %s", directory, strerrordesc_np(errno));
    else if (file->path && file->name && begin(file, error))
        return file;
    log_file_close(file);
    return NULL;
}

void log_file_close(struct log_file *file)
{
    if (!file)
        return;
    close_stream(file);
    log_siblings_free(&file->old);
    if (file->directory >= 0)
        close(file->directory);
    buf_free(&file->partial);
    free(file->path);
    free(file->name);
    free(file);
}

/* opening */

/* The first old file may be the one that the bookmark stands in. */
static bool open_old(struct log_file *file, struct buf *error)
{
    const char *path = file->old.path[file->old_next];
    bool goes_on = file->old_next == 0 && file->at.offset > 0;
    struct stat status;

    file->old_stream = gzopen(path, "rbe");
    if (!file->old_stream || stat(path, &status) != 0 ||
        (goes_on && gzseek(file->old_stream, (z_off_t)file->at.offset, SEEK_SET) < 0)) {
        buf_add_f(error, "cannot read %s: %s; it is left out", path, strerrordesc_np(errno));
        close_stream(file);
        file->old_next++;
        begin_new(file);
        return false;
    }
    if (!goes_on) {
        begin_new(file);
        log_head_begin(&file->at.head, &status);
    }
    return true;
}

/* True also when there is none: the log may come later. */
static bool open_log(struct log_file *file, struct buf *error)
{
    struct stat status;

    file->stream = open(file->path, O_RDONLY | O_CLOEXEC);
    if (file->stream < 0 && errno == ENOENT)
        return true;
    if (file->stream >= 0 && fstat(file->stream, &status) == 0 && S_ISREG(status.st_mode) &&
        lseek(file->stream, (off_t)file->at.offset, SEEK_SET) >= 0) {
        if (file->at.head.bytes == 0)
            log_head_begin(&file->at.head, &status);
        return true;
    }
    buf_add_f(error, "cannot read %s: %s", file->path,
              file->stream >= 0 && errno == 0 ? "it is no file" : strerrordesc_np(errno));
    close_stream(file);
    return false;
}

/* lines */

static void take_line(struct log_file *file, struct slice text, void (*line)(void *arg, struct slice line), void *arg)
{
    if (text.len && text.p[text.len - 1] == '\r')
        text.len--;
    if (!file->cutting && text.len < LINE_MOST)
        line(arg, text);
    file->cutting = false;
}

static void drop_front(struct log_file *file, size_t len)
{
    struct buf *partial = &file->partial;

    file->at.offset += len;
    partial->len -= len;
    memmove(partial->data, partial->data + len, partial->len);
}

static void give_lines(struct log_file *file, void (*line)(void *arg, struct slice line), void *arg)
{
    struct slice rest = buf_slice(&file->partial);
    const char *end;

    while (rest.len && (end = memchr(rest.p, '\n', rest.len))) {
        struct slice text = slice_of(rest.p, (size_t)(end - rest.p));

        take_line(file, text, line, arg);
        rest = slice_from(rest, text.len + 1);
    }
    if (rest.len < file->partial.len)
        drop_front(file, file->partial.len - rest.len);
    if (file->partial.len >= LINE_MOST) {
        file->cutting = true;
        drop_front(file, file->partial.len);
    }
}

/* rotation */

static void finish_old(struct log_file *file, void (*line)(void *arg, struct slice line), void *arg)
{
    if (file->partial.len && !file->cutting)
        take_line(file, buf_slice(&file->partial), line, arg); /* the writer was stopped within it */
    close_stream(file);
    file->old_next++;
    begin_new(file);
}

/* The name has gone to another file, and somebody writes into that one: nobody does into ours any more. */
static bool is_renamed(const struct log_file *file, const struct stat *ours)
{
    struct stat named;

    return stat(file->path, &named) == 0 && named.st_size > 0 &&
           (named.st_ino != ours->st_ino || named.st_dev != ours->st_dev);
}

/* At the end of the log. True when there is more to read, in another file. */
static bool look_for_rotation(struct log_file *file)
{
    struct stat ours;

    if (fstat(file->stream, &ours) != 0)
        return false;
    if ((uint64_t)ours.st_size < file->at.offset + file->partial.len) {
        close_stream(file); /* copied and truncated: the rest is in the copy */
        if (!seek_rest(file) || file->old.count == 0)
            begin_new(file);
        return true;
    }
    if (!is_renamed(file, &ours))
        return false;
    if (!file->new_seen) {
        file->new_seen = true; /* one more look at the end of ours */
        return true;
    }
    close_stream(file);
    begin_new(file);
    return true;
}

static int64_t read_chunk(struct log_file *file, struct buf *error)
{
    char bytes[CHUNK];
    ssize_t got = file->old_stream ? gzread(file->old_stream, bytes, sizeof bytes) : read(file->stream, bytes, sizeof bytes);

    if (got < 0) {
        buf_add_f(error, "cannot read %s: %s", file->path, strerrordesc_np(errno));
        return -1;
    }
    log_head_add(&file->at.head, file->at.offset + file->partial.len, bytes, (size_t)got);
    buf_add(&file->partial, bytes, (size_t)got);
    return got;
}

/* Opens what is to be read next; false with ERROR empty when there is nothing now. */
static bool ready(struct log_file *file, struct buf *error)
{
    if (is_open(file))
        return true;
    if (file->old_next < file->old.count)
        return open_old(file, error);
    return open_log(file, error) && file->stream >= 0;
}

int64_t log_file_read(struct log_file *file, size_t most, void (*line)(void *arg, struct slice line), void *arg,
                      struct buf *error)
{
    int64_t total = 0;

    while ((uint64_t)total < most) {
        int64_t got;

        if (!ready(file, error))
            return error->len ? -1 : total;
        got = read_chunk(file, error);
        if (got < 0) {
            if (file->old_stream)
                finish_old(file, line, arg); /* a damaged old file must not stand in the way for ever */
            return -1;
        }
        total += got;
        give_lines(file, line, arg);
        if (got == 0 && file->old_stream)
            finish_old(file, line, arg);
        else if (got == 0 && !look_for_rotation(file))
            break;
    }
    return total;
}

bool log_file_save(struct log_file *file)
{
    return bookmark_write(file->directory, file->name, &file->at);
}
