/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf - spoor.conf: one file for all programs, one table row an option.
 *
 * Each option is one row of the table in conf.c: section, name, type with unit, default, range and a
 * line of help. The same table fills struct conf, rejects what it does not know with file and line,
 * prints `-T` and is what the manual is checked against. A struct conf is read-only once loaded: a
 * reload makes a new one. libconfuse is used by conf_load.c alone.
 */
#ifndef COMMON_CONF_H
#define COMMON_CONF_H

#include "common/buf.h"
#include "common/conf_list.h"
#include "common/conf_sink.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum conf_mode { MODE_TRACK, MODE_OBSERVE };
enum conf_campaign_unknown { CAMPAIGN_UNKNOWN_TEMPFAIL, CAMPAIGN_UNKNOWN_SEND };
enum conf_stop_scope { STOP_SCOPE_RECIPIENT, STOP_SCOPE_DOMAIN };
enum conf_unsubscribe_scope { UNSUBSCRIBE_SENDER, UNSUBSCRIBE_ALL };
enum conf_senders { SENDERS_LOCAL, SENDERS_ALL };
enum conf_honour_gpc { HONOUR_GPC_NO, HONOUR_GPC_AGGREGATE, HONOUR_GPC_DROP };
enum conf_message_id { MESSAGE_ID_AUTO, MESSAGE_ID_STAMP, MESSAGE_ID_KEEP };

enum { CONF_SHARD_PREFIX = 2, CONF_SHARD_MOST = 7 };

struct conf_milter { /* what both milters have */
    char *listen;
    int64_t socket_mode;        /* of a unix socket, octal in the file */
    char *socket_group;         /* "" leaves it */
    int64_t drain_timeout_ms;   /* how long SIGTERM waits for mails under way */
};

struct conf {
    char *path;                 /* the file it came from */
    char *key_file;
    char *key_group;            /* may read it; "": the group of `user` */
    char *tracking_url;         /* no trailing slash */
    char *database;             /* libpq conninfo of the first server */
    struct conf_list shards;    /* of further ones: the number, CONF_SHARD_PREFIX bytes with its blank, then the conninfo */
    int64_t shard;              /* which one has the mail of this host */
    int64_t database_timeout_ms; /* deadline of a question asked while a mail waits */
    char *memcached;            /* "host:port,host:port"; "" none */
    int64_t memcached_timeout_ms;
    char *spool_directory;
    int64_t spool_segment_bytes;
    int64_t spool_max_bytes;    /* above it the spool counts as full */
    int64_t spool_keep_s;       /* loaded segments stay this long */
    int64_t spool_sync_ms;      /* spoor-pixeld: most time between an answer and its fdatasync; 0: before it */
    char *instance;             /* tells several of one program on a host apart */
    char *user;                 /* "" stays who it is; {daemon} stands for the name of each, see conf_part_user() */
    char *pid_directory;        /* "" writes no pid file */
    int64_t log_level;          /* syslog priority */
    int64_t memory_limit;       /* bytes of mail held by one daemon */
    int64_t campaign_settle_s;  /* after the database was away, stops may be on their way to it as long */
    char *unsubscribe_address;  /* normal form; "": nobody unsubscribes by mail */
    enum conf_unsubscribe_scope unsubscribe_scope;
    enum conf_mode mode;
    struct conf_list track_only;   /* addresses or domains; empty: all */
    struct conf_list local_domains;
    struct conf_list organisation; /* domains of one organisation, a blank between each two; see organisation.h */
    struct {
        struct conf_milter milter;
        bool copies;               /* the body is edited copy by copy, in the second pass */
        char *listen_copies;       /* where the second pass is; "" nowhere */
        enum conf_message_id message_id;
        char *message_id_domain;   /* when From's domain is not ours */
        char *bounce_address;      /* NAME+{token}@DOMAIN, a local domain; "" leaves the envelope sender */
        struct conf_list submit_networks; /* CIDR */
        int64_t body_limit;        /* bytes */
        bool track_auto_generated;
        bool track_dkim_signed;
        bool views;
        bool links;
        enum conf_campaign_unknown campaign_unknown;
        enum conf_stop_scope campaign_stop_scope;
        int64_t pause_max_s;
        bool list_unsubscribe;     /* campaign mail without List-Unsubscribe gets it */
        bool text_links;           /* links in plain text too */
        bool decoy_link;           /* a link that no person follows */
        struct conf_list crm_bcc;  /* ADDRESS, or WHOM and ADDRESS with a blank between; normal form */
        bool crm_bcc_local;        /* also of mail with local recipients alone */
        bool consent_footer;       /* a link with which the recipient stops tracking */
        char *consent_text;        /* what it says; HTML in ASCII, without tags; texts say it too */
        struct conf_list attachments;       /* patterns of names: such files leave the mail unless it says otherwise */
        struct conf_list attachment_types;  /* endings of names, lower case */
        int64_t attachment_smallest, attachment_largest; /* bytes; others stay attached */
        int64_t document_timeout_ms;        /* most time that a mail's files may take to be stored */
        struct conf_list sensitive_links;   /* lower case; "*" is any run of characters */
        struct conf_list untracked_domains; /* A-label, or "*." before one */
    } stamp;
    struct {
        struct conf_milter milter;
        int64_t body_limit;        /* bytes; a larger body is not looked into */
        struct conf_list clean_recipients; /* domains; empty: local_domains */
        bool clean;
        bool keep_reply_text;
        bool stop_on_other;
        char *bounce_mailbox;      /* for mail to a return path whose sender is not known; "" leaves it */
    } match;
    struct {
        struct conf_list listen;   /* ADDRESS:PORT, [ADDRESS]:PORT */
        struct conf_list listen_tls;
        char *tls_certificate;     /* PEM files */
        char *tls_key;
        struct conf_list admin_listen; /* these, and unix:PATH */
        int64_t threads;           /* 0: one a core */
        int64_t connections;       /* most at once, all threads together */
        int64_t connections_per_address; /* 0: no limit */
        int64_t header_timeout_ms; /* whole request header */
        int64_t idle_timeout_s;
        int64_t drain_timeout_ms;
        struct conf_list trusted_proxies; /* CIDR */
        char *proxy_header;        /* "x-forwarded-for" or "forwarded" */
        bool anonymize_ip;
        enum conf_honour_gpc honour_gpc; /* and DNT */
        char *place_database;      /* of MaxMind's form; "" none */
        char *sign_in_server;      /* HOST:PORT of the local MTA; "" nobody signs in by mail */
    } pixeld;
    struct {
        struct conf_list log;      /* files */
        enum conf_senders senders;
        int64_t poll_ms;
    } delivery;
    struct {
        int64_t poll_ms;
        int64_t keep_s;            /* what was sent stays in the outbox as long */
        char *metrics_file;        /* "" none */
    } relay;
    struct {
        char *user;                /* "": `user` */
        int64_t jobs;              /* documents at once; 0: one a core */
        int64_t pages;             /* most of one document */
        int64_t size_limit;        /* bytes of a document */
        int64_t memory;            /* bytes of address space of each program that looks into one */
        int64_t convert_timeout_s; /* computing time of LibreOffice */
        int64_t page_timeout_s;    /* computing time of each program that works on a page */
        int64_t pages_timeout_s;   /* all pages of a document, by the clock */
    } render;
    struct conf_sink *sink;
    size_t sinks;
};

/* The section whose rules are checked besides the shared ones: a program checks what it needs. From CONF_STAMP on a daemon each. */
enum conf_part {
    CONF_ANY, CONF_DRY_RUN, CONF_SHARED, CONF_STAMP, CONF_MATCH, CONF_PIXELD, CONF_DELIVERY, CONF_RELAY, CONF_RENDER,
    CONF_PARTS
};

/* Its section, which is also the daemon's name without "spoor-"; CONF_SHARED has none and gives "". */
const char *conf_part_section(enum conf_part part);

/* Whom that daemon connects to the database as. */
const char *conf_part_role(enum conf_part part);

/* Whom it becomes when it is started as root: `user` or render.user, {daemon} filled in. The caller frees it; NULL: no memory. */
char *conf_part_user(const struct conf *conf, enum conf_part part);

/*
 * Reads PATH. NULL on the first error, with "FILE:LINE: what and why" (or without line where the whole
 * file is meant) in ERROR. A missing option has its default. CONF_DRY_RUN asks only for key_file and
 * tracking_url, CONF_ANY for nothing.
 */
struct conf *conf_load(const char *path, enum conf_part part, struct buf *error);
void conf_free(struct conf *conf);

/* Every option with the value in effect, as a file that loads to the same values; passwords in `database` masked. */
void conf_print(const struct conf *conf, FILE *out);

/* Adds the names of the options whose values differ, ", " between them; of sinks their number and order count too. */
void conf_add_changed(const struct conf *before, const struct conf *now, struct buf *names);

/* For the check that the manual names each option: "section.name" one a line, from the table. */
void conf_print_names(FILE *out);

#endif
