/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/listen.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel's own most, net.core.somaxconn, cuts it. */
enum { BACKLOG = 4096 };

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

static int open_socket(const struct addrinfo *at)
{
    int on = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0;

    if (ok && at->ai_family == AF_INET6) /* so that 0.0.0.0 and [::] can stand side by side */
        ok = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0;
    if (ok && bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    if (fd >= 0) {
        int why = errno;

        close(fd);
        errno = why;
    }
    return -1;
}

static int open_address(const char *text, struct buf *error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char host[256];
    char port[16];
    int fd;

    if (!split(text, host, port) || getaddrinfo(host[0] ? host : NULL, port, &hints, &found) != 0) {
        buf_add_f(error, "cannot listen on \"%s\": not of the form ADDRESS:PORT or [ADDRESS]:PORT", text);
        return -1;
    }
    fd = open_socket(found);
    if (fd < 0)
        buf_add_f(error, "cannot listen on \"%s\": %s", text, strerrordesc_np(errno));
    freeaddrinfo(found);
    return fd;
}

bool listen_open(const struct conf_list *addresses, struct listeners *listeners, struct buf *error)
{
    listeners->count = 0;
    if (addresses->count > LISTEN_MAX) {
        buf_add_f(error, "cannot listen on more than %d addresses", (int)LISTEN_MAX);
        return false;
    }
    for (size_t n = 0; n < addresses->count; n++) {
        int fd = open_address(addresses->item[n], error);

        if (fd < 0) {
            listen_close(listeners);
            return false;
        }
        listeners->fd[listeners->count++] = fd;
    }
    return true;
}

void listen_close(struct listeners *listeners)
{
    while (listeners->count)
        close(listeners->fd[--listeners->count]);
}
