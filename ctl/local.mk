# SPDX-License-Identifier: BSD-2-Clause
sbin_PROGRAMS += ctl/spoorctl
ctl_spoorctl_SOURCES =
ctl_spoorctl_SOURCES += ctl/check.c
ctl_spoorctl_SOURCES += ctl/command.h
ctl_spoorctl_SOURCES += ctl/decode.c
ctl_spoorctl_SOURCES += ctl/dry_run.c
ctl_spoorctl_SOURCES += ctl/dry_run.h
ctl_spoorctl_SOURCES += ctl/keygen.c
ctl_spoorctl_SOURCES += ctl/mail_file.c
ctl_spoorctl_SOURCES += ctl/mail_file.h
ctl_spoorctl_SOURCES += ctl/main.c
ctl_spoorctl_SOURCES += ctl/match.c
ctl_spoorctl_SOURCES += ctl/schema.c
ctl_spoorctl_SOURCES += ctl/stamp.c
ctl_spoorctl_LDADD = libmail.a $(COMMON_LIBS)

dist_man_MANS += ctl/spoorctl.8
