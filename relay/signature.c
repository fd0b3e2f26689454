/* SPDX-License-Identifier: BSD-2-Clause */
/* signature - see signature.h */

#include "relay/signature.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

enum { RSA_BITS_MIN = 2048, SIGNATURE_MOST = 2048, CODED_MOST = 4 * ((SIGNATURE_MOST + 2) / 3) + 1 };

/* base64 */

static bool add_base64(const uint8_t *bytes, size_t len, struct buf *out)
{
    uint8_t coded[CODED_MOST];

    if (len > SIGNATURE_MOST)
        return false;
    EVP_EncodeBlock(coded, bytes, (int)len);
    return buf_add_str(out, (const char *)coded);
}

bool signature_add_base64url(struct slice bytes, struct buf *out)
{
    size_t start = out->len;

    if (!add_base64((const uint8_t *)bytes.p, bytes.len, out))
        return false;
    while (out->len > start && out->data[out->len - 1] == '=')
        out->data[--out->len] = '\0';
    for (size_t at = start; at < out->len; at++)
        out->data[at] = out->data[at] == '+' ? '-' : out->data[at] == '/' ? '_' : out->data[at];
    return true;
}

/* RSA */

struct signature_key {
    EVP_PKEY *key;
};

struct signature_key *signature_key_read(const char *path, struct buf *why)
{
    struct signature_key *key = calloc(1, sizeof *key);
    FILE *file = key ? fopen(path, "re") : NULL;

    if (!file) {
        buf_add_f(why, "cannot open the private key %s: %s", path, strerrordesc_np(errno));
        signature_key_free(key);
        return NULL;
    }
    key->key = PEM_read_PrivateKey(file, NULL, NULL, (void *)(uintptr_t)""); /* never asks for a password */
    fclose(file);
    if (key->key && EVP_PKEY_is_a(key->key, "RSA") && EVP_PKEY_get_bits(key->key) >= RSA_BITS_MIN)
        return key;
    buf_add_f(why, "%s holds no RSA key of %d bits or more in PEM without a password", path, RSA_BITS_MIN);
    signature_key_free(key);
    return NULL;
}

void signature_key_free(struct signature_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key);
    free(key);
}

bool signature_rs256(const struct signature_key *key, struct slice text, struct buf *out)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t signature[SIGNATURE_MOST];
    size_t len = sizeof signature;
    bool done;

    done = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key->key) == 1 &&
           EVP_DigestSign(context, signature, &len, (const uint8_t *)text.p, text.len) == 1;
    EVP_MD_CTX_free(context);
    return done && signature_add_base64url(slice_of((const char *)signature, len), out);
}

/* HMAC */

static bool decode_secret(const char *text, struct signature_secret *secret)
{
    uint8_t bytes[2 * SIGNATURE_SECRET_MAX];
    size_t len = strlen(text), padding = 0;
    int decoded;
    bool fine;

    while (padding < len && padding < 2 && text[len - 1 - padding] == '=')
        padding++;
    if (len == 0 || len % 4 != 0 || len > sizeof bytes)
        return false;
    decoded = EVP_DecodeBlock(bytes, (const uint8_t *)text, (int)len);
    secret->len = decoded < 0 ? 0 : (size_t)decoded - padding;
    fine = secret->len >= SIGNATURE_SECRET_MIN && secret->len <= SIGNATURE_SECRET_MAX;
    if (fine)
        memcpy(secret->bytes, bytes, secret->len);
    explicit_bzero(bytes, sizeof bytes);
    return fine;
}

bool signature_secret_read(const char *path, struct signature_secret *secret, struct buf *why)
{
    static const char prefix[] = "whsec_";
    char line[512] = "";
    FILE *file = fopen(path, "re");
    const char *text = line;
    bool fine;

    if (!file) {
        buf_add_f(why, "cannot open the secret %s: %s", path, strerrordesc_np(errno));
        return false;
    }
    setvbuf(file, NULL, _IONBF, 0); /* no copy is left behind */
    if (fgets(line, sizeof line, file))
        line[strcspn(line, " \t\r\n")] = '\0';
    fclose(file);
    if (strncmp(text, prefix, strlen(prefix)) == 0)
        text += strlen(prefix);
    fine = decode_secret(text, secret);
    explicit_bzero(line, sizeof line);
    if (!fine)
        buf_add_f(why, "%s holds no secret: whsec_ and %d to %d bytes in base64", path, SIGNATURE_SECRET_MIN, SIGNATURE_SECRET_MAX);
    return fine;
}

void signature_secret_wipe(struct signature_secret *secret)
{
    explicit_bzero(secret, sizeof *secret);
}

bool signature_hmac(const struct signature_secret *secret, struct slice text, struct buf *out)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    return HMAC(EVP_sha256(), secret->bytes, (int)secret->len, (const uint8_t *)text.p, text.len, mac, &len) &&
           add_base64(mac, len, out);
}
