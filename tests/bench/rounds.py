# SPDX-License-Identifier: BSD-2-Clause
"""Arms that run by turns, and what is printed of them."""

import argparse
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))


def options(description, rounds, **numbers):
    """The command line: --rounds and one option a keyword, each a number with its default."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds)
    for name, default in numbers.items():
        parser.add_argument("--" + name, type=int, default=default)
    return parser.parse_args()


def alternate(arms, rounds):
    """
    Runs each arm once to warm up, then by turns, the order reversed each round so that none is always first.
    ARMS maps a name to a function that gives a rate; returns all rates by name.
    """
    rates = {name: [] for name in arms}
    for measure in arms.values():
        measure()
    for number in range(rounds):
        order = list(arms) if number % 2 == 0 else list(reversed(arms))
        for name in order:
            rates[name].append(arms[name]())
        print("round %d: %s" % (number + 1, ", ".join("%s %.0f/s" % (name, rates[name][-1]) for name in arms)),
              flush=True)
    return rates


def report(rates, name, ours, peer):
    """Medians and ranges, then the ratio as the last line."""
    for arm, all_rates in rates.items():
        print("%-14s median %.0f/s (%.0f to %.0f)" % (arm, statistics.median(all_rates), min(all_rates),
                                                     max(all_rates)))
    for arm in rates:
        if arm not in (ours, peer):
            print("%s / %s %.2f" % (arm, peer, ratio(rates, arm, peer)))
    print("%s %.2f" % (name, ratio(rates, ours, peer)))


def ratio(rates, ours, peer):
    return statistics.median(rates[ours]) / statistics.median(rates[peer])
