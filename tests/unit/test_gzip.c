/* SPDX-License-Identifier: BSD-2-Clause */
/* who takes gzip, and that it unpacks to what it was */

#include "pixeld/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include <cmocka.h>

static void who_takes_it(void **state)
{
    static const char *const yes[] = {"gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.5", " gzip ;q=1"};
    static const char *const no[] = {"", "identity", "br", "gzip;q=0", "gzip; q=0.000", "x-gzipped"};

    (void)state;
    for (size_t n = 0; n < sizeof yes / sizeof *yes; n++)
        assert_true(gzip_is_accepted(slice_str(yes[n])));
    for (size_t n = 0; n < sizeof no / sizeof *no; n++)
        assert_false(gzip_is_accepted(slice_str(no[n])));
}

static void it_unpacks(void **state)
{
    char plain[5000], back[5000];
    z_stream stream = {.next_out = (Bytef *)back, .avail_out = sizeof back};
    struct buf packed;

    (void)state;
    for (size_t at = 0; at < sizeof plain; at++)
        plain[at] = (char)(at * at % 251);
    buf_init(&packed, 10000);
    buf_add_str(&packed, "before");
    assert_true(gzip_add(&packed, slice_of(plain, sizeof plain)));
    stream.next_in = (Bytef *)packed.data + 6;
    stream.avail_in = (uInt)packed.len - 6;
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    inflateEnd(&stream);
    assert_memory_equal(plain, back, sizeof plain);
    buf_free(&packed);
}

static void without_room_it_fails(void **state)
{
    struct buf packed;

    (void)state;
    buf_init(&packed, 10);
    assert_false(gzip_add(&packed, slice_str("something that is longer than the ten bytes there are")));
    buf_free(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_takes_it),
        cmocka_unit_test(it_unpacks),
        cmocka_unit_test(without_room_it_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
