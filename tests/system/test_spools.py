# SPDX-License-Identifier: BSD-2-Clause
"""What an administrator sees of the spools: spoorctl spool, node and check, beside running daemons and after them."""

import glob
import os
import re
import shlex

import pytest

import postgres as postgres_of
import proc
import servers as servers_of
import spoor as spoor_of
from test_pixeld import AGENT, click, new_pixeld, view  # noqa: F401 (a fixture)


def lines_of(done):
    """Each line of key=value as a dict."""
    return [dict(word.partition("=")[::2] for word in shlex.split(line)) for line in done.stdout.decode().splitlines()]


def test_dump_beside_a_running_daemon(new_pixeld):  # noqa: F811
    pixeld = new_pixeld()
    for _ in range(3):
        pixeld.ask(view(), "GET", "User-Agent: " + AGENT)
    pixeld.ask(click("https://example.com/"), "GET", "User-Agent: other \"quoted\"")
    records = proc.wait_for(lambda: (lambda seen: seen if len(seen) == 4 else None)(lines_of(pixeld.ctl("spool", "dump"))),
                            "four records")
    assert [record["of"] for record in records] == ["view"] * 3 + ["click"]
    assert records[0]["kind"] == "hit" and records[0]["agent"] == AGENT and records[0]["address"] == "127.0.0.1"
    assert records[3]["agent"] == 'other "quoted"'
    assert [int(record["position"]) for record in records] == sorted({int(record["position"]) for record in records})
    listed, = lines_of(pixeld.ctl("spool", "list"))
    assert (listed["state"], listed["records"], listed["loaded"]) == ("good", "4", "no")
    assert listed["segment"].startswith(pixeld.spool + "/pixeld/")
    assert lines_of(pixeld.ctl("spool", "verify", pixeld.spool + "/pixeld"))[0]["state"] == "good"
    assert pixeld.ask(view()).status == 200


def test_verify_names_the_first_bad_byte(new_pixeld):  # noqa: F811
    pixeld = new_pixeld()
    for _ in range(5):
        pixeld.ask(view(), "GET", "User-Agent: " + AGENT)
    assert pixeld.stop("pixeld") == 0
    records = lines_of(pixeld.ctl("spool", "dump"))
    path, = glob.glob(pixeld.spool + "/pixeld/*.segment")
    at = int(records[2]["position"]) - int(os.path.basename(path).split(".")[0], 16)
    with open(path, "r+b") as segment:
        segment.seek(at + 30)
        byte = segment.read(1)
        segment.seek(at + 30)
        segment.write(bytes([byte[0] ^ 1]))
    done = pixeld.ctl("spool", "verify", check=False)
    seen, = lines_of(done)
    assert (done.returncode, seen["state"], int(seen["byte"]), seen["records"]) == (1, "bad", at, "2")
    done = pixeld.ctl("spool", "dump", check=False)
    assert done.returncode == 1 and len(lines_of(done)) == 2 and b"cannot be read" in done.stderr


@pytest.mark.parametrize("words", [(), ("spool",), ("spool", "eat"), ("spool", "list", "a", "b"), ("spool", "load"), ("node",), ("node", "retire"),
                                   ("node", "retire", "x"), ("node", "list", "1")])
def test_words_that_make_no_sense(new_pixeld, words):  # noqa: F811
    assert new_pixeld().ctl(*words, check=False).returncode == 64


def test_folder_that_is_not_there(new_pixeld):  # noqa: F811
    done = new_pixeld().ctl("spool", "list", "/nowhere", check=False)
    assert done.returncode == 1 and b"/nowhere: No such file" in done.stderr


@pytest.fixture(scope="module")
def with_database():
    """PostgreSQL with the schema, and spoor-pixeld."""
    folder = servers_of.new_folder()
    database = postgres_of.Postgres(folder, folder)
    database.start()
    made = None
    try:
        database.create_database()
        made = spoor_of.Spoor(folder, folder, database.conninfo, "")
        made.make_keys()
        made.install_schema()
        made.postgres = database
        made.start("pixeld")
        yield made
    finally:
        if made:
            made.stop_all()
        database.stop()
        proc.run(["rm", "-r", folder])


def nodes(spoor):
    return lines_of(spoor.ctl("node", "list", env={"PGUSER": "spoor_admin"}))


def test_node_is_listed_retired_and_comes_back(with_database):
    spoor = with_database
    spoor.start("stamp")
    seen = proc.wait_for(lambda: nodes(spoor) if len(nodes(spoor)) == 2 and "node" in nodes(spoor)[1] else None, "two nodes")
    assert [node["program"] for node in seen] == ["spoor-pixeld", "spoor-stamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", seen[0]["last_seen"])
    assert "node" not in seen[0] and "retired" not in seen[0]
    stamp = seen[1]
    assert spoor.stop("stamp") == 0
    spoor.ctl("node", "retire", stamp["spool"], env={"PGUSER": "spoor_admin"})
    assert "retired" in nodes(spoor)[1] and "retired" not in nodes(spoor)[0]
    assert spoor.postgres.value("select count(*) from spoor.node where node = " + stamp["node"]) == "1"
    spoor.start("stamp")
    back = proc.wait_for(lambda: [node for node in nodes(spoor) if node["spool"] == stamp["spool"] and "retired" not in node],
                         "it counts again")
    assert back[0]["node"] == stamp["node"]
    done = spoor.ctl("node", "retire", "999", env={"PGUSER": "spoor_admin"}, check=False)
    assert done.returncode == 1 and b"there is no spool 999" in done.stderr
    assert spoor.ctl("node", "retire", "1", env={"PGUSER": "spoor_pixeld"}, check=False).returncode == 1


def test_check_tells_how_much_waits(with_database, new_pixeld):  # noqa: F811
    waiting = r"^pixeld +ok +(\d+) bytes wait for the database"
    done = with_database.ctl("check", env={"PGUSER": "spoor_pixeld"})
    assert re.search(waiting, done.stdout.decode(), re.M).group(1) == "0"
    pixeld = new_pixeld()
    pixeld.ask(view(), "GET", "User-Agent: " + AGENT)
    done = pixeld.ctl("check", check=False)
    assert int(re.search(waiting, done.stdout.decode(), re.M).group(1)) > len(AGENT)


def test_a_folder_is_loaded_without_its_daemon(with_database, new_pixeld, tmp_path):  # noqa: F811
    away = new_pixeld()
    agent = "replayed " + os.path.basename(str(tmp_path))
    for _ in range(3):
        away.ask(view(), "GET", "User-Agent: " + agent)
    busy = with_database.ctl("spool", "load", away.spool + "/pixeld", env={"PGUSER": "spoor_pixeld"}, check=False)
    assert busy.returncode == 1 and b"pixeld" in busy.stderr, "its daemon has it"
    assert away.stop("pixeld") == 0
    copy = str(tmp_path / "copy")
    proc.run(["cp", "-a", away.spool + "/pixeld", copy])
    count = "select count(*) from spoor.event e join spoor.agent a on a.id = e.agent where a.name = '%s'" % agent
    for _ in range(2):
        with_database.ctl("spool", "load", copy, env={"PGUSER": "spoor_pixeld"})
        assert with_database.postgres.value(count) == "3"
    none = with_database.ctl("spool", "load", str(tmp_path), env={"PGUSER": "spoor_pixeld"}, check=False)
    assert none.returncode == 1 and b"there is no spool in it" in none.stderr
    lost = away.ctl("spool", "load", copy, env={"PGHOST": "/nowhere"}, check=False)
    assert lost.returncode == 1 and b"cannot be reached" in lost.stderr
