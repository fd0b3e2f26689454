/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_copies - the lines of contrib/postfix for this Postfix: a delivery a recipient between two passes of spoor-stamp, which
 * contrib/postfix/README.md explains.
 */

#include "ctl/postfix_advice_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_PORT = 10026, PORTS = 64, SERVICE_MAX = 64 };

/* What "-o" sets; an empty value is one too. */
struct setting {
    const char *name, *value;
};

static const struct setting split_settings[] = {
    {"syslog_name", "postfix/split"},       {"smtp_send_xforward_command", "yes"}, {"disable_mime_output_conversion", "yes"},
    {"smtp_line_length_limit", "0"},        {"smtp_bind_address", "127.0.0.1"},    {"smtp_tls_security_level", "none"},
    {"smtp_sasl_auth_enable", "no"},        {"smtp_generic_maps", ""},             {"smtp_header_checks", ""},
    {"smtp_body_checks", ""},               {NULL, NULL},
};

/* The milters apart, which depend on the signer. */
static const struct setting second_settings[] = {
    {"syslog_name", "postfix/copies"},
    {"content_filter", ""},
    {"receive_override_options", "no_unknown_recipient_checks,no_address_mappings,no_header_body_checks"},
    {"cleanup_service_name", "copies_cleanup"},
    {"message_size_limit", "0"},
    {"smtpd_sasl_auth_enable", "no"},
    {"smtpd_tls_security_level", "none"},
    {"smtpd_authorized_xforward_hosts", "127.0.0.0/8"},
    {"mynetworks", "127.0.0.0/8"},
    {"smtpd_client_restrictions", "permit_mynetworks,reject"},
    {"smtpd_helo_restrictions", ""},
    {"smtpd_sender_restrictions", ""},
    {"smtpd_relay_restrictions", "permit_mynetworks,reject"},
    {"smtpd_recipient_restrictions", "permit_mynetworks,reject"},
    {"smtpd_data_restrictions", ""},
    {"smtpd_end_of_data_restrictions", ""},
    {"smtpd_client_connection_count_limit", "0"},
    {"smtpd_client_connection_rate_limit", "0"},
    {NULL, NULL},
};

static const struct setting cleanup_settings[] = {{"message_size_limit", "0"}, {NULL, NULL}};

/* Of the second smtpd, whichever port it has. Another's is left alone: 10026 is amavisd's way back too. */
static void find_second(const struct postfix_settings *settings, char service[static SERVICE_MAX])
{
    for (int port = FIRST_PORT; port < FIRST_PORT + PORTS; port++) {
        const char *name;

        snprintf(service, SERVICE_MAX, "127.0.0.1:%d/inet", port);
        name = postfix_own(settings, service, "syslog_name");
        if (!postfix_own(settings, service, "command") || (name && strcmp(name, "postfix/copies") == 0))
            return;
    }
}

/* A service of master.cf with ACCESS and FIELDS behind its name and type, and its settings. False when something was missing. */
static bool advise_service(struct postfix_work *work, const char *service, const char *access, const char *fields,
                           const struct setting *settings)
{
    size_t name = strcspn(service, "/");
    bool good = postfix_own(work->settings, service, "command") != NULL;

    if (!good)
        postfix_add_line(work, &work->lines, "-M", "%s=%.*s %s %s %s", service, (int)name, service, service + name + 1, access,
                         fields);
    for (; settings->name; settings++) {
        const char *now = postfix_own(work->settings, service, settings->name);

        if (now && strcmp(now, settings->value) == 0)
            continue;
        good = false;
        postfix_add_line(work, &work->lines, "-P", "%s/%s=%s", service, settings->name, settings->value);
    }
    return good;
}

static bool advise_main(struct postfix_work *work, const char *name, const char *value)
{
    const char *now = postfix_main(work->settings, name);

    if (now && strcmp(now, value) == 0)
        return true;
    postfix_add_line(work, &work->lines, "-e", "%s=%s", name, value);
    return false;
}

/* All that signs, wherever it stands now, each once: SEEN has their endpoints. */
struct signers {
    struct buf list, seen;
};

static void add_signer(struct postfix_work *work, const struct postfix_milter *milter, struct signers *signers)
{
    struct buf endpoint;

    buf_init(&endpoint, POSTFIX_TEXT_MAX);
    postfix_milter_endpoint(work->settings, milter->meaning, &endpoint);
    if (!postfix_list_has(buf_text(&signers->seen), buf_text(&endpoint))) {
        buf_add_f(&signers->seen, "%s ", buf_text(&endpoint));
        buf_add_f(&signers->list, ", %s", milter->written);
    }
    buf_free(&endpoint);
}

static void add_signers(struct postfix_work *work, const char *list, struct signers *signers)
{
    struct postfix_milters milters;

    if (postfix_milters_read(&milters, work->settings, list))
        for (size_t n = 0; n < milters.count; n++)
            if (postfix_milter_does(milters.milter[n].meaning) & MILTER_SIGNS)
                add_signer(work, &milters.milter[n], signers);
    postfix_milters_free(&milters);
}

static bool is_submission(const struct postfix_work *work, const char *service)
{
    return postfix_runs(work->settings, service, "smtpd") && postfix_use(work->settings, service) == USE_SUBMISSION;
}

static void find_signers(struct postfix_work *work, const char *second, struct signers *signers)
{
    size_t at = 0;
    char *service;

    add_signers(work, postfix_effective(work->settings, second, "smtpd_milters"), signers);
    while ((service = postfix_next_service(work->settings, &at)) != NULL) {
        if (is_submission(work, service))
            add_signers(work, postfix_effective(work->settings, service, "smtpd_milters"), signers);
        free(service);
    }
    if (postfix_main(work->settings, "non_smtpd_milters"))
        add_signers(work, postfix_main(work->settings, "non_smtpd_milters"), signers);
}

/* Behind the second pass, for it changes the mail for the last time. */
static bool advise_second_milters(struct postfix_work *work, const char *second)
{
    const char *own = postfix_own(work->settings, second, "smtpd_milters");
    struct postfix_milters milters;
    struct signers signers;
    struct buf *list = &signers.list, now;
    bool good;

    buf_init(list, POSTFIX_TEXT_MAX);
    buf_init(&signers.seen, POSTFIX_TEXT_MAX);
    buf_init(&now, POSTFIX_TEXT_MAX);
    good = postfix_milters_read(&milters, work->settings, own ? own : "");
    buf_add_str(list, postfix_ours_written(work, &milters, OURS_COPIES));
    find_signers(work, second, &signers);
    for (size_t n = 0; n < milters.count; n++)
        buf_add_f(&now, "%s%s", n ? ", " : "", milters.milter[n].written);
    good &= slice_eq(buf_slice(&now), buf_slice(list));
    if (good)
        postfix_advice_say(work->advice, POSTFIX_OK, "second pass", "%s, %s", second, own);
    if (!good && !strchr(buf_text(list), ',')) {
        postfix_add_line(work, &work->lines, "-P", "%s/smtpd_milters=%s", second, buf_text(list));
    } else if (!good) {
        postfix_add_line(work, &work->lines, "-e", "spoor_milters_copies=%s", buf_text(list));
        postfix_add_line(work, &work->lines, "-P", "%s/smtpd_milters=$spoor_milters_copies", second);
    }
    postfix_milters_free(&milters);
    buf_free(list);
    buf_free(&signers.seen);
    buf_free(&now);
    return good;
}

/* The split goes on the service last: it must be there first. */
static void advise_filter(struct postfix_work *work, const char *service, const char *split)
{
    const char *now = postfix_effective(work->settings, service, "content_filter");
    struct buf meaning;

    buf_init(&meaning, POSTFIX_TEXT_MAX);
    postfix_expand(work->settings, now, &meaning);
    if (slice_is(buf_slice(&meaning), split)) {
        postfix_advice_say(work->advice, POSTFIX_OK, service, "content_filter = %s", now);
    } else if (*now) {
        postfix_advice_say(work->advice, POSTFIX_FAIL, service, "content_filter is %s - let the smtpd that gets the mail back from there have "
                           "content_filter=$spoor_split", now);
    } else {
        postfix_advice_say(work->advice, POSTFIX_FAIL, service, "content_filter does not lead to the split, so nobody gets a copy of his own");
        postfix_add_line(work, &work->lines, "-P", "%s/content_filter=$spoor_split", service);
    }
    buf_free(&meaning);
}

static void advise_filters(struct postfix_work *work, const char *split)
{
    size_t at = 0;
    char *service;

    while ((service = postfix_next_service(work->settings, &at)) != NULL) {
        if (is_submission(work, service) || postfix_runs(work->settings, service, "pickup"))
            advise_filter(work, service, split);
        free(service);
    }
}

void postfix_advise_copies(struct postfix_work *work)
{
    char second[SERVICE_MAX], split[SERVICE_MAX];
    const char *chroot = postfix_own(work->settings, "smtp/unix", "chroot");
    char client[SERVICE_MAX], server[SERVICE_MAX]; /* private, unprivileged, chroot */
    bool good;

    find_second(work->settings, second);
    snprintf(split, sizeof split, "split:[127.0.0.1]:%.*s", (int)strcspn(strchr(second, ':') + 1, "/"), strchr(second, ':') + 1);
    snprintf(client, sizeof client, "- - %s", chroot ? chroot : "-");
    snprintf(server, sizeof server, "n - %s", chroot ? chroot : "-");
    good = advise_main(work, "spoor_split", split);
    good &= advise_main(work, "split_destination_recipient_limit", "1");
    good &= advise_service(work, "split/unix", client, "- 10 smtp", split_settings);
    good &= advise_service(work, "copies_cleanup/unix", server, "- 0 cleanup", cleanup_settings);
    good &= advise_service(work, second, server, "- - smtpd", second_settings);
    if (!good)
        postfix_advice_say(work->advice, POSTFIX_FAIL, "second pass", "the services split, copies_cleanup and %s are not all as they should be", second);
    if (!advise_second_milters(work, second) && good)
        postfix_advice_say(work->advice, POSTFIX_FAIL, "second pass", "smtpd_milters of %s must be spoor-copies, then what signs", second);
    advise_filters(work, split);
}
