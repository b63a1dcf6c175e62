"""A headless Chromium, driven by its own protocol over two pipes; no driver is needed.

What Chromium reads comes in on its descriptor 3 and leaves on 4: JSON, ended by a
zero byte.  https://chromedevtools.github.io/devtools-protocol/ lists the commands.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"),
)
# Puts the pipes where Chromium looks for them, then becomes Chromium.
LAUNCH = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3), os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find():
    """Return the path of a Chromium, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next(filter(None, map(shutil.which, names)), None) if os.name == "posix" else None


class Browser:
    """One page in a headless Chromium; everything that it does is kept in `events`."""

    def __init__(self, folder):
        to_read, self.to = os.pipe()
        self.out, to_write = os.pipe()
        ends = (to_read, to_write)
        command = [find(), *FLAGS, f"--user-data-dir={folder}", "about:blank"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *map(str, ends), *command],
            pass_fds=ends, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for end in ends:
            os.close(end)
        self.number, self.rest, self.events, self.session = 0, b"", [], None
        try:
            self._attach()
        except BaseException:
            self.process.kill()
            raise

    def _attach(self):
        """Talk to the one page that is open from now on, and be told of all it does."""
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self.send("Target.attachToTarget", targetId=page, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def close(self):
        self.session = None
        try:
            self.send("Browser.close")
            self.process.wait(timeout=20)
        finally:
            self.process.kill()
        os.close(self.to)
        os.close(self.out)

    def send(self, method, **parameters):
        """Send a command and return its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        reply = self.wait(lambda event: event.get("id") == self.number)
        assert "error" not in reply, (method, reply["error"])
        return reply["result"]

    def wait(self, wanted, seconds=30):
        """Read until a message is wanted, and return it; the others are kept."""
        end = time.monotonic() + seconds
        while True:
            text, zero, self.rest = self.rest.partition(b"\0")
            if zero:
                message = json.loads(text)
                if wanted(message):
                    return message
                self.events.append(message)
                continue
            self.rest = text
            left = end - time.monotonic()
            assert left > 0, "the browser does not answer"
            if select.select([self.out], [], [], left)[0]:
                more = os.read(self.out, 1 << 20)
                assert more, "the browser ended"
                self.rest += more

    def open(self, path):
        """Load a file and wait until it stands."""
        self.send("Page.navigate", url=path.as_uri())
        self.wait(lambda event: event.get("method") == "Page.loadEventFired")

    def run(self, script):
        """Return the value of an expression of JavaScript."""
        found = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, condition):
        """Wait until a condition of JavaScript holds: for what the page does in its own time."""
        look = f"() => ({condition}) ? done(true) : setTimeout(look, 10)"
        return self.run(f"new Promise(done => {{ const look = {look}; look(); }})")

    def press(self, key, code=0, text=""):
        """Press a key and let it go."""
        keys = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **keys)
        self.send("Input.dispatchKeyEvent", type="keyUp", **keys)

    def resize(self, width, height, *, dark=False):
        """Show the page as on a screen of that size, in light or dark colors."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, path, *, whole=False):
        """Write what is seen as a PNG file, or with `whole` the page to its end."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
