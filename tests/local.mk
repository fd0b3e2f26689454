# SPDX-License-Identifier: BSD-2-Clause
# Unit tests speak TAP through cmocka; each is a file, linked with whatever of ours it calls.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; top_srcdir='$(top_srcdir)'; export top_srcdir;
LDADD = libctl.a libpixeld.a libdelivery.a libmail.a $(COMMON_LIBS) $(SYSTEMD_LIBS) $(ZLIB_LIBS) $(CMOCKA_LIBS)

if HAVE_CMOCKA
unit_tests =
unit_tests += tests/unit/test_absence
unit_tests += tests/unit/test_address
unit_tests += tests/unit/test_auth_results
unit_tests += tests/unit/test_base64
unit_tests += tests/unit/test_buf
unit_tests += tests/unit/test_cache
unit_tests += tests/unit/test_campaign
unit_tests += tests/unit/test_classify
unit_tests += tests/unit/test_conf
unit_tests += tests/unit/test_copy_stream
unit_tests += tests/unit/test_corpus
unit_tests += tests/unit/test_crowd
unit_tests += tests/unit/test_daemon
unit_tests += tests/unit/test_desk
unit_tests += tests/unit/test_header
unit_tests += tests/unit/test_held
unit_tests += tests/unit/test_follow
unit_tests += tests/unit/test_hit
unit_tests += tests/unit/test_html
unit_tests += tests/unit/test_http_stream
unit_tests += tests/unit/test_incoming
unit_tests += tests/unit/test_keygen
unit_tests += tests/unit/test_keys
unit_tests += tests/unit/test_ladder
unit_tests += tests/unit/test_line
unit_tests += tests/unit/test_loader
unit_tests += tests/unit/test_log_file
unit_tests += tests/unit/test_log
unit_tests += tests/unit/test_match
unit_tests += tests/unit/test_message_id
unit_tests += tests/unit/test_mime
unit_tests += tests/unit/test_msgid
unit_tests += tests/unit/test_network
unit_tests += tests/unit/test_network_map
unit_tests += tests/unit/test_node
unit_tests += tests/unit/test_organisation
unit_tests += tests/unit/test_original_recipient
unit_tests += tests/unit/test_outgoing
unit_tests += tests/unit/test_outgoing_copy
unit_tests += tests/unit/test_pass
unit_tests += tests/unit/test_plain
unit_tests += tests/unit/test_policy
unit_tests += tests/unit/test_qp
unit_tests += tests/unit/test_read_ahead
unit_tests += tests/unit/test_record
unit_tests += tests/unit/test_return_path
unit_tests += tests/unit/test_relay_list
unit_tests += tests/unit/test_record_text
unit_tests += tests/unit/test_request
unit_tests += tests/unit/test_rewrite
unit_tests += tests/unit/test_route
unit_tests += tests/unit/test_rules
unit_tests += tests/unit/test_spool
unit_tests += tests/unit/test_spool_replay
unit_tests += tests/unit/test_spool_walk
unit_tests += tests/unit/test_sql_script
unit_tests += tests/unit/test_store
unit_tests += tests/unit/test_thread
unit_tests += tests/unit/test_store_rules
unit_tests += tests/unit/test_token
unit_tests += tests/unit/test_unsubscribe
unit_tests += tests/unit/test_url
unit_tests += tests/unit/test_verdict
if HAVE_ORACLES
unit_tests += tests/unit/test_oracle_html
unit_tests += tests/unit/test_oracle_mime
endif
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

tests_unit_test_corpus_SOURCES = tests/unit/test_corpus.c
tests_unit_test_corpus_SOURCES += tests/support/corpus.c
tests_unit_test_corpus_SOURCES += tests/support/corpus.h
tests_unit_test_corpus_SOURCES += tests/support/rewrite_check.c
tests_unit_test_corpus_SOURCES += tests/support/rewrite_check.h
tests_unit_test_desk_SOURCES = tests/unit/test_desk.c
tests_unit_test_desk_SOURCES += tests/unit/postgres.h
tests_unit_test_incoming_SOURCES = tests/unit/test_incoming.c
tests_unit_test_incoming_SOURCES += tests/unit/incoming_tokens.c
tests_unit_test_incoming_SOURCES += tests/unit/incoming_tokens.h
tests_unit_test_loader_SOURCES = tests/unit/test_loader.c
tests_unit_test_loader_SOURCES += tests/unit/postgres.h
tests_unit_test_spool_walk_SOURCES = tests/unit/test_spool_walk.c
tests_unit_test_spool_walk_SOURCES += tests/unit/folder.c
tests_unit_test_spool_walk_SOURCES += tests/unit/folder.h
tests_unit_test_message_id_SOURCES = tests/unit/test_message_id.c
tests_unit_test_message_id_SOURCES += tests/unit/folder.c
tests_unit_test_message_id_SOURCES += tests/unit/folder.h
tests_unit_test_oracle_html_SOURCES = tests/unit/test_oracle_html.c
tests_unit_test_oracle_html_SOURCES += tests/support/corpus.c
tests_unit_test_oracle_html_SOURCES += tests/support/corpus.h
tests_unit_test_oracle_html_SOURCES += tests/support/rewrite_check.c
tests_unit_test_oracle_html_SOURCES += tests/support/rewrite_check.h
tests_unit_test_oracle_mime_SOURCES = tests/unit/test_oracle_mime.c
tests_unit_test_oracle_mime_SOURCES += tests/support/corpus.c
tests_unit_test_oracle_mime_SOURCES += tests/support/corpus.h
tests_unit_test_oracle_mime_SOURCES += tests/support/rewrite_check.c
tests_unit_test_oracle_mime_SOURCES += tests/support/rewrite_check.h
tests_unit_test_plain_SOURCES = tests/unit/test_plain.c
tests_unit_test_plain_SOURCES += tests/support/rewrite_check.c
tests_unit_test_plain_SOURCES += tests/support/rewrite_check.h
tests_unit_test_read_ahead_SOURCES = tests/unit/test_read_ahead.c
tests_unit_test_read_ahead_SOURCES += milter/read_ahead.c
tests_unit_test_read_ahead_SOURCES += milter/read_ahead.h
tests_unit_test_return_path_SOURCES = tests/unit/test_return_path.c
tests_unit_test_return_path_SOURCES += tests/unit/incoming_tokens.c
tests_unit_test_return_path_SOURCES += tests/unit/incoming_tokens.h
tests_unit_test_log_file_SOURCES = tests/unit/test_log_file.c
tests_unit_test_log_file_SOURCES += tests/unit/folder.c
tests_unit_test_log_file_SOURCES += tests/unit/folder.h
tests_unit_test_rewrite_SOURCES = tests/unit/test_rewrite.c
tests_unit_test_rewrite_SOURCES += tests/support/rewrite_check.c
tests_unit_test_rewrite_SOURCES += tests/support/rewrite_check.h
tests_unit_test_rules_SOURCES = tests/unit/test_rules.c
tests_unit_test_rules_SOURCES += tests/unit/folder.c
tests_unit_test_rules_SOURCES += tests/unit/folder.h
tests_unit_test_spool_SOURCES = tests/unit/test_spool.c
tests_unit_test_spool_SOURCES += tests/unit/folder.c
tests_unit_test_spool_SOURCES += tests/unit/folder.h
tests_unit_test_spool_replay_SOURCES = tests/unit/test_spool_replay.c
tests_unit_test_spool_replay_SOURCES += tests/support/disk_log.c
tests_unit_test_spool_replay_SOURCES += tests/support/disk_log.h
tests_unit_test_spool_replay_SOURCES += tests/unit/folder.c
tests_unit_test_spool_replay_SOURCES += tests/unit/folder.h
# the calls that disk_log records, wherever they are made
tests_unit_test_spool_replay_LDFLAGS = $(AM_LDFLAGS)
tests_unit_test_spool_replay_LDFLAGS += -Wl,--wrap=openat,--wrap=close,--wrap=write,--wrap=pwrite,--wrap=ftruncate
tests_unit_test_spool_replay_LDFLAGS += -Wl,--wrap=fdatasync,--wrap=fsync,--wrap=renameat,--wrap=unlinkat
tests_unit_test_store_SOURCES = tests/unit/test_store.c
tests_unit_test_store_SOURCES += tests/unit/postgres.h
tests_unit_test_unsubscribe_SOURCES = tests/unit/test_unsubscribe.c
tests_unit_test_unsubscribe_SOURCES += tests/unit/incoming_tokens.c
tests_unit_test_unsubscribe_SOURCES += tests/unit/incoming_tokens.h
tests_unit_test_store_rules_SOURCES = tests/unit/test_store_rules.c
tests_unit_test_store_rules_SOURCES += tests/unit/postgres.h

# Fuzz targets: a file each, built with CC=clang and --enable-fuzzers.
FUZZER_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_absence
noinst_PROGRAMS += tests/fuzz/fuzz_address
noinst_PROGRAMS += tests/fuzz/fuzz_conf
noinst_PROGRAMS += tests/fuzz/fuzz_header
noinst_PROGRAMS += tests/fuzz/fuzz_html
noinst_PROGRAMS += tests/fuzz/fuzz_incoming
noinst_PROGRAMS += tests/fuzz/fuzz_line
noinst_PROGRAMS += tests/fuzz/fuzz_mime
noinst_PROGRAMS += tests/fuzz/fuzz_msgid
noinst_PROGRAMS += tests/fuzz/fuzz_pass
noinst_PROGRAMS += tests/fuzz/fuzz_policy
noinst_PROGRAMS += tests/fuzz/fuzz_qp
noinst_PROGRAMS += tests/fuzz/fuzz_record
noinst_PROGRAMS += tests/fuzz/fuzz_return_path
noinst_PROGRAMS += tests/fuzz/fuzz_relay_list
noinst_PROGRAMS += tests/fuzz/fuzz_rewrite
noinst_PROGRAMS += tests/fuzz/fuzz_route
noinst_PROGRAMS += tests/fuzz/fuzz_rules
noinst_PROGRAMS += tests/fuzz/fuzz_spool
noinst_PROGRAMS += tests/fuzz/fuzz_token
noinst_PROGRAMS += tests/fuzz/fuzz_unsubscribe
noinst_PROGRAMS += tests/fuzz/fuzz_url
endif
tests_fuzz_fuzz_absence_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_address_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_conf_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_header_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_html_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_incoming_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_line_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_mime_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_msgid_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_pass_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_policy_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_qp_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_record_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_return_path_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_relay_list_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_rewrite_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_route_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_rules_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_spool_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_token_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_unsubscribe_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_url_LDFLAGS = $(FUZZER_LINK)
tests_fuzz_fuzz_header_SOURCES = tests/fuzz/fuzz_header.c
tests_fuzz_fuzz_header_SOURCES += tests/support/rewrite_check.c
tests_fuzz_fuzz_header_SOURCES += tests/support/rewrite_check.h
tests_fuzz_fuzz_html_SOURCES = tests/fuzz/fuzz_html.c
tests_fuzz_fuzz_html_SOURCES += tests/support/rewrite_check.c
tests_fuzz_fuzz_html_SOURCES += tests/support/rewrite_check.h
tests_fuzz_fuzz_mime_SOURCES = tests/fuzz/fuzz_mime.c
tests_fuzz_fuzz_mime_SOURCES += tests/support/rewrite_check.c
tests_fuzz_fuzz_mime_SOURCES += tests/support/rewrite_check.h
tests_fuzz_fuzz_qp_SOURCES = tests/fuzz/fuzz_qp.c
tests_fuzz_fuzz_qp_SOURCES += tests/support/rewrite_check.c
tests_fuzz_fuzz_qp_SOURCES += tests/support/rewrite_check.h
tests_fuzz_fuzz_rewrite_SOURCES = tests/fuzz/fuzz_rewrite.c
tests_fuzz_fuzz_rewrite_SOURCES += tests/support/rewrite_check.c
tests_fuzz_fuzz_rewrite_SOURCES += tests/support/rewrite_check.h
tests_unit_test_oracle_html_CPPFLAGS = $(AM_CPPFLAGS) $(ORACLES_CFLAGS)
tests_unit_test_oracle_html_LDADD = $(LDADD) $(ORACLES_LIBS)
tests_unit_test_oracle_mime_CPPFLAGS = $(AM_CPPFLAGS) $(ORACLES_CFLAGS)
tests_unit_test_oracle_mime_LDADD = $(LDADD) $(ORACLES_LIBS)

# Benchmarks and their peers: built when asked for.
EXTRA_PROGRAMS = tests/bench/buffer_milter
tests_bench_buffer_milter_LDADD = $(MILTER_LIBS)
if HAVE_ORACLES
EXTRA_PROGRAMS += tests/bench/rewrite_rate
tests_bench_rewrite_rate_SOURCES = tests/bench/rewrite.c
tests_bench_rewrite_rate_SOURCES += tests/support/rewrite_check.c
tests_bench_rewrite_rate_SOURCES += tests/support/rewrite_check.h
tests_bench_rewrite_rate_CPPFLAGS = $(AM_CPPFLAGS) $(ORACLES_CFLAGS)
tests_bench_rewrite_rate_LDADD = libmail.a $(COMMON_LIBS) $(ORACLES_LIBS)

EXTRA_PROGRAMS += tests/bench/paced
tests_bench_paced_LDADD =

EXTRA_PROGRAMS += tests/bench/load_rate
tests_bench_load_rate_SOURCES = tests/bench/load.c
tests_bench_load_rate_LDADD = $(COMMON_LIBS)
endif

# Signs ids for the system tests.
noinst_PROGRAMS += tests/support/sign_token
tests_support_sign_token_SOURCES = tests/support/sign_token.c
# Preloaded into daemons: it must not bring a sanitizer of its own.
noinst_PROGRAMS += tests/support/clock_shift.so
tests_support_clock_shift_so_SOURCES = tests/support/clock_shift.c
tests_support_clock_shift_so_CFLAGS = -std=gnu11 $(WARN_FLAGS) -fPIC
tests_support_clock_shift_so_LDFLAGS = -shared
tests_support_clock_shift_so_LDADD =

check_PROGRAMS += tests/lint/option_names
tests_lint_option_names_SOURCES = tests/lint/option_names.c

lint_tests =
lint_tests += tests/lint/includes
lint_tests += tests/lint/listed
lint_tests += tests/lint/manual
lint_tests += tests/lint/options
lint_tests += tests/lint/packages
lint_tests += tests/lint/python
lint_tests += tests/lint/words
TESTS += $(lint_tests)

EXTRA_DIST += $(lint_tests)
EXTRA_DIST += tests/bench/delivery
EXTRA_DIST += tests/bench/bytes
EXTRA_DIST += tests/bench/cores.py
EXTRA_DIST += tests/bench/floor
EXTRA_DIST += tests/bench/growth
EXTRA_DIST += tests/bench/ingest
EXTRA_DIST += tests/bench/latency
EXTRA_DIST += tests/bench/load_rate.py
EXTRA_DIST += tests/bench/match
EXTRA_DIST += tests/bench/pixel
EXTRA_DIST += tests/bench/pixel-sync
EXTRA_DIST += tests/bench/pixel_rate.py
EXTRA_DIST += tests/bench/rewrite
EXTRA_DIST += tests/bench/rounds.py
EXTRA_DIST += tests/bench/run
EXTRA_DIST += tests/bench/stamp
EXTRA_DIST += tests/bench/stamp-small
EXTRA_DIST += tests/bench/throughput.py
EXTRA_DIST += tests/cover
EXTRA_DIST += tests/fuzz/run
EXTRA_DIST += tests/run
EXTRA_DIST += tests/sanitize
EXTRA_DIST += tests/system/conftest.py
EXTRA_DIST += tests/system/fault_kinds.py
EXTRA_DIST += tests/system/faults
EXTRA_DIST += tests/system/journald.py
EXTRA_DIST += tests/system/load.py
EXTRA_DIST += tests/system/exposition.py
EXTRA_DIST += tests/system/maildir.py
EXTRA_DIST += tests/system/mailer.py
EXTRA_DIST += tests/system/mails.py
EXTRA_DIST += tests/system/memcached.py
EXTRA_DIST += tests/system/postfix.py
EXTRA_DIST += tests/system/postgres.py
EXTRA_DIST += tests/system/proc.py
EXTRA_DIST += tests/system/sendmail.py
EXTRA_DIST += tests/system/servers.py
EXTRA_DIST += tests/system/smtp_sink.py
EXTRA_DIST += tests/system/spam_filters.py
EXTRA_DIST += tests/system/split.py
EXTRA_DIST += tests/system/spool_file.py
EXTRA_DIST += tests/system/spoor.py
EXTRA_DIST += tests/system/test_bad_input.py
EXTRA_DIST += tests/system/test_campaign.py
EXTRA_DIST += tests/system/test_dkim.py
EXTRA_DIST += tests/system/test_copies.py
EXTRA_DIST += tests/system/test_door.py
EXTRA_DIST += tests/system/test_dry_run.py
EXTRA_DIST += tests/system/test_faults.py
EXTRA_DIST += tests/system/test_harness.py
EXTRA_DIST += tests/system/test_journal.py
EXTRA_DIST += tests/system/test_main_job.py
EXTRA_DIST += tests/system/test_match_corpus.py
EXTRA_DIST += tests/system/test_delivery.py
EXTRA_DIST += tests/system/test_delivery_rules.py
EXTRA_DIST += tests/system/test_pixeld.py
EXTRA_DIST += tests/system/test_policy.py
EXTRA_DIST += tests/system/test_return_path.py
EXTRA_DIST += tests/system/test_setup.py
EXTRA_DIST += tests/system/test_spam_score.py
EXTRA_DIST += tests/system/test_unsubscribe.py
EXTRA_DIST += tests/system/tokens.py
EXTRA_DIST += tests/system/test_threads.py
EXTRA_DIST += tests/system/test_spools.py
EXTRA_DIST += tests/system/traces.py
EXTRA_DIST += tests/system/web.py
EXTRA_DIST += tests/threaded
EXTRA_DIST += tests/tsan.supp
EXTRA_DIST += tests/unit/with-postgres
# inputs of the tests and seeds of the fuzz targets, a folder each
EXTRA_DIST += tests/corpus

include tests/targets.mk
