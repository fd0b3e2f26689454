/* SPDX-License-Identifier: BSD-2-Clause */
/* db_options - see db_options.h */

#include "common/db_options.h"

#include <libpq-fe.h>
#include <string.h>

static void add_option(struct buf *options, const PQconninfoOption *option)
{
    buf_add_f(options, "%s%s '", options->len ? ", " : "", option->keyword);
    for (const char *at = option->val; *at; at++) {
        if (*at == '\'')
            buf_add_char(options, *at);
        buf_add_char(options, *at);
    }
    buf_add_char(options, '\'');
}

bool db_server_options(const char *conninfo, struct buf *options, struct buf *password, struct buf *why)
{
    static const char *const taken[] = {"host", "hostaddr", "port", "dbname", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey", "service",
                                        "connect_timeout", "tcp_user_timeout"};
    char *error = NULL;
    PQconninfoOption *parsed = PQconninfoParse(conninfo, &error);

    if (!parsed)
        buf_add_str(why, error ? error : "no memory");
    PQfreemem(error);
    for (const PQconninfoOption *option = parsed; option && option->keyword; option++) {
        if (!option->val)
            continue;
        if (strcmp(option->keyword, "password") == 0)
            buf_add_str(password, option->val);
        for (size_t n = 0; n < sizeof taken / sizeof *taken; n++)
            if (strcmp(option->keyword, taken[n]) == 0)
                add_option(options, option);
    }
    PQconninfoFree(parsed);
    return parsed != NULL;
}
