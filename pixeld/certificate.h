/* SPDX-License-Identifier: BSD-2-Clause */
/* certificate - the files of spoor.conf that tls shows: read at the start, and again at SIGHUP. */
#ifndef PIXELD_CERTIFICATE_H
#define PIXELD_CERTIFICATE_H

#include "common/buf.h"
#include "common/conf.h"

#include <stdbool.h>

/*
 * Nothing to do, and true, where no address speaks TLS. As the user who will load it again: a file that only root may read is
 * found out now. Warns of a certificate that has expired.
 */
bool certificate_open(const struct conf *conf, struct buf *error);
/* A renewed one is shown from now on; else the old one stays. Logs which. */
void certificate_reload(const struct conf *conf);

#endif
