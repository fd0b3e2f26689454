/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The kernel's own most, net.core.somaxconn, cuts it. */
enum { BACKLOG = 4096 };

static const char unix_form[] = "unix:";

struct place {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
        struct sockaddr_storage storage;
    };
    socklen_t len;
};

/* TEXT into HOST and PORT, both NUL-terminated. */
static bool split(const char *text, char host[256], char port[16])
{
    const char *colon = strrchr(text, ':');
    const char *start = text;
    size_t len;

    if (colon == NULL || strlen(colon + 1) >= 16)
        return false;
    len = (size_t)(colon - text);
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        start++;
        len -= 2;
    }
    if (len >= 256)
        return false;
    memcpy(host, start, len);
    host[len] = '\0';
    memcpy(port, colon + 1, strlen(colon));
    return true;
}

static bool find_local(const char *path, struct place *place)
{
    size_t len = strlen(path);

    if (len >= sizeof place->local.sun_path)
        return false;
    place->local.sun_family = AF_UNIX;
    memcpy(place->local.sun_path, path, len + 1);
    place->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    return true;
}

static bool find_place(const char *text, struct place *place)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[256];
    char port[16];

    memset(place, 0, sizeof *place);
    if (strncmp(text, unix_form, strlen(unix_form)) == 0)
        return find_local(text + strlen(unix_form), place);
    if (!split(text, host, port) || getaddrinfo(host[0] ? host : NULL, port, &hints, &found) != 0)
        return false;
    memcpy(&place->storage, found->ai_addr, found->ai_addrlen);
    place->len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static bool is_same(const struct place *a, const struct place *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    switch (a->any.sa_family) {
    case AF_UNIX:
        return strcmp(a->local.sun_path, b->local.sun_path) == 0;
    case AF_INET:
        return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    case AF_INET6:
        return a->v6.sin6_port == b->v6.sin6_port &&
               memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
    default:
        return false;
    }
}

/* The inherited socket that is bound there, no longer among INHERITED; or -1. */
static int take_inherited(struct listen_inherited *inherited, const struct place *place)
{
    for (size_t n = 0; n < inherited->count; n++) {
        struct place bound = {.len = sizeof bound.storage};
        int fd = inherited->fd[n];

        if (fd < 0 || getsockname(fd, &bound.any, &bound.len) != 0 || !is_same(&bound, place))
            continue;
        inherited->fd[n] = -1;
        return fd;
    }
    return -1;
}

/* A file that a process which has ended left at the path keeps others from binding there. */
static void remove_stale(const struct place *place)
{
    struct stat status;
    int fd;

    if (place->any.sa_family != AF_UNIX || lstat(place->local.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && connect(fd, &place->any, place->len) != 0 && errno == ECONNREFUSED)
        unlink(place->local.sun_path);
    if (fd >= 0)
        close(fd);
}

static bool prepare(int fd, const struct place *place)
{
    int on = 1;

    if (place->any.sa_family == AF_UNIX)
        return true;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return false;
    /* so that 0.0.0.0 and [::] can stand side by side */
    return place->any.sa_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
}

static int open_socket(const struct place *at)
{
    int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    remove_stale(at);
    if (fd >= 0 && prepare(fd, at) && bind(fd, &at->any, at->len) == 0 &&
        (at->any.sa_family != AF_UNIX || chmod(at->local.sun_path, 0666) == 0) && listen(fd, BACKLOG) == 0)
        return fd;
    if (fd >= 0) {
        int why = errno;

        close(fd);
        errno = why;
    }
    return -1;
}

static bool add_one(struct listeners *listeners, const char *text, bool tls,
                    struct listen_inherited *inherited, struct buf *error)
{
    struct place place;
    int fd;

    if (listeners->count == LISTEN_MAX) {
        buf_add_f(error, "cannot listen on more than %d addresses", (int)LISTEN_MAX);
        return false;
    }
    if (!find_place(text, &place)) {
        buf_add_f(error, "cannot listen on \"%s\": not of the form ADDRESS:PORT or [ADDRESS]:PORT", text);
        return false;
    }
    fd = take_inherited(inherited, &place);
    listeners->shared |= fd >= 0;
    if (fd < 0)
        fd = open_socket(&place);
    if (fd < 0) {
        buf_add_f(error, "cannot listen on \"%s\": %s", text, strerrordesc_np(errno));
        return false;
    }
    listeners->item[listeners->count++] = (struct listener){.fd = fd, .tls = tls};
    return true;
}

bool listen_add(struct listeners *listeners, const struct conf_list *addresses, bool tls,
                struct listen_inherited *inherited, struct buf *error)
{
    for (size_t n = 0; n < addresses->count; n++)
        if (!add_one(listeners, addresses->item[n], tls, inherited, error)) {
            listen_close(listeners);
            return false;
        }
    return true;
}

size_t listen_close_unnamed(struct listen_inherited *inherited)
{
    size_t unnamed = 0;

    for (size_t n = 0; n < inherited->count; n++)
        if (inherited->fd[n] >= 0) {
            close(inherited->fd[n]);
            unnamed++;
        }
    inherited->count = 0;
    return unnamed;
}

void listen_close(struct listeners *listeners)
{
    while (listeners->count)
        close(listeners->item[--listeners->count].fd);
}

static bool is_local(const char *text)
{
    struct place place;

    if (!find_place(text, &place))
        return false;
    switch (place.any.sa_family) {
    case AF_INET:
        return ntohl(place.v4.sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&place.v6.sin6_addr);
    default:
        return place.any.sa_family == AF_UNIX;
    }
}

bool listen_is_local(const struct conf_list *addresses)
{
    for (size_t n = 0; n < addresses->count; n++)
        if (!is_local(addresses->item[n]))
            return false;
    return true;
}
