# SPDX-License-Identifier: BSD-2-Clause
# Unit tests speak TAP through cmocka; each is one file, linked with what it tests.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; top_srcdir='$(top_srcdir)'; export top_srcdir;

if HAVE_CMOCKA
unit_tests =
unit_tests += tests/unit/test_buf
unit_tests += tests/unit/test_address
unit_tests += tests/unit/test_keys
unit_tests += tests/unit/test_token
unit_tests += tests/unit/test_url
unit_tests += tests/unit/test_header
unit_tests += tests/unit/test_record
unit_tests += tests/unit/test_hit
unit_tests += tests/unit/test_route
unit_tests += tests/unit/test_verdict
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
UNIT_LIBS = libmail.a $(COMMON_LIBS) $(CMOCKA_LIBS)

tests_unit_test_buf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_buf_LDADD = $(UNIT_LIBS)

tests_unit_test_address_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_address_LDADD = $(UNIT_LIBS)

tests_unit_test_keys_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keys_LDADD = $(UNIT_LIBS)

tests_unit_test_token_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_token_LDADD = $(UNIT_LIBS)

tests_unit_test_url_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_url_LDADD = $(UNIT_LIBS)

tests_unit_test_hit_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_hit_LDADD = libpixeld.a $(UNIT_LIBS)

tests_unit_test_route_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_route_LDADD = libpixeld.a $(UNIT_LIBS)

tests_unit_test_verdict_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_verdict_LDADD = libpixeld.a $(UNIT_LIBS)

# Fuzz targets: a file each, built with CC=clang and --enable-fuzzers.
FUZZER_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
FUZZER_LIBS = libmail.a $(COMMON_LIBS)
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_address
noinst_PROGRAMS += tests/fuzz/fuzz_route
noinst_PROGRAMS += tests/fuzz/fuzz_token
noinst_PROGRAMS += tests/fuzz/fuzz_url
endif

tests_fuzz_fuzz_address_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_address_LDADD = $(FUZZER_LIBS)

tests_fuzz_fuzz_route_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_route_LDADD = libpixeld.a $(FUZZER_LIBS)

tests_fuzz_fuzz_token_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_token_LDADD = $(FUZZER_LIBS)

tests_fuzz_fuzz_url_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_url_LDADD = $(FUZZER_LIBS)
tests_unit_test_header_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_header_LDADD = $(UNIT_LIBS)
tests_unit_test_record_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_record_LDADD = $(UNIT_LIBS)
lint_tests =
lint_tests += tests/lint/includes
lint_tests += tests/lint/manual
lint_tests += tests/lint/options
lint_tests += tests/lint/packages
lint_tests += tests/lint/words
TESTS += $(lint_tests)

# prints the names and the defaults of all options, for tests/lint/options
check_PROGRAMS += tests/lint/option_names
tests_lint_option_names_LDADD = $(COMMON_LIBS)

EXTRA_DIST += $(lint_tests)
EXTRA_DIST += tests/cover
EXTRA_DIST += tests/run
EXTRA_DIST += tests/sanitize
EXTRA_DIST += tests/threaded
EXTRA_DIST += tests/tsan.supp
EXTRA_DIST += tests/bench
EXTRA_DIST += tests/fuzz
EXTRA_DIST += tests/system

include tests/targets.mk
