/* SPDX-License-Identifier: BSD-2-Clause */
/* sample - see sample.h */

#include "relay/sample.h"

#include "relay/https.h"
#include "relay/sink_type.h"

#include <string.h>
#include <sysexits.h>
#include <time.h>

enum { TEXT_MAX = 4096 };

/* Its id is always the same, so that many samples make one task. */
static const char item[] =
    "{\"id\":\"00000000-0000-0000-0000-000000000000\",\"what\":\"reply\",\"at\":\"%sZ\",\"person\":\"sample@example.com\","
    "%s\"message\":{\"id\":\"0\",\"sent_at\":\"%sZ\",\"subject\":\"Sample of Spoor\",\"owner\":\"%s\","
    "\"sender\":\"%s\",\"sent_to\":1},\"answer\":{\"from\":\"sample@example.com\",\"subject\":\"Re: Sample of Spoor\","
    "\"text\":\"Sent to see whether this sink works.\"}}";

static const struct conf_sink *sink_named(const struct conf *conf, const char *name)
{
    for (size_t n = 0; n < conf->sinks; n++)
        if (strcmp(conf->sink[n].name, name) == 0)
            return &conf->sink[n];
    return NULL;
}

static bool make_event(const struct conf_sink *sink, struct parcel *parcel)
{
    const char *whom = *sink->from ? sink->from : "sample@example.com";
    time_t now = time(NULL);
    char at[32], to[320];
    struct buf text;
    struct tm day;
    bool made;

    gmtime_r(&now, &day);
    strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%S", &day);
    buf_init(&text, TEXT_MAX);
    to[0] = '\0';
    if (*sink->from)
        snprintf(to, sizeof to, "\"to\":\"%.300s\",", sink->from); /* in normal form: no quotes */
    buf_add_f(&text, item, at, to, at, whom, whom);
    *parcel = (struct parcel){.outcome = PARCEL_LATER};
    made = event_read(buf_text(&text), &parcel->event);
    buf_free(&text);
    return made;
}

static int send_sample(const struct conf_sink *sink, const struct sink_type *type, void *opened, struct buf *why)
{
    struct parcel parcel;

    if (type->prepare && !type->prepare(opened, why)) {
        printf("sink %s: %s\n", sink->name, buf_text(why));
        return 1;
    }
    if (!make_event(sink, &parcel)) {
        fprintf(stderr, "spoor-relay: no memory for a sample\n");
        return 1;
    }
    type->send(opened, &parcel, 1, why);
    printf("sink %s (%s): %s\n", sink->name, conf_sink_type_name(sink->type), parcel.outcome == PARCEL_SENT ? "taken" : "not taken");
    if (*parcel.result)
        printf("result: %s\n", parcel.result);
    if (*type->said(opened))
        printf("answer: %s\n", type->said(opened));
    event_free(&parcel.event);
    return parcel.outcome == PARCEL_SENT ? 0 : 1;
}

static int test_sink(const struct conf_sink *sink)
{
    const struct sink_type *type = sink_type_of(sink->type);
    struct buf why;
    void *opened;
    int status = 1;

    buf_init(&why, TEXT_MAX);
    opened = type->open(sink, &why);
    if (opened) {
        status = send_sample(sink, type, opened, &why);
        type->close(opened);
    } else {
        printf("sink %s: %s\n", sink->name, buf_text(&why));
    }
    buf_free(&why);
    return status;
}

int sample_command(int argc, char **argv)
{
    const struct conf_sink *sink;
    struct conf *conf;
    struct buf error;
    int status = EX_CONFIG;

    if (argc != 3) {
        fputs("usage: spoor-relay sample SINK CONFIGURATION\n", stderr);
        return EX_USAGE;
    }
    buf_init(&error, TEXT_MAX);
    conf = conf_load(argv[2], CONF_RELAY, &error);
    sink = conf ? sink_named(conf, argv[1]) : NULL;
    if (!conf)
        fprintf(stderr, "spoor-relay: %s\n", buf_text(&error));
    else if (!sink)
        fprintf(stderr, "spoor-relay: %s has no sink %s\n", argv[2], argv[1]);
    else if (https_begin())
        status = test_sink(sink);
    buf_free(&error);
    conf_free(conf);
    return status;
}
