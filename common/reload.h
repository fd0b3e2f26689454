/* SPDX-License-Identifier: BSD-2-Clause */
/* reload - what every daemon does at SIGHUP, with a log line that says how it went. */
#ifndef COMMON_RELOAD_H
#define COMMON_RELOAD_H

#include "common/keys.h"

/* On failure the old keys stay in use. */
void reload_keys(struct keys *keys);

#endif
