# SPDX-License-Identifier: BSD-2-Clause
"""
A strict reader of Prometheus's text format 0.0.4: what Prometheus would forgive, this does not.

Each family has one HELP, then one TYPE, then its samples, all together; no sample stands twice; counters end in _total
and do not go below zero; the text ends with a line feed.
"""

import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|NaN|[+-]Inf)" % (NAME, LABEL, LABEL))


class Exposition:
    def __init__(self):
        self.types, self.helps, self.samples = {}, {}, {}

    def value(self, name, **labels):
        return self.samples[name, frozenset(labels.items())]

    def total(self, name, **labels):
        """All samples that have at least these labels."""
        return sum(value for (other, has), value in self.samples.items()
                   if other == name and has >= frozenset(labels.items()))


def parse(text):
    out, family, closed = Exposition(), None, set()
    assert text.endswith("\n"), "the last line does not end"
    for line in text[:-1].split("\n"):
        if help_line := re.fullmatch(r"# HELP (%s) (\S.*)" % NAME, line):
            if family:
                closed.add(family)
            family = help_line.group(1)
            assert family not in closed and family not in out.helps, "a second HELP: " + line
            out.helps[family] = help_line.group(2)
        elif type_line := re.fullmatch(r"# TYPE (%s) (counter|gauge)" % NAME, line):
            assert type_line.group(1) == family and family not in out.types, "TYPE without its HELP: " + line
            out.types[family] = type_line.group(2)
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, "no sample: %r" % line
            assert sample.group(1) == family and family in out.types, "a sample outside its family: " + line
            pairs = re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"', sample.group(2) or "")
            assert len({name for name, _ in pairs}) == len(pairs), "a label twice: " + line
            key = family, frozenset(pairs)
            assert key not in out.samples, "a sample twice: " + line
            out.samples[key] = float(sample.group(3))
            if out.types[family] == "counter":
                assert family.endswith("_total") and out.samples[key] >= 0 and math.isfinite(out.samples[key]), line
    return out
