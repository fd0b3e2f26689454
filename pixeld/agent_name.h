/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent_name - a User-Agent in words for people: "Firefox on Windows". Pure.
 */
#ifndef PIXELD_AGENT_NAME_H
#define PIXELD_AGENT_NAME_H

#include "common/buf.h"

/* Adds nothing for one that tells nothing. NULL is fine. */
void agent_name(const char *agent, struct buf *out);

#endif
