/* SPDX-License-Identifier: BSD-2-Clause */
/* key_change - see key_change.h */

#include "ctl/key_change.h"

#include "common/file_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool failed(struct buf *error, const char *path, const char *doing)
{
    buf_add_f(error, "%s: cannot %s: %s", path, doing, strerrordesc_np(errno));
    return false;
}

static const char *name_of(const struct key_change *change)
{
    return strrchr(change->path, '/') + 1; /* realpath() gives an absolute path */
}

static int open_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = strndup(path, (size_t)(slash - path) + 1);
    int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    free(folder);
    return fd;
}

bool key_change_open(struct key_change *change, const char *path, bool alone, struct buf *error)
{
    struct stat status;

    *change = (struct key_change){.directory = -1};
    change->path = realpath(path, NULL);
    if (!change->path)
        return failed(error, path, "open the key file");
    change->directory = open_folder(change->path);
    if (change->directory < 0)
        return failed(error, change->path, "open its folder");
    if (alone && flock(change->directory, LOCK_EX | LOCK_NB) != 0)
        return failed(error, change->path, "lock its folder; is another spoorctl at work there?");
    if (stat(change->path, &status) != 0)
        return failed(error, change->path, "open the key file");
    change->owner = status.st_uid;
    change->group = status.st_gid;
    change->mode = status.st_mode & 07777;
    return key_file_load(change->path, &change->text, error) &&
           key_file_read(change->text, change->path, &change->file, error);
}

/* A text that no daemon could load must never get there. */
static bool is_good(const struct key_change *change, struct slice text, struct buf *error)
{
    struct key_file *file = malloc(sizeof *file);
    bool good = file && key_file_read(text, change->path, file, error);

    if (file)
        key_file_wipe(file);
    free(file);
    return good;
}

bool key_change_write(struct key_change *change, struct slice text, struct buf *error)
{
    const char *name = name_of(change);
    int file;

    if (!is_good(change, text, error))
        return false;
    file = file_replace_begin(change->directory, name);
    if (file < 0)
        return failed(error, change->path, "write a new one beside it");
    if (fchown(file, change->owner, change->group) != 0 || fchmod(file, change->mode) != 0) {
        failed(error, change->path, "give the new one owner and mode of the old");
        close(file);
    } else if (file_replace_commit(change->directory, name, file, text)) {
        return true;
    } else {
        failed(error, change->path, "replace it");
    }
    file_replace_abandon(change->directory, name);
    return false;
}

void key_change_close(struct key_change *change)
{
    if (change->text.p)
        key_file_release(&change->text);
    key_file_wipe(&change->file);
    if (change->directory >= 0)
        close(change->directory);
    free(change->path);
}
