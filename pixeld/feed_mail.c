/* SPDX-License-Identifier: BSD-2-Clause */
/* feed_mail - the page of one mail: its counts, its recipients, and all that happened to it */

#include "common/decimal.h"
#include "pixeld/feed_chart.h"
#include "pixeld/feed_pages.h"
#include "pixeld/markup.h"

#include <stdlib.h>
#include <string.h>

/* PEOPLE_MOST, EVENTS_MOST: as spoor.my_mail_recipients() and my_mail_events() give */
enum { NUMBER_DIGITS = 19, PLACE_MAX = 256, PEOPLE_MOST = 1000, EVENTS_MOST = 500 };

static const char *value(const struct db_result *rows, size_t row, int column)
{
    const char *text = db_value(rows, row, column);

    return text ? text : "";
}

static void add_number(struct buf *html, const struct db_result *mail, int column, const char *one, const char *many)
{
    const char *number = value(mail, 0, column);

    markup_f(html, "<p><b>%s</b> %s</p>", *number ? number : "0", strcmp(number, "1") == 0 ? one : many);
}

/* Did somebody open it who is not among the views, but clicked, read or answered? */
static bool is_opened_unseen(const struct db_result *mail, const struct db_result *people)
{
    int64_t seen = 0;

    for (size_t row = 0; row < db_rows(people); row++)
        seen += db_integer(people, row, PERSON_VIEWS) > 0;
    return db_integer(mail, 0, MAIL_VIEWED) > seen &&
           db_integer(mail, 0, MAIL_CLICKED) + db_integer(mail, 0, MAIL_OPENED) + db_integer(mail, 0, MAIL_REPLIED) > 0;
}

static void add_counts(struct buf *html, const struct db_result *mail, const struct db_result *people)
{
    static const struct {
        int column;
        const char *one, *many; /* NULL: as one */
        bool always;
    } counts[] = {
        {MAIL_RECIPIENTS, "recipient", "recipients", true},
        {MAIL_DELIVERED, "delivered", NULL, false}, /* where nobody follows the mail server's log, 0 would be untrue */
        {MAIL_VIEWED, "opened it", NULL, true}, {MAIL_CLICKED, "followed a link", NULL, true},
        {MAIL_OPENED, "opened a document", NULL, false}, {MAIL_DOWNLOADED, "downloaded one", NULL, false},
        {MAIL_REPLIED, "replied", NULL, true}, {MAIL_DEFERRED, "delayed", NULL, false}, {MAIL_REFUSED, "bounced", NULL, false},
        {MAIL_MACHINE_EVENTS, "automatic hit, not counted", "automatic hits, not counted", false},
    };

    buf_add_str(html, "<section class=\"card stats\"><div class=\"numbers\">");
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++)
        if (counts[n].always || db_integer(mail, 0, counts[n].column) > 0)
            add_number(html, mail, counts[n].column, counts[n].one, counts[n].many ? counts[n].many : counts[n].one);
    if (is_opened_unseen(mail, people))
        buf_add_str(html, "<p class=\"legend\">Who followed a link, read a document or replied has opened it, also where its picture was not fetched.</p>");
    buf_add_str(html, "</div></section>\n");
}

static void add_head(struct buf *html, const struct db_result *mail)
{
    const char *sent_at = value(mail, 0, MAIL_SENT_AT);

    markup_f(html, "<div class=\"title\"><h1>%s</h1></div>", *value(mail, 0, MAIL_SUBJECT) ? value(mail, 0, MAIL_SUBJECT) : "(no subject)");
    markup_f(html, "<p class=\"note\">Sent <time datetime=\"%s\">%s</time> by %s", sent_at, sent_at,
             *value(mail, 0, MAIL_SENDER) ? value(mail, 0, MAIL_SENDER) : value(mail, 0, MAIL_OWNER));
    if (*value(mail, 0, MAIL_CAMPAIGN))
        markup_f(html, ", campaign <span class=\"campaign\">%s</span>", value(mail, 0, MAIL_CAMPAIGN));
    buf_add_str(html, "</p>");
    if (strcmp(value(mail, 0, MAIL_LEVEL), "aggregate") == 0)
        buf_add_str(html, "<p class=\"note\">For this mail only counts are kept, nobody is named.</p>");
    else if (*value(mail, 0, MAIL_TRACKED) == 'f')
        buf_add_str(html, "<p class=\"note\">This mail carries no picture: whether it is opened cannot be seen.</p>");
}

static const char *delivery_words(const char *state)
{
    static const char *const words[][2] = {
        {"accepted", "sent"}, {"arrived", "arrived"}, {"delivered", "delivered"}, {"deferred", "delayed"},
        {"bounced", "bounced"}, {"expired", "given up"},
    };

    for (size_t n = 0; n < sizeof words / sizeof *words; n++)
        if (strcmp(state, words[n][0]) == 0)
            return words[n][1];
    return state;
}

static void add_time(struct buf *html, const char *at)
{
    if (*at)
        markup_f(html, "<time datetime=\"%s\">%s</time>", at, at);
}

/* Which server has the mail or did not take it, and what it said to that. */
static void add_server(struct buf *html, const struct db_result *people, size_t row)
{
    bool delivered = strcmp(value(people, row, PERSON_DELIVERY), "delivered") == 0;

    if (*value(people, row, PERSON_RELAY))
        markup_f(html, " <span class=\"words\">%s %s</span>", delivered ? "to" : "at", value(people, row, PERSON_RELAY));
    if (!delivered && *value(people, row, PERSON_TEXT))
        markup_f(html, "<span class=\"words\">%s</span>", value(people, row, PERSON_TEXT));
}

static void add_person(struct buf *html, const struct db_result *people, size_t row, bool documents)
{
    markup_f(html, "<tr><th scope=\"row\">%s</th><td data-label=\"Delivery\"><span class=\"state %s\">%s</span> ",
             value(people, row, PERSON_ADDRESS), value(people, row, PERSON_DELIVERY), delivery_words(value(people, row, PERSON_DELIVERY)));
    if (strcmp(value(people, row, PERSON_DELIVERY), "arrived") != 0) /* nobody knows when */
        add_time(html, value(people, row, PERSON_DELIVERED_AT));
    add_server(html, people, row);
    markup_f(html, "</td><td data-label=\"Views\">%s</td><td data-label=\"Links\">%s</td>", value(people, row, PERSON_VIEWS),
             value(people, row, PERSON_CLICKS));
    if (documents)
        markup_f(html, "<td data-label=\"Documents\">%s</td>", value(people, row, PERSON_OPENS));
    markup_f(html, "<td data-label=\"Replies\">%s</td><td data-label=\"Last\">", value(people, row, PERSON_REPLIES));
    add_time(html, value(people, row, PERSON_LAST_EVENT_AT));
    buf_add_str(html, "</td></tr>\n");
}

static bool opened_anything(const struct db_result *people)
{
    for (size_t row = 0; row < db_rows(people); row++)
        if (db_integer(people, row, PERSON_OPENS) > 0)
            return true;
    return false;
}

/* Did one of several something that counts, and nobody knows which? */
static bool is_anything_nobodys(const struct db_result *events)
{
    for (size_t row = 0; row < db_rows(events); row++) {
        const char *verdict = value(events, row, ENTRY_VERDICT);
        bool counts = strcmp(verdict, "human") == 0 || strcmp(verdict, "proxy") == 0 || strcmp(verdict, "unknown") == 0;

        if (counts && db_integer(events, row, ENTRY_RECIPIENT) == 0)
            return true;
    }
    return false;
}

static void add_people(struct buf *html, const struct db_result *people, const struct db_result *events)
{
    bool documents = opened_anything(people);

    if (db_rows(people) == 0)
        return;
    buf_add_str(html, "<section class=\"card\"><h2>Recipients</h2><div class=\"scroll\"><table><thead><tr><th scope=\"col\">Recipient</th>"
                      "<th scope=\"col\">Delivery</th><th scope=\"col\">Views</th><th scope=\"col\">Links</th>");
    buf_add_str(html, documents ? "<th scope=\"col\">Documents</th>" : "");
    buf_add_str(html, "<th scope=\"col\">Replies</th><th scope=\"col\">Last</th></tr></thead><tbody>\n");
    for (size_t row = 0; row < db_rows(people); row++)
        add_person(html, people, row, documents);
    buf_add_str(html, "</tbody></table></div>");
    if (db_rows(people) > 1 && is_anything_nobodys(events))
        buf_add_str(html, "<p class=\"note\">What one of several did, and nothing tells which, counts for none of them here.</p>");
    if (db_rows(people) == PEOPLE_MOST)
        buf_add_f(html, "<p class=\"note\">There are no more than %d here, those who did something last.</p>", PEOPLE_MOST);
    buf_add_str(html, "</section>\n");
}

static void add_events(struct buf *html, const struct feed_visit *visit, const struct db_result *events)
{
    struct buf place;

    buf_init(&place, PLACE_MAX);
    buf_add_str(html, "<section class=\"card\"><h2>What happened</h2>");
    if (db_rows(events) == 0)
        buf_add_str(html, "<p class=\"note\">Nothing yet.</p>");
    buf_add_str(html, "<ol class=\"events whole\">\n");
    for (size_t row = 0; row < db_rows(events); row++) {
        struct feed_entry entry;

        feed_entry_of_row(visit, events, row, &place, &entry);
        feed_entry_add_line(html, &entry, true);
    }
    buf_add_str(html, "</ol>");
    if (db_rows(events) == EVENTS_MOST)
        buf_add_f(html, "<p class=\"note\">There are no more than %d here, the newest.</p>", EVENTS_MOST);
    buf_add_str(html, "</section>\n");
    buf_free(&place);
}

static struct http_answer show(struct feed_visit *visit, const char *message, const struct db_result *mail)
{
    struct db_result *people = store_my_mail_recipients(visit->db, visit->secret, message, FEED_ASK_MS);
    struct db_result *events = people ? store_my_mail_events(visit->db, visit->secret, message, FEED_ASK_MS) : NULL;
    struct buf html;

    buf_init(&html, FEED_PAGE_MAX);
    if (events) {
        feed_html_begin(&html, visit, value(mail, 0, MAIL_SUBJECT), "", true);
        markup_f(&html, "<p class=\"back\"><a href=\"%s/feed\">Live Feed</a></p>", visit->prefix);
        add_head(&html, mail);
        add_counts(&html, mail, people);
        feed_chart_add(&html, visit, message);
        feed_chart_add_pages(&html, visit, message);
        add_people(&html, people, events);
        add_events(&html, visit, events);
        feed_html_end(&html);
    }
    db_result_free(people);
    db_result_free(events);
    if (events)
        return feed_html_answer(visit, 200, &html, NULL);
    buf_free(&html);
    return feed_unavailable(visit);
}

/* Adds the number of a mail as it stands in a path; false for anything else. */
static bool read_number(struct slice path, struct buf *number)
{
    uint64_t value;

    return decimal_read(path, INT64_MAX, &value) && buf_add_slice(number, path);
}

struct http_answer feed_mail_show(struct feed_visit *visit)
{
    struct http_answer answer;
    struct db_result *mail;
    struct buf message;

    buf_init(&message, NUMBER_DIGITS);
    if (!read_number(slice_from(visit->rest, strlen("/mail/")), &message)) {
        buf_free(&message);
        return feed_message(visit, 404, "Not found", "There is no such mail.");
    }
    visit->db = feed_servers_of(&visit->servers, strtoull(buf_text(&message), NULL, 10));
    mail = visit->db ? store_my_mail(visit->db, visit->secret, buf_text(&message), FEED_ASK_MS) : NULL;
    if (!mail)
        answer = feed_unavailable(visit);
    else if (db_rows(mail) == 0)
        answer = feed_message(visit, 404, "Not found", "There is no such mail among yours.");
    else
        answer = show(visit, buf_text(&message), mail);
    db_result_free(mail);
    buf_free(&message);
    return answer;
}
