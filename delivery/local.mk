# SPDX-License-Identifier: BSD-2-Clause
# What the tests and fuzzers link too.
noinst_LIBRARIES += libdelivery.a
libdelivery_a_CPPFLAGS = $(AM_CPPFLAGS) $(SYSTEMD_CFLAGS)
libdelivery_a_SOURCES =
libdelivery_a_SOURCES += delivery/bookmark.c
libdelivery_a_SOURCES += delivery/bookmark.h
libdelivery_a_SOURCES += delivery/follow.c
libdelivery_a_SOURCES += delivery/follow.h
libdelivery_a_SOURCES += delivery/journal.h
libdelivery_a_SOURCES += delivery/line.c
libdelivery_a_SOURCES += delivery/line.h
libdelivery_a_SOURCES += delivery/line_postfix.c
libdelivery_a_SOURCES += delivery/line_postfix.h
libdelivery_a_SOURCES += delivery/line_read.c
libdelivery_a_SOURCES += delivery/line_read.h
libdelivery_a_SOURCES += delivery/line_sendmail.c
libdelivery_a_SOURCES += delivery/line_sendmail.h
libdelivery_a_SOURCES += delivery/log_file.c
libdelivery_a_SOURCES += delivery/log_file.h
libdelivery_a_SOURCES += delivery/log_head.c
libdelivery_a_SOURCES += delivery/log_head.h
libdelivery_a_SOURCES += delivery/log_siblings.c
libdelivery_a_SOURCES += delivery/log_siblings.h
libdelivery_a_SOURCES += delivery/log_time.c
libdelivery_a_SOURCES += delivery/log_time.h
libdelivery_a_SOURCES += delivery/relay.c
libdelivery_a_SOURCES += delivery/relay.h
libdelivery_a_SOURCES += delivery/source.c
libdelivery_a_SOURCES += delivery/source.h
if HAVE_SYSTEMD
libdelivery_a_SOURCES += delivery/journal.c
else
libdelivery_a_SOURCES += delivery/journal_none.c
endif

sbin_PROGRAMS += delivery/spoor-delivery
delivery_spoor_delivery_LDADD = libdelivery.a $(COMMON_LIBS) $(SYSTEMD_LIBS) $(ZLIB_LIBS)
delivery_spoor_delivery_SOURCES =
delivery_spoor_delivery_SOURCES += delivery/follower.c
delivery_spoor_delivery_SOURCES += delivery/follower.h
delivery_spoor_delivery_SOURCES += delivery/main.c
dist_man_MANS += delivery/spoor-delivery.8
