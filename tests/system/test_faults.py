# SPDX-License-Identifier: BSD-2-Clause
"""
Twenty rounds of the fault harness: each kind of fault at least once. `tests/system/faults --rounds 200` runs more, and
`--help` tells what is promised after each kind.
"""

import os
import subprocess
import sys

import spoor

HARNESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "faults")
ROUNDS, SEED = 20, 20


def test_what_was_acknowledged_is_there_exactly_once():
    done = subprocess.run([sys.executable, "-B", HARNESS, "--rounds", str(ROUNDS), "--seed", str(SEED)],
                          env=dict(os.environ, SPOOR_BUILD=spoor.build_folder()), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=1000)
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")
