/* SPDX-License-Identifier: BSD-2-Clause */
/* spoor.conf: defaults, refusals with file and line, what is printed loads to the same */

#include "common/conf.h"
#include "common/conninfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#define SMALLEST "tracking_url = \"https://t.example.com\"\n"
#define LABEL "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
#define LONG_DOMAIN LABEL "." LABEL "." LABEL "." LABEL ".example"
#define SERVED SMALLEST "database = \"dbname=spoor\"\nlocal_domains = { \"example.com\" }\n"

static char path[64];

static int make_path(void **state)
{
    int fd;

    (void)state;
    snprintf(path, sizeof path, "/tmp/spoor-conf-XXXXXX");
    fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static struct conf *load_text(const char *text, enum conf_part part, struct buf *error)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    buf_init(error, 4000);
    return conf_load(path, part, error);
}

static struct conf *load(const char *text, enum conf_part part)
{
    struct buf error;
    struct conf *conf = load_text(text, part, &error);

    if (!conf)
        fail_msg("%s", buf_text(&error));
    assert_int_equal(error.len, 0);
    buf_free(&error);
    return conf;
}

/* LINE 0: the error names the file alone. */
static void refuse(enum conf_part part, const char *text, int line, const char *why)
{
    struct buf error, start;
    struct conf *conf = load_text(text, part, &error);

    buf_init(&start, 200);
    if (line)
        buf_add_f(&start, "%s:%d: ", path, line);
    else
        buf_add_f(&start, "%s: ", path);
    if (conf)
        fail_msg("took: %s", text);
    if (strncmp(buf_text(&error), buf_text(&start), start.len) != 0 || !strstr(buf_text(&error), why))
        fail_msg("\"%s\" for: %s", buf_text(&error), text);
    buf_free(&start);
    buf_free(&error);
}

static void the_smallest_file_has_all_defaults(void **state)
{
    struct conf *conf = load(SMALLEST, CONF_DRY_RUN);

    (void)state;
    assert_string_equal(conf->tracking_url, "https://t.example.com");
    assert_string_equal(conf->spool_directory, "/var/spool/spoor");
    assert_int_equal(conf->database_timeout_ms, 300);
    assert_int_equal(conf->spool_segment_bytes, 16 << 20);
    assert_true(conf->spool_max_bytes == (int64_t)4 << 30);
    assert_int_equal(conf->spool_keep_s, 48 * 3600);
    assert_int_equal(conf->log_level, LOG_INFO);
    assert_int_equal(conf->mode, MODE_TRACK);
    assert_int_equal(conf->stamp.message_id, MESSAGE_ID_AUTO);
    assert_int_equal(conf->stamp.milter.socket_mode, 0660);
    assert_int_equal(conf->stamp.submit_networks.count, 2);
    assert_string_equal(conf->stamp.submit_networks.item[1], "::1/128");
    assert_true(conf->stamp.views && conf->stamp.links && conf->match.clean);
    assert_false(conf->stamp.track_auto_generated);
    assert_false(conf->stamp.text_links || conf->stamp.decoy_link);
    assert_string_equal(conf->stamp.sensitive_links.item[0], "password");
    assert_string_equal(conf->stamp.sensitive_links.item[conf->stamp.sensitive_links.count - 1], "access_token");
    assert_int_equal(conf->stamp.untracked_domains.count, 0);
    assert_string_equal(conf->memcached, "");
    assert_int_equal(conf->local_domains.count, 0);
    assert_int_equal(conf->pixeld.connections, 8192);
    conf_free(conf);
}

static void a_return_path_leaves_room_for_the_token(void **state)
{
    struct conf *conf = load("tracking_url = https://t.example.com\nlocal_domains = { example.com }\n"
                             "stamp { bounce_address = \"ReturnPaths+{token}@Example.com\" }\n"
                             "match { bounce_mailbox = \"Postmaster@Example.com\" }\n", CONF_DRY_RUN);

    (void)state;
    assert_string_equal(conf->stamp.bounce_address, "returnpaths+{token}@example.com");
    assert_string_equal(conf->match.bounce_mailbox, "postmaster@example.com");
    conf_free(conf);
}

static void values_in_all_their_spellings(void **state)
{
    struct conf *conf = load("tracking_url = HTTPS://T.Example.com:8443/\n"
                             "key_file = '/k'  # a comment\n"
                             "database_timeout = \"2 s\"\n"
                             "memcached = { 127.0.0.1:11211, \"cache.example:11211\" }\n"
                             "spool_keep = 2d\nspool_sync = 0\nspool_max = 1GB\n"
                             "log_level = debug\nmode = observe\n"
                             "local_domains = { Example.COM, \"b\xc3\xbc" "cher.example\" }\n"
                             "local_domains += { third.example }\n"
                             "track_only = { \"Anna@Example.com\", example.org }\n"
                             "stamp { submit_networks = {}\n socket_mode = 0600\n views = no\n message_id = keep }\n"
                             "pixeld { listen = { 127.0.0.1:8080, \"[::1]:8080\" } }\n", CONF_DRY_RUN);

    (void)state;
    assert_string_equal(conf->tracking_url, "https://t.example.com:8443");
    assert_int_equal(conf->database_timeout_ms, 2000);
    assert_string_equal(conf->memcached, "127.0.0.1:11211,cache.example:11211");
    assert_int_equal(conf->spool_keep_s, 172800);
    assert_int_equal(conf->spool_sync_ms, 0);
    assert_int_equal(conf->log_level, LOG_DEBUG);
    assert_int_equal(conf->mode, MODE_OBSERVE);
    assert_int_equal(conf->local_domains.count, 3);
    assert_string_equal(conf->local_domains.item[1], "xn--bcher-kva.example");
    assert_true(conf_list_has_domain(&conf->local_domains, slice_str("EXAMPLE.com")));
    assert_false(conf_list_has_domain(&conf->local_domains, slice_str("sub.example.com")));
    assert_string_equal(conf->track_only.item[0], "anna@example.com");
    assert_int_equal(conf->stamp.submit_networks.count, 0);
    assert_int_equal(conf->stamp.milter.socket_mode, 0600);
    assert_int_equal(conf->stamp.message_id, MESSAGE_ID_KEEP);
    assert_false(conf->stamp.views);
    assert_int_equal(conf->pixeld.listen.count, 2);
    conf_free(conf);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text;
        int line;
        const char *why;
    } rows[] = {
        {"bogus = 1\n", 2, "bogus"},
        {"\nstamp {\n  views = yes\n  bogus = 1\n}\n", 5, "bogus"},
        {"stamp { threads = 1 }\n", 2, "threads"},
        {"bogus { }\n", 2, "bogus"},
        {"mode = watch\n", 2, "wanted: track, observe"},
        {"database_timeout = 5\n", 2, "1ms to 1min"},
        {"database_timeout = 2h\n", 2, "1ms to 1min"},
        {"database_timeout = 99999999999999999999s\n", 2, "database_timeout"},
        {"spool_keep = 5ms\n", 2, "spool_keep"},
        {"spool_max = 1KB\n", 2, "4MB to 1024GB"},
        {"spool_max = -1\n", 2, "spool_max"},
        {"spool_max = 16EB\n", 2, "spool_max"},
        {"key_file = keys\n", 2, "begins with /"},
        {"tracking_url = \"https://x/path\"\n", 2, "stands in line 1 already"},
        {"mode = track\nmode = track\n", 3, "stands in line 2 already"},
        {"local_domains = { example.com,\n\"not a domain\" }\n", 3, "not a domain"},
        {"track_only = { \"a b@example.com\" }\n", 2, "track_only"},
        {"instance = ../x\n", 2, "instance"},
        {"memcached = localhost\n", 2, "HOST:PORT"},
        {"user = \"a\\nb\"\n", 2, "control character"},
        {"stamp { views = maybe }\n", 2, "yes or no"},
        {"stamp { socket_mode = 0668 }\n", 2, "socket_mode"},
        {"stamp { socket_mode = 01777 }\n", 2, "socket_mode"},
        {"stamp { listen = /run/stamp.sock }\n", 2, "unix:/PATH"},
        {"stamp { listen = unix:stamp.sock }\n", 2, "unix:/PATH"},
        {"stamp { listen = inet:8891 }\n", 2, "PORT@HOST"},
        {"stamp { listen = inet:0@localhost }\n", 2, "PORT@HOST"},
        {"stamp { submit_networks = 10.0.0.1/8 }\n", 2, "network"},
        {"stamp { message_id_domain = localhost }\n", 2, "full domain"},
        {"stamp { bounce_address = bounces@example.com }\n", 2, "NAME+{token}@DOMAIN"},
        {"stamp { bounce_address = \"+{token}@example.com\" }\n", 2, "1 to 11 characters"},
        {"stamp { bounce_address = \"returnpaths1+{token}@example.com\" }\n", 2, "1 to 11 characters"},
        {"stamp { bounce_address = \"a.b+{token}@example.com\" }\n", 2, "NAME+{token}@DOMAIN"},
        {"stamp { bounce_address = \"b+{token}@[192.0.2.1]\" }\n", 2, "NAME+{token}@DOMAIN"},
        {"stamp { bounce_address = \"b+{token}@" LONG_DOMAIN "\" }\n", 2, "NAME+{token}@DOMAIN"},
        {"stamp { bounce_address = \"b+{token}@elsewhere.example\" }\n", 0, "elsewhere.example is not in local_domains"},
        {"match { bounce_mailbox = postmaster }\n", 2, "address"},
        {"unsubscribe_address = nobody\n", 2, "address"},
        {"unsubscribe_address = unsubscribes@example.com\n", 2, "at most 11"},
        {"unsubscribe_address = un+sub@example.com\n", 2, "letters"},
        {"unsubscribe_scope = some\n", 2, "sender"},
        {"pixeld { listen = { 8080 } }\n", 2, "ADDRESS:PORT"},
        {"pixeld { listen = { localhost:8080 } }\n", 2, "ADDRESS:PORT"},
        {"pixeld { listen = { ::1:8080 } }\n", 2, "ADDRESS:PORT"},
        {"pixeld { listen = { 127.0.0.1:70000 } }\n", 2, "ADDRESS:PORT"},
        {"pixeld { listen_tls = { unix:/run/x } }\n", 2, "ADDRESS:PORT"},
        {"pixeld { tls_key = key.pem }\n", 2, "begins with /"},
        {"pixeld { admin_listen = unix:run }\n", 2, "unix:/PATH"},
        {"pixeld { admin_listen = localhost:9000 }\n", 2, "unix:/PATH"},
        {"delivery { log = mail.log }\n", 2, "journal:UNIT"},
        {"delivery { log = \"journal:\" }\n", 2, "journal:UNIT"},
        {"delivery { log = \"journal:../x\" }\n", 2, "journal:UNIT"},
        {"delivery { log = Journal }\n", 2, "journal:UNIT"},
        {"pixeld { proxy_header = x-real-ip }\n", 2, "x-forwarded-for or forwarded"},
        {"pixeld { threads = 1.5 }\n", 2, "0 to 256"},
        {"mode = \"track\n", 5, ""},
        {"mode track\n", 2, ""},
        {"spool_max = 20MB\n", 0, "spool_max has no room"},
        {"/* forgotten\nmode = observe\n", 0, "not closed"},
        {"stamp { views = no\n", 0, "not closed"},
        {"pixeld { listen = {\n", 4, "the file ends where listen"},
        {"user =", 3, "the file ends where user"},
    };
    char text[400];

    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        snprintf(text, sizeof text, "%s%s", SMALLEST, rows[n].text);
        refuse(CONF_DRY_RUN, text, rows[n].line, rows[n].why);
    }
    refuse(CONF_DRY_RUN, "tracking_url = https://x/path\n", 1, "https://HOST");
    refuse(CONF_DRY_RUN, "tracking_url = https://user@x\n", 1, "https://HOST");
    refuse(CONF_DRY_RUN, "tracking_url = ftp://x\n", 1, "https://HOST");
    refuse(CONF_DRY_RUN, "tracking_url = https://\n", 1, "https://HOST");
    refuse(CONF_DRY_RUN, "tracking_url = https://x:0\n", 1, "https://HOST");
}

static void each_program_asks_for_what_it_needs(void **state)
{
    (void)state;
    refuse(CONF_DRY_RUN, "", 0, "tracking_url is missing");
    refuse(CONF_DRY_RUN, SMALLEST "key_file = \"\"\n", 0, "key_file is missing");
    refuse(CONF_SHARED, SMALLEST, 0, "database is missing");
    refuse(CONF_SHARED, SMALLEST "database = x\n", 0, "local_domains is missing");
    refuse(CONF_STAMP, SERVED, 0, "stamp.listen is missing");
    refuse(CONF_STAMP, SERVED "stamp { listen = \"unix:/run/x\"\n copies = yes }\n", 0, "copies needs stamp.listen_copies");
    refuse(CONF_STAMP, SERVED "stamp { listen = \"unix:/run/x\"\n listen_copies = \"unix:/run/x\" }\n", 0, "one socket");
    refuse(CONF_MATCH, SERVED, 0, "match.listen is missing");
    refuse(CONF_PIXELD, SERVED, 0, "pixeld.listen is missing");
    conf_free(load(SERVED, CONF_SHARED));
    conf_free(load(SERVED "stamp { listen = \"unix:/run/x\" }\n", CONF_STAMP));
    conf_free(load(SERVED "stamp { listen = \"unix:/run/x\"\n listen_copies = \"unix:/run/y\"\n copies = yes }\n", CONF_STAMP));
    conf_free(load(SERVED "match { listen = \"inet6:8891@::1\" }\n", CONF_MATCH));
    conf_free(load(SERVED "pixeld { listen = \"[::]:80\" }\n", CONF_PIXELD));
    refuse(CONF_PIXELD, SERVED "pixeld { listen_tls = \"[::]:443\" }\n", 0, "pixeld.tls_certificate is missing");
    refuse(CONF_PIXELD, SERVED "pixeld { listen_tls = \"[::]:443\" tls_certificate = /c }\n", 0, "pixeld.tls_key is missing");
    conf_free(load(SERVED "pixeld { listen_tls = \"[::]:443\" tls_certificate = /c tls_key = /k admin_listen = \"unix:/run/x\" }\n",
                   CONF_PIXELD));
}

static void what_cannot_be_read_is_said(void **state)
{
    struct buf error;

    (void)state;
    buf_init(&error, 1000);
    assert_null(conf_load("/nonexistent/spoor.conf", CONF_DRY_RUN, &error));
    assert_non_null(strstr(buf_text(&error), "No such file"));
    buf_reset(&error);
    assert_null(conf_load("/tmp", CONF_DRY_RUN, &error));
    assert_non_null(strstr(buf_text(&error), "not a regular file"));
    buf_free(&error);
}

static char *print(const struct conf *conf)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    conf_print(conf, out);
    fclose(out);
    return text;
}

static void assert_prints_and_loads_the_same(const char *text)
{
    struct conf *conf = load(text, CONF_DRY_RUN), *again;
    char *once = print(conf), *twice;

    again = load(once, CONF_DRY_RUN);
    twice = print(again);
    assert_string_equal(once, twice);
    assert_string_equal(conf->user, again->user);
    assert_true(conf->spool_keep_s == again->spool_keep_s && conf->stamp.body_limit == again->stamp.body_limit);
    assert_int_equal(conf->stamp.submit_networks.count, again->stamp.submit_networks.count);
    conf_free(conf);
    conf_free(again);
    free(once);
    free(twice);
}

static void what_is_printed_loads_to_the_same_values(void **state)
{
    (void)state;
    assert_prints_and_loads_the_same(SMALLEST);
    assert_prints_and_loads_the_same(SMALLEST "user = 'a\"b\\\\c$x ${HOME} #{}'\nspool_keep = 90s\nspool_sync = 0\n"
                                              "stamp { body_limit = 1025\n submit_networks = {} socket_mode = 0 }\n"
                                              "memcached = {a:1, b:2}\nlocal_domains = {a.example, b.example}\n");
}

static void every_option_is_printed_and_named(void **state)
{
    struct conf *conf = load(SERVED "sink x {}\n", CONF_DRY_RUN);
    char *printed = print(conf), *names = NULL, *rest, *line;
    size_t len = 0, count = 0;
    FILE *out = open_memstream(&names, &len);

    (void)state;
    conf_print_names(out);
    fclose(out);
    for (rest = names; (line = strsep(&rest, "\n")) && *line; count++) {
        const char *dot = strchr(line, '.');
        char want[100];

        snprintf(want, sizeof want, "\n%s%s = ", dot ? "    " : "", dot ? dot + 1 : line);
        if (!strstr(printed, want))
            fail_msg("%s is not printed", line);
    }
    assert_true(count > 40);
    conf_free(conf);
    free(printed);
    free(names);
}

static void sinks_have_names_and_what_their_type_needs(void **state)
{
    static const struct {
        const char *text, *error;
        bool whole_file;
    } rows[] = {
        {"sink a {url='https://h.example/x' secret_files='/s'} sink b {type=mail from='a@b.example'}", NULL, false},
        {"sink a {type=salesforce client_id=c username=u private_key_file='/k'}", NULL, false},
        {"", "no sink in it", true},
        {"sink a {secret_files='/s'}", "sink a: url is missing", true},
        {"sink a {type=salesforce client_id=c username=u}", "sink a: private_key_file is missing", true},
        {"sink a {type=mail}", "sink a: from is missing", true},
        {"sink 'a b' {}", "no name for a sink", false},
        {"sink a {type=mail from='a@b.example'} sink a {}", "a", false},
        {"sink a {url='http://h.example/'}", "no value for url", false},
        {"sink a {url='https://u:p@h.example/'}", "no value for url", false},
        {"sink a {attempts=1 attempts=2}", "attempts stands in line", false},
        {"sink a {type=mail from='a@b.example' batch=1} sink b {type=mail from='a@b.example' batch=2}", NULL, false},
        {"sink a {batch=201}", "no value for batch", false},
        {"sink {}", "", false},
    };

    int sink_line = 1;

    (void)state;
    for (const char *at = SERVED; *at; at++)
        sink_line += *at == '\n';
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        char text[1000];

        snprintf(text, sizeof text, "%s%s\n", SERVED, rows[n].text);
        if (rows[n].error)
            refuse(CONF_RELAY, text, rows[n].whole_file ? 0 : sink_line, rows[n].error);
        else
            conf_free(load(text, CONF_RELAY));
    }
}

#define HOOK(more) "sink hook {\n url = \"https://h.example\"\n" more "}\n"

static void assert_changed(const char *before, const char *now, const char *expected)
{
    struct conf *old = load(before, CONF_ANY), *new = load(now, CONF_ANY);
    struct buf names;

    buf_init(&names, 4000);
    conf_add_changed(old, new, &names);
    assert_string_equal(buf_text(&names), expected);
    buf_free(&names);
    conf_free(new);
    conf_free(old);
}

static void what_has_changed_is_named(void **state)
{
    (void)state;
    assert_changed(SMALLEST, SMALLEST "log_level = info\n", ""); /* the default, said */
    assert_changed(SMALLEST, SMALLEST "mode = observe\nstamp {\n links = no\n}\n", "mode, stamp.links");
    assert_changed(SERVED, SMALLEST "database = \"dbname=spoor\"\nlocal_domains = { \"example.com\", \"example.org\" }\n",
                   "local_domains");
    assert_changed(HOOK(""), HOOK(""), "");
    assert_changed(HOOK(""), "", "sink");
    assert_changed(HOOK(""), HOOK("attempts = 3\n"), "sink");
}

static void assert_masked(const char *conninfo, const char *expected)
{
    struct buf out;

    buf_init(&out, 1000);
    assert_true(conninfo_add_masked(&out, conninfo));
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
}

static void passwords_are_not_printed(void **state)
{
    struct conf *conf = load(SERVED, CONF_DRY_RUN);
    char *printed;

    (void)state;
    free(conf->database);
    conf->database = strdup("host=h password=secret");
    printed = print(conf);
    assert_null(strstr(printed, "secret"));
    assert_non_null(strstr(printed, "database = \"host=h password=***\""));
    free(printed);
    conf_free(conf);
    assert_masked("host=h password=s3cret dbname=d", "host=h password=*** dbname=d");
    assert_masked("password = 's3 c\\'ret' dbname=d", "password = *** dbname=d");
    assert_masked("password=a\\ b c=d", "password=*** c=d");
    assert_masked("passfile=/x", "passfile=/x");
    assert_masked("sslpassword=x", "sslpassword=***");
    assert_masked("postgresql://u:s3cret@h/d?password=x&a=b", "postgresql://u:***@h/d?password=***&a=b");
    assert_masked("postgresql://u@h:5432/d", "postgresql://u@h:5432/d");
    assert_masked("password='open", "password=***");
    assert_masked("", "");
}

static void assert_role(const char *conninfo, const char *expected)
{
    struct buf out;

    buf_init(&out, 1000);
    assert_true(conninfo_add_with_role(&out, conninfo, "spoor_x"));
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
}

static void a_role_where_no_user_is_named(void **state)
{
    (void)state;
    assert_role("dbname=spoor", "user=spoor_x dbname=spoor");
    assert_role("", "user=spoor_x ");
    assert_role("spoor", "user=spoor_x spoor");
    assert_role("dbname=d user=me", "dbname=d user=me");
    assert_role(" user = 'me'", " user = 'me'");
    assert_role("service=s", "service=s");
    assert_role("dbname='a user=b' host=h", "user=spoor_x dbname='a user=b' host=h");
    assert_role("dbname='a\\' user=b'", "user=spoor_x dbname='a\\' user=b'");
    assert_role("sslpassword=x user=me", "sslpassword=x user=me");
    assert_role("dbname= user=me", "user=spoor_x dbname= user=me"); /* a database of the name "user=me" */
    assert_role("postgresql://h/d", "postgresql://spoor_x@h/d");
    assert_role("postgres:///d?host=/run", "postgres://spoor_x@/d?host=/run");
    assert_role("postgresql://[::1]:5432/d", "postgresql://spoor_x@[::1]:5432/d");
    assert_role("postgresql://me@h/d", "postgresql://me@h/d");
    assert_role("postgresql://me:p@h", "postgresql://me:p@h");
    assert_role("postgresql://:p@h", "postgresql://spoor_x:p@h");
    assert_role("postgresql:///d?x=a@b", "postgresql://spoor_x@/d?x=a@b");
    assert_role("password=a://b", "user=spoor_x password=a://b");
}

static void links_that_stay_are_named_by_patterns_and_domains(void **state)
{
    struct conf *conf = load(SMALLEST "stamp { sensitive_links = { \"Magic*TOKEN=\" }\n"
                                      "untracked_domains = { Intern.Example, \"*.Old.example\" }\n"
                                      "text_links = yes decoy_link = yes }\n",
                             CONF_DRY_RUN);

    (void)state;
    assert_true(conf->stamp.text_links && conf->stamp.decoy_link);
    assert_int_equal(conf->stamp.sensitive_links.count, 1);
    assert_string_equal(conf->stamp.sensitive_links.item[0], "magic*token=");
    assert_int_equal(conf->stamp.untracked_domains.count, 2);
    assert_string_equal(conf->stamp.untracked_domains.item[0], "intern.example");
    assert_string_equal(conf->stamp.untracked_domains.item[1], "*.old.example");
    conf_free(conf);
    refuse(CONF_DRY_RUN, SMALLEST "stamp { sensitive_links = \"**\" }\n", 2, "part of a URL");
    refuse(CONF_DRY_RUN, SMALLEST "stamp { sensitive_links = \"a b\" }\n", 2, "part of a URL");
    refuse(CONF_DRY_RUN, SMALLEST "stamp { untracked_domains = \"*.\" }\n", 2, "domain or *.domain");
}

static void assert_user(const char *user, const char *render_user, enum conf_part part, const char *wanted)
{
    struct conf conf = {.user = strdup(user), .render = {.user = strdup(render_user)}};
    char *found = conf_part_user(&conf, part);

    assert_string_equal(found, wanted);
    free(found);
    free(conf.user);
    free(conf.render.user);
}

static void each_daemon_may_have_a_user_of_its_own(void **state)
{
    (void)state;
    assert_user("spoor", "", CONF_STAMP, "spoor");
    assert_user("spoor-{daemon}", "", CONF_STAMP, "spoor-stamp");
    assert_user("{daemon}.spoor", "", CONF_DELIVERY, "delivery.spoor");
    assert_user("spoor-{daemon}", "", CONF_RENDER, "spoor-render");
    assert_user("spoor-{daemon}", "converter", CONF_RENDER, "converter");
    assert_user("spoor-{daemon}", "converter", CONF_RELAY, "spoor-relay");
    assert_user("", "", CONF_MATCH, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_smallest_file_has_all_defaults, make_path, remove_path),
        cmocka_unit_test_setup_teardown(a_return_path_leaves_room_for_the_token, make_path, remove_path),
        cmocka_unit_test_setup_teardown(values_in_all_their_spellings, make_path, remove_path),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_named_with_its_line, make_path, remove_path),
        cmocka_unit_test_setup_teardown(each_program_asks_for_what_it_needs, make_path, remove_path),
        cmocka_unit_test_setup_teardown(links_that_stay_are_named_by_patterns_and_domains, make_path, remove_path),
        cmocka_unit_test(a_role_where_no_user_is_named),
        cmocka_unit_test(what_cannot_be_read_is_said),
        cmocka_unit_test_setup_teardown(what_is_printed_loads_to_the_same_values, make_path, remove_path),
        cmocka_unit_test_setup_teardown(every_option_is_printed_and_named, make_path, remove_path),
        cmocka_unit_test_setup_teardown(sinks_have_names_and_what_their_type_needs, make_path, remove_path),
        cmocka_unit_test_setup_teardown(what_has_changed_is_named, make_path, remove_path),
        cmocka_unit_test_setup_teardown(passwords_are_not_printed, make_path, remove_path),
        cmocka_unit_test(a_role_where_no_user_is_named),
        cmocka_unit_test(each_daemon_may_have_a_user_of_its_own),
    };

    return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
