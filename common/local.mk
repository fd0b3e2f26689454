# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libcommon.a
libcommon_a_CPPFLAGS = $(AM_CPPFLAGS) $(CONFUSE_CFLAGS) $(CRYPTO_CFLAGS) $(IDN2_CFLAGS) $(LIBPQ_CFLAGS) $(MEMCACHED_CFLAGS)
COMMON_LIBS = libcommon.a $(CONFUSE_LIBS) $(CRYPTO_LIBS) $(IDN2_LIBS) $(LIBPQ_LIBS) $(MEMCACHED_LIBS)
libcommon_a_SOURCES =
# base: knows nothing of mail, tokens or the database
libcommon_a_SOURCES += common/buf.c
libcommon_a_SOURCES += common/buf.h
libcommon_a_SOURCES += common/slice.h
libcommon_a_SOURCES += common/clock.h
libcommon_a_SOURCES += common/crc32c.c
libcommon_a_SOURCES += common/crc32c.h
libcommon_a_SOURCES += common/little_endian.h
libcommon_a_SOURCES += common/utf8.c
libcommon_a_SOURCES += common/utf8.h
# domain
libcommon_a_SOURCES += common/cache.c
libcommon_a_SOURCES += common/cache.h
libcommon_a_SOURCES += common/copy_stream.c
libcommon_a_SOURCES += common/copy_stream.h
libcommon_a_SOURCES += common/db.c
libcommon_a_SOURCES += common/db.h
libcommon_a_SOURCES += common/db_pool.c
libcommon_a_SOURCES += common/dictionary.c
libcommon_a_SOURCES += common/dictionary.h
libcommon_a_SOURCES += common/loader.c
libcommon_a_SOURCES += common/loader.h
libcommon_a_SOURCES += common/record.c
libcommon_a_SOURCES += common/record.h
libcommon_a_SOURCES += common/row_set.c
libcommon_a_SOURCES += common/row_set.h
libcommon_a_SOURCES += common/store.c
libcommon_a_SOURCES += common/store.h
libcommon_a_SOURCES += common/store_cargo.c
libcommon_a_SOURCES += common/store_cargo.h
libcommon_a_SOURCES += common/store_load.c
