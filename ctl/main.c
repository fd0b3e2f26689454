/* SPDX-License-Identifier: BSD-2-Clause */
/* spoorctl - the administrator's hand: keys, checks, schema, and dry runs of the milters on a file. */

#include "ctl/command.h"
#include "ctl/progress.h"
#include "ctl/schema.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct command {
    const char *name;
    enum conf_part part; /* what the configuration must say for it */
    int (*run)(const struct conf *conf, int argc, char **argv);
    const char *words;
    const char *help;
} commands[] = {
    {"keygen", CONF_DRY_RUN, keygen_command, "", "make key_file with a first key"},
    {"key", CONF_SHARED, key_command, "add [ID] | promote [--force] ID | retire ID | revoke [--force] ID | list",
     "a new key; have it sign; take it back; no longer honour it; who has which"},
    {"check", CONF_ANY, check_command, "", "look at configuration, keys, database, schema, memcached and spool"},
    {"postfix", CONF_ANY, postfix_command, "[--check] [--config-directory DIR]",
      "print the commands that make this host's Postfix ask the milters, or look at how it does"},
    {"schema", CONF_SHARED, schema_command, "install | upgrade | version [--shard N]", "create or upgrade the database schema"},
    {"rules", CONF_SHARED, rules_command, "load-apple-relay FILE.csv", "take the networks of Apple's relays from its list"},
    {"content", CONF_SHARED, content_command, "add FILE | list | remove NUMBER|NAME", "keep files that any mail may link"},
    {"decode", CONF_DRY_RUN, decode_command, "TOKEN | MESSAGE-ID | URL", "tell what is in it and whether it is ours"},
    {"spool", CONF_ANY, spool_command, "list | verify | dump [FOLDER] | load FOLDER", "look into the spools, also beside a running daemon; load one into the database"},
    {"metrics", CONF_SHARED, metrics_command, "[FILE]", "numbers for Prometheus: how far the database is behind each spool here, and its health"},
    {"node", CONF_SHARED, node_command, "list | retire NUMBER", "tell which programs have a spool; wait no more for one that is gone"},
    {"invite", CONF_SHARED, invite_command, "ADDRESS", "print a link that lets this sender into the Live Feed, once, within 7 days"},
    {"sink", CONF_ANY, sink_command, "test NAME", "send a sample to a sink of spoor-relay and print what the other side answers"},
    {"observed", CONF_ANY, observed_command, "[FILE...]", "tell from the log of spoor-stamp what became, or would have become, of which mail and why"},
    {"stamp", CONF_DRY_RUN, stamp_command, "[--from ADDR] [--rcpt ADDR]... [--ours] [--explain] [--policy FILE] FILE",
     "print the mail as spoor-stamp would send it, or what is done to it and why"},
    {"match", CONF_DRY_RUN, match_command, "[--from ADDR] [--rcpt ADDR]... FILE", "print spoor-match's verdict on the mail"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static int usage(FILE *out)
{
    fputs("usage: spoorctl [-c FILE] COMMAND ...\n", out);
    for (size_t row = 0; row < COMMANDS; row++)
        fprintf(out, "  %s%s%s\n      %s\n", commands[row].name, *commands[row].words ? " " : "", commands[row].words,
                commands[row].help);
    return COMMAND_USAGE;
}

static const struct command *find_command(const char *name)
{
    for (size_t row = 0; row < COMMANDS; row++)
        if (strcmp(name, commands[row].name) == 0)
            return &commands[row];
    return NULL;
}

static int run(const struct command *command, const char *path, int argc, char **argv)
{
    char title[64];
    struct buf error;
    struct conf *conf;
    int status = 78; /* EX_CONFIG */

    snprintf(title, sizeof title, "spoorctl %s", command->name);
    argv[0] = title; /* what getopt_long() says begins with it */
    buf_init(&error, 4096);
    conf = conf_load(path, command->part, &error);
    if (command->part != CONF_DRY_RUN) /* the others wait for nobody */
        progress_tell("%s", command->name);
    if (conf)
        status = command->run(conf, argc, argv);
    else
        fprintf(stderr, "spoorctl: %s\n", buf_text(&error));
    progress_end();
    conf_free(conf);
    buf_free(&error);
    if (status == COMMAND_USAGE)
        fprintf(stderr, "usage: %s%s%s\n", title, *command->words ? " " : "", command->words);
    if (fflush(stdout) != 0) {
        fprintf(stderr, "spoorctl: cannot write: %s\n", strerrordesc_np(errno));
        return COMMAND_FAILED;
    }
    return status;
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
    const char *path = SYSCONFDIR "/spoor/spoor.conf";
    const struct command *command;
    int option;

    while ((option = getopt_long(argc, argv, "+c:hV", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 'V':
            puts("spoorctl " PACKAGE_VERSION);
            return COMMAND_DONE;
        case 'h':
            usage(stdout);
            return COMMAND_DONE;
        default:
            return usage(stderr);
        }
    }
    if (optind >= argc)
        return usage(stderr);
    command = find_command(argv[optind]);
    if (!command) {
        fprintf(stderr, "spoorctl: there is no command \"%s\"; spoorctl -h lists them\n", argv[optind]);
        return COMMAND_USAGE;
    }
    argc -= optind;
    argv += optind;
    optind = 1;
    return run(command, path, argc, argv);
}
