# SPDX-License-Identifier: BSD-2-Clause
"""What a mail program or browser does with our URLs: the request exactly as given, no redirect followed."""

import http.client
import time
import urllib.parse

import proc

# A link followed sooner after the mail was sent counts as a scanner's: nobody reads that fast.
READING_SECONDS = 3.2
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # an email.message.Message: names without regard to case
        self.body = body


def target_of(url):
    """What stands behind the host, as it is."""
    return url[url.index("/", url.index("//") + 2):]


def get(url, method="GET", agent=BROWSER, source="127.0.0.1", headers=None, body=None):
    parts = urllib.parse.urlsplit(url)
    client = http.client.HTTPConnection(parts.hostname, parts.port, timeout=proc.PATIENCE_S, source_address=(source, 0))
    try:
        client.request(method, target_of(url), body=body, headers=dict({"User-Agent": agent} if agent else {}, **(headers or {})))
        answer = client.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        client.close()


def read_for_a_while(sent_at):
    """Returns when a person could have read what was sent at that time of the monotonic clock."""
    time.sleep(max(0.0, sent_at + READING_SECONDS - time.monotonic()))
