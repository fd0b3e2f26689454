/* SPDX-License-Identifier: BSD-2-Clause */
/* dry_run - see dry_run.h */

#include "ctl/dry_run.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

void dry_run_tell_way(const struct conf *conf, const struct way *way)
{
    struct buf text;

    if (conf->log_level < LOG_DEBUG)
        return;
    buf_init(&text, 2000);
    way_print(way, &text);
    fprintf(stderr, "way: %s\n", buf_text(&text));
    buf_free(&text);
}

bool dry_run_words(int argc, char **argv, struct dry_run *run)
{
    static const struct option options[] = {
        {"from", required_argument, NULL, 'f'},
        {"rcpt", required_argument, NULL, 'r'},
        {"ours", no_argument, NULL, 'o'},
        {"explain", no_argument, NULL, 'e'},
        {"policy", required_argument, NULL, 'p'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *run = (struct dry_run){.recipient = calloc((size_t)argc + 1, sizeof *run->recipient)};
    buf_init(&run->from_text, HEADER_BYTES_MAX);
    if (!run->recipient)
        return false;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'f') {
            run->from = slice_is(slice_str(optarg), "<>") ? slice_str("") : slice_str(optarg);
            run->from_given = true;
        } else if (option == 'r') {
            run->recipient[run->recipients++] = slice_str(optarg);
        } else if (option == 'o') {
            run->ours = true;
        } else if (option == 'e') {
            run->explain = true;
        } else if (option == 'p') {
            run->policy = optarg;
        } else {
            return false;
        }
    }
    if (optind + 1 != argc)
        return false;
    run->path = argv[optind];
    return true;
}

void dry_run_free(struct dry_run *run)
{
    free(run->recipient);
    for (size_t at = 0; at < run->named; at++)
        free(run->name[at]);
    free(run->name);
    buf_free(&run->from_text);
}

static void add_named(struct dry_run *run, struct slice address)
{
    struct slice *recipient = realloc(run->recipient, (run->recipients + 1) * sizeof *recipient);
    char **name = realloc(run->name, (run->named + 1) * sizeof *name);

    if (recipient)
        run->recipient = recipient;
    if (name)
        run->name = name;
    if (!recipient || !name || !(run->name[run->named] = strndup(address.p, address.len)))
        return;
    run->recipient[run->recipients++] = slice_str(run->name[run->named++]);
}

/* As sendmail -t: everybody whom the mail names. */
static void name_recipients(struct dry_run *run, const struct header_list *headers)
{
    struct buf address;

    buf_init(&address, HEADER_BYTES_MAX);
    for (size_t field = 0; field < headers->count; field++) {
        struct slice name = slice_str(headers->field[field].name);
        struct slice value = slice_str(headers->field[field].value);
        size_t at = 0;

        if (!slice_is_i(name, "To") && !slice_is_i(name, "Cc") && !slice_is_i(name, "Bcc"))
            continue;
        while (at < value.len)
            if (header_mailbox_next(value, &at, &address))
                add_named(run, buf_slice(&address));
    }
    buf_free(&address);
}

void dry_run_complete(struct dry_run *run, const struct header_list *headers, const char *const *fields)
{
    for (; *fields && !run->from_given; fields++) {
        const char *value = header_value(headers, *fields);

        buf_reset(&run->from_text);
        if (value && slice_is(slice_trim(slice_str(value)), "<>"))
            run->from_given = true; /* a delivered bounce */
        else if (value && header_mailbox(slice_str(value), &run->from_text)) {
            run->from = buf_slice(&run->from_text);
            run->from_given = true;
        }
    }
    if (!run->recipients)
        name_recipients(run, headers);
}
