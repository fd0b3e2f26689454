/* SPDX-License-Identifier: BSD-2-Clause */
/* invite - spoorctl invite ADDRESS: a link that lets a sender into the Live Feed once */

#include "common/address.h"
#include "common/db.h"
#include "common/store.h"
#include "ctl/command.h"

#include <stdio.h>

enum { ASK_MS = 5000 };

static const struct db_statement invite = {"invite", "select spoor.invite($1)", 1};

static const struct db_statement is_sender = {
    "is_sender",
    "select exists (select from spoor.sender w where w.address = $1 and (w.sees_all or exists ("
    "select from spoor.message m where m.owner = any (spoor.owners_of(w)))))", 1};

/* A slip in the address would make a page that stays empty for ever. Of several servers the first does not have all mail. */
static void doubt(const struct conf *conf, struct db *db, const char *address)
{
    struct db_result *known = conf->shards.count == 0 ? db_ask(db, &is_sender, &address, ASK_MS) : NULL;

    if (known && *db_value(known, 0, 0) == 'f')
        fprintf(stderr, "spoorctl: no mail of %s is known: the page is empty until there is some\n", address);
    db_result_free(known);
}

static bool print_link(const struct conf *conf, struct db *db, const char *address)
{
    struct db_result *result = db_ask(db, &invite, &address, ASK_MS);

    if (result)
        printf("%s%s\n", conf->tracking_url, db_value(result, 0, 0));
    else
        fprintf(stderr, "spoorctl: %s\n", db_error(db));
    db_result_free(result);
    return result != NULL;
}

static bool ask(const struct conf *conf, const char *address)
{
    struct db *db = db_new(conf->database, "spoorctl");
    bool done = false;

    if (db && store_connect(db, ASK_MS))
        done = print_link(conf, db, address);
    else
        fprintf(stderr, "spoorctl: %s\n", db ? db_error(db) : "out of memory");
    if (done)
        doubt(conf, db, address);
    db_free(db);
    return done;
}

int invite_command(const struct conf *conf, int argc, char **argv)
{
    struct buf address;
    bool readable, done = false;

    if (argc != 2)
        return COMMAND_USAGE;
    buf_init(&address, ADDRESS_MAX);
    readable = address_normalize(slice_str(argv[1]), &address);
    if (!readable)
        fprintf(stderr, "spoorctl: \"%s\" is no mail address\n", argv[1]);
    else if (!*conf->tracking_url)
        fprintf(stderr, "spoorctl: %s: tracking_url is missing: the link would lead nowhere\n", conf->path);
    else
        done = ask(conf, buf_text(&address));
    buf_free(&address);
    return done ? COMMAND_DONE : COMMAND_FAILED;
}
