# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libcommon.a
libcommon_a_CPPFLAGS = $(AM_CPPFLAGS) $(CONFUSE_CFLAGS) $(CRYPTO_CFLAGS) $(IDN2_CFLAGS) $(LIBPQ_CFLAGS) $(MEMCACHED_CFLAGS)
COMMON_LIBS = libcommon.a $(CONFUSE_LIBS) $(CRYPTO_LIBS) $(IDN2_LIBS) $(LIBPQ_LIBS) $(MEMCACHED_LIBS)
libcommon_a_SOURCES =
# base: knows nothing of mail, tokens or the database
libcommon_a_SOURCES += common/buf.c
libcommon_a_SOURCES += common/buf.h
libcommon_a_SOURCES += common/slice.h
libcommon_a_SOURCES += common/crc32c.c
libcommon_a_SOURCES += common/crc32c.h
libcommon_a_SOURCES += common/little_endian.h
# domain
libcommon_a_SOURCES += common/record.c
libcommon_a_SOURCES += common/record.h
libcommon_a_SOURCES += common/file_replace.c
libcommon_a_SOURCES += common/file_replace.h
libcommon_a_SOURCES += common/spool_folder.c
libcommon_a_SOURCES += common/spool_folder.h
libcommon_a_SOURCES += common/spool_segment.c
libcommon_a_SOURCES += common/spool_segment.h
libcommon_a_SOURCES += common/spool_private.h
libcommon_a_SOURCES += common/spool.c
libcommon_a_SOURCES += common/spool.h
libcommon_a_SOURCES += common/spool_open.c
libcommon_a_SOURCES += common/spool_identity.c
libcommon_a_SOURCES += common/spool_keep.c
libcommon_a_SOURCES += common/spool_reader.c
libcommon_a_SOURCES += common/message_id.c
libcommon_a_SOURCES += common/message_id.h
