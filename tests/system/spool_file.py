# SPDX-License-Identifier: BSD-2-Clause
"""A spool folder as common/spool.h and common/spool_folder.h say, read by other code than the daemons'."""

import os
import struct

SEGMENT_HEADER, RECORD_HEADER = 64, 16


class Record:
    def __init__(self, path, at, position, length, checksum):
        self.path = path
        self.at = at  # in the file
        self.position = position
        self.end = position + _size(length)
        self.length = length
        self.checksum = checksum

    def payload(self):
        with open(self.path, "rb") as file:
            return os.pread(file.fileno(), self.length, self.at + RECORD_HEADER)


def _size(length):
    return (RECORD_HEADER + length + 7) // 8 * 8


def segments(folder):
    """Paths, oldest first."""
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".segment")]


def records(path):
    """What stands in a segment up to the first zero length; seals are not checked."""
    with open(path, "rb") as file:
        content = file.read()
    start = struct.unpack_from("<Q", content, 32)[0]
    found, at = [], SEGMENT_HEADER
    while at + RECORD_HEADER <= len(content):
        length, checksum = struct.unpack_from("<II", content, at)
        if length == 0 or at + _size(length) > len(content):
            break
        found.append(Record(path, at, start + at, length, checksum))
        at += _size(length)
    return found


def end_of_records(path):
    """Where in the file the next record would be written."""
    found = records(path)
    return found[-1].at + _size(found[-1].length) if found else SEGMENT_HEADER


def last_record(folder):
    """The newest record, or None; what a header says was given up behind the segment before it is none."""
    limit = None
    for path in reversed(segments(folder)):
        found = [record for record in records(path) if limit is None or record.end <= limit]
        if found:
            return found[-1]
        with open(path, "rb") as file:
            limit = struct.unpack_from("<Q", file.read(SEGMENT_HEADER), 40)[0]
    return None


class Identity:
    """The file `identity`."""

    def __init__(self, folder):
        with open(os.path.join(folder, "identity")) as file:
            lines = [line.split() for line in file.read().splitlines()]
        self.hex = next(line[1] for line in lines if line[0] == "identity")
        self.first = next((int(line[1]) for line in lines if line[0] == "first"), 0)
        self.inherits = any(line[0] == "past" and line[-1] == "inherited" for line in lines)


def is_loaded(folder, progress):
    """
    Does the database have all of it? PROGRESS maps identities in hex to (position, record, checksum). The last record must
    be the very one that the database has had last: another life of the spool may have come as far.
    """
    identity, last = Identity(folder), last_record(folder)
    if identity.inherits:
        return False
    if last is None or last.end <= identity.first:
        return True
    return progress.get(identity.hex) == (last.end, last.position, last.checksum)


def make_twin(source, folder):
    """FOLDER, a copy of SOURCE, is made to take itself for the original, as in a machine cloned with its disk."""
    path = os.path.join(folder, "identity")
    with open(os.path.join(source, "identity")) as file:
        lines = file.read().splitlines()
    place = os.stat(folder)
    filesystem = next(line for line in lines if line.startswith("folder ")).split()[1]
    lines = [line for line in lines if not line.startswith(("folder ", "file "))]
    lines += ["folder %s %d" % (filesystem, place.st_ino), "file %d" % os.stat(path).st_ino]
    with open(path, "r+") as file:  # the same file, so that its number stays
        file.truncate()
        file.write("\n".join(lines) + "\n")
