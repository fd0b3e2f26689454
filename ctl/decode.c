/* SPDX-License-Identifier: BSD-2-Clause */
/* decode - tell what stands in a token, a Message-ID or a URL of ours. */

#include "common/keys.h"
#include "common/message_id.h"
#include "common/token.h"
#include "common/url.h"
#include "ctl/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* The token in TEXT, and for a click what its signature covers besides. */
static bool find_token(const char *tracking_url, struct slice text, struct url_target *target)
{
    struct slice path;
    const char *at;

    if (url_target_of(text, tracking_url, &path) || (text.len && text.p[0] == '/'))
        return url_target_parse(text.p[0] == '/' ? text : path, target);
    buf_init(&target->destination, DESTINATION_MAX);
    if (text.len > 2 && text.p[0] == '<' && text.p[text.len - 1] == '>')
        text = slice_of(text.p + 1, text.len - 2);
    at = memchr(text.p, '@', text.len);
    target->token = at ? slice_of(text.p, (size_t)(at - text.p)) : text;
    return true;
}

static void print_token(const struct token *token)
{
    int64_t unix_ms = message_id_time_ms(token->message);
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm utc;
    char text[32];

    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    printf("kind: %s\n", token_kind_name(token->kind));
    printf("message: %" PRIu64 "\n", token->message);
    printf("sent_at: %s.%03dZ\n", text, (int)(unix_ms % 1000));
    printf("node: %u\n", message_id_node(token->message));
    if (token->recipient)
        printf("recipient: %08" PRIx32 "\n", token->recipient);
    else
        printf("recipient: one of the recipients\n");
    if (token->index)
        printf("index: %u\n", token->index);
    printf("key: %u\n", token->key_id);
}

static const char *result_name(enum token_result result)
{
    switch (result) {
    case TOKEN_GOOD:
        return "good";
    case TOKEN_UNKNOWN_KEY:
        return "unknown key";
    case TOKEN_REVOKED:
        return "revoked";
    case TOKEN_FORGED:
    case TOKEN_MALFORMED:
        break;
    }
    return "forged";
}

static int decode(struct keys *keys, const char *tracking_url, const char *text)
{
    struct url_target target = {.token = {NULL, 0}};
    struct token token;
    enum token_result result = TOKEN_MALFORMED;

    if (find_token(tracking_url, slice_str(text), &target))
        result = token_verify(keys, target.token, buf_slice(&target.destination), &token);
    if (result == TOKEN_MALFORMED) {
        fprintf(stderr, "spoorctl decode: \"%s\" holds no token of ours\n", text);
    } else {
        print_token(&token);
        if (target.destination.len)
            printf("destination: %s\n", buf_text(&target.destination));
        printf("signature: %s\n", result_name(result));
    }
    url_target_free(&target);
    return result == TOKEN_GOOD ? COMMAND_DONE : COMMAND_FAILED;
}

int decode_command(const struct conf *conf, int argc, char **argv)
{
    struct buf error;
    struct keys *keys;
    int status = COMMAND_FAILED;

    if (argc != 2)
        return COMMAND_USAGE;
    buf_init(&error, 1024);
    keys = keys_load(conf->key_file, &error);
    if (keys)
        status = decode(keys, conf->tracking_url, argv[1]);
    else
        fprintf(stderr, "spoorctl decode: %s\n", buf_text(&error));
    keys_free(keys);
    buf_free(&error);
    return status;
}
