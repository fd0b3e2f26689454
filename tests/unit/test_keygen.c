/* SPDX-License-Identifier: BSD-2-Clause */
/* spoorctl keygen: who may read what it makes */

#include "ctl/account.h"
#include "ctl/command.h"

#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char path[80];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/spoor-keygen-XXXXXX");
    if (!mkdtemp(folder) || chmod(folder, 0755) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/keys", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path) == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static int read_it(void *unused)
{
    (void)unused;
    return access(path, R_OK) == 0 ? 0 : 1;
}

static bool reads(const char *user)
{
    return account_run(user, read_it, NULL) == 0;
}

static mode_t made_for(const char *user, const char *key_group, gid_t *group)
{
    char name[40], group_name[40];
    char word[] = "keygen";
    char *argv[] = {word, NULL};
    struct conf conf = {.key_file = path, .user = name, .key_group = group_name};
    struct stat status;

    snprintf(name, sizeof name, "%s", user);
    snprintf(group_name, sizeof group_name, "%s", key_group);
    assert_int_equal(keygen_command(&conf, 1, argv), COMMAND_DONE);
    assert_int_equal(stat(path, &status), 0);
    *group = status.st_gid;
    return status.st_mode & 07777;
}

static void without_a_user_it_is_private(void **state)
{
    gid_t group;

    (void)state;
    assert_int_equal(made_for("", "", &group), 0600);
}

static void the_group_of_the_user_may_read_it(void **state)
{
    const struct passwd *nobody = getpwnam("nobody");
    gid_t group;

    (void)state;
    if (geteuid() != 0 || !nobody) {
        gid_t unused;

        made_for("", "", &unused);
        skip();
    }
    assert_int_equal(made_for("nobody", "", &group), 0640);
    assert_int_equal(group, nobody->pw_gid);
    assert_true(reads("nobody"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_false(reads("nobody"));
}

static void with_a_user_for_each_daemon_a_group_is_named(void **state)
{
    const struct group *daemons = getgrnam("daemon");
    gid_t group;

    (void)state;
    if (geteuid() != 0 || !daemons) {
        gid_t unused;

        made_for("", "", &unused);
        skip();
    }
    assert_int_equal(made_for("spoor-{daemon}", "daemon", &group), 0640);
    assert_int_equal(group, daemons->gr_gid);
    assert_true(reads("daemon"));
    assert_false(reads("nobody"));
    assert_false(reads("no-such-user"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_a_user_it_is_private, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_group_of_the_user_may_read_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(with_a_user_for_each_daemon_a_group_is_named, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
