/* SPDX-License-Identifier: BSD-2-Clause */
/* digest - see digest.h */

#include "common/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL contexts are dear to make and must not be shared: each thread keeps its own until it ends. */
struct engine {
    EVP_MAC_CTX *mac;
    bool keyed; /* MAC has SECRET for its key */
    uint8_t secret[DIGEST_BYTES];
    EVP_MD *sha256;
    EVP_MD_CTX *digest;
};

static pthread_once_t engine_once = PTHREAD_ONCE_INIT;
static pthread_key_t engine_key;
static __thread struct engine *engine_of_thread;

static void engine_free(void *data)
{
    struct engine *engine = data;

    EVP_MAC_CTX_free(engine->mac);
    EVP_MD_CTX_free(engine->digest);
    EVP_MD_free(engine->sha256);
    OPENSSL_cleanse(engine->secret, sizeof engine->secret);
    free(engine);
    engine_of_thread = NULL;
}

/* Threads of libmilter may outlive main(), and be in the middle of this: exit() takes nothing of OpenSSL away from them. */
static void engine_make_key(void)
{
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
        abort();
    if (pthread_key_create(&engine_key, engine_free) != 0)
        abort();
}

static bool engine_open(struct engine *engine)
{
    char digest_name[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    engine->mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    EVP_MAC_free(hmac);
    engine->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    engine->digest = EVP_MD_CTX_new();
    return engine->mac && engine->sha256 && engine->digest && EVP_MAC_CTX_set_params(engine->mac, params) == 1;
}

static struct engine *engine_get(void)
{
    struct engine *engine = engine_of_thread;

    if (engine)
        return engine;
    pthread_once(&engine_once, engine_make_key);
    engine = calloc(1, sizeof *engine);
    if (!engine)
        return NULL;
    if (!engine_open(engine) || pthread_setspecific(engine_key, engine) != 0) {
        engine_free(engine);
        return NULL;
    }
    engine_of_thread = engine;
    return engine;
}

/* To begin anew with the key that is set costs half of the hashing. */
static bool engine_set_key(struct engine *engine, const uint8_t secret[DIGEST_BYTES])
{
    if (engine->keyed && CRYPTO_memcmp(engine->secret, secret, DIGEST_BYTES) == 0)
        return EVP_MAC_init(engine->mac, NULL, 0, NULL) == 1;
    memcpy(engine->secret, secret, DIGEST_BYTES);
    engine->keyed = EVP_MAC_init(engine->mac, secret, DIGEST_BYTES, NULL) == 1;
    return engine->keyed;
}

bool digest_hmac(const uint8_t secret[DIGEST_BYTES], const struct slice *parts, size_t count, uint8_t mac[DIGEST_BYTES])
{
    struct engine *engine = engine_get();
    size_t len = 0;

    if (!engine || !engine_set_key(engine, secret))
        return false;
    for (size_t n = 0; n < count; n++)
        if (parts[n].len && EVP_MAC_update(engine->mac, (const unsigned char *)parts[n].p, parts[n].len) != 1)
            return false;
    return EVP_MAC_final(engine->mac, mac, &len, DIGEST_BYTES) == 1 && len == DIGEST_BYTES;
}

bool digest_sha256(const struct slice *parts, size_t count, uint8_t digest[DIGEST_BYTES])
{
    struct engine *engine = engine_get();

    if (!engine || EVP_DigestInit_ex2(engine->digest, engine->sha256, NULL) != 1)
        return false;
    for (size_t n = 0; n < count; n++)
        if (parts[n].len && EVP_DigestUpdate(engine->digest, parts[n].p, parts[n].len) != 1)
            return false;
    return EVP_DigestFinal_ex(engine->digest, digest, NULL) == 1;
}

bool digest_random(void *bytes, size_t len)
{
    return RAND_bytes_ex(NULL, bytes, len, 256) == 1;
}

bool digest_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
