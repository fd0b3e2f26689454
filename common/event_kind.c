/* SPDX-License-Identifier: BSD-2-Clause */
/* event_kind - see event_kind.h */

#include "common/event_kind.h"

#include <stddef.h>
#include <string.h>

static const struct event_kind kinds[] = {
    {'v', "view", "opened the mail", "viewed", "Viewed", "eye"},
    {'c', "click", "followed a link", "followed a link in", "Clicked", "link"},
    {'F', "fetched", "asked for the document", "asked for a document of", "Document asked for", "page"},
    {'O', "opened", "opened the document", "opened a document of", "Document opened", "page"},
    {'R', "read", "read the document", "read in a document of", "Document read", "page"},
    {'D', "downloaded", "downloaded the document", "downloaded a document of", "Document downloaded", "page"},
    {'r', "reply", "replied", "replied to", "Reply", "reply"},
    {'a', "auto_reply", "sent an automatic reply", "sent an automatic reply to", "Automatic reply", "away"},
    {'b', "bounce", "did not get the mail: it bounced", "did not get", "Bounced", "bounce"},
    {'U', "undelivered", "did not get the mail: a server refused it", "was not reached by", "Not delivered", "bounce"},
    {'p', "complaint", "complained about the mail", "complained of", "Complaint", "bounce"},
    {'d', "receipt", "sent a receipt", "sent a receipt for", "Receipt", "reply"},
    {'m', "meeting", "answered the invitation", "answered the invitation in", "Meeting answer", "reply"},
    {'u', "unsubscribe", "unsubscribed", "wants no more of", "Unsubscribed", "stop"},
    {'f', "refused", "did not get the mail: the campaign has ended", "was not sent", "Not sent", "stop"},
    {'o', "own", "answered for your side", "answered for your side in", "Colleague's answer", "reply"},
    {'w', "delay", "has not got the mail yet: it is delayed", "does not have yet", "Delayed", "away"},
    {'t', "delivered", "got the mail", "got", "Delivered", "reply"},
    {'l', "list", "answered through a mailing list", "answered through a mailing list in", "List's answer", "away"},
    {'x', "machine", "had a program answer", "had a program answer", "Program's answer", "away"},
    {'\0', "sent", "was sent the mail", "was sent", "Sent", "reply"}, /* no event: sinks are told of the mail itself */
};

const struct event_kind *event_kind_of(const char *what)
{
    for (size_t n = 0; n < sizeof kinds / sizeof *kinds; n++)
        if (strcmp(what, kinds[n].what) == 0)
            return &kinds[n];
    return NULL;
}
