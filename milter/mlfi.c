/* SPDX-License-Identifier: BSD-2-Clause */
/* mlfi - see mlfi.h */

#include "milter/mlfi.h"

#include "common/log.h"
#include "milter/mlfi_socket.h"
#include "milter/under_way.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libmilter calls back without an argument of ours before a connection has one, so the service is known here. */
static const struct mlfi_service *service;

static pthread_t server;

/*
 * libmilter starts a thread that waits for SIGHUP and SIGTERM and takes both for an order to stop. This
 * definition stands before the C library's: that thread sleeps, and signals stay with
 * daemon_wait_signal(), which uses sigwaitinfo().
 */
int sigwait(const sigset_t *restrict set, int *restrict sig)
{
    (void)set;
    (void)sig;
    for (;;)
        pause();
}

/*
 * Three macros are read, and all at end-of-message. Without lists the MTA sends what its configuration says, Postfix
 * with each header field. A list without names counts as none, so a blank stands for it. The login is asked for where it is
 * known first, too.
 */
static void choose_macros(SMFICTX *ctx)
{
    static const struct {
        int stage;
        const char *names;
    } lists[] = {
        {SMFIM_CONNECT, " "},
        {SMFIM_HELO, " "},
        {SMFIM_ENVFROM, "{auth_authen}"},
        {SMFIM_ENVRCPT, " "},
        {SMFIM_DATA, " "},
        {SMFIM_EOH, " "},
        {SMFIM_EOM, "i j {auth_authen}"},
    };

    for (size_t at = 0; at < sizeof lists / sizeof *lists; at++)
        smfi_setsymlist(ctx, lists[at].stage, (char *)(uintptr_t)lists[at].names); /* which copies them */
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps, unsigned long unused2,
                             unsigned long unused3, unsigned long *want_actions, unsigned long *want_steps,
                             unsigned long *want2, unsigned long *want3)
{
    static const unsigned long silent = SMFIP_NR_CONN | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR | SMFIP_NR_BODY;

    (void)unused2;
    (void)unused3;
    if ((service->actions & ~actions) != 0 || (silent & ~steps) != 0) {
        log_err("the MTA's milter protocol is too old: actions %#lx, steps %#lx; Postfix 2.6 or Sendmail 8.14 is needed",
                actions, steps);
        return SMFIS_REJECT;
    }
    *want_actions = service->actions | (actions & SMFIF_SETSYMLIST);
    *want_steps = silent | SMFIP_NOHELO | SMFIP_NOUNKNOWN | SMFIP_NODATA | SMFIP_NOEOH;
    *want2 = 0;
    *want3 = 0;
    if (actions & SMFIF_SETSYMLIST)
        choose_macros(ctx);
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    struct mlfi_message *message = mlfi_message_new(ctx, address, &service->limits);

    (void)host;
    /* Without it the callbacks that follow find no state, and end-of-message answers for it. */
    if (message && smfi_setpriv(ctx, message) != MI_SUCCESS)
        mlfi_message_free(message);
    return SMFIS_NOREPLY;
}

static sfsistat on_mail(SMFICTX *ctx, char **arguments)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (message)
        mlfi_message_begin(message, arguments[0]);
    return SMFIS_NOREPLY;
}

static sfsistat on_recipient(SMFICTX *ctx, char **arguments)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (message)
        mlfi_message_add_recipient(message, arguments);
    return SMFIS_NOREPLY;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (message)
        mlfi_message_add_field(message, name, value);
    return SMFIS_NOREPLY;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *chunk, size_t len)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (message)
        mlfi_message_add_body(message, chunk, len);
    return SMFIS_NOREPLY;
}

static const char *macro(SMFICTX *ctx, const char *name, const char *otherwise)
{
    char symbol[32];
    const char *value;

    snprintf(symbol, sizeof symbol, "%s", name); /* libmilter's prototype wants it writable */
    value = smfi_getsymval(ctx, symbol);
    return value && *value ? value : otherwise;
}

static sfsistat on_end_of_message(SMFICTX *ctx)
{
    static struct log_throttle no_memory = {.every_seconds = 60};
    struct mlfi_message *message = smfi_getpriv(ctx);
    sfsistat answer;

    if (under_way_is_closed() || (message && !message->under_way))
        return SMFIS_TEMPFAIL; /* the process ends; the client tries again and meets its successor */
    if (!message || message->failed) {
        log_throttled(&no_memory, LOG_ERR, "no memory to hold a mail: it %s",
                      service->can_wait ? "is to be tried again" : "passes untouched");
        answer = service->can_wait ? SMFIS_TEMPFAIL : SMFIS_CONTINUE;
    } else {
        message->queue_id = macro(ctx, "i", "-");
        message->host = macro(ctx, "j", "");
        message->login = macro(ctx, "{auth_authen}", "");
        log_set_context(message->queue_id);
        answer = service->finish(service->arg, message);
        log_set_context(NULL);
    }
    if (message)
        mlfi_message_end(message);
    return answer;
}

static sfsistat on_abort(SMFICTX *ctx)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (message)
        mlfi_message_end(message);
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (message) {
        smfi_setpriv(ctx, NULL);
        mlfi_message_free(message);
    }
    return SMFIS_CONTINUE;
}

bool mlfi_open(const struct mlfi_service *the_service, struct buf *error)
{
    struct smfiDesc description = {
        .xxfi_name = (char *)(uintptr_t)the_service->program,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = the_service->actions,
        .xxfi_connect = on_connect,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_recipient,
        .xxfi_header = on_header,
        .xxfi_body = on_body,
        .xxfi_eom = on_end_of_message,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_negotiate = on_negotiate,
    };

    service = the_service;
    if (smfi_register(description) != MI_SUCCESS) {
        buf_add_str(error, "libmilter does not take the service");
        return false;
    }
    return mlfi_socket_open(service->conf, error);
}

static void *serve(void *unused)
{
    (void)unused;
    if (smfi_main() != MI_SUCCESS || !under_way_is_closed()) {
        log_err("libmilter stopped serving: the process ends, so that it is started again");
        _exit(EXIT_FAILURE); /* what was acknowledged is on the disk */
    }
    return NULL;
}

bool mlfi_start(struct buf *error)
{
    int failure = pthread_create(&server, NULL, serve, NULL);

    if (failure != 0)
        buf_add_f(error, "cannot start the milter's thread: %s", strerrordesc_np(failure));
    return failure == 0;
}

/* Mails first: once libmilter is told to stop it serves no connection to its end. */
bool mlfi_stop(void)
{
    bool drained = under_way_drain(service->conf->drain_timeout_ms);

    mlfi_socket_close(service->conf->listen);
    return drained;
}
