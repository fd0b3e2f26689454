/* SPDX-License-Identifier: BSD-2-Clause */
/* account - see account.h */

#include "ctl/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
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

bool account_admit(const char *user, const char *path)
{
    const struct passwd *entry = find(user);

    return entry && chown(path, (uid_t)-1, entry->pw_gid) == 0 && chmod(path, 0640) == 0;
}

static bool become(const struct passwd *entry)
{
    return entry && initgroups(entry->pw_name, entry->pw_gid) == 0 && setgid(entry->pw_gid) == 0 &&
           setuid(entry->pw_uid) == 0;
}

bool account_reads(const char *user, const char *path)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        _exit(become(find(user)) && access(path, R_OK) == 0 ? 0 : 1);
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
