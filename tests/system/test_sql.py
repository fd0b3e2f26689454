# SPDX-License-Identifier: BSD-2-Clause
"""What stands in tests/sql, by pgTAP, each file in a transaction that is taken back; and how the reports find their rows."""

import glob
import os
import re

import pytest

import spoor as spoor_of

FILES = sorted(glob.glob(os.path.join(spoor_of.SOURCE, "tests/sql/*.sql")))


@pytest.fixture(scope="module")
def database(module_own):
    servers = module_own()
    for name in list(servers.spoor.servers):
        servers.spoor.stop(name)
    servers.postgres.execute("CREATE SCHEMA tap; CREATE EXTENSION pgtap SCHEMA tap; GRANT USAGE ON SCHEMA tap TO PUBLIC;"
                             " ALTER DATABASE spoor SET search_path = public, tap")
    return servers.postgres


@pytest.mark.parametrize("path", FILES, ids=[os.path.basename(path) for path in FILES])
def test_tap(database, path):
    with open(path) as file:
        said = database._psql("BEGIN;\n%s\nROLLBACK;" % file.read(), "spoor", options=["-A", "-t"])
    lines = said.stdout.decode().splitlines()
    assert said.returncode == 0, said.stderr.decode() + "\n".join(lines[-5:])
    plan = re.match(r"1\.\.(\d+)$", lines[0])
    assert [line for line in lines if line.startswith(("not ok", "#"))] == []
    assert len([line for line in lines if line.startswith("ok ")]) == int(plan.group(1))
