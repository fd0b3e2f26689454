/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/crowd.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { BUCKETS = 4096, IPV6_CLIENT_BYTES = 8 };

struct client_count {
    struct client_count *next;
    uint8_t client[16];
    unsigned connections;
};

struct crowd {
    pthread_mutex_t lock; /* of the buckets */
    struct client_count *bucket[BUCKETS];
    uint64_t seed; /* so that nobody can choose addresses that share a bucket */
    unsigned most;
    const struct network_list *exempt;
};

struct crowd *crowd_new(unsigned most, const struct network_list *exempt)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);

    if (crowd == NULL)
        return NULL;
    crowd->most = most;
    crowd->exempt = exempt;
    if (getrandom(&crowd->seed, sizeof crowd->seed, 0) != sizeof crowd->seed)
        crowd->seed = (uintptr_t)crowd;
    pthread_mutex_init(&crowd->lock, NULL);
    return crowd;
}

void crowd_free(struct crowd *crowd)
{
    if (crowd == NULL)
        return;
    for (size_t n = 0; n < BUCKETS; n++)
        while (crowd->bucket[n]) {
            struct client_count *count = crowd->bucket[n];

            crowd->bucket[n] = count->next;
            free(count);
        }
    pthread_mutex_destroy(&crowd->lock);
    free(crowd);
}

/* False for whom no limit holds. */
static bool client_of_address(const struct crowd *crowd, const struct sockaddr *address, uint8_t client[16])
{
    static const uint8_t ipv4[12] = {[10] = 0xff, [11] = 0xff};

    if (!network_address_of(address, client))
        return false;
    if (crowd->exempt && network_list_has_address(crowd->exempt, client))
        return false;
    if (memcmp(client, ipv4, sizeof ipv4) != 0)
        memset(client + IPV6_CLIENT_BYTES, 0, 16 - IPV6_CLIENT_BYTES);
    return true;
}

/* Where the pointer to the client's count stands, or would stand. */
static struct client_count **find(struct crowd *crowd, const uint8_t client[16])
{
    uint64_t hash = crowd->seed;
    struct client_count **at;

    for (size_t n = 0; n < 16; n++)
        hash = (hash ^ client[n]) * 0x9e3779b97f4a7c15 + (hash >> 29);
    at = &crowd->bucket[(hash >> 32) % BUCKETS];
    while (*at && memcmp((*at)->client, client, 16) != 0)
        at = &(*at)->next;
    return at;
}

bool crowd_enter(struct crowd *crowd, const struct sockaddr *address)
{
    struct client_count **at;
    uint8_t client[16];
    bool room = true;

    if (!client_of_address(crowd, address, client))
        return true;
    pthread_mutex_lock(&crowd->lock);
    at = find(crowd, client);
    if (*at == NULL) {
        *at = calloc(1, sizeof **at);
        if (*at)
            memcpy((*at)->client, client, sizeof client);
    }
    if (*at)
        room = ++(*at)->connections <= crowd->most;
    pthread_mutex_unlock(&crowd->lock);
    return room;
}

void crowd_leave(struct crowd *crowd, const struct sockaddr *address)
{
    struct client_count **at;
    uint8_t client[16];

    if (!client_of_address(crowd, address, client))
        return;
    pthread_mutex_lock(&crowd->lock);
    at = find(crowd, client);
    if (*at && --(*at)->connections == 0) {
        struct client_count *gone = *at;

        *at = gone->next;
        free(gone);
    }
    pthread_mutex_unlock(&crowd->lock);
}
