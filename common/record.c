/* SPDX-License-Identifier: BSD-2-Clause */
/* record - see record.h; the bytes of each kind are in record_message.c and its neighbours, the words in record_words.c */

#include "common/record.h"

#include "common/little_endian.h"

/* Fields are added at the end only, so these places stay. */
bool record_time(uint8_t kind, struct slice payload, int64_t *time_us)
{
    static const uint8_t places[] = {
        [RECORD_MESSAGE] = 8, [RECORD_HIT] = 15,         [RECORD_ANSWER] = 12,
        [RECORD_STOP] = 12,   [RECORD_UNSUBSCRIBE] = 12, [RECORD_REFUSED] = 12,
        [RECORD_DELIVERY] = 1, [RECORD_DOCUMENT] = 17,   [RECORD_BEACON] = 17,
    };
    size_t at = kind < sizeof places ? places[kind] : 0;

    if (at == 0 || payload.len < at + sizeof *time_us)
        return false;
    *time_us = (int64_t)le64_get(payload.p + at);
    return true;
}

bool record_message_of(uint8_t kind, struct slice payload, uint64_t *message)
{
    static const struct {
        bool named;
        uint8_t at;
    } places[] = {
        [RECORD_MESSAGE] = {true, 0}, [RECORD_HIT] = {true, 1},         [RECORD_ANSWER] = {true, 0},
        [RECORD_STOP] = {true, 0},    [RECORD_UNSUBSCRIBE] = {true, 0}, [RECORD_REFUSED] = {true, 0},
        [RECORD_COPY] = {true, 0},    [RECORD_DOCUMENT] = {true, 3},    [RECORD_BEACON] = {true, 3},
    };

    if (kind >= sizeof places / sizeof *places || !places[kind].named || payload.len < places[kind].at + sizeof *message)
        return false;
    *message = le64_get(payload.p + places[kind].at);
    return true;
}
