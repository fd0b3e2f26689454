/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/courier.h"

#include "common/address.h"
#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WAITING_MOST = 32, CONVERSATION_MS = 15000, REPLY_MAX = 4096, MAIL_MAX = 8192, WHY_MAX = 256 };

struct letter {
    struct letter *next;
    char *address;
    char *link;
};

struct courier {
    char *host, *port;
    pthread_t thread;
    pthread_mutex_t lock; /* of what stands below */
    pthread_cond_t changed;
    struct letter *first;
    size_t waiting;
    bool stopping;
};

static void free_letter(struct letter *letter)
{
    if (letter && letter->link)
        explicit_bzero(letter->link, strlen(letter->link));
    if (letter) {
        free(letter->address);
        free(letter->link);
    }
    free(letter);
}

/* The conversation */

struct talk {
    int fd;
    int64_t until_ms;
    char reply[REPLY_MAX];
    size_t filled;
};

static bool is_ready(const struct talk *talk, short events)
{
    struct pollfd descriptor = {.fd = talk->fd, .events = events};

    return poll(&descriptor, 1, clock_left_ms(talk->until_ms)) > 0;
}

static bool say(struct talk *talk, struct slice text)
{
    while (text.len) {
        ssize_t sent = is_ready(talk, POLLOUT) ? send(talk->fd, text.p, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;

        if (sent <= 0)
            return false;
        text = slice_from(text, (size_t)sent);
    }
    return true;
}

/* The last line of a reply has a blank behind its code (RFC 5321 4.2.1). */
static bool is_whole(const struct talk *talk)
{
    const char *line = talk->reply, *end;

    while ((end = strstr(line, "\r\n"))) {
        if (end - line >= 3 && line[3] != '-')
            return true;
        line = end + 2;
    }
    return false;
}

/* The first digit of the reply's code; 0 when none came. */
static int hear(struct talk *talk)
{
    talk->filled = 0;
    talk->reply[0] = '\0';
    while (!is_whole(talk)) {
        ssize_t got = 0;

        if (talk->filled < REPLY_MAX - 1 && is_ready(talk, POLLIN))
            got = recv(talk->fd, talk->reply + talk->filled, REPLY_MAX - 1 - talk->filled, MSG_DONTWAIT);
        if (got <= 0)
            return 0;
        talk->filled += (size_t)got;
        talk->reply[talk->filled] = '\0';
    }
    return ascii_is_digit(talk->reply[0]) ? talk->reply[0] - '0' : 0;
}

static bool ask(struct talk *talk, int wanted, const char *format, ...) __attribute__((format(printf, 3, 4)));
static bool ask(struct talk *talk, int wanted, const char *format, ...)
{
    struct buf line;
    va_list args;
    bool fine;

    buf_init(&line, MAIL_MAX);
    va_start(args, format);
    buf_add_vf(&line, format, args);
    va_end(args);
    fine = !line.failed && say(talk, buf_slice(&line)) && hear(talk) == wanted;
    buf_free(&line);
    return fine;
}

/*
 * From nobody, and generated: so nobody answers it by machine, and spoor-stamp leaves it as it is. The subject
 * has no secret, for lists of mail show it.
 */
static void write_mail(const struct letter *letter, struct buf *mail)
{
    const char *domain = strrchr(letter->address, '@');
    time_t now = time(NULL);
    struct tm day;
    char date[64];

    gmtime_r(&now, &day);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &day);
    buf_add_f(mail, "From: Spoor <noreply%s>\r\nTo: <%s>\r\nDate: %s\r\nSubject: Sign in to the Live Feed\r\n", domain ? domain : "",
              letter->address, date);
    buf_add_f(mail, "Message-ID: <spoor.%lld.%ld%s>\r\n", (long long)clock_wall_us(), (long)getpid(), domain ? domain : "@localhost");
    buf_add_str(mail, "Auto-Submitted: auto-generated\r\nX-Spoor-Track: no\r\nMIME-Version: 1.0\r\n"
                      "Content-Type: text/plain; charset=utf-8\r\n\r\n");
    buf_add_f(mail, "Somebody, probably you, wants to sign in to the Live Feed as %s.\r\n\r\n"
                    "This link opens it once, within 20 minutes:\r\n\r\n%s\r\n\r\n"
                    "If it was not you, do nothing: nobody gets in without this mail.\r\n", letter->address, letter->link);
}

static bool converse(struct talk *talk, const struct letter *letter)
{
    struct buf mail;
    bool sent;

    buf_init(&mail, MAIL_MAX);
    write_mail(letter, &mail);
    sent = !mail.failed && hear(talk) == 2 && ask(talk, 2, "EHLO localhost\r\n") && ask(talk, 2, "MAIL FROM:<>\r\n") &&
           ask(talk, 2, "RCPT TO:<%s>\r\n", letter->address) && ask(talk, 3, "DATA\r\n") && say(talk, buf_slice(&mail)) &&
           ask(talk, 2, ".\r\n");
    if (sent)
        say(talk, slice_str("QUIT\r\n"));
    explicit_bzero(mail.data, mail.data ? mail.size : 0);
    buf_free(&mail);
    return sent;
}

static int dial(const struct courier *courier)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found, *one;
    int fd = -1;

    if (getaddrinfo(courier->host, courier->port, &hints, &found) != 0)
        return -1;
    for (one = found; one && fd < 0; one = one->ai_next) {
        fd = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, one->ai_addr, one->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

static void deliver(const struct courier *courier, const struct letter *letter)
{
    struct talk talk = {.fd = dial(courier), .until_ms = clock_monotonic_ms() + CONVERSATION_MS};

    if (talk.fd < 0)
        log_err("cannot mail a sign-in link: no mail server at %s:%s", courier->host, courier->port);
    else if (!converse(&talk, letter))
        log_err("cannot mail a sign-in link to <%s>: %.*s", letter->address, (int)strcspn(talk.reply, "\r\n"), talk.reply);
    else
        log_info("sign_in=mailed to=<%s>", letter->address);
    if (talk.fd >= 0)
        close(talk.fd);
}

/* The thread */

static struct letter *take(struct courier *courier)
{
    struct letter *letter;

    pthread_mutex_lock(&courier->lock);
    while (!courier->stopping && !courier->first)
        pthread_cond_wait(&courier->changed, &courier->lock);
    letter = courier->stopping ? NULL : courier->first;
    if (letter) {
        courier->first = letter->next;
        courier->waiting--;
    }
    pthread_mutex_unlock(&courier->lock);
    return letter;
}

static void *run(void *arg)
{
    struct courier *courier = arg;
    struct letter *letter;

    while ((letter = take(courier))) {
        deliver(courier, letter);
        free_letter(letter);
    }
    return NULL;
}

static void free_courier(struct courier *courier)
{
    for (struct letter *next, *letter = courier->first; letter; letter = next) {
        next = letter->next;
        free_letter(letter);
    }
    pthread_cond_destroy(&courier->changed);
    pthread_mutex_destroy(&courier->lock);
    free(courier->host);
    free(courier);
}

struct courier *courier_start(const char *server, struct buf *error)
{
    struct courier *courier = calloc(1, sizeof *courier);
    char *colon = NULL;
    int failure = ENOMEM;

    if (courier) {
        pthread_mutex_init(&courier->lock, NULL);
        pthread_cond_init(&courier->changed, NULL);
        courier->host = strdup(server);
        colon = courier->host ? strrchr(courier->host, ':') : NULL;
    }
    if (colon) {
        *colon = '\0';
        courier->port = colon + 1;
        failure = pthread_create(&courier->thread, NULL, run, courier);
    }
    if (failure == 0)
        return courier;
    buf_add_f(error, "cannot start the thread that mails sign-in links: %s", strerrordesc_np(failure));
    if (courier)
        free_courier(courier);
    return NULL;
}

void courier_stop(struct courier *courier)
{
    if (!courier)
        return;
    pthread_mutex_lock(&courier->lock);
    courier->stopping = true;
    pthread_cond_broadcast(&courier->changed);
    pthread_mutex_unlock(&courier->lock);
    pthread_join(courier->thread, NULL);
    free_courier(courier);
}

void courier_send(struct courier *courier, const char *address, const char *link)
{
    struct letter *letter = calloc(1, sizeof *letter), **end;
    bool taken = false;

    if (letter) {
        letter->address = strdup(address);
        letter->link = strdup(link);
    }
    pthread_mutex_lock(&courier->lock);
    if (letter && letter->address && letter->link && courier->waiting < WAITING_MOST) {
        for (end = &courier->first; *end; end = &(*end)->next)
            ;
        *end = letter;
        courier->waiting++;
        taken = true;
        pthread_cond_signal(&courier->changed);
    }
    pthread_mutex_unlock(&courier->lock);
    if (taken)
        return;
    log_err("a sign-in link to <%s> is not mailed: too many wait", address);
    free_letter(letter);
}
