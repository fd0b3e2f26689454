/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * paced - requests at a steady rate, and how long their answers take
 *
 *     paced PORT PATHS CONNECTIONS RATE SECONDS
 *
 * PATHS is a file with a request target a line. Request n is due at n / RATE seconds on connection n % CONNECTIONS, and
 * its time counts from when it was due, even where the answer before it comes later than that: so a server that stops
 * for a while makes all requests late that fall into it. Prints answers, then p50, p99 and the longest in milliseconds.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATHS_MOST = 1024, REQUEST_MAX = 1024, ANSWER_MAX = 4096, EVENTS = 256, LONGEST_US = 5000000, LINGER_S = 5 };

struct connection {
    int fd;
    uint64_t next; /* number of the request that is due next or under way */
    bool busy;
    size_t len;
    char answer[ANSWER_MAX];
};

static char request[PATHS_MOST][REQUEST_MAX];
static size_t requests;
static struct connection *connection;
static uint64_t connections, rate, answers;
static int64_t start_us, end_us;
static uint32_t took[LONGEST_US + 1]; /* answers by their time in microseconds */

static void fail(const char *what)
{
    fprintf(stderr, "paced: %s: %s\n", what, strerrordesc_np(errno));
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t due_us(uint64_t number)
{
    return start_us + (int64_t)(number * 1000000 / rate);
}

static void read_paths(const char *name)
{
    FILE *file = fopen(name, "r");
    char path[REQUEST_MAX / 2];

    if (!file)
        fail(name);
    while (requests < PATHS_MOST && fgets(path, sizeof path, file)) {
        path[strcspn(path, "\n")] = '\0';
        snprintf(request[requests++], REQUEST_MAX,
                 "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0)"
                 " Gecko/20100101 Firefox/128.0\r\nAccept: image/avif,image/webp,*/*\r\n\r\n", path);
    }
    fclose(file);
    if (requests == 0)
        fail("no paths");
}

static void open_connection(uint64_t number, uint16_t port, int epoll)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("epoll_ctl");
    connection[number] = (struct connection){.fd = fd, .next = number};
}

static void ask(struct connection *one)
{
    const char *text = request[one->next % requests];

    if (send(one->fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
        fail("send");
    one->busy = true;
    one->len = 0;
}

/* Is the answer whole? It is one with a Content-Length, for a client that keeps its connection. */
static bool is_whole(struct connection *one)
{
    const char *end, *length;

    one->answer[one->len] = '\0';
    end = strstr(one->answer, "\r\n\r\n");
    if (!end)
        return false;
    length = strcasestr(one->answer, "\r\nContent-Length:");
    if (strncmp(one->answer, "HTTP/1.1 200", 12) != 0 || !length || length > end)
        fail("not the answer of a pixel");
    return one->len >= (size_t)(end + 4 - one->answer) + strtoul(length + 17, NULL, 10);
}

static void hear(struct connection *one)
{
    ssize_t got = recv(one->fd, one->answer + one->len, ANSWER_MAX - 1 - one->len, 0);
    int64_t us;

    if (got <= 0)
        fail("recv");
    one->len += (size_t)got;
    if (!is_whole(one))
        return;
    us = now_us() - due_us(one->next);
    took[us > LONGEST_US ? LONGEST_US : us]++;
    answers++;
    one->busy = false;
    one->next += connections;
    if (due_us(one->next) <= now_us() && due_us(one->next) < end_us)
        ask(one);
}

/* All requests from number NEXT on that are due; gives the first that is not. */
static uint64_t ask_due(uint64_t next)
{
    int64_t now = now_us();

    for (; due_us(next) <= now && due_us(next) < end_us; next++) {
        struct connection *one = &connection[next % connections];

        if (!one->busy && one->next == next)
            ask(one);
    }
    return next;
}

static void run(int epoll)
{
    struct epoll_event event[EVENTS];
    uint64_t all = rate * (uint64_t)(end_us - start_us) / 1000000, next = 0;

    while (answers < all) {
        int64_t left = due_us(next) - now_us();
        struct timespec wait = {.tv_nsec = left > 0 && left < 1000 ? left * 1000 : left > 0 ? 1000000 : 0};
        int count = epoll_pwait2(epoll, event, EVENTS, &wait, NULL);

        for (int n = 0; n < count; n++)
            hear(&connection[event[n].data.u64]);
        next = ask_due(next);
        if (now_us() > end_us + LINGER_S * 1000000) {
            errno = ETIMEDOUT;
            fail("answers are missing");
        }
    }
}

static double percentile(double part)
{
    uint64_t want = (uint64_t)((double)answers * part), seen = 0;

    for (size_t us = 0; us <= LONGEST_US; us++) {
        seen += took[us];
        if (seen > want || seen == answers)
            return (double)us / 1000;
    }
    return 0;
}

int main(int arguments, char **argument)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (arguments != 6 || epoll < 0) {
        fprintf(stderr, "usage: paced PORT PATHS CONNECTIONS RATE SECONDS\n");
        return 2;
    }
    read_paths(argument[2]);
    connections = strtoull(argument[3], NULL, 10);
    rate = strtoull(argument[4], NULL, 10);
    connection = calloc(connections, sizeof *connection);
    if (!connection || !connections || !rate)
        fail("numbers");
    for (uint64_t n = 0; n < connections; n++)
        open_connection(n, (uint16_t)strtoul(argument[1], NULL, 10), epoll);
    start_us = now_us() + 1000;
    end_us = start_us + (int64_t)strtoull(argument[5], NULL, 10) * 1000000;
    run(epoll);
    printf("%llu %.3f %.3f %.3f\n", (unsigned long long)answers, percentile(0.5), percentile(0.99), percentile(1));
    return 0;
}
