# SPDX-License-Identifier: BSD-2-Clause
"""Which core is whose: what is measured has one, all else has the other."""

import os

import proc

SERVER_CORE, OTHER_CORE = "0", "1"


def pin(pid, core):
    """All threads of a process; those that it starts later inherit it."""
    proc.run(["taskset", "-a", "-p", "-c", core, str(pid)])


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return [int(child) for child in file.read().split()]


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as file:
        numbers = file.read().rsplit(")", 1)[1].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")
