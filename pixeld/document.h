/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * document - /d/TOKEN: a document that left a mail is read here.
 *
 *     /d/TOKEN              all pages, or a note when there are none
 *     /d/TOKEN/3            one page, for browsers without a script
 *     /d/TOKEN/3-VERSION    its picture; VERSION is a hash of the document, so that it may be kept
 *     /d/TOKEN/download     the file itself
 *     /d/TOKEN/beacon       what the script tells
 * Unknown, expired and revoked links have one answer. Only the beacon is answered without the database.
 */
#ifndef PIXELD_DOCUMENT_H
#define PIXELD_DOCUMENT_H

#include "pixeld/route.h"
#include "pixeld/site.h"

struct http_answer document_answer(struct site *site, const struct request *request, const struct route *route);

/* At the desk. */
struct http_answer document_work(struct site *site, const struct request *request, const struct route *route, struct db *db);

#endif
