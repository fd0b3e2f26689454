/* SPDX-License-Identifier: BSD-2-Clause */
/* any file of policy, and any text of it; then each kind of question about names that stand in the input */

#include "common/kept_text.h"
#include "common/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *arg, const char *line)
{
    (void)arg, (void)line;
}

static struct slice value_of(void *arg, struct slice header)
{
    (void)header;
    return *(const struct slice *)arg;
}

static void ask(const struct policy *policy, struct slice name)
{
    struct policy_limits limits = {.level = LEVEL_INDIVIDUAL, .views = true, .links = true, .documents = true};
    struct policy_limits again;

    policy_limit(policy, POLICY_SENDER, name, &limits);
    policy_limit(policy, POLICY_RECIPIENT, name, &limits);
    again = limits;
    policy_limit(policy, POLICY_RECIPIENT, name, &again);
    if (again.level != limits.level || (limits.level < LEVEL_INDIVIDUAL && !slice_eq(limits.whom, name)))
        abort();
    policy_wants_file(policy, POLICY_SENDER, name, name, name.len);
    policy_campaign(policy, name, value_of, &name);
    if (policy_owner(policy, name).len > 0 && policy_size(policy).logins == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size);
    struct policy *policy;
    struct slice found;

    if (size == 0)
        return 0;
    if (kept_text_of("policy", text, &found) && found.len > size)
        abort();
    policy = policy_parse(text, ignore, NULL);
    if (!policy)
        return 0;
    for (struct slice rest = text; rest.len;) {
        struct slice line = slice_cut(&rest, '\n');

        slice_cut(&line, '\t');
        ask(policy, slice_cut(&line, '\t'));
        ask(policy, slice_cut(&line, '\t'));
    }
    policy_let_go(policy);
    return 0;
}
