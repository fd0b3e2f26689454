/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option_names - what the table of options says, for the lint that compares the manual with it.
 *
 * Without an argument: "section.name" of every option, one a line. With FILE, which must set key_file and tracking_url: every
 * option with the value in effect, which for all others is the default.
 */

#include "common/conf.h"

#include <stdlib.h>

static int print_values(const char *path)
{
    struct conf *conf;
    struct buf error;

    buf_init(&error, 4096);
    conf = conf_load(path, CONF_DRY_RUN, &error);
    if (conf)
        conf_print(conf, stdout);
    else
        fprintf(stderr, "option_names: %s\n", buf_text(&error));
    buf_free(&error);
    if (!conf)
        return EXIT_FAILURE;
    conf_free(conf);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return print_values(argv[1]);
    conf_print_names(stdout);
    return EXIT_SUCCESS;
}
