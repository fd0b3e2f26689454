/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event - one row of the outbox as a sink sees it: what happened, to which mail, by whom.
 *
 * Read from the JSON that spoor.outbox_item() makes. Texts are owned by the event, "" where there is nothing. Pure.
 */
#ifndef RELAY_EVENT_H
#define RELAY_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EVENT_ADDRESSES = 5 };

struct event {
    int64_t number;
    int64_t attempts;        /* before this one */
    char *item;              /* the JSON itself, to be handed on */
    const char *key;         /* the same for the same event, whenever it is told */
    const char *what;        /* sent, reply, view, ... */
    const char *at;          /* RFC 3339, UTC */
    const char *person;      /* an address, or "one of 3" */
    const char *subject;     /* of the tracked mail */
    const char *owner, *sender, *campaign;
    const char *text;        /* of a reply */
    const char *answer_from, *answer_subject, *status;
    const char *destination; /* of a link */
    const char *detail;
    const char *to;          /* whom a mail about it goes to */
    const char *address[EVENT_ADDRESSES]; /* who it is about, as far as that is known by address */
    size_t addresses;
    bool gap;                /* an earlier one about this mail was given up */
    void *root;              /* json_t */
};

/* False when ITEM is no such JSON, or memory is short; nothing to free then. */
bool event_read(const char *item, struct event *event);
void event_free(struct event *event);

/* The lines of a digest: AT, WHAT, PERSON, SUBJECT, DETAIL; false behind the last. */
struct event_line {
    const char *at, *what, *person, *subject, *detail;
};
bool event_digest_line(const struct event *event, size_t n, struct event_line *line);
size_t event_digest_total(const struct event *event);

#endif
