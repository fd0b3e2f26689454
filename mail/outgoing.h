/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outgoing - what is done to a mail on its way out, decided once, when all of it is there.
 *
 * The ladder: ours? - its campaign - automatic? - the sender's wishes (X-Spoor-*) - policy - how much may be touched - number -
 * Message-ID and References - List-Unsubscribe - documents - pixel and links - record - return path. The first step that says no
 * gives the reason. Pure: it makes a plan; spoor-stamp applies it to the wire, `spoorctl stamp` to a file.
 *
 * Where the MTA makes a copy a recipient there are two passes. The first decides all of that, but leaves the body and adds
 * X-Spoor-Pass (pass.h); the second, outgoing_copy_plan(), edits the body of each copy for its recipient. The copies keep
 * the return path that the first pass gave the mail.
 */
#ifndef MAIL_OUTGOING_H
#define MAIL_OUTGOING_H

#include "common/conf.h"
#include "common/forgotten.h"
#include "common/keys.h"
#include "common/policy.h"
#include "common/record.h"
#include "common/sent_id.h"
#include "mail/header.h"
#include "mail/list_unsubscribe.h"
#include "mail/rewrite.h"
#include "mail/tracking.h"
#include "mail/way.h"

struct outgoing_mail { /* all as the MTA gives it; borrowed */
    const struct header_list *headers;
    struct slice body;
    const char *body_missing;     /* why the body was not gathered ("body_limit", "memory_limit"); NULL: it is all there */
    struct slice envelope_sender; /* without brackets; empty: null sender */
    const struct slice *recipient;
    size_t recipients;
    struct slice login;           /* {auth_authen}; empty: none */
    bool from_submit_network;     /* or by no SMTP at all */
    bool assume_ours;             /* `spoorctl stamp --ours` */
};

struct outgoing_file { /* that is to leave the mail */
    uint64_t message;
    unsigned number; /* of its link in the mail, from 1 */
    const struct document *document;
    struct slice bytes;
};

struct outgoing_settings {
    const struct conf *conf;
    struct keys *keys;
    /* The next message number; false: none to be had, the mail stays untouched. */
    bool (*number)(void *arg, uint64_t *id);
    /* Which of our mails have these ids, by which the mail names others. NULL: nobody to ask. */
    void (*sent_ids)(void *arg, struct sent_id *ids, size_t count);
    /* Puts a file where its link will find it; false: it stays attached. NULL: no file leaves. */
    bool (*store)(void *arg, const struct outgoing_file *file);
    /*
     * Gives numbers in MAIL, whose number and owner are known, to documents of other mails, from FIRST on; those that get
     * none keep 0. NULL: none do.
     */
    void (*carry)(void *arg, const struct record_message *mail, unsigned first, struct tracking_document *document,
                  size_t count);
    void *arg;
    const struct policy *policy; /* NULL: nothing is said of anybody */
    const struct forgotten *forgotten; /* NULL: nobody is */
    bool forgotten_unknown; /* somebody may be, but who cannot be known */
    bool has_second_pass; /* X-Spoor-Pass is nobody's but ours, in whatever mail it comes */
    int64_t now_s;        /* since 1970 UTC; used where there is a second pass */
};

struct outgoing_header_edit {
    const char *name; /* static, or of the mail's headers */
    unsigned nth;     /* of that name, from 1; one more than there are adds a field */
    char *value;      /* folded with "\n\t"; NULL removes; owned */
};

struct outgoing_text;

struct outgoing_plan {
    const char *reason;  /* static word: why nothing, or less than all, is done; NULL when all is */
    struct slice whom;   /* whose policy made the mail's level what it is: an address; empty: nobody's */
    bool tracked;        /* it gets a number and a record */
    bool id_replaced;    /* Message-ID is ours */
    enum list_unsubscribe_offer unsubscribe; /* what was added for who wants no more of the campaign */
    bool passed_on;      /* to the second pass, which edits the body */
    bool is_copy;        /* made by the second pass */
    bool twin;           /* In-Reply-To names a mail by its signed id now */
    struct outgoing_header_edit *edit;
    size_t edits;
    size_t controls;     /* the first of them remove our control headers: due even when nothing else may be done */
    const char *return_path; /* what the envelope sender becomes; NULL: it stays */
    struct rewrite_result rewrite; /* `changed` says whether the body is replaced */
    struct record_message record;  /* host, queue id and time are the caller's to fill; campaign and owner stand in it
                                      also when the mail is not tracked */
    struct document_list *documents; /* files that were asked to leave; those with a number do; NULL: none were */
    unsigned carried;              /* links to documents that other mails brought */
    size_t counted;      /* behind the record's recipients stand these, who get the mail but are not to be named */
    struct outgoing_text *text;    /* behind the record's slices */
    struct way way;      /* the steps it went, each with its reason */
    bool failed;         /* no memory: the mail must go untouched */
};

/* PLAN is to be freed in any case. */
void outgoing_plan_make(const struct outgoing_mail *mail, const struct outgoing_settings *settings,
                        struct outgoing_plan *plan);
void outgoing_plan_free(struct outgoing_plan *plan);

/*
 * The second pass. The plan is `tracked` when a valid X-Spoor-Pass came with the mail; its record then holds the mail's
 * number and, where recipients are recorded, to whom this copy goes. X-Spoor-Pass goes in any case.
 */
void outgoing_copy_plan(const struct outgoing_mail *mail, const struct outgoing_settings *settings,
                        struct outgoing_plan *plan);

/* For outgoing_settings.store where nothing is changed: tells what would be. */
bool outgoing_store_dry(void *arg, const struct outgoing_file *file);

/* "id,anchor,unsubscribe,documents:1,pixel:1,links:3,cleaned:2", or "-". For the log line. */
void outgoing_plan_summary(const struct outgoing_plan *plan, struct buf *out);

/* Links to documents that the mail has, whoever brought them. */
unsigned outgoing_plan_documents(const struct outgoing_plan *plan);

/* " level=WORD whom=<ADDRESS>" where somebody's policy held the mail back; without a level it is not tracked. For the log line. */
void outgoing_plan_whom(const struct outgoing_plan *plan, struct buf *out);

/* The ladder's first step, alone: NULL when the mail is ours, else the reason. OWNER gets a normalised address. */
const char *outgoing_not_ours(const struct outgoing_mail *mail, const struct outgoing_settings *settings, struct buf *owner);

#endif
