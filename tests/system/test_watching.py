# SPDX-License-Identifier: BSD-2-Clause
"""What an administrator watches Spoor by: log lines that logcheck and lnav understand, and numbers for Prometheus."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

import exposition
import mails
import postgres
import proc
import spoor as spoor_of
import web
from webhook_receiver import new_secret

SENDER, TO = "alice@example.com", "bob@example.net"
LINE = re.compile(r"(spoor-\w+): (\w+): (.*)$")
CONTRIB = os.path.join(spoor_of.SOURCE, "contrib")
# Of node_exporter and of Prometheus itself.
FOREIGN = {"up", "node_textfile_mtime_seconds", "process_start_time_seconds"}


@pytest.fixture(scope="module")
def site(module_own):
    """Everything has happened here that a quiet day brings, and some of what it does not."""
    servers = module_own(pixeld={"admin_listen": ["127.0.0.1:%d" % proc.free_port()]}, memcached_timeout="10s",
                         database_timeout="20s")
    spoor = servers.spoor
    spoor.sections["delivery"] = {"log": [servers.sending.log], "poll": "50ms"}
    spoor.sections["relay"] = {"poll": "100ms", "metrics_file": os.path.join(servers.folder, "prom", "relay.prom")}
    secret, _ = new_secret(servers.folder, "secret")
    spoor.sections["sink hook"] = {"url": "https://127.0.0.1:%d/" % proc.free_port(), "allow_networks": ["127.0.0.0/8"],
                                   "secret_files": [secret]}
    spoor.write_conf()
    os.mkdir(os.path.join(servers.folder, "prom"))
    os.chmod(os.path.join(servers.folder, "prom"), 0o777)
    spoor.start("delivery")
    spoor.start("relay")
    live(servers)
    return servers


def live(servers):
    spoor, database = servers.spoor, servers.postgres
    mark = mails.new_mark()
    tracked = servers.submit(SENDER, [TO], mails.html_quoted_printable(SENDER, [TO], mark))
    message = spoor.mail_line(tracked)["message"]
    for content in (mails.pgp_signed(SENDER, [TO], mails.new_mark()), mails.plain(SENDER, [TO], mails.new_mark())):
        spoor.mail_line(servers.submit(SENDER, [TO], content))
    spoor.mail_line(servers.submit("stranger@example.org", [TO], mails.plain("stranger@example.org", [TO], mails.new_mark())))
    campaign = mails.html_8bit(SENDER, [TO], mails.new_mark(), more=["X-Spoor-Campaign: spring"])
    spoor.mail_line(servers.submit(SENDER, [TO], campaign))
    delivered = servers.mail.wait(TO, mark.encode())
    own = re.search(rb"^Message-ID: *(<[^>]*>)", delivered, re.M | re.I).group(1).decode()
    servers.answer(TO, [SENDER], mails.answer(TO, [SENDER], mails.new_mark(), own))
    servers.answer(TO, [SENDER], mails.plain(TO, [SENDER], mails.new_mark()))
    spoor.wait_log("match", "class=reply .*message=%s" % message)
    database.execute("SELECT spoor.stop_campaign('spring', %s)" % postgres.quote(TO))
    refused = mails.html_8bit(SENDER, [TO], mails.new_mark(), more=["X-Spoor-Campaign: spring"])
    with pytest.raises(Exception, match="55"):
        servers.submit(SENDER, [TO], refused)
    for name in ("stamp", "match", "pixeld"):
        spoor.servers[name].signal(signal.SIGHUP)
        spoor.wait_log(name, "keys loaded again")
    database.stop()
    spoor.mail_line(servers.submit(SENDER, [TO], mails.html_8bit(SENDER, [TO], mails.new_mark())))
    spoor.wait_log("stamp", "warning: cannot .* the database: ")
    database.start()
    spoor.wait_log("stamp", "the database is back; ")
    for name in ("delivery", "match"):
        spoor.restart(name)


def lines(site):
    """Level, program and line of all that the daemons have logged, as syslog writes it."""
    found = []
    for name in ("stamp", "match", "pixeld", "delivery", "relay"):
        for line in site.spoor.log_text(name).splitlines():
            program, level, text = LINE.match(line).groups()
            found.append((level, program, "Nov 30 15:29:%02d mx1 %s[%d]: %s" % (len(found) % 60, program, 100 + len(program), text)))
    return found


def test_logcheck_leaves_out_what_is_normal_and_shows_the_rest(site):
    logged = lines(site)
    with open(os.path.join(CONTRIB, "logcheck", "spoor")) as file:
        rules = [line for line in file if line.strip() and not line.startswith("#")]
    path = os.path.join(site.folder, "logcheck.rules")
    with open(path, "w") as out:
        out.writelines(rules)
    shown = subprocess.run(["grep", "-E", "-v", "-f", path], input="\n".join(line for _, _, line in logged).encode(),
                           stdout=subprocess.PIPE).stdout.decode().splitlines()
    assert shown == [line for level, _, line in logged if level in ("warning", "error")]
    assert len(shown) >= 2 and len(logged) - len(shown) >= 20


def test_lnav_knows_lines_and_mails(site):
    logged = lines(site)
    home = os.path.join(site.folder, "lnav")
    os.mkdir(home)
    log = os.path.join(home, "mail.log")
    with open(log, "w") as out:
        out.write("\n".join(line for _, _, line in logged) + "\n")
    environment = dict(os.environ, HOME=home, XDG_CONFIG_HOME=home, TERM="dumb")
    proc.run(["lnav", "-i", os.path.join(CONTRIB, "lnav", "spoor.json")], env=environment)
    assert proc.run(["lnav", "-C"], env=environment).stdout == b""  # its samples are what they say
    said = proc.run(["lnav", "-n", "-c", ";SELECT program, about, log_level FROM spoor_log", "-c", ":write-csv-to -", log],
                    env=environment).stdout.decode()
    rows = list(csv.DictReader(io.StringIO(said)))
    assert [row["program"] for row in rows] == [program for _, program, _ in logged]
    for row, (_, _, line) in zip(rows, logged):
        about = re.match(r"\S+ \d+ \S+ \S+ \S+ (?:([0-9A-F]{8,}|[0-9A-Za-z]{12,}): )?", line).group(1)
        assert row["about"] == (about or "<NULL>"), line
    assert {row["about"] for row in rows if row["program"] == "spoor-stamp"} > {"<NULL>"}


def numbers(site, role="spoor_monitor"):
    return exposition.parse(site.spoor.ctl("metrics", env={"PGUSER": role}).stdout.decode())


def named(text):
    """Metrics in PromQL: words that are followed by no bracket of a function, outside of texts and braces."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    return set(re.findall(r"\b(?:spoor|node|process)_\w+|\bup\b", bare))


def test_every_number_that_is_watched_exists(site):
    site.postgres.execute("""insert into spoor.sink_rule (sink) values ('watched');
        insert into spoor.document (sha256, file_type, bytes, state, reason) values (sha256('x'), 'pdf', 1, 'failed', 'crashed')""")
    relay = site.spoor.sections["relay"]["metrics_file"]
    proc.wait_for(lambda: os.path.exists(relay), "spoor-relay writes its numbers")
    with open(relay) as file:
        there = set(exposition.parse(file.read()).types)
    there |= set(numbers(site).types)
    admin = site.spoor.sections["pixeld"]["admin_listen"][0]
    there |= set(exposition.parse(web.get("http://%s/metrics" % admin).body.decode()).types)
    there |= set(re.findall(r"'(spoor_\w+)'", site.postgres.value("SELECT pg_get_viewdef('spoor.health')")))  # of several servers, too
    with open(os.path.join(CONTRIB, "grafana", "spoor.json")) as file:
        dashboard = json.load(file)
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(expressions) > 20 and all(panel["gridPos"]["w"] <= 24 for panel in dashboard["panels"])
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    with open(os.path.join(CONTRIB, "prometheus", "alerts.yml")) as file:
        alerts = re.findall(r"^ +expr: (.*)$", file.read(), re.M)
    assert len(alerts) > 10
    watched = set().union(*(named(expression) for expression in expressions + alerts))
    assert watched - there - FOREIGN == set()
    assert len(watched) > 20


def test_numbers_of_the_health_of_all(site):
    site.postgres.execute("insert into spoor.rejected (spool, record, kind, version, reason, payload) values (1, 1, 2, 1, 'odd', 'x')")
    site.postgres.execute("""insert into spoor.document (sha256, file_type, bytes, created_at, not_before)
        values (sha256('y'), 'pdf', 1, now() - interval '1 hour', now() - interval '1 hour')""")
    odd = os.path.join(site.spoor.spool, 'odd"} 1')
    os.mkdir(odd)
    with open(os.path.join(odd, "identity"), "w"):
        pass
    told = numbers(site)
    shutil.rmtree(odd)
    assert told.value("spoor_spool_waiting_bytes", spool="odd_} 1") == 0
    assert told.value("spoor_database_answers") == 1
    assert told.value("spoor_rejected_records") == 1
    assert told.value("spoor_documents", state="pending") == 1
    assert 3600 <= told.value("spoor_render_lag_seconds") < 4000
    assert {dict(labels)["spool"] for name, labels in told.samples if name == "spoor_spool_lag_seconds"} >= {
        "stamp", "match", "pixeld", "delivery"}
    rows = site.postgres.rows("TABLE spoor.health", role="spoor_monitor")
    assert {row["name"] for row in rows} == {name for name in told.types if name not in (
        "spoor_database_answers", "spoor_spool_lag_seconds", "spoor_spool_waiting_bytes", "spoor_spool_unnamed_bytes")}


def test_spools_are_seen_by_who_may_read_all_and_missed_by_who_may_not(site):
    """The unit of contrib/systemd has a user who owns none of them, and one capability."""
    command = [spoor_of.program("ctl/spoorctl"), "-c", site.spoor.conf, "metrics"]
    as_other = ["setpriv", "--reuid", "daemon", "--regid", "daemon", "--clear-groups"]
    capability = ["--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search", "--bounding-set", "-all,+dac_read_search"]
    environment = dict(os.environ, PGUSER="spoor_monitor")
    told = exposition.parse(proc.run(as_other + capability + command, env=environment, cwd="/").stdout.decode())
    assert {dict(labels)["spool"] for name, labels in told.samples if name == "spoor_spool_waiting_bytes"} >= {
        "stamp", "match", "pixeld", "delivery"}
    done = proc.run(as_other + command, env=environment, cwd="/", check=False)
    assert done.returncode == 1 and b"/stamp" in done.stderr and b"Permission denied" in done.stderr


def test_numbers_while_the_database_is_away(site):
    path = os.path.join(site.folder, "prom", "spoor.prom")
    site.postgres.stop()
    try:
        site.spoor.mail_line(site.submit(SENDER, [TO], mails.html_8bit(SENDER, [TO], mails.new_mark())))

        def waits():
            done = site.spoor.ctl("metrics", path, env={"PGUSER": "spoor_monitor"})
            assert b"cannot ask the database" in done.stderr
            with open(path) as file:
                return exposition.parse(file.read()).value("spoor_spool_lag_seconds", spool="stamp") >= 1
        proc.wait_for(waits, "the lag of the spool grows")
    finally:
        site.postgres.start()
    with open(path) as file:
        told = exposition.parse(file.read())
    assert told.value("spoor_database_answers") == 0
    assert told.value("spoor_spool_waiting_bytes", spool="stamp") > 100
    assert os.stat(path).st_mode & 0o777 == 0o644
    assert site.spoor.ctl("metrics", "/nowhere/spoor.prom", check=False).returncode == 1
