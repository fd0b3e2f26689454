# SPDX-License-Identifier: BSD-2-Clause
sbin_PROGRAMS += milter/spoor-stamp
milter_spoor_stamp_SOURCES =
milter_spoor_stamp_SOURCES += milter/copies.c
milter_spoor_stamp_SOURCES += milter/copies.h
milter_spoor_stamp_SOURCES += milter/copy_filter.c
milter_spoor_stamp_SOURCES += milter/copy_filter.h
milter_spoor_stamp_SOURCES += milter/mlfi.c
milter_spoor_stamp_SOURCES += milter/mlfi.h
milter_spoor_stamp_SOURCES += milter/stamp_apply.c
milter_spoor_stamp_SOURCES += milter/stamp_apply.h
milter_spoor_stamp_SOURCES += milter/sent_ids.c
milter_spoor_stamp_SOURCES += milter/sent_ids.h
milter_spoor_stamp_SOURCES += milter/stamp_campaign.c
milter_spoor_stamp_SOURCES += milter/stamp_campaign.h
milter_spoor_stamp_SOURCES += milter/stamp_filter.c
milter_spoor_stamp_SOURCES += milter/stamp_filter.h
milter_spoor_stamp_SOURCES += milter/stamp_main.c
milter_spoor_stamp_LDADD = libmail.a $(COMMON_LIBS) $(MILTER_LIBS)

sbin_PROGRAMS += milter/spoor-match
milter_spoor_match_SOURCES =
milter_spoor_match_SOURCES += milter/match_filter.c
milter_spoor_match_SOURCES += milter/match_filter.h
milter_spoor_match_SOURCES += milter/match_main.c
milter_spoor_match_SOURCES += milter/match_stop.c
milter_spoor_match_SOURCES += milter/match_stop.h
milter_spoor_match_SOURCES += milter/match_unsubscribe.c
milter_spoor_match_SOURCES += milter/match_unsubscribe.h
milter_spoor_match_SOURCES += milter/mlfi.c
milter_spoor_match_SOURCES += milter/mlfi.h
milter_spoor_match_SOURCES += milter/sent_ids.c
milter_spoor_match_SOURCES += milter/sent_ids.h
milter_spoor_match_LDADD = libmail.a $(COMMON_LIBS) $(MILTER_LIBS)

dist_man_MANS += milter/spoor-match.8
dist_man_MANS += milter/spoor-stamp.8
