# SPDX-License-Identifier: BSD-2-Clause
# Unit tests speak TAP through cmocka; each is one file, linked with what it tests.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; top_srcdir='$(top_srcdir)'; export top_srcdir;

if HAVE_CMOCKA
unit_tests =
unit_tests += tests/unit/test_buf
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
UNIT_LIBS = libmail.a $(COMMON_LIBS) $(CMOCKA_LIBS)

tests_unit_test_buf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_buf_LDADD = $(UNIT_LIBS)

# The benchmarks' peer: built when asked for.
EXTRA_PROGRAMS = tests/bench/buffer_milter
tests_bench_buffer_milter_LDADD = $(MILTER_LIBS)

lint_tests =
lint_tests += tests/lint/includes
lint_tests += tests/lint/packages
lint_tests += tests/lint/words
TESTS += $(lint_tests)

EXTRA_DIST += $(lint_tests)
EXTRA_DIST += tests/cover
EXTRA_DIST += tests/run
EXTRA_DIST += tests/sanitize
EXTRA_DIST += tests/threaded
EXTRA_DIST += tests/tsan.supp
EXTRA_DIST += tests/bench/floor
EXTRA_DIST += tests/bench/match
EXTRA_DIST += tests/bench/pixel
EXTRA_DIST += tests/bench/pixel-sync
EXTRA_DIST += tests/bench/pixel_rate.py
EXTRA_DIST += tests/bench/rounds.py
EXTRA_DIST += tests/bench/run
EXTRA_DIST += tests/bench/stamp
EXTRA_DIST += tests/bench/stamp-small
EXTRA_DIST += tests/bench/throughput.py
EXTRA_DIST += tests/fuzz/run
EXTRA_DIST += tests/system/conftest.py
EXTRA_DIST += tests/system/maildir.py
EXTRA_DIST += tests/system/mailer.py
EXTRA_DIST += tests/system/mails.py
EXTRA_DIST += tests/system/memcached.py
EXTRA_DIST += tests/system/postfix.py
EXTRA_DIST += tests/system/postgres.py
EXTRA_DIST += tests/system/proc.py
EXTRA_DIST += tests/system/servers.py
EXTRA_DIST += tests/system/spoor.py
EXTRA_DIST += tests/system/test_bad_input.py
EXTRA_DIST += tests/system/test_harness.py
EXTRA_DIST += tests/system/test_main_job.py
EXTRA_DIST += tests/system/traces.py
EXTRA_DIST += tests/system/web.py

include tests/targets.mk
