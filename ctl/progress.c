/* SPDX-License-Identifier: BSD-2-Clause */
/* progress - see progress.h */

#include "ctl/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { QUIET_MS = 1000, RENEW_MS = 250, WHAT_MOST = 512, LINE_MOST = 1024, COLUMNS_USUAL = 80 };

static struct {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t ended;
    pthread_t thread;
    struct timespec began;
    char what[WHAT_MOST];
    uint64_t done, total;
    uint64_t (*left)(void *arg);
    void *arg;
    bool running, drawn;
    bool is_child;     /* draws nothing */
    bool minds_forks;
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

void progress_line(struct buf *line, const char *what, uint64_t done, uint64_t total, unsigned seconds, unsigned columns)
{
    char end[64];
    int len;

    if (total)
        len = snprintf(end, sizeof end, ", %" PRIu64 " %%, %u s", (uint64_t)(100.0 * (double)done / (double)total), seconds);
    else
        len = snprintf(end, sizeof end, ", %u s", seconds);
    /* one column stays free, or the terminal begins a new line */
    if (columns > (unsigned)len + 1)
        buf_add_f(line, "%.*s%s", (int)(columns - (unsigned)len - 1), what, end);
}

static unsigned columns(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : COLUMNS_USUAL;
}

/* The cursor goes back to the beginning, so that an error is written over the line and not behind it. */
static void draw(unsigned seconds)
{
    struct buf line;

    buf_init(&line, LINE_MOST);
    progress_line(&line, state.what, state.done, state.total, seconds, columns());
    dprintf(STDERR_FILENO, "\r\033[K%s\r", buf_text(&line));
    buf_free(&line);
    state.drawn = true;
}

static void wipe(void)
{
    if (state.drawn)
        dprintf(STDERR_FILENO, "\r\033[K");
    state.drawn = false;
}

/* The first question tells how much there is. */
static void ask_left(void)
{
    uint64_t left = state.left(state.arg);

    if (left > state.total)
        state.total = left;
    state.done = state.total - left;
}

static void add_ms(struct timespec *when, long ms)
{
    when->tv_nsec += ms * 1000000;
    when->tv_sec += when->tv_nsec / 1000000000;
    when->tv_nsec %= 1000000000;
}

static void *run(void *unused)
{
    struct timespec next = state.began;

    (void)unused;
    pthread_mutex_lock(&state.lock);
    add_ms(&next, QUIET_MS);
    while (state.running) {
        if (pthread_cond_timedwait(&state.ended, &state.lock, &next) == 0)
            continue; /* it ends, or nothing has happened */
        clock_gettime(CLOCK_MONOTONIC, &next);
        if (state.left)
            ask_left();
        draw((unsigned)(next.tv_sec - state.began.tv_sec - (next.tv_nsec < state.began.tv_nsec)));
        add_ms(&next, RENEW_MS);
    }
    wipe();
    pthread_mutex_unlock(&state.lock);
    return NULL;
}

/* A child must not begin with the lock in the hands of a thread that it has not got. */
static void before_fork(void)
{
    pthread_mutex_lock(&state.lock);
}

static void in_parent(void)
{
    pthread_mutex_unlock(&state.lock);
}

static void in_child(void)
{
    state.running = state.drawn = false;
    state.is_child = true;
    pthread_mutex_unlock(&state.lock);
}

/* Without a thread there is no line, and nothing is lost. */
static void begin(void)
{
    pthread_condattr_t attributes;
    sigset_t all, before;

    if (state.is_child || !isatty(STDERR_FILENO))
        return;
    if (!state.minds_forks && pthread_atfork(before_fork, in_parent, in_child) != 0)
        return;
    state.minds_forks = true;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&state.ended, &attributes);
    pthread_condattr_destroy(&attributes);
    clock_gettime(CLOCK_MONOTONIC, &state.began);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    state.running = true;
    state.running = pthread_create(&state.thread, NULL, run, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void progress_tell(const char *format, ...)
{
    va_list arguments;

    pthread_mutex_lock(&state.lock);
    if (!state.running)
        begin();
    va_start(arguments, format);
    vsnprintf(state.what, sizeof state.what, format, arguments);
    va_end(arguments);
    state.done = state.total = 0;
    pthread_mutex_unlock(&state.lock);
}

void progress_count(uint64_t done, uint64_t total)
{
    pthread_mutex_lock(&state.lock);
    state.done = done;
    state.total = total;
    pthread_mutex_unlock(&state.lock);
}

void progress_follow(uint64_t (*left)(void *arg), void *arg)
{
    pthread_mutex_lock(&state.lock);
    state.left = left;
    state.arg = arg;
    pthread_mutex_unlock(&state.lock);
}

void progress_clear(void)
{
    pthread_mutex_lock(&state.lock);
    wipe();
    pthread_mutex_unlock(&state.lock);
}

void progress_end(void)
{
    bool was_running;

    pthread_mutex_lock(&state.lock);
    was_running = state.running;
    state.running = false;
    state.left = NULL;
    if (was_running)
        pthread_cond_signal(&state.ended);
    pthread_mutex_unlock(&state.lock);
    if (!was_running)
        return;
    pthread_join(state.thread, NULL);
    pthread_cond_destroy(&state.ended);
}
