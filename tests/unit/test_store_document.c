/* SPDX-License-Identifier: BSD-2-Clause */
/* documents in a real PostgreSQL: stored once and whole or not at all, as the role that stores them */

#include "common/store_document.h"
#include "tests/unit/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WAIT_MS = 60000, FILE_BYTES = 3 * STORE_CHUNK_BYTES + 7 };

static struct db *admin, *milter;
static char content[10 * STORE_CHUNK_BYTES];
static struct buf why;

static void expect_number(const char *sql, int64_t wanted)
{
    struct db_statement statement = {"", sql, 0};
    struct db_result *result;

    db_free(admin);
    admin = db_new(getenv("SPOOR_TEST_DATABASE"), "test");
    assert_true(db_connect(admin, WAIT_MS));
    result = db_ask(admin, &statement, NULL, WAIT_MS);
    if (!result)
        fail_msg("%s: %s", sql, db_error(admin));
    if (db_integer(result, 0, 0) != wanted)
        fail_msg("%s: %lld", sql, (long long)db_integer(result, 0, 0));
    db_result_free(result);
}

static struct store_file file_of(uint64_t message, unsigned number, size_t bytes)
{
    return (struct store_file){.message = message, .number = number, .type = "pdf", .name = "f\xc3\xbcr.pdf",
                               .content_type = "application/pdf", .bytes = slice_of(content, bytes)};
}

static enum store_answer store(struct store_file *file)
{
    buf_reset(&why);
    return store_document(milter, file, &why, WAIT_MS);
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&why, 2000);
    for (size_t at = 0; at < sizeof content; at++)
        content[at] = (char)(at * 31 + at / 977);
    assert_int_equal(postgres_schema("install"), 0);
    admin = db_new(getenv("SPOOR_TEST_DATABASE"), "test");
    milter = db_new(postgres_as("spoor_milter"), "test");
    return db_connect(admin, WAIT_MS) && db_connect(milter, WAIT_MS) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&why);
    db_free(admin);
    db_free(milter);
    return 0;
}

static void a_file_is_stored_once_and_whole(void **state)
{
    struct store_file first = file_of(5000000000, 1, FILE_BYTES), second = file_of(5000000001, 1, FILE_BYTES);
    struct store_file larger = file_of(5000000001, 2, sizeof content);

    (void)state;
    assert_int_equal(store(&first), STORE_YES);
    assert_int_equal(store(&second), STORE_YES);
    assert_int_equal(store(&larger), STORE_YES);
    assert_true(first.document && first.document == second.document && larger.document != first.document);
    expect_number("select count(*) from spoor.document", 2);
    expect_number("select count(*) from spoor.document_chunk", 4 + 10);
    expect_number("select count(*) from spoor.attachment a join spoor.document d on d.id = a.document"
                  " where a.bytes = d.bytes and d.state = 'pending' and a.file_name = U&'f\\00FCr.pdf'", 3);
    expect_number("select count(*) from spoor.document d where d.sha256 = (select sha256(string_agg(c.bytes, ''::bytea"
                  " order by c.number)) from spoor.document_chunk c where c.document = d.id)", 2);
}

/* The link's number is taken: chunks and document are not kept, and the connection is fit for others. */
static void all_or_nothing(void **state)
{
    struct store_file refused = file_of(5000000000, 1, 100), next = file_of(5000000002, 1, 200);

    (void)state;
    assert_int_equal(store(&refused), STORE_NO);
    assert_non_null(strstr(buf_text(&why), "attachment_pkey"));
    expect_number("select count(*) from spoor.document where bytes = 100", 0);
    assert_int_equal(store(&next), STORE_YES);
    expect_number("select count(*) from spoor.document where bytes = 200", 1);
}

static void who_waits_for_a_lock_gives_up_in_time(void **state)
{
    struct store_file file = file_of(5000000003, 1, 300);

    (void)state;
    assert_true(db_execute(admin, "begin; lock spoor.attachment in access exclusive mode", WAIT_MS));
    buf_reset(&why);
    assert_int_equal(store_document(milter, &file, &why, 100), STORE_AWAY);
    assert_true(why.len > 0);
    assert_true(db_execute(admin, "rollback", WAIT_MS));
    expect_number("select count(*) from spoor.document where bytes = 300", 0);
    db_free(milter);
    milter = db_new(postgres_as("spoor_milter"), "test");
    assert_true(db_connect(milter, WAIT_MS));
    assert_int_equal(store(&file), STORE_YES);
}

static void links_to_other_mails_are_carried_where_they_exist(void **state)
{
    struct store_carried carried[] = {{5000000000, 1, 3}, {5000000000, 9, 4}, {17, 1, 5}}, others[] = {{5000000000, 1, 3}};

    (void)state;
    assert_true(db_execute(admin, "insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner)"
                                  " values (5000000000, now(), 1, 'individual', 1, 1, 'ann@example.com')", WAIT_MS));
    assert_int_equal(store_carry_documents(milter, 5000000010, slice_str("eve@example.com"), others, 1, WAIT_MS), STORE_YES);
    assert_int_equal(others[0].number, 0);
    assert_int_equal(store_carry_documents(milter, 5000000009, slice_str("ann@example.com"), carried, 3, WAIT_MS), STORE_YES);
    assert_int_equal(carried[0].number, 3);
    assert_int_equal(carried[1].number, 0);
    assert_int_equal(carried[2].number, 0);
    expect_number("select count(*) from spoor.attachment a join spoor.attachment o on o.document = a.document"
                  " where a.message = 5000000009 and a.number = 3 and o.message = 5000000000", 1);
}

static void the_milter_reads_no_file(void **state)
{
    static const char *const questions[] = {
        "select bytes from spoor.document_chunk", "select sha256 from spoor.document", "select file_name from spoor.attachment",
        "delete from spoor.attachment", "update spoor.attachment set revoked_at = null", "select spoor.revoke_document(1)",
        "select spoor.add_content()"};

    (void)state;
    for (size_t n = 0; n < sizeof questions / sizeof *questions; n++) {
        assert_false(db_execute(milter, questions[n], WAIT_MS));
        assert_string_equal(db_sqlstate(milter), "42501");
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_stored_once_and_whole),
        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(who_waits_for_a_lock_gives_up_in_time),
        cmocka_unit_test(links_to_other_mails_are_carried_where_they_exist),
        cmocka_unit_test(the_milter_reads_no_file),
    };

    (void)argc;
    postgres_begin(argv);
    return cmocka_run_group_tests_name("store_document", tests, set_up, tear_down);
}
