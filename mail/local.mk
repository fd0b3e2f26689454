# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libmail.a
libmail_a_SOURCES =
libmail_a_SOURCES += mail/msgid.c
libmail_a_SOURCES += mail/msgid.h
libmail_a_SOURCES += mail/header.c
libmail_a_SOURCES += mail/header.h
libmail_a_SOURCES += mail/header_mailbox.c
libmail_a_SOURCES += mail/header_params.c
libmail_a_SOURCES += mail/header_words.c
libmail_a_SOURCES += mail/charset.c
libmail_a_SOURCES += mail/charset.h
libmail_a_SOURCES += mail/base64.c
libmail_a_SOURCES += mail/base64.h
