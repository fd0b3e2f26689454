/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy - how far mail from or to somebody is tracked, which campaign it belongs to, and whose login is whose. Pure.
 *
 * Made from a text, which comes from spoor.policy_lines() or from the file kept of it. One thing a line, its columns
 * parted by tabs, an empty one where nothing is said:
 *     policy SIDE WHO LEVEL VIEWS LINKS DOCUMENTS FILES FILES_FROM
 *     campaign SENDER CAMPAIGN HEADER PATTERN
 *     login LOGIN ADDRESS
 * SIDE is sender or recipient; WHO and SENDER an address in normal form, a domain, or * for everybody; VIEWS, LINKS and
 * DOCUMENTS are true or false; FILES patterns with blanks between; FILES_FROM bytes. In patterns * is any run of characters,
 * and case does not count, nor in a LOGIN. A bad line is named; the others hold. One that says of somebody what is not understood,
 * as a newer database might, is taken for off: who wants no tracking must not be tracked for a word.
 *
 * All that is said of an address, of its domain and of everybody holds together, and the most restrictive wins. Made
 * once, then read by all threads; it counts who holds it.
 */
#ifndef COMMON_POLICY_H
#define COMMON_POLICY_H

#include "common/record.h"

struct policy;

/* COMPLAIN gets a line for each bad line, with what follows from it. NULL without memory. */
struct policy *policy_parse(struct slice text, void (*complain)(void *arg, const char *line), void *arg);
/* What stands where it cannot be known what has been said: nobody may be tracked. NULL without memory. */
struct policy *policy_unknown(void);
struct policy *policy_hold(struct policy *policy); /* one more holder */
void policy_let_go(struct policy *policy); /* the last one frees; NULL is fine */

struct policy_size {
    size_t people, campaigns, logins; /* lines */
};
struct policy_size policy_size(const struct policy *policy);

/* False for policy_unknown(). NULL says nothing of anybody, and that is known. */
bool policy_is_known(const struct policy *policy);

/* The address whose mail it is that comes under LOGIN; empty: not said. As long as the policy lives. */
struct slice policy_owner(const struct policy *policy, struct slice login);

enum policy_side { POLICY_SENDER, POLICY_RECIPIENT };

/* What is allowed; what was said of several people at once is the least of it. */
struct policy_limits {
    enum tracking_level level;
    bool views, links, documents;
    struct slice whom; /* whose word lowered the level last: the address that was asked about; empty: nobody's */
};

/* Takes from LIMITS what is not allowed for mail from or to ADDRESS (normal form). POLICY may be NULL: nothing is said. */
void policy_limit(const struct policy *policy, enum policy_side side, struct slice address, struct policy_limits *limits);

/* Is anything said of any recipient? */
bool policy_has_recipients(const struct policy *policy);

/* Does anybody ask for files at all? */
bool policy_names_files(const struct policy *policy);

/* Is a file of that NAME (decoded) and size to be taken out of mail from or to ADDRESS? Limits come before this. */
bool policy_wants_file(const struct policy *policy, enum policy_side side, struct slice address, struct slice name, uint64_t bytes);

/*
 * The campaign of mail from SENDER (normal form), empty when none is named. VALUE_OF gives the text of a header field of
 * the mail, unfolded and decoded, empty when it has none; valid until it is asked again. As long as the policy lives.
 */
struct slice policy_campaign(const struct policy *policy, struct slice sender,
                             struct slice (*value_of)(void *arg, struct slice header), void *arg);

#endif
