/* SPDX-License-Identifier: BSD-2-Clause */
/* the key file: what is refused, what is derived, reload under use */

#include "common/digest.h"
#include "common/keys.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "ffeeddccbbaa99887766554433221100FFEEDDCCBBAA99887766554433221100"

static char path[64];

static void write_keys(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static int make_path(void **state)
{
    int fd;

    (void)state;
    snprintf(path, sizeof path, "/tmp/spoor-keys-XXXXXX");
    fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void refuse(const char *text, mode_t mode, const char *why)
{
    struct buf error;

    buf_init(&error, 1000);
    write_keys(text, mode);
    assert_null(keys_load(path, &error));
    if (!strstr(buf_text(&error), why))
        fail_msg("\"%s\" does not say \"%s\"", buf_text(&error), why);
    assert_int_equal(strncmp(buf_text(&error), path, strlen(path)), 0);
    buf_free(&error);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
    refuse("address " HEX_A "\nkey 1 " HEX_B "\n", 0644, "mode 0644");
    refuse("address " HEX_A "\nkey 1 " HEX_B "\n", 0660, "mode 0660");
    refuse("# comment\n\nfoo bar\n", 0600, ":3: neither");
    refuse("address 00\n", 0600, ":1: the address secret");
    refuse("address " HEX_A "\naddress " HEX_A "\n", 0600, ":2: a second");
    refuse("key 256 " HEX_A "\n", 0600, ":1: the key id");
    refuse("key -1 " HEX_A "\n", 0600, ":1: the key id");
    refuse("key 1 " HEX_A "\nkey 1 " HEX_B "\n", 0600, ":2: this key id stands here twice");
    refuse("key 1 " HEX_A "0\n", 0600, ":1: the key is not");
    refuse("key 1 " HEX_A " more\n", 0600, ":1: behind the key stands neither");
    refuse("key 1 " HEX_A " Signs\n", 0600, ":1: behind the key stands neither");
    refuse("key 1 " HEX_A " signs yesterday\n", 0600, ":1: behind the state stands no time");
    refuse("key 1 " HEX_A " signs 2026-11-30T12:00:00\n", 0600, ":1: behind the state stands no time");
    refuse("key 1 " HEX_A " signs 2026-11-30T12:00:00Z more\n", 0600, ":1: something stands behind the time");
    refuse("key 1 " HEX_A " signs\n\nkey 2 " HEX_A " signs\n", 0600, ":3: a second key that signs");
    refuse("address " HEX_A "\nkey 1 " HEX_A " verifies\nkey 2 " HEX_A " revoked\n", 0600, "no key in it signs");
    refuse("address " HEX_A " verifies\n", 0600, ":1: something stands behind");
    refuse("key 1 " HEX_A "\n", 0600, "no `address` line");
    refuse("address " HEX_A "\n", 0600, "no `key` line");
    refuse("", 0600, "no `address` line");
}

static struct keys *load(const char *text)
{
    struct buf error;
    struct keys *keys;

    buf_init(&error, 1000);
    write_keys(text, 0640);
    keys = keys_load(path, &error);
    if (!keys)
        fail_msg("%s", buf_text(&error));
    buf_free(&error);
    return keys;
}

/* The figures come from Python's hmac: tokens out there must verify with every later version. */
static void derives_what_it_always_did(void **state)
{
    static const uint8_t mac_of_key_7[] = {0x69, 0x47, 0x64, 0x9f, 0x4d, 0x21, 0xe5, 0xcd, 0xff, 0x71, 0x7c, 0x8b};
    static const uint8_t mac_of_address[] = {0xb8, 0xfd, 0x89, 0xed, 0x3e, 0xbe, 0x8c, 0x50, 0x94, 0xf8, 0xa4, 0x18};
    const struct slice parts[] = {slice_str("he"), slice_str(""), slice_str("llo")};
    struct keys *keys = load("address " HEX_A "\nkey 7 " HEX_B " # newest\nkey 3 " HEX_A "\n");
    uint8_t mac[KEYS_MAC_BYTES];

    (void)state;
    assert_int_equal(keys_signing_id(keys), 7);
    assert_int_equal(keys_count(keys), 2);
    assert_true(keys_mac(keys, 7, 2, parts, 3, mac));
    assert_memory_equal(mac, mac_of_key_7, sizeof mac_of_key_7);
    assert_true(keys_address_mac(keys, slice_str("anna@example.com"), mac));
    assert_memory_equal(mac, mac_of_address, sizeof mac_of_address);
    assert_int_equal(keys_recipient(keys, slice_str("anna@example.com")), 0xb8fd89ed);
    assert_false(keys_mac(keys, 1, 2, parts, 3, mac));
    assert_false(keys_mac(keys, 7, KEYS_LABELS, parts, 3, mac));
    keys_free(keys);
}

static void each_key_has_the_state_that_its_line_says(void **state)
{
    static const struct {
        const char *lines;
        uint8_t signing;
        enum key_state of_1, of_2, of_3;
    } rows[] = {
        /* the old form: the first signs */
        {"key 2 " HEX_A "\nkey 1 " HEX_A "\n", 2, KEY_VERIFIES, KEY_SIGNS, KEY_UNKNOWN},
        {"key 1 " HEX_A "\n", 1, KEY_SIGNS, KEY_UNKNOWN, KEY_UNKNOWN},
        /* what a line says holds, wherever it stands */
        {"key 1 " HEX_A "\nkey 2 " HEX_A " signs 2026-11-30T12:00:00Z # new\n", 2, KEY_VERIFIES, KEY_SIGNS, KEY_UNKNOWN},
        {"key 1 " HEX_A "\nkey 2 " HEX_A " verifies\n", 1, KEY_SIGNS, KEY_VERIFIES, KEY_UNKNOWN},
        {"key 3 " HEX_A " revoked\nkey 2 " HEX_A " retired\nkey 1 " HEX_A "\n", 1, KEY_SIGNS, KEY_RETIRED, KEY_REVOKED},
        {"key 3 " HEX_A " signs\nkey 2 " HEX_A "\nkey 1 " HEX_A " revoked\n", 3, KEY_REVOKED, KEY_VERIFIES, KEY_SIGNS},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        char text[1000];
        struct keys *keys;

        print_message("row %zu\n", row);
        snprintf(text, sizeof text, "address " HEX_A "\n%s", rows[row].lines);
        keys = load(text);
        assert_int_equal(keys_signing_id(keys), rows[row].signing);
        assert_int_equal(keys_state(keys, 1), rows[row].of_1);
        assert_int_equal(keys_state(keys, 2), rows[row].of_2);
        assert_int_equal(keys_state(keys, 3), rows[row].of_3);
        keys_free(keys);
    }
}

static void a_fingerprint_tells_one_key_from_another(void **state)
{
    struct keys *keys = load("address " HEX_A "\nkey 1 " HEX_A " signs\nkey 2 " HEX_B " revoked\nkey 3 " HEX_A "\n");
    uint8_t first[KEYS_FINGERPRINT_BYTES], second[KEYS_FINGERPRINT_BYTES], third[KEYS_FINGERPRINT_BYTES];

    (void)state;
    assert_true(keys_fingerprint(keys, 1, first));
    assert_true(keys_fingerprint(keys, 2, second));
    assert_true(keys_fingerprint(keys, 3, third));
    assert_false(keys_fingerprint(keys, 4, third));
    assert_memory_equal(first, third, sizeof first);
    assert_memory_not_equal(first, second, sizeof first);
    keys_free(keys);
}

static void a_program_has_only_the_keys_it_asked_for(void **state)
{
    const struct slice part = slice_str("x");
    uint8_t all[KEYS_MAC_BYTES], some[KEYS_MAC_BYTES];
    struct keys *whole = load("address " HEX_A "\nkey 1 " HEX_B "\n"), *few;
    struct buf error;

    (void)state;
    buf_init(&error, 1000);
    few = keys_load_for(path, 1U << 2 | 1U << 14, &error);
    assert_non_null(few);
    for (int again = 0; again < 2; again++) {
        for (unsigned label = 0; label < KEYS_LABELS; label++) {
            bool wanted = label == 2 || label == 14 || label == KEYS_LABEL_FINGERPRINT;

            assert_int_equal(keys_mac(whole, 1, label, &part, 1, all), KEY_SIGNS);
            assert_int_equal(keys_mac(few, 1, label, &part, 1, some), wanted ? KEY_SIGNS : KEY_UNKNOWN);
            if (wanted)
                assert_memory_equal(all, some, sizeof all);
        }
        assert_true(keys_reload(few, &error));
    }
    keys_free(few);
    keys_free(whole);
    buf_free(&error);
}

static void sha256_matches_fips_180(void **state)
{
    static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea};
    const struct slice parts[] = {slice_str("a"), slice_str("bc")};
    uint8_t digest[32];

    (void)state;
    assert_true(digest_sha256(parts, 2, digest));
    assert_memory_equal(digest, abc, sizeof abc);
}

static void a_made_file_loads_and_is_not_overwritten(void **state)
{
    struct stat status;
    struct keys *keys;
    struct buf error;

    (void)state;
    buf_init(&error, 1000);
    assert_false(keys_create(path, &error));
    assert_non_null(strstr(buf_text(&error), "File exists"));
    unlink(path);
    assert_true(keys_create(path, &error));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    keys = keys_load(path, &error);
    assert_non_null(keys);
    assert_int_equal(keys_count(keys), 1);
    assert_int_equal(keys_state(keys, 1), KEY_SIGNS);
    keys_free(keys);
    buf_free(&error);
}

static void a_bad_reload_leaves_the_old_keys(void **state)
{
    struct keys *keys = load("address " HEX_A "\nkey 1 " HEX_B "\n");
    unsigned generation = keys_generation(keys);
    struct buf error;

    (void)state;
    buf_init(&error, 1000);
    write_keys("address " HEX_A "\nkey 2 broken\n", 0600);
    assert_false(keys_reload(keys, &error));
    write_keys("address " HEX_B "\nkey 2 " HEX_A "\n", 0600);
    assert_false(keys_reload(keys, &error));
    assert_non_null(strstr(buf_text(&error), "address secret changed"));
    assert_int_equal(keys_signing_id(keys), 1);
    assert_int_equal(keys_generation(keys), generation);
    write_keys("address " HEX_A "\nkey 2 " HEX_A "\nkey 1 " HEX_B "\n", 0600);
    assert_true(keys_reload(keys, &error));
    assert_int_equal(keys_signing_id(keys), 2);
    assert_int_not_equal(keys_generation(keys), generation);
    keys_free(keys);
    buf_free(&error);
}

struct work {
    struct keys *keys;
    uint8_t expected[KEYS_MAC_BYTES];
    bool wrong;
};

static void *sign_often(void *data)
{
    struct work *work = data;
    const struct slice part = slice_str("x");
    uint8_t mac[KEYS_MAC_BYTES];

    for (int n = 0; n < 2000; n++)
        if (!keys_mac(work->keys, 1, 1, &part, 1, mac) || memcmp(mac, work->expected, sizeof mac) != 0)
            work->wrong = true;
    return NULL;
}

static void threads_sign_while_keys_are_reloaded(void **state)
{
    struct work work = {.keys = load("address " HEX_A "\nkey 1 " HEX_B "\n")};
    struct work works[2];
    const struct slice part = slice_str("x");
    pthread_t threads[2];
    struct buf error;

    (void)state;
    buf_init(&error, 1000);
    assert_true(keys_mac(work.keys, 1, 1, &part, 1, work.expected));
    for (int n = 0; n < 2; n++) {
        works[n] = work;
        assert_int_equal(pthread_create(&threads[n], NULL, sign_often, &works[n]), 0);
    }
    for (int n = 0; n < 20; n++)
        assert_true(keys_reload(work.keys, &error));
    for (int n = 0; n < 2; n++) {
        pthread_join(threads[n], NULL);
        assert_false(works[n].wrong);
    }
    keys_free(work.keys);
    buf_free(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_wrong_is_named_with_its_line, make_path, remove_path),
        cmocka_unit_test_setup_teardown(derives_what_it_always_did, make_path, remove_path),
        cmocka_unit_test_setup_teardown(each_key_has_the_state_that_its_line_says, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_fingerprint_tells_one_key_from_another, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_program_has_only_the_keys_it_asked_for, make_path, remove_path),
        cmocka_unit_test(sha256_matches_fips_180),
        cmocka_unit_test_setup_teardown(a_made_file_loads_and_is_not_overwritten, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_bad_reload_leaves_the_old_keys, make_path, remove_path),
        cmocka_unit_test_setup_teardown(threads_sign_while_keys_are_reloaded, make_path, remove_path),
    };

    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
