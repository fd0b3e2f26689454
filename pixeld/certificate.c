/* SPDX-License-Identifier: BSD-2-Clause */
/* certificate - see certificate.h */

#include "pixeld/certificate.h"

#include "common/log.h"
#include "pixeld/tls.h"

#include <time.h>

enum { TEXT_MAX = 1024 };

static struct tls_pair *load_pair(const struct conf *conf, struct buf *error)
{
    return tls_pair_load(conf->pixeld.tls_certificate, conf->pixeld.tls_key, error);
}

static bool has_expired(const struct tls_pair *pair)
{
    return tls_pair_expires(pair) <= time(NULL);
}

bool certificate_open(const struct conf *conf, struct buf *error)
{
    struct tls_pair *pair;

    if (conf->pixeld.listen_tls.count == 0)
        return true;
    pair = load_pair(conf, error);
    if (pair == NULL)
        return false;
    if (has_expired(pair))
        log_warn("the certificate in %s has expired", conf->pixeld.tls_certificate);
    tls_show(pair);
    return true;
}

void certificate_reload(const struct conf *conf)
{
    struct tls_pair *pair;
    struct buf error;

    if (conf->pixeld.listen_tls.count == 0)
        return;
    buf_init(&error, TEXT_MAX);
    pair = load_pair(conf, &error);
    if (pair && has_expired(pair)) {
        buf_add_f(&error, "%s: it has expired", conf->pixeld.tls_certificate);
        tls_pair_free(pair);
        pair = NULL;
    }
    if (pair)
        tls_show(pair);
    if (pair)
        log_notice("certificate loaded again");
    else
        log_err("the old certificate stays: %s", buf_text(&error));
    buf_free(&error);
}
