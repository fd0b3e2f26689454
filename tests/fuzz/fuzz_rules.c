/* SPDX-License-Identifier: BSD-2-Clause */
/* any file of rules, and any text of them; then a question that looks at all of them */

#include "common/kept_text.h"
#include "pixeld/rules.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *arg, const char *line)
{
    (void)arg, (void)line;
}

/* The end of the input is the header field and the address. */
static void ask(const struct rules *rules, struct slice text)
{
    struct slice value = slice_from(text, text.len > 40 ? text.len - 40 : 0);
    struct client client = {.address_bytes = text.len % 2 ? 4 : 16};
    struct request request = {.method = REQUEST_GET};
    struct rules_question question = {&request, &client, HIT_CLICK, 1000, false};
    struct rules_answer answer;

    memcpy(client.address, value.p, value.len < 16 ? value.len : 16);
    for (size_t n = 0; n < REQUEST_FIELDS; n++)
        request.field[n] = value;
    answer = rules_ask(rules, &question);
    if (answer.judged && answer.reason.len == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size);
    struct slice found;
    struct rules *rules;

    if (size == 0)
        return 0;
    if (kept_text_of("rules", text, &found) && found.len > size)
        abort();
    rules = rules_parse(text, ignore, NULL);
    if (rules)
        ask(rules, text);
    rules_let_go(rules);
    return 0;
}
