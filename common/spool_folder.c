/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_folder - see spool_folder.h
 *
 * The file system is told by statfs, not by its device number: that may differ after every boot, and a
 * spool which took each boot for a copy would use up the node numbers.
 */

#include "common/spool_folder.h"
#include "common/file_replace.h"
#include "common/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { FILE_MAX = 8192, MACHINE_MAX = 64 };
static const char identity_name[] = "identity";

struct place { /* where the identity file is */
    char machine[MACHINE_MAX + 1];
    uint64_t filesystem;
    uint64_t folder;
    uint64_t file;
};

/* The whole of a small file as text; "" when it cannot be read. */
static ssize_t read_text(int directory, const char *name, char *text, size_t size)
{
    int file = openat(directory, name, O_RDONLY | O_CLOEXEC);
    ssize_t len;
    int why;

    text[0] = '\0';
    if (file < 0)
        return -1;
    len = read(file, text, size - 1);
    why = errno;
    close(file);
    errno = why;
    if (len >= 0)
        text[len] = '\0';
    return len;
}

/* FILE is the identity file, open. */
static bool place_find(struct place *place, int directory, int file)
{
    struct stat of_folder, of_file;
    struct statfs filesystem;
    uint64_t id = 0;

    memset(place, 0, sizeof *place);
    if (fstat(directory, &of_folder) != 0 || fstat(file, &of_file) != 0 ||
        fstatfs(directory, &filesystem) != 0)
        return false;
    memcpy(&id, &filesystem.f_fsid,
           sizeof id <= sizeof filesystem.f_fsid ? sizeof id : sizeof filesystem.f_fsid);
    read_text(AT_FDCWD, "/etc/machine-id", place->machine, sizeof place->machine);
    place->machine[strcspn(place->machine, " \n")] = '\0';
    place->filesystem = id;
    place->folder = of_folder.st_ino;
    place->file = of_file.st_ino;
    return true;
}

/* All of TEXT as a number. */
static bool number_read(struct slice text, unsigned base, uint64_t *number)
{
    static const char digits[] = "0123456789abcdef";

    *number = 0;
    for (size_t n = 0; n < text.len; n++) {
        const char *digit = memchr(digits, text.p[n], base);

        if (!digit || __builtin_mul_overflow(*number, base, number) ||
            __builtin_add_overflow(*number, (uint64_t)(digit - digits), number))
            return false;
    }
    return text.len > 0;
}

static bool identity_write(const struct spool_folder *folder)
{
    struct buf text;
    struct place place;
    int file = file_replace_begin(folder->directory, identity_name);
    bool good;

    if (file < 0)
        return false;
    if (!place_find(&place, folder->directory, file)) {
        close(file);
        return false;
    }
    buf_init(&text, FILE_MAX);
    buf_add_str(&text, "spoor spool 1\nidentity ");
    hex_add(&text, folder->identity, SPOOL_IDENTITY_BYTES);
    buf_add_f(&text, "\nfirst %" PRIu64 "\n", folder->first);
    for (const struct spool_past *past = folder->past; past < folder->past + folder->pasts; past++) {
        buf_add_str(&text, "past ");
        hex_add(&text, past->identity, SPOOL_IDENTITY_BYTES);
        buf_add_f(&text, " %" PRIu64 " %" PRIu64 " %s\n", past->first, past->end,
                  past->inherited ? "inherited" : "carried");
    }
    buf_add_f(&text, "machine %s\nfolder %" PRIx64 " %" PRIu64 "\nfile %" PRIu64 "\n", place.machine,
              place.filesystem, place.folder, place.file);
    good = file_replace_commit(folder->directory, identity_name, file, buf_slice(&text));
    buf_free(&text);
    return good;
}

/* Takes what is before END, or all, and END itself. */
static struct slice take_until(struct slice *rest, char end)
{
    const char *at = rest->len ? memchr(rest->p, end, rest->len) : NULL;
    struct slice taken = slice_of(rest->p, at ? (size_t)(at - rest->p) : rest->len);

    *rest = slice_from(*rest, taken.len + 1);
    return taken;
}

static bool past_read(struct spool_folder *folder, struct slice line)
{
    struct spool_past past = {.first = 0};

    if (folder->pasts == SPOOL_PAST_MAX || !hex_read(take_until(&line, ' '), past.identity, SPOOL_IDENTITY_BYTES) ||
        !number_read(take_until(&line, ' '), 10, &past.first) ||
        !number_read(take_until(&line, ' '), 10, &past.end))
        return false;
    past.inherited = slice_is(line, "inherited");
    folder->past[folder->pasts++] = past;
    return past.inherited || slice_is(line, "carried");
}

/* One line; SEEN counts the three that must be there. */
static bool line_read(struct spool_folder *folder, struct place *place, struct slice line, unsigned *seen)
{
    struct slice word = take_until(&line, ' ');

    if (slice_is(word, "past"))
        return past_read(folder, line);
    if (slice_is(word, "first"))
        return number_read(line, 10, &folder->first);
    if (slice_is(word, "machine"))
        return snprintf(place->machine, sizeof place->machine, "%.*s", SLICE_ARG(line)) <= MACHINE_MAX;
    ++*seen;
    if (slice_is(word, "identity"))
        return hex_read(line, folder->identity, SPOOL_IDENTITY_BYTES);
    if (slice_is(word, "folder"))
        return number_read(take_until(&line, ' '), 16, &place->filesystem) &&
               number_read(line, 10, &place->folder);
    return slice_is(word, "file") && number_read(line, 10, &place->file);
}

static bool identity_parse(struct spool_folder *folder, struct place *place, struct slice text)
{
    unsigned seen = 0;

    if (!slice_is(take_until(&text, '\n'), "spoor spool 1"))
        return false;
    while (text.len)
        if (!line_read(folder, place, take_until(&text, '\n'), &seen))
            return false;
    return seen == 3;
}

static bool place_equal(const struct place *a, const struct place *b)
{
    return strcmp(a->machine, b->machine) == 0 && a->filesystem == b->filesystem && a->folder == b->folder &&
           a->file == b->file;
}

/* Sets `copied` when the file was written elsewhere. False with errno 0 when it is no identity. */
static bool identity_read(struct spool_folder *folder)
{
    char text[FILE_MAX];
    struct place written = {.file = 0}, here;
    int file = openat(folder->directory, identity_name, O_RDONLY | O_CLOEXEC);
    bool good;

    if (file < 0)
        return false;
    good = place_find(&here, folder->directory, file);
    close(file);
    if (!good || read_text(folder->directory, identity_name, text, sizeof text) < 0)
        return false;
    errno = 0;
    if (!identity_parse(folder, &written, slice_str(text)))
        return false;
    folder->copied = !place_equal(&written, &here);
    return true;
}

static bool identity_make(struct spool_folder *folder)
{
    return getrandom(folder->identity, sizeof folder->identity, 0) == sizeof folder->identity &&
           identity_write(folder);
}

static bool folder_lock(struct spool_folder *folder, const char *path, struct buf *error)
{
    char pid[32];

    folder->lock = openat(folder->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (folder->lock < 0) {
        buf_add_f(error, "cannot open %s/lock: %m", path);
        return false;
    }
    if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0) {
        read_text(folder->directory, "lock", pid, sizeof pid);
        pid[strcspn(pid, "\n")] = '\0';
        buf_add_f(error, "spool folder %s is in use by %s%s", path, pid[0] ? "process " : "another process",
                  pid);
        return false;
    }
    snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(folder->lock, 0) != 0 || write(folder->lock, pid, strlen(pid)) < 0)
        errno = 0; /* the pid only serves the message above; on a full disk the lock holds all the same */
    return true;
}

bool spool_folder_open(struct spool_folder *folder, const char *path, struct buf *error)
{
    *folder = (struct spool_folder){.directory = -1, .lock = -1};
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        buf_add_f(error, "cannot make the spool folder %s: %m", path);
        return false;
    }
    folder->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->directory < 0) {
        buf_add_f(error, "cannot open the spool folder %s: %m", path);
        return false;
    }
    if (!folder_lock(folder, path, error)) {
        spool_folder_close(folder);
        return false;
    }
    if (identity_read(folder) || (errno == ENOENT && identity_make(folder)))
        return true;
    if (errno)
        buf_add_f(error, "%s/identity: %m", path);
    else
        buf_add_f(error, "%s/identity: not an identity file of this program's version", path);
    spool_folder_close(folder);
    return false;
}

void spool_folder_close(struct spool_folder *folder)
{
    if (folder->lock >= 0)
        close(folder->lock);
    if (folder->directory >= 0)
        close(folder->directory);
    folder->lock = folder->directory = -1;
}

bool spool_folder_renew(struct spool_folder *folder, uint64_t first, uint64_t end, bool inherited)
{
    struct spool_folder next = *folder;

    if (next.pasts == SPOOL_PAST_MAX) /* the oldest has had its time */
        memmove(next.past, next.past + 1, --next.pasts * sizeof *next.past);
    next.past[next.pasts] = (struct spool_past){.first = next.first, .end = end, .inherited = inherited};
    memcpy(next.past[next.pasts++].identity, next.identity, sizeof next.identity);
    next.first = first;
    next.copied = false;
    if (!identity_make(&next))
        return false;
    *folder = next;
    return true;
}

struct spool_past *spool_folder_inherited(struct spool_folder *folder)
{
    for (struct spool_past *past = folder->past; past < folder->past + folder->pasts; past++)
        if (past->inherited)
            return past;
    return NULL;
}

bool spool_folder_inherit(struct spool_folder *folder, struct spool_past *past, bool inherited)
{
    bool before = past->inherited;

    past->inherited = inherited;
    if (identity_write(folder))
        return true;
    past->inherited = before;
    return false;
}

bool spool_folder_knows(const struct spool_folder *folder, const uint8_t identity[SPOOL_IDENTITY_BYTES],
                        uint64_t start)
{
    const struct spool_past *past = folder->past;

    if (memcmp(identity, folder->identity, SPOOL_IDENTITY_BYTES) == 0)
        return true;
    for (; past < folder->past + folder->pasts; past++)
        if (memcmp(identity, past->identity, SPOOL_IDENTITY_BYTES) == 0)
            return start < past->end;
    return false;
}
