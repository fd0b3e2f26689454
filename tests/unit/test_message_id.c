/* SPDX-License-Identifier: BSD-2-Clause */
/* message ids: they only grow, over restarts, killed processes, clocks set back and threads */

#include "common/message_id.h"
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREADS = 4, EACH = 5000 };

static char folder[PATH_SIZE];

static int setup(void **state)
{
    (void)state;
    folder_make(folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static struct message_id_maker *open_good(int node)
{
    struct message_id_maker *maker;
    struct buf error;

    buf_init(&error, 1000);
    maker = message_id_maker_open(folder, node, &error);
    if (!maker)
        fail_msg("%s", buf_text(&error));
    buf_free(&error);
    return maker;
}

static uint64_t make(struct message_id_maker *maker)
{
    uint64_t id = 0;

    assert_true(message_id_make(maker, &id));
    return id;
}

static void reserved_write(const char *text)
{
    char path[2 * PATH_SIZE];
    FILE *file;

    snprintf(path, sizeof path, "%s/reserved", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int64_t reserved_read(void)
{
    char path[2 * PATH_SIZE];
    int64_t reserved = -1;
    FILE *file;

    snprintf(path, sizeof path, "%s/reserved", folder);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%" SCNd64, &reserved), 1);
    fclose(file);
    return reserved;
}

static void parts_come_back(void **state)
{
    uint64_t id = message_id_compose(INT64_C(1700000000123), 1023, 4095);

    (void)state;
    assert_true(message_id_time_ms(id) == INT64_C(1700000000123));
    assert_int_equal(message_id_node(id), 1023);
    assert_int_equal(id & 4095, 4095);
    assert_true(message_id_compose(INT64_C(1577836800000), 0, 0) == 0);
    assert_true(message_id_compose(INT64_C(1577836800000) + (INT64_C(1) << 41), 0, 0) >> 63 == 1);
}

static void none_without_a_node(void **state)
{
    struct message_id_maker *maker = open_good(-1);
    uint64_t id;

    (void)state;
    assert_false(message_id_make(maker, &id));
    message_id_maker_set_node(maker, 77);
    assert_int_equal(message_id_node(make(maker)), 77);
    message_id_maker_set_node(maker, 1024);
    assert_false(message_id_make(maker, &id));
    message_id_maker_close(maker);
}

static void they_grow_and_tell_the_time(void **state)
{
    struct message_id_maker *maker = open_good(5);
    uint64_t last = 0;
    int64_t now = (int64_t)time(NULL) * 1000;

    (void)state;
    for (int n = 0; n < 3 * 4096; n++) { /* more than a millisecond has room for */
        uint64_t id = make(maker);

        assert_true(id > last);
        last = id;
    }
    assert_in_range(message_id_time_ms(last) - now + 2000, 0, 60000);
    message_id_maker_close(maker);
}

static void a_clock_set_back_goes_on_from_the_highest(void **state)
{
    struct message_id_maker *maker;
    int64_t future = ((int64_t)time(NULL) + 3600) * 1000;
    char text[40];
    uint64_t first, last;

    (void)state;
    snprintf(text, sizeof text, "%" PRId64 "\n", future);
    reserved_write(text);
    maker = open_good(5);
    first = last = make(maker);
    assert_true(message_id_time_ms(first) >= future);
    for (int n = 0; n < 10000; n++) {
        uint64_t id = make(maker);

        assert_true(id > last);
        last = id;
    }
    assert_true(message_id_time_ms(last) <= message_id_time_ms(first) + 3);
    assert_true(reserved_read() > message_id_time_ms(last));
    message_id_maker_close(maker);
}

static void the_file_is_not_written_for_each(void **state)
{
    struct message_id_maker *maker = open_good(5);
    char path[2 * PATH_SIZE];
    struct stat before, after;

    (void)state;
    make(maker);
    snprintf(path, sizeof path, "%s/reserved", folder);
    assert_int_equal(stat(path, &before), 0);
    for (int n = 0; n < 1000; n++)
        make(maker);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    message_id_maker_close(maker);
}

static void a_clean_end_gives_back_what_was_reserved(void **state)
{
    struct message_id_maker *maker = open_good(5);
    uint64_t last = make(maker);

    (void)state;
    assert_true(reserved_read() > message_id_time_ms(last) + 1000);
    message_id_maker_close(maker);
    assert_true(reserved_read() == message_id_time_ms(last) + 1);
    maker = open_good(5);
    assert_true(make(maker) > last);
    message_id_maker_close(maker);
}

static void a_killed_process_makes_none_twice(void **state)
{
    uint64_t last = 0, id = 0;

    (void)state;
    for (int round = 0; round < 5; round++) {
        int report[2];
        pid_t child;

        assert_int_equal(pipe(report), 0);
        child = fork();
        if (child == 0) {
            struct message_id_maker *maker = open_good(5);

            while (message_id_make(maker, &id) && write(report[1], &id, sizeof id) == sizeof id)
                ;
            _exit(1);
        }
        close(report[1]);
        for (int n = 0; n < 1000; n++) {
            assert_int_equal(read(report[0], &id, sizeof id), sizeof id);
            assert_true(id > last);
            last = id;
        }
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(report[0], &id, sizeof id) == sizeof id)
            last = id;
        close(report[0]);
    }
}

static void ids_ahead_of_the_clock_are_told(void **state)
{
    struct message_id_maker *maker = open_good(5);
    char line[32];

    (void)state;
    assert_int_equal(message_id_maker_ahead_ms(maker), 0);
    message_id_maker_close(maker);
    snprintf(line, sizeof line, "%lld\n", ((long long)time(NULL) + 3600) * 1000);
    reserved_write(line);
    maker = open_good(5);
    assert_in_range(message_id_maker_ahead_ms(maker), 3590000, 3600000);
    message_id_maker_close(maker);
}

static void a_damaged_file_stops_the_start(void **state)
{
    static const char *const bad[] = {"", "12x\n", "-5\n", "99999999999999999\n", "1700000000000\nmore\n"};
    struct buf error;

    (void)state;
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        reserved_write(bad[n]);
        buf_init(&error, 1000);
        assert_null(message_id_maker_open(folder, 1, &error));
        assert_non_null(strstr(buf_text(&error), folder));
        buf_free(&error);
    }
}

struct share {
    struct message_id_maker *maker;
    uint64_t id[EACH];
};

static void *make_some(void *arg)
{
    struct share *share = arg;

    for (int n = 0; n < EACH; n++)
        if (!message_id_make(share->maker, &share->id[n]))
            return "failed";
    return NULL;
}

static int by_id(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static void threads_never_share_one(void **state)
{
    static struct share share[THREADS];
    static uint64_t all[THREADS * EACH];
    struct message_id_maker *maker = open_good(9);
    pthread_t thread[THREADS];

    (void)state;
    for (int n = 0; n < THREADS; n++) {
        share[n].maker = maker;
        assert_int_equal(pthread_create(&thread[n], NULL, make_some, &share[n]), 0);
    }
    for (int n = 0; n < THREADS; n++) {
        void *said;

        pthread_join(thread[n], &said);
        assert_null(said);
        memcpy(all + n * EACH, share[n].id, sizeof share[n].id);
    }
    qsort(all, THREADS * EACH, sizeof *all, by_id);
    for (int n = 1; n < THREADS * EACH; n++)
        assert_true(all[n - 1] < all[n]);
    message_id_maker_close(maker);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parts_come_back),
        TEST(none_without_a_node),
        TEST(they_grow_and_tell_the_time),
        TEST(a_clock_set_back_goes_on_from_the_highest),
        TEST(the_file_is_not_written_for_each),
        TEST(a_clean_end_gives_back_what_was_reserved),
        TEST(a_killed_process_makes_none_twice),
        TEST(ids_ahead_of_the_clock_are_told),
        TEST(a_damaged_file_stops_the_start),
        TEST(threads_never_share_one),
    };

    return cmocka_run_group_tests_name("message_id", tests, NULL, NULL);
}
