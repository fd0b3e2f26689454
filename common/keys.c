/* SPDX-License-Identifier: BSD-2-Clause */
/* keys - see keys.h */

#include "common/keys.h"

#include "common/big_endian.h"
#include "common/clock.h"
#include "common/date.h"
#include "common/digest.h"
#include "common/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

enum { FIRST_ID = 1 };

_Static_assert((int)KEY_SECRET_BYTES == (int)DIGEST_BYTES && (int)KEYS_MAC_BYTES == (int)DIGEST_BYTES, "as digest.h has them");

/* Of one key only what was derived is kept; the secret itself leaves memory with the file. */
struct key {
    enum key_state state;
    uint8_t derived[KEYS_LABELS][KEYS_MAC_BYTES];
};

struct key_set {
    struct key *by_id[KEY_IDS];
    size_t count;
    uint8_t signing_id;
    uint8_t address[KEY_SECRET_BYTES];
    uint8_t cache[KEYS_MAC_BYTES]; /* of the address secret */
};

struct keys {
    pthread_rwlock_t lock;
    char *path;
    unsigned labels; /* as bits */
    struct key_set *set;
    unsigned generation;
};

static bool has_label(unsigned labels, unsigned label)
{
    return labels >> label & 1;
}

static bool key_derive(struct key *key, unsigned labels, const uint8_t secret[KEY_SECRET_BYTES])
{
    for (unsigned label = 0; label < KEYS_LABELS; label++) {
        const char number = (char)label;
        const struct slice parts[] = {slice_str("spoor derived key "), slice_of(&number, 1)};

        if (has_label(labels, label) && !digest_hmac(secret, parts, 2, key->derived[label]))
            return false;
    }
    return true;
}

static void key_set_free(struct key_set *set)
{
    if (!set)
        return;
    for (size_t id = 0; id < KEY_IDS; id++)
        if (set->by_id[id])
            OPENSSL_clear_free(set->by_id[id], sizeof *set->by_id[id]);
    OPENSSL_clear_free(set, sizeof *set);
}

static struct key *key_new(const struct key_entry *entry, unsigned labels)
{
    struct key *key = OPENSSL_zalloc(sizeof *key);

    if (!key || !key_derive(key, labels, entry->secret)) {
        OPENSSL_clear_free(key, sizeof *key);
        return NULL;
    }
    key->state = entry->state;
    return key;
}

static struct key_set *key_set_new(const struct key_file *file, unsigned labels)
{
    const struct slice cache = slice_str("spoor cache");
    struct key_set *set = OPENSSL_zalloc(sizeof *set);

    if (!set)
        return NULL;
    if (!digest_hmac(file->address, &cache, 1, set->cache)) {
        key_set_free(set);
        return NULL;
    }
    set->count = file->count;
    set->signing_id = file->signing_id;
    memcpy(set->address, file->address, sizeof set->address);
    for (size_t id = 0; id < KEY_IDS; id++) {
        if (file->key[id].state != KEY_UNKNOWN && !(set->by_id[id] = key_new(&file->key[id], labels))) {
            key_set_free(set);
            return NULL;
        }
    }
    return set;
}

static struct key_set *key_set_load(const char *path, unsigned labels, struct buf *error)
{
    struct key_file *file = malloc(sizeof *file);
    struct key_set *set = NULL;
    struct slice text;

    if (file && !key_file_load(path, &text, error)) {
        free(file);
        return NULL;
    }
    if (file && key_file_read(text, path, file, error) && !(set = key_set_new(file, labels)))
        buf_add_f(error, "%s: out of memory", path);
    if (file) {
        key_file_wipe(file);
        key_file_release(&text);
    } else {
        buf_add_f(error, "%s: out of memory", path);
    }
    free(file);
    return set;
}

struct keys *keys_load_for(const char *path, unsigned labels, struct buf *error)
{
    unsigned wanted = labels | 1U << KEYS_LABEL_FINGERPRINT;
    struct key_set *set = key_set_load(path, wanted, error);
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
    keys->labels = wanted;
    keys->set = set;
    return keys;
}

struct keys *keys_load(const char *path, struct buf *error)
{
    return keys_load_for(path, (1U << KEYS_LABELS) - 1, error);
}

bool keys_reload(struct keys *keys, struct buf *error)
{
    struct key_set *fresh = key_set_load(keys->path, keys->labels, error), *old;

    if (!fresh)
        return false;
    pthread_rwlock_wrlock(&keys->lock);
    old = keys->set;
    if (!digest_equal(old->address, fresh->address, sizeof old->address)) {
        pthread_rwlock_unlock(&keys->lock);
        buf_add_f(error, "%s: the address secret changed, on which all recipient keys depend", keys->path);
        key_set_free(fresh);
        return false;
    }
    keys->set = fresh;
    keys->generation++;
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
    uint8_t secrets[2][KEY_SECRET_BYTES];

    if (!digest_random(secrets, sizeof secrets) || !buf_reserve(out, 2048))
        return false;
    buf_add_str(out, "# Keys of Spoor. The address line never changes. Lines are never taken out; see spoorctl key.\n"
                     "address ");
    hex_add(out, secrets[0], KEY_SECRET_BYTES);
    buf_add_f(out, "\nkey %d ", FIRST_ID);
    hex_add(out, secrets[1], KEY_SECRET_BYTES);
    buf_add_str(out, " signs ");
    date_add_exact(out, clock_wall_us());
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

enum key_state keys_state(struct keys *keys, uint8_t id)
{
    enum key_state state;

    pthread_rwlock_rdlock(&keys->lock);
    state = keys->set->by_id[id] ? keys->set->by_id[id]->state : KEY_UNKNOWN;
    pthread_rwlock_unlock(&keys->lock);
    return state;
}

unsigned keys_generation(struct keys *keys)
{
    unsigned generation;

    pthread_rwlock_rdlock(&keys->lock);
    generation = keys->generation;
    pthread_rwlock_unlock(&keys->lock);
    return generation;
}

bool keys_fingerprint(struct keys *keys, uint8_t id, uint8_t fingerprint[KEYS_FINGERPRINT_BYTES])
{
    const struct slice part = slice_str("spoor key fingerprint");
    uint8_t mac[KEYS_MAC_BYTES];

    if (keys_mac(keys, id, KEYS_LABEL_FINGERPRINT, &part, 1, mac) == KEY_UNKNOWN)
        return false;
    memcpy(fingerprint, mac, KEYS_FINGERPRINT_BYTES);
    return true;
}

enum key_state keys_mac(struct keys *keys, uint8_t id, unsigned label, const struct slice *parts, size_t count,
                        uint8_t mac[KEYS_MAC_BYTES])
{
    enum key_state state = KEY_UNKNOWN;
    const struct key *key;

    if (label >= KEYS_LABELS)
        return KEY_UNKNOWN;
    pthread_rwlock_rdlock(&keys->lock);
    key = keys->set->by_id[id];
    if (key && has_label(keys->labels, label) && digest_hmac(key->derived[label], parts, count, mac))
        state = key->state;
    pthread_rwlock_unlock(&keys->lock);
    return state;
}

bool keys_holds(enum key_state state)
{
    return state != KEY_UNKNOWN && state != KEY_REVOKED;
}

bool keys_address_mac(struct keys *keys, struct slice address, uint8_t mac[KEYS_MAC_BYTES])
{
    bool made;

    pthread_rwlock_rdlock(&keys->lock);
    made = digest_hmac(keys->set->address, &address, 1, mac);
    pthread_rwlock_unlock(&keys->lock);
    return made;
}

bool keys_cache_mac(struct keys *keys, const struct slice *parts, size_t count, uint8_t mac[KEYS_MAC_BYTES])
{
    bool made;

    pthread_rwlock_rdlock(&keys->lock);
    made = digest_hmac(keys->set->cache, parts, count, mac);
    pthread_rwlock_unlock(&keys->lock);
    return made;
}

uint32_t keys_recipient(struct keys *keys, struct slice address)
{
    uint8_t mac[KEYS_MAC_BYTES];
    uint32_t recipient;

    if (!keys_address_mac(keys, address, mac))
        return 0;
    recipient = (uint32_t)be_get(mac, sizeof recipient);
    return recipient ? recipient : 1;
}
