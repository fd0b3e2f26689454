# SPDX-License-Identifier: BSD-2-Clause
# Unit tests speak TAP through cmocka; each is one file, linked with what it tests.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; top_srcdir='$(top_srcdir)'; export top_srcdir;

if HAVE_CMOCKA
unit_tests =
unit_tests += tests/unit/test_buf
unit_tests += tests/unit/test_msgid
unit_tests += tests/unit/test_header
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
UNIT_LIBS = libmail.a $(COMMON_LIBS) $(CMOCKA_LIBS)

tests_unit_test_buf_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_buf_LDADD = $(UNIT_LIBS)
tests_unit_test_msgid_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_msgid_LDADD = $(UNIT_LIBS)

tests_unit_test_header_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_header_LDADD = $(UNIT_LIBS)
