/* SPDX-License-Identifier: BSD-2-Clause */
/* keygen - make the key file. */

#include "common/keys.h"
#include "ctl/account.h"
#include "ctl/command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A daemon loads its keys again, on SIGHUP, when it is root no longer. */
static bool admit_daemons(const struct conf *conf)
{
    bool group = conf->key_group[0] != '\0';

    if (geteuid() != 0 || (!group && conf->user[0] == '\0'))
        return true;
    if (group ? account_admit_group(conf->key_group, conf->key_file) : account_admit(conf->user, conf->key_file))
        return true;
    fprintf(stderr, "spoorctl keygen: cannot let the group %s\"%s\" read %s: %m%s\n", group ? "" : "of user ",
            group ? conf->key_group : conf->user, conf->key_file,
            group || !strchr(conf->user, '{') ? "" : "; with a user for each daemon, name one in key_group");
    return false;
}

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
    return made && admit_daemons(conf) ? COMMAND_DONE : COMMAND_FAILED;
}
