# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += contrib/demo
EXTRA_DIST += contrib/demo.py
EXTRA_DIST += contrib/install-deps
EXTRA_DIST += contrib/systemd/spoor-pixeld.socket
EXTRA_DIST += contrib/systemd/spoor@.service
