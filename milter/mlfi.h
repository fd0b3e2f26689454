/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mlfi - what both milters share of libmilter: gather a mail, hand it over once, count it.
 *
 * Callbacks of one connection run on different threads (Debian's libmilter has a worker pool), so all
 * state hangs on the connection. No callback but the last answers the MTA (SMFIP_NR_*): all of a
 * mail is gathered and judged at end-of-message. A callback that blocks delays other mails too.
 */
#ifndef MILTER_MLFI_H
#define MILTER_MLFI_H

#include "common/buf.h"
#include "common/conf.h"
#include "common/recorder.h"
#include "common/slice.h"
#include "mail/header.h"

#include <libmilter/mfapi.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct mlfi_message {
    SMFICTX *ctx;
    struct sockaddr_storage client;
    bool by_smtp;                   /* false: by sendmail(1), or the MTA wrote it itself */
    struct slice envelope_sender;   /* without brackets and parameters; empty: null sender */
    struct slice *recipient;        /* likewise */
    struct slice *original;         /* of each, what its ORCPT says (RFC 3461 4.2); empty: it has none */
    size_t recipients;
    size_t recipients_size;
    struct header_list headers;
    struct buf body;                /* CRLF, as the MTA gives it */
    const char *body_missing;       /* why it was not gathered, or NULL */
    const char *queue_id;           /* at end-of-message; "-" when the MTA names none */
    const char *host;               /* of the MTA; "" unknown */
    const char *login;              /* {auth_authen}; "" none */
    bool failed;                    /* no memory: nothing here may be trusted */
    bool under_way;                 /* from MAIL FROM to its end */
    size_t counted;                 /* bytes held against the daemon's limit */
};

struct mlfi_service {
    const char *program;
    const struct conf_milter *conf;
    unsigned long actions; /* SMFIF_* */
    size_t body_limit;     /* bytes; a larger body is not gathered */
    size_t memory_limit;   /* bytes held at once by all mails; above it bodies are not gathered */
    bool can_wait;         /* the mail stands in a queue of ours: without memory it is to be tried again */
    /* Judges and edits; the answer goes to the MTA. Must not keep MESSAGE. */
    sfsistat (*finish)(void *arg, struct mlfi_message *message);
    void *arg;
};

/* Registers and opens the socket with its mode and group. Before privileges are dropped; once a process. */
bool mlfi_open(const struct mlfi_service *service, struct buf *error);
/* Serves in a thread of its own. */
bool mlfi_start(struct buf *error);
/*
 * Waits until no mail is under way, answering mail that begins meanwhile with 4xx, then closes. False when
 * the drain timeout was over first: a mail may still be at work with what the service uses.
 */
bool mlfi_stop(void);

/* Notes down what was done, on the disk when true. A failure is logged once a minute: such mail goes without a record. */
bool mlfi_record(struct recorder *recorder, enum record_kind kind, const struct buf *payload);
/* The same, on the disk with the next one: of several that belong together only the last goes by mlfi_record(). */
bool mlfi_record_ahead(struct recorder *recorder, enum record_kind kind, const struct buf *payload);

#endif
