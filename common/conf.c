/* SPDX-License-Identifier: BSD-2-Clause */
/* conf - the table of options, and what needs nothing else; loading is in conf_load.c. See conf.h */

#include "common/conf.h"

#include "common/conf_form.h"
#include "common/conf_private.h"
#include "common/conninfo.h"
#include "common/document_type.h"

#include <stdlib.h>
#include <string.h>

#define AT(member) .offset = offsetof(struct conf, member)
#define KB(n) ((int64_t)(n) << 10)
#define MB(n) ((int64_t)(n) << 20)
#define GB(n) ((int64_t)(n) << 30)
#define SECOND_MS ((int64_t)1000)
#define HOUR_MS (3600 * SECOND_MS)
#define DAY_S ((int64_t)86400)

enum {
    BY_STAMP = 1 << CONF_STAMP,
    BY_MATCH = 1 << CONF_MATCH,
    BY_PIXELD = 1 << CONF_PIXELD,
    BY_DELIVERY = 1 << CONF_DELIVERY,
    BY_RELAY = 1 << CONF_RELAY,
    BY_RENDER = 1 << CONF_RENDER,
    BY_SERVERS = 1 << CONF_SHARED | BY_STAMP | BY_MATCH | BY_PIXELD | BY_DELIVERY,
    BY_ALL = BY_SERVERS | 1 << CONF_DRY_RUN
};

static const char *const mode_words[] = {"track", "observe", NULL};              /* enum conf_mode */
static const char *const message_id_words[] = {"auto", "stamp", "keep", NULL};   /* enum conf_message_id */
static const char *const unknown_words[] = {"tempfail", "send", NULL};           /* enum conf_campaign_unknown */
static const char *const senders_words[] = {"local", "all", NULL};               /* enum conf_senders */
static const char *const scope_words[] = {"recipient", "domain", NULL};          /* enum conf_stop_scope */
static const char *const unsubscribe_words[] = {"sender", "all", NULL};        /* enum conf_unsubscribe_scope */
static const char *const honour_words[] = {"no", "aggregate", "drop", NULL};      /* enum conf_honour_gpc */
static const char path_form[] = "path that begins with /";
static const char log_form[] = "path that begins with /, or journal, journal:UNIT or journal:/PATH";
static const char network_form[] = "network such as 192.0.2.0/24";
static const char domain_form[] = "domain";
static const char return_path_form[] = "NAME+{token}@DOMAIN with a NAME of 1 to 11 characters (the token takes 52 of the 64 that"
                                       " RFC 5321 allows left of the @)";
static const char milter_form[] = "unix:/PATH, local:/PATH, inet:PORT@HOST or inet6:PORT@HOST";

/* A secret in such a URL lets in whoever holds it: password resets, verifications, magic links. */
#define SENSITIVE_WORDS                                                                                      \
    "password,passwd,passwort,reset-,reset_,/reset,resetpw,verify,verification,magic-link,magic_link,"       \
    "magiclink,one-time,onetime,confirm-email,confirm_email,email-confirm,/activate,activation,/confirm/,"   \
    "2fa,login_token,signin_token,access_token"

const struct conf_row conf_rows[] = {
    {"", "key_file", CONF_TEXT, SYSCONFDIR "/spoor/keys", .normalize = conf_form_path, .wanted = path_form,
     .help = "keys that sign and verify; made by spoorctl keygen", AT(key_file), .needed_by = BY_ALL},
    {"", "key_group", CONF_TEXT, "", .help = "group that may read key_file; empty: that of user", AT(key_group)},
    {"", "tracking_url", CONF_TEXT, "", .normalize = conf_form_tracking_url,
     .wanted = "https://HOST or http://HOST:PORT",
     .help = "what our URLs begin with; spoor-pixeld answers there", AT(tracking_url), .needed_by = BY_ALL},
    {"", "database", CONF_TEXT, "", .help = "PostgreSQL, as libpq's connection string",
     AT(database), .needed_by = BY_SERVERS | BY_RENDER},
    {"", "shards", CONF_LIST, "", .normalize = conf_form_shard, .wanted = "number from 1 to 7, a blank and a connection string",
     .help = "further servers, which have the mail of the hosts that name them in shard", AT(shards)},
    {"", "shard", CONF_INTEGER, "0", 0, CONF_SHARD_MOST, .help = "which server has the mail of this host; 0: database",
     AT(shard)},
    {"", "database_timeout", CONF_MILLISECONDS, "300ms", 1, 60 * SECOND_MS,
     .help = "longest wait for PostgreSQL while a mail waits", AT(database_timeout_ms)},
    {"", "memcached", CONF_JOINED, "", .normalize = conf_form_server, .wanted = "HOST:PORT",
     .help = "memcached servers; none: not used", AT(memcached)},
    {"", "memcached_timeout", CONF_MILLISECONDS, "50ms", 1, 10 * SECOND_MS,
     .help = "longest wait for memcached", AT(memcached_timeout_ms)},
    {"", "spool_directory", CONF_TEXT, "/var/spool/spoor", .normalize = conf_form_path, .wanted = path_form,
     .help = "where records wait for the database; a folder a program below it",
     AT(spool_directory), .needed_by = BY_SERVERS},
    {"", "spool_segment", CONF_SIZE, "16MB", MB(2), GB(1), .help = "size of one spool file",
     AT(spool_segment_bytes)},
    {"", "spool_max", CONF_SIZE, "4GB", MB(4), GB(1024),
     .help = "records that wait for the database take at most this", AT(spool_max_bytes)},
    {"", "spool_keep", CONF_SECONDS, "48h", 0, 365 * DAY_S,
     .help = "loaded records stay this long, for a database restored to an earlier time", AT(spool_keep_s)},
    {"", "spool_sync", CONF_MILLISECONDS, "5ms", 0, 10 * SECOND_MS,
     .help = "spoor-pixeld: a record is on the disk this long after the answer; 0: before it",
     AT(spool_sync_ms)},
    {"", "instance", CONF_TEXT, "", .normalize = conf_form_name, .wanted = "letters, digits, - and _",
     .help = "tells several of one program on a host apart", AT(instance)},
    {"", "user", CONF_TEXT, "", .help = "whom a daemon started as root becomes; {daemon} is its name, such as stamp",
     AT(user)},
    {"", "pid_directory", CONF_TEXT, "", .normalize = conf_form_path, .wanted = path_form,
     .help = "where a daemon writes PROGRAM.pid; empty: nowhere", AT(pid_directory)},
    {"", "log_level", CONF_PRIORITY, "info", .help = "the least urgent lines that are logged", AT(log_level)},
    {"", "memory_limit", CONF_SIZE, "512MB", MB(1), GB(1024),
     .help = "mail that one daemon holds in memory; above it mail goes with headers only", AT(memory_limit)},
    {"", "campaign_settle", CONF_SECONDS, "1min", 1, 3600,
     .help = "how long stamp.campaign_unknown holds after the database was away", AT(campaign_settle_s)},
    {"", "unsubscribe_address", CONF_TEXT, "", .normalize = conf_form_unsubscribe_address,
     .wanted = "address with at most 11 letters, digits, ., - or _ before the @",
     .help = "where people unsubscribe by mail; LEFT+TOKEN@DOMAIN must arrive there", AT(unsubscribe_address)},
    {"", "unsubscribe_scope", CONF_CHOICE, "sender", .words = unsubscribe_words,
     .help = "whose campaigns end for who unsubscribes: that sender's, or all", AT(unsubscribe_scope)},
    {"", "mode", CONF_CHOICE, "track", .words = mode_words, .help = "observe: log what would be done, change nothing",
     AT(mode)},
    {"", "track_only", CONF_LIST, "", .normalize = conf_form_whom, .wanted = "address or domain",
     .help = "senders whose mail is tracked; empty: all that are ours", AT(track_only)},
    {"", "local_domains", CONF_LIST, "", .normalize = conf_form_domain, .wanted = domain_form,
     .help = "ours: whose mail is tracked, whose mailboxes are here",
     AT(local_domains), .needed_by = BY_SERVERS},
    {"", "organisation", CONF_LIST, "", .normalize = conf_form_domains, .wanted = "domains with blanks between",
     .help = "groups of local_domains: the domains of one text belong together", AT(organisation)},

    {"stamp", "listen", CONF_TEXT, "", .normalize = conf_form_milter_listen, .wanted = milter_form,
     .help = "where the MTA finds spoor-stamp", AT(stamp.milter.listen), .needed_by = BY_STAMP},
    {"stamp", "socket_mode", CONF_OCTAL, "0660", 0, 0777, .help = "mode of a unix socket",
     AT(stamp.milter.socket_mode)},
    {"stamp", "socket_group", CONF_TEXT, "", .help = "group of a unix socket", AT(stamp.milter.socket_group)},
    {"stamp", "drain_timeout", CONF_MILLISECONDS, "10s", 0, HOUR_MS,
     .help = "how long a stop waits for mails under way", AT(stamp.milter.drain_timeout_ms)},
    {"stamp", "copies", CONF_BOOL, "no", .help = "Postfix makes a copy a recipient, each with an image and links of its own",
     AT(stamp.copies)},
    {"stamp", "listen_copies", CONF_TEXT, "", .normalize = conf_form_milter_listen, .wanted = milter_form,
     .help = "where the second smtpd finds spoor-stamp for the copies; empty: nowhere", AT(stamp.listen_copies)},
    {"stamp", "message_id", CONF_CHOICE, "auto", .words = message_id_words,
     .help = "auto: sign what is missing, invalid or from no mail program; stamp: all; keep: missing or invalid",
     AT(stamp.message_id)},
    {"stamp", "message_id_domain", CONF_TEXT, "", .normalize = conf_form_full_domain,
     .wanted = "full domain name",
     .help = "of a signed Message-ID when From's domain is not ours", AT(stamp.message_id_domain)},
    {"stamp", "bounce_address", CONF_TEXT, "", .normalize = conf_form_return_path, .wanted = return_path_form,
     .help = "return path of each tracked mail, NAME+{token}@DOMAIN; empty: the client's", AT(stamp.bounce_address)},
    {"stamp", "submit_networks", CONF_LIST, "127.0.0.0/8,::1/128", .normalize = conf_form_network,
     .wanted = network_form,
     .help = "clients whose mail is ours without a login", AT(stamp.submit_networks)},
    {"stamp", "body_limit", CONF_SIZE, "30MB", KB(1), GB(1), .help = "larger mails get headers only",
     AT(stamp.body_limit)},
    {"stamp", "track_auto_generated", CONF_BOOL, "no", .help = "track mail that a program sent by itself",
     AT(stamp.track_auto_generated)},
    {"stamp", "track_dkim_signed", CONF_BOOL, "no", .help = "change mail although that breaks its DKIM signature",
     AT(stamp.track_dkim_signed)},
    {"stamp", "views", CONF_BOOL, "yes", .help = "put the invisible image in", AT(stamp.views)},
    {"stamp", "links", CONF_BOOL, "yes", .help = "lead links through tracking_url", AT(stamp.links)},
    {"stamp", "campaign_unknown", CONF_CHOICE, "tempfail", .words = unknown_words,
     .help = "campaign mail while the database cannot say who has answered", AT(stamp.campaign_unknown)},
    {"stamp", "campaign_stop_scope", CONF_CHOICE, "recipient", .words = scope_words,
     .help = "domain: a colleague's reply or complaint ends a campaign too", AT(stamp.campaign_stop_scope)},
    {"stamp", "pause_max", CONF_SECONDS, "3d", 0, 365 * DAY_S,
     .help = "campaign mail waits at most this for somebody who is away", AT(stamp.pause_max_s)},
    {"stamp", "list_unsubscribe", CONF_BOOL, "yes", .help = "give campaign mail List-Unsubscribe where it has none",
     AT(stamp.list_unsubscribe)},
    {"stamp", "text_links", CONF_BOOL, "no", .help = "do so in plain text too, where the reader sees the long URL",
     AT(stamp.text_links)},
    {"stamp", "decoy_link", CONF_BOOL, "no", .help = "put a link in that no person sees: who follows it is a scanner",
     AT(stamp.decoy_link)},
    {"stamp", "crm_bcc", CONF_LIST, "", .normalize = conf_form_crm_bcc, .wanted = "address, or a sender or domain, a blank and one",
     .help = "where a blind copy of tracked mail goes, such as Email to Salesforce", AT(stamp.crm_bcc)},
    {"stamp", "crm_bcc_local", CONF_BOOL, "no", .help = "also of mail that goes to local_domains alone", AT(stamp.crm_bcc_local)},
    {"stamp", "consent_footer", CONF_BOOL, "no",
     .help = "end mails with a link where the recipient can stop tracking", AT(stamp.consent_footer)},
    {"stamp", "consent_text", CONF_TEXT, "This mail tells its sender when it is read. Stop that.",
     .normalize = conf_form_words, .wanted = "1 to 200 ASCII characters without tags; others as &#NUMBER;",
     .help = "what that link says", AT(stamp.consent_text)},
    {"stamp", "attachments", CONF_LIST, "", .help = "files that leave the mail for a tracked link, by name; * is any run, ? one",
     AT(stamp.attachments)},
    {"stamp", "attachment_types", CONF_LIST, "pdf,doc,docx,ppt,pptx,odt,odp", .normalize = conf_form_document_type,
     .wanted = document_type_endings, .help = "types of files that may, by the ending of the name",
     AT(stamp.attachment_types)},
    {"stamp", "attachment_smallest", CONF_SIZE, "0", 0, GB(1), .help = "smaller files stay attached",
     AT(stamp.attachment_smallest)},
    {"stamp", "attachment_largest", CONF_SIZE, "25MB", KB(1), GB(1), .help = "larger files stay attached",
     AT(stamp.attachment_largest)},
    {"stamp", "document_timeout", CONF_MILLISECONDS, "2s", 10, 60 * SECOND_MS,
     .help = "files that are not stored by then stay attached", AT(stamp.document_timeout_ms)},
    {"stamp", "sensitive_links", CONF_LIST, SENSITIVE_WORDS, .normalize = conf_form_pattern,
     .wanted = "part of a URL", .help = "links that stay as they are, by what their URL holds; * is any run",
     AT(stamp.sensitive_links)},
    {"stamp", "untracked_domains", CONF_LIST, "", .normalize = conf_form_link_domain,
     .wanted = "domain or *.domain", .help = "links to these hosts stay as they are",
     AT(stamp.untracked_domains)},

    {"match", "listen", CONF_TEXT, "", .normalize = conf_form_milter_listen, .wanted = milter_form,
     .help = "where the MTA finds spoor-match", AT(match.milter.listen), .needed_by = BY_MATCH},
    {"match", "socket_mode", CONF_OCTAL, "0660", 0, 0777, .help = "mode of a unix socket",
     AT(match.milter.socket_mode)},
    {"match", "socket_group", CONF_TEXT, "", .help = "group of a unix socket", AT(match.milter.socket_group)},
    {"match", "drain_timeout", CONF_MILLISECONDS, "10s", 0, HOUR_MS,
     .help = "how long a stop waits for mails under way", AT(match.milter.drain_timeout_ms)},
    {"match", "body_limit", CONF_SIZE, "30MB", KB(1), GB(1), .help = "larger mails are judged by their headers",
     AT(match.body_limit)},
    {"match", "clean", CONF_BOOL, "yes", .help = "take our images and links out of quoted mail, mend In-Reply-To",
     AT(match.clean)},
    {"match", "keep_reply_text", CONF_BOOL, "no", .help = "keep the text of replies, also when no sink wants it",
     AT(match.keep_reply_text)},
    {"match", "clean_recipients", CONF_LIST, "", .normalize = conf_form_domain, .wanted = domain_form,
     .help = "for whom mail is cleaned; empty: local_domains", AT(match.clean_recipients)},
    {"match", "stop_on_other", CONF_BOOL, "yes",
     .help = "a reply from another address ends the campaign for all recipients of the mail", AT(match.stop_on_other)},
    {"match", "bounce_mailbox", CONF_TEXT, "", .normalize = conf_form_address, .wanted = "address",
     .help = "gets what comes to a return path whose sender is not known; empty: it stays as it is",
     AT(match.bounce_mailbox)},

    {"pixeld", "listen", CONF_LIST, "", .normalize = conf_form_http_listen,
     .wanted = "ADDRESS:PORT or [ADDRESS]:PORT",
     .help = "where spoor-pixeld answers HTTP", AT(pixeld.listen)},
    {"pixeld", "listen_tls", CONF_LIST, "", .normalize = conf_form_http_listen,
     .wanted = "ADDRESS:PORT or [ADDRESS]:PORT", .help = "where it answers HTTPS", AT(pixeld.listen_tls)},
    {"pixeld", "tls_certificate", CONF_TEXT, "", .normalize = conf_form_path, .wanted = path_form,
     .help = "certificate and those that vouch for it, PEM", AT(pixeld.tls_certificate)},
    {"pixeld", "tls_key", CONF_TEXT, "", .normalize = conf_form_path, .wanted = path_form,
     .help = "the certificate's key, PEM", AT(pixeld.tls_key)},
    {"pixeld", "admin_listen", CONF_LIST, "", .normalize = conf_form_admin_listen,
     .wanted = "unix:/PATH, ADDRESS:PORT or [ADDRESS]:PORT",
     .help = "where /metrics and /healthz are answered for whoever runs it", AT(pixeld.admin_listen)},
    {"pixeld", "threads", CONF_INTEGER, "0", 0, 256, .help = "threads that answer; 0: one a core",
     AT(pixeld.threads)},
    {"pixeld", "connections", CONF_INTEGER, "8192", 1, 1000000, .help = "connections at once",
     AT(pixeld.connections)},
    {"pixeld", "connections_per_address", CONF_INTEGER, "1024", 0, 1000000,
     .help = "connections at once from one address; 0: no limit", AT(pixeld.connections_per_address)},
    {"pixeld", "header_timeout", CONF_MILLISECONDS, "10s", 10, HOUR_MS,
     .help = "a request's header must be here in this time", AT(pixeld.header_timeout_ms)},
    {"pixeld", "idle_timeout", CONF_SECONDS, "30s", 1, 3600, .help = "an idle connection is closed",
     AT(pixeld.idle_timeout_s)},
    {"pixeld", "drain_timeout", CONF_MILLISECONDS, "10s", 0, HOUR_MS,
     .help = "how long a stop waits for requests under way", AT(pixeld.drain_timeout_ms)},
    {"pixeld", "trusted_proxies", CONF_LIST, "", .normalize = conf_form_network, .wanted = network_form,
     .help = "reverse proxies whose word on the client's address is taken", AT(pixeld.trusted_proxies)},
    {"pixeld", "proxy_header", CONF_TEXT, "x-forwarded-for", .normalize = conf_form_proxy_header,
     .wanted = "x-forwarded-for or forwarded", .help = "where a proxy says it", AT(pixeld.proxy_header)},
    {"pixeld", "anonymize_ip", CONF_BOOL, "no", .help = "keep only the network part of a client's address",
     AT(pixeld.anonymize_ip)},
    {"pixeld", "honour_gpc", CONF_CHOICE, "no", .words = honour_words,
     .help = "requests with Sec-GPC or DNT; aggregate: only counted, drop: not recorded", AT(pixeld.honour_gpc)},
    {"pixeld", "place_database", CONF_TEXT, "", .normalize = conf_form_path, .wanted = path_form,
     .help = "where addresses are, a file such as GeoLite2-City.mmdb; empty: the feed names no places",
     AT(pixeld.place_database)},
    {"pixeld", "sign_in_server", CONF_TEXT, "127.0.0.1:25", .normalize = conf_form_server, .wanted = "HOST:PORT",
     .help = "mail server that takes sign-in links for local_domains; empty: sign in by invitation alone",
     AT(pixeld.sign_in_server)},

    {"delivery", "log", CONF_LIST, "", .normalize = conf_form_log, .wanted = log_form,
     .help = "the MTA's log: a file, or journal", AT(delivery.log), .needed_by = BY_DELIVERY},
    {"delivery", "senders", CONF_CHOICE, "local", .words = senders_words,
     .help = "local: only mail whose envelope sender is in local_domains, or not known, is followed", AT(delivery.senders)},
    {"delivery", "poll", CONF_MILLISECONDS, "1s", 10, 60 * SECOND_MS, .help = "how often the log is looked at",
     AT(delivery.poll_ms)},

    {"relay", "poll", CONF_MILLISECONDS, "5s", 10, HOUR_MS, .help = "how often the outbox is looked at without being told",
     AT(relay.poll_ms)},
    {"relay", "keep", CONF_SECONDS, "30d", 3600, 3650 * DAY_S,
     .help = "what was sent stays in the outbox so long; more than spool_keep", AT(relay.keep_s)},
    {"relay", "metrics_file", CONF_TEXT, "", .normalize = conf_form_path, .wanted = path_form,
     .help = "file for node_exporter's textfile collector; empty: none", AT(relay.metrics_file)},

    {"render", "user", CONF_TEXT, "", .help = "whom spoor-render becomes when it is started as root; empty: user",
     AT(render.user)},
    {"render", "jobs", CONF_INTEGER, "0", 0, 64, .help = "documents converted at once; 0: one a core", AT(render.jobs)},
    {"render", "pages", CONF_INTEGER, "300", 1, 300, .help = "a longer document is shown as far as this", AT(render.pages)},
    {"render", "size_limit", CONF_SIZE, "100MB", KB(1), GB(1), .help = "a larger document can only be downloaded",
     AT(render.size_limit)},
    {"render", "memory", CONF_SIZE, "3GB", MB(512), GB(64), .help = "address space of each program that looks into a document",
     AT(render.memory)},
    {"render", "convert_timeout", CONF_SECONDS, "1min", 1, 3600,
     .help = "computing time that LibreOffice gets for a document, and three times that by the clock", AT(render.convert_timeout_s)},
    {"render", "page_timeout", CONF_SECONDS, "20s", 1, 600,
     .help = "computing time of each program that works on a page", AT(render.page_timeout_s)},
    {"render", "pages_timeout", CONF_SECONDS, "10min", 1, 3600,
     .help = "time for the pages of a document; those that are not drawn by then are left out", AT(render.pages_timeout_s)},
};

enum { ROWS = sizeof conf_rows / sizeof *conf_rows, VALUE_MOST = 1024 * 1024 };
_Static_assert((int)ROWS <= (int)CONF_ROWS_MAX, "conf_load.c has no room for so many options");
const size_t conf_rows_count = ROWS;

static const struct {
    const char *section, *role;
} parts[] = {
    [CONF_SHARED] = {"", ""},
    [CONF_STAMP] = {"stamp", "spoor_milter"},
    [CONF_MATCH] = {"match", "spoor_milter"},
    [CONF_PIXELD] = {"pixeld", "spoor_pixeld"},
    [CONF_DELIVERY] = {"delivery", "spoor_delivery"},
    [CONF_RELAY] = {"relay", "spoor_relay"},
    [CONF_RENDER] = {"render", "spoor_render"},
};
_Static_assert(sizeof parts / sizeof *parts == CONF_PARTS, "a part has no row");

const char *conf_part_section(enum conf_part part)
{
    return parts[part].section;
}

const char *conf_part_role(enum conf_part part)
{
    return parts[part].role;
}

char *conf_part_user(const struct conf *conf, enum conf_part part)
{
    static const char mark[] = "{daemon}";
    const char *user = part == CONF_RENDER && *conf->render.user ? conf->render.user : conf->user;
    const char *at = strstr(user, mark);
    struct buf text;
    char *found;

    if (!at)
        return strdup(user);
    buf_init(&text, VALUE_MOST);
    buf_add_f(&text, "%.*s%s%s", (int)(at - user), user, parts[part].section, at + strlen(mark));
    found = buf_steal(&text);
    buf_free(&text);
    return found;
}

const struct conf_row *conf_row_at(size_t n)
{
    return n < ROWS ? &conf_rows[n] : &conf_sink_rows[n - ROWS];
}

void conf_free(struct conf *conf)
{
    if (!conf)
        return;
    for (size_t n = 0; n < ROWS; n++)
        conf_row_clear(&conf_rows[n], conf);
    for (size_t n = 0; n < conf->sinks; n++)
        conf_sink_clear(&conf->sink[n]);
    free(conf->sink);
    free(conf->path);
    free(conf);
}

static void add_masked(struct buf *out, const char *conninfo)
{
    struct buf masked;

    buf_init(&masked, VALUE_MOST);
    conninfo_add_masked(&masked, conninfo);
    conf_row_add_quoted(out, buf_text(&masked));
    buf_free(&masked);
}

/* The value, without the passwords of connection strings. */
static void add_value(const struct conf_row *row, const void *of, struct buf *out)
{
    const struct conf *conf = of;

    if (strcmp(row->name, "database") == 0) {
        add_masked(out, conf->database);
    } else if (strcmp(row->name, "shards") == 0) {
        buf_add_str(out, "{");
        for (size_t n = 0; n < conf->shards.count; n++) {
            buf_add_str(out, n ? ", " : " ");
            add_masked(out, conf->shards.item[n]);
        }
        buf_add_str(out, conf->shards.count ? " }" : "}");
    } else {
        conf_row_add_value(row, of, out);
    }
}

static void print_row(const struct conf_row *row, const void *of, FILE *out)
{
    const char *indent = *row->section ? "    " : "";
    struct buf text;

    buf_init(&text, VALUE_MOST);
    buf_add_f(&text, "%s# %s (", indent, row->help);
    conf_row_add_range(row, &text);
    buf_add_f(&text, ")\n%s%s = ", indent, row->name);
    add_value(row, of, &text);
    fprintf(out, "%s\n", buf_text(&text));
    buf_free(&text);
}

void conf_print(const struct conf *conf, FILE *out)
{
    for (enum conf_part part = CONF_SHARED; part < CONF_PARTS; part++) {
        if (part != CONF_SHARED)
            fprintf(out, "\n%s {\n", parts[part].section);
        for (size_t n = 0; n < ROWS; n++)
            if (strcmp(conf_rows[n].section, parts[part].section) == 0)
                print_row(&conf_rows[n], conf, out);
        if (part != CONF_SHARED)
            fputs("}\n", out);
    }
    for (size_t sink = 0; sink < conf->sinks; sink++) {
        fprintf(out, "\nsink %s {\n", conf->sink[sink].name);
        for (size_t n = 0; n < CONF_SINK_ROWS; n++)
            print_row(&conf_sink_rows[n], &conf->sink[sink], out);
        fputs("}\n", out);
    }
}

static bool is_changed(const struct conf_row *row, const void *before, const void *now)
{
    struct buf old, new;
    bool changed;

    buf_init(&old, VALUE_MOST);
    buf_init(&new, VALUE_MOST);
    conf_row_add_value(row, before, &old);
    conf_row_add_value(row, now, &new);
    changed = !slice_eq(buf_slice(&old), buf_slice(&new));
    buf_free(&old);
    buf_free(&new);
    return changed;
}

static void add_name(struct buf *names, const char *section, const char *name)
{
    buf_add_f(names, "%s%s%s%s", names->len ? ", " : "", section, *section ? "." : "", name);
}

static bool is_sink_changed(const struct conf_sink *before, const struct conf_sink *now)
{
    bool changed = strcmp(before->name, now->name) != 0;

    for (size_t n = 0; n < CONF_SINK_ROWS && !changed; n++)
        changed = is_changed(&conf_sink_rows[n], before, now);
    return changed;
}

void conf_add_changed(const struct conf *before, const struct conf *now, struct buf *names)
{
    bool sinks = before->sinks != now->sinks;

    for (size_t n = 0; n < ROWS; n++)
        if (is_changed(&conf_rows[n], before, now))
            add_name(names, conf_rows[n].section, conf_rows[n].name);
    for (size_t n = 0; n < now->sinks && !sinks; n++)
        sinks = is_sink_changed(&before->sink[n], &now->sink[n]);
    if (sinks)
        add_name(names, "", "sink");
}

void conf_print_names(FILE *out)
{
    for (size_t n = 0; n < ROWS + CONF_SINK_ROWS; n++)
        fprintf(out, "%s%s%s\n", conf_row_at(n)->section, *conf_row_at(n)->section ? "." : "", conf_row_at(n)->name);
}
