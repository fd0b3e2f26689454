# SPDX-License-Identifier: BSD-2-Clause
"""The other side of a webhook: keeps what comes, and verifies it by the Standard Webhooks convention on its own."""

import base64
import hashlib
import hmac
import json
import os
import threading
import time

from https_server import Answer, HttpsServer


def new_secret(folder, name):
    """A file with a secret, and the secret."""
    secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(secret + "\n")
    os.chmod(path, 0o644)
    return path, secret


def verifies(secret, request):
    """Is one of the signatures made with this secret, over this body, now?"""
    stamp = request.headers["webhook-timestamp"]
    content = ("%s.%s." % (request.headers["webhook-id"], stamp)).encode() + request.body
    key = base64.b64decode(secret[len("whsec_"):])
    wanted = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return abs(time.time() - int(stamp)) < 300 and wanted in request.headers["webhook-signature"].split(" ")


class Receiver:
    """ANSWER chooses what to say to a Request: a status, an Answer, or it raises BreakOff."""

    def __init__(self, folder, answer=lambda request: 204):
        self.lock = threading.Lock()
        self.requests = []
        self.choose = answer
        self.server = HttpsServer(folder, self.answer)

    def answer(self, request):
        with self.lock:
            self.requests.append(request)
            said = self.choose(request)
        return said if isinstance(said, Answer) else Answer(said)

    def events(self):
        """What came, batches taken apart, in order."""
        found = []
        with self.lock:
            for request in self.requests:
                body = json.loads(request.body)
                found += body["data"]["events"] if body["type"] == "spoor.batch" else [body]
        return found

    def settings(self, secret_files, **more):
        return dict({"type": "webhook", "url": self.server.url + "/hook", "secret_files": secret_files,
                     "allow_networks": ["127.0.0.0/8", "::1"], "ca_file": self.server.certificate, "retry_first": "20ms",
                     "retry_most": "200ms", "timeout": "1min"}, **more)

    def stop(self):
        self.server.stop()
