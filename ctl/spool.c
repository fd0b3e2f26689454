/* SPDX-License-Identifier: BSD-2-Clause */
/* spool - spoorctl spool list | verify | dump: look into the spool folders, without a database and beside a daemon; load. */

#include "common/hex.h"
#include "common/shard.h"
#include "common/spool_walk.h"
#include "ctl/command.h"
#include "ctl/progress.h"
#include "ctl/record_text.h"
#include "ctl/spool_load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ERROR_MOST = 8192, LINE_MOST = 4 * 1024 * 1024 };

/* False: something is not as it should be. */
typedef bool look_function(const struct conf *conf, const struct spool_walk *walk, const char *path);

static void print_identity(const struct spool_segment *segment)
{
    char digits[2 * SPOOL_IDENTITY_BYTES + 1];

    hex_write(segment->identity, SPOOL_IDENTITY_BYTES, digits);
    printf(" identity=%s", digits);
}

/* What a walk's end is called, with the place where it is. The byte counts from 0 in the file. */
static void print_end(const struct spool_walk_report *report)
{
    uint64_t byte = report->headless ? 0 : report->segment.end - report->segment.start;

    switch (report->end) {
    case SPOOL_WALK_GOOD:
        fputs(" state=good", stdout);
        break;
    case SPOOL_WALK_GONE:
        fputs(" state=gone", stdout);
        break;
    case SPOOL_WALK_TORN:
        printf(" state=torn byte=%" PRIu64, byte);
        break;
    case SPOOL_WALK_BAD:
        printf(" state=bad byte=%" PRIu64, byte);
        break;
    case SPOOL_WALK_FAILED:
        printf(" state=unreadable error=\"%s\"", strerrordesc_np(errno));
        break;
    }
}

static bool is_good(const struct spool_walk_report *report)
{
    return report->end != SPOOL_WALK_BAD && report->end != SPOOL_WALK_FAILED;
}

static void tell_segment(const struct spool_walk *walk, const char *path, size_t n)
{
    progress_tell("%s, segment %zu of %zu", path, n + 1, walk->segments);
    progress_count(n, walk->segments);
}

static void print_name(const char *path, uint64_t start)
{
    char name[SPOOL_NAME_MAX];

    progress_clear();
    spool_segment_name(start, name);
    printf("segment=%s/%s", path, name);
}

static bool verify(const struct conf *conf, const struct spool_walk *walk, const char *path)
{
    bool good = true;

    (void)conf;
    for (size_t n = 0; n < walk->segments; n++) {
        struct spool_walk_report report;

        tell_segment(walk, path, n);
        spool_walk_segment(walk, n, NULL, NULL, &report);
        print_name(path, walk->start[n]);
        print_end(&report);
        printf(" records=%zu\n", report.records);
        good &= is_good(&report);
    }
    return good;
}

/* Whether the database has it, as far as the folder knows. */
static const char *loaded_word(uint64_t loaded, const struct spool_segment *segment)
{
    if (segment->end <= loaded)
        return "yes";
    return segment->start + SPOOL_HEADER_BYTES < loaded ? "partly" : "no";
}

static bool list(const struct conf *conf, const struct spool_walk *walk, const char *path)
{
    uint64_t loaded = spool_walk_loaded(walk);
    bool good = true;

    for (size_t n = 0; n < walk->segments; n++) {
        struct spool_walk_report report;

        tell_segment(walk, path, n);
        spool_walk_segment(walk, n, NULL, NULL, &report);
        good &= is_good(&report);
        print_name(path, walk->start[n]);
        print_end(&report);
        printf(" start=%" PRIu64 " end=%" PRIu64 " size=%" PRIu64 " records=%zu loaded=%s", walk->start[n],
               report.segment.end, report.segment.size, report.records, loaded_word(loaded, &report.segment));
        print_identity(&report.segment);
        if (!shard_database(conf, spool_walk_shard(path)))
            printf(" unnamed=shard-%u", spool_walk_shard(path));
        putchar('\n');
    }
    return good;
}

static void print_record(void *arg, const struct spool_record *record)
{
    struct buf *line = arg;

    buf_reset(line);
    record_text_add(line, record);
    if (line->failed)
        printf("position=%" PRIu64 " kind=%u bytes=%zu\n", record->position, record->kind, record->payload.len);
    else
        printf("%s\n", buf_text(line));
}

static bool dump(const struct conf *conf, const struct spool_walk *walk, const char *path)
{
    bool good = true;
    struct buf line;

    (void)conf;
    buf_init(&line, LINE_MOST);
    for (size_t n = 0; n < walk->segments && !ferror(stdout); n++) {
        struct spool_walk_report report;

        if (!isatty(STDOUT_FILENO)) /* where the records are seen themselves */
            tell_segment(walk, path, n);
        spool_walk_segment(walk, n, print_record, &line, &report);
        if (is_good(&report))
            continue;
        good = false;
        progress_clear();
        fprintf(stderr, "spoorctl: %s: segment at position %" PRIu64 ": records behind position %" PRIu64 " cannot be read\n",
                path, walk->start[n], report.headless ? walk->start[n] : report.segment.end);
    }
    buf_free(&line);
    return good;
}

struct looking {
    const struct conf *conf;
    look_function *look;
    bool named; /* by whoever asks, who may have meant another folder */
    struct buf error;
};

static bool look_into(void *arg, const char *path)
{
    struct looking *looking = arg;
    struct spool_walk walk;
    bool good = spool_walk_open(&walk, path, &looking->error);

    if (!good)
        return false;
    good = walk.segments > 0 || !looking->named;
    if (!good)
        buf_add_f(&looking->error, "%s: there is no spool in it", path);
    good = good && looking->look(looking->conf, &walk, path);
    spool_walk_close(&walk);
    return good;
}

int spool_command(const struct conf *conf, int argc, char **argv)
{
    static const struct {
        const char *name;
        look_function *look;
    } looks[] = {{"list", list}, {"verify", verify}, {"dump", dump}};
    struct looking looking = {.conf = conf, .named = argc == 3};
    bool good;

    if (argc == 3 && strcmp(argv[1], "load") == 0)
        return spool_load(conf, argv[2]) ? COMMAND_DONE : COMMAND_FAILED;
    for (size_t n = 0; argc >= 2 && n < sizeof looks / sizeof *looks; n++)
        if (strcmp(argv[1], looks[n].name) == 0)
            looking.look = looks[n].look;
    if (looking.look == NULL || argc > 3)
        return COMMAND_USAGE;
    buf_init(&looking.error, ERROR_MOST);
    good = argc == 3 ? look_into(&looking, argv[2])
                     : spool_walk_folders(conf->spool_directory, look_into, &looking, &looking.error);
    if (looking.error.len)
        fprintf(stderr, "spoorctl: %s\n", buf_text(&looking.error));
    buf_free(&looking.error);
    return good ? COMMAND_DONE : COMMAND_FAILED;
}
