/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_document - what becomes of tracked documents, as records of a spool; see record.h, which all of it follows.
 *
 * Both carry a hit: whose mail, which attachment (`index`), when, who it probably was. Its kind says nothing here.
 */
#ifndef COMMON_RECORD_DOCUMENT_H
#define COMMON_RECORD_DOCUMENT_H

#include "common/record.h"

enum { VIEW_BYTES = 16 }; /* of what tells one opening of a document from all others */
enum { BEACON_PAGES_MAX = 512 };

enum document_act { /* on disk; words of document_act_name(): database */
    DOCUMENT_FETCHED = 1,   /* the viewer's page was asked for; robots do that, too */
    DOCUMENT_TURNED = 2,    /* a single page was, as browsers without a script do */
    DOCUMENT_DOWNLOADED = 3 /* the file itself was */
};

struct record_document { /* a request for a document, by spoor-pixeld */
    struct record_hit hit;
    enum document_act act;
    uint64_t document;        /* which was shown: the attachment may get another one later */
    uint16_t page;            /* DOCUMENT_TURNED: from 1 */
    uint8_t view[VIEW_BYTES]; /* zeros: not known */
};

struct beacon_page {
    uint16_t page; /* from 1 */
    uint32_t ms;   /* shown so far in this view */
};

struct record_beacon { /* what the viewer's script tells of one view; each has all that was counted so far */
    struct record_hit hit;
    uint8_t view[VIEW_BYTES];
    uint64_t document;
    int64_t started_us;
    uint32_t sequence;   /* they may come twice and out of order */
    uint32_t visible_ms;
    uint32_t trusted;    /* events of mouse, wheel, keys and touch that the browser itself vouches for */
    bool automated;      /* the browser says that a program drives it */
    uint16_t current;    /* page in sight; 0: none, the document was left */
    struct beacon_page page[BEACON_PAGES_MAX];
    size_t pages;
};

bool record_document_encode(const struct record_document *document, struct buf *out);
bool record_beacon_encode(const struct record_beacon *beacon, struct buf *out);

bool record_document_decode(struct slice payload, struct record_document *document);
bool record_beacon_decode(struct slice payload, struct record_beacon *beacon);

const char *document_act_name(enum document_act act);

#endif
