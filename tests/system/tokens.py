# SPDX-License-Identifier: BSD-2-Clause
"""Signed tokens, as common/token.h says, written a second time."""

import base64
import hashlib
import hmac
import re
import struct
import time

EPOCH_2020_MS = 1577836800000
VIEW, CLICK, UNSUBSCRIBE, MESSAGE_ID = 1, 2, 4, 5


def message_of(age_s):
    """The number that a mail of this age would have."""
    return (int(time.time() * 1000) - age_s * 1000 - EPOCH_2020_MS) << 22


def token(secret, kind, message, destination=b"", key=1, recipient=77, index=0):
    plain = struct.pack(">BBQIH", 1 << 4 | kind, key, message, recipient, index)
    derived = hmac.digest(secret, b"spoor derived key " + bytes([kind]), hashlib.sha256)
    mac = hmac.digest(derived, b"spoor token 1" + plain + struct.pack(">H", len(destination)) + destination,
                      hashlib.sha256)[:16]
    return base64.b32encode(plain + mac).decode().rstrip("=").lower()


def first_key(path):
    """Number and secret of the key that signs."""
    with open(path) as keys:
        number, secret = re.search(r"^key (\d+) ([0-9a-f]{64})$", keys.read(), re.M).groups()
    return int(number), bytes.fromhex(secret)
