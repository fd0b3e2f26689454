/* SPDX-License-Identifier: BSD-2-Clause */
/* mlfi_socket - the socket at which libmilter serves: how it is opened, to whom it belongs, and how libmilter lets it go. */
#ifndef MILTER_MLFI_SOCKET_H
#define MILTER_MLFI_SOCKET_H

#include "common/buf.h"
#include "common/conf.h"

#include <stdbool.h>

/* With its mode and group. After smfi_register(), before privileges are dropped. */
bool mlfi_socket_open(const struct conf_milter *conf, struct buf *error);
/* Has smfi_main() return, in whichever thread it is. LISTEN is where it was opened. */
void mlfi_socket_close(const char *listen);

#endif
