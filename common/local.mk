# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libcommon.a
libcommon_a_CPPFLAGS = $(AM_CPPFLAGS) $(CONFUSE_CFLAGS) $(CRYPTO_CFLAGS) $(IDN2_CFLAGS) $(LIBPQ_CFLAGS) $(MEMCACHED_CFLAGS)
COMMON_LIBS = libcommon.a $(CONFUSE_LIBS) $(CRYPTO_LIBS) $(IDN2_LIBS) $(LIBPQ_LIBS) $(MEMCACHED_LIBS)
libcommon_a_SOURCES =
# base: knows nothing of mail, tokens or the database
libcommon_a_SOURCES += common/buf.c
libcommon_a_SOURCES += common/buf.h
libcommon_a_SOURCES += common/slice.h
libcommon_a_SOURCES += common/address.c
libcommon_a_SOURCES += common/address.h
libcommon_a_SOURCES += common/conf.c
libcommon_a_SOURCES += common/conf.h
libcommon_a_SOURCES += common/conf_form.c
libcommon_a_SOURCES += common/conf_form.h
libcommon_a_SOURCES += common/conf_row.c
libcommon_a_SOURCES += common/conf_row.h
libcommon_a_SOURCES += common/conninfo.c
libcommon_a_SOURCES += common/conninfo.h
libcommon_a_SOURCES += common/network.c
libcommon_a_SOURCES += common/network.h
libcommon_a_SOURCES += common/daemon.c
libcommon_a_SOURCES += common/daemon.h
libcommon_a_SOURCES += common/log.c
libcommon_a_SOURCES += common/log.h
# domain
libcommon_a_SOURCES += common/keys.c
libcommon_a_SOURCES += common/keys.h
libcommon_a_SOURCES += common/token.c
libcommon_a_SOURCES += common/token.h
libcommon_a_SOURCES += common/url.c
libcommon_a_SOURCES += common/url.h
libcommon_a_SOURCES += common/crc32c.c
libcommon_a_SOURCES += common/crc32c.h
libcommon_a_SOURCES += common/little_endian.h
# domain
libcommon_a_SOURCES += common/record.c
libcommon_a_SOURCES += common/record.h
libcommon_a_SOURCES += common/utf8.c
libcommon_a_SOURCES += common/utf8.h
# domain: the database and what goes there
libcommon_a_SOURCES += common/cache.c
libcommon_a_SOURCES += common/cache.h
libcommon_a_SOURCES += common/copy_stream.c
libcommon_a_SOURCES += common/copy_stream.h
libcommon_a_SOURCES += common/db.c
libcommon_a_SOURCES += common/db.h
libcommon_a_SOURCES += common/db_pool.c
libcommon_a_SOURCES += common/row_set.c
libcommon_a_SOURCES += common/row_set.h
# domain
