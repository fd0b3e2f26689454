# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libmail.a
libmail_a_SOURCES =
libmail_a_SOURCES += mail/msgid.c
libmail_a_SOURCES += mail/msgid.h
