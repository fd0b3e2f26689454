/* SPDX-License-Identifier: BSD-2-Clause */
/* job - see job.h */

#include "render/job.h"

#include "common/clock.h"
#include "render/file_type.h"
#include "render/memory_file.h"
#include "render/page_stream.h"
#include "render/page_text.h"
#include "render/pdf_info.h"
#include "render/scripts.h"
#include "render/webp.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    QUESTION_MS = 10000,
    PAGE_STORE_MS = 30000,
    PDF_MOST = 256 * 1024 * 1024,
    INFO_MOST = 256 * 1024,
    FILE_MOST = 256 * 1024 * 1024, /* in the sandbox */
    NUMBER_TEXT = 16,
    PATH_TEXT = 32,
    WRITER_TEXT = 128,
    WALL_FACTOR = 3 /* a busy machine takes longer by the clock than it computes */
};

/* What the steps hand on to each other. */
struct work {
    struct job *job;
    enum document_type type;
    int file;              /* the document, or the PDF made of it; see memory_file.h */
    int pdf;               /* while it is made */
    int64_t pdf_bytes;
    struct buf info_text;
    struct pdf_info info;
    struct page_stream stream;
    enum finding refused;  /* why a callback wants no more */
};

/* Of a call that failed: the connection, or what was told? */
static enum finding trouble_of(struct db *db)
{
    return *db_sqlstate(db) && db_stands(db) ? FOUND_NOT_STORED : FOUND_AWAY;
}

static enum finding finding_of_answer(const struct job *job, enum store_answer answer)
{
    return answer == STORE_YES ? FOUND_FINE : answer == STORE_NO ? FOUND_LOST : trouble_of(job->db);
}

static bool keep_job(void *arg)
{
    struct work *work = arg;
    struct job *job = work->job;

    work->refused = finding_of_answer(job, store_keep_job(job->db, job->holder, job->claim.document, QUESTION_MS));
    return work->refused == FOUND_FINE;
}

/* running a program */

static struct child_order order_for(struct work *work, int64_t cpu_s, int64_t most_ms, bool (*take)(void *, struct slice))
{
    const struct job *job = work->job;

    return (struct child_order){
        .cpu_s = (int)cpu_s,
        .memory = job->conf->render.memory,
        .file_size = FILE_MOST,
        .until_ms = clock_monotonic_ms() + most_ms,
        .quiet_ms = (int)most_ms,
        .stop_fd = job->stop_fd,
        .take = take,
        .tick = keep_job,
        .arg = work,
    };
}

/* A sandbox that cannot be entered looks like a converter that failed. */
static bool is_sandbox_to_blame(const struct job *job, enum finding finding)
{
    struct child_result result;

    if (finding != FOUND_UNREADABLE && finding != FOUND_NO_CONVERTER && finding != FOUND_CRASH)
        return false;
    return !sandbox_works(job->sandbox, job->stop_fd, &result) && result.end != CHILD_STOPPED;
}

static enum finding run(struct work *work, enum stage stage, const struct sandbox_task *task, struct child_order *order)
{
    struct job *job = work->job;
    struct child_result result;
    enum finding finding;

    work->refused = FOUND_FINE;
    sandbox_run(job->sandbox, task, order, &result);
    finding = finding_of_child(stage, &result);
    if (result.end == CHILD_REFUSED && work->refused != FOUND_FINE)
        finding = work->refused;
    if (is_sandbox_to_blame(job, finding))
        finding = FOUND_NO_SANDBOX;
    if (finding != FOUND_FINE)
        memcpy(job->words, result.words, sizeof job->words);
    return finding;
}

/* the steps */

static enum finding read_chunks(struct job *job, struct buf *bytes)
{
    enum store_answer answer;
    int number = 0;

    do
        answer = store_read_chunk(job->db, job->claim.document, number++, bytes, QUESTION_MS);
    while (answer == STORE_YES && !bytes->failed);
    if (answer == STORE_AWAY)
        return FOUND_AWAY;
    return bytes->failed || (int64_t)bytes->len != job->claim.bytes ? FOUND_INCOMPLETE : FOUND_FINE;
}

/* Its bytes, if it is what it is called. */
static enum finding fetch(struct work *work)
{
    struct job *job = work->job;
    enum finding finding;
    struct buf bytes;

    work->type = document_type_of(slice_str(job->claim.file_type));
    if (work->type == DOCUMENT_TYPES)
        return FOUND_MISMATCH;
    if (job->claim.bytes > job->conf->render.size_limit)
        return FOUND_TOO_LARGE;
    buf_init(&bytes, (size_t)job->claim.bytes);
    finding = read_chunks(job, &bytes);
    if (finding == FOUND_FINE)
        finding = finding_of_look(file_type_look(work->type, buf_slice(&bytes)));
    if (finding == FOUND_FINE && (work->file = memory_file_of(buf_slice(&bytes))) < 0)
        finding = FOUND_UNSTARTED;
    buf_free(&bytes);
    return finding;
}

static bool take_pdf(void *arg, struct slice bytes)
{
    struct work *work = arg;

    work->pdf_bytes += (int64_t)bytes.len;
    if (work->pdf_bytes > PDF_MOST)
        work->refused = FOUND_TOO_LARGE;
    else if (!memory_file_add(work->pdf, bytes))
        work->refused = FOUND_UNSTARTED;
    return work->refused == FOUND_FINE;
}

/* Office to PDF; no more pages are written than are looked at. */
static enum finding convert(struct work *work)
{
    const struct conf *conf = work->job->conf;
    char path[PATH_TEXT], writer[WRITER_TEXT];
    const char *const arguments[] = {work->job->claim.file_type, file_type_reader(work->type), writer, NULL};
    const int profile = memory_file_of(slice_str(script_profile));
    const struct sandbox_task task = {.script = script_office, .arguments = arguments, .files = 2,
                                      .file = {{work->file, path, false}, {profile, SCRIPT_PROFILE, true}}};
    int64_t cpu_s = conf->render.convert_timeout_s;
    struct child_order order = order_for(work, cpu_s, WALL_FACTOR * 1000 * cpu_s, take_pdf);
    enum finding finding = FOUND_UNSTARTED;

    if (work->type == DOCUMENT_PDF)
        return FOUND_FINE;
    snprintf(path, sizeof path, SCRIPT_DOCUMENT ".%s", work->job->claim.file_type);
    snprintf(writer, sizeof writer, "%s:{\"PageRange\":{\"type\":\"string\",\"value\":\"1-%lld\"}}",
             file_type_writer(work->type), (long long)conf->render.pages + 1);
    work->pdf = memory_file_of(slice_of("", 0));
    if (work->pdf >= 0 && profile >= 0)
        finding = run(work, STAGE_OFFICE, &task, &order);
    if (profile >= 0)
        close(profile);
    if (finding == FOUND_FINE) {
        close(work->file);
        work->file = work->pdf;
        work->pdf = -1;
    }
    return finding;
}

static bool take_info(void *arg, struct slice bytes)
{
    struct work *work = arg;

    return buf_add_slice(&work->info_text, bytes);
}

/* How many pages, and how large. */
static enum finding inspect(struct work *work)
{
    const struct conf *conf = work->job->conf;
    char most[NUMBER_TEXT];
    const char *const arguments[] = {most, NULL};
    const struct sandbox_task task = {.script = script_info, .arguments = arguments, .files = 1,
                                      .file = {{work->file, SCRIPT_DOCUMENT ".pdf", false}}};
    int64_t cpu_s = conf->render.page_timeout_s;
    struct child_order order = order_for(work, cpu_s, WALL_FACTOR * 1000 * cpu_s, take_info);
    enum finding finding;

    snprintf(most, sizeof most, "%lld", (long long)conf->render.pages);
    finding = run(work, STAGE_INFO, &task, &order);
    if (finding != FOUND_FINE)
        return finding;
    pdf_info_read(buf_slice(&work->info_text), &work->info);
    return work->info.pages > 0 && work->info.sized > 0 ? FOUND_FINE : FOUND_NO_PAGES;
}

/* What the sandbox made is not believed. */
static bool store_page(void *arg, const struct page_frame *frame)
{
    struct work *work = arg;
    struct job *job = work->job;
    struct store_page page = {.number = frame->number, .image = frame->image};
    struct buf text;

    buf_init(&text, PAGE_TEXT_MOST + 1);
    if (!webp_size(frame->image, &page.width, &page.height) || page.width > PICTURE_SIDE || page.height > PICTURE_SIDE) {
        work->refused = FOUND_BAD_OUTPUT;
    } else if (!page_text_clean(frame->text, &text)) {
        work->refused = FOUND_UNSTARTED;
    } else {
        page.text = buf_slice(&text);
        work->refused = finding_of_answer(job, store_add_page(job->db, job->holder, job->claim.document, &page, PAGE_STORE_MS));
    }
    if (work->refused == FOUND_FINE)
        job->pages = frame->number;
    buf_free(&text);
    return work->refused == FOUND_FINE;
}

static bool take_pages(void *arg, struct slice bytes)
{
    struct work *work = arg;

    return page_stream_take(&work->stream, bytes, store_page, work);
}

enum { WORDS_A_PAGE = 3 };

struct page_arguments {
    char text[SANDBOX_ARGUMENTS][NUMBER_TEXT];
    const char *pointer[SANDBOX_ARGUMENTS + 1];
};

/* Number, width and height of each page; of as many as there are to be. */
static size_t add_arguments(struct page_arguments *arguments, const struct pdf_info *info, int64_t most)
{
    size_t pages = 0;

    while (pages < info->sized && (int64_t)pages < most && (pages + 1) * WORDS_A_PAGE <= SANDBOX_ARGUMENTS &&
           info->size[pages].width) {
        const int words[WORDS_A_PAGE] = {(int)pages + 1, info->size[pages].width, info->size[pages].height};

        for (size_t at = 0; at < WORDS_A_PAGE; at++) {
            char *text = arguments->text[pages * WORDS_A_PAGE + at];

            snprintf(text, NUMBER_TEXT, "%d", words[at]);
            arguments->pointer[pages * WORDS_A_PAGE + at] = text;
        }
        pages++;
    }
    arguments->pointer[pages * WORDS_A_PAGE] = NULL;
    return pages;
}

/* Pages that are there when the time is up are better than none. */
static enum finding end_of_pages(const struct work *work, enum finding finding, size_t wanted, bool in_time)
{
    int pages = work->job->pages;

    if (finding == FOUND_LATE && !in_time && pages > 0)
        return FOUND_FIRST_PAGES;
    if (finding != FOUND_FINE)
        return finding;
    if (pages != (int)wanted)
        return FOUND_BAD_OUTPUT;
    return pages < work->info.pages ? FOUND_FIRST_PAGES : FOUND_ALL_PAGES;
}

static enum finding draw(struct work *work)
{
    const struct conf *conf = work->job->conf;
    struct page_arguments *arguments = malloc(sizeof *arguments);
    struct sandbox_task task = {.script = script_pages, .files = 1, .file = {{work->file, SCRIPT_DOCUMENT ".pdf", false}}};
    int64_t cpu_s = conf->render.page_timeout_s;
    struct child_order order = order_for(work, cpu_s, 1000 * conf->render.pages_timeout_s, take_pages);
    enum finding finding = FOUND_NO_PAGES;
    size_t wanted;

    if (!arguments)
        return FOUND_UNSTARTED;
    order.quiet_ms = (int)(2 * WALL_FACTOR * 1000 * cpu_s); /* two programs, one after the other */
    wanted = add_arguments(arguments, &work->info, conf->render.pages);
    task.arguments = arguments->pointer;
    if (wanted > 0) {
        finding = run(work, STAGE_PAGES, &task, &order);
        finding = end_of_pages(work, finding, wanted, clock_monotonic_ms() < order.until_ms);
    }
    free(arguments);
    return finding;
}

enum finding job_run(struct job *job)
{
    enum finding (*const steps[])(struct work *) = {fetch, convert, inspect, draw};
    struct work *work = calloc(1, sizeof *work);
    enum finding finding = FOUND_FINE;

    if (!work)
        return FOUND_UNSTARTED;
    work->job = job;
    work->file = work->pdf = -1;
    buf_init(&work->info_text, INFO_MOST);
    page_stream_init(&work->stream);
    for (size_t at = 0; at < sizeof steps / sizeof *steps && finding == FOUND_FINE; at++)
        finding = steps[at](work);
    page_stream_free(&work->stream);
    buf_free(&work->info_text);
    if (work->file >= 0)
        close(work->file);
    if (work->pdf >= 0)
        close(work->pdf);
    free(work);
    return finding;
}
