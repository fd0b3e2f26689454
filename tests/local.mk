# SPDX-License-Identifier: BSD-2-Clause
# Unit tests speak TAP through cmocka; each is one file, linked with what it tests.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; top_srcdir='$(top_srcdir)'; export top_srcdir;

if HAVE_CMOCKA
unit_tests =
unit_tests += tests/unit/test_buf
unit_tests += tests/unit/test_header
unit_tests += tests/unit/test_rewrite
unit_tests += tests/unit/test_html
unit_tests += tests/unit/test_qp
unit_tests += tests/unit/test_mime
unit_tests += tests/unit/test_base64
unit_tests += tests/unit/test_address
unit_tests += tests/unit/test_keys
unit_tests += tests/unit/test_token
unit_tests += tests/unit/test_url
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
UNIT_LIBS = libmail.a $(COMMON_LIBS) $(CMOCKA_LIBS)

tests_unit_test_buf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_buf_LDADD = $(UNIT_LIBS)

tests_unit_test_base64_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_base64_LDADD = $(UNIT_LIBS)

tests_unit_test_mime_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_mime_LDADD = $(UNIT_LIBS)

tests_unit_test_qp_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_qp_LDADD = $(UNIT_LIBS)

tests_unit_test_html_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_html_LDADD = $(UNIT_LIBS)

tests_unit_test_rewrite_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_rewrite_SOURCES = tests/unit/test_rewrite.c
tests_unit_test_rewrite_SOURCES += tests/support/rewrite_check.c
tests_unit_test_rewrite_SOURCES += tests/support/rewrite_check.h
tests_unit_test_rewrite_LDADD = $(UNIT_LIBS)

tests_unit_test_header_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_header_LDADD = $(UNIT_LIBS)

tests_unit_test_address_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_address_LDADD = $(UNIT_LIBS)

tests_unit_test_keys_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_keys_LDADD = $(UNIT_LIBS)

tests_unit_test_token_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_token_LDADD = $(UNIT_LIBS)

tests_unit_test_url_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_url_LDADD = $(UNIT_LIBS)

# Fuzz targets: a file each, built with CC=clang and --enable-fuzzers.
FUZZER_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
FUZZER_LIBS = libmail.a $(COMMON_LIBS)
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_address
noinst_PROGRAMS += tests/fuzz/fuzz_header
noinst_PROGRAMS += tests/fuzz/fuzz_html
noinst_PROGRAMS += tests/fuzz/fuzz_mime
noinst_PROGRAMS += tests/fuzz/fuzz_qp
noinst_PROGRAMS += tests/fuzz/fuzz_rewrite
noinst_PROGRAMS += tests/fuzz/fuzz_token
noinst_PROGRAMS += tests/fuzz/fuzz_url
endif

tests_fuzz_fuzz_address_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_address_LDADD = $(FUZZER_LIBS)

tests_fuzz_fuzz_token_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_token_LDADD = $(FUZZER_LIBS)

tests_fuzz_fuzz_url_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_url_LDADD = $(FUZZER_LIBS)

tests_fuzz_fuzz_header_SOURCES = tests/fuzz/fuzz_header.c
tests_fuzz_fuzz_header_SOURCES += tests/support/rewrite_check.c
tests_fuzz_fuzz_header_SOURCES += tests/support/rewrite_check.h
tests_fuzz_fuzz_header_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_header_LDADD = $(FUZZER_LIBS)

tests_fuzz_fuzz_html_SOURCES = tests/fuzz/fuzz_html.c
tests_fuzz_fuzz_html_SOURCES += tests/support/rewrite_check.c
tests_fuzz_fuzz_html_SOURCES += tests/support/rewrite_check.h
tests_fuzz_fuzz_html_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_html_LDADD = $(FUZZER_LIBS)

tests_fuzz_fuzz_mime_SOURCES = tests/fuzz/fuzz_mime.c
tests_fuzz_fuzz_mime_SOURCES += tests/support/rewrite_check.c
tests_fuzz_fuzz_mime_SOURCES += tests/support/rewrite_check.h
tests_fuzz_fuzz_mime_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_mime_LDADD = $(FUZZER_LIBS)

tests_fuzz_fuzz_qp_SOURCES = tests/fuzz/fuzz_qp.c
tests_fuzz_fuzz_qp_SOURCES += tests/support/rewrite_check.c
tests_fuzz_fuzz_qp_SOURCES += tests/support/rewrite_check.h
tests_fuzz_fuzz_qp_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_qp_LDADD = $(FUZZER_LIBS)

tests_fuzz_fuzz_rewrite_SOURCES = tests/fuzz/fuzz_rewrite.c
tests_fuzz_fuzz_rewrite_SOURCES += tests/support/rewrite_check.c
tests_fuzz_fuzz_rewrite_SOURCES += tests/support/rewrite_check.h
tests_fuzz_fuzz_rewrite_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_rewrite_LDADD = $(FUZZER_LIBS)

# Benchmarks: built by hand or by `make bench`, with their peers.
if HAVE_ORACLES
EXTRA_PROGRAMS = tests/bench/rewrite
endif
tests_bench_rewrite_SOURCES = tests/bench/rewrite.c
tests_bench_rewrite_SOURCES += tests/support/rewrite_check.c
tests_bench_rewrite_SOURCES += tests/support/rewrite_check.h
tests_bench_rewrite_CPPFLAGS = $(AM_CPPFLAGS) $(ORACLES_CFLAGS)
tests_bench_rewrite_LDADD = libmail.a $(COMMON_LIBS) $(ORACLES_LIBS)
