/* SPDX-License-Identifier: BSD-2-Clause */
/* the cache against a real memcached on a port of its own, and without one */

#include "common/cache.h"
#include "common/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { TIMEOUT_MS = 500, TRIES = 400, TRY_US = 50000 };

static pid_t server;
static char port[16];

/* A socket on a port that is free now, bound but not listening. */
static int bind_any(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int one = 1;
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(descriptor >= 0);
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &len), 0);
    snprintf(port, sizeof port, "%u", ntohs(address.sin_port));
    return descriptor;
}

static void start_server(void)
{
    fflush(NULL);
    server = fork();
    if (server == 0) {
        execlp("memcached", "memcached", "-l", "127.0.0.1", "-p", port, "-U", "0", "-u", "nobody", (char *)NULL);
        _exit(127);
    }
}

static void stop_server(void)
{
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}

static struct cache *new_cache(void)
{
    struct cache *cache;
    struct buf text;

    buf_init(&text, 1000);
    buf_add_f(&text, "127.0.0.1:%s", port);
    cache = cache_new(buf_text(&text), TIMEOUT_MS, &text);
    assert_non_null(cache);
    buf_free(&text);
    return cache;
}

static bool answers(struct cache *cache)
{
    struct buf why;
    bool good;

    buf_init(&why, 1000);
    good = cache_answers(cache, &why);
    assert_true(good == (why.len == 0));
    buf_free(&why);
    return good;
}

static int set_up(void **state)
{
    struct cache *cache;

    (void)state;
    if (system("command -v memcached >/dev/null"))
        return 0;
    close(bind_any());
    start_server();
    cache = new_cache();
    for (int n = 0; n < TRIES && !answers(cache); n++)
        usleep(TRY_US);
    cache_free(cache);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (server)
        stop_server();
    return 0;
}

static void what_is_set_is_got(void **state)
{
    static const char odd[] = "a key with spaces, \0 and\nlines, longer than the 250 bytes that memcached takes "
                              "................................................................................"
                              "................................................................................"
                              "................................................................................";
    struct slice key = slice_of(odd, sizeof odd - 1);
    struct cache *cache;
    struct buf value;

    (void)state;
    if (!server)
        skip();
    cache = new_cache();
    buf_init(&value, 1000);
    assert_false(cache_get(cache, "space", key, &value));
    cache_set(cache, "space", key, slice_of("value\0more", 10), 60);
    assert_true(cache_get(cache, "space", key, &value));
    assert_int_equal(value.len, 10);
    assert_memory_equal(value.data, "value\0more", 10);
    assert_false(cache_get(cache, "other", key, &value));
    assert_false(cache_get(cache, "space", slice_from(key, 1), &value));
    cache_set(cache, "space", key, slice_str(""), 60);
    buf_reset(&value);
    assert_true(cache_get(cache, "space", key, &value));
    assert_int_equal(value.len, 0);
    buf_free(&value);
    cache_free(cache);
}

static void what_is_added_never_covers_what_was_set(void **state)
{
    struct slice key = slice_str("added");
    struct cache *cache;
    struct buf value;

    (void)state;
    if (!server)
        skip();
    cache = new_cache();
    buf_init(&value, 1000);
    cache_add(cache, "space", key, slice_str("miss"), 60);
    assert_true(cache_get(cache, "space", key, &value));
    assert_string_equal(buf_text(&value), "miss");
    cache_set(cache, "space", key, slice_str("real"), 60);
    cache_add(cache, "space", key, slice_str("miss"), 60);
    buf_reset(&value);
    assert_true(cache_get(cache, "space", key, &value)); /* also: an add that stores nothing is no failure of the server */
    assert_string_equal(buf_text(&value), "real");
    buf_free(&value);
    cache_free(cache);
}

static void many_are_got_at_once(void **state)
{
    enum { MANY = CACHE_MANY + 2 };
    struct slice keys[MANY];
    struct buf values[MANY];
    char names[MANY][16];
    bool hits[MANY];
    struct cache *cache;

    (void)state;
    if (!server)
        skip();
    cache = new_cache();
    for (size_t n = 0; n < MANY; n++) {
        snprintf(names[n], sizeof names[n], "many%zu", n % CACHE_MANY);
        keys[n] = slice_str(names[n]);
        buf_init(&values[n], 100);
        if (n % 2)
            cache_set(cache, "space", keys[n], keys[n], 60);
    }
    keys[2] = keys[1]; /* one twice */
    cache_get_many(cache, "space", keys, MANY, values, hits);
    for (size_t n = 0; n < MANY; n++) {
        assert_int_equal(hits[n], (n % 2 || n == 2) && n < CACHE_MANY);
        assert_true(!hits[n] || slice_eq(buf_slice(&values[n]), keys[n]));
        buf_free(&values[n]);
    }
    cache_free(cache);
}

static void nobody_waits_for_a_server_that_is_away(void **state)
{
    struct slice key = slice_str("key");
    int64_t start_ms;
    struct cache *cache;
    struct buf value;
    bool hit = false;

    (void)state;
    if (!server)
        skip();
    cache = new_cache();
    buf_init(&value, 1000);
    for (int n = 0; n < TRIES && !hit; n++) { /* a busy machine may be late once */
        cache_set(cache, "space", key, slice_str("value"), 60);
        hit = cache_get(cache, "space", key, &value);
        usleep(hit ? 0 : TRY_US);
    }
    assert_true(hit);
    kill(server, SIGSTOP); /* takes connections and says nothing, once it has stopped */
    assert_int_equal(waitpid(server, NULL, WUNTRACED), server);
    start_ms = clock_monotonic_ms();
    for (int n = 0; n < 100; n++)
        assert_false(cache_get(cache, "space", key, &value));
    assert_true(clock_monotonic_ms() - start_ms < 50 * TIMEOUT_MS);
    assert_false(answers(cache));
    kill(server, SIGCONT);
    hit = false;
    for (int n = 0; n < TRIES && !hit; n++) {
        hit = cache_get(cache, "space", key, &value);
        usleep(TRY_US);
    }
    assert_true(hit);
    buf_free(&value);
    cache_free(cache);
}

static void no_servers_is_a_cache_that_misses(void **state)
{
    struct cache *cache;
    struct buf text;

    (void)state;
    buf_init(&text, 1000);
    cache = cache_new("", TIMEOUT_MS, &text);
    assert_non_null(cache);
    cache_set(cache, "space", slice_str("key"), slice_str("value"), 60);
    assert_false(cache_get(cache, "space", slice_str("key"), &text));
    assert_true(cache_answers(cache, &text));
    cache_free(cache);
    assert_null(cache_new("localhost:11211 --FLUSH", TIMEOUT_MS, &text));
    assert_true(text.len > 0);
    assert_null(cache_new("localhost,,other", TIMEOUT_MS, &text));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_is_got),
        cmocka_unit_test(what_is_added_never_covers_what_was_set),
        cmocka_unit_test(many_are_got_at_once),
        cmocka_unit_test(nobody_waits_for_a_server_that_is_away),
        cmocka_unit_test(no_servers_is_a_cache_that_misses),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
