/* SPDX-License-Identifier: BSD-2-Clause */
/* what is to be typed so that Postfix asks our milters: from the text of its settings to lines and findings */

#include "ctl/postfix_advice.h"
#include "ctl/postfix_milters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define BRACES ", default_action=tempfail, connect_timeout=5s, content_timeout=30s }"
#define STAMP "{ unix:spoor/stamp/stamp.sock" BRACES
#define COPIES "{ unix:spoor/stamp/copies.sock" BRACES
#define MATCH "{ unix:spoor/match/match.sock" BRACES

/* As Debian has it, but for the services of submission. */
#define DEBIAN                                                                                          \
    "queue_directory = /var/spool/postfix\nmail_version = 3.7.11\ncompatibility_level = 3.6\n"          \
    "milter_default_action = tempfail\nmilter_protocol = 6\n"                                           \
    "smtp/inet/command = smtpd\nsmtp/inet/chroot = y\n"                                                 \
    "submission/inet/command = smtpd\nsubmission/inet/chroot = y\n"                                     \
    "submission/inet/smtpd_sasl_auth_enable = yes\n"                                                    \
    "pickup/unix/command = pickup\npickup/unix/chroot = y\n"                                            \
    "cleanup/unix/command = cleanup\ncleanup/unix/chroot = y\n"                                         \
    "smtp/unix/command = smtp\nsmtp/unix/chroot = y\n"

#define ATTACHED                                                                                        \
    DEBIAN "spoor_stamp = " STAMP "\nspoor_match = " MATCH "\n"                                         \
           "smtp/inet/smtpd_milters = $spoor_match\nsubmission/inet/smtpd_milters = $spoor_stamp\n"     \
           "non_smtpd_milters = $spoor_stamp, $spoor_match\ninternal_mail_filter_classes = bounce\n"

struct machine {
    struct conf *conf;
    struct postfix_advice advice;
};

/* A configuration with the sockets named; NULL for none. */
static struct conf *sockets(const char *stamp, const char *copies, const char *match)
{
    struct conf *conf = calloc(1, sizeof *conf);

    assert_non_null(conf);
    conf->stamp.milter.listen = strdup(stamp ? stamp : "");
    conf->stamp.listen_copies = strdup(copies ? copies : "");
    conf->match.milter.listen = strdup(match ? match : "");
    return conf;
}

static struct conf *debian_sockets(bool copies)
{
    return sockets("unix:/var/spool/postfix/spoor/stamp/stamp.sock", copies ? "unix:/var/spool/postfix/spoor/stamp/copies.sock" : NULL,
                   "unix:/var/spool/postfix/spoor/match/match.sock");
}

static struct machine look(struct conf *conf, const char *text)
{
    struct machine machine = {.conf = conf};
    struct postfix_settings settings;

    postfix_settings_init(&settings);
    assert_true(postfix_settings_read(&settings, slice_str(text)));
    postfix_advice_init(&machine.advice);
    postfix_advise(&settings, conf, NULL, &machine.advice);
    assert_false(machine.advice.lines.failed || machine.advice.findings.failed);
    postfix_settings_free(&settings);
    return machine;
}

static void release(struct machine *machine)
{
    postfix_advice_free(&machine->advice);
    conf_free(machine->conf);
}

static void expect_lines(const char *text, const char *lines)
{
    struct machine machine = look(debian_sockets(false), text);

    assert_string_equal(buf_text(&machine.advice.lines), lines);
    release(&machine);
}

static void expect_finding(struct conf *conf, const char *text, bool good, const char *finding)
{
    struct machine machine = look(conf, text);

    if (!strstr(buf_text(&machine.advice.findings), finding))
        fail_msg("no \"%s\" in\n%s", finding, buf_text(&machine.advice.findings));
    assert_int_equal(machine.advice.good, good);
    release(&machine);
}

static void a_postfix_without_filters(void **state)
{
    (void)state;
    expect_lines(DEBIAN, "postconf -e 'spoor_stamp=" STAMP "'\n"
                         "postconf -e 'spoor_match=" MATCH "'\n"
                         "postconf -P 'smtp/inet/smtpd_milters=$spoor_match'\n"
                         "postconf -P 'submission/inet/smtpd_milters=$spoor_stamp'\n"
                         "postconf -e 'non_smtpd_milters=$spoor_stamp, $spoor_match'\n"
                         "postconf -e 'internal_mail_filter_classes=bounce'\n"
                         "postfix reload\n");
}

static void what_is_attached_needs_nothing(void **state)
{
    (void)state;
    expect_lines(ATTACHED, "");
    expect_finding(debian_sockets(false), ATTACHED, true, "submission/inet    ok    $spoor_stamp\n");
}

/* The one list of main.cf becomes one for each way, with each of the others where it was. */
static void signer_behind_stamp_and_match_before_the_sealer(void **state)
{
    (void)state;
    expect_lines(DEBIAN "smtpd_milters = inet:localhost:8891 { unix:opendmarc/d.sock, default_action=accept }, unix:openarc/openarc.sock\n"
                        "non_smtpd_milters = $smtpd_milters\n",
                 "postconf -e 'spoor_stamp=" STAMP "'\n"
                 "postconf -e 'spoor_match=" MATCH "'\n"
                 "postconf -e 'spoor_milters_smtp=inet:localhost:8891, { unix:opendmarc/d.sock, default_action=accept }, $spoor_match, unix:openarc/openarc.sock'\n"
                 "postconf -P 'smtp/inet/smtpd_milters=$spoor_milters_smtp'\n"
                 "postconf -e 'spoor_milters_submission=$spoor_stamp, inet:localhost:8891, { unix:opendmarc/d.sock, default_action=accept }, unix:openarc/openarc.sock'\n"
                 "postconf -P 'submission/inet/smtpd_milters=$spoor_milters_submission'\n"
                 "postconf -e 'non_smtpd_milters=$spoor_stamp, $spoor_match, inet:localhost:8891, { unix:opendmarc/d.sock, default_action=accept }, unix:openarc/openarc.sock'\n"
                 "postconf -e 'internal_mail_filter_classes=bounce'\n"
                 "postfix reload\n");
}

/* A list of ours that holds one filter only is taken apart too. */
static void no_list_refers_to_itself(void **state)
{
    (void)state;
    expect_lines(ATTACHED "spoor_milters_smtp = inet:localhost:8891\nsmtp/inet/smtpd_milters = $spoor_milters_smtp\n",
                 "postconf -e 'spoor_milters_smtp=inet:localhost:8891, $spoor_match'\n"
                 "postconf -P 'smtp/inet/smtpd_milters=$spoor_milters_smtp'\n"
                 "postfix reload\n");
}

/* Without a bound this would take longer than anybody waits. */
static void references_that_multiply_end(void **state)
{
    (void)state;
    expect_finding(debian_sockets(false), ATTACHED "a = $b$b$b$b$b$b$b$b$b$b$b$b$b$b$b$b$b$b\nb = $a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a\n"
                   "submission/inet/smtpd_milters = $a\n", false, "submission/inet    FAIL  spoor-stamp is not in smtpd_milters\n");
}

static void order_is_looked_at(void **state)
{
    (void)state;
    expect_finding(debian_sockets(false), ATTACHED "submission/inet/smtpd_milters = inet:localhost:8891, $spoor_stamp\n", false,
                   "submission/inet    FAIL  inet:localhost:8891 signs before spoor-stamp has changed the mail\n");
    expect_finding(debian_sockets(false), ATTACHED "smtp/inet/smtpd_milters = $spoor_match, unix:opendkim/opendkim.sock\n", false,
                   "smtp/inet          FAIL  unix:opendkim/opendkim.sock verifies behind spoor-match, which may have changed the mail\n");
    expect_finding(debian_sockets(false), ATTACHED "smtp/inet/smtpd_milters = unix:openarc.sock, $spoor_match\n", false,
                   "smtp/inet          FAIL  unix:openarc.sock seals before spoor-match, which may change the mail\n");
}

/* Only the definition is mended when only that is wrong. */
static void settings_of_a_filter_are_looked_at(void **state)
{
    (void)state;
    expect_lines(ATTACHED "spoor_stamp = { unix:spoor/stamp/stamp.sock, default_action=accept }\n",
                 "postconf -e 'spoor_stamp=" STAMP "'\npostfix reload\n");
    expect_finding(debian_sockets(false), ATTACHED "spoor_stamp = { unix:spoor/stamp/stamp.sock, default_action=accept }\n", false,
                   "default_action is not tempfail");
    expect_finding(debian_sockets(false), ATTACHED "spoor_match = unix:spoor/match/match.sock\n", false, "connect_timeout is not set");
    expect_finding(debian_sockets(false), ATTACHED "milter_default_action = accept\nspoor_match = unix:spoor/match/match.sock\n", false,
                   "default_action is not tempfail");
}

/* An administrator's own spelling is as good as ours. */
static void a_filter_is_known_by_its_socket(void **state)
{
    (void)state;
    expect_lines(ATTACHED "submission/inet/smtpd_milters = { local:/var/spool/postfix/spoor/stamp/stamp.sock, connect_timeout=9s,"
                          " content_timeout=9s, default_action=tempfail }\n", "");
}

static void a_chroot_hides_sockets(void **state)
{
    struct machine machine = look(sockets("unix:/run/spoor/stamp.sock", NULL, NULL), DEBIAN);

    (void)state;
    assert_false(machine.advice.in_sight);
    release(&machine);
    machine = look(debian_sockets(false), DEBIAN);
    assert_true(machine.advice.in_sight);
    release(&machine);
    expect_finding(sockets("unix:/run/spoor/stamp.sock", NULL, NULL), DEBIAN, false,
                   "stamp.listen       FAIL  smtp/inet runs in a chroot and cannot reach unix:/run/spoor/stamp.sock - set stamp.listen ="
                   " \"unix:/var/spool/postfix/spoor/stamp/stamp.sock\"\n");
    expect_finding(sockets("inet:9000@127.0.0.1", NULL, NULL), ATTACHED "spoor_stamp = { inet:127.0.0.1:9000" BRACES "\n", true,
                   "submission/inet    ok ");
    expect_finding(sockets("inet:9000@127.0.0.1", NULL, NULL), ATTACHED "spoor_stamp = { inet:localhost:9000" BRACES "\n", true,
                   "submission/inet    ok ");
    expect_finding(sockets("unix:/run/spoor/stamp.sock", NULL, NULL), "smtp/inet/command = smtpd\nsmtp/inet/chroot = -\n"
                   "compatibility_level = 3.6\nmilter_default_action = tempfail\nqueue_directory = /q\n", false,
                   "non_smtpd_milters  FAIL  spoor-stamp is not in non_smtpd_milters\n");
}

static void services_are_known_by_what_they_are_for(void **state)
{
    struct machine machine = look(debian_sockets(false),
        "queue_directory = /var/spool/postfix\nmilter_default_action = tempfail\n"
        "smtp/inet/command = postscreen\nsmtpd/pass/command = smtpd\n192.0.2.1:465/inet/command = smtpd -v\n"
        "127.0.0.1:10025/inet/command = smtpd\n127.0.0.1:10025/inet/content_filter = \n2525/inet/command = smtpd\n");

    (void)state;
    assert_non_null(strstr(buf_text(&machine.advice.lines), "postconf -P 'smtpd/pass/smtpd_milters=$spoor_match'\n"));
    assert_non_null(strstr(buf_text(&machine.advice.lines), "postconf -P '192.0.2.1:465/inet/smtpd_milters=$spoor_stamp'\n"));
    assert_null(strstr(buf_text(&machine.advice.lines), "10025"));
    assert_null(strstr(buf_text(&machine.advice.lines), "2525"));
    assert_non_null(strstr(buf_text(&machine.advice.findings), "2525/inet          note  not known"));
    release(&machine);
}

static void no_milters_overrides_everything(void **state)
{
    (void)state;
    expect_finding(debian_sockets(false), ATTACHED "receive_override_options = no_milters\n", false, "receive_override_options has no_milters");
}

/* Whoever stands beside spoor-match is told of bounces by the same setting; ours, and a signer that moves away, are not meant. */
static void others_that_see_bounces_are_named(void **state)
{
    static const char note[] = "sees these bounces too - let it refuse none\n";
    static const char with_others[] = ATTACHED "non_smtpd_milters = $spoor_stamp, $spoor_match, { unix:clamav/c.sock, default_action=accept }, inet:h:1\n";
    struct machine machine = look(debian_sockets(false), ATTACHED);

    (void)state;
    assert_null(strstr(buf_text(&machine.advice.findings), note));
    release(&machine);
    expect_finding(debian_sockets(false), with_others, true,
                   "own bounces        note  { unix:clamav/c.sock, default_action=accept }, inet:h:1 in non_smtpd_milters sees these");
    machine = look(debian_sockets(true), DEBIAN "smtpd_milters = inet:localhost:8891\nnon_smtpd_milters = inet:localhost:8891\n");
    assert_null(strstr(buf_text(&machine.advice.findings), note));
    release(&machine);
}

/* What signs moves behind the second pass, from every place. */
static void copies_take_the_signer_along(void **state)
{
    struct machine machine = look(debian_sockets(true), DEBIAN "smtpd_milters = inet:localhost:8891\nnon_smtpd_milters = inet:localhost:8891\n");
    const char *lines = buf_text(&machine.advice.lines);

    (void)state;
    assert_non_null(strstr(lines, "postconf -e 'spoor_copies=" COPIES "'\n"));
    assert_non_null(strstr(lines, "postconf -e 'spoor_split=split:[127.0.0.1]:10026'\n"));
    assert_non_null(strstr(lines, "postconf -M '127.0.0.1:10026/inet=127.0.0.1:10026 inet n - y - - smtpd'\n"));
    assert_non_null(strstr(lines, "postconf -P '127.0.0.1:10026/inet/content_filter='\n"));
    assert_non_null(strstr(lines, "postconf -e 'spoor_milters_copies=$spoor_copies, inet:localhost:8891'\n"));
    assert_non_null(strstr(lines, "postconf -P 'submission/inet/smtpd_milters=$spoor_stamp'\n"));
    assert_non_null(strstr(lines, "postconf -P 'submission/inet/content_filter=$spoor_split'\n"));
    assert_non_null(strstr(lines, "postconf -P 'pickup/unix/content_filter=$spoor_split'\n"));
    assert_non_null(strstr(lines, "postconf -e 'non_smtpd_milters=$spoor_stamp, $spoor_match'\n"));
    assert_non_null(strstr(lines, "postconf -e 'spoor_milters_smtp=inet:localhost:8891, $spoor_match'\n"));
    release(&machine);
}

static void a_port_that_is_taken_and_a_filter_that_is_there(void **state)
{
    struct machine machine = look(debian_sockets(true), DEBIAN "127.0.0.1:10026/inet/command = smtpd\n127.0.0.1:10026/inet/content_filter = \n"
                                                               "content_filter = smtp-amavis:[127.0.0.1]:10024\n");

    (void)state;
    assert_non_null(strstr(buf_text(&machine.advice.lines), "split:[127.0.0.1]:10027"));
    assert_null(strstr(buf_text(&machine.advice.lines), "submission/inet/content_filter"));
    assert_non_null(strstr(buf_text(&machine.advice.findings), "content_filter is smtp-amavis:[127.0.0.1]:10024 - let"));
    release(&machine);
}

/* Else mail would leave unsigned until the second pass can be reached from there. */
static void a_signer_stays_before_another_filter(void **state)
{
    struct machine machine = look(debian_sockets(true), DEBIAN "smtpd_milters = inet:localhost:8891\nnon_smtpd_milters = inet:localhost:8891\n"
                                                               "content_filter = presplit:[127.0.0.1]:10024\n");
    const char *lines = buf_text(&machine.advice.lines);

    (void)state;
    assert_null(strstr(lines, "postconf -P 'submission/inet/smtpd_milters=$spoor_stamp'\n"));
    assert_non_null(strstr(lines, "=$spoor_stamp, inet:localhost:8891'\n"));
    assert_non_null(strstr(lines, "postconf -e 'non_smtpd_milters=$spoor_stamp, $spoor_match, inet:localhost:8891'\n"));
    release(&machine);
}

static void quoting_is_safe_in_sh(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    postfix_add_quoted(&out, "a'b $c `d` \"e\"");
    assert_string_equal(buf_text(&out), "'a'\\''b $c `d` \"e\"'");
    buf_free(&out);
}

/* References to several are taken apart, to one are kept; a circle of references ends. */
static void lists_with_references(void **state)
{
    struct postfix_settings settings;
    struct postfix_milters milters;

    (void)state;
    postfix_settings_init(&settings);
    assert_true(postfix_settings_read(&settings, slice_str("one = inet:h:1\ntwo = ${one}, { unix:${a}b, c=d }\nloop = $loop\nno setting\n= 3\n")));
    assert_int_equal(settings.count, 3);
    assert_true(postfix_milters_read(&milters, &settings, " $one, $(two) ,$loop $nobody"));
    assert_int_equal(milters.count, 5);
    assert_string_equal(milters.milter[0].written, "$one");
    assert_string_equal(milters.milter[0].meaning, "inet:h:1");
    assert_string_equal(milters.milter[1].written, "inet:h:1");
    assert_string_equal(milters.milter[2].written, "{ unix:${a}b, c=d }");
    assert_true(slice_is(postfix_milter_setting(milters.milter[2].meaning, "c"), "d"));
    assert_string_equal(milters.milter[3].meaning, "$loop");
    assert_string_equal(milters.milter[4].meaning, "$nobody");
    postfix_milters_free(&milters);
    assert_false(postfix_milters_read(&milters, &settings, "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a"));
    postfix_milters_free(&milters);
    postfix_settings_free(&settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_postfix_without_filters),
        cmocka_unit_test(what_is_attached_needs_nothing),
        cmocka_unit_test(signer_behind_stamp_and_match_before_the_sealer),
        cmocka_unit_test(no_list_refers_to_itself),
        cmocka_unit_test(references_that_multiply_end),
        cmocka_unit_test(order_is_looked_at),
        cmocka_unit_test(settings_of_a_filter_are_looked_at),
        cmocka_unit_test(a_filter_is_known_by_its_socket),
        cmocka_unit_test(a_chroot_hides_sockets),
        cmocka_unit_test(services_are_known_by_what_they_are_for),
        cmocka_unit_test(no_milters_overrides_everything),
        cmocka_unit_test(others_that_see_bounces_are_named),
        cmocka_unit_test(copies_take_the_signer_along),
        cmocka_unit_test(a_port_that_is_taken_and_a_filter_that_is_there),
        cmocka_unit_test(a_signer_stays_before_another_filter),
        cmocka_unit_test(quoting_is_safe_in_sh),
        cmocka_unit_test(lists_with_references),
    };

    return cmocka_run_group_tests_name("postfix", tests, NULL, NULL);
}
