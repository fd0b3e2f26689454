/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed_visit - one request for a page of the feed while it is answered at the desk, and what its pages share.
 */
#ifndef PIXELD_FEED_VISIT_H
#define PIXELD_FEED_VISIT_H

#include "common/store_feed.h"
#include "pixeld/feed_entry.h"
#include "pixeld/feed_servers.h"
#include "pixeld/route.h"
#include "pixeld/site.h"

enum { FEED_ASK_MS = 5000, FEED_PAGE_MAX = 8 * 1024 * 1024, SECRET_TEXT = 64, UUID_TEXT = 36 };

struct feed_visit {
    struct site *site;
    const struct request *request;
    struct slice rest; /* of the path, behind "/feed" */
    struct feed_servers servers;
    struct db *db;     /* the first server; NULL: it is away. Of the page of a mail the server that has it */
    char prefix[256];  /* the path of tracking_url, for links */
    char secret[SECRET_TEXT + 1]; /* in the session's cookie; "" none of our form */
    char device[UUID_TEXT + 1];   /* in the device's cookie; "" none of our form */
    struct db_result *session;    /* its row; NULL: nobody is signed in */
    const char *address, *name, *form;
    bool sees_all;
};

/* From the cookies. False when no server could be asked. Release it in any case. */
bool feed_visit_begin(struct feed_visit *visit, bool with_session);
void feed_visit_release(struct feed_visit *visit);

/* May this POST act? Its origin is ours and, with a session, its form is that session's. */
bool feed_visit_may_act(const struct feed_visit *visit);

/* Adds what the query has for NAME, decoded; nothing when it is not there or no text. */
void feed_visit_argument(const struct feed_visit *visit, const char *name, struct buf *out);

/* A whole page: the head with TITLE, then, with a session, the bar on top. END closes it. */
void feed_html_begin(struct buf *html, const struct feed_visit *visit, const char *title, const char *current, bool refreshes);
void feed_add_brand(struct buf *html, const struct feed_visit *visit); /* our name and mark */
void feed_html_end(struct buf *html);

/* HTML is emptied. COOKIES are values of Set-Cookie; NULL ends them. */
struct http_answer feed_html_answer(struct feed_visit *visit, unsigned status, struct buf *html, const char *const *cookies);
struct http_answer feed_redirect(struct feed_visit *visit, const char *path, const char *const *cookies);
struct http_answer feed_unavailable(struct feed_visit *visit);

/* A page of a title and one paragraph. */
struct http_answer feed_message(struct feed_visit *visit, unsigned status, const char *title, const char *words);

/* The row of an event as an entry. PLACE is room for the words of its place, valid as long as the entry. */
void feed_entry_of_row(const struct feed_visit *visit, const struct db_result *rows, size_t row, struct buf *place,
                       struct feed_entry *entry);

#endif
