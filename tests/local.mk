# SPDX-License-Identifier: BSD-2-Clause
# Unit tests speak TAP through cmocka; each is one file, linked with what it tests.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; top_srcdir='$(top_srcdir)'; export top_srcdir;

if HAVE_CMOCKA
unit_tests =
unit_tests += tests/unit/test_buf
unit_tests += tests/unit/test_message_id
unit_tests += tests/unit/test_record
unit_tests += tests/unit/test_spool
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
UNIT_LIBS = libmail.a $(COMMON_LIBS) $(CMOCKA_LIBS)

tests_unit_test_buf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_buf_LDADD = $(UNIT_LIBS)

tests_unit_test_record_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_record_LDADD = $(UNIT_LIBS)

tests_unit_test_spool_SOURCES = tests/unit/test_spool.c tests/unit/folder.c tests/unit/folder.h
tests_unit_test_spool_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_spool_LDADD = $(UNIT_LIBS)

tests_unit_test_message_id_SOURCES = tests/unit/test_message_id.c tests/unit/folder.c tests/unit/folder.h
tests_unit_test_message_id_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_message_id_LDADD = $(UNIT_LIBS)

# Fuzz targets: a file each, built with CC=clang and --enable-fuzzers.
FUZZER_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
FUZZER_LIBS = libmail.a $(COMMON_LIBS)
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_record
noinst_PROGRAMS += tests/fuzz/fuzz_spool
endif

tests_fuzz_fuzz_record_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_record_LDADD = $(FUZZER_LIBS)

tests_fuzz_fuzz_spool_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_spool_LDADD = $(FUZZER_LIBS)
