/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rewrite_check - fixed URLs for the rewriter, and what must hold for every mail.
 *
 * A URL of ours is TRACKING/o/SALT.gif, TRACKING/c/SALT-INDEX/DESTINATION or TRACKING/c/SALT-decoy/; of a document,
 * TRACKING/d/SALT-NUMBER in this mail and any other path behind /d/ in others: no signature, so that results
 * can be compared. Used by unit tests, fuzz targets and the benchmark; a broken promise aborts with a line
 * that names it.
 */
#ifndef TESTS_SUPPORT_REWRITE_CHECK_H
#define TESTS_SUPPORT_REWRITE_CHECK_H

#include "mail/rewrite.h"

#define CHECK_TRACKING_URL "https://t.example.com"

/* The files of a mail that may leave it, all of them with a number. Its names and numbers go into SETTINGS. */
void check_documents(const struct header_list *headers, struct slice body, struct document_list *list,
                     struct rewrite_settings *settings);

/* Everything on but decoys; tokens carry SALT, which must live as long as the settings. */
struct rewrite_settings check_settings(const char *salt);

/* Rewrites the mail (header and body, CRLF) and checks all promises. The caller frees RESULT. */
void check_rewrite(const struct header_list *headers, struct slice body,
                   const struct rewrite_settings *settings, struct rewrite_result *result);

/* Aborts unless HOLDS. */
void check_that(bool holds, const char *promise);

#endif
