/* SPDX-License-Identifier: BSD-2-Clause */
/* reading ahead: the same bytes by fewer calls, and all other files as ever */

#include "milter/read_ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct ends {
    int listener;
    int client;
    int server;
};

/* Linux gives a name of its own to a socket that is bound to none. */
static void connect_ends(struct ends *ends)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = sizeof address;

    ends->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(ends->listener, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
    assert_int_equal(getsockname(ends->listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(listen(ends->listener, 1), 0);
    ends->client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(ends->client, (struct sockaddr *)&address, len), 0);
    ends->server = accept(ends->listener, NULL, NULL);
    assert_true(ends->server >= 0);
}

static void close_ends(const struct ends *ends)
{
    assert_int_equal(close(ends->server), 0);
    assert_int_equal(close(ends->client), 0);
    assert_int_equal(close(ends->listener), 0);
}

static bool is_ready(int fd)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};

    return poll(&wanted, 1, 0) == 1 && wanted.revents == POLLIN;
}

static int in_the_kernel(int fd)
{
    int bytes = -1;

    assert_int_equal(ioctl(fd, FIONREAD, &bytes), 0);
    return bytes;
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* What read() gives for SIZE. */
static void assert_read(int fd, size_t size, const char *expected)
{
    char bytes[64];

    assert_true(size <= sizeof bytes);
    assert_int_equal(read(fd, bytes, size), (ssize_t)strlen(expected));
    assert_memory_equal(bytes, expected, strlen(expected));
}

static void one_call_brings_many_packets(void **state)
{
    struct ends ends;

    (void)state;
    connect_ends(&ends);
    assert_false(is_ready(ends.server));
    send_text(ends.client, "firstsecondthird");
    assert_true(is_ready(ends.server));
    assert_read(ends.server, 5, "first");
    assert_int_equal(in_the_kernel(ends.server), 0);
    assert_true(is_ready(ends.server));
    assert_read(ends.server, 6, "second");
    send_text(ends.client, "fourth");
    assert_true(is_ready(ends.server));
    assert_read(ends.server, 60, "third"); /* less than there is, as a stream may */
    assert_true(is_ready(ends.server));
    assert_read(ends.server, 60, "fourth");
    assert_false(is_ready(ends.server));
    close_ends(&ends);
}

/* A packet that is larger than what is held goes where it is wanted, at once. */
static void large_packets_come_whole(void **state)
{
    static const size_t size = 5 * READ_AHEAD_BYTES;
    char *sent = malloc(size);
    char *got = malloc(size);
    struct ends ends;
    size_t len = 0;

    (void)state;
    assert_non_null(sent);
    assert_non_null(got);
    for (size_t at = 0; at < size; at++)
        sent[at] = (char)(at * 7 + at / 256);
    connect_ends(&ends);
    assert_int_equal(write(ends.client, sent, size), (ssize_t)size);
    for (size_t step = 5; len < size; step = size - len) {
        ssize_t part;

        assert_true(is_ready(ends.server));
        part = read(ends.server, got + len, step);
        assert_true(part > 0);
        len += (size_t)part;
    }
    assert_memory_equal(got, sent, size);
    assert_false(is_ready(ends.server));
    close_ends(&ends);
    free(sent);
    free(got);
}

/* Of several files those that hold something are ready beside those that have something. */
static void many_files_are_polled_at_once(void **state)
{
    struct ends ends[3];
    struct pollfd wanted[3];

    (void)state;
    for (size_t at = 0; at < 3; at++) {
        connect_ends(&ends[at]);
        wanted[at] = (struct pollfd){.fd = ends[at].server, .events = POLLIN};
    }
    assert_int_equal(poll(wanted, 3, 0), 0);
    send_text(ends[1].client, "firstsecond");
    assert_int_equal(poll(wanted, 3, -1), 1);
    assert_read(ends[1].server, 5, "first");
    assert_int_equal(poll(wanted, 3, -1), 1);
    assert_int_equal(wanted[0].revents, 0);
    assert_int_equal(wanted[1].revents, POLLIN);
    send_text(ends[2].client, "third");
    send_text(ends[1].client, "more");
    assert_int_equal(poll(wanted, 3, -1), 2);
    assert_int_equal(wanted[2].revents, POLLIN);
    assert_read(ends[1].server, 60, "second");
    for (size_t at = 0; at < 3; at++)
        close_ends(&ends[at]);
}

static void the_end_comes_after_what_is_held(void **state)
{
    struct ends ends;

    (void)state;
    connect_ends(&ends);
    send_text(ends.client, "quit and more");
    assert_true(is_ready(ends.server)); /* polled, so that it is read ahead */
    assert_int_equal(shutdown(ends.client, SHUT_WR), 0);
    assert_read(ends.server, 4, "quit");
    assert_read(ends.server, 60, " and more");
    assert_read(ends.server, 60, "");
    close_ends(&ends);
}

/* Whoever waits by other means than poll() finds all that is left in the kernel. */
static void unpolled_connections_are_read_as_they_come(void **state)
{
    struct ends ends;

    (void)state;
    connect_ends(&ends);
    send_text(ends.client, "firstsecond");
    assert_read(ends.server, 5, "first");
    assert_int_equal(in_the_kernel(ends.server), 6);
    close_ends(&ends);
}

/* What was held for a connection is no part of the file that has its number next, and that is not read ahead. */
static void other_files_are_as_ever(void **state)
{
    struct ends ends;
    int pipe_ends[2];

    (void)state;
    connect_ends(&ends);
    send_text(ends.client, "firstsecond");
    assert_true(is_ready(ends.server));
    assert_read(ends.server, 5, "first");
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(dup2(pipe_ends[0], ends.client), ends.client);
    assert_int_equal(close(ends.server), 0);
    assert_int_equal(dup2(pipe_ends[0], ends.server), ends.server);
    send_text(pipe_ends[1], "pipes are not read ahead");
    assert_true(is_ready(ends.server));
    assert_read(ends.server, 5, "pipes");
    assert_int_equal(in_the_kernel(ends.server), 19);
    assert_int_equal(close(pipe_ends[0]), 0);
    assert_int_equal(close(pipe_ends[1]), 0);
    close_ends(&ends);
}

/* A libmilter that was built with _FORTIFY_SOURCE. */
static void pieces_are_read_by_either_call(void **state)
{
    char bytes[8];
    struct ends ends;

    (void)state;
    connect_ends(&ends);
    send_text(ends.client, "firstsecondthird");
    assert_true(is_ready(ends.server));
    assert_read(ends.server, 5, "first");
    assert_int_equal(__poll_chk(&(struct pollfd){.fd = ends.server, .events = POLLIN}, 1, 0, sizeof(struct pollfd)), 1);
    assert_int_equal(fcntl(ends.server, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(__read_chk(ends.server, bytes, 6, sizeof bytes), 6);
    assert_memory_equal(bytes, "second", 6);
    assert_read(ends.server, 60, "third");
    close_ends(&ends);
}

static void errors_are_told(void **state)
{
    char byte;

    (void)state;
    assert_int_equal(close(-1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(read(-1, &byte, 1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(accept(-1, NULL, NULL), -1);
    assert_int_equal(errno, EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_call_brings_many_packets),
        cmocka_unit_test(large_packets_come_whole),
        cmocka_unit_test(many_files_are_polled_at_once),
        cmocka_unit_test(the_end_comes_after_what_is_held),
        cmocka_unit_test(unpolled_connections_are_read_as_they_come),
        cmocka_unit_test(other_files_are_as_ever),
        cmocka_unit_test(pieces_are_read_by_either_call),
        cmocka_unit_test(errors_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
