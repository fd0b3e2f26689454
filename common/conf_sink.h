/* SPDX-License-Identifier: BSD-2-Clause */
/* conf_sink - where spoor-relay sends what happens: sink NAME { ... } of spoor.conf. Part of a struct conf. */
#ifndef COMMON_CONF_SINK_H
#define COMMON_CONF_SINK_H

#include "common/conf_list.h"

#include <stdbool.h>
#include <stdint.h>

enum conf_sink_type { SINK_WEBHOOK, SINK_SALESFORCE, SINK_MAIL, SINK_TYPES };
enum conf_sink_none { SINK_NONE_TASK, SINK_NONE_SKIP };
enum conf_sink_several { SINK_SEVERAL_NEWEST, SINK_SEVERAL_OLDEST, SINK_SEVERAL_TASK, SINK_SEVERAL_SKIP };

struct conf_sink {
    char *name;
    enum conf_sink_type type;
    bool reply_text;
    int64_t batch;              /* 0: what fits the type */
    int64_t attempts;
    int64_t retry_first_ms, retry_most_ms;
    int64_t timeout_ms;
    struct conf_list allow_networks; /* CIDR */
    char *ca_file;              /* "" the system's */
    char *url;                  /* of a webhook */
    struct conf_list secret_files;
    char *login_url;            /* salesforce, down to task_status; no trailing slash */
    char *client_id;
    char *username;
    char *private_key_file;
    char *api_version;
    char *external_id;
    bool at_least_once;
    enum conf_sink_none when_none;
    enum conf_sink_several when_several;
    char *task_status;
    char *server;               /* mail, down to ehlo_name */
    char *from;
    char *envelope_sender;      /* "" the null sender */
    char *ehlo_name;
};

const char *conf_sink_type_name(enum conf_sink_type type); /* as in spoor.conf */

#endif
