# SPDX-License-Identifier: BSD-2-Clause
# Targets for people; the work is in scripts, which tests/run calls too.
FUZZ_SECONDS = 60

.PHONY: asan tsan fuzz bench lint cover list-tests

asan:
	$(top_srcdir)/tests/sanitize address,undefined build-asan

tsan:
	$(top_srcdir)/tests/sanitize thread build-tsan `$(top_srcdir)/tests/threaded`

fuzz:
	$(top_srcdir)/tests/fuzz/run build-fuzz $(FUZZ_SECONDS)

bench: all
	SPOOR_BUILD=`pwd` $(top_srcdir)/tests/bench/run

lint:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(lint_tests)"

cover:
	$(top_srcdir)/tests/cover build-cover

list-tests:
	@for name in $(TESTS); do echo $$name; done
