# SPDX-License-Identifier: BSD-2-Clause
noinst_LIBRARIES += libmail.a
libmail_a_SOURCES =
