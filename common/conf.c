/* SPDX-License-Identifier: BSD-2-Clause */
/* conf - see conf.h */

#include "common/conf.h"

#include "common/conf_form.h"
#include "common/conf_row.h"
#include "common/conf_sink.h"
#include "common/conninfo.h"
#include "common/organisation.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <confuse.h>

#define AT(member) .offset = offsetof(struct conf, member)
#define KB(n) ((int64_t)(n) << 10)
#define MB(n) ((int64_t)(n) << 20)
#define GB(n) ((int64_t)(n) << 30)
#define SECOND_MS ((int64_t)1000)
#define HOUR_MS (3600 * SECOND_MS)
#define DAY_S ((int64_t)86400)

enum {
    FILE_MOST = 1024 * 1024,
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

static const struct conf_row rows[] = {
    {"", "key_file", CONF_TEXT, SYSCONFDIR "/spoor/keys", .normalize = conf_form_path, .wanted = path_form,
     .help = "keys that sign and verify; made by spoorctl keygen", AT(key_file), .needed_by = BY_ALL},
    {"", "tracking_url", CONF_TEXT, "", .normalize = conf_form_tracking_url,
     .wanted = "https://HOST or http://HOST:PORT",
     .help = "what our URLs begin with; spoor-pixeld answers there", AT(tracking_url), .needed_by = BY_ALL},
    {"", "database", CONF_TEXT, "", .help = "PostgreSQL, as libpq's connection string",
     AT(database), .needed_by = BY_SERVERS | BY_RENDER},
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
    {"", "user", CONF_TEXT, "", .help = "whom a daemon started as root becomes", AT(user)},
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
     .help = "end HTML with a link where the recipient can stop tracking", AT(stamp.consent_footer)},
    {"stamp", "consent_text", CONF_TEXT, "This mail tells its sender when it is read. Stop that.",
     .normalize = conf_form_words, .wanted = "1 to 200 ASCII characters without tags; others as &#NUMBER;",
     .help = "what that link says", AT(stamp.consent_text)},
    {"stamp", "attachments", CONF_LIST, "", .help = "files that leave the mail for a tracked link, by name; * is any run, ? one",
     AT(stamp.attachments)},
    {"stamp", "attachment_types", CONF_LIST, "pdf,doc,docx,ppt,pptx,odt,odp", .normalize = conf_form_document_type,
     .wanted = "pdf, doc, docx, ppt, pptx, odt, odp, xls, xlsx or ods", .help = "types of files that may, by the ending of the name",
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

enum { ROWS = sizeof rows / sizeof *rows, SECTIONS = 7, SINK = ROWS /* where the rows of a sink begin */ };
static const char *const sections[SECTIONS] = {"", "stamp", "match", "pixeld", "delivery", "relay", "render"};

/* libconfuse hands no pointer to its callbacks, and its scanner is global: one load at a time. */
static pthread_mutex_t one_load = PTHREAD_MUTEX_INITIALIZER;
static struct {
    struct buf *error;
    const char *path;
    int line[ROWS + CONF_SINK_ROWS]; /* where the option stands; 0: it does not */
    const cfg_t *section;            /* last one seen of those that may come several times */
    bool ended;
} loading;

/*
 * Stands behind the file's own text: libconfuse takes an unclosed comment or section without a word, and a swallowed
 * `mode = observe` would be found out by the mails.
 */
static const char end_mark[] = "\n__end_of_file__ = yes\n";
static const char end_name[] = "__end_of_file__";

static const struct conf_row *row_at(size_t n)
{
    return n < SINK ? &rows[n] : &conf_sink_rows[n - SINK];
}

static size_t row_named(const char *section, const char *name)
{
    size_t n = 0;

    while (n < ROWS + CONF_SINK_ROWS && (strcmp(row_at(n)->section, section) != 0 || strcmp(row_at(n)->name, name) != 0))
        n++;
    return n;
}

/* The first error counts: what libconfuse says after it is a consequence. */
__attribute__((format(printf, 2, 0))) static void on_error(cfg_t *cfg, const char *format, va_list args)
{
    if (loading.error->len)
        return;
    buf_add_f(loading.error, "%s:%d: ", loading.path, cfg->line);
    buf_add_vf(loading.error, format, args);
}

static int on_value(cfg_t *cfg, cfg_opt_t *option, const char *text, void *result)
{
    const char *section = strcmp(cfg_name(cfg), "root") == 0 ? "" : cfg_name(cfg);
    size_t n = row_named(section, option->name);
    struct buf why;
    bool fine = true;

    buf_init(&why, 1000);
    if (n >= SINK && loading.section != cfg) {
        memset(loading.line + SINK, 0, CONF_SINK_ROWS * sizeof *loading.line);
        loading.section = cfg;
    }
    if (loading.line[n] && !conf_row_is_list(row_at(n))) {
        buf_add_f(&why, "%s stands in line %d already", option->name, loading.line[n]);
        fine = false;
    }
    if (strcmp(text, end_name) == 0) {
        buf_add_f(&why, "the file ends where %s should have a value", option->name);
        fine = false;
    }
    fine = fine && conf_row_check(row_at(n), text, &why);
    if (!fine)
        cfg_error(cfg, "%s", buf_text(&why));
    buf_free(&why);
    loading.line[n] = cfg->line;
    *(const char **)result = text;
    return fine ? 0 : -1;
}

static int on_end(cfg_t *cfg, cfg_opt_t *option, const char *text, void *result)
{
    (void)option;
    loading.ended = strcmp(cfg_name(cfg), "root") == 0;
    *(const char **)result = text;
    return 0;
}

/* All options are texts to libconfuse; what they mean is our table's affair. */
static size_t section_options(const char *section, cfg_opt_t *options)
{
    const cfg_opt_t end = CFG_STR_CB(end_name, NULL, CFGF_NODEFAULT, on_end);
    size_t count = 0;

    options[count++] = end;
    for (size_t n = 0; n < ROWS + CONF_SINK_ROWS; n++) {
        const cfg_opt_t text = CFG_STR_CB(row_at(n)->name, NULL, CFGF_NODEFAULT, on_value);
        const cfg_opt_t list = CFG_STR_LIST_CB(row_at(n)->name, NULL, CFGF_NODEFAULT, on_value);

        if (strcmp(row_at(n)->section, section) == 0)
            options[count++] = conf_row_is_list(row_at(n)) ? list : text;
    }
    return count;
}

static cfg_t *make_parser(void)
{
    static cfg_opt_t options[SECTIONS][ROWS + SECTIONS + 2];
    static cfg_opt_t sink_options[CONF_SINK_ROWS + 2];
    const cfg_opt_t end = CFG_END();
    const cfg_opt_t sink = CFG_SEC("sink", sink_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
    size_t top = section_options("", options[0]);

    for (size_t n = 1; n < SECTIONS; n++) {
        const cfg_opt_t section = CFG_SEC(sections[n], options[n], CFGF_NONE);

        options[n][section_options(sections[n], options[n])] = end;
        options[0][top++] = section;
    }
    sink_options[section_options("sink", sink_options)] = end;
    options[0][top++] = sink;
    options[0][top] = end;
    return cfg_init(options[0], CFGF_NONE);
}

static bool set_row(void *of, const struct conf_row *row, cfg_t *section)
{
    cfg_opt_t *option = section ? cfg_getopt(section, row->name) : NULL;
    unsigned count = option ? cfg_opt_size(option) : 0;
    const char **texts;
    bool set;

    if (!option || !(option->flags & CFGF_MODIFIED))
        return conf_row_set_default(row, of);
    texts = calloc(count + 1, sizeof *texts);
    if (!texts)
        return false;
    for (unsigned n = 0; n < count; n++)
        texts[n] = cfg_opt_getnstr(option, n);
    set = conf_row_set(row, of, texts, count);
    free(texts);
    return set;
}

static bool check_organisation(const struct conf *conf, struct buf *error)
{
    struct buf why;
    bool fine;

    buf_init(&why, 1000);
    fine = organisation_check(&conf->organisation, &conf->local_domains, &why);
    if (!fine)
        buf_add_f(error, "%s:%d: %s", conf->path, loading.line[row_named("", "organisation")], buf_text(&why));
    buf_free(&why);
    return fine;
}

static bool set_sink(struct conf_sink *sink, cfg_t *section, struct buf *error)
{
    struct buf name;
    bool fine;

    buf_init(&name, 60);
    fine = conf_form_name(slice_str(cfg_title(section)), &name) && (sink->name = buf_steal(&name));
    buf_free(&name);
    if (!fine) {
        cfg_error(section, "\"%.100s\" is no name for a sink; wanted: up to 60 letters, digits, - and _", cfg_title(section));
        return false;
    }
    for (size_t n = 0; fine && n < CONF_SINK_ROWS; n++) {
        fine = set_row(sink, &conf_sink_rows[n], section);
        if (!fine)
            buf_add_f(error, "sink %s: %s is too long, or memory is short", sink->name, conf_sink_rows[n].name);
    }
    return fine;
}

static bool set_sinks(struct conf *conf, cfg_t *root, struct buf *error)
{
    unsigned count = cfg_size(root, "sink");
    bool fine = true;

    conf->sink = calloc(count + 1, sizeof *conf->sink);
    while (fine && conf->sink && conf->sinks < count) {
        conf->sinks++;
        fine = set_sink(&conf->sink[conf->sinks - 1], cfg_getnsec(root, "sink", (unsigned)conf->sinks - 1), error);
    }
    return fine && conf->sink;
}

static bool set_rows(struct conf *conf, cfg_t *root, struct buf *error)
{
    for (size_t n = 0; n < ROWS; n++) {
        if (set_row(conf, &rows[n], *rows[n].section ? cfg_getsec(root, rows[n].section) : root))
            continue;
        buf_add_f(error, "%s: %s is too long, or memory is short", conf->path, rows[n].name);
        return false;
    }
    return set_sinks(conf, root, error);
}

static bool parse(struct conf *conf, FILE *file, struct buf *error)
{
    cfg_t *root = make_parser();
    bool fine;

    if (!root) {
        buf_add_f(error, "%s: out of memory", conf->path);
        return false;
    }
    cfg_set_error_function(root, on_error);
    fine = cfg_parse_fp(root, file) == CFG_SUCCESS;
    if (!fine && error->len == 0)
        buf_add_f(error, "%s:%d: cannot be read", conf->path, root->line);
    if (fine && !loading.ended) {
        buf_add_f(error, "%s: a section or comment in it is not closed", conf->path);
        fine = false;
    }
    fine = fine && set_rows(conf, root, error);
    cfg_free(root);
    return fine && check_organisation(conf, error);
}

static bool parse_alone(struct conf *conf, FILE *file, struct buf *error)
{
    bool fine;

    pthread_mutex_lock(&one_load);
    loading.error = error;
    loading.path = conf->path;
    memset(loading.line, 0, sizeof loading.line);
    loading.ended = false;
    fine = parse(conf, file, error);
    pthread_mutex_unlock(&one_load);
    return fine;
}

/* Answers must come back to a server that has spoor-match, and SPF speaks for nobody else's domain. */
static bool is_return_path_ours(const struct conf *conf, struct buf *error)
{
    const char *at = strrchr(conf->stamp.bounce_address, '@');

    if (!at || conf_list_has_domain(&conf->local_domains, slice_str(at + 1)))
        return true;
    buf_add_f(error, "%s: stamp.bounce_address: %s is not in local_domains", conf->path, at + 1);
    return false;
}

/* Copies without a second pass would leave untracked, with a header that is nobody else's business. */
static bool has_place_for_copies(const struct conf *conf, struct buf *error)
{
    if (conf->stamp.copies && !*conf->stamp.listen_copies)
        buf_add_f(error, "%s: stamp.copies needs stamp.listen_copies, where the second smtpd finds spoor-stamp", conf->path);
    else if (strcmp(conf->stamp.milter.listen, conf->stamp.listen_copies) == 0)
        buf_add_f(error, "%s: stamp.listen and stamp.listen_copies are one socket: the passes would not be told apart",
                  conf->path);
    else
        return true;
    return false;
}

/* spoor-pixeld needs a place to listen on, and for TLS what it shows there. */
static bool has_doors(const struct conf *conf, struct buf *error)
{
    bool tls = conf->pixeld.listen_tls.count > 0;
    const char *missing = NULL;

    if (!tls && conf->pixeld.listen.count == 0)
        missing = "listen is missing: where spoor-pixeld answers HTTP; or set listen_tls";
    else if (tls && !*conf->pixeld.tls_certificate)
        missing = "tls_certificate is missing, for listen_tls is set";
    else if (tls && !*conf->pixeld.tls_key)
        missing = "tls_key is missing, for listen_tls is set";
    if (missing)
        buf_add_f(error, "%s: pixeld.%s", conf->path, missing);
    return missing == NULL;
}

static bool are_sinks_complete(const struct conf *conf, struct buf *error)
{
    struct buf why;
    bool fine = true;

    buf_init(&why, 1000);
    for (size_t n = 0; fine && n < conf->sinks; n++)
        fine = conf_sink_is_complete(&conf->sink[n], &why);
    if (conf->sinks == 0) {
        buf_add_str(&why, "there is no sink in it, so spoor-relay has nothing to do");
        fine = false;
    }
    if (!fine)
        buf_add_f(error, "%s: %s", conf->path, buf_text(&why));
    buf_free(&why);
    return fine;
}

static bool is_complete(const struct conf *conf, enum conf_part part, struct buf *error)
{
    for (size_t n = 0; n < ROWS; n++) {
        if (!(rows[n].needed_by & 1U << part) || !conf_row_is_empty(&rows[n], conf))
            continue;
        buf_add_f(error, "%s: %s%s%s is missing: %s", conf->path, rows[n].section,
                  *rows[n].section ? "." : "", rows[n].name, rows[n].help);
        return false;
    }
    if (conf->spool_max_bytes < 2 * conf->spool_segment_bytes) {
        buf_add_f(error, "%s: spool_max has no room for two files of spool_segment", conf->path);
        return false;
    }
    return is_return_path_ours(conf, error) && (part != CONF_STAMP || has_place_for_copies(conf, error)) &&
           (part != CONF_PIXELD || has_doors(conf, error)) && (part != CONF_RELAY || are_sinks_complete(conf, error));
}

/* libconfuse ends the program when it reads a folder, so that is looked at first. */
static int open_file(const char *path, struct buf *error)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &status) != 0)
        buf_add_f(error, "%s: cannot open the configuration: %s", path, strerrordesc_np(errno));
    else if (!S_ISREG(status.st_mode) || status.st_size > FILE_MOST)
        buf_add_f(error, "%s: the configuration is not a regular file of less than 1 MB", path);
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool read_file(const char *path, struct buf *text, struct buf *error)
{
    int fd = open_file(path, error);
    char block[4096];
    ssize_t got;

    if (fd < 0)
        return false;
    while ((got = read(fd, block, sizeof block)) > 0)
        buf_add(text, block, (size_t)got);
    close(fd);
    if (got == 0 && buf_add_str(text, end_mark))
        return true;
    buf_add_f(error, "%s: cannot read the configuration: %s", path, got < 0 ? strerrordesc_np(errno) : "too long");
    return false;
}

static struct conf *load_text(const char *path, struct buf *text, struct buf *error)
{
    struct conf *conf = calloc(1, sizeof *conf);
    FILE *file = conf && (conf->path = strdup(path)) ? fmemopen(text->data, text->len, "r") : NULL;
    bool fine = file && parse_alone(conf, file, error);

    if (file)
        fclose(file);
    else
        buf_add_f(error, "%s: out of memory", path);
    if (fine)
        return conf;
    conf_free(conf);
    return NULL;
}

struct conf *conf_load(const char *path, enum conf_part part, struct buf *error)
{
    struct conf *conf = NULL;
    struct buf text;

    buf_init(&text, 2 * FILE_MOST);
    if (read_file(path, &text, error))
        conf = load_text(path, &text, error);
    buf_free(&text);
    if (!conf || is_complete(conf, part, error))
        return conf;
    conf_free(conf);
    return NULL;
}

void conf_free(struct conf *conf)
{
    if (!conf)
        return;
    for (size_t n = 0; n < ROWS; n++)
        conf_row_clear(&rows[n], conf);
    for (size_t n = 0; n < conf->sinks; n++)
        conf_sink_clear(&conf->sink[n]);
    free(conf->sink);
    free(conf->path);
    free(conf);
}

static void print_row(const struct conf_row *row, const void *of, FILE *out)
{
    const char *indent = *row->section ? "    " : "";
    struct buf text, masked;

    buf_init(&text, 1024 * 1024);
    buf_init(&masked, 1024 * 1024);
    buf_add_f(&text, "%s# %s (", indent, row->help);
    conf_row_add_range(row, &text);
    buf_add_f(&text, ")\n%s%s = ", indent, row->name);
    if (row->type == CONF_TEXT && strcmp(row->name, "database") == 0) {
        conninfo_add_masked(&masked, ((const struct conf *)of)->database);
        conf_row_add_quoted(&text, buf_text(&masked));
    } else {
        conf_row_add_value(row, of, &text);
    }
    fprintf(out, "%s\n", buf_text(&text));
    buf_free(&masked);
    buf_free(&text);
}

void conf_print(const struct conf *conf, FILE *out)
{
    for (size_t section = 0; section < SECTIONS; section++) {
        if (section)
            fprintf(out, "\n%s {\n", sections[section]);
        for (size_t n = 0; n < ROWS; n++)
            if (strcmp(rows[n].section, sections[section]) == 0)
                print_row(&rows[n], conf, out);
        if (section)
            fputs("}\n", out);
    }
    for (size_t sink = 0; sink < conf->sinks; sink++) {
        fprintf(out, "\nsink %s {\n", conf->sink[sink].name);
        for (size_t n = 0; n < CONF_SINK_ROWS; n++)
            print_row(&conf_sink_rows[n], &conf->sink[sink], out);
        fputs("}\n", out);
    }
}

void conf_print_names(FILE *out)
{
    for (size_t n = 0; n < ROWS + CONF_SINK_ROWS; n++)
        fprintf(out, "%s%s%s\n", row_at(n)->section, *row_at(n)->section ? "." : "", row_at(n)->name);
}
