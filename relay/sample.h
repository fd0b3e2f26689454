/* SPDX-License-Identifier: BSD-2-Clause */
/* sample - one made-up event to a sink, and what the other side says to it. */
#ifndef RELAY_SAMPLE_H
#define RELAY_SAMPLE_H

/* argv: "sample" NAME CONFIGURATION. The exit status: 0 when it was taken. */
int sample_command(int argc, char **argv);

#endif
