# SPDX-License-Identifier: BSD-2-Clause
"""What spoorctl and the daemons say to whoever mistypes, or asks what is wrong."""

import contextlib
import os
import pty
import re
import shutil
import socket
import subprocess

import pytest

import proc
import spoor as spoor_of

PROGRAMS = ["ctl/spoorctl"] + sorted(spoor_of.DAEMONS.values())
AS_ADMIN = {"PGUSER": "postgres"}


def say(servers, *words):
    """Exit status, and the lines on stdout and stderr."""
    done = servers.spoor.ctl(*words, check=False, env=AS_ADMIN)
    return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode().splitlines()


@pytest.mark.parametrize("name", PROGRAMS)
def test_long_options_ask_for_help_and_version(name):
    program = spoor_of.program(name)
    for long, short in (("--help", "-h"), ("--version", "-V")):
        told = proc.run([program, long], check=False)
        assert (told.returncode, told.stderr) == (0, b""), name
        assert told.stdout == proc.run([program, short]).stdout


def test_a_word_that_is_no_command_is_named_and_nothing_hides_that(servers):
    assert say(servers, "keys", "list") == (64, [], ['spoorctl: there is no command "keys"; spoorctl -h lists them'])


@pytest.mark.parametrize("words", [["schema"], ["schema", "bogus"], ["keygen", "more"], ["content", "add"], ["spool"], ["sink"],
                                   ["postfix", "--bogus"], ["stamp"], ["decode"]], ids=" ".join)
def test_words_that_make_no_sense_get_one_line_of_usage(servers, words):
    status, out, err = say(servers, *words)
    assert (status, out, len(err)) == (64, [], 1)
    assert re.fullmatch(r"usage: spoorctl %s( .*\S)?" % words[0], err[0])


def test_a_wrong_option_is_said_by_the_command(servers):
    status, _, err = say(servers, "stamp", "--bogus", "mail.eml")
    assert status == 64 and err[0] == "spoorctl stamp: unrecognized option '--bogus'"


@pytest.mark.parametrize("word", ["x", "0", "32768", "9:1", "1:", "5 "])
def test_a_word_that_is_no_spool_is_named(servers, word):
    status, _, err = say(servers, "node", "retire", word)
    assert status == 64 and err[0].startswith('spoorctl: "%s" is no spool, which is a number from 1 to 32767' % word)


def test_a_sample_without_the_relay_says_what_is_missing(servers, tmp_path):
    alone = shutil.copy(spoor_of.program("ctl/spoorctl"), str(tmp_path))
    done = proc.run([alone, "-c", servers.spoor.conf, "sink", "test", "hook"], check=False, env=dict(os.environ, PATH=str(tmp_path)))
    assert (done.returncode, done.stderr.decode()) == (1, "spoorctl: cannot start spoor-relay: No such file or directory;"
                                                         " install it on this host, for it is what sends the sample\n")


def test_a_folder_is_no_content(servers, tmp_path):
    assert say(servers, "content", "add", str(tmp_path)) == (1, [], ["spoorctl content: %s: Is a directory" % tmp_path])


@pytest.mark.parametrize("verb", ["list", "verify", "dump", "load"])
def test_a_folder_without_a_spool_is_not_well(servers, verb, tmp_path):
    assert say(servers, "spool", verb, str(tmp_path)) == (1, [], ["spoorctl: %s: there is no spool in it" % tmp_path])


@pytest.mark.parametrize("name", ["stamp", "match", "pixeld"])
def test_a_connection_string_that_is_none_stops_the_start(servers, name, tmp_path):
    for database, why in (("dbname=spoor hosst=db.example.com", 'invalid connection option "hosst"'),
                          ("dbname=spoor host", 'missing "=" after "host" in connection info string')):
        conf = servers.spoor.write_conf(str(tmp_path / "spoor.conf"), database=database)
        for flag in ("-t", "-f"):
            done = proc.run([servers.spoor.command(name)[0], flag, "-c", conf], check=False, timeout=proc.PATIENCE_S)
            assert (done.returncode, done.stderr.decode()) == (78, "spoor-%s: %s: database: %s\n" % (name, conf, why))


@pytest.mark.parametrize("name", ["stamp", "match"])
def test_a_milter_says_why_it_cannot_listen(servers, name, tmp_path):
    file = tmp_path / "file"
    file.write_text("precious")
    for listen, why in (("unix:%s" % file, "there is a file of that name which is no socket"),
                        ("unix:%s/absent/s.sock" % tmp_path, "No such file or directory")):
        conf = servers.spoor.write_conf(str(tmp_path / "spoor.conf"), {name: {"listen": listen}}, spool_directory=str(tmp_path))
        done = proc.run([servers.spoor.command(name)[0], "-f", "-c", conf], check=False, timeout=60)
        assert (done.returncode, done.stderr.decode()) == (1, "spoor-%s: error: cannot listen on %s: %s\n" % (name, listen, why))
    assert file.read_text() == "precious"


def failed(servers, tmp_path, **settings):
    """What check finds when spoor.conf has these SETTINGS: the lines with FAIL, blanks as one."""
    conf = servers.spoor.write_conf(str(tmp_path / "spoor.conf"), **settings)
    told = servers.spoor.ctl("check", conf=conf, check=False).stdout.decode()
    return [" ".join(line.split()) for line in told.splitlines() if " FAIL " in line]


def test_check_advises_what_helps(servers, tmp_path):
    keys = tmp_path / "keys"
    lines = failed(servers, tmp_path, key_file=str(keys))
    assert lines[0] == "keys FAIL %s: cannot open the key file: No such file or directory - copy it from another host, or on the first one: spoorctl keygen" % keys
    keys.write_text("bogus\n")
    os.chmod(keys, 0o640)
    lines = failed(servers, tmp_path, key_file=str(keys))
    assert lines[0].startswith("keys FAIL %s" % keys) and lines[0].endswith(" - put your copy of it back")
    os.chmod(keys, 0o644)
    lines = failed(servers, tmp_path, key_file=str(keys))
    assert lines[0].endswith("use 0640 or less - chmod 0640 %s" % keys)


def test_check_speaks_of_memcached_as_administrators_do(servers, tmp_path):
    port = proc.free_port()
    lines = failed(servers, tmp_path, memcached="127.0.0.1:%d" % port)
    assert lines == ['memcached FAIL 127.0.0.1:%d: CONNECTION FAILURE - start it, or set memcached = "" to do without' % port]


def test_check_names_each_daemon(servers, tmp_path):
    lines = failed(servers, tmp_path, database="host=%s dbname=spoor" % tmp_path)
    assert [line.split()[:3] for line in lines] == [["database", "FAIL", name + ":"] for name in ("stamp", "match", "pixeld")]


def test_a_spool_that_is_a_file_is_no_folder(servers, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    assert any(line.startswith("spool FAIL %s: Not a directory - " % file) for line in failed(servers, tmp_path, spool_directory=str(file)))


def test_what_takes_long_is_told_on_a_terminal(servers, tmp_path):
    """Asked is somebody who takes connections and says nothing: a line is renewed, and gone when the error comes."""
    ours, theirs = pty.openpty()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        conf = servers.spoor.write_conf(str(tmp_path / "spoor.conf"), database="host=127.0.0.1 port=%d dbname=spoor" % mute.getsockname()[1])
        process = subprocess.Popen([spoor_of.program("ctl/spoorctl"), "-c", conf, "node", "list"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=theirs)
        os.close(theirs)
        told = b""
        with contextlib.suppress(OSError):  # at its end
            while True:
                told += os.read(ours, 4096)
    os.close(ours)
    assert process.wait() == 1
    assert re.search(rb"\r\x1b\[Knode, \d s\r", told) and re.search(rb"\r\x1b\[K(spoorctl: the database: .*\r\n)?\Z", told), told
    assert b"spoorctl: the database: " in told
