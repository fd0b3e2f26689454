/* SPDX-License-Identifier: BSD-2-Clause */
/* keys - see keys.h */

#include "common/keys.h"

#include "common/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

enum { IDS = 256, FILE_MAX = 256 * 1024, ALLOWED_MODE = 0640, FIRST_ID = 1 };

/* Of one key only what was derived is kept; the secret itself leaves memory with the file. */
struct key {
    uint8_t derived[KEYS_LABELS][KEYS_MAC_BYTES];
};

struct key_set {
    struct key *by_id[IDS];
    size_t count;
    uint8_t signing_id;
    bool has_address;
    uint8_t address[KEYS_SECRET_BYTES];
};

struct keys {
    pthread_rwlock_t lock;
    char *path;
    struct key_set *set;
};

/* OpenSSL contexts are dear to make and must not be shared: each thread keeps its own until it ends. */
struct engine {
    EVP_MAC_CTX *mac;
    bool keyed; /* MAC has SECRET for its key */
    uint8_t secret[KEYS_SECRET_BYTES];
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

static void engine_make_key(void)
{
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
static bool engine_set_key(struct engine *engine, const uint8_t secret[KEYS_SECRET_BYTES])
{
    if (engine->keyed && CRYPTO_memcmp(engine->secret, secret, KEYS_SECRET_BYTES) == 0)
        return EVP_MAC_init(engine->mac, NULL, 0, NULL) == 1;
    memcpy(engine->secret, secret, KEYS_SECRET_BYTES);
    engine->keyed = EVP_MAC_init(engine->mac, secret, KEYS_SECRET_BYTES, NULL) == 1;
    return engine->keyed;
}

static bool hmac_sha256(const uint8_t secret[KEYS_SECRET_BYTES], const struct slice *parts, size_t count,
                        uint8_t mac[KEYS_MAC_BYTES])
{
    struct engine *engine = engine_get();
    size_t len = 0;

    if (!engine || !engine_set_key(engine, secret))
        return false;
    for (size_t n = 0; n < count; n++)
        if (parts[n].len && EVP_MAC_update(engine->mac, (const unsigned char *)parts[n].p, parts[n].len) != 1)
            return false;
    return EVP_MAC_final(engine->mac, mac, &len, KEYS_MAC_BYTES) == 1 && len == KEYS_MAC_BYTES;
}

static bool key_derive(struct key *key, const uint8_t secret[KEYS_SECRET_BYTES])
{
    for (unsigned label = 0; label < KEYS_LABELS; label++) {
        const char number = (char)label;
        const struct slice parts[] = {slice_str("spoor derived key "), slice_of(&number, 1)};

        if (!hmac_sha256(secret, parts, 2, key->derived[label]))
            return false;
    }
    return true;
}

static void key_set_free(struct key_set *set)
{
    if (!set)
        return;
    for (size_t id = 0; id < IDS; id++)
        if (set->by_id[id])
            OPENSSL_clear_free(set->by_id[id], sizeof *set->by_id[id]);
    OPENSSL_clear_free(set, sizeof *set);
}

static int hex_value(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool secret_read(struct slice hex, uint8_t secret[KEYS_SECRET_BYTES])
{
    if (hex.len != 2 * KEYS_SECRET_BYTES)
        return false;
    for (size_t at = 0; at < KEYS_SECRET_BYTES; at++) {
        int high = hex_value(hex.p[2 * at]), low = hex_value(hex.p[2 * at + 1]);

        if (high < 0 || low < 0)
            return false;
        secret[at] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool id_read(struct slice text, uint8_t *id)
{
    unsigned value = 0;

    if (text.len == 0 || text.len > 3)
        return false;
    for (size_t at = 0; at < text.len; at++) {
        if (!ascii_is_digit(text.p[at]))
            return false;
        value = value * 10 + (unsigned)(text.p[at] - '0');
    }
    *id = (uint8_t)value;
    return value < IDS;
}

static struct slice next_word(struct slice *line)
{
    size_t len = 0;
    struct slice word;

    *line = slice_trim(*line);
    while (len < line->len && !ascii_is_space(line->p[len]))
        len++;
    word = slice_of(line->p, len);
    *line = slice_from(*line, len);
    return word;
}

/* "address HEX": why it is wrong, or NULL */
static const char *address_line(struct key_set *set, struct slice line)
{
    if (set->has_address)
        return "a second address secret";
    if (!secret_read(next_word(&line), set->address))
        return "the address secret is not 64 hex digits";
    set->has_address = true;
    return slice_empty(slice_trim(line)) ? NULL : "something stands behind the secret";
}

/* "key ID HEX": why it is wrong, or NULL */
static const char *key_line(struct key_set *set, struct slice line)
{
    uint8_t secret[KEYS_SECRET_BYTES], id;
    const char *why = NULL;
    struct key *key;

    if (!id_read(next_word(&line), &id))
        return "the key id is not a number from 0 to 255";
    if (set->by_id[id])
        return "this key id stands here twice";
    if (!secret_read(next_word(&line), secret))
        return "the key is not 64 hex digits";
    key = OPENSSL_zalloc(sizeof *key);
    set->by_id[id] = key;
    if (!key || !key_derive(key, secret))
        why = "out of memory";
    OPENSSL_cleanse(secret, sizeof secret);
    if (set->count++ == 0)
        set->signing_id = id;
    return why || slice_empty(slice_trim(line)) ? why : "something stands behind the key";
}

static const char *read_line(struct key_set *set, struct slice line)
{
    const char *comment = line.len ? memchr(line.p, '#', line.len) : NULL;
    struct slice word;

    if (comment)
        line.len = (size_t)(comment - line.p);
    word = next_word(&line);
    if (slice_empty(word))
        return NULL;
    if (slice_is(word, "address"))
        return address_line(set, line);
    if (slice_is(word, "key"))
        return key_line(set, line);
    return "neither `address` nor `key`";
}

static bool read_lines(struct key_set *set, struct slice text, const char *path, struct buf *error)
{
    for (unsigned number = 1; text.len; number++) {
        const char *end = memchr(text.p, '\n', text.len);
        size_t len = end ? (size_t)(end - text.p) : text.len;
        const char *why = read_line(set, slice_of(text.p, len));

        if (why) {
            buf_add_f(error, "%s:%u: %s", path, number, why);
            return false;
        }
        text = slice_from(text, len + 1);
    }
    if (!set->has_address || set->count == 0) {
        buf_add_f(error, "%s: no %s in it; spoorctl keygen makes a key file", path,
                  set->has_address ? "`key` line" : "`address` line");
        return false;
    }
    return true;
}

/* Opens only what is a file of a sane size that strangers cannot read. */
static int open_private(const char *path, struct stat *status, struct buf *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, status) != 0)
        buf_add_f(error, "%s: cannot open the key file: %s", path, strerrordesc_np(errno));
    else if (!S_ISREG(status->st_mode))
        buf_add_f(error, "%s: the key file is not a regular file", path);
    else if (status->st_mode & 07777 & ~(mode_t)ALLOWED_MODE)
        buf_add_f(error, "%s: mode %04o lets others at the keys; use 0640 or less", path,
                  (unsigned)(status->st_mode & 07777));
    else if (status->st_size > FILE_MAX)
        buf_add_f(error, "%s: larger than a key file can be", path);
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Plain read() into one block, so that no copy of a secret stays behind in stdio or realloc. */
static struct key_set *key_set_load(const char *path, struct buf *error)
{
    struct key_set *set = NULL;
    struct stat status;
    char *text;
    ssize_t len;
    int fd = open_private(path, &status, error);

    if (fd < 0)
        return NULL;
    text = malloc(FILE_MAX);
    len = text ? read(fd, text, FILE_MAX) : -1;
    if (len < 0)
        buf_add_f(error, "%s: cannot read the key file: %s", path, strerrordesc_np(errno));
    else
        set = OPENSSL_zalloc(sizeof *set);
    close(fd);
    if (set && !read_lines(set, slice_of(text, (size_t)len), path, error)) {
        key_set_free(set);
        set = NULL;
    }
    if (len > 0)
        OPENSSL_cleanse(text, (size_t)len);
    free(text);
    return set;
}

struct keys *keys_load(const char *path, struct buf *error)
{
    struct key_set *set = key_set_load(path, error);
    struct keys *keys = set ? calloc(1, sizeof *keys) : NULL;

    if (!keys || !(keys->path = strdup(path)) || pthread_rwlock_init(&keys->lock, NULL) != 0) {
        if (set)
            buf_add_f(error, "%s: out of memory", path);
        key_set_free(set);
        if (keys)
            free(keys->path);
        free(keys);
        return NULL;
    }
    keys->set = set;
    return keys;
}

bool keys_reload(struct keys *keys, struct buf *error)
{
    struct key_set *fresh = key_set_load(keys->path, error), *old;

    if (!fresh)
        return false;
    pthread_rwlock_wrlock(&keys->lock);
    old = keys->set;
    if (!keys_equal(old->address, fresh->address, sizeof old->address)) {
        pthread_rwlock_unlock(&keys->lock);
        buf_add_f(error, "%s: the address secret changed, on which all recipient keys depend", keys->path);
        key_set_free(fresh);
        return false;
    }
    keys->set = fresh;
    pthread_rwlock_unlock(&keys->lock);
    key_set_free(old);
    return true;
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    key_set_free(keys->set);
    pthread_rwlock_destroy(&keys->lock);
    free(keys->path);
    free(keys);
}

static bool add_fresh_file(struct buf *out)
{
    uint8_t secrets[2][KEYS_SECRET_BYTES];

    if (!keys_random(secrets, sizeof secrets) || !buf_reserve(out, 2048))
        return false;
    buf_add_str(out, "# Keys of Spoor. The address line never changes. The first key signs, all verify.\naddress ");
    hex_add(out, secrets[0], KEYS_SECRET_BYTES);
    buf_add_f(out, "\nkey %d ", FIRST_ID);
    hex_add(out, secrets[1], KEYS_SECRET_BYTES);
    buf_add_char(out, '\n');
    OPENSSL_cleanse(secrets, sizeof secrets);
    return !out->failed;
}

bool keys_create(const char *path, struct buf *error)
{
    struct buf text;
    bool made;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        buf_add_f(error, "%s: cannot make the key file: %s", path, strerrordesc_np(errno));
        return false;
    }
    buf_init(&text, 4096);
    errno = 0;
    made = add_fresh_file(&text) && write(fd, text.data, text.len) == (ssize_t)text.len && fsync(fd) == 0;
    if (!made) {
        buf_add_f(error, "%s: cannot write the key file: %s", path,
                  errno ? strerrordesc_np(errno) : "not enough room or randomness");
        unlink(path);
    }
    if (text.data)
        OPENSSL_cleanse(text.data, text.size);
    buf_free(&text);
    close(fd);
    return made;
}

uint8_t keys_signing_id(struct keys *keys)
{
    uint8_t id;

    pthread_rwlock_rdlock(&keys->lock);
    id = keys->set->signing_id;
    pthread_rwlock_unlock(&keys->lock);
    return id;
}

size_t keys_count(struct keys *keys)
{
    size_t count;

    pthread_rwlock_rdlock(&keys->lock);
    count = keys->set->count;
    pthread_rwlock_unlock(&keys->lock);
    return count;
}

bool keys_has(struct keys *keys, uint8_t id)
{
    bool has;

    pthread_rwlock_rdlock(&keys->lock);
    has = keys->set->by_id[id] != NULL;
    pthread_rwlock_unlock(&keys->lock);
    return has;
}

bool keys_mac(struct keys *keys, uint8_t id, unsigned label, const struct slice *parts, size_t count,
              uint8_t mac[KEYS_MAC_BYTES])
{
    const struct key *key;
    bool made;

    if (label >= KEYS_LABELS)
        return false;
    pthread_rwlock_rdlock(&keys->lock);
    key = keys->set->by_id[id];
    made = key && hmac_sha256(key->derived[label], parts, count, mac);
    pthread_rwlock_unlock(&keys->lock);
    return made;
}

bool keys_address_mac(struct keys *keys, struct slice address, uint8_t mac[KEYS_MAC_BYTES])
{
    bool made;

    pthread_rwlock_rdlock(&keys->lock);
    made = hmac_sha256(keys->set->address, &address, 1, mac);
    pthread_rwlock_unlock(&keys->lock);
    return made;
}

uint32_t keys_recipient(struct keys *keys, struct slice address)
{
    uint8_t mac[KEYS_MAC_BYTES];
    uint32_t recipient;

    if (!keys_address_mac(keys, address, mac))
        return 0;
    recipient = (uint32_t)mac[0] << 24 | (uint32_t)mac[1] << 16 | (uint32_t)mac[2] << 8 | mac[3];
    return recipient ? recipient : 1;
}

bool keys_sha256(const struct slice *parts, size_t count, uint8_t digest[32])
{
    struct engine *engine = engine_get();

    if (!engine || EVP_DigestInit_ex2(engine->digest, engine->sha256, NULL) != 1)
        return false;
    for (size_t n = 0; n < count; n++)
        if (parts[n].len && EVP_DigestUpdate(engine->digest, parts[n].p, parts[n].len) != 1)
            return false;
    return EVP_DigestFinal_ex(engine->digest, digest, NULL) == 1;
}

bool keys_random(void *bytes, size_t len)
{
    return RAND_bytes_ex(NULL, bytes, len, 256) == 1;
}

bool keys_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
