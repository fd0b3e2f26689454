# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += contrib/demo
EXTRA_DIST += contrib/demo.py
EXTRA_DIST += contrib/install-deps
EXTRA_DIST += contrib/postfix/README.md
EXTRA_DIST += contrib/postfix/main.cf
EXTRA_DIST += contrib/postfix/master.cf
EXTRA_DIST += contrib/systemd/spoor@.service
