/* SPDX-License-Identifier: BSD-2-Clause */
/* log - see log.h */

#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    CONTEXT_MAX = 63,
    LINE_MAX_BYTES = 2048,                /* of text; syslog daemons cut somewhere above */
    ESCAPED_MAX = 4 * LINE_MAX_BYTES + 1, /* when every byte becomes \xHH */
    SUFFIX_MAX = 64,
    PREFIX_MAX = 64
};

static const char *program = "spoor";
static bool stderr_wanted = true;
static atomic_bool errors_echoed;
static atomic_int level = LOG_INFO;
static __thread char thread_context[CONTEXT_MAX + 1];
static bool (*_Atomic censor)(const char *text, char *out, size_t size);
static pthread_mutex_t throttle_lock = PTHREAD_MUTEX_INITIALIZER;

void log_open(const char *ident, bool to_stderr)
{
    program = ident;
    stderr_wanted = to_stderr;
    if (!to_stderr)
        openlog(ident, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

void log_set_censor(bool (*new_censor)(const char *text, char *out, size_t size))
{
    atomic_store(&censor, new_censor);
}

void log_echo_errors(bool wanted)
{
    atomic_store(&errors_echoed, wanted);
}

void log_set_level(int priority)
{
    atomic_store(&level, priority);
}

bool log_wants(int priority)
{
    return priority <= atomic_load(&level);
}

void log_close(void)
{
    if (!stderr_wanted)
        closelog();
    program = "spoor";
    stderr_wanted = true;
}

void log_set_context(const char *context)
{
    snprintf(thread_context, sizeof thread_context, "%s", context ? context : "");
}

static const char *priority_name(int priority)
{
    switch (priority) {
    case LOG_ERR: return "error";
    case LOG_WARNING: return "warning";
    case LOG_NOTICE: return "notice";
    case LOG_INFO: return "info";
    case LOG_DEBUG: return "debug";
    default: return "fatal";
    }
}

/* A line stays one line, and a terminal obeys nobody's bytes but ours. Returns where it ends. */
static char *escape(const char *text, char escaped[ESCAPED_MAX])
{
    static const char hex[] = "0123456789abcdef";

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= 0x20 && c != 0x7f) {
            *escaped++ = (char)c;
            continue;
        }
        *escaped++ = '\\';
        *escaped++ = 'x';
        *escaped++ = hex[c >> 4];
        *escaped++ = hex[c & 15];
    }
    *escaped = '\0';
    return escaped;
}

/* By one write(2), so that lines of several processes stay whole. */
static void emit_stderr(int priority, const char *text)
{
    char line[PREFIX_MAX + ESCAPED_MAX];
    int prefix = snprintf(line, PREFIX_MAX, "%.*s: %s: ", PREFIX_MAX / 2, program, priority_name(priority));
    char *end = escape(text, line + prefix);

    *end++ = '\n';
    if (write(STDERR_FILENO, line, (size_t)(end - line)) < 0)
        return; /* there is nobody else to tell */
}

static void emit(int priority, const char *text)
{
    bool (*hide)(const char *text, char *out, size_t size) = atomic_load(&censor);
    char censored[LINE_MAX_BYTES];
    char escaped[ESCAPED_MAX];

    if (hide && hide(text, censored, sizeof censored))
        text = censored;
    if (stderr_wanted || (priority <= LOG_ERR && atomic_load(&errors_echoed)))
        emit_stderr(priority, text);
    if (stderr_wanted)
        return;
    escape(text, escaped);
    syslog(priority, "%s", escaped);
}

/* ERROR is what "%m" means; SUFFIX stays whole when the line is cut. */
__attribute__((format(printf, 4, 0)))
static void write_line(int priority, const char *suffix, int error, const char *format, va_list args)
{
    char text[LINE_MAX_BYTES];
    const size_t room = sizeof text - SUFFIX_MAX;
    size_t start = 0;
    int len;

    if (*thread_context)
        start = (size_t)snprintf(text, room, "%s: ", thread_context);
    errno = error;
    len = vsnprintf(text + start, room - start, format, args);
    if (len < 0)
        snprintf(text + start, room - start, "cannot format \"%s\"", format);
    else if ((size_t)len >= room - start)
        memcpy(text + room - 4, "...", 4);
    start = strlen(text);
    snprintf(text + start, sizeof text - start, "%s", suffix);
    emit(priority, text);
    errno = error;
}

void log_line(int priority, const char *format, ...)
{
    int error = errno;
    va_list args;

    if (!log_wants(priority))
        return;
    va_start(args, format);
    write_line(priority, "", error, format, args);
    va_end(args);
}

/* Monotonic, so that a clock set back silences nothing. */
static time_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool throttle_lets_through(struct log_throttle *throttle, unsigned long *left_out)
{
    time_t now = now_s();
    bool through;

    pthread_mutex_lock(&throttle_lock);
    through = throttle->next <= now;
    *left_out = throttle->left_out;
    if (through) {
        throttle->next = now + (time_t)throttle->every_seconds;
        throttle->left_out = 0;
    } else {
        throttle->left_out++;
    }
    pthread_mutex_unlock(&throttle_lock);
    return through;
}

void log_throttled(struct log_throttle *throttle, int priority, const char *format, ...)
{
    char suffix[SUFFIX_MAX] = "";
    int error = errno;
    unsigned long left_out;
    va_list args;

    if (!log_wants(priority) || !throttle_lets_through(throttle, &left_out))
        return;
    if (left_out)
        snprintf(suffix, sizeof suffix, " (%lu such lines left out before)", left_out);
    va_start(args, format);
    write_line(priority, suffix, error, format, args);
    va_end(args);
}
