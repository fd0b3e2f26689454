/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/admin.h"

#include "common/prometheus.h"
#include "pixeld/health.h"

enum { TEXT_MAX = 64 * 1024 };

static struct http_answer metrics_answer(struct admin *admin)
{
    static const struct http_header headers[] = {
        {"Content-Type", PROMETHEUS_TYPE},
        {"Cache-Control", "no-store"},
    };
    struct http_answer answer = {.once = true};
    struct buf text;

    buf_init(&text, TEXT_MAX);
    metrics_add_text(&admin->site->metrics, &admin->sources, &text);
    if (!text.failed)
        answer.page = http_page_new(200, headers, sizeof headers / sizeof *headers, buf_slice(&text));
    buf_free(&text);
    return answer;
}

struct http_answer admin_answer(void *arg, const struct request *request)
{
    struct admin *admin = arg;

    if (request->method != REQUEST_GET && request->method != REQUEST_HEAD)
        return (struct http_answer){.page = admin->site->pages.method_not_allowed};
    if (request->unframed)
        return (struct http_answer){.page = admin->site->pages.bad_request};
    if (slice_is(request->target, "/metrics"))
        return metrics_answer(admin);
    if (slice_is(request->target, "/healthz"))
        return health_answer(admin->site, true);
    return (struct http_answer){.page = admin->site->pages.not_found};
}
