/* SPDX-License-Identifier: BSD-2-Clause */
/* key_file - see key_file.h */

#include "common/key_file.h"

#include "common/decimal.h"
#include "common/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ALLOWED_MODE = 0640 };

static const char *const state_names[] = {
    [KEY_UNKNOWN] = "unknown", [KEY_VERIFIES] = "verifies", [KEY_SIGNS] = "signs",
    [KEY_RETIRED] = "retired", [KEY_REVOKED] = "revoked",
};

struct reading {
    struct key_file *file;
    bool has_address;
    bool has_signing; /* some line says so */
    int first_unsaid; /* the first key without a state, which signs when none says so; -1: there is none */
};

const char *key_state_name(enum key_state state)
{
    return state_names[state];
}

/* --- the words of a line --------------------------------------------------------------------------- */

static bool id_read(struct slice text, unsigned *id)
{
    uint64_t number;

    if (text.len > 3 || !decimal_read(text, KEY_IDS - 1, &number))
        return false;
    *id = (unsigned)number;
    return true;
}

static bool state_read(struct slice word, enum key_state *state)
{
    for (int n = KEY_VERIFIES; n <= KEY_REVOKED; n++) {
        if (slice_is(word, state_names[n])) {
            *state = (enum key_state)n;
            return true;
        }
    }
    return false;
}

/* Its shape alone: it is shown to people, and decides nothing. */
static bool is_time(struct slice word)
{
    static const char shape[] = "0000-00-00T00:00:00Z";

    if (word.len != sizeof shape - 1)
        return false;
    for (size_t at = 0; at < word.len; at++)
        if (shape[at] == '0' ? !ascii_is_digit(word.p[at]) : word.p[at] != shape[at])
            return false;
    return true;
}

static struct slice next_word(struct slice *line)
{
    size_t len = 0;
    struct slice word;

    *line = slice_trim(*line);
    while (len < line->len && !ascii_is_space(line->p[len]))
        len++;
    word = slice_of(line->p, len);
    *line = slice_from(*line, len);
    return word;
}

/* --- lines: why each is wrong, or NULL -------------------------------------------------------------- */

/* "address HEX" */
static const char *address_line(struct reading *reading, struct slice line)
{
    if (reading->has_address)
        return "a second address secret";
    if (!hex_read(next_word(&line), reading->file->address, KEY_SECRET_BYTES))
        return "the address secret is not 64 hex digits";
    reading->has_address = true;
    return slice_empty(slice_trim(line)) ? NULL : "something stands behind the secret";
}

/* "[STATE [SINCE]]" */
static const char *state_of_key(struct reading *reading, struct slice line, unsigned id)
{
    struct key_entry *entry = &reading->file->key[id];
    struct slice word = next_word(&line);

    if (slice_empty(word) && reading->first_unsaid < 0)
        reading->first_unsaid = (int)id;
    if (slice_empty(word))
        return NULL;
    if (!state_read(word, &entry->state))
        return "behind the key stands neither `verifies`, `signs`, `retired` nor `revoked`";
    if (entry->state == KEY_SIGNS && reading->has_signing)
        return "a second key that signs";
    if (entry->state == KEY_SIGNS) {
        reading->has_signing = true;
        reading->file->signing_id = (uint8_t)id;
    }
    entry->since = next_word(&line);
    if (!slice_empty(entry->since) && !is_time(entry->since))
        return "behind the state stands no time such as 2026-11-30T12:00:00Z";
    return slice_empty(slice_trim(line)) ? NULL : "something stands behind the time";
}

/* "key ID HEX [STATE [SINCE]]" */
static const char *key_line(struct reading *reading, struct slice line, struct key_entry **made)
{
    struct key_entry *entry;
    unsigned id;

    if (!id_read(next_word(&line), &id))
        return "the key id is not a number from 0 to 255";
    entry = &reading->file->key[id];
    if (entry->state != KEY_UNKNOWN)
        return "this key id stands here twice";
    if (!hex_read(next_word(&line), entry->secret, KEY_SECRET_BYTES))
        return "the key is not 64 hex digits";
    entry->state = KEY_VERIFIES;
    reading->file->count++;
    *made = entry;
    return state_of_key(reading, line, id);
}

static const char *read_line(struct reading *reading, struct slice line)
{
    const char *mark = line.len ? memchr(line.p, '#', line.len) : NULL;
    struct slice rest = mark ? slice_of(line.p, (size_t)(mark - line.p)) : line;
    struct slice word = next_word(&rest);
    struct key_entry *entry = NULL;
    const char *why;

    if (slice_empty(word))
        return NULL;
    if (slice_is(word, "address"))
        return address_line(reading, rest);
    if (!slice_is(word, "key"))
        return "neither `address` nor `key`";
    why = key_line(reading, rest, &entry);
    if (entry) {
        entry->line = line;
        entry->comment = mark ? slice_from(line, (size_t)(mark - line.p)) : slice_of(line.p, 0);
    }
    return why;
}

/* --- the whole --------------------------------------------------------------------------------------- */

static const char *lack(const struct reading *reading)
{
    if (!reading->has_address)
        return "no `address` line in it; spoorctl keygen makes a key file";
    if (reading->file->count == 0)
        return "no `key` line in it; spoorctl keygen makes a key file";
    return reading->has_signing || reading->first_unsaid >= 0
               ? NULL
               : "no key in it signs; spoorctl key promote makes one sign";
}

bool key_file_read(struct slice text, const char *path, struct key_file *file, struct buf *error)
{
    struct reading reading = {.file = file, .first_unsaid = -1};
    const char *why;

    *file = (struct key_file){.count = 0};
    for (unsigned number = 1; text.len; number++) {
        const char *end = memchr(text.p, '\n', text.len);
        size_t len = end ? (size_t)(end - text.p) : text.len;

        why = read_line(&reading, slice_of(text.p, len));
        if (why) {
            buf_add_f(error, "%s:%u: %s", path, number, why);
            return false;
        }
        text = slice_from(text, end ? len + 1 : len);
    }
    why = lack(&reading);
    if (why) {
        buf_add_f(error, "%s: %s", path, why);
        return false;
    }
    if (!reading.has_signing) {
        file->signing_id = (uint8_t)reading.first_unsaid;
        file->key[file->signing_id].state = KEY_SIGNS;
    }
    return true;
}

void key_file_wipe(struct key_file *file)
{
    explicit_bzero(file, sizeof *file);
}

/* Opens only what is a file of a sane size that strangers cannot read. */
static int open_private(const char *path, struct buf *error)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &status) != 0)
        buf_add_f(error, "%s: cannot open the key file: %s", path, strerrordesc_np(errno));
    else if (!S_ISREG(status.st_mode))
        buf_add_f(error, "%s: the key file is not a regular file", path);
    else if (status.st_mode & 07777 & ~(mode_t)ALLOWED_MODE)
        buf_add_f(error, "%s: mode %04o lets others at the keys; use 0640 or less", path,
                  (unsigned)(status.st_mode & 07777));
    else if (status.st_size > KEY_FILE_MAX)
        buf_add_f(error, "%s: larger than a key file can be", path);
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Plain read() into one block, so that no copy of a secret stays behind in stdio or realloc. */
bool key_file_load(const char *path, struct slice *text, struct buf *error)
{
    int fd = open_private(path, error);
    char *block;
    ssize_t len;

    *text = slice_of(NULL, 0);
    if (fd < 0)
        return false;
    block = malloc(KEY_FILE_MAX);
    len = block ? read(fd, block, KEY_FILE_MAX) : -1;
    if (len < 0) {
        buf_add_f(error, "%s: cannot read the key file: %s", path, strerrordesc_np(errno));
        free(block);
        block = NULL;
    }
    close(fd);
    if (block)
        *text = slice_of(block, (size_t)len);
    return block != NULL;
}

void key_file_release(struct slice *text)
{
    char *block = (char *)text->p;

    explicit_bzero(block, text->len);
    free(block);
    *text = slice_of(NULL, 0);
}
