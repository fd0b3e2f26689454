/* SPDX-License-Identifier: BSD-2-Clause */
/* https - see https.h */

#include "relay/https.h"

#include "relay/peer.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <curl/curl.h>

enum { RETRY_AFTER_MOST_S = 86400 };

struct https {
    CURL *curl;
    struct network_list allowed;
    size_t answer_max;
    bool head_ended;         /* of the answer under way */
    char refused[HTTPS_WHY]; /* why the last socket was not opened */
    char error[CURL_ERROR_SIZE];
};

bool https_begin(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

void https_end(void)
{
    curl_global_cleanup();
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct https *https = arg;
    char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1] = "?"; /* with a zone */
    const char *why;

    (void)purpose;
    if (peer_may_be(&address->addr, &https->allowed, &why))
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    getnameinfo(&address->addr, address->addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST);
    snprintf(https->refused, sizeof https->refused, "the address %s is %s, and not in allow_networks", text, why);
    return CURL_SOCKET_BAD;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct https_answer *answer = arg;
    size_t len = size * count, room = answer->body.cap - answer->body.len;

    if (len <= room)
        return buf_add(&answer->body, bytes, len) ? len : 0;
    answer->is_long = true;
    buf_add(&answer->body, bytes, room);
    return 0;
}

/* For libcurl a connection that ends within the header is an answer, too. */
static size_t take_head(char *line, size_t size, size_t count, void *arg)
{
    struct https *https = arg;

    https->head_ended = slice_empty(slice_trim(slice_of(line, size * count)));
    return size * count;
}

static bool set_up(struct https *https, const struct conf_sink *sink)
{
    CURL *curl = https->curl;
    CURLcode set = CURLE_OK;

    /* each keeps the first failure */
#define SET(option, value) set = set == CURLE_OK ? curl_easy_setopt(curl, option, value) : set
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, ""); /* none, whatever the environment says */
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_TIMEOUT_MS, (long)sink->timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)sink->timeout_ms);
    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(CURLOPT_OPENSOCKETDATA, https);
    SET(CURLOPT_WRITEFUNCTION, take_body);
    SET(CURLOPT_HEADERFUNCTION, take_head);
    SET(CURLOPT_HEADERDATA, https);
    SET(CURLOPT_ERRORBUFFER, https->error);
    SET(CURLOPT_USERAGENT, "Spoor/" PACKAGE_VERSION);
    if (*sink->ca_file) {
        SET(CURLOPT_CAINFO, sink->ca_file);
        SET(CURLOPT_CAPATH, NULL);
    }
#undef SET
    return set == CURLE_OK;
}

struct https *https_new(const struct conf_sink *sink, size_t answer_max, struct buf *why)
{
    struct https *https = calloc(1, sizeof *https);

    if (!https) {
        buf_add_str(why, "no memory");
        return NULL;
    }
    https->answer_max = answer_max;
    https->curl = curl_easy_init();
    if (https->curl && network_list_parse(&https->allowed, sink->allow_networks.item, sink->allow_networks.count) &&
        set_up(https, sink))
        return https;
    buf_add_str(why, "libcurl cannot do what is needed, or memory is short");
    https_free(https);
    return NULL;
}

void https_free(struct https *https)
{
    if (!https)
        return;
    curl_easy_cleanup(https->curl);
    network_list_free(&https->allowed);
    free(https);
}

static struct curl_slist *list_fields(const char *const *fields)
{
    /* no waiting for a word that the body may come */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (; list && *fields; fields++) {
        struct curl_slist *longer = curl_slist_append(list, *fields);

        if (!longer) {
            curl_slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

static void prepare(struct https *https, const struct https_request *request, struct curl_slist *fields,
                    struct https_answer *answer)
{
    bool has_body = strcmp(request->method, "GET") != 0;

    https->head_ended = false;
    https->error[0] = https->refused[0] = '\0';
    curl_easy_setopt(https->curl, CURLOPT_URL, request->url);
    curl_easy_setopt(https->curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(https->curl, CURLOPT_WRITEDATA, answer);
    if (has_body) {
        curl_easy_setopt(https->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(https->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        curl_easy_setopt(https->curl, CURLOPT_POSTFIELDS, request->body.len ? request->body.p : "");
        curl_easy_setopt(https->curl, CURLOPT_CUSTOMREQUEST, request->method);
    } else {
        curl_easy_setopt(https->curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(https->curl, CURLOPT_CUSTOMREQUEST, NULL);
    }
}

static void read_head(struct https *https, struct https_answer *answer)
{
    curl_off_t seconds = 0;

    curl_easy_getinfo(https->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_getinfo(https->curl, CURLINFO_RETRY_AFTER, &seconds);
    answer->retry_after_ms = 1000 * (int64_t)(seconds < RETRY_AFTER_MOST_S ? seconds : RETRY_AFTER_MOST_S);
}

bool https_ask(struct https *https, const struct https_request *request, struct https_answer *answer)
{
    struct curl_slist *fields = list_fields(request->fields);
    CURLcode done = CURLE_OUT_OF_MEMORY;

    *answer = (struct https_answer){0};
    buf_init(&answer->body, https->answer_max);
    if (fields) {
        prepare(https, request, fields, answer);
        done = curl_easy_perform(https->curl);
    }
    curl_slist_free_all(fields);
    if (done == CURLE_OK && https->head_ended) {
        read_head(https, answer);
        return true;
    }
    if (done == CURLE_OK)
        done = CURLE_PARTIAL_FILE;
    if (answer->is_long && request->answer_may_be_cut) {
        read_head(https, answer);
        return true;
    }
    if (answer->is_long)
        snprintf(answer->why, sizeof answer->why, "the answer is longer than %zu bytes", https->answer_max);
    else
        snprintf(answer->why, sizeof answer->why, "%s",
                 https->refused[0] ? https->refused : https->error[0] ? https->error : curl_easy_strerror(done));
    return false;
}

void https_answer_free(struct https_answer *answer)
{
    buf_free(&answer->body);
}

void https_add_escaped(struct buf *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++) {
        if (strchr(plain, *text))
            buf_add_char(out, *text);
        else
            buf_add_f(out, "%%%02X", (unsigned)(unsigned char)*text);
    }
}
