/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mime - the parts of a mail as offsets into its body (RFC 2045, 2046).
 *
 * One pass, nothing copied but types and charsets, no recursion; depth and number of parts are bounded.
 * Any doubt (no usable boundary, a field twice, an unknown encoding, broken part headers, too deep) makes
 * the part opaque: readers may disagree about it, so nobody should edit it. What lies below a signed,
 * encrypted or report multipart is opaque too. Forwarded messages are leaves.
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include "common/slice.h"
#include "mail/header.h"

/* No real mail comes near; the product bounds what a hostile one costs. */
enum { MIME_DEPTH_MAX = 32, MIME_PARTS_MAX = 1000, MIME_NO_PARENT = -1 };

enum mime_encoding { MIME_IDENTITY, MIME_QUOTED_PRINTABLE, MIME_BASE64 };

struct mime_part {
    size_t at, len; /* the content, without header and delimiter */
    size_t begin;   /* the delimiter line before its header; 0 for the whole body */
    size_t header;  /* its header */
    size_t next;    /* the delimiter line of the same multipart behind it; 0: it does not end cleanly */
    int parent;     /* index of the multipart it lies in */
    char *type;     /* lower case; owned */
    char *charset;  /* "" when not given; owned */
    char *boundary; /* whose delimiters its children stand between; NULL: it is not scanned; owned */
    char *name;     /* of a file, in UTF-8 as far as it could be decoded; NULL: none, or two of them; owned */
    enum mime_encoding encoding;
    const char *opaque;     /* a static word why nobody should edit it, or NULL */
    bool attachment;        /* not shown in place, or with a file name */
    bool multipart;         /* scanned for children */
    bool protected_headers; /* RFC 9788 "hp", or its forerunner */
};

struct mime_tree {
    struct mime_part *part; /* part[0] is the whole body; a parent stands before its children */
    size_t count;
    size_t size; /* allocated */
};

/* False only without memory. Free the tree in any case. */
bool mime_scan(const struct header_list *headers, struct slice body, struct mime_tree *tree);
void mime_tree_free(struct mime_tree *tree);

/* The first part of TYPE that readers show, or MIME_NO_PARENT. */
int mime_first_shown(const struct mime_tree *tree, const char *type);

#endif
