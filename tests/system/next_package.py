# SPDX-License-Identifier: BSD-2-Clause
"""The packages of a release after this one: the same source with a migration more, another spoor.conf and a higher version."""

import glob
import os
import re
import subprocess

import proc

MIGRATION = """-- compatible from {today}
alter table spoor.message add column next_release text;
comment on column spoor.message.next_release is 'Of the next release.';
"""
CHANGELOG = """spoor ({version}) unstable; urgency=medium

  * The next release.

 -- Spoor maintainers <maintainers@spoor.example>  Tue, 01 Dec 2026 12:00:00 +0000

"""


def change(path, pattern, replacement):
    with open(path, encoding="utf-8") as file:
        text, times = re.subn(pattern, replacement, file.read(), count=1, flags=re.M)
    assert times == 1, "%s has no %s" % (path, pattern)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def build(folder, work):
    """Of the source package in FOLDER; gives the paths of the packages, their version, and the number of their schema."""
    source, = glob.glob(os.path.join(folder, "spoor_*.dsc"))
    tree = os.path.join(work, "next")
    proc.run(["dpkg-source", "--no-check", "-x", source, tree])
    with open(tree + "/debian/changelog", encoding="utf-8") as file:
        before = file.read()
    upstream, revision = re.match(r"spoor \((.*)-(\d+)\)", before).groups()
    version = "%s-%d" % (upstream, int(revision) + 1)
    with open(tree + "/debian/changelog", "w", encoding="utf-8") as out:
        out.write(CHANGELOG.format(version=version) + before)
    with open(tree + "/contrib/debian/spoor.conf", "a", encoding="utf-8") as out:
        out.write("# The next release says more here.\n")
    last = sorted(glob.glob(tree + "/sql/[0-9]*.sql"))[-1]
    today = int(os.path.basename(last)[:3])
    name = "sql/%03d-next-release.sql" % (today + 1)
    with open(os.path.join(tree, name), "w") as out:
        out.write(MIGRATION.format(today=today))
    change(tree + "/sql/local.mk", r"(dist_migrations_DATA \+= %s\n)" % re.escape("sql/" + os.path.basename(last)), r"\1dist_migrations_DATA += %s\n" % name)
    change(tree + "/common/store.h", r"STORE_SCHEMA = %d " % today, "STORE_SCHEMA = %d " % (today + 1))
    with open(os.path.join(work, "build.log"), "wb") as log:
        done = subprocess.run(["dpkg-buildpackage", "-b", "-us", "-uc"], cwd=tree, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              env=dict(os.environ, DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=2"))
    if done.returncode != 0:
        raise proc.Failure("the next packages cannot be built", log.name)
    return glob.glob(os.path.join(work, "*.deb")), version, today + 1
