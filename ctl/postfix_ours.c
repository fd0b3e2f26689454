/* SPDX-License-Identifier: BSD-2-Clause */
/* postfix_ours - our own milters as Postfix knows them: where they listen, with which settings, under which name. See postfix_advice_private.h */

#include "ctl/postfix_advice_private.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char settings_wanted[] = "default_action=tempfail, connect_timeout=5s, content_timeout=30s";

/* "unix:/PATH" stays; "inet:PORT@HOST" becomes Postfix's "inet:HOST:PORT". */
static void add_endpoint(struct buf *endpoint, const char *listen)
{
    struct slice rest = slice_str(listen), kind = slice_cut(&rest, ':'), port;

    if (slice_is(kind, "unix") || slice_is(kind, "local")) {
        buf_add_f(endpoint, "unix:%.*s", SLICE_ARG(rest));
        return;
    }
    port = slice_cut(&rest, '@');
    buf_add_f(endpoint, slice_is(kind, "inet6") ? "inet:[%.*s]:%.*s" : "inet:%.*s:%.*s", SLICE_ARG(rest), SLICE_ARG(port));
}

void postfix_ours_fill(struct postfix_work *work, enum postfix_ours_name name, const char *listen)
{
    struct postfix_ours *ours = &work->ours[name];
    const char *queue = postfix_main(work->settings, "queue_directory"), *path;
    struct buf listed;

    buf_init(&ours->endpoint, POSTFIX_TEXT_MAX);
    buf_init(&ours->listed, POSTFIX_TEXT_MAX);
    ours->wanted = *listen != '\0';
    if (!ours->wanted)
        return;
    buf_init(&listed, POSTFIX_TEXT_MAX);
    add_endpoint(&listed, listen);
    postfix_milter_endpoint(work->settings, buf_text(&listed), &ours->endpoint);
    buf_free(&listed);
    path = strchr(buf_text(&ours->endpoint), '/');
    if (path && queue && strncmp(path, queue, strlen(queue)) == 0 && path[strlen(queue)] == '/')
        buf_add_f(&ours->listed, "unix:%s", path + strlen(queue) + 1);
    else
        buf_add_str(&ours->listed, buf_text(&ours->endpoint));
}

/* The first service of Postfix that asks filters and sees nothing but the queue folder; the caller frees it. NULL for none. */
static char *first_chrooted(const struct postfix_settings *settings)
{
    size_t at = 0;
    char *service;

    while ((service = postfix_next_service(settings, &at)) != NULL) {
        if ((postfix_runs(settings, service, "smtpd") || postfix_runs(settings, service, "cleanup")) &&
            postfix_chrooted(settings, service))
            return service;
        free(service);
    }
    return NULL;
}

void postfix_ours_reach(struct postfix_work *work, struct postfix_ours *ours)
{
    const char *queue = postfix_main(work->settings, "queue_directory");
    char *service = NULL;

    if (ours->wanted && strncmp(buf_text(&ours->listed), "unix:/", strlen("unix:/")) == 0)
        service = first_chrooted(work->settings);
    if (!service)
        return;
    ours->wanted = work->advice->in_sight = false;
    postfix_advice_say(work->advice, POSTFIX_FAIL, ours->option, "%s runs in a chroot and cannot reach %s - set %s = \"unix:%s/spoor/%s\"",
                       service, buf_text(&ours->endpoint), ours->option, queue ? queue : "",
                       ours->socket);
    free(service);
}

static bool is_ours(const struct postfix_work *work, const struct postfix_ours *ours, const char *meaning)
{
    struct buf endpoint;
    bool same;

    buf_init(&endpoint, POSTFIX_TEXT_MAX);
    postfix_milter_endpoint(work->settings, meaning, &endpoint);
    same = ours->endpoint.len > 0 && slice_eq(buf_slice(&endpoint), buf_slice(&ours->endpoint));
    buf_free(&endpoint);
    return same;
}

size_t postfix_find_ours(const struct postfix_work *work, const struct postfix_milters *milters, enum postfix_ours_name name)
{
    size_t n = 0;

    while (n < milters->count && !is_ours(work, &work->ours[name], milters->milter[n].meaning))
        n++;
    return n;
}

const char *postfix_ours_fault(const struct postfix_work *work, const struct postfix_milter *milter)
{
    struct slice action = postfix_milter_setting(milter->meaning, "default_action");

    if (slice_empty(action))
        action = slice_str(postfix_main(work->settings, "milter_default_action"));
    if (!slice_is(action, "tempfail"))
        return "default_action is not tempfail, so Postfix loses a mail whose filter dies in the middle of changing it";
    if (slice_empty(postfix_milter_setting(milter->meaning, "connect_timeout")))
        return "connect_timeout is not set, so a host that is away holds each mail for 30 s";
    if (slice_empty(postfix_milter_setting(milter->meaning, "content_timeout")))
        return "content_timeout is not set, so a filter that hangs holds each mail for 300 s";
    return NULL;
}

const char *postfix_ours_written(struct postfix_work *work, const struct postfix_milters *milters, enum postfix_ours_name name)
{
    static const char *const references[] = {"$spoor_stamp", "$spoor_copies", "$spoor_match"};
    size_t at = postfix_find_ours(work, milters, name);
    bool good = at < milters->count && !postfix_ours_fault(work, &milters->milter[at]);

    if (good && strcmp(milters->milter[at].written, references[name]) != 0)
        return milters->milter[at].written;
    work->ours[name].used = true;
    return references[name];
}

void postfix_ours_define(struct postfix_work *work, struct postfix_ours *ours)
{
    const char *now = postfix_main(work->settings, ours->parameter);
    struct postfix_milter milter = {.meaning = (char *)(uintptr_t)(now ? now : "")};

    if (!ours->used || (now && is_ours(work, ours, now) && !postfix_ours_fault(work, &milter)))
        return;
    postfix_add_line(work, &work->advice->lines, "-e", "%s={ %s, %s }", ours->parameter, buf_text(&ours->listed), settings_wanted);
}
