/* SPDX-License-Identifier: BSD-2-Clause */
/* outcome - see outcome.h */

#include "render/outcome.h"

#include <signal.h>
#include <string.h>

enum { NOT_FOUND = 127, OF_SIGNAL = 128 /* a shell's exit status for a program that a signal ended */, FIRST_WAIT_S = 15 };

enum finding finding_of_look(enum file_look look)
{
    switch (look) {
    case LOOK_GOOD: return FOUND_FINE;
    case LOOK_MISMATCH: return FOUND_MISMATCH;
    case LOOK_ENCRYPTED: return FOUND_ENCRYPTED;
    case LOOK_ZIP_BOMB: return FOUND_ZIP_BOMB;
    case LOOK_DAMAGED: break;
    }
    return FOUND_DAMAGED;
}

static enum finding of_signal(int number)
{
    switch (number) {
    case SIGXCPU: return FOUND_TIMEOUT;
    case SIGKILL: case SIGTERM: return FOUND_KILLED;
    default: return FOUND_CRASH;
    }
}

static enum finding of_status(enum stage stage, const struct child_result *result)
{
    if (result->code == 0)
        return FOUND_FINE;
    if (result->code > OF_SIGNAL)
        return of_signal(result->code - OF_SIGNAL);
    if (result->code == NOT_FOUND)
        return FOUND_NO_CONVERTER;
    if (stage == STAGE_INFO && strstr(result->words, "Incorrect password"))
        return FOUND_ENCRYPTED;
    return FOUND_UNREADABLE;
}

enum finding finding_of_child(enum stage stage, const struct child_result *result)
{
    switch (result->end) {
    case CHILD_EXITED: return of_status(stage, result);
    case CHILD_SIGNALLED: return of_signal(result->code);
    case CHILD_LATE: return FOUND_LATE;
    case CHILD_STOPPED: return FOUND_STOPPED;
    case CHILD_REFUSED: return FOUND_BAD_OUTPUT;
    case CHILD_UNSTARTED: break;
    }
    return FOUND_UNSTARTED;
}

static const char ready[] = "ready", download_only[] = "download_only", failed[] = "failed";

static const struct {
    const char *state; /* in the end */
    const char *reason;
    bool may_pass;
} fates[FINDINGS] = {
    [FOUND_FINE] = {failed, "no_pages", false},
    [FOUND_ALL_PAGES] = {ready, NULL, false},
    [FOUND_FIRST_PAGES] = {ready, "first_pages", false},
    [FOUND_ENCRYPTED] = {download_only, "encrypted", false},
    [FOUND_TOO_LARGE] = {download_only, "too_large", false},
    [FOUND_ZIP_BOMB] = {download_only, "zip_bomb", false},
    [FOUND_MISMATCH] = {download_only, "type_mismatch", false},
    [FOUND_DAMAGED] = {download_only, "damaged", false},
    [FOUND_UNREADABLE] = {download_only, "unreadable", false},
    [FOUND_NO_PAGES] = {download_only, "no_pages", false},
    [FOUND_TIMEOUT] = {download_only, "timeout", false},
    [FOUND_CRASH] = {download_only, "crashed", false},
    [FOUND_BAD_OUTPUT] = {download_only, "bad_output", false},
    [FOUND_NO_SANDBOX] = {download_only, "no_sandbox", false},
    [FOUND_NO_CONVERTER] = {download_only, "no_converter", false},
    [FOUND_LATE] = {failed, "timeout", true},
    [FOUND_KILLED] = {failed, "killed", true},
    [FOUND_UNSTARTED] = {failed, "no_resources", true},
    [FOUND_INCOMPLETE] = {failed, "incomplete", true},
    [FOUND_NOT_STORED] = {failed, "not_stored", true},
};

struct outcome outcome_of(enum finding finding, int attempts)
{
    struct outcome outcome = {fates[finding].state, fates[finding].reason, 0};

    if (fates[finding].may_pass && attempts < ATTEMPTS_MOST) {
        outcome.state = "pending";
        outcome.wait_s = FIRST_WAIT_S * attempts * attempts;
    }
    return outcome;
}
