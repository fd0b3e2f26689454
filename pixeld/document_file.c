/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * document_file - the file itself; see document_part.h
 *
 * Its pieces go one by one into a file without a name, and from there to the client, however slowly he reads: so neither the
 * whole is in memory nor the database kept waiting.
 */
#include "pixeld/document_part.h"

#include "common/clock.h"
#include "common/document_type.h"
#include "common/log.h"
#include "pixeld/byte_range.h"
#include "pixeld/disposition.h"
#include "pixeld/document_note.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { DISK_KEPT_FREE = 256 << 20 };
enum { DISPOSITION_MAX = 2048, NUMBERS_MAX = 96, TAG_MAX = DOCUMENT_HASH_TEXT + 3 };

/* The folder for them; TMPDIR says another one. */
static const char *folder(void)
{
    const char *named = getenv("TMPDIR");

    return named && *named ? named : P_tmpdir;
}

/* A file that is gone when it is closed; -1 with errno. */
static int open_nameless(void)
{
    char path[PATH_MAX];
    int fd;

    if ((size_t)snprintf(path, sizeof path, "%s/spoor-XXXXXX", folder()) >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

/* Who reads slowly keeps his file for long, and spools may lie on the same disk: it must not be filled from outside. */
static bool has_room(int fd, uint64_t bytes)
{
    struct statvfs disk;

    if (fstatvfs(fd, &disk) != 0)
        return false;
    errno = ENOSPC;
    return (uint64_t)disk.f_bavail * disk.f_frsize >= bytes + DISK_KEPT_FREE;
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t written = write(fd, bytes.p, bytes.len);

        if (written < 0 && errno != EINTR)
            return false;
        bytes = slice_from(bytes, written > 0 ? (size_t)written : 0);
    }
    return true;
}

/* The pieces that hold RANGE. */
static enum store_answer fetch(const struct document_request *document, const struct document_facts *facts,
                               const struct byte_range *range, int fd)
{
    int last = (int)((range->first + range->length - 1) / DOCUMENT_CHUNK_BYTES);
    enum store_answer answer = STORE_YES;
    struct buf bytes;

    buf_init(&bytes, DOCUMENT_CHUNK_BYTES);
    for (int chunk = (int)(range->first / DOCUMENT_CHUNK_BYTES); answer == STORE_YES && chunk <= last; chunk++) {
        buf_reset(&bytes);
        answer = store_find_chunk(document->db, document->link, facts->id, chunk, &bytes, DOCUMENT_QUESTION_MS);
        if (answer == STORE_YES && !write_all(fd, buf_slice(&bytes))) {
            log_err("cannot hand out a document: writing to a file in %s: %s", folder(), strerrordesc_np(errno));
            answer = STORE_AWAY;
        }
    }
    buf_free(&bytes);
    return answer;
}

/* What all answers with bytes of the file say. */
struct file_headers {
    struct buf disposition;
    char tag[TAG_MAX];
    char numbers[NUMBERS_MAX];
    struct http_header item[10];
    size_t count;
};

static void add_header(struct file_headers *headers, const char *name, const char *value)
{
    headers->item[headers->count++] = (struct http_header){name, value};
}

static bool make_headers(struct file_headers *headers, const struct document_facts *facts, const struct byte_range *part)
{
    *headers = (struct file_headers){.count = 0};
    buf_init(&headers->disposition, DISPOSITION_MAX);
    snprintf(headers->tag, TAG_MAX, "\"%s\"", facts->hash);
    add_header(headers, "Content-Type", document_type_media_type(document_type_of(slice_str(facts->file_type))));
    add_header(headers, "Cache-Control", "no-store");
    add_header(headers, "X-Content-Type-Options", "nosniff");
    add_header(headers, "Content-Security-Policy", "sandbox; default-src 'none'");
    add_header(headers, "Cross-Origin-Resource-Policy", "same-origin");
    add_header(headers, "X-Robots-Tag", "noindex, nofollow");
    add_header(headers, "Accept-Ranges", "bytes");
    add_header(headers, "ETag", headers->tag);
    if (part) {
        snprintf(headers->numbers, NUMBERS_MAX, "bytes %" PRIu64 "-%" PRIu64 "/%" PRId64, part->first,
                 part->first + part->length - 1, facts->bytes);
        add_header(headers, "Content-Range", headers->numbers);
    }
    if (!disposition_add(&headers->disposition, buf_slice(&facts->file_name)))
        return false;
    add_header(headers, "Content-Disposition", buf_text(&headers->disposition));
    return true;
}

/* FD is given away. */
static struct http_page *page_with(const struct document_facts *facts, const struct byte_range *range, bool partly, int fd)
{
    struct file_headers headers;
    struct http_page *page = NULL;

    if (make_headers(&headers, facts, partly ? range : NULL))
        page = http_page_new_file(partly ? 206 : 200, headers.item, headers.count, fd, range->first % DOCUMENT_CHUNK_BYTES,
                                  range->length);
    else
        close(fd);
    buf_free(&headers.disposition);
    return page;
}

static struct http_answer not_satisfiable(const struct document_request *document, const struct document_facts *facts)
{
    char numbers[NUMBERS_MAX];
    const struct http_header headers[] = {{"Content-Range", numbers}, {"Cache-Control", "no-store"}};

    snprintf(numbers, sizeof numbers, "bytes */%" PRId64, facts->bytes);
    return document_once(document->site, http_page_new(416, headers, sizeof headers / sizeof *headers, slice_of("", 0)), 0);
}

/* From the form of the viewer's page, or of a link. */
static bool view_of(const struct document_request *document, struct view_id *view)
{
    struct slice text = request_argument(document->request, "v");

    if (document->request->method == REQUEST_POST && slice_starts_i(document->request->body, slice_str("v=")))
        text = slice_from(document->request->body, 2);
    return view_id_read(document->site->keys, document->token, text, clock_wall_us() / 1000, view);
}

/* Who goes on where he was interrupted does not download it once more. */
static uint64_t note(const struct document_request *document, const struct document_facts *facts, const struct byte_range *range)
{
    struct view_id view;
    bool viewed = view_of(document, &view);

    if (document->request->method == REQUEST_HEAD || range->first > 0)
        return 0;
    return document_note(document->site, document->request, document->token, DOCUMENT_DOWNLOADED, facts->id, 0,
                         viewed ? &view : NULL);
}

static struct http_answer answer_range(const struct document_request *document, const struct document_facts *facts,
                                       const struct byte_range *range, bool partly)
{
    enum store_answer answer;
    static struct log_throttle trouble = {.every_seconds = 60};
    int fd = open_nameless();

    if (fd < 0 || !has_room(fd, range->length)) {
        log_throttled(&trouble, LOG_ERR, "cannot hand out a document: making a file in %s: %s", folder(), strerrordesc_np(errno));
        if (fd >= 0)
            close(fd);
        return document_refusal(document, STORE_AWAY);
    }
    answer = document->request->method == REQUEST_HEAD ? STORE_YES : fetch(document, facts, range, fd);
    if (answer != STORE_YES) {
        close(fd);
        return document_refusal(document, answer);
    }
    return document_once(document->site, page_with(facts, range, partly, fd), note(document, facts, range));
}

/* RFC 9110 13.1.5: another version from here on would not fit to what the client has. */
static struct slice wanted_range(const struct request *request, const struct document_facts *facts)
{
    struct slice condition = request->field[REQUEST_IF_RANGE];
    char tag[TAG_MAX];

    snprintf(tag, sizeof tag, "\"%s\"", facts->hash);
    return slice_empty(condition) || slice_is(condition, tag) ? request->field[REQUEST_RANGE] : slice_of(NULL, 0);
}

struct http_answer document_file(const struct document_request *document)
{
    struct http_answer given;
    struct document_facts facts;
    enum store_answer answer = document_facts_of(document, &facts);
    enum byte_range_want want;
    struct byte_range range;

    if (answer == STORE_YES) {
        want = byte_range_of(wanted_range(document->request, &facts), (uint64_t)facts.bytes, &range);
        given = want == RANGE_NOT_SATISFIABLE ? not_satisfiable(document, &facts)
                                              : answer_range(document, &facts, &range, want == RANGE_PART);
    } else {
        given = document_refusal(document, answer);
    }
    document_facts_release(&facts);
    return given;
}
