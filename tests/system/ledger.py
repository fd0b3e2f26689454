# SPDX-License-Identifier: BSD-2-Clause
"""What the database has of the requests of a load, and whether that is what the clients were told."""

import collections

import load as load_of


class Broken(Exception):
    """A promise was not kept."""


def rows(database, requests):
    """How often each number is in the database. An answer is a row of its own and an event; both must be one."""
    span = "BETWEEN %d AND %d" % (min(requests), max(requests))
    found = collections.Counter()
    for row in database.rows("SELECT message, count(*) FROM spoor.event WHERE message %s GROUP BY message" % span):
        found[int(row["message"])] += int(row["count"])
    answers = {int(row["message"]): int(row["count"]) for row in database.rows(
        "SELECT message, count(*) FROM spoor.answer WHERE message %s GROUP BY message" % span)}
    for number, request in requests.items():
        if request.kind == load_of.ANSWERS and answers.get(number, 0) != found[number]:
            raise Broken("answer %d is %d rows and %d events" % (number, answers.get(number, 0), found[number]))
    for row in database.rows("SELECT substring(subject FROM 'number-([0-9]+)')::bigint AS number, count(*)"
                             " FROM spoor.message WHERE substring(subject FROM 'number-([0-9]+)')::bigint %s"
                             " GROUP BY 1" % span):
        found[int(row["number"])] += int(row["count"])
    return found


def names(requests, numbers):
    counts = collections.Counter(requests[number].kind for number in numbers if number in requests)
    return "%d %s %s" % (len(numbers), dict(counts), sorted(numbers)[:5])


def assert_exactly_once(database, requests):
    """What was acknowledged is there once, what was not at most once, and nothing was set aside."""
    found = rows(database, requests)
    lacking = [number for number, request in requests.items() if request.acknowledged_at and not found[number]]
    double = [number for number, count in found.items() if count > 1]
    rejected = database.rows("SELECT kind, reason FROM spoor.rejected")
    if lacking or double or rejected:
        raise Broken("acknowledged and not there %s; there more than once %s; set aside %s"
                     % (names(requests, lacking), names(requests, double), rejected))
    return sum(found.values())
