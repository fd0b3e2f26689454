/* SPDX-License-Identifier: BSD-2-Clause */
/* what comes from the other side of a sink, and from the database: any bytes as each of them; texts in SOQL */

#include "relay/notice.h"
#include "relay/salesforce_task.h"
#include "relay/soql.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A quote that ends the literal is the last byte. */
static void check_literal(const char *text)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    soql_add_literal(&out, text);
    for (size_t at = 1; !out.failed && at + 1 < out.len; at++) {
        if (out.data[at] == '\'')
            abort();
        at += out.data[at] == '\\';
        if (at + 1 >= out.len)
            abort();
    }
    buf_free(&out);
}

static void check_event(const char *text)
{
    struct event event;
    struct buf out;

    if (!event_read(text, &event))
        return;
    buf_init(&out, 1 << 20);
    if (notice_write(&event, "a@b.example", 0, &out))
        for (size_t at = 0; at < out.len; at++)
            if ((unsigned char)out.data[at] >= 0x80)
                abort();
    buf_free(&out);
    event_free(&event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf_sink sink = {.external_id = (char *)(uintptr_t)"Spoor_Id__c", .task_status = (char *)(uintptr_t)"Completed"};
    struct salesforce_person people[2] = {{.skip = false}, {.skip = size & 1}};
    struct slice body = slice_of((const char *)data, size);
    char *text = strndup((const char *)data, size);
    struct salesforce_task_form form;
    struct parcel parcels[2] = {{.outcome = PARCEL_LATER}};
    struct buf why;

    buf_init(&why, 1000);
    salesforce_task_form_read(body, &sink, &form, &why);
    salesforce_task_take(body, parcels, people, 2);
    check_literal(text);
    check_event(text);
    buf_free(&why);
    free(text);
    return 0;
}
