# SPDX-License-Identifier: BSD-2-Clause
"""
Requests a second of spoor-pixeld beside nginx's empty_gif, which logs the same fields through a buffer.

Whichever is measured has one core for all of its threads; wrk and PostgreSQL have the other. Both get the
same requests, whose tokens are valid. At the end each answer must be a row in the database.
"""

import os
import re
import resource

import mails
import postgres
import proc
import spoor
import stage
import traces
import web
from cores import OTHER_CORE, SERVER_CORE, cpu_seconds, pin

URLS = 64

NGINX_CONF = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/log/nginx.log warn;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    log_format hit '$msec $remote_addr $request_method $request_uri "$http_user_agent"';
    access_log {folder}/access.log hit buffer=64k flush=1s;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    keepalive_requests 1000000000;
    server {{
        listen 127.0.0.1:{port} {ssl} backlog=4096 reuseport;
        {certificate}
        location /o/ {{
            add_header Cache-Control "no-store, no-cache, must-revalidate, max-age=0";
            empty_gif;
        }}
    }}
}}
"""

# Each thread goes round through the same paths; the requests are written once.
WRK_SCRIPT = """\
local requests, at = {{}}, 0
function init()
    wrk.headers["User-Agent"] = "{agent}"
    wrk.headers["Accept"] = "image/avif,image/webp,*/*"
    for path in io.lines("{paths}") do requests[#requests + 1] = wrk.format("GET", path) end
end
function request()
    at = at % #requests + 1
    return requests[at]
end
"""


class PixelRate(stage.Stage):
    """SYNC is spool_sync. With TLS both show the same certificate, and choose by their own defaults how to encrypt."""

    def __init__(self, connections, seconds, sync=None, tls=False):
        self.connections = connections
        self.seconds = seconds
        super().__init__()
        self.postgres = postgres.Postgres(self.folder, self.log_folder, durable=True)
        settings = {} if sync is None else {"spool_sync": sync}
        self.certificate = self._make_certificate() if tls else None
        pixeld = {"threads": 1, "connections": 4096, "connections_per_address": 0}
        self.tls_port = proc.free_port()
        if tls:
            pixeld.update(listen_tls=["127.0.0.1:%d" % self.tls_port], tls_certificate=self.certificate[0],
                          tls_key=self.certificate[1])
        self.spoor = spoor.Spoor(self.folder, self.log_folder, self.postgres.conninfo, None, pixeld=pixeld, **settings)
        self.nginx_port = proc.free_port()
        self.script = os.path.join(self.folder, "wrk.lua")
        self.paths = os.path.join(self.folder, "paths")
        self.running = []
        self.session = None
        self.answered = 0  # by spoor-pixeld
        self.cpu = {"pixeld": [], "nginx": []}  # microseconds a request

    def _make_certificate(self):
        certificate, key = (os.path.join(self.folder, "tls" + suffix) for suffix in (".pem", ".key"))
        proc.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                  "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate])
        os.chmod(key, 0o644)
        return certificate, key

    def start(self):
        # All children inherit it: 1,024 connections do not fit into the usual soft limit.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536) if hard > 0 else 65536, hard))
        self.postgres.start()
        self.running.append(self.postgres)
        pin(self.postgres.server.pid, OTHER_CORE)
        self.postgres.create_database()
        self.spoor.make_keys()
        self.spoor.install_schema()
        self.session = postgres.Session(self.postgres)
        self._write_requests()
        pin(self.spoor.start("pixeld").pid, SERVER_CORE)
        self._start_nginx()
        return self

    def _write_requests(self):
        """Valid pixel paths, from dry runs: their messages are in no table, and hits need none."""
        file = os.path.join(self.folder, "mail")
        with open(self.paths, "w") as out:
            for _ in range(URLS):
                with open(file, "wb") as mail:
                    mail.write(mails.html_8bit("alice@example.com", ["bob@example.net"], mails.new_mark()))
                stamped = self.spoor.ctl("stamp", "--ours", "--from", "alice@example.com", "--rcpt", "bob@example.net",
                                         file).stdout
                url = traces.pixels(stamped.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), self.spoor.tracking_url)[0]
                out.write(url[len(self.spoor.tracking_url):] + "\n")
        with open(self.script, "w") as out:
            out.write(WRK_SCRIPT.format(agent=web.BROWSER, paths=self.paths))

    def _start_nginx(self):
        conf = os.path.join(self.folder, "nginx.conf")
        with open(conf, "w") as out:
            certificate = "ssl_certificate %s; ssl_certificate_key %s;" % self.certificate if self.certificate else ""
            out.write(NGINX_CONF.format(folder=self.folder, port=self.nginx_port, certificate=certificate,
                                        ssl="ssl" if certificate else ""))
        nginx = proc.Server("nginx", ["taskset", "-c", SERVER_CORE, "nginx", "-c", conf, "-p", self.folder],
                            os.path.join(self.log_folder, "nginx.out"))
        self.running.append(nginx)
        nginx.wait_ready(self.nginx_port)
        self.nginx = nginx

    def measure_pixeld(self):
        return self._measure("pixeld", self.tls_port if self.certificate else self.spoor.port, [self.spoor.servers["pixeld"].pid])

    def measure_nginx(self):
        return self._measure("nginx", self.nginx_port, [self.nginx.pid] + proc.children(self.nginx.pid))

    def _measure(self, name, port, pids):
        self._settle()
        before = sum(map(cpu_seconds, pids))
        answers, rate = self._load(name, port)
        if name == "pixeld":
            self._drain(answers)
        self.cpu[name].append((sum(map(cpu_seconds, pids)) - before) * 1e6 / answers)
        return rate

    def _load(self, name, port):
        """All that the server can answer; how many answers, and how many a second."""
        done = proc.run(["taskset", "-c", OTHER_CORE, "wrk", "-t1", "-c%d" % self.connections, "-d%ds" % self.seconds,
                         "-s", self.script, "%s://127.0.0.1:%d/" % ("https" if self.certificate else "http", port)]).stdout.decode()
        if re.search(r"Non-2xx|Socket errors", done):
            raise proc.Failure("wrk saw errors at %s:\n%s" % (name, done), os.path.join(self.log_folder, name + ".log"))
        return (int(re.search(r"(\d+) requests in", done).group(1)),
                float(re.search(r"Requests/sec:\s*([\d.]+)", done).group(1)))

    def peak(self):
        """Requests a second of spoor-pixeld, whatever becomes of the rows."""
        self._settle()
        return self._load("pixeld", self.spoor.port)[1]

    def paced(self, rate):
        """Half of the answers, 99 in 100 and all come within so many milliseconds, at RATE requests a second."""
        self._settle()
        program = os.path.join(spoor.build_folder(), "tests", "bench", "paced")
        proc.run(["make", "-s", "-C", spoor.build_folder(), "tests/bench/paced"])
        done = proc.run(["taskset", "-c", OTHER_CORE, program, str(self.spoor.port), self.paths, str(self.connections),
                         str(rate), str(self.seconds)]).stdout.decode()
        return tuple(map(float, done.split()[1:]))

    def _drain(self, answers):
        """What the loader still has to do counts as CPU of the requests that left it."""
        self.answered += answers
        print("%d of %d rows waited in the spool" % (max(0, self.answered - self.rows()), answers))
        self.wait_rows()

    def _settle(self):
        """What the arm before left to be written is not this arm's burden."""
        os.sync()

    def rows(self):
        return int(self.session.value("SELECT count(*) FROM spoor.event"))

    def wait_rows(self):
        proc.wait_for(lambda: self.rows() >= self.answered, "%d rows of events" % self.answered, 300,
                      os.path.join(self.log_folder, "pixeld.log"))

    def check_rows(self, measurements):
        """wrk leaves with a request under way on each connection: those may have become rows too."""
        self.wait_rows()
        status = self.spoor.stop("pixeld")
        extra = self.rows() - self.answered
        print("%d answers, %d rows; spoor-pixeld ended with %d" % (self.answered, self.answered + extra, status))
        if status != 0 or not 0 <= extra <= measurements * self.connections:
            raise SystemExit("answers and rows do not agree")

    def stop(self):
        if self.session:
            self.session.close()
        self.spoor.stop_all()
        for server in reversed(self.running):
            server.stop()
