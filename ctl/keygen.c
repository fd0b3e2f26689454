/* SPDX-License-Identifier: BSD-2-Clause */
/* keygen - make the key file. */

#include "common/keys.h"
#include "ctl/command.h"

#include <stdio.h>

int keygen_command(const struct conf *conf, int argc, char **argv)
{
    struct buf error;
    bool made;

    (void)argv;
    if (argc != 1)
        return COMMAND_USAGE;
    buf_init(&error, 1024);
    made = keys_create(conf->key_file, &error);
    if (made)
        printf("%s: made, with one key that signs; copy it to every host that runs Spoor and keep a backup\n",
               conf->key_file);
    else
        fprintf(stderr, "spoorctl keygen: %s\n", buf_text(&error));
    buf_free(&error);
    return made ? COMMAND_DONE : COMMAND_FAILED;
}
