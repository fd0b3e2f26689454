/* SPDX-License-Identifier: BSD-2-Clause */
/* line_read - see line_read.h */

#include "delivery/line_read.h"
#include "delivery/line_postfix.h"
#include "delivery/line_sendmail.h"

/* What stands before CHARACTER, which goes too; false when it is not there. */
static bool take_until(struct slice *text, char character, struct slice *taken)
{
    size_t at = slice_find_char(*text, character);

    if (at == text->len)
        return false;
    *taken = slice_of(text->p, at);
    *text = slice_from(*text, at + 1);
    return true;
}

/* RFC 5424 has "<22>1 " before the time, and " host tag pid msgid structured " behind it. */
static bool is_numbered(struct slice text)
{
    return text.len && text.p[0] == '<';
}

static bool take_head(struct slice *text, struct log_line *line)
{
    struct slice pid, message_id;
    bool numbered = is_numbered(*text);

    if (numbered && (!take_until(text, ' ', &pid)))
        return false;
    if (!log_time_take(text, &line->time) || !take_until(text, ' ', &line->host))
        return false;
    if (!numbered)
        return take_until(text, ' ', &line->process) && line->process.len > 1 &&
               line->process.p[--line->process.len] == ':';
    return take_until(text, ' ', &line->process) && take_until(text, ' ', &pid) &&
           take_until(text, ' ', &message_id) && take_until(text, ' ', &message_id);
}

/* "smtp" of "postfix/smtp[7]" and of "postfix-out/submission/smtp[7]". */
static bool postfix_service(struct slice process, struct slice *service)
{
    static const struct slice postfix = SLICE_TEXT("postfix");
    struct slice name = slice_of(process.p, slice_find_char(process, '['));
    struct slice before;

    if (!slice_starts_i(name, postfix))
        return false;
    while (take_until(&name, '/', &before))
        continue;
    *service = name;
    return true;
}

static bool is_sendmail(struct slice process)
{
    static const struct slice mta = SLICE_TEXT("sm-mta"), sendmail = SLICE_TEXT("sendmail");

    return slice_starts_i(process, mta) || slice_starts_i(process, sendmail);
}

void line_read(struct slice text, struct log_line *line)
{
    struct slice rest, service = {0};
    bool of_postfix;

    *line = (struct log_line){0};
    if (!take_head(&text, line))
        return;
    of_postfix = postfix_service(line->process, &service);
    if (!of_postfix && !is_sendmail(line->process))
        return;
    rest = text;
    if (take_until(&rest, ':', &line->queue_id) && line_is_queue_id(line->queue_id))
        text = slice_trim(rest);
    else
        line->queue_id = (struct slice){0};
    if (of_postfix)
        line_read_postfix(service, text, line);
    else
        line_read_sendmail(text, line);
}
