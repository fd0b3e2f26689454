/* SPDX-License-Identifier: BSD-2-Clause */
/* dry_run - see dry_run.h */

#include "ctl/dry_run.h"

#include <getopt.h>
#include <stdlib.h>

bool dry_run_words(int argc, char **argv, struct dry_run *run)
{
    static const struct option options[] = {
        {"from", required_argument, NULL, 'f'},
        {"rcpt", required_argument, NULL, 'r'},
        {"ours", no_argument, NULL, 'o'},
        {"explain", no_argument, NULL, 'e'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *run = (struct dry_run){.recipient = calloc((size_t)argc + 1, sizeof *run->recipient)};
    buf_init(&run->from_text, HEADER_BYTES_MAX);
    buf_init(&run->to_text, HEADER_BYTES_MAX);
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
    buf_free(&run->from_text);
    buf_free(&run->to_text);
}

void dry_run_complete(struct dry_run *run, const struct header_list *headers, const char *const *fields)
{
    const char *to = header_value(headers, "To");

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
    if (!run->recipients && to && header_mailbox(slice_str(to), &run->to_text))
        run->recipient[run->recipients++] = buf_slice(&run->to_text);
}
