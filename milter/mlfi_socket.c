/* SPDX-License-Identifier: BSD-2-Clause */
/* mlfi_socket - see mlfi_socket.h */

#include "milter/mlfi_socket.h"

#include "common/clock.h"

#include <libmilter/mfapi.h>

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, JOIN_MS = 20 };

static const char *socket_path(const char *listen)
{
    if (strncmp(listen, "unix:", 5) == 0)
        return listen + 5;
    if (strncmp(listen, "local:", 6) == 0)
        return listen + 6;
    return NULL;
}

static bool give_socket(const struct conf_milter *conf, struct buf *error)
{
    const char *path = socket_path(conf->listen);
    const struct group *group;

    if (!path)
        return true;
    if (conf->socket_group[0]) {
        group = getgrnam(conf->socket_group);
        if (!group || chown(path, (uid_t)-1, group->gr_gid) != 0) {
            buf_add_f(error, "cannot give socket %s to group %s: %s", path, conf->socket_group,
                      group ? strerrordesc_np(errno) : "no such group");
            return false;
        }
    }
    if (chmod(path, (mode_t)conf->socket_mode) != 0) {
        buf_add_f(error, "cannot set the mode of socket %s: %s", path, strerrordesc_np(errno));
        return false;
    }
    return true;
}

/* It takes connections at once, so it has its mode from the start: an MTA that may not connect for a moment puts a mail off. */
static bool open_socket(const struct conf_milter *conf)
{
    mode_t before = umask(0777 & ~(mode_t)conf->socket_mode);
    bool opened;

    errno = 0;
    opened = smfi_opensocket(true) == MI_SUCCESS; /* true: a socket left by a killed process is removed */
    umask(before);
    return opened;
}

/* libmilter tells by errno alone, and where it did not get as far as a system call, not at all. */
static const char *why_not_open(const char *listen)
{
    const char *path = socket_path(listen);

    if (errno)
        return strerrordesc_np(errno);
    if (!path)
        return "there is no such host";
    return access(path, F_OK) == 0 ? "there is a file of that name which is no socket" : "libmilter refuses it";
}

bool mlfi_socket_open(const struct conf_milter *conf, struct buf *error)
{
    if (smfi_setconn(conf->listen) != MI_SUCCESS) {
        buf_add_f(error, "libmilter refuses the socket %s", conf->listen);
        return false;
    }
    smfi_setbacklog(BACKLOG);
    if (!open_socket(conf)) {
        buf_add_f(error, "cannot listen on %s: %s", conf->listen, why_not_open(conf->listen));
        return false;
    }
    return give_socket(conf, error);
}

/* Waits a little for the thread to end. */
static bool joined(pthread_t thread)
{
    struct timespec until = clock_wall_in(JOIN_MS);

    return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

static void *stop_listening(void *unused)
{
    smfi_stop();
    return unused;
}

/* A connection that is closed at once: libmilter looks for its order to stop only when something comes in, or every 5 s. */
static void wake_listener(const char *listen)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = socket_path(listen);
    int fd;

    if (!path || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        connect(fd, (struct sockaddr *)&address, sizeof address); /* whether it is taken or not: it woke */
        close(fd);
    }
}

/* smfi_stop() sets the order, then waits for the listener's lock. */
void mlfi_socket_close(const char *listen)
{
    pthread_t stopper;

    if (pthread_create(&stopper, NULL, stop_listening, NULL) != 0) {
        smfi_stop();
        return;
    }
    do
        wake_listener(listen);
    while (!joined(stopper));
}
