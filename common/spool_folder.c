/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_folder - see spool_folder.h
 *
 * The file system is told by statfs, not by its device number: that may differ after every boot, and a
 * spool which took each boot for a copy would use up the node numbers.
 */

#include "common/spool_folder.h"
#include "common/file_replace.h"

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

enum { HEX = 2 * SPOOL_IDENTITY_BYTES, FILE_MAX = 8192, MACHINE_MAX = 64 };
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
    if (fstat(directory, &of_folder) != 0 || fstat(file, &of_file) != 0 || fstatfs(directory, &filesystem) != 0)
        return false;
    memcpy(&id, &filesystem.f_fsid, sizeof id <= sizeof filesystem.f_fsid ? sizeof id : sizeof filesystem.f_fsid);
    read_text(AT_FDCWD, "/etc/machine-id", place->machine, sizeof place->machine);
    place->machine[strcspn(place->machine, " \n")] = '\0';
    place->filesystem = id;
    place->folder = of_folder.st_ino;
    place->file = of_file.st_ino;
    return true;
}

static void add_hex(struct buf *out, const uint8_t identity[SPOOL_IDENTITY_BYTES])
{
    for (size_t n = 0; n < SPOOL_IDENTITY_BYTES; n++)
        buf_add_f(out, "%02x", identity[n]);
}

static bool take_hex(const char *text, uint8_t identity[SPOOL_IDENTITY_BYTES])
{
    for (size_t n = 0; n < SPOOL_IDENTITY_BYTES; n++) {
        unsigned byte;
        int used = 0;

        if (sscanf(text + 2 * n, "%2x%n", &byte, &used) != 1 || used != 2)
            return false;
        identity[n] = (uint8_t)byte;
    }
    return true;
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
    add_hex(&text, folder->identity);
    buf_add_f(&text, "\nfirst %" PRIu64 "\n", folder->first);
    for (const struct spool_past *past = folder->past; past < folder->past + folder->pasts; past++) {
        buf_add_str(&text, "past ");
        add_hex(&text, past->identity);
        buf_add_f(&text, " %" PRIu64 " %" PRIu64 " %s\n", past->first, past->end,
                  past->inherited ? "inherited" : "carried");
    }
    buf_add_f(&text, "machine %s\nfolder %" PRIx64 " %" PRIu64 "\nfile %" PRIu64 "\n", place.machine, place.filesystem,
              place.folder, place.file);
    good = file_replace_commit(folder->directory, identity_name, file, buf_slice(&text));
    buf_free(&text);
    return good;
}

static bool past_read(struct spool_folder *folder, const char *line)
{
    struct spool_past past = {.first = 0};
    char hex[HEX + 1], what[10];

    if (folder->pasts == SPOOL_PAST_MAX
        || sscanf(line, "past %32s %" SCNu64 " %" SCNu64 " %9s", hex, &past.first, &past.end, what) != 4
        || !take_hex(hex, past.identity))
        return false;
    past.inherited = strcmp(what, "inherited") == 0;
    folder->past[folder->pasts++] = past;
    return true;
}

/* One line; what is SEEN counts the three that must be there. */
static bool line_read(struct spool_folder *folder, struct place *place, const char *line, unsigned *seen)
{
    char hex[HEX + 1];

    if (sscanf(line, "identity %32s", hex) == 1 && strlen(hex) == HEX)
        return take_hex(hex, folder->identity) && ++*seen;
    if (sscanf(line, "first %" SCNu64, &folder->first) == 1)
        return true;
    if (strncmp(line, "past ", 5) == 0)
        return past_read(folder, line);
    if (strncmp(line, "machine ", 8) == 0)
        return snprintf(place->machine, sizeof place->machine, "%s", line + 8) >= 0;
    if (sscanf(line, "folder %" SCNx64 " %" SCNu64, &place->filesystem, &place->folder) == 2)
        return ++*seen;
    if (sscanf(line, "file %" SCNu64, &place->file) == 1)
        return ++*seen;
    return false;
}

static bool identity_parse(struct spool_folder *folder, struct place *place, char *text)
{
    unsigned seen = 0;
    char *rest, *line = strtok_r(text, "\n", &rest);

    if (!line || strcmp(line, "spoor spool 1") != 0)
        return false;
    while ((line = strtok_r(NULL, "\n", &rest)))
        if (!line_read(folder, place, line, &seen))
            return false;
    return seen == 3;
}

static bool place_equal(const struct place *a, const struct place *b)
{
    return strcmp(a->machine, b->machine) == 0 && a->filesystem == b->filesystem && a->folder == b->folder
           && a->file == b->file;
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
    if (!identity_parse(folder, &written, text))
        return false;
    folder->copied = !place_equal(&written, &here);
    return true;
}

static bool identity_make(struct spool_folder *folder)
{
    return getrandom(folder->identity, sizeof folder->identity, 0) == sizeof folder->identity && identity_write(folder);
}

static bool folder_lock(struct spool_folder *folder, const char *path, struct buf *error)
{
    char pid[32];

    folder->lock = openat(folder->directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (folder->lock < 0) {
        buf_add_f(error, "cannot open %s/lock: %s", path, strerror(errno));
        return false;
    }
    if (flock(folder->lock, LOCK_EX | LOCK_NB) != 0) {
        read_text(folder->directory, "lock", pid, sizeof pid);
        pid[strcspn(pid, "\n")] = '\0';
        buf_add_f(error, "spool folder %s is in use by %s%s", path, pid[0] ? "process " : "another process", pid);
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
        buf_add_f(error, "cannot make the spool folder %s: %s", path, strerror(errno));
        return false;
    }
    folder->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->directory < 0) {
        buf_add_f(error, "cannot open the spool folder %s: %s", path, strerror(errno));
        return false;
    }
    if (!folder_lock(folder, path, error)) {
        spool_folder_close(folder);
        return false;
    }
    if (identity_read(folder) || (errno == ENOENT && identity_make(folder)))
        return true;
    buf_add_f(error, "%s/identity: %s", path, errno ? strerror(errno) : "not an identity file of this program's version");
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

bool spool_folder_settle(struct spool_folder *folder, struct spool_past *past)
{
    past->inherited = false;
    if (identity_write(folder))
        return true;
    past->inherited = true;
    return false;
}

bool spool_folder_knows(const struct spool_folder *folder, const uint8_t identity[SPOOL_IDENTITY_BYTES], uint64_t start)
{
    const struct spool_past *past = folder->past;

    if (memcmp(identity, folder->identity, SPOOL_IDENTITY_BYTES) == 0)
        return true;
    for (; past < folder->past + folder->pasts; past++)
        if (memcmp(identity, past->identity, SPOOL_IDENTITY_BYTES) == 0)
            return start < past->end;
    return false;
}
