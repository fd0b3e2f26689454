/* SPDX-License-Identifier: BSD-2-Clause */
/* key - spoorctl key add | promote | retire | revoke | list: the life of a key. */

#include "common/clock.h"
#include "common/digest.h"
#include "common/store.h"
#include "ctl/command.h"
#include "ctl/key_change.h"
#include "ctl/key_edit.h"
#include "ctl/key_nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 5000, ERROR_MAX = 1024 };

/* What every command begins with. */
struct work {
    const struct conf *conf;
    struct key_change *change;
    struct keys *keys; /* what a daemon makes of the file */
    struct db *db;     /* NULL without memory */
    bool asked;        /* the database answers */
    struct buf error;  /* of the key file */
};

static const char *const advice =
    "copy it to every host that runs Spoor and have the daemons there load it again (SIGHUP)";

/* One line on stderr; gives false, for what is refused. */
static bool complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool complain(const char *format, ...)
{
    va_list args;

    fputs("spoorctl key: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return false;
}

static const char *database_error(const struct work *work)
{
    return work->db ? db_error(work->db) : "out of memory";
}

static const struct key_entry *entry_of(const struct work *work, int id)
{
    return &work->change->file.key[id];
}

/* --- into the file ---------------------------------------------------------------------------------- */

/* Room for all at once: no copy of a secret stays behind. */
static bool begin_text(struct buf *text)
{
    buf_init(text, KEY_FILE_MAX);
    return buf_reserve(text, KEY_FILE_MAX) || complain("out of memory");
}

static bool end_text(struct work *work, struct buf *text, bool made)
{
    bool written = made && key_change_write(work->change, buf_slice(text), &work->error);

    if (!made)
        complain("%s: larger than a key file can be", work->change->path);
    else if (!written)
        complain("%s", buf_text(&work->error));
    if (text->data)
        explicit_bzero(text->data, text->size);
    buf_free(text);
    return written;
}

static bool write_states(struct work *work, const struct key_wish *wishes, size_t count)
{
    struct buf text;

    return begin_text(&text) &&
           end_text(work, &text, key_edit_states(work->change->text, &work->change->file, wishes, count,
                                                 clock_wall_us(), &text));
}

/* --- add --------------------------------------------------------------------------------------------- */

/* The id for a new key: WANTED, or with -1 one that was never used. -1: refused. */
static int choose_id(const struct work *work, int wanted)
{
    bool used[KEY_IDS] = {false};
    int id;

    if (!work->asked || !key_nodes_used(work->db, used))
        complain("cannot ask the database which ids were used before, only %s was looked at: %s", work->change->path,
                 database_error(work));
    if (wanted < 0) {
        id = key_edit_free_id(&work->change->file, used);
        if (id < 0)
            complain("all %d ids were used, and none is ever used again", KEY_IDS);
        return id;
    }
    if (entry_of(work, wanted)->state != KEY_UNKNOWN)
        complain("%s has a key %d (%s); an id is never used again", work->change->path, wanted,
                 key_state_name(entry_of(work, wanted)->state));
    else if (used[wanted])
        complain("id %d was used before, as the database knows; an id is never used again", wanted);
    else
        return wanted;
    return -1;
}

static bool add(struct work *work, int wanted, bool force)
{
    uint8_t secret[KEY_SECRET_BYTES];
    int id = choose_id(work, wanted);
    struct buf text;
    bool made;

    (void)force;
    if (id < 0)
        return false;
    if (!digest_random(secret, sizeof secret))
        return complain("the system gives no random numbers");
    made = begin_text(&text) &&
           end_text(work, &text, key_edit_add(work->change->text, (uint8_t)id, secret, clock_wall_us(), &text));
    explicit_bzero(secret, sizeof secret);
    if (made)
        printf("%s: key %d added, it only verifies; %s, then spoorctl key promote %d\n", work->change->path,
               id, advice, id);
    return made;
}

/* --- promote ------------------------------------------------------------------------------------------ */

/* Programs that stand in the way. */
struct hindrance {
    int id;
    size_t count;
};

static void name_lacking(void *arg, const struct key_holder *holder)
{
    struct hindrance *lacking = arg;
    const char *why = "does not have it";

    if (holder->holds)
        return;
    if (strcmp(holder->held, "unreported") == 0)
        why = "has never said which keys it has";
    else if (strcmp(holder->held, "other") == 0)
        why = "has another key under this id";
    else if (strcmp(holder->held, key_state_name(KEY_REVOKED)) == 0)
        why = "has it as revoked";
    complain("key %d cannot sign yet: %s on %s (spool %s, last heard of %s) %s", lacking->id, holder->program,
             holder->host, holder->spool, holder->last_seen, why);
    lacking->count++;
}

/* What is signed by a key that one daemon lacks would lead nowhere there. */
static bool all_have(struct work *work, int id, bool force)
{
    struct hindrance lacking = {.id = id};

    if (work->asked && key_nodes_each(work->db, work->keys, (uint8_t)id, name_lacking, &lacking)) {
        if (lacking.count)
            return complain("have them load the key file as it is here (SIGHUP); one that is gone for good is taken out by"
                            " spoorctl node retire");
        return true;
    }
    if (!force)
        return complain("cannot ask the database which programs have key %d: %s; --force promotes it unasked",
                        id, database_error(work));
    complain("WARNING: the database could not be asked (%s): a program that lacks key %d will not know the links and"
             " ids of new mail", database_error(work), id);
    return true;
}

static bool promote(struct work *work, int id, bool force)
{
    const struct key_wish wishes[] = {
        {.id = work->change->file.signing_id, .state = KEY_VERIFIES},
        {.id = (uint8_t)id, .state = KEY_SIGNS},
    };

    switch (entry_of(work, id)->state) {
    case KEY_SIGNS:
        return complain("key %d signs already", id);
    case KEY_RETIRED:
    case KEY_REVOKED:
        return complain("key %d is %s and never signs again; spoorctl key add makes another", id,
                        key_state_name(entry_of(work, id)->state));
    default:
        break;
    }
    if (!all_have(work, id, force) || !write_states(work, wishes, sizeof wishes / sizeof *wishes))
        return false;
    printf("%s: key %d signs, key %u verifies; %s\n", work->change->path, id, wishes[0].id, advice);
    return true;
}

/* --- retire, revoke ------------------------------------------------------------------------------------ */

static bool end_key(struct work *work, int id, enum key_state state)
{
    const struct key_wish wish = {.id = (uint8_t)id, .state = state};
    enum key_state now = entry_of(work, id)->state;

    if (now == KEY_SIGNS)
        return complain("key %d is the one that signs; promote another first", id);
    if (now == KEY_REVOKED || now == state)
        return complain("key %d is %s already", id, key_state_name(now));
    if (!write_states(work, &wish, 1))
        return false;
    printf("%s: key %d is %s; %s\n", work->change->path, id, key_state_name(state), advice);
    return true;
}

static bool retire(struct work *work, int id, bool force)
{
    (void)force;
    return end_key(work, id, KEY_RETIRED);
}

static void name_signing(void *arg, const struct key_holder *holder)
{
    struct hindrance *signing = arg;

    if (strcmp(holder->held, key_state_name(KEY_SIGNS)) != 0)
        return;
    complain("key %d cannot be revoked yet: %s on %s (spool %s, last heard of %s) signs with it still", signing->id,
             holder->program, holder->host, holder->spool, holder->last_seen);
    signing->count++;
}

/*
 * The file may name another key since it was loaded: what is signed meanwhile would be dead for ever. But to
 * revoke is urgent, so it does not wait for the database.
 */
static bool none_signs(struct work *work, int id, bool force)
{
    struct hindrance signing = {.id = id};

    if (!work->asked || !key_nodes_each(work->db, work->keys, (uint8_t)id, name_signing, &signing))
        complain("cannot ask the database which programs sign with key %d still: %s", id, database_error(work));
    else if (signing.count && !force)
        return complain("have them load the key file as it is here (SIGHUP); one that is gone for good is taken out by"
                        " spoorctl node retire; --force revokes it all the same");
    else if (signing.count)
        complain("WARNING: what these sign until they have loaded the key file is worth nothing");
    return true;
}

static bool revoke(struct work *work, int id, bool force)
{
    enum key_state now = entry_of(work, id)->state;

    return (now == KEY_SIGNS || now == KEY_REVOKED || none_signs(work, id, force)) && end_key(work, id, KEY_REVOKED);
}

/* --- list -------------------------------------------------------------------------------------------- */

struct holders {
    const char *state; /* in the file */
    struct buf having;
    struct buf lacking;
};

static void sort_holder(void *arg, const struct key_holder *holder)
{
    struct holders *holders = arg;
    struct buf *list = holder->holds ? &holders->having : &holders->lacking;

    buf_add_f(list, "%s%s:%s@%s", list->len ? "," : "", holder->spool, holder->program, holder->host);
    if (strcmp(holder->held, holders->state) != 0 && strcmp(holder->held, "no") != 0)
        buf_add_f(list, "/%s", holder->held);
}

static bool list_key(struct work *work, int id)
{
    const struct key_entry *entry = entry_of(work, id);
    struct holders holders = {.state = key_state_name(entry->state)};
    bool answered;

    buf_init(&holders.having, KEY_FILE_MAX);
    buf_init(&holders.lacking, KEY_FILE_MAX);
    answered = work->asked && key_nodes_each(work->db, work->keys, (uint8_t)id, sort_holder, &holders);
    printf("key=%d state=%s", id, holders.state);
    if (entry->since.len)
        printf(" since=%.*s", SLICE_ARG(entry->since));
    if (holders.having.len)
        printf(" held_by=%s", buf_text(&holders.having));
    if (holders.lacking.len)
        printf(" lacked_by=%s", buf_text(&holders.lacking));
    putchar('\n');
    buf_free(&holders.having);
    buf_free(&holders.lacking);
    return answered;
}

static bool list(struct work *work, int none, bool force)
{
    bool answered = true;

    (void)none, (void)force;
    for (int id = 0; id < KEY_IDS; id++)
        if (entry_of(work, id)->state != KEY_UNKNOWN)
            answered = list_key(work, id) && answered;
    return answered ||
           complain("cannot ask the database which programs have the keys: %s", database_error(work));
}

/* --- the command ------------------------------------------------------------------------------------- */

static const struct action {
    const char *name;
    bool (*run)(struct work *work, int id, bool force);
    enum { ID_NONE, ID_NEW, ID_THERE } id;
    bool takes_force;
    bool changes; /* the file */
    bool asks;    /* the database */
} actions[] = {
    {"add", add, .id = ID_NEW, .changes = true, .asks = true},
    {"promote", promote, .id = ID_THERE, .takes_force = true, .changes = true, .asks = true},
    {"retire", retire, .id = ID_THERE, .changes = true},
    {"revoke", revoke, .id = ID_THERE, .takes_force = true, .changes = true, .asks = true},
    {"list", list, .id = ID_NONE, .asks = true},
};

static const struct action *find_action(const char *name)
{
    for (size_t n = 0; n < sizeof actions / sizeof *actions; n++)
        if (strcmp(actions[n].name, name) == 0)
            return &actions[n];
    return NULL;
}

static bool open_work(struct work *work, const struct action *action)
{
    const char *path = work->conf->key_file;

    if (!key_change_open(work->change, path, action->changes, &work->error) ||
        !(work->keys = keys_load(path, &work->error)))
        return complain("%s", buf_text(&work->error));
    if (action->asks)
        work->db = db_new(work->conf->database, "spoorctl");
    work->asked = work->db && store_connect(work->db, ASK_MS);
    return true;
}

static bool run(const struct conf *conf, const struct action *action, int id, bool force)
{
    struct work work = {.conf = conf, .change = malloc(sizeof *work.change)};
    bool done = false;

    buf_init(&work.error, ERROR_MAX);
    if (!work.change)
        return complain("out of memory");
    if (open_work(&work, action)) {
        if (action->id == ID_THERE && entry_of(&work, id)->state == KEY_UNKNOWN)
            complain("%s has no key %d; spoorctl key list tells which there are", work.change->path, id);
        else
            done = action->run(&work, id, force);
    }
    db_free(work.db);
    keys_free(work.keys);
    key_change_close(work.change);
    buf_free(&work.error);
    free(work.change);
    return done;
}

/* -1 for what is none. */
static int id_of(const char *text)
{
    char *end;
    long id = strtol(text, &end, 10);

    return ascii_is_digit(*text) && *end == '\0' && id >= 0 && id < KEY_IDS ? (int)id : -1;
}

int key_command(const struct conf *conf, int argc, char **argv)
{
    const struct action *action = argc > 1 ? find_action(argv[1]) : NULL;
    bool force = action && action->takes_force && argc > 2 && strcmp(argv[2], "--force") == 0;
    int first = force ? 3 : 2, id = -1;

    if (!action || argc > first + 1 || (argc > first && action->id == ID_NONE) ||
        (argc == first && action->id == ID_THERE))
        return COMMAND_USAGE;
    if (argc > first && (id = id_of(argv[first])) < 0) {
        complain("\"%s\" is no key id, which is a number from 0 to %d", argv[first], KEY_IDS - 1);
        return COMMAND_USAGE;
    }
    return run(conf, action, id, force) ? COMMAND_DONE : COMMAND_FAILED;
}
