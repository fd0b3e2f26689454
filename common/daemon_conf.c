/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon_conf - with what a daemon runs: its command line, and its configuration at the start and at a reload. See daemon.h */

#include "common/daemon_private.h"

#include "common/conninfo.h"
#include "common/log.h"

#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { ERROR_MAX = 4096, CONNINFO_MAX = 16 * 1024 };

char daemon_name[DAEMON_NAME_MAX];

static char config_path[PATH_MAX];
static char executable[PATH_MAX];
static struct conf *at_start; /* what the file said then; the program has a copy of its own, which it may change */

static _Noreturn void usage(const char *program, FILE *out, int status)
{
    fprintf(out, "usage: %s [-f] [-t | -T] [-c FILE]\n", program);
    if (status == EX_OK)
        fputs("  -f       stay in the foreground, log to stderr\n"
              "  -c FILE  read FILE instead of " SYSCONFDIR "/spoor/spoor.conf\n"
              "  -t       check the configuration\n"
              "  -T       print every option with the value in effect\n"
              "  -V       print the version\n", out);
    exit(status);
}

static void set_config_path(const char *path)
{
    /* A reload comes after chdir("/"). Where the file is not there, conf_load() says so. */
    if (!realpath(path, config_path))
        snprintf(config_path, sizeof config_path, "%s", path);
}

static void set_executable(const char *given)
{
    char here[PATH_MAX / 2] = "";
    bool relative = given[0] != '/' && strchr(given, '/') != NULL;

    if (relative && getcwd(here, sizeof here))
        snprintf(executable, sizeof executable, "%s/%s", here, given);
    else
        snprintf(executable, sizeof executable, "%s", given);
}

/* Who is started without one of the three would have a spool or a socket under its number, and log lines in that. */
static void fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0)
        exit(EX_OSERR); /* there is nobody to tell */
    close(fd);
}

struct daemon_options daemon_options(const char *program, int argc, char **argv)
{
    static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
    struct daemon_options options = {.program = program, .config_path = config_path, .executable = executable};
    const char *path = SYSCONFDIR "/spoor/spoor.conf";
    int option;

    fill_standard_descriptors();
    while ((option = getopt_long(argc, argv, "fc:tThV", long_options, NULL)) != -1) {
        switch (option) {
        case 'f': options.foreground = true; break;
        case 'c': path = optarg; break;
        case 't': options.check = true; break;
        case 'T': options.print = true; break;
        case 'h': usage(program, stdout, EX_OK);
        case 'V': printf("%s %s\n", program, PACKAGE_VERSION); exit(EX_OK);
        default: usage(program, stderr, EX_USAGE);
        }
    }
    if (optind < argc)
        usage(program, stderr, EX_USAGE);
    set_config_path(path);
    set_executable(argv[0]);
    return options;
}

static bool is_fit(const struct conf *conf, const struct daemon_options *options)
{
    struct buf warning, error;
    bool fit;

    if (!options->examine)
        return true;
    buf_init(&warning, ERROR_MAX);
    buf_init(&error, ERROR_MAX);
    fit = options->examine(conf, &warning, &error);
    fputs(buf_text(&warning), stderr);
    if (!fit)
        fprintf(stderr, "%s: %s\n", options->program, buf_text(&error));
    buf_free(&warning);
    buf_free(&error);
    return fit;
}

static _Noreturn void print_and_exit(struct conf *conf, const struct daemon_options *options)
{
    bool fit = options->print || is_fit(conf, options);
    bool written;

    if (options->print)
        conf_print(conf, stdout);
    else if (fit)
        printf("%s: the configuration is good\n", conf->path);
    conf_free(conf);
    written = fflush(stdout) == 0 && !ferror(stdout);
    exit(!written ? EX_IOERR : fit ? EX_OK : EX_CONFIG);
}

/* TEXT: PREFIX bytes that stay, and a conninfo. */
static bool add_role(char **text, size_t prefix, const char *role)
{
    struct buf with_role;
    char *chosen;

    buf_init(&with_role, CONNINFO_MAX);
    buf_add(&with_role, *text, prefix);
    conninfo_add_with_role(&with_role, *text + prefix, role);
    chosen = with_role.failed ? NULL : strdup(buf_text(&with_role));
    buf_free(&with_role);
    if (!chosen)
        return false;
    free(*text);
    *text = chosen;
    return true;
}

/* The schema comes with a role a kind of daemon: who says nothing connects as that one. */
static bool choose_role(struct conf *conf, enum conf_part part)
{
    const char *role = conf_part_role(part);
    bool chosen;

    if (getenv("PGUSER") || getenv("PGSERVICE"))
        return true;
    chosen = add_role(&conf->database, 0, role);
    for (size_t n = 0; chosen && n < conf->shards.count; n++)
        chosen = add_role(&conf->shards.item[n], CONF_SHARD_PREFIX, role);
    return chosen;
}

/* Each daemon may have a user of its own, who then has nothing of the others. */
static bool choose_user(struct conf *conf, enum conf_part part)
{
    char *chosen = conf_part_user(conf, part);

    if (!chosen)
        return false;
    free(conf->user);
    conf->user = chosen;
    return true;
}

struct conf *daemon_configure(const struct daemon_options *options, enum conf_part part)
{
    struct conf *conf;
    struct buf error;

    buf_init(&error, ERROR_MAX);
    conf = conf_load(options->config_path, part, &error);
    conf_free(at_start);
    at_start = conf ? conf_load(options->config_path, part, &error) : NULL;
    if (!conf || !at_start) {
        fprintf(stderr, "%s: %s\n", options->program, buf_text(&error));
        buf_free(&error);
        exit(EX_CONFIG);
    }
    buf_free(&error);
    if (options->check || options->print)
        print_and_exit(conf, options);
    if (!choose_role(conf, part) || !choose_user(conf, part)) {
        fprintf(stderr, "%s: `database` is too long, or out of memory\n", options->program);
        exit(EX_CONFIG);
    }
    snprintf(daemon_name, sizeof daemon_name, "%s%s%s", options->program, *conf->instance ? "-" : "", conf->instance);
    log_open(daemon_name, options->foreground);
    log_set_level((int)conf->log_level);
    return conf;
}

/* A reload takes few things anew. Whoever has edited more, or has made a mistake, should not learn it from the next start. */
void daemon_tell_what_changed(void)
{
    struct buf error, names;
    struct conf *now;

    buf_init(&error, ERROR_MAX);
    buf_init(&names, ERROR_MAX);
    now = conf_load(config_path, CONF_ANY, &error);
    if (now)
        conf_add_changed(at_start, now, &names);
    else
        log_warn("cannot tell what has changed in the configuration: %s", buf_text(&error));
    if (names.len)
        log_notice("changed in the configuration since the start, and in effect after the next: %s", buf_text(&names));
    conf_free(now);
    buf_free(&names);
    buf_free(&error);
}

void daemon_forget_configuration(void)
{
    conf_free(at_start);
    at_start = NULL;
}
