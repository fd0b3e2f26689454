# SPDX-License-Identifier: BSD-2-Clause
"""Tokens and URLs made without Spoor, as common/token.h and common/url.h say, under a key file of our own."""

import base64
import hashlib
import hmac
import itertools
import os
import re
import struct
import time
import urllib.parse

SECRET = bytes(range(32))
EPOCH_2020_MS = 1577836800000
VIEW, CLICK, DOCUMENT, UNSUBSCRIBE, MESSAGE_ID = 1, 2, 3, 4, 5
AGGREGATE = 1 << 15
DECOY = AGGREGATE - 1  # index of a click

_sequence = itertools.count(1)


def write_keys(path, ids=(1,)):
    """A key file in which all keys have the same secret; readable by the daemons' group."""
    with open(path, "w") as out:
        out.write("address %s\n" % SECRET.hex())
        for number in ids:
            out.write("key %d %s\n" % (number, SECRET.hex()))
    os.chmod(path, 0o640)
    if os.getuid() == 0:
        os.chown(path, -1, 65534)


def message_id(age_s):
    """The number of a mail that was sent so long ago; no two are the same."""
    return (int(time.time() * 1000) - int(age_s * 1000) - EPOCH_2020_MS) << 22 | next(_sequence) % 4096


def message_of(age_s):
    """The number that a mail of this age would have."""
    return (int(time.time() * 1000) - age_s * 1000 - EPOCH_2020_MS) << 22


def sign(secret, kind, message, destination=b"", key=1, recipient=77, index=0):
    plain = struct.pack(">BBQIH", 1 << 4 | kind, key, message, recipient, index)
    derived = hmac.digest(secret, b"spoor derived key " + bytes([kind]), hashlib.sha256)
    mac = hmac.digest(derived, b"spoor token 1" + plain + struct.pack(">H", len(destination)) + destination,
                      hashlib.sha256)[:16]
    return base64.b32encode(plain + mac).decode().rstrip("=").lower()


def token(kind, destination=b"", key=1, message_age_s=3600, index=None, message=None, recipient=77):
    """Under our own key file, write_keys()."""
    message = message_of(message_age_s) if message is None else message
    index = (1 if kind == CLICK else 0) if index is None else index
    return sign(SECRET, kind, message, destination, key, recipient, index)


def first_key(path):
    """Number and secret of the key that signs."""
    with open(path) as keys:
        lines = re.findall(r"^key (\d+) ([0-9a-f]{64})(?: (\w+))?", keys.read(), re.M)
    number, secret, _ = ([line for line in lines if line[2] == "signs"] or [line for line in lines if not line[2]])[0]
    return int(number), bytes.fromhex(secret)


def view(**more):
    return "/o/%s.gif" % token(VIEW, **more)


def click(destination, **more):
    return "/c/%s/%s" % (token(CLICK, destination.encode(), **more), urllib.parse.quote(destination, safe=""))


def unsubscribe(**more):
    return "/u/" + token(UNSUBSCRIBE, **more)


def spoiled(path):
    """Another character where the MAC begins."""
    at = 3 + 30
    return path[:at] + ("a" if path[at] != "a" else "b") + path[at + 1:]
