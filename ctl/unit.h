/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit - the systemd unit of a daemon, as far as it says how libpq finds the database.
 */
#ifndef CTL_UNIT_H
#define CTL_UNIT_H

#include "common/conf.h"

/*
 * Sets here what the unit of that daemon sets of libpq's variables, PGPASSFILE and its like, but for those that are set already. Does
 * nothing where there is no systemd or no such unit. Not for threads.
 */
void unit_take_environment(enum conf_part part);

#endif
