/* SPDX-License-Identifier: BSD-2-Clause */
/* conf_sink_rows - see conf_sink_rows.h */

#include "common/conf_sink_rows.h"

#include "common/conf_form.h"

#include <stdlib.h>

#define AT(member) .section = "sink", .offset = offsetof(struct conf_sink, member)
#define SECOND_MS ((int64_t)1000)
#define HOUR_MS (3600 * SECOND_MS)

static const char *const type_words[] = {[SINK_WEBHOOK] = "webhook", [SINK_SALESFORCE] = "salesforce", [SINK_MAIL] = "mail",
                                         [SINK_TYPES] = NULL};
static const char *const none_words[] = {"task", "skip", NULL};                                /* enum conf_sink_none */
static const char *const several_words[] = {"newest", "oldest", "task", "skip", NULL};         /* enum conf_sink_several */
static const char path_form[] = "path that begins with /";
static const char url_form[] = "https://HOST[:PORT][/PATH]";
static const char word_form[] = "letters, digits, - and _";

/* By what bit of .needed_by a type is stopped. */
enum { BY_WEBHOOK = 1 << SINK_WEBHOOK, BY_SALESFORCE = 1 << SINK_SALESFORCE, BY_MAIL = 1 << SINK_MAIL };

const struct conf_row conf_sink_rows[CONF_SINK_ROWS] = {
    {AT(type), .name = "type", .type = CONF_CHOICE, .initial = "webhook", .words = type_words, .help = "what stands at the other end"},
    {AT(reply_text), .name = "reply_text", .type = CONF_BOOL, .initial = "yes", .help = "it gets the text of replies, without the quoted history"},
    {AT(batch), .name = "batch", .type = CONF_INTEGER, .initial = "0", .least = 0, .most = 200,
     .help = "events that go together at most; 0: 50 for salesforce, else 1"},
    {AT(attempts), .name = "attempts", .type = CONF_INTEGER, .initial = "20", .least = 1, .most = 1000, .help = "after so many an event is given up"},
    {AT(retry_first_ms), .name = "retry_first", .type = CONF_MILLISECONDS, .initial = "2s", .least = 1, .most = HOUR_MS,
     .help = "wait before the second attempt; it doubles from each to the next"},
    {AT(retry_most_ms), .name = "retry_most", .type = CONF_MILLISECONDS, .initial = "1h", .least = 1, .most = 24 * HOUR_MS,
     .help = "longest wait between two attempts"},
    {AT(timeout_ms), .name = "timeout", .type = CONF_MILLISECONDS, .initial = "10s", .least = 10, .most = HOUR_MS / 12,
     .help = "a request must be answered in this time"},
    {AT(allow_networks), .name = "allow_networks", .type = CONF_LIST, .initial = "", .normalize = conf_form_network,
     .wanted = "network such as 192.0.2.0/24", .help = "private networks where the other end may be all the same"},
    {AT(ca_file), .name = "ca_file", .type = CONF_TEXT, .initial = "", .normalize = conf_form_path, .wanted = path_form,
     .help = "who vouches for its certificate, PEM; empty: whom the system trusts"},
    {AT(url), .name = "url", .type = CONF_TEXT, .initial = "", .normalize = conf_form_https_url, .wanted = url_form,
     .help = "where a webhook is told", .needed_by = BY_WEBHOOK},
    {AT(secret_files), .name = "secret_files", .type = CONF_LIST, .initial = "", .normalize = conf_form_path, .wanted = path_form,
     .help = "files with a secret each (whsec_BASE64); a webhook is signed with all", .needed_by = BY_WEBHOOK},
    {AT(login_url), .name = "login_url", .type = CONF_TEXT, .initial = "https://login.salesforce.com", .normalize = conf_form_https_url,
     .wanted = url_form, .help = "where salesforce gives tokens; also who the JWT is for", .needed_by = BY_SALESFORCE},
    {AT(client_id), .name = "client_id", .type = CONF_TEXT, .initial = "", .help = "consumer key of the connected app", .needed_by = BY_SALESFORCE},
    {AT(username), .name = "username", .type = CONF_TEXT, .initial = "", .help = "salesforce user who logs the tasks", .needed_by = BY_SALESFORCE},
    {AT(private_key_file), .name = "private_key_file", .type = CONF_TEXT, .initial = "", .normalize = conf_form_path, .wanted = path_form,
     .help = "RSA key whose certificate the connected app has, PEM", .needed_by = BY_SALESFORCE},
    {AT(api_version), .name = "api_version", .type = CONF_TEXT, .initial = "v60.0", .help = "version of salesforce's REST API",
     .needed_by = BY_SALESFORCE},
    {AT(external_id), .name = "external_id", .type = CONF_TEXT, .initial = "Spoor_Id__c", .normalize = conf_form_name, .wanted = word_form,
     .help = "field of Task by which salesforce knows an event again: a unique External ID"},
    {AT(at_least_once), .name = "at_least_once", .type = CONF_BOOL, .initial = "no",
     .help = "do without that field: a task may then come twice"},
    {AT(when_none), .name = "when_none", .type = CONF_CHOICE, .initial = "task", .words = none_words,
     .help = "nobody there has the address; task: one without a person, skip: nothing is logged"},
    {AT(when_several), .name = "when_several", .type = CONF_CHOICE, .initial = "newest", .words = several_words,
     .help = "several contacts, or without any several leads, have it: whose task it is"},
    {AT(task_status), .name = "task_status", .type = CONF_TEXT, .initial = "Completed", .help = "Status of a task; left out where there is no such value"},
    {AT(server), .name = "server", .type = CONF_TEXT, .initial = "127.0.0.1:25", .normalize = conf_form_server, .wanted = "HOST:PORT",
     .help = "MTA that takes mail", .needed_by = BY_MAIL},
    {AT(from), .name = "from", .type = CONF_TEXT, .initial = "", .normalize = conf_form_address, .wanted = "address",
     .help = "address in From of such a mail", .needed_by = BY_MAIL},
    {AT(envelope_sender), .name = "envelope_sender", .type = CONF_TEXT, .initial = "", .normalize = conf_form_address, .wanted = "address",
     .help = "who gets its bounces; empty: nobody (the null sender)"},
    {AT(ehlo_name), .name = "ehlo_name", .type = CONF_TEXT, .initial = "localhost", .normalize = conf_form_domain, .wanted = "domain",
     .help = "what it calls itself there"},
};

const char *conf_sink_type_name(enum conf_sink_type type)
{
    return type_words[type];
}

bool conf_sink_is_complete(const struct conf_sink *sink, struct buf *why)
{
    for (size_t n = 0; n < CONF_SINK_ROWS; n++) {
        const struct conf_row *row = &conf_sink_rows[n];

        if (!(row->needed_by & 1U << sink->type) || !conf_row_is_empty(row, sink))
            continue;
        buf_add_f(why, "sink %s: %s is missing: %s", sink->name, row->name, row->help);
        return false;
    }
    return true;
}

void conf_sink_clear(struct conf_sink *sink)
{
    for (size_t n = 0; n < CONF_SINK_ROWS; n++)
        conf_row_clear(&conf_sink_rows[n], sink);
    free(sink->name);
}
