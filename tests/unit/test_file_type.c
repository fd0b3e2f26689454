/* SPDX-License-Identifier: BSD-2-Clause */
/* what a document is, by its bytes: PDF, ZIP and compound files, their passwords, bombs and pieces */

#include "common/buf.h"
#include "render/file_type.h"
#include "render/zip_directory.h"
#include "tests/unit/zip_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FAR_TOO_MUCH = 600 * 1024 * 1024, PACKED = 8, ENCRYPTED = 1 };

static void the_phrase_names_all(void **state)
{
    struct buf phrase;

    (void)state;
    buf_init(&phrase, 200);
    for (enum document_type type = 0; type < DOCUMENT_TYPES; type++) {
        buf_add_str(&phrase, type == 0 ? "" : type + 1 == DOCUMENT_TYPES ? " or " : ", ");
        buf_add_str(&phrase, document_type_ending(type));
    }
    assert_string_equal(document_type_endings, buf_text(&phrase));
    buf_free(&phrase);
}

static void endings(void **state)
{
    (void)state;
    assert_int_equal(document_type_of(slice_str("pdf")), DOCUMENT_PDF);
    assert_int_equal(document_type_of(slice_str("ods")), DOCUMENT_ODS);
    assert_int_equal(document_type_of(slice_str("exe")), DOCUMENT_TYPES);
    assert_int_equal(document_type_of(slice_str("")), DOCUMENT_TYPES);
    assert_int_equal(document_type_of(slice_str("ODS")), DOCUMENT_ODS);
    assert_string_equal(document_type_media_type(DOCUMENT_PDF), "application/pdf");
    assert_string_equal(document_type_media_type(document_type_of(slice_str("html"))), "application/octet-stream");
    assert_true(document_type_is_slides(DOCUMENT_ODP));
    assert_false(document_type_is_slides(DOCUMENT_ODT));
    assert_null(file_type_reader(DOCUMENT_PDF));
    assert_string_equal(file_type_reader(DOCUMENT_DOC), "MS Word 97");
    assert_string_equal(file_type_writer(DOCUMENT_XLSX), "calc_pdf_Export");
}

static void a_pdf_begins_soon(void **state)
{
    char late[2000];

    (void)state;
    memset(late, ' ', sizeof late);
    memcpy(late + 1000, "%PDF-1.4", 8);
    assert_int_equal(file_type_look(DOCUMENT_PDF, slice_of(late, sizeof late)), LOOK_GOOD);
    memset(late, ' ', sizeof late);
    memcpy(late + 1022, "%PDF-1.4", 8);
    assert_int_equal(file_type_look(DOCUMENT_PDF, slice_of(late, sizeof late)), LOOK_MISMATCH);
    assert_int_equal(file_type_look(DOCUMENT_PDF, slice_str("%PDF-1.7\n")), LOOK_GOOD);
    assert_int_equal(file_type_look(DOCUMENT_PDF, slice_str("<html>")), LOOK_MISMATCH);
    assert_int_equal(file_type_look(DOCUMENT_PDF, slice_of("", 0)), LOOK_MISMATCH);
}

/* A document of two entries as TYPE sees it. */
static enum file_look look(enum document_type type, const char *name, const char *content, unsigned method, uint32_t bytes, unsigned flags)
{
    struct zip_bytes zip;
    enum file_look result;

    zip_bytes_init(&zip);
    zip_bytes_add(&zip, "mimetype", "application/vnd.oasis.opendocument.text", 0, 39, 0);
    zip_bytes_add(&zip, name, content, method, bytes, flags);
    result = file_type_look(type, zip_bytes_end(&zip));
    zip_bytes_free(&zip);
    return result;
}

static void what_is_in_a_zip_counts(void **state)
{
    (void)state;
    assert_int_equal(look(DOCUMENT_DOCX, "word/document.xml", "x", PACKED, 10, 0), LOOK_GOOD);
    assert_int_equal(look(DOCUMENT_PPTX, "ppt/presentation.xml", "x", PACKED, 10, 0), LOOK_GOOD);
    assert_int_equal(look(DOCUMENT_PPTX, "word/document.xml", "x", PACKED, 10, 0), LOOK_MISMATCH);
    assert_int_equal(look(DOCUMENT_XLSX, "xl/", "", PACKED, 10, 0), LOOK_MISMATCH); /* an empty folder */
    assert_int_equal(look(DOCUMENT_ODT, "content.xml", "x", PACKED, 10, 0), LOOK_GOOD);
    assert_int_equal(look(DOCUMENT_ODP, "content.xml", "x", PACKED, 10, 0), LOOK_MISMATCH);
    assert_int_equal(look(DOCUMENT_DOC, "word/document.xml", "x", PACKED, 10, 0), LOOK_MISMATCH);
    assert_int_equal(look(DOCUMENT_PDF, "word/document.xml", "x", PACKED, 10, 0), LOOK_MISMATCH);
}

static void a_password_is_seen(void **state)
{
    (void)state;
    assert_int_equal(look(DOCUMENT_DOCX, "word/document.xml", "x", PACKED, 10, ENCRYPTED), LOOK_ENCRYPTED);
    assert_int_equal(look(DOCUMENT_ODT, "content.xml", "\x8b\x12 not XML", 0, 10, 0), LOOK_ENCRYPTED);
    assert_int_equal(look(DOCUMENT_ODT, "content.xml", "<?xml?>", 0, 7, 0), LOOK_GOOD);
}

static void a_bomb_is_seen_before_it_is_unpacked(void **state)
{
    struct zip_bytes zip;
    char entry[46];

    (void)state;
    assert_int_equal(look(DOCUMENT_DOCX, "word/document.xml", "x", PACKED, FAR_TOO_MUCH, 0), LOOK_ZIP_BOMB);
    assert_int_equal(look(DOCUMENT_DOCX, "word/document.xml", "x", PACKED, UINT32_MAX, 0), LOOK_ZIP_BOMB);

    zip_bytes_init(&zip); /* many entries */
    for (int at = 0; at < 10001; at++)
        zip_bytes_add(&zip, "word/a", "", PACKED, 1, 0);
    assert_int_equal(file_type_look(DOCUMENT_DOCX, zip_bytes_end(&zip)), LOOK_ZIP_BOMB);
    zip_bytes_free(&zip);

    zip_bytes_init(&zip); /* entries that share their bytes */
    zip_bytes_add(&zip, "word/a", "0123456789012345678901234567890123456789012345678901234567890123456789", PACKED, 1, 0);
    memcpy(entry, zip.directory.data, sizeof entry);
    for (int at = 0; at < 50; at++) {
        buf_add(&zip.directory, entry, sizeof entry);
        buf_add_str(&zip.directory, "word/a");
    }
    assert_int_equal(file_type_look(DOCUMENT_DOCX, zip_bytes_end(&zip)), LOOK_ZIP_BOMB);
    zip_bytes_free(&zip);
}

static void a_piece_of_a_zip_is_damaged(void **state)
{
    struct zip_bytes zip;
    struct slice file;

    (void)state;
    zip_bytes_init(&zip);
    zip_bytes_add(&zip, "word/document.xml", "content", PACKED, 10, 0);
    file = zip_bytes_end(&zip);
    assert_int_equal(file_type_look(DOCUMENT_DOCX, file), LOOK_GOOD);
    for (size_t len = 4; len < file.len; len++)
        assert_int_equal(file_type_look(DOCUMENT_DOCX, slice_of(file.p, len)), LOOK_DAMAGED);
    assert_int_equal(file_type_look(DOCUMENT_DOCX, slice_of(file.p, 3)), LOOK_MISMATCH);
    zip_bytes_free(&zip);
}

/* compound files: a header, one table, one sector of directory, the stream's sectors */

enum { SECTOR = 512, STREAM_BYTES = 4096, TYPE_STREAM = 2 };

static char compound[SECTOR * 3 + STREAM_BYTES];

static void name_entry(char *entry, const char *name, uint32_t start, uint32_t size)
{
    for (size_t at = 0; at <= strlen(name); at++)
        le16_put(entry + 2 * at, (unsigned char)name[at]);
    le16_put(entry + 64, (uint16_t)(2 * strlen(name) + 2));
    entry[66] = TYPE_STREAM;
    le32_put(entry + 116, start);
    le32_put(entry + 120, size);
}

/* Sector 0 is the table, 1 the directory, 2 and on the stream; BEGIN is how the stream begins. */
static struct slice make_compound(const char *stream, const void *begin, size_t len)
{
    memset(compound, 0, sizeof compound);
    memcpy(compound, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8);
    le16_put(compound + 30, 9);
    le32_put(compound + 48, 1);
    memset(compound + 76, 0xFF, 109 * 4);
    le32_put(compound + 76, 0);
    memset(compound + SECTOR, 0xFF, SECTOR);
    name_entry(compound + 2 * SECTOR, "Other", 0, 10);
    name_entry(compound + 2 * SECTOR + 128, stream, 2, STREAM_BYTES);
    memcpy(compound + 3 * SECTOR, begin, len);
    return slice_of(compound, sizeof compound);
}

static void streams_tell_what_a_compound_file_is(void **state)
{
    (void)state;
    assert_int_equal(file_type_look(DOCUMENT_DOC, make_compound("WordDocument", "", 0)), LOOK_GOOD);
    assert_int_equal(file_type_look(DOCUMENT_PPT, make_compound("PowerPoint Document", "", 0)), LOOK_GOOD);
    assert_int_equal(file_type_look(DOCUMENT_XLS, make_compound("Workbook", "", 0)), LOOK_GOOD);
    assert_int_equal(file_type_look(DOCUMENT_XLS, make_compound("Book", "", 0)), LOOK_GOOD);
    assert_int_equal(file_type_look(DOCUMENT_PPT, make_compound("WordDocument", "", 0)), LOOK_MISMATCH);
    assert_int_equal(file_type_look(DOCUMENT_DOC, slice_str("<html><body>no")), LOOK_MISMATCH);
    assert_int_equal(file_type_look(DOCUMENT_DOC, slice_str("{\\rtf1 no")), LOOK_MISMATCH);
    assert_int_equal(file_type_look(DOCUMENT_DOCX, make_compound("WordDocument", "", 0)), LOOK_MISMATCH);
}

static void passwords_of_compound_files(void **state)
{
    static const char word[12] = {[11] = 1};                            /* fEncrypted */
    static const char excel[] = "\x09\x08\x04\0AAAA\x2F\0\6\0";         /* BOF, FilePass */
    static const char open_excel[] = "\x09\x08\x04\0AAAA\x42\0\2\0";

    (void)state;
    assert_int_equal(file_type_look(DOCUMENT_DOC, make_compound("WordDocument", word, sizeof word)), LOOK_ENCRYPTED);
    assert_int_equal(file_type_look(DOCUMENT_XLS, make_compound("Workbook", excel, sizeof excel)), LOOK_ENCRYPTED);
    assert_int_equal(file_type_look(DOCUMENT_XLS, make_compound("Workbook", open_excel, sizeof open_excel)), LOOK_GOOD);
    assert_int_equal(file_type_look(DOCUMENT_PPT, make_compound("EncryptedSummary", "", 0)), LOOK_ENCRYPTED);
    assert_int_equal(file_type_look(DOCUMENT_DOCX, make_compound("EncryptedPackage", "", 0)), LOOK_ENCRYPTED);
    assert_int_equal(file_type_look(DOCUMENT_XLSX, make_compound("EncryptedPackage", "", 0)), LOOK_ENCRYPTED);
}

static void a_chain_that_bites_its_tail_ends(void **state)
{
    struct slice file = make_compound("Something", "", 0);

    (void)state;
    le32_put(compound + SECTOR + 4, 1); /* the directory's sector follows itself */
    assert_int_equal(file_type_look(DOCUMENT_DOC, file), LOOK_MISMATCH);
}

static void a_cut_compound_file_is_damaged(void **state)
{
    struct slice file = make_compound("WordDocument", "", 0);

    (void)state;
    assert_int_equal(file_type_look(DOCUMENT_DOC, slice_of(file.p, 100)), LOOK_DAMAGED);
    assert_int_equal(file_type_look(DOCUMENT_DOC, slice_of(file.p, 2 * SECTOR)), LOOK_DAMAGED);
    le16_put(compound + 30, 3);
    assert_int_equal(file_type_look(DOCUMENT_DOC, file), LOOK_DAMAGED);
}

static void stored_content_stays_within(void **state)
{
    struct zip_directory directory;
    struct zip_entry entry;
    struct zip_bytes zip;
    struct slice content;

    (void)state;
    zip_bytes_init(&zip);
    zip_bytes_add(&zip, "a", "hello", 0, 5, 0);
    assert_true(zip_directory_open(zip_bytes_end(&zip), &directory));
    assert_int_equal(zip_directory_next(&directory, &entry), ZIP_ENTRY);
    content = zip_directory_content(&directory, &entry);
    assert_true(slice_is(content, "hello"));
    entry.offset = UINT32_MAX;
    assert_int_equal(zip_directory_content(&directory, &entry).len, 0);
    entry.offset = 1;
    assert_int_equal(zip_directory_content(&directory, &entry).len, 0);
    assert_int_equal(zip_directory_next(&directory, &entry), ZIP_END);
    zip_bytes_free(&zip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endings),
        cmocka_unit_test(the_phrase_names_all),
        cmocka_unit_test(a_pdf_begins_soon),
        cmocka_unit_test(what_is_in_a_zip_counts),
        cmocka_unit_test(a_password_is_seen),
        cmocka_unit_test(a_bomb_is_seen_before_it_is_unpacked),
        cmocka_unit_test(a_piece_of_a_zip_is_damaged),
        cmocka_unit_test(streams_tell_what_a_compound_file_is),
        cmocka_unit_test(passwords_of_compound_files),
        cmocka_unit_test(a_chain_that_bites_its_tail_ends),
        cmocka_unit_test(a_cut_compound_file_is_damaged),
        cmocka_unit_test(stored_content_stays_within),
    };

    return cmocka_run_group_tests_name("file_type", tests, NULL, NULL);
}
