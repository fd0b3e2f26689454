/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_run - see outgoing_run.h */

#include "tests/unit/outgoing_run.h"

#include "common/message_id.h"

#include <stdlib.h>
#include <unistd.h>

void outgoing_run_free(struct outgoing_run *run)
{
    outgoing_plan_free(&run->plan);
    header_list_free(&run->headers);
}

static struct keys *new_keys(void)
{
    char path[] = "/tmp/spoor-test-keys-XXXXXX";
    struct keys *keys = NULL;
    int file = mkstemp(path);
    struct buf error;

    if (file < 0)
        return NULL;
    close(file);
    unlink(path);
    buf_init(&error, 1000);
    if (keys_create(path, &error))
        keys = keys_load(path, &error);
    unlink(path);
    buf_free(&error);
    return keys;
}

struct keys *outgoing_prepare(struct conf *conf)
{
    static char *ours[] = {(char *)"example.com"};

    conf->tracking_url = (char *)"https://t.example.com";
    conf->unsubscribe_address = (char *)"";
    conf->local_domains = (struct conf_list){.item = ours, .count = 1};
    conf->stamp.message_id_domain = (char *)"t.example.com";
    conf->stamp.bounce_address = conf->stamp.listen_copies = (char *)"";
    conf->stamp.body_limit = 1000000;
    conf->stamp.views = conf->stamp.links = true;
    return new_keys();
}

bool outgoing_number(void *arg, uint64_t *id)
{
    (void)arg;
    *id = message_id_compose(1790000000000, 3, 4);
    return true;
}
