/* SPDX-License-Identifier: BSD-2-Clause */
/* keyword - the word that begins a structured field: "auto-replied" of "(x) auto-replied (vacation); a=b". Pure. */
#ifndef MAIL_KEYWORD_H
#define MAIL_KEYWORD_H

#include "common/slice.h"

/* Comments before it are skipped; empty when there is none. VALUE may be NULL; the slice points into it. */
struct slice keyword_of(const char *value);

#endif
