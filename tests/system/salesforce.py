# SPDX-License-Identifier: BSD-2-Clause
"""
A stand-in for Salesforce: the endpoints that spoor-relay uses, as the public documentation describes them.

It checks what it is sent (the JWT and its signature, the SOQL, each field of a task) and answers 400 to what Salesforce would
not take; `wrong` keeps what that was. FAULT is asked before each request and chooses what goes wrong with it.
"""

import base64
import datetime
import json
import os
import re
import subprocess
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from https_server import Answer, BreakOff, HttpsServer

DATA = "/services/data/v60.0"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT_ID, USERNAME = "consumer-key-of-the-app", "integration@example.com"
EXTERNAL_ID = "Spoor_Id__c"
QUERY = re.compile(r"SELECT Id, Email FROM (Contact|Lead|User) WHERE (?:(IsConverted|IsActive) = (true|false) AND )?"
                   r"Email IN \((.*)\) ORDER BY CreatedDate, Id", re.S)
LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'(?:,|$)", re.S)
SLOW_S = 1.5  # for a fault
TASK_FIELDS = {"attributes", "Subject", "Description", "ActivityDate", "Type", "Status", "WhoId", "OwnerId", EXTERNAL_ID}


class Wrong(Exception):
    """Not what Salesforce takes: status, errorCode, message."""


def error(status, code, message="as the documentation says", headers=None):
    return Answer(status, json.dumps([{"errorCode": code, "message": message}]).encode(), headers)


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Salesforce:
    def __init__(self, folder):
        self.lock = threading.Lock()
        self.key_file = os.path.join(folder, "salesforce.key")
        subprocess.run(["openssl", "genrsa", "-out", self.key_file, "2048"], check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.key_file, 0o644)
        with open(self.key_file, "rb") as file:
            self.public_key = serialization.load_pem_private_key(file.read(), None).public_key()
        self.people = {"Contact": [], "Lead": [], "User": []}  # of (id, email), in the order of their making
        self.tasks = {}     # by external id
        self.history = []   # of (external id, task), each upsert that took effect, in order
        self.created = []   # tasks without an external id
        self.calls = []     # of (method, path without what changes)
        self.wrong = []     # what was refused because it is not as documented
        self.tokens = {}    # token: how many more requests it is good for
        self.token_lives = 10 ** 9
        self.has_external_id = True
        self.types = ["Call", "Email", "Reply"]
        self.fault = lambda method, path: None
        self.bad_record = lambda record: None
        self.number = 0
        self.server = HttpsServer(folder, self.answer)

    def stop(self):
        self.server.stop()

    def settings(self, **more):
        """The section of spoor.conf."""
        return dict({"type": "salesforce", "login_url": self.server.url, "client_id": CLIENT_ID, "username": USERNAME,
                     "private_key_file": self.key_file, "allow_networks": ["127.0.0.0/8", "::1"],
                     "ca_file": self.server.certificate, "retry_first": "20ms", "retry_most": "200ms", "timeout": "1min"}, **more)

    def add(self, kind, email):
        self.number += 1
        made = {"Contact": "003", "Lead": "00Q", "User": "005"}[kind] + "%015d" % self.number
        self.people[kind].append((made, email))
        return made

    # --- one request ---

    def answer(self, request):
        path = request.path.split("?")[0]
        with self.lock:
            self.calls.append((request.method, path))
            fault = self.fault(request.method, path)
        if fault == "slow":
            time.sleep(SLOW_S)
        elif fault == "break_before":
            raise BreakOff()
        elif fault == "500":
            return Answer(500, b"<html>oops</html>")
        elif fault == "limit":
            return error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        elif fault == "expired":
            with self.lock:
                self.tokens.clear()
        try:
            with self.lock:
                answer = self.choose(request, path)
        except Wrong as wrong:
            self.wrong.append("%s %s: %s" % (request.method, path, wrong.args))
            return error(*wrong.args)
        if fault == "break_after":  # it took effect, and nobody is told
            raise BreakOff(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n[" % len(answer.body))
        return answer

    def choose(self, request, path):
        if (request.method, path) == ("POST", "/services/oauth2/token"):
            return self.give_token(request)
        if not self.is_known(request.headers.get("Authorization") or ""):
            return error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if request.method == "GET" and path == DATA + "/sobjects/Task/describe":
            return self.describe()
        if request.headers.get("Content-Type") != "application/json":
            raise Wrong(415, "UNSUPPORTED_MEDIA_TYPE", request.headers.get("Content-Type"))
        if request.method == "POST" and path == DATA + "/composite":
            return self.composite(json.loads(request.body))
        if request.method == "PATCH" and path == DATA + "/composite/sobjects/Task/" + EXTERNAL_ID and self.has_external_id:
            return self.write(json.loads(request.body), True)
        if request.method == "POST" and path == DATA + "/composite/sobjects":
            return self.write(json.loads(request.body), False)
        raise Wrong(404, "NOT_FOUND", path)

    # --- token ---

    def give_token(self, request):
        form = dict(urllib.parse.parse_qsl(request.body.decode(), strict_parsing=True))
        if form.get("grant_type") != GRANT or request.headers["Content-Type"] != "application/x-www-form-urlencoded":
            return Answer(400, b'{"error":"unsupported_grant_type","error_description":"grant type not supported"}')
        head, claims, signature = form["assertion"].split(".")
        self.public_key.verify(decoded(signature), (head + "." + claims).encode(), padding.PKCS1v15(), hashes.SHA256())
        head, claims = json.loads(decoded(head)), json.loads(decoded(claims))
        if (head["alg"], claims["iss"], claims["sub"], claims["aud"]) != ("RS256", CLIENT_ID, USERNAME, self.server.url):
            return Answer(400, b'{"error":"invalid_grant","error_description":"user hasn\'t approved this consumer"}')
        if not time.time() < claims["exp"] <= time.time() + 300:
            return Answer(400, b'{"error":"invalid_grant","error_description":"expired authorization code"}')
        token = "00D!token-%d" % len(self.calls)
        self.tokens[token] = self.token_lives
        return Answer(200, json.dumps({"access_token": token, "instance_url": self.server.url, "token_type": "Bearer",
                                       "scope": "api"}).encode())

    def is_known(self, authorization):
        scheme, _, token = authorization.partition(" ")
        self.tokens[token] = self.tokens.get(token, 0) - 1
        return scheme == "Bearer" and self.tokens[token] >= 0

    # --- what Task is ---

    def describe(self):
        fields = [{"name": "Id", "type": "id"}, {"name": "Subject", "type": "combobox", "length": 255},
                  {"name": "Type", "type": "picklist", "picklistValues": [{"value": each, "active": True} for each in self.types]},
                  {"name": "Status", "type": "picklist", "picklistValues": [{"value": "Completed", "active": True}]}]
        if self.has_external_id:
            fields.append({"name": EXTERNAL_ID, "type": "string", "externalId": True, "unique": True, "length": 36})
        return Answer(200, json.dumps({"name": "Task", "fields": fields}).encode())

    # --- who somebody is ---

    def composite(self, body):
        if body.get("allOrNone") is not False or not 0 < len(body["compositeRequest"]) <= 5:
            raise Wrong(400, "INVALID_INPUT", "allOrNone, or more than five queries")
        return Answer(200, json.dumps({"compositeResponse": [self.part(part) for part in body["compositeRequest"]]}).encode())

    def part(self, part):
        url = urllib.parse.urlsplit(part["url"])
        if part["method"] != "GET" or url.path != DATA + "/query/" or len(part["url"]) > 16384:
            raise Wrong(400, "INVALID_INPUT", part["url"][:200])
        records = self.query(urllib.parse.parse_qs(url.query, strict_parsing=True)["q"][0])
        return {"body": {"totalSize": len(records), "done": True, "records": records}, "httpHeaders": {},
                "httpStatusCode": 200, "referenceId": part["referenceId"]}

    def query(self, soql):
        found = QUERY.fullmatch(soql)
        if not found:
            raise Wrong(400, "MALFORMED_QUERY", soql)
        kind, condition, value, listed = found.groups()
        if {"Contact": (None, None), "Lead": ("IsConverted", "false"), "User": ("IsActive", "true")}[kind] != (condition, value):
            raise Wrong(400, "INVALID_FIELD", soql)
        literals = LITERAL.findall(listed)
        if ",".join("'%s'" % each for each in literals) != listed or len(set(literals)) != len(literals):
            raise Wrong(400, "MALFORMED_QUERY", listed)
        wanted = {re.sub(r"\\(.)", r"\1", each).lower() for each in literals}
        return [{"attributes": {"type": kind}, "Id": made, "Email": email}
                for made, email in self.people[kind] if email.lower() in wanted]

    # --- tasks ---

    def write(self, body, upsert):
        if body.get("allOrNone") is not False or not 0 < len(body["records"]) <= 200:
            raise Wrong(400, "INVALID_INPUT", "allOrNone, or more than 200 records")
        return Answer(200, json.dumps([self.write_one(record, upsert) for record in body["records"]]).encode())

    def write_one(self, record, upsert):
        self.check(record, upsert)
        code = self.bad_record(record)
        if code:
            return {"success": False, "errors": [{"statusCode": code, "message": "no", "fields": []}]}
        task = {name: value for name, value in record.items() if name != "attributes"}
        if not upsert:
            self.created.append(task)
            return {"id": "00T%015d" % len(self.created), "success": True, "errors": []}
        key = record[EXTERNAL_ID]
        created = key not in self.tasks
        self.tasks[key] = task
        self.history.append((key, task, created))
        return {"id": "00T%015d" % len(self.tasks), "success": True, "errors": [], "created": created}

    def check(self, record, upsert):
        ids = {made for kind in ("Contact", "Lead") for made, _ in self.people[kind]}
        users = {made for made, _ in self.people["User"]}
        if record["attributes"] != {"type": "Task"} or set(record) - TASK_FIELDS or upsert != (EXTERNAL_ID in record):
            raise Wrong(400, "INVALID_FIELD", repr(record)[:300])
        if not 0 < len(record["Subject"].encode("utf-16-le")) <= 2 * 255 or re.search(r"[\x00-\x1f]", record["Subject"]):
            raise Wrong(400, "STRING_TOO_LONG", record["Subject"])
        if len(record["Description"]) > 32000 or "\0" in record["Description"]:
            raise Wrong(400, "STRING_TOO_LONG", "Description")
        if record.get("Type", "Call") not in self.types or record.get("Status", "Completed") != "Completed":
            raise Wrong(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", repr(record))
        if record.get("WhoId", None) not in ids | {None} or record.get("OwnerId", None) not in users | {None}:
            raise Wrong(400, "INVALID_CROSS_REFERENCE_KEY", repr(record))
        datetime.date.fromisoformat(record["ActivityDate"])
