/* SPDX-License-Identifier: BSD-2-Clause */
/* mlfi - see mlfi.h */

#include "common/log.h"
#include "milter/mlfi.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { RECIPIENTS_MAX = 100000, BACKLOG = 1024, BODY_COPIES = 4 /* as it came, decoded, spliced, and the new one */, JOIN_NS = 20000000, SECOND_NS = 1000000000 };

/* libmilter calls back without an argument of ours before a connection has one, so the service is known here. */
static const struct mlfi_service *service;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned under_way;
    bool draining; /* mails that begin now are refused for the time being */
    bool closed;   /* nothing that the service uses may be touched any more */
} mails = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

static atomic_size_t bytes_held;
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

/* --- one mail's life -------------------------------------------------------------------------- */

/* Counted, unless the process is about to end. */
static void message_begin(struct mlfi_message *message)
{
    pthread_mutex_lock(&mails.lock);
    message->under_way = !mails.draining;
    mails.under_way += message->under_way;
    pthread_mutex_unlock(&mails.lock);
}

/* Frees what belongs to one mail; the connection goes on. */
static void message_end(struct mlfi_message *message)
{
    free((char *)message->envelope_sender.p);
    for (size_t at = 0; at < message->recipients; at++) {
        free((char *)message->recipient[at].p);
        free((char *)message->original[at].p);
    }
    free(message->recipient);
    free(message->original);
    header_list_free(&message->headers);
    buf_free(&message->body);
    atomic_fetch_sub(&bytes_held, message->counted);
    if (message->under_way) {
        pthread_mutex_lock(&mails.lock);
        mails.under_way--;
        pthread_cond_broadcast(&mails.ended);
        pthread_mutex_unlock(&mails.lock);
    }
    *message = (struct mlfi_message){.ctx = message->ctx, .client = message->client, .by_smtp = message->by_smtp};
    header_list_init(&message->headers);
    buf_init(&message->body, service->body_limit);
}

/* The MTA gives "<address>" and its parameters apart. */
static bool copy_path(const char *path, struct slice *out)
{
    struct slice text = slice_trim(slice_str(path));
    char *copy;

    if (text.len >= 2 && text.p[0] == '<' && text.p[text.len - 1] == '>')
        text = slice_of(text.p + 1, text.len - 2);
    copy = strndup(text.len ? text.p : "", text.len);
    *out = slice_of(copy, copy ? strlen(copy) : 0);
    return copy != NULL;
}

/* --- libmilter's callbacks --------------------------------------------------------------------- */

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

/* Sendmail gives no address for mail that came by no SMTP; Postfix pretends one of this host, without a port. */
static bool is_smtp_client(const struct sockaddr_storage *client)
{
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;

    switch (client->ss_family) {
    case AF_INET:
        memcpy(&ip4, client, sizeof ip4);
        return ip4.sin_port != 0 || ntohl(ip4.sin_addr.s_addr) != INADDR_LOOPBACK;
    case AF_INET6:
        memcpy(&ip6, client, sizeof ip6);
        return ip6.sin6_port != 0 || !IN6_IS_ADDR_LOOPBACK(&ip6.sin6_addr);
    default:
        return false;
    }
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    struct mlfi_message *message = calloc(1, sizeof *message);

    (void)host;
    if (!message || smfi_setpriv(ctx, message) != MI_SUCCESS) {
        free(message); /* the callbacks that follow find no state and end-of-message answers for it */
        return SMFIS_NOREPLY;
    }
    message->ctx = ctx;
    if (address && address->sa_family == AF_INET)
        memcpy(&message->client, address, sizeof(struct sockaddr_in));
    else if (address && address->sa_family == AF_INET6)
        memcpy(&message->client, address, sizeof(struct sockaddr_in6));
    message->by_smtp = is_smtp_client(&message->client);
    header_list_init(&message->headers);
    buf_init(&message->body, service->body_limit);
    return SMFIS_NOREPLY;
}

static sfsistat on_mail(SMFICTX *ctx, char **arguments)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (!message)
        return SMFIS_NOREPLY;
    message_end(message);
    message_begin(message);
    if (!copy_path(arguments[0], &message->envelope_sender))
        message->failed = true;
    return SMFIS_NOREPLY;
}

static bool grow_recipients(struct mlfi_message *message)
{
    size_t size = message->recipients_size ? message->recipients_size * 2 : 8;
    struct slice *grown;

    if (message->recipients < message->recipients_size)
        return true;
    if (message->recipients >= RECIPIENTS_MAX)
        return false;
    grown = reallocarray(message->recipient, size, sizeof *grown);
    if (!grown)
        return false;
    message->recipient = grown;
    grown = reallocarray(message->original, size, sizeof *grown);
    if (!grown)
        return false;
    message->original = grown;
    message->recipients_size = size;
    return true;
}

/* From among the parameters of a RCPT. */
static bool copy_original(char *const *parameter, struct slice *out)
{
    static const char name[] = "ORCPT=";
    char *copy;

    *out = slice_str(NULL);
    while (*parameter && strncasecmp(*parameter, name, sizeof name - 1) != 0)
        parameter++;
    if (!*parameter)
        return true;
    copy = strdup(*parameter + sizeof name - 1);
    *out = slice_str(copy);
    return copy != NULL;
}

static bool add_recipient(struct mlfi_message *message, char **arguments)
{
    struct slice recipient;
    struct slice original;

    if (!grow_recipients(message) || !copy_path(arguments[0], &recipient))
        return false;
    if (!copy_original(arguments + 1, &original)) {
        free((char *)recipient.p);
        return false;
    }
    message->recipient[message->recipients] = recipient;
    message->original[message->recipients++] = original;
    return true;
}

static sfsistat on_recipient(SMFICTX *ctx, char **arguments)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (!message)
        return SMFIS_NOREPLY;
    if (!add_recipient(message, arguments))
        message->failed = true;
    return SMFIS_NOREPLY;
}

/* Against the daemon's limit; returns what all mails hold. */
static size_t count_bytes(struct mlfi_message *message, size_t len)
{
    message->counted += len;
    return atomic_fetch_add(&bytes_held, len) + len;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (message && header_list_add(&message->headers, name, value)) /* remembers a failure itself */
        count_bytes(message, strlen(name) + strlen(value));
    return SMFIS_NOREPLY;
}

/* A body above a limit is let go at once: what cannot be edited need not be held. */
static void drop_body(struct mlfi_message *message, const char *reason)
{
    buf_free(&message->body);
    atomic_fetch_sub(&bytes_held, message->counted - message->headers.bytes);
    message->counted = message->headers.bytes;
    message->body_missing = reason;
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *chunk, size_t len)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (!message || message->body_missing)
        return SMFIS_NOREPLY;
    if (count_bytes(message, len * BODY_COPIES) > service->memory_limit)
        drop_body(message, "memory_limit");
    else if (message->body.len + len > service->body_limit)
        drop_body(message, "body_limit");
    else if (!buf_add(&message->body, chunk, len))
        drop_body(message, "memory");
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

static bool is_closed(void)
{
    bool closed;

    pthread_mutex_lock(&mails.lock);
    closed = mails.closed;
    pthread_mutex_unlock(&mails.lock);
    return closed;
}

static sfsistat on_end_of_message(SMFICTX *ctx)
{
    static struct log_throttle no_memory = {.every_seconds = 60};
    struct mlfi_message *message = smfi_getpriv(ctx);
    sfsistat answer;

    if (is_closed() || (message && !message->under_way))
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
        message_end(message);
    return answer;
}

static sfsistat on_abort(SMFICTX *ctx)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (message)
        message_end(message);
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    struct mlfi_message *message = smfi_getpriv(ctx);

    if (message) {
        message_end(message);
        smfi_setpriv(ctx, NULL);
        free(message);
    }
    return SMFIS_CONTINUE;
}

/* --- the service ------------------------------------------------------------------------------- */

static const char *socket_path(const char *listen)
{
    if (strncmp(listen, "unix:", 5) == 0)
        return listen + 5;
    if (strncmp(listen, "local:", 6) == 0)
        return listen + 6;
    return NULL;
}

static bool give_socket(const struct conf_milter *conf, struct buf *error)
{
    const char *path = socket_path(conf->listen);
    const struct group *group;

    if (!path)
        return true;
    if (conf->socket_group[0]) {
        group = getgrnam(conf->socket_group);
        if (!group || chown(path, (uid_t)-1, group->gr_gid) != 0) {
            buf_add_f(error, "cannot give socket %s to group %s: %s", path, conf->socket_group,
                      group ? strerrordesc_np(errno) : "no such group");
            return false;
        }
    }
    if (chmod(path, (mode_t)conf->socket_mode) != 0) {
        buf_add_f(error, "cannot set the mode of socket %s: %s", path, strerrordesc_np(errno));
        return false;
    }
    return true;
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
    if (smfi_setconn(service->conf->listen) != MI_SUCCESS || smfi_register(description) != MI_SUCCESS) {
        buf_add_f(error, "libmilter refuses the socket %s", service->conf->listen);
        return false;
    }
    smfi_setbacklog(BACKLOG);
    if (smfi_opensocket(true) != MI_SUCCESS) { /* true: a socket left by a killed process is removed */
        buf_add_f(error, "cannot listen on %s: %s", service->conf->listen, strerrordesc_np(errno));
        return false;
    }
    return give_socket(service->conf, error);
}

static void *serve(void *unused)
{
    (void)unused;
    if (smfi_main() != MI_SUCCESS || !is_closed()) {
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

/* Waits a little for the thread to end. */
static bool joined(pthread_t thread)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += JOIN_NS;
    if (until.tv_nsec >= SECOND_NS) {
        until.tv_nsec -= SECOND_NS;
        until.tv_sec++;
    }
    return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

static void *stop_listening(void *unused)
{
    smfi_stop();
    return unused;
}

/* A connection that is closed at once: libmilter looks for its order to stop only when something comes in, or every 5 s. */
static void wake_listener(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = socket_path(service->conf->listen);
    int fd;

    if (!path || strlen(path) >= sizeof address.sun_path)
        return;
    memcpy(address.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        connect(fd, (struct sockaddr *)&address, sizeof address); /* whether it is taken or not: it woke */
        close(fd);
    }
}

/* smfi_stop() sets the order, then waits for the listener's lock. */
static void end_listener(void)
{
    pthread_t stopper;

    if (pthread_create(&stopper, NULL, stop_listening, NULL) != 0) {
        smfi_stop();
        return;
    }
    do
        wake_listener();
    while (!joined(stopper));
}

/* Mails under way have until the drain timeout to end; what begins meanwhile is told to come again. */
static bool drain(void)
{
    struct timespec until;
    bool drained;
    int late = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += service->conf->drain_timeout_ms / 1000;
    until.tv_nsec += service->conf->drain_timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= SECOND_NS) {
        until.tv_nsec -= SECOND_NS;
        until.tv_sec++;
    }
    pthread_mutex_lock(&mails.lock);
    mails.draining = true;
    while (mails.under_way && !late)
        late = pthread_cond_timedwait(&mails.ended, &mails.lock, &until);
    drained = mails.under_way == 0;
    if (!drained)
        log_warn("stopped with %u mails under way: their clients will try again", mails.under_way);
    mails.closed = true;
    pthread_mutex_unlock(&mails.lock);
    return drained;
}

/* Mails first: once libmilter is told to stop it serves no connection to its end. */
bool mlfi_stop(void)
{
    bool drained = drain();

    end_listener();
    return drained;
}

static bool record(struct recorder *recorder, enum record_kind kind, const struct buf *payload, bool durable)
{
    static struct log_throttle throttle = {.every_seconds = 60};
    enum spool_result result = recorder_write(recorder, kind, payload, durable);

    if (result == SPOOL_FULL)
        log_throttled(&throttle, LOG_ERR, "spool %s is full: mail passes without a record", recorder->directory);
    else if (result == SPOOL_FAILED)
        log_throttled(&throttle, LOG_ERR, "cannot write to spool %s: %m: mail passes without a record",
                      recorder->directory);
    return result == SPOOL_OK;
}

bool mlfi_record(struct recorder *recorder, enum record_kind kind, const struct buf *payload)
{
    return record(recorder, kind, payload, true);
}

bool mlfi_record_ahead(struct recorder *recorder, enum record_kind kind, const struct buf *payload)
{
    return record(recorder, kind, payload, false);
}
