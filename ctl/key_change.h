/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key_change - the key file as it is, and a new text in its place: at once or not at all, with owner and mode
 * as they were.
 *
 * While it is open to be changed no other spoorctl changes the file. Whoever does this must be its owner, or
 * root, and may write to its folder. All secrets are wiped from memory.
 */
#ifndef CTL_KEY_CHANGE_H
#define CTL_KEY_CHANGE_H

#include "common/key_file.h"

#include <sys/types.h>

struct key_change {
    char *path; /* behind all symbolic links */
    int directory;
    uid_t owner;
    gid_t group;
    mode_t mode;
    struct slice text;
    struct key_file file;
};

/* ALONE: to be changed. False with "PATH: why"; to be closed in either case. */
bool key_change_open(struct key_change *change, const char *path, bool alone, struct buf *error);
bool key_change_write(struct key_change *change, struct slice text, struct buf *error);
void key_change_close(struct key_change *change);

#endif
