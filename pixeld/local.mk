# SPDX-License-Identifier: BSD-2-Clause
# What decides without the HTTP library, so that tests and fuzzers link it alone.
noinst_LIBRARIES += libpixeld.a
libpixeld_a_SOURCES =
libpixeld_a_SOURCES += pixeld/agent.c
libpixeld_a_SOURCES += pixeld/agent.h
libpixeld_a_SOURCES += pixeld/client.c
libpixeld_a_SOURCES += pixeld/client.h
libpixeld_a_SOURCES += pixeld/hit.c
libpixeld_a_SOURCES += pixeld/hit.h
libpixeld_a_SOURCES += pixeld/request.h
libpixeld_a_SOURCES += pixeld/route.c
libpixeld_a_SOURCES += pixeld/route.h
libpixeld_a_SOURCES += pixeld/verdict.c
libpixeld_a_SOURCES += pixeld/verdict.h

sbin_PROGRAMS += spoor-pixeld
spoor_pixeld_CPPFLAGS = $(AM_CPPFLAGS) $(MICROHTTPD_CFLAGS)
spoor_pixeld_LDADD = libpixeld.a $(COMMON_LIBS) $(MICROHTTPD_LIBS)
spoor_pixeld_SOURCES =
spoor_pixeld_SOURCES += pixeld/click.c
spoor_pixeld_SOURCES += pixeld/click.h
spoor_pixeld_SOURCES += pixeld/clock.h
spoor_pixeld_SOURCES += pixeld/deadline.c
spoor_pixeld_SOURCES += pixeld/deadline.h
spoor_pixeld_SOURCES += pixeld/health.c
spoor_pixeld_SOURCES += pixeld/health.h
spoor_pixeld_SOURCES += pixeld/http.c
spoor_pixeld_SOURCES += pixeld/http.h
spoor_pixeld_SOURCES += pixeld/journal.c
spoor_pixeld_SOURCES += pixeld/journal.h
spoor_pixeld_SOURCES += pixeld/listen.c
spoor_pixeld_SOURCES += pixeld/listen.h
spoor_pixeld_SOURCES += pixeld/main.c
spoor_pixeld_SOURCES += pixeld/page.c
spoor_pixeld_SOURCES += pixeld/page.h
spoor_pixeld_SOURCES += pixeld/pixel.c
spoor_pixeld_SOURCES += pixeld/pixel.h
spoor_pixeld_SOURCES += pixeld/site.c
spoor_pixeld_SOURCES += pixeld/site.h

dist_man_MANS += pixeld/spoor-pixeld.8
