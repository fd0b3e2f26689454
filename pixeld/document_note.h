/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * document_note - what is done with documents, into the spool; as site_record() for hits.
 */
#ifndef PIXELD_DOCUMENT_NOTE_H
#define PIXELD_DOCUMENT_NOTE_H

#include "common/record_document.h"
#include "pixeld/site.h"
#include "pixeld/view_id.h"

/* VIEW may be NULL. What only looks ahead (prefetch) is not noted. Gives what the answer has to wait for, or 0. */
uint64_t document_note(struct site *site, const struct request *request, const struct token *token, enum document_act act,
                       uint64_t document, int page, const struct view_id *view);

/* /d/TOKEN/beacon, under a token that was verified. */
struct http_answer document_take_beacon(struct site *site, const struct request *request, const struct token *token);

#endif
