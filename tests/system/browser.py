# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Chromium without a screen, driven through chromedriver by WebDriver (W3C) over plain HTTP."""

import base64
import http.client
import json
import os
import shutil
import tempfile

import proc

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
DESKTOP, PHONE = (1280, 900), (390, 844)


class Driver:
    """chromedriver; several browsers, each with cookies of its own, may come from one."""

    def __init__(self, log_folder):
        self.port = proc.free_port()
        self.home = tempfile.mkdtemp(prefix="spoor-browser-", dir="/tmp")
        self.server = proc.Server("chromedriver", ["chromedriver", "--port=%d" % self.port],
                                  os.path.join(log_folder, "chromedriver.log"), env={"HOME": self.home, "TMPDIR": self.home})
        self.server.wait_ready(self.port)
        self.idle, self.busy = [], []

    def browser(self, size=DESKTOP, dark=False, javascript=True):
        """One without cookies, until release(): a browser takes a second to start."""
        one = self.idle.pop() if self.idle and javascript else Browser(self, javascript)
        self.busy.append(one)
        one.look(size, dark)
        return one

    def release(self):
        for one in self.busy:
            if one.javascript:
                one.forget()
                self.idle.append(one)
            else:
                one.close()
        self.busy = []

    def stop(self):
        self.release()
        for one in self.idle:
            one.close()
        self.server.stop()
        shutil.rmtree(self.home, ignore_errors=True)


class Browser:
    def __init__(self, driver, javascript):
        self.driver = driver
        self.javascript = javascript
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     "--disable-background-networking", "--no-first-run", "--window-size=%d,%d" % DESKTOP]
        options = {"args": arguments}
        if not javascript:
            options["prefs"] = {"profile.managed_default_content_settings.javascript": 2}
        asked = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options,
                                                  "goog:loggingPrefs": {"browser": "ALL"}}}}
        self.path = ""
        self.path = "/session/" + self.call("POST", "/session", asked)["sessionId"]

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def look(self, size=DESKTOP, dark=False):
        """On a screen of that size, in light or dark."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1,
                      mobile=size[0] < 600)
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def forget(self):
        """As if it had just been started."""
        self.open("about:blank")
        self.devtools("Network.clearBrowserCookies")
        self.devtools("Network.clearBrowserCache")
        self.complaints()

    def call(self, method, path, body=None):
        client = http.client.HTTPConnection("127.0.0.1", self.driver.port, timeout=60)
        try:
            client.request(method, self.path + path, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"})
            value = json.loads(client.getresponse().read())["value"]
        finally:
            client.close()
        if isinstance(value, dict) and "error" in value:
            raise proc.Failure("browser: %s: %s" % (value["error"], value["message"].splitlines()[0]), self.driver.server.log)
        return value

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    @property
    def url(self):
        return self.call("GET", "/url")

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector="body"):
        return self.run("const e = document.querySelector(arguments[0]); return e ? e.innerText : null", selector)

    def texts(self, selector):
        return self.run("return Array.from(document.querySelectorAll(arguments[0]), e => e.innerText)", selector)

    def _element(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.call("POST", "/element/%s/click" % self._element(selector), {})

    def type(self, selector, text):
        self.call("POST", "/element/%s/value" % self._element(selector), {"text": text})

    def press(self, key):
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]}]})

    def wait(self, script, *arguments, what=None, seconds=20):
        return proc.wait_for(lambda: self.run(script, *arguments), what or script, seconds, self.driver.server.log)

    def cookies(self):
        return {each["name"]: each for each in self.call("GET", "/cookie")}

    def set_cookie(self, name, value):
        self.call("POST", "/cookie", {"cookie": {"name": name, "value": value, "path": "/"}})

    def complaints(self):
        """What the browser's console has said since the last call: errors of scripts, and what the policy forbade."""
        return [each["message"] for each in self.call("POST", "/se/log", {"type": "browser"})]

    def screenshot(self, path, whole=False):
        if whole:
            shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        else:
            shot = self.call("GET", "/screenshot")
        with open(path, "wb") as out:
            out.write(base64.b64decode(shot))

    def close(self):
        if self.path:
            self.call("DELETE", "")
            self.path = ""
