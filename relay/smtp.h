/* SPDX-License-Identifier: BSD-2-Clause */
/* smtp - hands a mail to the MTA (RFC 5321); with https.c the only user of libcurl. One thread, a connection a mail. */
#ifndef RELAY_SMTP_H
#define RELAY_SMTP_H

#include "common/buf.h"
#include "common/conf.h"

struct smtp_answer {
    long code;      /* of the last reply; 0: there was none */
    bool taken;
    char why[256];  /* when it was not taken */
};

/* SENDER "" is the null reverse-path. LETTER ends its lines in CRLF. */
void smtp_send(const struct conf_sink *sink, const char *recipient, struct slice letter, struct smtp_answer *answer);

#endif
