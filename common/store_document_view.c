/* SPDX-License-Identifier: BSD-2-Clause */
/* store_document_view - see store_document_view.h */

#include "common/store_document_view.h"

#include "common/hex.h"

#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_TEXT = 24 };

static const struct db_statement find_document = {
    "find_document",
    "select document, sha256, file_name, file_type, bytes, state, reason, pages from spoor.shown_attachment($1, $2)", 2};

static const struct db_statement find_pages = {
    "find_pages", "select page, width, height, text from spoor.shown_pages($1, $2, nullif($3::integer, 0))", 3};

static const struct db_statement find_image = {
    "find_image", "select encode(image, 'hex'), image_type from spoor.shown_image($1, $2, $3)", 3};

static const struct db_statement find_chunk = {
    "find_chunk", "select encode(spoor.shown_chunk($1, $2, $3, $4), 'hex')", 4};

/* The parameters that all questions begin with; NUMBER is a signed smallint in the database, and small in all tokens. */
struct question {
    char text[4][NUMBER_TEXT];
    const char *value[4];
};

static void ask_about(struct question *question, struct store_link link, int64_t third, int64_t fourth)
{
    const int64_t numbers[] = {(int64_t)link.message, (int16_t)link.number, third, fourth};

    for (size_t at = 0; at < 4; at++) {
        snprintf(question->text[at], NUMBER_TEXT, "%lld", (long long)numbers[at]);
        question->value[at] = question->text[at];
    }
}

static enum store_answer answer_of(const struct db_result *result)
{
    if (!result)
        return STORE_AWAY;
    return db_rows(result) ? STORE_YES : STORE_NO;
}

enum store_answer store_find_document(struct db *db, struct store_link link, void (*found)(void *arg, const struct store_document *document),
                                      void *arg, int deadline_ms)
{
    struct question question;
    struct db_result *result;
    enum store_answer answer;

    ask_about(&question, link, 0, 0);
    result = db_ask(db, &find_document, question.value, deadline_ms);
    answer = answer_of(result);
    if (answer == STORE_YES)
        found(arg, &(struct store_document){
                       .id = (uint64_t)db_integer(result, 0, 0),
                       .hash = db_value(result, 0, 1),
                       .file_name = db_value(result, 0, 2),
                       .file_type = db_value(result, 0, 3),
                       .bytes = db_integer(result, 0, 4),
                       .state = db_value(result, 0, 5),
                       .reason = db_value(result, 0, 6),
                       .pages = db_integer(result, 0, 7),
                   });
    db_result_free(result);
    return answer;
}

static void set_pages(const struct db_result *result, struct store_page *page)
{
    for (size_t row = 0; row < db_rows(result); row++)
        page[row] = (struct store_page){
            .number = (int)db_integer(result, row, 0),
            .width = (int)db_integer(result, row, 1),
            .height = (int)db_integer(result, row, 2),
            .text = db_value(result, row, 3),
        };
}

enum store_answer store_find_pages(struct db *db, struct store_link link, int only,
                                   void (*found)(void *arg, const struct store_page *page, size_t pages), void *arg, int deadline_ms)
{
    struct store_page *page = NULL;
    struct question question;
    struct db_result *result;
    enum store_answer answer;

    ask_about(&question, link, only, 0);
    result = db_ask(db, &find_pages, question.value, deadline_ms);
    answer = answer_of(result);
    if (answer == STORE_YES && !(page = calloc(db_rows(result), sizeof *page)))
        answer = STORE_AWAY;
    if (answer == STORE_YES) {
        set_pages(result, page);
        found(arg, page, db_rows(result));
    }
    free(page);
    db_result_free(result);
    return answer;
}

enum store_answer store_find_image(struct db *db, struct store_link link, int page, struct buf *image, struct buf *type, int deadline_ms)
{
    struct question question;
    struct db_result *result;
    enum store_answer answer;

    ask_about(&question, link, page, 0);
    result = db_ask(db, &find_image, question.value, deadline_ms);
    answer = answer_of(result);
    if (answer == STORE_YES && !(hex_decode(slice_str(db_value(result, 0, 0)), image) && buf_add_str(type, db_value(result, 0, 1))))
        answer = STORE_AWAY; /* no memory for it */
    db_result_free(result);
    return answer;
}

enum store_answer store_find_chunk(struct db *db, struct store_link link, uint64_t document, int chunk, struct buf *bytes, int deadline_ms)
{
    struct question question;
    struct db_result *result;
    enum store_answer answer;

    ask_about(&question, link, (int64_t)document, chunk);
    result = db_ask(db, &find_chunk, question.value, deadline_ms);
    answer = answer_of(result);
    if (answer == STORE_YES && !db_value(result, 0, 0))
        answer = STORE_NO;
    if (answer == STORE_YES && !hex_decode(slice_str(db_value(result, 0, 0)), bytes))
        answer = STORE_AWAY;
    db_result_free(result);
    return answer;
}
