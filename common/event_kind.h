/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_kind - the kinds of events, and how people are told of them by the feed and by sinks; one table for all programs.
 *
 * Another kind is a row here and a letter in spoor.event_kind_name(). What makes such events is a kind of record
 * (store_cargo.c), a value of an enum that has a letter (store_event.h), or the database itself. Pure.
 */
#ifndef COMMON_EVENT_KIND_H
#define COMMON_EVENT_KIND_H

struct event_kind {
    char letter;         /* spoor.event.kind; NUL: not there */
    const char *what;    /* its word, as in spoor.feed and spoor.conf */
    const char *did;     /* "Ann ..." */
    const char *did_to;  /* "Ann ... SUBJECT" */
    const char *heading; /* "...: SUBJECT" */
    const char *icon;    /* a shape of the feed's style sheet */
};

/* NULL for a word that is no event's, or is told to nobody. */
const struct event_kind *event_kind_of(const char *what);

#endif
