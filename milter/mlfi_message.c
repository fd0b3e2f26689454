/* SPDX-License-Identifier: BSD-2-Clause */
/* mlfi_message - see mlfi_message.h */

#include "milter/mlfi_message.h"

#include "milter/under_way.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { RECIPIENTS_MAX = 100000, BODY_COPIES = 4 /* as it came, decoded, spliced, and the new one */ };

static atomic_size_t bytes_held;

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

struct mlfi_message *mlfi_message_new(SMFICTX *ctx, const struct sockaddr *client, const struct mlfi_limits *limits)
{
    struct mlfi_message *message = calloc(1, sizeof *message);

    if (!message)
        return NULL;
    message->ctx = ctx;
    message->limits = limits;
    if (client && client->sa_family == AF_INET)
        memcpy(&message->client, client, sizeof(struct sockaddr_in));
    else if (client && client->sa_family == AF_INET6)
        memcpy(&message->client, client, sizeof(struct sockaddr_in6));
    message->by_smtp = is_smtp_client(&message->client);
    header_list_init(&message->headers);
    buf_init(&message->body, limits->body);
    return message;
}

void mlfi_message_free(struct mlfi_message *message)
{
    mlfi_message_end(message);
    free(message);
}

void mlfi_message_end(struct mlfi_message *message)
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
    if (message->under_way)
        under_way_end();
    *message = (struct mlfi_message){
        .ctx = message->ctx, .limits = message->limits, .client = message->client, .by_smtp = message->by_smtp};
    header_list_init(&message->headers);
    buf_init(&message->body, message->limits->body);
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

void mlfi_message_begin(struct mlfi_message *message, const char *path)
{
    mlfi_message_end(message);
    message->under_way = under_way_begin();
    if (!copy_path(path, &message->envelope_sender))
        message->failed = true;
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

static bool add_recipient(struct mlfi_message *message, char *const *arguments)
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

void mlfi_message_add_recipient(struct mlfi_message *message, char *const *arguments)
{
    if (!add_recipient(message, arguments))
        message->failed = true;
}

/* Against the daemon's limit; returns what all mails hold. */
static size_t count_bytes(struct mlfi_message *message, size_t len)
{
    message->counted += len;
    return atomic_fetch_add(&bytes_held, len) + len;
}

void mlfi_message_add_field(struct mlfi_message *message, const char *name, const char *value)
{
    if (header_list_add(&message->headers, name, value)) /* remembers a failure itself */
        count_bytes(message, strlen(name) + strlen(value));
}

/* A body above a limit is let go at once: what cannot be edited need not be held. */
static void drop_body(struct mlfi_message *message, const char *reason)
{
    buf_free(&message->body);
    atomic_fetch_sub(&bytes_held, message->counted - message->headers.bytes);
    message->counted = message->headers.bytes;
    message->body_missing = reason;
}

void mlfi_message_add_body(struct mlfi_message *message, const void *bytes, size_t len)
{
    if (message->body_missing)
        return;
    if (count_bytes(message, len * BODY_COPIES) > message->limits->held)
        drop_body(message, "memory_limit");
    else if (message->body.len + len > message->limits->body)
        drop_body(message, "body_limit");
    else if (!buf_add(&message->body, bytes, len))
        drop_body(message, "memory");
}
