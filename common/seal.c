/* SPDX-License-Identifier: BSD-2-Clause */
/* seal - see seal.h */

#include "common/seal.h"

#include <limits.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

static const unsigned char *bytes_of(struct slice slice)
{
    return (const unsigned char *)slice.p;
}

/* SEALED has the nonce and room for the rest. */
static bool encrypt(EVP_CIPHER_CTX *cipher, const uint8_t *key, struct slice about, struct slice text, uint8_t *sealed)
{
    uint8_t *out = sealed + SEAL_NONCE_BYTES;
    int len;

    return EVP_EncryptInit_ex2(cipher, EVP_aes_256_gcm(), key, sealed, NULL) == 1 &&
           EVP_EncryptUpdate(cipher, NULL, &len, bytes_of(about), (int)about.len) == 1 &&
           (text.len == 0 || EVP_EncryptUpdate(cipher, out, &len, bytes_of(text), (int)text.len) == 1) &&
           EVP_EncryptFinal_ex(cipher, out + text.len, &len) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, out + text.len) == 1;
}

bool seal_close(const uint8_t key[SEAL_KEY_BYTES], struct slice about, struct slice text, struct buf *sealed)
{
    EVP_CIPHER_CTX *cipher;
    uint8_t *room;
    bool done;

    if (text.len > INT_MAX || about.len > INT_MAX || !buf_reserve(sealed, text.len + SEAL_BYTES) || !(cipher = EVP_CIPHER_CTX_new()))
        return false;
    room = (uint8_t *)sealed->data + sealed->len;
    done = RAND_bytes(room, SEAL_NONCE_BYTES) == 1 && encrypt(cipher, key, about, text, room);
    EVP_CIPHER_CTX_free(cipher);
    sealed->len += done ? text.len + SEAL_BYTES : 0;
    sealed->data[sealed->len] = '\0';
    return done;
}

/* TEXT has room for what comes out, which is nobody's to read before the tag is proved. */
static bool decrypt(EVP_CIPHER_CTX *cipher, const uint8_t *key, struct slice about, const uint8_t *sealed, size_t text_len, uint8_t *text)
{
    const uint8_t *in = sealed + SEAL_NONCE_BYTES;
    uint8_t tag[SEAL_TAG_BYTES];
    int len;

    memcpy(tag, in + text_len, sizeof tag);
    return EVP_DecryptInit_ex2(cipher, EVP_aes_256_gcm(), key, sealed, NULL) == 1 &&
           EVP_DecryptUpdate(cipher, NULL, &len, bytes_of(about), (int)about.len) == 1 &&
           (text_len == 0 || EVP_DecryptUpdate(cipher, text, &len, in, (int)text_len) == 1) &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES, tag) == 1 &&
           EVP_DecryptFinal_ex(cipher, text + text_len, &len) == 1;
}

bool seal_open(const uint8_t key[SEAL_KEY_BYTES], struct slice about, struct slice sealed, struct buf *text)
{
    EVP_CIPHER_CTX *cipher;
    size_t text_len;
    bool done;

    if (sealed.len < SEAL_BYTES || sealed.len > INT_MAX || about.len > INT_MAX)
        return false;
    text_len = sealed.len - SEAL_BYTES;
    if (!buf_reserve(text, text_len) || !(cipher = EVP_CIPHER_CTX_new()))
        return false;
    done = decrypt(cipher, key, about, bytes_of(sealed), text_len, (uint8_t *)text->data + text->len);
    EVP_CIPHER_CTX_free(cipher);
    text->len += done ? text_len : 0;
    text->data[text->len] = '\0';
    return done;
}
