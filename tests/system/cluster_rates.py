# SPDX-License-Identifier: BSD-2-Clause
"""
What one, two and three spoor-pixeld answer behind HAProxy, and what one and two submission hosts take. All hosts share the
cores of one machine, so it is the CPU that a request or a mail costs, and where, that says what more machines would do.
"""

import os
import re
import statistics
import subprocess
import time

import cluster_load
import cluster_site
import mails
import proc
import spoor
import tokens

ROUNDS, SECONDS, CONNECTIONS, MAILS, SESSIONS = 3, 4, 32, 600, 10
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(nodes):
    """Of all that runs on NODES, and has run there."""
    total = 0
    for node in nodes:
        for pid in node.host.processes():
            try:
                with open("/proc/%d/stat" % pid) as file:
                    total += sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
            except OSError:
                pass  # it has ended, and counts for whoever waited for it
    return total / TICKS


class Meter:
    """CPU of each kind of host, from here on."""

    def __init__(self, site):
        self.site = site
        self.before = self.now()

    def now(self):
        return {kind: cpu_seconds(self.site.of_kind(kind)) for kind in cluster_site.CLASSES}

    def microseconds(self, count):
        return {kind: (used - self.before[kind]) * 1e6 / count for kind, used in self.now().items()}


def pixel_rate(site, script):
    done = proc.run(["wrk", "-t1", "-c%d" % CONNECTIONS, "-d%ds" % SECONDS, "-s", script,
                     "https://%s/" % cluster_site.ADDRESSES["haproxy"]]).stdout.decode()
    if re.search(r"Non-2xx|Socket errors", done):
        raise proc.Failure("wrk saw errors:\n" + done)
    return (int(re.search(r"(\d+) requests in", done).group(1)),
            float(re.search(r"Requests/sec:\s*([\d.]+)", done).group(1)))


def write_script(site):
    key, secret = tokens.first_key(site.key_file)
    paths = ["/o/%s.gif" % tokens.sign(secret, tokens.VIEW, tokens.message_id(3600), key=key) for _ in range(64)]
    path = os.path.join(site.folder, "requests.lua")
    with open(path, "w") as out:
        out.write('wrk.headers["User-Agent"] = "%s"\nlocal paths, at = {"%s"}, 0\n'
                  % (cluster_load.AGENT, '", "'.join(paths)))
        out.write("function request() at = at % #paths + 1 return wrk.format('GET', paths[at]) end\n")
    return path


def report_pixels(site):
    script, found = write_script(site), {}
    pixelds = site.of_kind("pixeld")
    for _ in range(ROUNDS):
        for running in (1, 2, 3):
            for node in pixelds[running:]:
                node.stop()
            wait_known(site, running)
            meter, events = Meter(site), event_count(site)
            requests, rate = pixel_rate(site, script)
            # wrk does not count what it had under way at its end.
            proc.wait_for(lambda: event_count(site) >= events + requests, "all requests are rows", 60)
            found.setdefault(running, []).append((rate, meter.microseconds(requests)))
            for node in pixelds[running:]:
                node.start()
    for running, measured in found.items():
        print("%d spoor-pixeld: %.0f requests/s; CPU a request, µs: %s"
              % (running, statistics.median(rate for rate, _ in measured), words(measured)), flush=True)


def wait_known(site, running):
    """Until HAProxy sends requests to all that run, which its checks tell it."""
    browser = cluster_load.Traffic(site, iter(range(1, 1 << 20)), 0)
    before = {node: cpu_seconds([node]) for node in site.of_kind("pixeld")[:running]}

    def asked():
        with browser.connect(cluster_site.CLIENTS[0]) as client:
            for _ in range(300):
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: t.example.com\r\n\r\n")
                client.recv(65536)
        return all(cpu_seconds([node]) > used for node, used in before.items())
    proc.wait_for(asked, "HAProxy asks each spoor-pixeld", 30)


def event_count(site):
    return sum(int(database.value("SELECT count(*) FROM spoor.event")) for database in site.databases)


def report_mails(site):
    file, found = os.path.join(site.folder, "mail"), {}
    with open(file, "wb") as out:
        mail = mails.html_8bit("alice@example.com", ["bob@example.net"], "rate")
        out.write(mail.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n")
    site.world.stop()
    sink = proc.Server("smtp-sink", ["smtp-sink", "-u", "postfix", cluster_site.WORLD_MX + ":25", "500"],
                       site.log_folder + "/sink.log")
    sink.wait_ready((cluster_site.WORLD_MX, 25))
    hosts = site.of_kind("submission")
    for _ in range(ROUNDS):
        for running in (1, 2):
            meter, rows, began = Meter(site), mail_count(site), time.monotonic()
            argv = ["smtp-source", "-s", str(SESSIONS), "-m", str(MAILS // running), "-f", "alice@example.com",
                    "-t", "bob@example.net", "-F", file]
            sources = [subprocess.Popen(argv + ["%s:587" % node.host.address]) for node in hosts[:running]]
            if any(source.wait(300) for source in sources):
                raise proc.Failure("smtp-source failed", hosts[0].postfix.log)
            proc.wait_for(lambda: mail_count(site) == rows + MAILS, "all mails are rows", 120)
            rate = MAILS / (time.monotonic() - began)
            for node in hosts:
                node.settle_down()
            found.setdefault(running, []).append((rate, meter.microseconds(MAILS)))
    sink.stop()
    for running, measured in found.items():
        print("%d submission hosts: %.0f mails/s until all are rows; CPU a mail, µs: %s"
              % (running, statistics.median(rate for rate, _ in measured), words(measured)))


def mail_count(site):
    return sum(int(database.value("SELECT count(*) FROM spoor.message")) for database in site.databases)


def words(measured):
    medians = {kind: statistics.median(used[kind] for _, used in measured) for kind in measured[0][1]}
    return ", ".join("%s %.0f" % (kind, used) for kind, used in medians.items() if used >= 1)


def report(site):
    print("%d cores, all hosts on them; build folder %s" % (os.cpu_count(), spoor.build_folder()), flush=True)
    report_mails(site)
    report_pixels(site)
