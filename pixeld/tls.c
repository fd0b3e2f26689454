/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/tls.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CHAIN_MAX = 16, KEY_ID_BYTES = 64 };

struct tls_pair {
    struct tls_pair *shown_before;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned certificates;
    gnutls_privkey_t key;
    int64_t expires;
};

static struct tls_pair *_Atomic shown;

static bool failed(struct buf *error, const char *path, int result)
{
    buf_add_f(error, "%s: %s", path,
              result == GNUTLS_E_FILE_ERROR ? strerrordesc_np(errno) : gnutls_strerror(result));
    return false;
}

static bool find_expiry(struct tls_pair *pair)
{
    gnutls_x509_crt_t first;
    int result = gnutls_x509_crt_init(&first);

    if (result < 0)
        return false;
    result = gnutls_x509_crt_import(first, &pair->chain[0].cert, GNUTLS_X509_FMT_DER);
    if (result >= 0)
        pair->expires = gnutls_x509_crt_get_expiration_time(first);
    gnutls_x509_crt_deinit(first);
    return result >= 0;
}

static bool load_chain(struct tls_pair *pair, const char *path, struct buf *error)
{
    unsigned count = CHAIN_MAX;
    gnutls_datum_t text;
    int result = gnutls_load_file(path, &text);

    if (result < 0)
        return failed(error, path, result);
    result = gnutls_pcert_list_import_x509_raw(pair->chain, &count, &text, GNUTLS_X509_FMT_PEM, 0);
    gnutls_free(text.data);
    if (result < 0)
        return failed(error, path, result);
    pair->certificates = count;
    return find_expiry(pair) || failed(error, path, GNUTLS_E_CERTIFICATE_ERROR);
}

static bool load_key(struct tls_pair *pair, const char *path, struct buf *error)
{
    gnutls_datum_t text;
    int result = gnutls_load_file(path, &text);

    if (result < 0)
        return failed(error, path, result);
    result = gnutls_privkey_init(&pair->key);
    if (result >= 0)
        result = gnutls_privkey_import_x509_raw(pair->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_memset(text.data, 0, text.size);
    gnutls_free(text.data);
    return result >= 0 || failed(error, path, result);
}

/* Is the public half of the key the one that the first certificate is about? */
static bool is_matching(const struct tls_pair *pair)
{
    unsigned char of_certificate[KEY_ID_BYTES], of_key[KEY_ID_BYTES];
    size_t certificate_size = sizeof of_certificate, key_size = sizeof of_key;
    gnutls_pubkey_t public_half;
    bool matching;

    if (gnutls_pubkey_init(&public_half) < 0)
        return false;
    matching = gnutls_pubkey_import_privkey(public_half, pair->key, 0, 0) >= 0 &&
               gnutls_pubkey_get_key_id(public_half, 0, of_key, &key_size) >= 0 &&
               gnutls_pubkey_get_key_id(pair->chain[0].pubkey, 0, of_certificate, &certificate_size) >= 0 &&
               key_size == certificate_size && memcmp(of_key, of_certificate, key_size) == 0;
    gnutls_pubkey_deinit(public_half);
    return matching;
}

struct tls_pair *tls_pair_load(const char *certificate, const char *key, struct buf *error)
{
    struct tls_pair *pair = calloc(1, sizeof *pair);
    bool good;

    if (pair == NULL) {
        buf_add_str(error, "out of memory");
        return NULL;
    }
    good = load_chain(pair, certificate, error) && load_key(pair, key, error);
    if (good && !is_matching(pair)) {
        buf_add_f(error, "%s is not the key of the certificate in %s", key, certificate);
        good = false;
    }
    if (good)
        return pair;
    tls_pair_free(pair);
    return NULL;
}

void tls_pair_free(struct tls_pair *pair)
{
    if (pair == NULL)
        return;
    for (unsigned n = 0; n < pair->certificates; n++)
        gnutls_pcert_deinit(&pair->chain[n]);
    if (pair->key)
        gnutls_privkey_deinit(pair->key);
    free(pair);
}

int64_t tls_pair_expires(const struct tls_pair *pair)
{
    return pair->expires;
}

void tls_show(struct tls_pair *pair)
{
    pair->shown_before = atomic_load(&shown);
    atomic_store(&shown, pair);
}

void tls_release(void)
{
    struct tls_pair *pair = atomic_exchange(&shown, NULL);

    while (pair) {
        struct tls_pair *before = pair->shown_before;

        tls_pair_free(pair);
        pair = before;
    }
}

static int choose(gnutls_session_t session, const gnutls_datum_t *authorities, int authorities_count,
                  const gnutls_pk_algorithm_t *algorithms, int algorithms_count, gnutls_pcert_st **chain,
                  unsigned *certificates, gnutls_privkey_t *key)
{
    struct tls_pair *pair = atomic_load(&shown);

    (void)session, (void)authorities, (void)authorities_count, (void)algorithms, (void)algorithms_count;
    if (pair == NULL)
        return -1;
    *chain = pair->chain;
    *certificates = pair->certificates;
    *key = pair->key;
    return 0;
}

void *tls_chooser(void)
{
    gnutls_certificate_retrieve_function2 *function = choose;

    return (void *)(uintptr_t)function;
}
