# SPDX-License-Identifier: BSD-2-Clause
"""The files below contrib/ as an administrator copies them, but for places that a test has elsewhere."""

import os
import re

import spoor


def read(name, words=()):
    """Without its comments; each of WORDS, old and new, must be there."""
    with open(os.path.join(spoor.SOURCE, "contrib", name), encoding="utf-8") as file:
        return replace("".join(line for line in file if not line.startswith("#")), words, name)


def replace(text, words, name):
    for old, new in words:
        assert old in text, "contrib/%s no longer has %r" % (name, old)
        text = text.replace(old, new)
    return text


def settings(name, words=()):
    """Of lines "name = value"."""
    lines = read(name, words).split("\n")
    return dict(re.split(r" = ", line, maxsplit=1) for line in lines if line)


def services(text):
    """Lines of master.cf, none of them in a chroot."""
    return re.sub(r"^(\S+ \S+ \S+ \S+) y ", r"\1 n ", text, flags=re.M).rstrip("\n").split("\n")
