/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sql_script - a migration's text: its marks and its statements.
 *
 * Pure. Marks are comment lines at the very top: "-- outside a transaction" and "-- compatible from N".
 */
#ifndef CTL_SQL_SCRIPT_H
#define CTL_SQL_SCRIPT_H

#include "common/slice.h"

struct sql_marks {
    bool outside_transaction;
    int compatible_from; /* 0: not said */
};

struct sql_marks sql_script_marks(struct slice script);

/* Takes the next statement, without its semicolon, off the front of SCRIPT; false when only blanks and comments are left. */
bool sql_script_next(struct slice *script, struct slice *statement);

#endif
