# SPDX-License-Identifier: BSD-2-Clause
# What decides, for the tests and fuzzers too.
noinst_LIBRARIES += librender.a
librender_a_SOURCES =
librender_a_SOURCES += render/file_type.c
librender_a_SOURCES += render/file_type.h
librender_a_SOURCES += render/ole_directory.c
librender_a_SOURCES += render/ole_directory.h
librender_a_SOURCES += render/page_stream.c
librender_a_SOURCES += render/page_stream.h
librender_a_SOURCES += render/page_text.c
librender_a_SOURCES += render/page_text.h
librender_a_SOURCES += render/pdf_info.c
librender_a_SOURCES += render/pdf_info.h
librender_a_SOURCES += render/outcome.c
librender_a_SOURCES += render/outcome.h
librender_a_SOURCES += render/webp.c
librender_a_SOURCES += render/webp.h
librender_a_SOURCES += render/zip_directory.c
librender_a_SOURCES += render/zip_directory.h
# what runs programs; its tests link it without libseccomp
librender_a_SOURCES += render/child.c
librender_a_SOURCES += render/child.h

sbin_PROGRAMS += render/spoor-render
render_spoor_render_LDADD = librender.a $(COMMON_LIBS) $(SECCOMP_LIBS)
render_spoor_render_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)
render_spoor_render_SOURCES =
render_spoor_render_SOURCES += render/job.c
render_spoor_render_SOURCES += render/job.h
render_spoor_render_SOURCES += render/main.c
render_spoor_render_SOURCES += render/memory_file.c
render_spoor_render_SOURCES += render/memory_file.h
render_spoor_render_SOURCES += render/sandbox.c
render_spoor_render_SOURCES += render/sandbox.h
render_spoor_render_SOURCES += render/scripts.c
render_spoor_render_SOURCES += render/scripts.h
render_spoor_render_SOURCES += render/worker.c
render_spoor_render_SOURCES += render/worker.h
dist_man_MANS += render/spoor-render.8
