/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outcome - from how a program ended to what is found, and from that to a document's state, its reason and whether it
 * is tried again.
 *
 * Pure. What a document itself does to its converter, it will do again: that is the end. What the machine did may pass.
 */
#ifndef RENDER_OUTCOME_H
#define RENDER_OUTCOME_H

#include "render/child.h"
#include "render/file_type.h"

#include <stdbool.h>

enum finding {
    FOUND_FINE,        /* so far: no end yet */
    FOUND_ALL_PAGES,
    FOUND_FIRST_PAGES, /* there are more than are shown */
    FOUND_ENCRYPTED,
    FOUND_TOO_LARGE,
    FOUND_ZIP_BOMB,
    FOUND_MISMATCH,
    FOUND_DAMAGED,
    FOUND_UNREADABLE,
    FOUND_NO_PAGES,
    FOUND_TIMEOUT,     /* of its computing time */
    FOUND_CRASH,
    FOUND_BAD_OUTPUT,
    FOUND_NO_SANDBOX,
    FOUND_NO_CONVERTER,
    FOUND_LATE,        /* by the clock on the wall: the machine may be busy */
    FOUND_KILLED,      /* by somebody, such as the kernel that was short of memory */
    FOUND_UNSTARTED,   /* no process, no memory */
    FOUND_INCOMPLETE,  /* the database lacks a part of it */
    FOUND_NOT_STORED,  /* the database refuses its pages */
    FOUND_STOPPED,     /* we end */
    FOUND_AWAY,        /* the database went */
    FOUND_LOST,        /* somebody else has the job */
    FINDINGS
};

enum stage { STAGE_OFFICE, STAGE_INFO, STAGE_PAGES };

enum finding finding_of_look(enum file_look look);
/* FOUND_FINE when the program did its work. What its consumer refused is for the consumer to name. */
enum finding finding_of_child(enum stage stage, const struct child_result *result);

enum { ATTEMPTS_MOST = 3 };

struct outcome {
    const char *state;  /* a spoor.document_state; "pending": tried again; NULL: given back as it was */
    const char *reason; /* NULL: none */
    int wait_s;         /* before it is tried again */
};

/* ATTEMPTS: with this one. */
struct outcome outcome_of(enum finding finding, int attempts);

#endif
