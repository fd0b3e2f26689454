# SPDX-License-Identifier: BSD-2-Clause
# What the tests link too.
noinst_LIBRARIES += libctl.a
libctl_a_SOURCES =
libctl_a_SOURCES += ctl/account.c
libctl_a_SOURCES += ctl/account.h
libctl_a_SOURCES += ctl/check.c
libctl_a_SOURCES += ctl/command.h
libctl_a_SOURCES += ctl/content.c
libctl_a_SOURCES += ctl/decode.c
libctl_a_SOURCES += ctl/invite.c
libctl_a_SOURCES += ctl/dry_run.c
libctl_a_SOURCES += ctl/dry_run.h
libctl_a_SOURCES += ctl/explain.c
libctl_a_SOURCES += ctl/explain.h
libctl_a_SOURCES += ctl/keygen.c
libctl_a_SOURCES += ctl/mail_file.c
libctl_a_SOURCES += ctl/mail_file.h
libctl_a_SOURCES += ctl/match.c
libctl_a_SOURCES += ctl/relay_list.c
libctl_a_SOURCES += ctl/relay_list.h
libctl_a_SOURCES += ctl/rules.c
libctl_a_SOURCES += ctl/node.c
libctl_a_SOURCES += ctl/policy_file.c
libctl_a_SOURCES += ctl/policy_file.h
libctl_a_SOURCES += ctl/record_text.c
libctl_a_SOURCES += ctl/record_text.h
libctl_a_SOURCES += ctl/schema.c
libctl_a_SOURCES += ctl/schema.h
libctl_a_SOURCES += ctl/sink.c
libctl_a_SOURCES += ctl/spool.c
libctl_a_SOURCES += ctl/spool_load.c
libctl_a_SOURCES += ctl/spool_load.h
libctl_a_SOURCES += ctl/spool_walk.c
libctl_a_SOURCES += ctl/spool_walk.h
libctl_a_SOURCES += ctl/sql_script.c
libctl_a_SOURCES += ctl/sql_script.h
libctl_a_SOURCES += ctl/stamp.c

sbin_PROGRAMS += ctl/spoorctl
ctl_spoorctl_SOURCES =
ctl_spoorctl_SOURCES += ctl/main.c
ctl_spoorctl_LDADD = libctl.a libmail.a $(COMMON_LIBS)

dist_man_MANS += ctl/spoorctl.8
