/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * daemon - from the command line to a running server and back.
 *
 * Order in main(): daemon_options(), daemon_configure(), daemon_start() (detach; the parent stays until daemon_ready(), and
 * errors go to its stderr too, so that whoever started it sees why it did not), open what needs privileges,
 * daemon_drop_privileges(), start threads, daemon_ready(), daemon_wait_signal() in a loop, close all in reverse, daemon_end().
 * Signals are blocked in all threads and taken by daemon_wait_signal() alone: no code runs in a handler.
 *
 * A program may be two processes, where a library serves only one socket a process: daemon_fork() makes the second out of
 * the first. For the world outside they are one: one start that succeeds or fails, one pid file, signals to the first go to
 * both, and when one dies the other ends.
 */
#ifndef COMMON_DAEMON_H
#define COMMON_DAEMON_H

#include "common/conf.h"

#include <stdbool.h>

struct daemon_options {
    const char *program;      /* "spoor-stamp" */
    const char *config_path;  /* -c, else SYSCONFDIR "/spoor/spoor.conf" */
    bool foreground;          /* -f: log to stderr, do not detach */
    bool check;               /* -t: check the configuration and exit */
    bool print;               /* -T: print the effective configuration and exit */
    const char *executable;   /* argv[0], absolute if it has a slash: for who starts it again from another folder */

    /* Set by the program between daemon_options() and daemon_configure(), when it wants them. */
    bool upgrades;            /* SIGUSR2 is DAEMON_UPGRADE; else it is not taken */
    /*
     * What -t looks at besides the options themselves. WARNING gets lines on what is allowed and rarely meant; false,
     * with ERROR, for what would not work.
     */
    bool (*examine)(const struct conf *conf, struct buf *warning, struct buf *error);
};

/* Parses -f -c FILE -t -T -h -V; exits with 64 (EX_USAGE) and a usage line when it cannot. */
struct daemon_options daemon_options(const char *program, int argc, char **argv);

/*
 * Loads the configuration; does -t and -T and exits. On an error one line to stderr and exit 78 (EX_CONFIG).
 * Opens the log. A `database` that names no user, without PGUSER, gets the role of PART,
 * see conf_part_role(); `user` is then what conf_part_user() gives.
 */
struct conf *daemon_configure(const struct daemon_options *options, enum conf_part part);

/* Blocks the signals that daemon_wait_signal() takes; detaches unless in the foreground. Exits on failure. */
void daemon_start(const struct daemon_options *options);

/*
 * Makes the second process and returns true in it. After daemon_start(), before threads, files and sockets. Each then goes
 * the rest of the way from daemon_drop_privileges() to daemon_end() by itself. Fails with one line, as daemon_start() does.
 */
bool daemon_fork(void);

/* Becomes conf->user with its groups, when started as root and one is named. False and logged when it cannot. */
bool daemon_drop_privileges(const struct conf *conf);

/*
 * Writes PID_DIRECTORY/PROGRAM[-INSTANCE].pid, tells the waiting parent that all is well, logs "ready". Of two processes
 * the first waits here for the second.
 */
void daemon_ready(const struct conf *conf, const struct daemon_options *options);

/* The parent (or the shell) gets exit status 1; the reason must have been logged. Never returns. */
_Noreturn void daemon_fail(void);
/* The same, with the reason logged here. */
_Noreturn void daemon_fail_with(const struct buf *reason);

enum daemon_signal { DAEMON_RELOAD /* SIGHUP */, DAEMON_STOP /* SIGTERM, SIGINT */, DAEMON_UPGRADE /* SIGUSR2 */ };
/* At SIGHUP it first logs which options have changed in the file and wait for the next start, or why it cannot tell. */
enum daemon_signal daemon_wait_signal(void);

/* The pid file is another's now: daemon_end() lets it be. */
void daemon_leave_pid_file(void);

/* Removes the pid file, logs "stopped"; waits for the second process, if there is one. Gives the exit status. */
int daemon_end(void);

#endif
