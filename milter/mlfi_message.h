/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mlfi_message - a mail as libmilter brings it, piece by piece: envelope, header, body, and how much of it may be held.
 *
 * There is one for each connection, for whose mails it serves one after the other. It belongs to whichever thread calls back
 * for that connection; the bytes of all are counted together. What goes wrong is noted in it and answered at end-of-message.
 */
#ifndef MILTER_MLFI_MESSAGE_H
#define MILTER_MLFI_MESSAGE_H

#include "common/buf.h"
#include "common/slice.h"
#include "mail/header.h"

#include <libmilter/mfapi.h>

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct mlfi_limits {
    size_t body; /* bytes; a larger body is not gathered */
    size_t held; /* bytes held at once by all mails; above it bodies are not gathered */
};

struct mlfi_message {
    SMFICTX *ctx;
    const struct mlfi_limits *limits;
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

/* LIMITS must live as long. NULL without memory. */
struct mlfi_message *mlfi_message_new(SMFICTX *ctx, const struct sockaddr *client, const struct mlfi_limits *limits);
void mlfi_message_free(struct mlfi_message *message);

/* At MAIL FROM: whatever mail was here before ends. PATH is "<address>". */
void mlfi_message_begin(struct mlfi_message *message, const char *path);
/* At RCPT TO: the path, then its parameters, then NULL. */
void mlfi_message_add_recipient(struct mlfi_message *message, char *const *arguments);
void mlfi_message_add_field(struct mlfi_message *message, const char *name, const char *value);
void mlfi_message_add_body(struct mlfi_message *message, const void *bytes, size_t len);
/* Lets go what belongs to the mail; the connection goes on. */
void mlfi_message_end(struct mlfi_message *message);

#endif
