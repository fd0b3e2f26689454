/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * auth_results - what our own server found out about a sender (Authentication-Results, RFC 8601).
 *
 * Only fields with our authserv-id count, for anybody can write one; a server takes foreign ones with its id out (5). Pure.
 */
#ifndef MAIL_AUTH_RESULTS_H
#define MAIL_AUTH_RESULTS_H

#include "mail/header.h"

enum auth_results { AUTH_RESULTS_NONE /* nothing was checked here */, AUTH_RESULTS_PASS, AUTH_RESULTS_FAIL };

/* AUTHSERV_ID: the MTA's host name. A pass is one of DMARC, or without that of DKIM or SPF. */
enum auth_results auth_results_read(const struct header_list *headers, const char *authserv_id);

#endif
