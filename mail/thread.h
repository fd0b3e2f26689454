/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thread - keeps an answer in the thread that the sender's mail program shows.
 *
 * When a mail's Message-ID was replaced, here or by a relay, its answers name the id that it arrived with. References
 * holds the sender's own id too, where we replaced it, but some programs write In-Reply-To alone. RFC 5322 3.6.4. Pure.
 */
#ifndef MAIL_THREAD_H
#define MAIL_THREAD_H

#include "mail/incoming.h"

/*
 * IN_REPLY_TO gets the field's new value: the id by which the sender's program knows the mail that is answered. False
 * when it is to stay: that id is not known, the field names several mails or another one, or it is right already.
 */
bool thread_mend(const struct header_list *headers, const struct incoming_verdict *verdict, struct buf *in_reply_to);

#endif
