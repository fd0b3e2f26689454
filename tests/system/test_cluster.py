# SPDX-License-Identifier: BSD-2-Clause
"""
A few rounds of the cluster: each kind of host once, in another way each. `tests/system/cluster` plays all of them, and `--help`
tells what is promised.
"""

import os
import subprocess
import sys

import pytest

import spoor

HARNESS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cluster")
ROUNDS = ("mx:kill", "pixeld:stop", "memcached:cut", "submission:replace", "postgres:slow")


def test_any_one_host_may_fail():
    if subprocess.run(["unshare", "--net", "--uts", "--mount", "--pid", "--fork", "--mount-proc", "true"]).returncode != 0:
        pytest.skip("there are no namespaces here")
    argv = [sys.executable, "-B", HARNESS, "--seed", "20"] + [word for each in ROUNDS for word in ("--only", each)]
    done = subprocess.run(argv, env=dict(os.environ, SPOOR_BUILD=spoor.build_folder()), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=1000)
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")
