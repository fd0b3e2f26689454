/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log - one line an event, to syslog (facility mail) or to stderr.
 *
 * Severity: LOG_ERR something is lost or does not work until somebody acts; LOG_WARNING it works but
 * not as wished; LOG_NOTICE start, stop and reload; LOG_INFO one line a mail or a refused request;
 * LOG_DEBUG for whoever looks for a fault. Wording: lower case, no full stop, what was attempted on
 * what and why it failed; bytes from outside are quoted, control bytes are written as \xHH.
 * "%m" in a format is the text of errno. All functions may be called from any thread.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>
#include <time.h>

/* Before the first line; without it lines go to stderr. IDENT stays the caller's and is kept. */
void log_open(const char *ident, bool to_stderr);
/*
 * Lines go through CENSOR: when it gives true, the line is what it wrote to OUT, of SIZE bytes. NULL takes it back. From any
 * thread; it must not log.
 */
void log_set_censor(bool (*censor)(const char *text, char *out, size_t size));
/* Errors go to stderr as well as to syslog: for whoever waits there for a program to start. */
void log_echo_errors(bool wanted);
void log_set_level(int priority); /* lines less urgent than this syslog priority are not written */
bool log_wants(int priority); /* would a line of it be written? For what is costly to say */
void log_close(void);

void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_err(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/*
 * What this thread works on, such as a queue id: "ID: " stands before each of its lines until it is
 * taken back with NULL. The text is copied (63 bytes at most).
 */
void log_set_context(const char *context);

/* At most one line in `every_seconds`; the next says how many were left out. Zero-initialised but for the interval. */
struct log_throttle {
    unsigned every_seconds;
    time_t next;
    unsigned long left_out;
};
void log_throttled(struct log_throttle *throttle, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
