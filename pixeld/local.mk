# SPDX-License-Identifier: BSD-2-Clause
# What decides without the HTTP library, so that tests and fuzzers link it alone.
noinst_LIBRARIES += libpixeld.a
libpixeld_a_SOURCES =
libpixeld_a_SOURCES += pixeld/agent.c
libpixeld_a_SOURCES += pixeld/agent.h
libpixeld_a_SOURCES += pixeld/client.c
libpixeld_a_SOURCES += pixeld/client.h
libpixeld_a_SOURCES += pixeld/crowd.c
libpixeld_a_SOURCES += pixeld/crowd.h
libpixeld_a_SOURCES += pixeld/held.c
libpixeld_a_SOURCES += pixeld/held.h
libpixeld_a_SOURCES += pixeld/hit.c
libpixeld_a_SOURCES += pixeld/hit.h
libpixeld_a_SOURCES += pixeld/request.h
libpixeld_a_SOURCES += pixeld/route.c
libpixeld_a_SOURCES += pixeld/route.h
libpixeld_a_SOURCES += pixeld/verdict.c
libpixeld_a_SOURCES += pixeld/verdict.h

sbin_PROGRAMS += pixeld/spoor-pixeld
pixeld_spoor_pixeld_CPPFLAGS = $(AM_CPPFLAGS) $(MICROHTTPD_CFLAGS)
pixeld_spoor_pixeld_LDADD = libpixeld.a $(COMMON_LIBS) $(MICROHTTPD_LIBS)
pixeld_spoor_pixeld_SOURCES =
pixeld_spoor_pixeld_SOURCES += pixeld/click.c
pixeld_spoor_pixeld_SOURCES += pixeld/click.h
pixeld_spoor_pixeld_SOURCES += pixeld/deadline.c
pixeld_spoor_pixeld_SOURCES += pixeld/deadline.h
pixeld_spoor_pixeld_SOURCES += pixeld/health.c
pixeld_spoor_pixeld_SOURCES += pixeld/health.h
pixeld_spoor_pixeld_SOURCES += pixeld/http.c
pixeld_spoor_pixeld_SOURCES += pixeld/http.h
pixeld_spoor_pixeld_SOURCES += pixeld/journal.c
pixeld_spoor_pixeld_SOURCES += pixeld/journal.h
pixeld_spoor_pixeld_SOURCES += pixeld/listen.c
pixeld_spoor_pixeld_SOURCES += pixeld/listen.h
pixeld_spoor_pixeld_SOURCES += pixeld/main.c
pixeld_spoor_pixeld_SOURCES += pixeld/page.c
pixeld_spoor_pixeld_SOURCES += pixeld/page.h
pixeld_spoor_pixeld_SOURCES += pixeld/pixel.c
pixeld_spoor_pixeld_SOURCES += pixeld/pixel.h
pixeld_spoor_pixeld_SOURCES += pixeld/site.c
pixeld_spoor_pixeld_SOURCES += pixeld/site.h

dist_man_MANS += pixeld/spoor-pixeld.8
