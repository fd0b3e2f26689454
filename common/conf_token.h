/* SPDX-License-Identifier: BSD-2-Clause */
/* conf_token - what stands in bounce_address for a signed token, and how long that will be. */
#ifndef COMMON_CONF_TOKEN_H
#define COMMON_CONF_TOKEN_H

#define CONF_TOKEN "+{token}@"
enum { CONF_TOKEN_TEXT = 52 };

#endif
