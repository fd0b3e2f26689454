/* SPDX-License-Identifier: BSD-2-Clause */
/* the cache against a real memcached on a port of its own, and without one */

#include "common/cache.h"
#include "common/clock.h"
#include "common/seal.h"
#include "tests/unit/folder.h"

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

enum { TIMEOUT_MS = 2000, TRIES = 2000, TRY_US = 50000 };

static pid_t server;
static char port[16];
static struct keys *our_keys, *other_keys;

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

static struct cache *new_cache_with(struct keys *with)
{
    struct cache *cache;
    struct buf text;

    buf_init(&text, 1000);
    buf_add_f(&text, "127.0.0.1:%s", port);
    cache = cache_new(buf_text(&text), TIMEOUT_MS, with, &text);
    assert_non_null(cache);
    cache_begin_epoch(cache, 1);
    buf_free(&text);
    return cache;
}

static struct cache *new_cache(void)
{
    return new_cache_with(our_keys);
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

static struct keys *new_keys(void)
{
    char folder[PATH_SIZE], path[PATH_SIZE + 8];
    struct keys *made;
    struct buf error;

    folder_make(folder);
    snprintf(path, sizeof path, "%s/keys", folder);
    buf_init(&error, 1000);
    assert_true(keys_create(path, &error));
    made = keys_load_for(path, 0, &error);
    assert_non_null(made);
    buf_free(&error);
    folder_remove(folder);
    return made;
}

static int set_up(void **state)
{
    struct cache *cache;

    (void)state;
    our_keys = new_keys();
    other_keys = new_keys();
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
    keys_free(our_keys);
    keys_free(other_keys);
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
    cache_set(cache, cache_epoch(cache), "space", key, slice_of("value\0more", 10), 60);
    assert_true(cache_get(cache, "space", key, &value));
    assert_int_equal(value.len, 10);
    assert_memory_equal(value.data, "value\0more", 10);
    assert_false(cache_get(cache, "other", key, &value));
    assert_false(cache_get(cache, "space", slice_from(key, 1), &value));
    cache_set(cache, cache_epoch(cache), "space", key, slice_str(""), 60);
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
    cache_add(cache, cache_epoch(cache), "space", key, slice_str("miss"), 60);
    assert_true(cache_get(cache, "space", key, &value));
    assert_string_equal(buf_text(&value), "miss");
    cache_set(cache, cache_epoch(cache), "space", key, slice_str("real"), 60);
    cache_add(cache, cache_epoch(cache), "space", key, slice_str("miss"), 60);
    buf_reset(&value);
    assert_true(cache_get(cache, "space", key, &value)); /* also: an add that stores nothing is no failure of the server */
    assert_string_equal(buf_text(&value), "real");
    buf_free(&value);
    cache_free(cache);
}

static bool is_found(struct cache *cache, const char *space, const char *key)
{
    struct buf value;
    bool found;

    buf_init(&value, 100);
    found = cache_get(cache, space, slice_str(key), &value);
    buf_free(&value);
    return found;
}

/* Asked of a database, then somebody is forgotten, then set. */
static void what_was_known_before_an_epoch_began_is_not_found_in_it(void **state)
{
    struct cache *cache;
    int64_t epoch;

    (void)state;
    if (!server)
        skip();
    cache = new_cache();
    epoch = cache_epoch(cache);
    cache_begin_epoch(cache, 7);
    cache_set(cache, epoch, "space", slice_str("between"), slice_str("value"), 60);
    assert_false(is_found(cache, "space", "between"));
    cache_add(cache, epoch, "space", slice_str("between, too"), slice_str("value"), 60);
    assert_false(is_found(cache, "space", "between, too"));
    cache_set(cache, cache_epoch(cache), "space", slice_str("between"), slice_str("value"), 60);
    assert_true(is_found(cache, "space", "between"));
    cache_free(cache);
}

static void what_was_set_in_another_epoch_is_not_found(void **state)
{
    struct cache *cache, *other;

    (void)state;
    if (!server)
        skip();
    cache = new_cache();
    other = new_cache();
    cache_set(cache, cache_epoch(cache), "space", slice_str("epoch"), slice_str("value"), 60);
    cache_set(cache, cache_epoch(cache), CACHE_CAMPAIGN, slice_str("lasts"), slice_str("value"), 60);
    assert_true(is_found(other, "space", "epoch"));
    cache_begin_epoch(cache, 2);
    assert_false(is_found(cache, "space", "epoch"));
    assert_true(is_found(other, "space", "epoch")); /* it has not been told yet */
    cache_set(other, cache_epoch(other), "space", slice_str("late"), slice_str("value"), 60);
    assert_false(is_found(cache, "space", "late"));
    cache_add(cache, cache_epoch(cache), "space", slice_str("epoch"), slice_str("new"), 60);
    assert_true(is_found(cache, "space", "epoch"));
    cache_begin_epoch(other, 0);
    assert_int_equal(cache_epoch(other), 0);
    assert_false(is_found(other, "space", "epoch"));
    cache_set(other, cache_epoch(other), "space", slice_str("unknown"), slice_str("value"), 60);
    assert_false(is_found(other, "space", "unknown"));
    assert_true(is_found(cache, CACHE_CAMPAIGN, "lasts") && is_found(other, CACHE_CAMPAIGN, "lasts"));
    cache_free(other);
    cache_free(cache);
}

/* Nor does whoever has them overwrite what others set: the name depends on them too. */
static void what_was_set_with_other_keys_is_not_found(void **state)
{
    struct cache *cache, *other;

    (void)state;
    if (!server)
        skip();
    cache = new_cache();
    other = new_cache_with(other_keys);
    cache_set(cache, cache_epoch(cache), "space", slice_str("sealed"), slice_str("value"), 60);
    assert_false(is_found(other, "space", "sealed"));
    cache_set(other, cache_epoch(other), "space", slice_str("sealed"), slice_str("another"), 60);
    assert_true(is_found(cache, "space", "sealed") && is_found(other, "space", "sealed"));
    cache_free(other);
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
            cache_set(cache, cache_epoch(cache), "space", keys[n], keys[n], 60);
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

/* A server with less room for a value than others says so, and is as well as before. */
static void what_a_server_refuses_costs_nothing_else(void **state)
{
    enum { LARGE = 1024 * 1024 - SEAL_BYTES /* with its name it is more than a server takes, unless told otherwise */ };
    struct cache *cache;
    struct buf large;

    (void)state;
    if (!server)
        skip();
    cache = new_cache();
    buf_init(&large, LARGE);
    while (large.len < LARGE)
        assert_true(buf_add_char(&large, 'x'));
    cache_set(cache, cache_epoch(cache), "space", slice_str("small"), slice_str("value"), 60);
    cache_set(cache, cache_epoch(cache), "space", slice_str("large"), buf_slice(&large), 60);
    assert_true(is_found(cache, "space", "small"));
    cache_add(cache, cache_epoch(cache), "space", slice_str("large"), buf_slice(&large), 60);
    assert_true(is_found(cache, "space", "small"));
    buf_free(&large);
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
        cache_set(cache, cache_epoch(cache), "space", key, slice_str("value"), 60);
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
    cache = cache_new("", TIMEOUT_MS, our_keys, &text);
    assert_non_null(cache);
    cache_set(cache, cache_epoch(cache), "space", slice_str("key"), slice_str("value"), 60);
    assert_false(cache_get(cache, "space", slice_str("key"), &text));
    assert_true(cache_answers(cache, &text));
    cache_free(cache);
    assert_null(cache_new("localhost:11211 --FLUSH", TIMEOUT_MS, our_keys, &text));
    assert_true(text.len > 0);
    assert_null(cache_new("localhost,,other", TIMEOUT_MS, our_keys, &text));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_is_got),
        cmocka_unit_test(what_is_added_never_covers_what_was_set),
        cmocka_unit_test(what_was_set_in_another_epoch_is_not_found),
        cmocka_unit_test(what_was_known_before_an_epoch_began_is_not_found_in_it),
        cmocka_unit_test(what_was_set_with_other_keys_is_not_found),
        cmocka_unit_test(many_are_got_at_once),
        cmocka_unit_test(what_a_server_refuses_costs_nothing_else),
        cmocka_unit_test(nobody_waits_for_a_server_that_is_away),
        cmocka_unit_test(no_servers_is_a_cache_that_misses),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
