/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/examine.h"

#include "pixeld/listen.h"
#include "pixeld/tls.h"

#include <time.h>

void examine_warn(const struct conf *conf, struct buf *warning)
{
    if (conf->pixeld.trusted_proxies.count == 0 && listen_is_local(&conf->pixeld.listen) &&
        listen_is_local(&conf->pixeld.listen_tls))
        buf_add_str(warning, "only this host reaches pixeld.listen, and pixeld.trusted_proxies is empty: behind a reverse "
                             "proxy all requests would count as the proxy's\n");
}

static bool examine_tls(const struct conf *conf, struct buf *error)
{
    struct tls_pair *pair;
    bool valid;

    if (conf->pixeld.listen_tls.count == 0)
        return true;
    pair = tls_pair_load(conf->pixeld.tls_certificate, conf->pixeld.tls_key, error);
    if (pair == NULL)
        return false;
    valid = tls_pair_expires(pair) > time(NULL);
    if (!valid)
        buf_add_f(error, "%s: the certificate has expired", conf->pixeld.tls_certificate);
    tls_pair_free(pair);
    return valid;
}

bool examine_configuration(const struct conf *conf, struct buf *warning, struct buf *error)
{
    examine_warn(conf, warning);
    return examine_tls(conf, error);
}
