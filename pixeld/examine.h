/* SPDX-License-Identifier: BSD-2-Clause */
/* examine - what in a configuration would not work, or is rarely meant, beyond the form of each option. */
#ifndef PIXELD_EXAMINE_H
#define PIXELD_EXAMINE_H

#include "common/conf.h"

/* As daemon_options.examine. WARNING gets what examine_warn() says. */
bool examine_configuration(const struct conf *conf, struct buf *warning, struct buf *error);

/* A line for each thing that is allowed and rarely meant. */
void examine_warn(const struct conf *conf, struct buf *warning);

#endif
