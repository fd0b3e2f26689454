/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command - what spoorctl can be asked; each command is a file of that name.
 *
 * A command gets its own words (argv[0] is "spoorctl" and its name), writes its result to stdout and what went wrong to stderr,
 * and returns the exit status: 0 done or yes, 1 failed or no, 64 (EX_USAGE) words that make no sense.
 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include "common/conf.h"

enum { COMMAND_DONE = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 64 };

int check_command(const struct conf *conf, int argc, char **argv);
int content_command(const struct conf *conf, int argc, char **argv);
int decode_command(const struct conf *conf, int argc, char **argv);
int invite_command(const struct conf *conf, int argc, char **argv);
int key_command(const struct conf *conf, int argc, char **argv);
int keygen_command(const struct conf *conf, int argc, char **argv);
int match_command(const struct conf *conf, int argc, char **argv);
int metrics_command(const struct conf *conf, int argc, char **argv);
int node_command(const struct conf *conf, int argc, char **argv);
int observed_command(const struct conf *conf, int argc, char **argv);
int postfix_command(const struct conf *conf, int argc, char **argv);
int rules_command(const struct conf *conf, int argc, char **argv);
int sink_command(const struct conf *conf, int argc, char **argv);
int spool_command(const struct conf *conf, int argc, char **argv);
int stamp_command(const struct conf *conf, int argc, char **argv);

#endif
