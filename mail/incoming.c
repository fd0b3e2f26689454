/* SPDX-License-Identifier: BSD-2-Clause */
/* incoming - see incoming.h */

#include "mail/about.h"
#include "mail/classify.h"
#include "mail/fingerprint.h"
#include "mail/first_text.h"
#include "mail/incoming.h"
#include "mail/match.h"
#include "mail/report.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SUBJECT_MAX = 4096, TEXT_MAX = 256 * 1024 /* above any first text */ };

struct judging {
    const struct incoming_mail *mail;
    const struct incoming_lookup *lookup;
    struct incoming_verdict *verdict;
    struct report report;
    struct named_ids ids;
    struct about about;
    struct original original;
    bool to_bounce_address;
};

/* --- what this mail is called ------------------------------------------------------------------------ */

/* A mail with two authors' fields is forged or broken: nobody is believed to have written it. */
void incoming_author(const struct header_list *headers, char text[ADDRESS_MAX + 1])
{
    struct buf address;

    text[0] = '\0';
    if (header_count(headers, "From") != 1)
        return;
    buf_init(&address, 4096);
    if (header_mailbox(slice_str(header_value(headers, "From")), &address))
        address_normal_text(buf_slice(&address), text);
    buf_free(&address);
}

static char *decoded_subject(const struct header_list *headers)
{
    const char *value = header_value(headers, "Subject");
    struct slice text = slice_str(value ? value : "");
    struct buf flat, subject;

    if (text.len > SUBJECT_MAX)
        text.len = SUBJECT_MAX;
    buf_init(&flat, SUBJECT_MAX);
    buf_init(&subject, 4 * SUBJECT_MAX);
    if (header_unfold(text, &flat))
        header_decode_words(buf_slice(&flat), &subject);
    else
        subject.failed = true;
    buf_free(&flat);
    if (subject.failed)
        buf_free(&subject);
    return subject.failed ? NULL : buf_steal(&subject);
}

static bool describe(struct judging *judging)
{
    struct incoming_verdict *verdict = judging->verdict;

    incoming_author(judging->mail->headers, verdict->from);
    address_normal_text(judging->mail->envelope_sender, verdict->envelope_sender);
    verdict->subject = decoded_subject(judging->mail->headers);
    verdict->message_id = fingerprint_message_id(judging->mail->headers);
    if (!verdict->subject || !verdict->message_id)
        return false;
    return fingerprint(judging->mail->headers, verdict->message_id, verdict->digest);
}

/* --- what it refers to --------------------------------------------------------------------------------- */

/* A bounce without a report quotes the mail's header in its text. */
static bool read_ids(struct judging *judging)
{
    const struct header_list *headers = judging->mail->headers;
    struct report *report = &judging->report;
    bool about_mail, from_nobody = slice_empty(judging->mail->envelope_sender) || judging->to_bounce_address;

    if (report->kind == REPORT_NONE && (from_nobody || header_value(headers, "X-Failed-Recipients")) &&
        !report_read_text(headers, judging->mail->body, report))
        return false;
    about_mail = report->kind != REPORT_MEETING;
    return named_ids_read(headers, about_mail ? &report->returned : NULL, &judging->ids);
}

/* --- who it is from -------------------------------------------------------------------------------------- */

static void ask_original(struct judging *judging)
{
    const struct incoming_lookup *lookup = judging->lookup;
    struct incoming_verdict *verdict = judging->verdict;
    struct original *original = &judging->original;

    if (lookup->original)
        lookup->original(lookup->arg, verdict->message, slice_str(verdict->from), original);
    if (!verdict->from[0] && original->relation != RELATION_UNKNOWN)
        original->relation = RELATION_NONE;
    memcpy(verdict->own_id, original->own_id, sizeof verdict->own_id);
}

static enum answer_answerer answerer_of(const struct incoming_verdict *verdict, enum relation relation)
{
    if (relation == RELATION_RECIPIENT)
        return ANSWERER_RECIPIENT;
    if (verdict->recipient && verdict->recipient == verdict->answerer_key)
        return ANSWERER_RECIPIENT;
    if (!verdict->from[0] || (relation == RELATION_UNKNOWN && !verdict->recipient))
        return ANSWERER_UNKNOWN;
    return ANSWERER_OTHER;
}

/*
 * Whose organisation counts is the sender's. The right side of our ids is his domain too; where neither is known, any
 * domain of ours has to do.
 */
static bool is_colleague(const struct judging *judging, const struct match *match)
{
    const struct incoming_lookup *lookup = judging->lookup;
    struct slice domain = address_domain(slice_str(judging->verdict->from));
    struct slice sender = address_domain(slice_str(judging->original.sender));

    return domain.len && lookup->is_colleague &&
           lookup->is_colleague(lookup->site, domain, sender.len ? sender : match->domain);
}

/* The sender's own follow-up, a list's echo of it, or a colleague. What comes from the null sender no person sent. */
static bool is_own(const struct judging *judging, const struct match *match)
{
    if (slice_empty(judging->mail->envelope_sender))
        return false;
    if (judging->original.relation == RELATION_OWNER)
        return true;
    if (match_is_itself(match) && is_colleague(judging, match))
        return true; /* also a note to oneself, before the database knows its row */
    return judging->verdict->answerer != ANSWERER_RECIPIENT && is_colleague(judging, match);
}

/* --- the verdict ------------------------------------------------------------------------------------------- */

/* A person's answer is as sure as its id and its author are. */
static enum answer_confidence reply_confidence(const struct match *match, const struct incoming_verdict *verdict)
{
    bool recipient = verdict->answerer == ANSWERER_RECIPIENT;

    if (!verdict->from[0] || match->rung == RUNG_QUOTED_URL)
        return CONFIDENCE_LOW; /* a URL may be copied into any mail */
    if (match->kept && !recipient)
        return CONFIDENCE_LOW; /* anyone who saw the mail can name such an id, and some can be guessed */
    return recipient && match_is_direct(match) ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
}

static enum answer_hard hardness(const char *status)
{
    if (!status[0])
        return HARD_UNKNOWN;
    return report_status_is_hard(status) ? HARD_YES : HARD_NO;
}

/* A text that cannot be read names no date; that is no reason to fail. */
static void set_until(struct judging *judging)
{
    const char *date = header_value(judging->mail->headers, "Date");
    struct absence_mail absence = {
        .subject = slice_str(judging->verdict->subject),
        .date = slice_str(date ? date : ""),
    };
    struct buf text;

    buf_init(&text, TEXT_MAX);
    first_text_read(judging->mail->headers, judging->mail->body, &text);
    absence.text = buf_slice(&text);
    absence_until(&absence, judging->verdict->until);
    buf_free(&text);
}

/* Which of the report's recipients speaks, and whether he may stop anything. */
static void set_about(struct judging *judging)
{
    struct incoming_verdict *verdict = judging->verdict;

    switch (verdict->class_) {
    case ANSWER_BOUNCE:
    case ANSWER_DELAY:
    case ANSWER_DELIVERED:
    case ANSWER_COMPLAINT:
        break;
    default:
        return;
    }
    memcpy(verdict->about, judging->about.address, sizeof verdict->about);
    verdict->effect = judging->about.effect;
}

static void set_details(struct judging *judging)
{
    struct incoming_verdict *verdict = judging->verdict;
    const struct report *report = &judging->report;

    if (report->kind == REPORT_DELIVERY || verdict->class_ == ANSWER_BOUNCE || verdict->class_ == ANSWER_DELAY)
        memcpy(verdict->status, report->status, sizeof verdict->status);
    if (verdict->class_ == ANSWER_BOUNCE)
        verdict->hard = hardness(verdict->status);
    if (verdict->class_ == ANSWER_RECEIPT)
        verdict->receipt = report->disposition;
    if (verdict->class_ == ANSWER_AUTO_REPLY)
        set_until(judging);
    set_about(judging);
}

static bool set_class(struct judging *judging, const struct match *match)
{
    struct incoming_verdict *verdict = judging->verdict;
    struct classify_mail kind = {
        .headers = judging->mail->headers,
        .report = &judging->report,
        .from = slice_str(verdict->from),
        .null_sender = slice_empty(judging->mail->envelope_sender),
        .to_bounce_address = judging->to_bounce_address,
    };
    struct classify_result result;

    if (is_own(judging, match)) {
        verdict->class_ = ANSWER_OWN;
        verdict->itself = match_is_itself(match);
        verdict->confidence = judging->original.relation == RELATION_OWNER ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM;
        return true;
    }
    about_choose(judging->lookup, &match->token, &judging->report, &judging->about);
    if (!classify(&kind, &result))
        return false;
    verdict->class_ = result.class_;
    verdict->confidence = result.class_ == ANSWER_REPLY ? reply_confidence(match, verdict) : result.confidence;
    set_details(judging);
    return true;
}

static bool judge_match(struct judging *judging, const struct match *match)
{
    struct incoming_verdict *verdict = judging->verdict;
    const struct incoming_lookup *lookup = judging->lookup;

    verdict->rung = match->rung;
    verdict->direct = match_is_direct(match) && !match_is_itself(match);
    verdict->message = match->token.message;
    verdict->recipient = match->token.recipient;
    if (verdict->from[0])
        verdict->answerer_key = lookup->recipient_key(lookup->site, slice_str(verdict->from));
    ask_original(judging);
    verdict->answerer = answerer_of(verdict, judging->original.relation);
    verdict->same_domain = judging->original.same_domain || verdict->answerer == ANSWERER_RECIPIENT;
    return set_class(judging, match);
}

bool incoming_judge(const struct incoming_mail *mail, const struct incoming_lookup *lookup,
                    struct incoming_verdict *verdict)
{
    static const char *const reports[] = {NULL, "delivery", "disposition", "feedback", "meeting"}; /* enum report_kind */
    struct judging judging = {
        .mail = mail, .lookup = lookup, .verdict = verdict, .to_bounce_address = match_to_bounce_address(mail)};
    struct match match;
    bool ok, matched;

    *verdict = (struct incoming_verdict){.class_ = ANSWER_NONE};
    ok = report_read(mail->headers, mail->body, &judging.report) && read_ids(&judging);
    way_note(&verdict->way, "report", reports[judging.report.kind]);
    way_note(&verdict->way, "ids", judging.ids.count ? "some" : "none");
    matched = ok && match_find(mail, lookup, &judging.ids, &match, &verdict->way);
    verdict->forged = ok && match.forged;
    if (matched)
        ok = describe(&judging) && judge_match(&judging, &match);
    way_note(&verdict->way, "class", answer_class_name(verdict->class_));
    report_free(&judging.report);
    if (!ok)
        incoming_verdict_free(verdict);
    return ok;
}

void incoming_verdict_free(struct incoming_verdict *verdict)
{
    free(verdict->subject);
    free(verdict->message_id);
    verdict->subject = verdict->message_id = NULL;
}

static void print_text(struct buf *out, const char *key, const char *value)
{
    if (value && value[0])
        buf_add_f(out, "%s: %s\n", key, value);
}

bool incoming_print(const struct incoming_verdict *verdict, struct buf *out)
{
    static const char *const hard[] = {NULL, "no", "yes"};

    print_text(out, "class", answer_class_name(verdict->class_));
    if (verdict->class_ != ANSWER_NONE) {
        print_text(out, "rung", answer_rung_name(verdict->rung));
        print_text(out, "confidence", answer_confidence_name(verdict->confidence));
        buf_add_f(out, "message: %" PRIu64 "\n", verdict->message);
        if (verdict->answerer != ANSWERER_UNKNOWN)
            print_text(out, "answerer", answer_answerer_name(verdict->answerer));
        print_text(out, "from", verdict->from);
        print_text(out, "status", verdict->status);
        print_text(out, "hard", hard[verdict->hard]);
        print_text(out, "receipt", verdict->receipt);
        print_text(out, "until", verdict->until);
    }
    print_text(out, "forged", verdict->forged ? "yes" : NULL);
    return !out->failed;
}

void incoming_record(const struct incoming_verdict *verdict, struct record_answer *answer)
{
    *answer = (struct record_answer){
        .message = verdict->message,
        .recipient = verdict->recipient,
        .class_ = verdict->class_,
        .rung = verdict->rung,
        .confidence = verdict->confidence,
        .answerer = verdict->answerer,
        .answerer_key = verdict->answerer_key,
        .from = slice_str(verdict->from),
        .envelope_sender = slice_str(verdict->envelope_sender),
        .subject = slice_str(verdict->subject),
        .message_id = slice_str(verdict->message_id),
        .about = slice_str(verdict->about),
        .status = slice_str(verdict->class_ == ANSWER_RECEIPT && verdict->receipt ? verdict->receipt : verdict->status),
        .hard = verdict->hard,
        .effect = verdict->effect,
    };
    memcpy(answer->digest, verdict->digest, sizeof answer->digest);
}
