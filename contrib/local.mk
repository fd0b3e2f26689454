# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += contrib/demo
EXTRA_DIST += contrib/demo.py
EXTRA_DIST += contrib/dkim/opendkim.conf
EXTRA_DIST += contrib/dkim/rspamd-dkim_signing.conf
EXTRA_DIST += contrib/install-deps
EXTRA_DIST += contrib/systemd/spoor@.service
