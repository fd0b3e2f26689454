/* SPDX-License-Identifier: BSD-2-Clause */
/* way_log - one debug line that tells a mail's way. */
#ifndef MILTER_WAY_LOG_H
#define MILTER_WAY_LOG_H

#include "mail/way.h"

void way_log(const struct way *way);

#endif
