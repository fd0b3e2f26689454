# SPDX-License-Identifier: BSD-2-Clause
"""A real browser, Debian's Chromium, driven by its chromedriver as WebDriver (W3C) says: HTTP and JSON, no library."""

import base64
import json
import os
import shutil
import tempfile
import urllib.error
import urllib.request

import proc

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# A person's: chromedriver's own says HeadlessChrome, and is a robot's to us.
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 3, "mobile": True}


def is_there():
    return all(shutil.which(name) for name in ("chromium", "chromedriver"))


class Browser:
    """
    One window. AUTOMATED: as chromedriver starts it, which pages can tell; else it looks like a person's. Use it as a
    context manager.
    """

    def __init__(self, automated=False, width=1280, height=900, arguments=()):
        self.folder = tempfile.mkdtemp(prefix="spoor-browser-")
        self.port = proc.free_port()
        self.log = os.path.join(self.folder, "chromedriver.log")
        self.driver = proc.Server("chromedriver", ["chromedriver", "--port=%d" % self.port], self.log)
        self.session = None
        try:
            self.driver.wait_ready(self.port)
            self._begin(automated, width, height, arguments)
        except BaseException:
            self.close()
            raise

    def _begin(self, automated, width, height, arguments):
        options = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
                   "--disable-background-networking", "--disable-component-update", "--force-color-profile=srgb",
                   "--lang=en-US", "--window-size=%d,%d" % (width, height), "--user-data-dir=" + os.path.join(self.folder, "profile")]
        if not automated:
            options += ["--disable-blink-features=AutomationControlled", "--user-agent=" + AGENT]
        preferences = {"download.default_directory": self.folder, "download.prompt_for_download": False}
        wanted = {"browserName": "chrome", "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"},
                  "goog:chromeOptions": {"args": options + list(arguments), "prefs": preferences, "binary": shutil.which("chromium")}}
        answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = "/session/" + answer["sessionId"]

    def _ask(self, method, path, value=None):
        body = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (self.port, path), body, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise proc.Failure("WebDriver %s %s: %s" % (method, path, error.read().decode()[:600]), self.log)

    def ask(self, path, value=None, method=None):
        return self._ask(method or ("GET" if value is None else "POST"), self.session + path, value)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        """The browser ends at once; pages hear nothing of it. Nothing of it stays."""
        if self.session:
            try:
                self.ask("", method="DELETE")
            except (proc.Failure, OSError):
                pass
            self.session = None
        self.driver.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def go(self, url):
        """Returns when the page has loaded."""
        self.ask("/url", {"url": url})

    def script(self, text, *arguments):
        """What TEXT returns in the page."""
        return self.ask("/execute/sync", {"script": text, "args": list(arguments)})

    def command(self, name, **parameters):
        """One of the DevTools protocol."""
        return self.ask("/goog/cdp/execute", {"cmd": name, "params": parameters})

    def text(self, selector):
        return self.script("return document.querySelector(arguments[0])?.innerText", selector)

    def find(self, selector):
        return self.ask("/element", {"using": "css selector", "value": selector})[ELEMENT]

    def click(self, selector):
        self.ask("/element/%s/click" % self.find(selector), {})

    def type(self, selector, text):
        self.ask("/element/%s/value" % self.find(selector), {"text": text})

    def key(self, character):
        """A key on whatever has the focus; special ones have the code points of WebDriver, such as U+E014 for the right arrow."""
        keys = [{"type": "keyDown", "value": character}, {"type": "keyUp", "value": character}]
        self.ask("/actions", {"actions": [{"type": "key", "id": "keys", "actions": keys}]})

    def wheel(self, pixels, x=400, y=500):
        """Turns the wheel of the mouse, as fingers do."""
        turn = {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": pixels, "duration": 50, "origin": "viewport"}
        self.ask("/actions", {"actions": [{"type": "wheel", "id": "wheel", "actions": [turn]}]})

    def new_tab(self):
        """One in front of the others, which are hidden from now on; its handle."""
        handle = self.ask("/window/new", {"type": "tab"})["handle"]
        self.switch(handle)
        return handle

    def tab(self):
        return self.ask("/window")

    def switch(self, handle):
        self.ask("/window", {"handle": handle})

    def close_tab(self):
        return self.ask("/window", method="DELETE")

    def wait_visible(self):
        proc.wait_for(lambda: self.script("return document.visibilityState") == "visible", "the tab is in front")

    def leave(self):
        """Closes the tab as a person does, who has others: the page hears of it."""
        left = self.tab()
        other = self.new_tab()
        self.switch(left)
        self.close_tab()
        self.switch(other)

    def phone(self):
        self.command("Emulation.setDeviceMetricsOverride", **PHONE)
        self.command("Emulation.setTouchEmulationEnabled", enabled=True)

    def dark(self):
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])

    def picture(self, path):
        """What is in sight, as a PNG file."""
        with open(path, "wb") as out:
            out.write(base64.b64decode(self.ask("/screenshot")))

    def complaints(self):
        """What the console has since the last call."""
        return [entry["message"] for entry in self.ask("/se/log", {"type": "browser"})]

    def traffic(self):
        """The answers since the last call: URL, status and bytes on the wire, of the pages and all they asked for."""
        answers = {}
        for entry in self.ask("/se/log", {"type": "performance"}):
            message = json.loads(entry["message"])["message"]
            parameters = message["params"]
            if message["method"] == "Network.requestWillBeSent":
                answers.setdefault(parameters["requestId"], {"status": 0, "bytes": 0})["url"] = parameters["request"]["url"]
            elif message["method"] == "Network.responseReceived":
                answers.setdefault(parameters["requestId"], {"bytes": 0})["status"] = parameters["response"]["status"]
                answers[parameters["requestId"]]["url"] = parameters["response"]["url"]
            elif message["method"] == "Network.loadingFinished":
                answers.setdefault(parameters["requestId"], {"status": 0, "url": ""})["bytes"] = int(parameters["encodedDataLength"])
        return list(answers.values())
