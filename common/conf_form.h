/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_form - the forms that values of spoor.conf may have, and the one spelling in which each is kept.
 *
 * Each function appends to OUT what is kept, or returns false when TEXT has not the form. Pure. For conf.c alone.
 */
#ifndef COMMON_CONF_FORM_H
#define COMMON_CONF_FORM_H

#include "common/buf.h"

bool conf_form_path(struct slice text, struct buf *out);          /* absolute */
bool conf_form_log(struct slice text, struct buf *out);           /* absolute path, journal, journal:UNIT, journal:/PATH */
bool conf_form_name(struct slice text, struct buf *out);          /* letters, digits, - and _ */
bool conf_form_https_url(struct slice text, struct buf *out);     /* https only, no trailing slash, no user */
bool conf_form_tracking_url(struct slice text, struct buf *out);  /* http(s)://HOST[:PORT], lower case */
bool conf_form_milter_listen(struct slice text, struct buf *out); /* libmilter's: unix: local: inet: inet6: */
bool conf_form_http_listen(struct slice text, struct buf *out);   /* ADDRESS:PORT, [ADDRESS]:PORT */
bool conf_form_admin_listen(struct slice text, struct buf *out);  /* these, and unix:/PATH */
bool conf_form_server(struct slice text, struct buf *out);        /* HOST:PORT, or several with commas */
bool conf_form_network(struct slice text, struct buf *out);
bool conf_form_words(struct slice text, struct buf *out); /* of a page: ASCII without tags */
bool conf_form_domain(struct slice text, struct buf *out);        /* A-label */
bool conf_form_domains(struct slice text, struct buf *out);       /* several, with blanks between */
bool conf_form_full_domain(struct slice text, struct buf *out);   /* with a dot in it */
bool conf_form_address(struct slice text, struct buf *out);       /* in normal form */
bool conf_form_return_path(struct slice text, struct buf *out);   /* NAME+{token}@DOMAIN */
bool conf_form_whom(struct slice text, struct buf *out);          /* an address or a domain */
bool conf_form_crm_bcc(struct slice text, struct buf *out);       /* an address, or an address or domain, a blank and one */
bool conf_form_unsubscribe_address(struct slice text, struct buf *out); /* that takes +TOKEN, in a URL unescaped */
bool conf_form_link_domain(struct slice text, struct buf *out);   /* A-label, or "*." before one */
bool conf_form_document_type(struct slice text, struct buf *out); /* ending of a name, lower case */
bool conf_form_shard(struct slice text, struct buf *out);         /* a digit from 1 to 7, a blank, a conninfo */
bool conf_form_pattern(struct slice text, struct buf *out);       /* part of a URL, lower case; may hold stars */
bool conf_form_proxy_header(struct slice text, struct buf *out);

#endif
