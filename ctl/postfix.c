/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix - the lines that make the Postfix of this machine ask our milters, and what is wrong with how it does.
 *
 * It asks postconf(1) and tries the sockets; it changes nothing.
 */

#include "ctl/account.h"
#include "ctl/command.h"
#include "ctl/postfix_advice.h"
#include "ctl/postfix_milters.h"
#include "ctl/program.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { OUTPUT_MAX = 4 * 1024 * 1024, WORDS_MOST = 32 };

/* Also those that main.cf does not set. */
static const char *const asked[] = {
    "queue_directory", "config_directory", "mail_owner", "mail_version", "compatibility_level", "milter_default_action",
    "milter_protocol", "smtpd_milters", "non_smtpd_milters", "internal_mail_filter_classes", "content_filter",
    "receive_override_options", NULL,
};
static const char *const set_in_main[] = {"-n", NULL};
static const char *const fields_of_services[] = {"-F", NULL};
static const char *const set_in_services[] = {"-P", NULL};
static const char *const *const questions[] = {asked, set_in_main, fields_of_services, set_in_services};

/* Warnings, of which there are many, are shown only when it fails. */
static bool run_postconf(const char *const *argv, struct buf *out)
{
    switch (program_run(argv, out)) {
    case PROGRAM_GOOD:
        return true;
    case PROGRAM_NOT_STARTED:
        fprintf(stderr, "spoorctl postfix: cannot start postconf: %s\n", errno == ENOENT ? "there is no Postfix in PATH" : strerrordesc_np(errno));
        return false;
    default:
        fprintf(stderr, "spoorctl postfix: postconf failed:\n%s", buf_text(out));
        return false;
    }
}

/* What `postconf [-c DIRECTORY] WORDS` says, into SETTINGS. */
static bool ask(const char *directory, const char *const *words, struct postfix_settings *settings)
{
    const char *argv[WORDS_MOST] = {"postconf"};
    struct buf text;
    size_t argc = 1;
    bool good;

    if (directory) {
        argv[argc++] = "-c";
        argv[argc++] = directory;
    }
    while (*words && argc + 1 < WORDS_MOST)
        argv[argc++] = *words++;
    buf_init(&text, OUTPUT_MAX);
    good = run_postconf(argv, &text) && postfix_settings_read(settings, buf_slice(&text));
    buf_free(&text);
    return good;
}

/* 0, or errno. */
static int try_socket(void *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    int fd, failed;

    if (len >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, len + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    failed = fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    return failed;
}

static void say_refused(struct postfix_advice *advice, const char *program, const char *owner, const char *path, int failed)
{
    if (failed == EACCES)
        postfix_advice_say(advice, POSTFIX_FAIL, program, "the user %s may not connect to %s - its folder and socket belong to the group %s, with modes 2750 and 0660",
                           owner, path, owner);
    else
        postfix_advice_say(advice, POSTFIX_FAIL, program, "%s: %s - is %s running?", path, strerrordesc_np(failed > 0 ? failed : EIO), program);
}

/* Can Postfix connect, and nobody else? False when it cannot. */
static bool check_socket(struct postfix_advice *advice, const char *program, const char *listen, const char *owner)
{
    const char *path = strchr(listen, '/');
    int failed;

    if (!*listen || (strncmp(listen, "unix:", 5) != 0 && strncmp(listen, "local:", 6) != 0) || !path)
        return true;
    if (geteuid() != 0) {
        postfix_advice_say(advice, POSTFIX_NOTE, program, "%s: not tried, for that takes root", path);
        return true;
    }
    failed = account_run(owner, try_socket, (void *)(uintptr_t)path);
    if (failed != 0)
        say_refused(advice, program, owner, path, failed);
    else if (account_run("nobody", try_socket, (void *)(uintptr_t)path) == 0)
        postfix_advice_say(advice, POSTFIX_FAIL, program, "any user of this host may connect to %s - set socket_mode = 0660", path);
    else
        postfix_advice_say(advice, POSTFIX_OK, program, "%s", path);
    return failed == 0;
}

static void print_comments(const struct buf *lines)
{
    struct slice rest = buf_slice(lines);

    while (!slice_empty(rest)) {
        struct slice line = slice_cut(&rest, '\n');

        printf("# %.*s\n", SLICE_ARG(line));
    }
}

/* What is not well stands beside the commands. A filter that Postfix cannot reach makes all mail wait: then they are comments too. */
static int show_commands(const struct postfix_advice *advice, bool reached)
{
    print_comments(&advice->troubles);
    if (!advice->lines.len) {
        puts(advice->in_sight ? "# nothing is to be done in Postfix" : "# nothing can be done in Postfix before that");
    } else if (!reached) {
        print_comments(&advice->lines);
        fputs("spoorctl postfix: Postfix cannot reach all filters yet, so the commands are comments: mend first what stands before them\n", stderr);
    } else {
        fputs(buf_text(&advice->lines), stdout);
    }
    return reached ? COMMAND_DONE : COMMAND_FAILED;
}

static int show(const struct postfix_advice *advice, bool check, bool reached)
{
    if (advice->findings.failed || advice->lines.failed) {
        fputs("spoorctl postfix: no memory\n", stderr);
        return COMMAND_FAILED;
    }
    if (!check)
        return show_commands(advice, reached);
    fputs(buf_text(&advice->findings), stdout);
    if (advice->lines.len)
        fputs("\"spoorctl postfix\" prints the commands that mend this\n", stderr);
    return advice->good ? COMMAND_DONE : COMMAND_FAILED;
}

static int advise(const struct conf *conf, const char *directory, bool check)
{
    struct postfix_settings settings;
    struct postfix_advice advice;
    int status = COMMAND_FAILED;
    bool good = true;

    postfix_settings_init(&settings);
    postfix_advice_init(&advice);
    for (size_t n = 0; n < sizeof questions / sizeof *questions && good; n++)
        good = ask(directory, questions[n], &settings);
    if (good) {
        const char *owner = postfix_main(&settings, "mail_owner");
        bool reached;

        postfix_advise(&settings, conf, directory, &advice);
        owner = owner ? owner : "postfix";
        reached = advice.in_sight;
        reached &= check_socket(&advice, "spoor-stamp", conf->stamp.milter.listen, owner);
        reached &= check_socket(&advice, "spoor-copies", conf->stamp.listen_copies, owner);
        reached &= check_socket(&advice, "spoor-match", conf->match.milter.listen, owner);
        status = show(&advice, check, reached);
    }
    postfix_advice_free(&advice);
    postfix_settings_free(&settings);
    return status;
}

int postfix_command(const struct conf *conf, int argc, char **argv)
{
    const char *directory = NULL;
    bool check = false;

    for (int n = 1; n < argc; n++) {
        if (strcmp(argv[n], "--check") == 0)
            check = true;
        else if (strcmp(argv[n], "--config-directory") == 0 && n + 1 < argc)
            directory = argv[++n];
        else
            return COMMAND_USAGE;
    }
    if (!*conf->stamp.milter.listen && !*conf->match.milter.listen) {
        fprintf(stderr, "spoorctl postfix: %s: neither stamp.listen nor match.listen is set\n", conf->path);
        return COMMAND_FAILED;
    }
    return advise(conf, directory, check);
}
