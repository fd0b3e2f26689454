/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_plan - what both passes of spoor-stamp ask mail/outgoing: by the policy, and who is forgotten, of this moment. */
#ifndef MILTER_STAMP_PLAN_H
#define MILTER_STAMP_PLAN_H

#include "mail/outgoing.h"
#include "milter/mlfi_message.h"
#include "milter/stamp_policy.h"

/* outgoing_plan_make() or outgoing_copy_plan() */
typedef void stamp_planner(const struct outgoing_mail *mail, const struct outgoing_settings *settings,
                           struct outgoing_plan *plan);

/* What of MESSAGE both passes look at. It stays MESSAGE's. */
struct outgoing_mail stamp_plan_mail(const struct mlfi_message *message);
/* Completes SETTINGS; what it puts there is gone again afterwards. PLAN is to be freed in any case. */
void stamp_plan_make(struct stamp_policy *current, stamp_planner *make, const struct outgoing_mail *mail,
                     struct outgoing_settings *settings, struct outgoing_plan *plan);

#endif
