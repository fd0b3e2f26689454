/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent - what a User-Agent says of itself. Pure.
 *
 * Names are looked for where a word begins, so "curl/" is not found inside another name. One pass over
 * the text, whatever the number of names known.
 */
#ifndef PIXELD_AGENT_H
#define PIXELD_AGENT_H

#include "common/slice.h"

enum agent_class {
    AGENT_OTHER, /* nothing known: some program */
    AGENT_EMPTY,
    AGENT_SCANNER,     /* looks into links and mails for a security product */
    AGENT_PREVIEW,     /* draws a card for a chat or a search page */
    AGENT_LIBRARY,     /* a script */
    AGENT_CRAWLER,     /* calls itself bot, crawler or spider */
    AGENT_APPLE_MPP,   /* Apple Mail Privacy Protection: exactly "Mozilla/5.0" */
    AGENT_BARE_WEBKIT, /* Apple Mail without it, and fetchers of others */
    AGENT_GOOGLE_PREFETCH,
    AGENT_GOOGLE_PROXY,
    AGENT_YAHOO_PROXY,
    AGENT_FASTMAIL_PROXY,
    AGENT_SHORTWAVE_PROXY,
    AGENT_BROWSER /* a browser or a mail program with a full name */
};

enum agent_class agent_classify(struct slice user_agent);

#endif
