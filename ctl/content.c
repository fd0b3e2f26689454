/* SPDX-License-Identifier: BSD-2-Clause */
/* content - spoorctl content add | list | remove: files to be linked from any mail. */

#include "common/db.h"
#include "common/document_type.h"
#include "common/keys.h"
#include "common/store_document.h"
#include "common/token.h"
#include "common/url.h"
#include "ctl/command.h"
#include "ctl/progress.h"
#include "mail/document.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 5000, STORE_MS = 120000 };

struct library {
    const struct conf *conf;
    struct keys *keys;
    struct db *db;
};

/* The link that is nobody's: spoor-stamp makes it personal in each mail. */
static bool write_link(const struct library *library, uint64_t number, struct buf *url)
{
    struct token token = {.kind = TOKEN_DOCUMENT, .message = number, .index = 1};
    char text[TOKEN_TEXT + 1];

    return token_sign(library->keys, &token, slice_str(""), text) &&
           url_add_document(url, library->conf->tracking_url, text);
}

static bool print_entry(const struct library *library, const struct store_content *content)
{
    struct buf url;
    bool written;

    buf_init(&url, 4096);
    written = write_link(library, content->number, &url);
    if (written)
        printf("number=%" PRIu64 " document=%" PRIu64 " bytes=%" PRIu64 " added=%s state=%s link=%s name=%s\n", content->number,
               content->document, content->bytes, content->added_at, content->state, buf_text(&url), content->name);
    else
        fputs("spoorctl content: the link cannot be signed\n", stderr);
    buf_free(&url);
    return written;
}

static void list_entry(void *arg, const struct store_content *content)
{
    print_entry(arg, content);
}

static bool read_file(const char *path, size_t most, struct buf *bytes)
{
    FILE *file = fopen(path, "rb");
    char block[64 * 1024];
    size_t len;

    if (!file) {
        fprintf(stderr, "spoorctl content: %s: %s\n", path, strerrordesc_np(errno));
        return false;
    }
    buf_init(bytes, most);
    while ((len = fread(block, 1, sizeof block, file)) > 0 && buf_add(bytes, block, len))
        continue;
    if (ferror(file))
        fprintf(stderr, "spoorctl content: %s: %s\n", path, strerrordesc_np(errno));
    else if (bytes->failed)
        fprintf(stderr, "spoorctl content: %s: more than stamp.attachment_largest, %zu bytes\n", path, most);
    else if (!bytes->len)
        fprintf(stderr, "spoorctl content: %s: the file is empty\n", path);
    len = !ferror(file) && !bytes->failed ? bytes->len : 0;
    fclose(file);
    return len > 0;
}

static enum document_type type_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? document_type_of(slice_str(dot + 1)) : DOCUMENT_TYPES;
}

static bool store(const struct library *library, const char *path, struct slice bytes)
{
    char name[DOCUMENT_NAME_MAX + 1];
    enum document_type type;
    struct buf why, url;
    bool done = false;

    buf_init(&why, 1024);
    buf_init(&url, 4096);
    document_name(slice_str(path), name);
    type = type_of(name);
    if (type == DOCUMENT_TYPES) {
        fprintf(stderr, "spoorctl content: %s: the name does not end in %s\n", path, document_type_endings);
    } else {
        struct store_file file = {
            .number = 1, .type = document_type_ending(type), .name = name, .content_type = "application/octet-stream", .bytes = bytes};

        progress_tell("storing %s, %zu bytes", name, bytes.len);
        done = store_document(library->db, &file, &why, STORE_MS) == STORE_YES && write_link(library, file.message, &url);
        progress_clear();
        if (done)
            printf("number=%" PRIu64 " document=%" PRIu64 " link=%s\n", file.message, file.document, buf_text(&url));
        else
            fprintf(stderr, "spoorctl content: %s is not stored: %s\n", path, why.len ? buf_text(&why) : "the link cannot be signed");
    }
    buf_free(&why);
    buf_free(&url);
    return done;
}

static bool add(const struct library *library, const char *path)
{
    struct buf bytes = {.data = NULL};
    bool done = read_file(path, (size_t)library->conf->stamp.attachment_largest, &bytes) &&
                store(library, path, buf_slice(&bytes));

    buf_free(&bytes);
    return done;
}

static bool list(struct library *library)
{
    bool answered = store_content_list(library->db, list_entry, library, ASK_MS) == STORE_YES;

    if (!answered)
        fprintf(stderr, "spoorctl content: %s\n", db_error(library->db));
    return answered;
}

/* By its number, or by the name that it was added under. */
struct wanted {
    const char *text;
    uint64_t number;
    unsigned found;
};

static void look(void *arg, const struct store_content *content)
{
    struct wanted *wanted = arg;
    char number[24];

    snprintf(number, sizeof number, "%" PRIu64, content->number);
    if (strcmp(number, wanted->text) == 0 || strcmp(content->name, wanted->text) == 0) {
        wanted->number = content->number;
        wanted->found++;
    }
}

static bool remove_entry(const struct library *library, const char *text)
{
    struct wanted wanted = {.text = text};

    if (store_content_list(library->db, look, &wanted, ASK_MS) != STORE_YES)
        fprintf(stderr, "spoorctl content: %s\n", db_error(library->db));
    else if (wanted.found == 0)
        fprintf(stderr, "spoorctl content: there is no %s; spoorctl content list tells what there is\n", text);
    else if (wanted.found > 1)
        fprintf(stderr, "spoorctl content: there are %u of the name %s: say which by its number\n", wanted.found, text);
    else if (store_content_remove(library->db, wanted.number, ASK_MS) == STORE_AWAY)
        fprintf(stderr, "spoorctl content: %s\n", db_error(library->db));
    else
        return true;
    return false;
}

static bool act(struct library *library, char **argv)
{
    if (strcmp(argv[1], "add") == 0)
        return add(library, argv[2]);
    return strcmp(argv[1], "list") == 0 ? list(library) : remove_entry(library, argv[2]);
}

int content_command(const struct conf *conf, int argc, char **argv)
{
    bool listing = argc == 2 && strcmp(argv[1], "list") == 0;
    bool naming = argc == 3 && (strcmp(argv[1], "add") == 0 || strcmp(argv[1], "remove") == 0);
    struct library library = {.conf = conf};
    struct buf error;
    bool done = false;

    if (!listing && !naming)
        return COMMAND_USAGE;
    buf_init(&error, 4096);
    library.keys = keys_load(conf->key_file, &error);
    library.db = db_new(conf->database, "spoorctl");
    if (!library.keys)
        fprintf(stderr, "spoorctl content: %s\n", buf_text(&error));
    else if (!library.db || !store_connect(library.db, ASK_MS))
        fprintf(stderr, "spoorctl content: %s\n", library.db ? db_error(library.db) : "out of memory");
    else
        done = act(&library, argv);
    db_free(library.db);
    keys_free(library.keys);
    buf_free(&error);
    return done ? COMMAND_DONE : COMMAND_FAILED;
}
