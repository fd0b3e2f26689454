/* SPDX-License-Identifier: BSD-2-Clause */
/* account - see account.h */

#include "ctl/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct passwd *find(const char *user)
{
    const struct passwd *entry;

    errno = 0;
    entry = getpwnam(user);
    if (!entry && errno == 0)
        errno = ENOENT;
    return entry;
}

static bool admit(gid_t group, const char *path)
{
    return chown(path, (uid_t)-1, group) == 0 && chmod(path, 0640) == 0;
}

bool account_admit(const char *user, const char *path)
{
    const struct passwd *entry = find(user);

    return entry && admit(entry->pw_gid, path);
}

bool account_admit_group(const char *group, const char *path)
{
    const struct group *entry;

    errno = 0;
    entry = getgrnam(group);
    if (!entry && errno == 0)
        errno = ENOENT;
    return entry && admit(entry->gr_gid, path);
}

bool account_exists(const char *user)
{
    return find(user) != NULL;
}

/* HOME too: libpq looks there for certificates, and fails when it may not look. */
static bool become(const struct passwd *entry)
{
    return entry && setenv("HOME", entry->pw_dir, 1) == 0 && initgroups(entry->pw_name, entry->pw_gid) == 0 &&
           setgid(entry->pw_gid) == 0 && setuid(entry->pw_uid) == 0;
}

int account_run(const char *user, int (*work)(void *arg), void *arg)
{
    int status;
    pid_t child;

    fflush(stdout); /* or the child would say it again */
    child = fork();
    if (child == 0) {
        status = become(find(user)) ? work(arg) : UINT8_MAX;
        fflush(stdout);
        _exit(status);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
