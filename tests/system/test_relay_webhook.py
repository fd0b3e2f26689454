# SPDX-License-Identifier: BSD-2-Clause
"""Webhooks: signed, as described, to public addresses alone, in time; and no secret of any sink is shown."""

import base64
import json
import os
import threading
import time

import pytest

import proc
import spoor as spoor_of
from https_server import Answer, BreakOff, make_certificate
from relay_place import Faults, schema_validator
from salesforce import EXTERNAL_ID
from webhook_receiver import new_secret, verifies

pytest_plugins = ["relay_fixtures"]


def test_a_webhook_is_signed_and_as_described(place, hook, relay):
    old, new = new_secret(place.folder, "secret-1"), new_secret(place.folder, "secret-2")
    other = new_secret(place.folder, "secret-3")
    place.rule("hook", "{reply,sent}")
    place.load(2, 2)
    relay(hook=hook.settings([old[0], new[0]]))
    place.wait_drained()
    events = hook.events()
    assert len(events) == 6 and len({event["data"]["id"] for event in events}) == 6
    for request in hook.requests:
        assert verifies(old[1], request) and verifies(new[1], request) and not verifies(other[1], request)
        assert request.headers["Content-Type"] == "application/json"
        schema_validator().validate(json.loads(request.body))
    order = {}
    for event in events:
        order.setdefault(event["data"]["message"]["id"], []).append(event["data"].get("answer", {}).get("text"))
    assert list(order.values()) == [[None, "words 1", "words 2"]] * 2


def openssl_hmac(key, content):
    done = proc.run(["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:" + key.hex(), "-binary"], input=content)
    return base64.b64encode(done.stdout).decode()


def verified_by_library(folder, secret, request, body):
    """The convention's own library for Node.js, installed by npm in FOLDER."""
    script = ("const { Webhook } = require('standardwebhooks'); const told = JSON.parse(require('fs').readFileSync(0));"
              "try { new Webhook(told.secret).verify(told.body, told.headers); } catch (e) { console.log(e.message); process.exit(3); }")
    told = {"secret": secret, "body": body.decode(), "headers": dict(request.headers)}
    return proc.run(["node", "-e", script], cwd=folder, input=json.dumps(told).encode(), check=False).returncode


def test_webhooks_verify_by_other_implementations(place, hook, relay):
    """By OpenSSL's program; and with SPOOR_STANDARDWEBHOOKS, where npm has put the package of that name, by the convention's library."""
    secrets = [new_secret(place.folder, "secret-%d" % n) for n in (1, 2)]
    place.rule("hook")
    place.load(2, 1, subject="\u00c4nderung \U0001F600")
    relay(hook=hook.settings([path for path, _ in secrets], batch=2))
    place.wait_drained()
    request = hook.requests[0]
    content = ("%s.%s." % (request.headers["webhook-id"], request.headers["webhook-timestamp"])).encode() + request.body
    wanted = ["v1," + openssl_hmac(base64.b64decode(secret[len("whsec_"):]), content) for _, secret in secrets]
    assert request.headers["webhook-signature"] == " ".join(wanted)
    folder = os.environ.get("SPOOR_STANDARDWEBHOOKS")
    if folder:
        for _, secret in secrets:
            assert verified_by_library(folder, secret, request, request.body) == 0
            assert verified_by_library(folder, secret, request, request.body + b" ") == 3
        assert verified_by_library(folder, new_secret(place.folder, "secret-3")[1], request, request.body) == 3


def test_the_example_receiver(place, relay):
    """contrib/webhook/receive prints each event once, also when it is sent again, and refuses what another secret has signed."""
    mine, other = new_secret(place.folder, "secret-1"), new_secret(place.folder, "secret-2")
    key, certificate = make_certificate(place.folder)
    log = os.path.join(place.log_folder, "receive.log")
    port = proc.free_port()
    receiver = proc.Server("receive", [os.path.join(spoor_of.SOURCE, "contrib", "webhook", "receive"), "--secret-file", mine[0],
                                       "--certificate", certificate, "--key", key, "--listen", "127.0.0.1:%d" % port], log)
    settings = {"url": "https://localhost:%d/" % port, "allow_networks": ["127.0.0.0/8", "::1"], "ca_file": certificate,
                "retry_first": "20ms", "retry_most": "200ms"}
    try:
        proc.wait_for(lambda: b"listening" in open(log, "rb").read(), "the receiver listens", log=log)
        place.rule("hook")
        place.rule("wrong")
        place.load(2, 1)
        relay(hook=dict(settings, secret_files=[mine[0]], batch=2), wrong=dict(settings, secret_files=[other[0]], attempts=2))
        place.wait_drained()
        place.postgres.execute("update spoor.outbox set state = 'dead' where sink = 'hook'; select spoor.retry_outbox('hook')")
        place.wait_drained()
        assert {(row["sink"], row["state"]) for row in place.postgres.rows("select sink, state from spoor.outbox")} \
            == {("hook", "sent"), ("wrong", "dead")}
        lines = open(log).read().splitlines()
        assert sorted(line.split(" | ")[1:] for line in lines if " | " in line) \
            == [["reply", "person-%d@there.test" % n, "Offer %d" % n] for n in (1, 2)]
        assert lines.count("refused: no signature fits") == 4
    finally:
        receiver.kill()


def test_batches_and_what_is_answered(place, hook, relay):
    """A batch that will never do goes one by one; 503 with Retry-After makes a pause; a redirect is not followed."""
    secret = new_secret(place.folder, "secret-1")
    statuses = [Answer(503, headers={"Retry-After": "1"}), Answer(302, headers={"Location": "/elsewhere"})]

    def choose(request):
        if statuses:
            return statuses.pop(0)
        body = json.loads(request.body)
        poison = any(event["data"]["message"]["subject"] == "Offer 2" for event in body["data"].get("events", [body]))
        return 422 if poison else 200

    hook.choose = choose
    place.rule("hook")
    place.load(4, 1)
    relay(hook=hook.settings([secret[0]], batch=10))
    place.wait_drained()
    assert place.states() == {"dead": 1, "sent": 3}
    assert {request.path for request in hook.requests} == {"/hook"}
    batches = [request for request in hook.requests if json.loads(request.body)["type"] == "spoor.batch"]
    assert batches[0].headers["webhook-id"] == batches[1].headers["webhook-id"], "the same batch has the same id"
    for request in hook.requests:
        schema_validator().validate(json.loads(request.body))


def test_a_slow_sink_blocks_no_other(place, hook, crm, relay):
    secret = new_secret(place.folder, "secret-1")
    release = threading.Event()

    def wait(request):
        release.wait(proc.PATIENCE_S)
        return 200

    hook.choose = wait
    place.rule("hook")
    place.rule("crm")
    place.load(1, 2)
    relay(hook=hook.settings([secret[0]], timeout="2min"), crm=crm.settings())
    proc.wait_for(lambda: len(crm.tasks) == 2, "Salesforce has both")
    assert place.postgres.value("select count(*) from spoor.outbox where sink = 'hook' and state = 'waiting'") == "2"
    release.set()
    place.wait_drained()


@pytest.mark.parametrize("what", ["private", "certificate", "plain"])
def test_where_a_request_may_not_go(place, hook, relay, what):
    """Neither to a private address nor to a stranger's certificate; plain HTTP is no value of url at all."""
    secret = new_secret(place.folder, "secret-1")
    settings = hook.settings([secret[0]])
    if what == "plain":
        settings["url"] = settings["url"].replace("https:", "http:")
        conf = place.spoor.write_conf(os.path.join(place.folder, "plain.conf"))
        with open(conf, "a") as file:
            file.write("sink plain { url = \"%s\" }\n" % settings["url"])
        done = proc.run([spoor_of.program("relay/spoor-relay"), "-t", "-c", conf], check=False)
        assert done.returncode == 78 and b"is no value for url" in done.stderr
        return
    if what == "private":
        settings["allow_networks"] = []
    else:
        del settings["ca_file"]
    place.rule("hook")
    place.load(1, 1)
    relay(hook=settings)
    words = {"private": "is loopback, and not in allow_networks", "certificate": "certificate"}[what]
    trouble = place.postgres.wait_value("select trouble from spoor.sink where name = 'hook'")
    assert words in trouble and not hook.requests
    assert place.states() == {"waiting": 1}


def test_no_proxy_from_the_environment(place, hook, relay, monkeypatch):
    secret = new_secret(place.folder, "secret-1")
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    place.rule("hook")
    place.load(1, 1)
    relay(hook=hook.settings([secret[0]]))
    place.wait_drained()
    assert len(hook.requests) == 1


def test_no_secret_is_shown(place, hook, crm, relay):
    """Neither in the log, nor by -T, nor in the list of processes, nor in the database: also when all goes wrong."""
    secret = new_secret(place.folder, "secret-1")
    with open(crm.key_file, encoding="ascii") as file:
        key = [line for line in file.read().splitlines() if "-----" not in line]
    hook.choose = lambda request: 500
    crm.fault = Faults(60, ["500", "expired", "break_after", "limit"])
    place.rule("hook")
    place.rule("crm")
    place.load(3, 1)
    place.spoor.settings["log_level"] = "debug"
    server = relay(hook=hook.settings([secret[0]], attempts=4), crm=crm.settings())
    place.spoor.settings.pop("log_level")
    proc.wait_for(lambda: place.states() == {"dead": 3, "sent": 3}, "all has ended")
    shown = place.log() + proc.run([spoor_of.program("relay/spoor-relay"), "-T", "-c", place.spoor.conf]).stdout.decode()
    for name in ("cmdline", "environ"):
        with open("/proc/%d/%s" % (server.pid, name), "rb") as file:
            shown += file.read().decode("utf-8", "replace")
    shown += proc.run(["ps", "axww"]).stdout.decode()
    shown += "".join(str(row) for row in place.postgres.rows("select result from spoor.outbox union all select trouble from spoor.sink"))
    words = [secret[1], secret[1][len("whsec_"):], "00D!token", "assertion=", "Bearer "] + key
    assert [word for word in words if word in shown] == []


def test_a_sample(place, hook, crm):
    """spoorctl sink test says what the other side answers, and for Salesforce whether the field is there."""
    secret = new_secret(place.folder, "secret-1")
    place.spoor.sections["sink hook"] = hook.settings([secret[0]])
    place.spoor.sections["sink crm"] = crm.settings()
    place.spoor.write_conf()
    hook.choose = lambda request: Answer(202, b"thank you")
    done = place.spoor.ctl("sink", "test", "hook")
    assert b"sink hook (webhook): taken\n" in done.stdout and b"answer: HTTP 202 thank you\n" in done.stdout
    schema_validator().validate(json.loads(hook.requests[0].body))
    assert verifies(secret[1], hook.requests[0])
    done = place.spoor.ctl("sink", "test", "crm")
    assert b"sink crm (salesforce): taken\n" in done.stdout and b'"created": true' in done.stdout
    assert place.spoor.ctl("sink", "test", "crm").returncode == 0 and len(crm.tasks) == 1
    crm.has_external_id = False
    done = place.spoor.ctl("sink", "test", "crm", check=False)
    assert done.returncode == 1 and EXTERNAL_ID.encode() in done.stdout
    done = place.spoor.ctl("sink", "test", "nobody", check=False)
    assert done.returncode == 78 and b"has no sink nobody" in done.stderr


def test_break_off_is_no_answer(place, hook, relay):
    """Whoever hangs up before the answer gets the same event with the same id again."""
    secret = new_secret(place.folder, "secret-1")
    broken = iter([True, True, False])

    def hang_up(request):
        if next(broken):
            raise BreakOff(b"HTTP/1.1 200 OK\r\nContent-")
        return 200

    hook.choose = hang_up
    place.rule("hook")
    place.load(1, 1)
    relay(hook=hook.settings([secret[0]]))
    place.wait_drained()
    assert len(hook.requests) == 3 and len({request.headers["webhook-id"] for request in hook.requests}) == 1
    assert place.postgres.value("select attempts from spoor.outbox") == "1"


def test_a_long_answer_is_an_answer(place, hook, relay):
    """A receiver whose 200 is a page of HTML has taken the event: it is not sent again."""
    secret = new_secret(place.folder, "secret-1")
    hook.choose = lambda request: Answer(200, b"<p>thank you</p>" * 20000)
    place.rule("hook")
    place.load(1, 2)
    relay(hook=hook.settings([secret[0]]))
    place.wait_drained()
    assert place.states() == {"sent": 2} and len(hook.requests) == 2
    assert place.postgres.value("select max(result) from spoor.outbox").startswith("HTTP 200 <p>thank you</p>")


def test_an_answer_in_another_charset(place, hook, relay):
    """What a receiver says may be no UTF-8: it is written down all the same, and its wish for patience respected."""
    secret = new_secret(place.folder, "secret-1")
    told = threading.Event()

    def choose(request):
        if len(hook.requests) == 1:
            return Answer(503, b"verf\xfcgbar \x00 sp\xe4ter")
        told.wait(proc.PATIENCE_S)
        return 200

    hook.choose = choose
    place.rule("hook")
    place.load(1, 1)
    relay(hook=hook.settings([secret[0]], retry_first="300ms", retry_most="300ms", timeout="2min"))
    trouble = place.postgres.wait_value("select trouble from spoor.sink where name = 'hook'")
    told.set()
    assert trouble.startswith("HTTP 503 verf")
    place.wait_drained()
    assert len(hook.requests) == 2 and "cannot ask the database" not in place.log()


def test_a_slow_batch_goes_to_no_other_relay(place, hook, relay):
    """A batch that goes one by one may take long: until it is through, a second relay keeps away from it."""
    secret = new_secret(place.folder, "secret-1")
    count, longest_s = 40, 60

    def choose(request):
        if json.loads(request.body)["type"] == "spoor.batch":
            return 422
        time.sleep(0.1)
        return 200

    hook.choose = choose
    place.rule("hook")
    place.load(count, 1)
    relay(hook=hook.settings([secret[0]], batch=count, timeout="%ds" % longest_s))
    proc.wait_for(lambda: len(hook.requests) > 1, "the first relay has the batch")
    lease_s = place.postgres.value("select extract(epoch from min(leased_until) - now())::int from spoor.outbox where state = 'waiting'")
    assert int(lease_s) > (count - 1) * longest_s, "each of them may take as long"
    second = place.run("second")
    place.wait_drained()
    assert second.stop() == 0 and place.states() == {"sent": count}
    told = [event["data"]["id"] for event in hook.events()]
    assert len(told) == 2 * count and len(set(told)) == count
