/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sent_id - what is asked about a Message-ID that is not signed: is it one of our mails, and by which id does the world
 * know that mail?
 */
#ifndef COMMON_SENT_ID_H
#define COMMON_SENT_ID_H

#include "common/slice.h"

#include <stdint.h>

enum { SENT_ID_MAX = 250 /* bytes of one id; longer ones are read out of no mail */ };

struct sent_id {
    struct slice id;            /* asked for: no brackets, any case; borrowed */
    uint64_t message;           /* the newest of our mails that has it; 0: none, or nobody could tell */
    char sent[SENT_ID_MAX + 1]; /* the id that mail left with, when that is another one; "" */
};

#endif
