/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tls - the certificate that is shown to clients, and its key; the only user of GnuTLS, which the HTTP library speaks
 * TLS with.
 *
 * The library asks on its own threads for a certificate at each handshake, without a word on whose it is; so what is
 * shown is one for the whole process. Showing another one touches no connection.
 */
#ifndef PIXELD_TLS_H
#define PIXELD_TLS_H

#include "common/buf.h"

#include <stdint.h>

struct tls_pair; /* a chain of certificates and the key of its first one */

/* Both files are PEM (RFC 7468). NULL, with ERROR naming the file, when one cannot be read or they do not match. */
struct tls_pair *tls_pair_load(const char *certificate, const char *key, struct buf *error);
void tls_pair_free(struct tls_pair *pair); /* one that was never shown; NULL is fine */

/* When the first certificate ends; seconds since 1970. */
int64_t tls_pair_expires(const struct tls_pair *pair);

/*
 * From now on handshakes show PAIR, which is taken over. What was shown before stays in memory until tls_release(), for
 * a handshake may have just begun with it, and nothing tells when the last one has ended: some KB a renewal.
 */
void tls_show(struct tls_pair *pair);
void tls_release(void); /* when no connection is left */

/* The function that the HTTP library shall call (a gnutls_certificate_retrieve_function2). */
void *tls_chooser(void);

/* In GnuTLS's words: TLS 1.2 (RFC 5246) and 1.3 (RFC 8446). */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

#endif
