/* SPDX-License-Identifier: BSD-2-Clause */
/* feed_account - signing in and out, and the devices of a sender */

#include "common/address.h"
#include "pixeld/agent_name.h"
#include "pixeld/feed_cookie.h"
#include "pixeld/feed_pages.h"
#include "pixeld/form.h"
#include "pixeld/markup.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { COOKIE_MAX = 512, NAME_MAX_BYTES = 128, LINK_MAX = 1024, CLIENT_TEXT = INET6_ADDRSTRLEN };

struct http_answer feed_sign_in_show(struct feed_visit *visit)
{
    struct buf html;

    buf_init(&html, FEED_PAGE_MAX);
    feed_html_begin(&html, visit, "Sign in", "", false);
    buf_add_str(&html, "<section class=\"card narrow\">");
    feed_add_brand(&html, visit);
    buf_add_str(&html, "<h1>Sign in to the Live Feed</h1>");
    if (visit->site->feed.courier) {
        markup_f(&html, "<p>You get a mail with a link that lets you in.</p><form method=\"post\" action=\"%s/feed/sign-in\" class=\"stack\">",
                 visit->prefix);
        buf_add_str(&html, "<label>Your mail address<input type=\"email\" name=\"address\" required autocomplete=\"email\" autofocus></label>"
                           "<button class=\"main\">Mail me a link</button></form>");
    } else {
        buf_add_str(&html, "<p>Whoever runs this mail server has the command <code>spoorctl invite</code>, which makes you a link.</p>");
    }
    buf_add_str(&html, "</section>");
    feed_html_end(&html);
    return feed_html_answer(visit, 200, &html, NULL);
}

/* The client's address as text; "" when it is not known. */
static void client_text(const struct feed_visit *visit, char text[CLIENT_TEXT])
{
    const struct hit_settings *settings = &visit->site->hits;
    struct client client = client_of(visit->request, settings->trusted_proxies, settings->proxy_header);

    text[0] = '\0';
    if (client.address_bytes)
        inet_ntop(client.address_bytes == 4 ? AF_INET : AF_INET6, client.address, text, CLIENT_TEXT);
}

static bool is_ours(const struct feed_visit *visit, const struct buf *address)
{
    return conf_list_has_domain(visit->site->feed.local_domains, address_domain(buf_slice(address)));
}

/* False when the database could not be asked. */
static bool mail_link(struct feed_visit *visit, const char *address)
{
    char client[CLIENT_TEXT];
    struct db_result *rows;
    const char *secret;
    struct buf link;

    client_text(visit, client);
    rows = store_ask_to_sign_in(visit->db, address, *client ? client : NULL, *visit->device ? visit->device : NULL,
                                FEED_ASK_MS);
    secret = rows && db_rows(rows) ? db_value(rows, 0, 0) : NULL;
    buf_init(&link, LINK_MAX);
    if (secret && buf_add_f(&link, "%.*s%s/feed/in/%s", SLICE_ARG(visit->site->feed.origin), visit->prefix, secret))
        courier_send(visit->site->feed.courier, address, buf_text(&link));
    buf_free(&link);
    db_result_free(rows);
    return rows != NULL;
}

/* The answer is the same for every address: who has an account here is nobody's business. */
struct http_answer feed_sign_in_post(struct feed_visit *visit)
{
    struct buf given, address;
    bool asked = true;

    buf_init(&given, ADDRESS_MAX);
    buf_init(&address, ADDRESS_MAX);
    if (visit->site->feed.courier && form_field(visit->request->body, "address", &given) &&
        address_normalize(slice_trim(buf_slice(&given)), &address) && is_ours(visit, &address))
        asked = mail_link(visit, buf_text(&address));
    buf_free(&given);
    buf_free(&address);
    if (!asked)
        return feed_unavailable(visit);
    return feed_message(visit, 200, "Look into your mail",
                        "If this address may sign in here, a mail with a link is on its way to it. The link works once, within 20 minutes.");
}

/* Programs that scan mail open links; so only the button, which they do not press, spends it. */
struct http_answer feed_link_show(struct feed_visit *visit)
{
    struct buf html;

    buf_init(&html, FEED_PAGE_MAX);
    feed_html_begin(&html, visit, "Sign in", "", false);
    buf_add_str(&html, "<section class=\"card narrow\">");
    feed_add_brand(&html, visit);
    buf_add_str(&html, "<h1>Sign in to the Live Feed</h1><p>This browser stays signed in for 30 days after it was last used. What it opens of your own mail will not count as a view.</p>"
                       "<form method=\"post\" class=\"stack\"><button class=\"main\">Sign in</button></form></section>");
    feed_html_end(&html);
    return feed_html_answer(visit, 200, &html, NULL);
}

static struct http_answer welcome(struct feed_visit *visit, const struct db_result *rows)
{
    bool secure = visit->site->feed.secure;
    struct http_answer answer;
    struct buf session, device;

    buf_init(&session, COOKIE_MAX);
    buf_init(&device, COOKIE_MAX);
    feed_cookie_set(&session, FEED_COOKIE_SESSION, secure, db_value(rows, 0, SIGNED_IN_SESSION));
    feed_cookie_set(&device, FEED_COOKIE_DEVICE, secure, db_value(rows, 0, SIGNED_IN_DEVICE));
    answer = feed_redirect(visit, "/feed", (const char *const[]){buf_text(&session), buf_text(&device), NULL});
    explicit_bzero(session.data, session.data ? session.size : 0);
    buf_free(&session);
    buf_free(&device);
    return answer;
}

/* The browser in words, for the list of devices. */
static void name_browser(const struct feed_visit *visit, struct buf *name)
{
    struct slice field = visit->request->field[REQUEST_USER_AGENT];
    struct buf agent;

    buf_init(&agent, USER_AGENT_MAX);
    if (buf_add_slice(&agent, field))
        agent_name(buf_text(&agent), name);
    buf_free(&agent);
    if (name->len == 0)
        buf_add_str(name, "A browser");
}

struct http_answer feed_link_post(struct feed_visit *visit)
{
    struct http_answer answer;
    struct db_result *rows;
    struct buf link, name;

    buf_init(&link, SECRET_TEXT);
    buf_init(&name, NAME_MAX_BYTES);
    buf_add_slice(&link, slice_from(visit->rest, strlen("/in/"))); /* one that is longer stays empty, and opens nothing */
    name_browser(visit, &name);
    rows = store_sign_in(visit->db, buf_text(&link), *visit->device ? visit->device : NULL,
                         buf_text(&name), FEED_ASK_MS);
    if (!rows)
        answer = feed_unavailable(visit);
    else if (!db_rows(rows) || !db_value(rows, 0, SIGNED_IN_SESSION))
        answer = feed_message(visit, 403, "This link does not open any more",
                              "It was used already, or it is too old. Please ask for a new one.");
    else
        answer = welcome(visit, rows);
    db_result_free(rows);
    buf_free(&link);
    buf_free(&name);
    return answer;
}

struct http_answer feed_sign_out(struct feed_visit *visit)
{
    struct db_result *rows = store_sign_out(visit->db, visit->secret, visit->form, FEED_ASK_MS);
    struct http_answer answer;
    struct buf cookie;

    if (!rows)
        return feed_unavailable(visit);
    db_result_free(rows);
    buf_init(&cookie, COOKIE_MAX);
    feed_cookie_set(&cookie, FEED_COOKIE_SESSION, visit->site->feed.secure, "");
    answer = feed_redirect(visit, "/feed/sign-in", (const char *const[]){buf_text(&cookie), NULL});
    buf_free(&cookie);
    return answer;
}

static void add_device(struct buf *html, const struct feed_visit *visit, const struct db_result *rows, size_t row)
{
    bool current = *db_value(rows, row, DEVICE_CURRENT) == 't';
    bool signed_in = *db_value(rows, row, DEVICE_SIGNED_IN) == 't';
    const char *seen = db_value(rows, row, DEVICE_SEEN_AT), *added = db_value(rows, row, DEVICE_ADDED_AT);

    markup_f(html, "<li><div><h3>%s%s</h3>", db_value(rows, row, DEVICE_NAME), current ? " (this one)" : "");
    markup_f(html, "<p class=\"mail\">%s, last used <time datetime=\"%s\">%s</time>, ", signed_in ? "Signed in" : "Signed out", seen, seen);
    markup_f(html, "added <time datetime=\"%s\">%s</time></p></div>", added, added);
    markup_f(html, "<form method=\"post\" action=\"%s/feed/devices\"><input type=\"hidden\" name=\"form\" value=\"%s\">", visit->prefix,
             visit->form);
    markup_f(html, "<input type=\"hidden\" name=\"device\" value=\"%s\"><button>Remove</button></form></li>\n", db_value(rows, row, DEVICE_ID));
}

struct http_answer feed_devices_show(struct feed_visit *visit)
{
    struct db_result *rows = store_my_devices(visit->db, visit->secret, FEED_ASK_MS);
    struct buf html;

    if (!rows)
        return feed_unavailable(visit);
    buf_init(&html, FEED_PAGE_MAX);
    feed_html_begin(&html, visit, "Devices", "/feed/devices", false);
    buf_add_str(&html, "<div class=\"title\"><h1>Your devices</h1></div><p class=\"note\">What these browsers open of your own mail does not count "
                       "as a view. Removing one signs it out.</p><ul class=\"card devices\">\n");
    for (size_t row = 0; row < db_rows(rows); row++)
        add_device(&html, visit, rows, row);
    buf_add_str(&html, "</ul>");
    feed_html_end(&html);
    db_result_free(rows);
    return feed_html_answer(visit, 200, &html, NULL);
}

struct http_answer feed_devices_post(struct feed_visit *visit)
{
    struct db_result *rows = NULL;
    struct buf device;
    bool given;

    buf_init(&device, UUID_TEXT);
    given = form_field(visit->request->body, "device", &device) && device.len == UUID_TEXT &&
            strspn(buf_text(&device), "0123456789abcdef-") == UUID_TEXT;
    if (given)
        rows = store_revoke_my_device(visit->db, visit->secret, visit->form, buf_text(&device), FEED_ASK_MS);
    buf_free(&device);
    if (!given)
        return feed_message(visit, 400, "Not done", "There is no such device.");
    if (!rows)
        return feed_unavailable(visit);
    db_result_free(rows);
    return feed_redirect(visit, "/feed/devices", NULL);
}
