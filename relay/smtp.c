/* SPDX-License-Identifier: BSD-2-Clause */
/* smtp - see smtp.h */

#include "relay/smtp.h"

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

enum { URL_MAX = 1024, PATH_BYTES = 600 };

static size_t give(char *to, size_t size, size_t count, void *arg)
{
    struct slice *rest = arg;
    size_t len = size * count < rest->len ? size * count : rest->len;

    if (len)
        memcpy(to, rest->p, len);
    *rest = slice_from(*rest, len);
    return len;
}

static bool set_up(CURL *curl, const struct conf_sink *sink, const struct curl_slist *recipients, struct slice *letter, char *error)
{
    char url[URL_MAX];
    CURLcode set = CURLE_OK;

    snprintf(url, sizeof url, "smtp://%s/%s", sink->server, sink->ehlo_name);
    /* each keeps the first failure */
#define SET(option, value) set = set == CURLE_OK ? curl_easy_setopt(curl, option, value) : set
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "smtp");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_TIMEOUT_MS, (long)sink->timeout_ms);
    SET(CURLOPT_URL, url);
    SET(CURLOPT_MAIL_FROM, sink->envelope_sender);
    SET(CURLOPT_MAIL_RCPT, recipients);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_READFUNCTION, give);
    SET(CURLOPT_READDATA, letter);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)letter->len);
    SET(CURLOPT_ERRORBUFFER, error);
#undef SET
    return set == CURLE_OK;
}

void smtp_send(const struct conf_sink *sink, const char *recipient, struct slice letter, struct smtp_answer *answer)
{
    char path[PATH_BYTES], error[CURL_ERROR_SIZE] = "";
    struct curl_slist *recipients;
    CURL *curl = curl_easy_init();
    CURLcode done = CURLE_OUT_OF_MEMORY;

    *answer = (struct smtp_answer){0};
    snprintf(path, sizeof path, "<%s>", recipient);
    recipients = curl_slist_append(NULL, path);
    if (curl && recipients && set_up(curl, sink, recipients, &letter, error)) {
        done = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->code);
    }
    answer->taken = done == CURLE_OK;
    if (!answer->taken)
        snprintf(answer->why, sizeof answer->why, "%s", error[0] ? error : curl_easy_strerror(done));
    curl_slist_free_all(recipients);
    curl_easy_cleanup(curl);
}
