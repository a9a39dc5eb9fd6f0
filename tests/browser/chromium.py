"""A real Chromium without a window, told what to do over its DevTools pipe: messages of JSON, each ended by a NUL."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PATIENCE_S = 30.0
"""The longest that anything in the browser may take."""

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--mute-audio",
    "--force-prefers-reduced-motion",
    "--no-first-run",
    "--remote-debugging-pipe",
)


class Page:
    """One tab. `complaints`: what the console said, exceptions, and what was asked of the network beyond `home`."""

    def __init__(self, browser: _Pipe, session: str) -> None:
        self._browser, self._session = browser, session
        self.home = "nowhere:"
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Have the browser do something; gives its answer."""
        return self._browser.call(method, parameters, self._session)

    @property
    def complaints(self) -> list[str]:
        """Give what went wrong so far."""
        found = []
        for event in self._browser.events:
            method, facts = event["method"], event["params"]
            if method == "Runtime.consoleAPICalled":
                found.append(str([argument.get("value") for argument in facts["args"]]))
            elif method == "Runtime.exceptionThrown":
                found.append(facts["exceptionDetails"]["exception"].get("description", "exception"))
            elif method == "Log.entryAdded":
                found.append(facts["entry"]["text"])
            elif method == "Network.requestWillBeSent":
                url = facts["request"]["url"]
                if url.startswith("http") and not url.startswith(self.home):
                    found.append(url)
        return found

    def forget(self) -> None:
        """Begin to collect complaints anew."""
        self._browser.events.clear()

    def open(self, path: Path, width: int = 1280, height: int = 900) -> None:
        """Load a file and wait until it has been drawn."""
        self.resize(width, height)
        self.call("Page.navigate", url=path.absolute().as_uri())
        self.wait(f"location.href === {json.dumps(path.absolute().as_uri())} && document.readyState === 'complete'")

    def visit(self, url: str) -> None:
        """Load an address, and wait until that, or where it leads to, has been drawn."""
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def resize(self, width: int, height: int) -> None:
        """Give the window a size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def ask(self, expression: str) -> Any:
        """Evaluate JavaScript, waiting for promises; gives its value."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript condition holds."""
        end = time.monotonic() + PATIENCE_S
        while not self._holds(condition):
            assert time.monotonic() < end, f"{condition} did not come about: {self.complaints}"

    def _holds(self, condition: str) -> bool:
        try:
            return bool(self.ask(f"new Promise((done) => setTimeout(() => done(Boolean({condition})), 20))"))
        except _MovedOnError:
            return False

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """Send a mouse event: mouseMoved, mousePressed, mouseReleased or mouseWheel."""
        button: dict[str, Any] = (
            {"button": "left", "clickCount": 1} if kind in ("mousePressed", "mouseReleased") else {}
        )
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **button, **more)

    def click(self, x: float, y: float) -> None:
        """Press and release the left button."""
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(kind, x, y)

    def point_at(self, selector: str, across: float = 0.5, down: float = 0.5) -> tuple[float, float]:
        """Bring an element into sight and move the mouse onto it; gives where that is."""
        self.ask(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        x, y = self.place(selector, across, down)
        self.mouse("mouseMoved", x, y)
        return x, y

    def click_on(self, selector: str) -> None:
        """Bring an element into sight and click its middle."""
        self.click(*self.point_at(selector))

    def place(self, selector: str, across: float = 0.5, down: float = 0.5) -> tuple[float, float]:
        """Give a point of an element in the window, as shares of its width and height."""
        box = self.ask(f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()")
        return box["x"] + across * box["width"], box["y"] + down * box["height"]

    def press(self, key: str, code: int, *, control: bool = False) -> None:
        """Press and release a key; `code` is its Windows virtual key code."""
        text = {"text": key} if len(key) == 1 and not control else {"text": "\r"} if key == "Enter" else {}
        held = {"modifiers": 2} if control else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text, **held)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code, **held)

    def type(self, text: str) -> None:
        """Write into what has the focus."""
        self.call("Input.insertText", text=text)


class _MovedOnError(Exception):
    """The page was left while it was asked."""


_MOVED_ON = ("navigated or closed", "context was destroyed", "Cannot find context", "Promise was collected")


class _Pipe:
    def __init__(self, write: int, read: int) -> None:
        self._write, self._read = write, read
        self._last, self._rest = 0, b""
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, parameters: dict[str, Any], session: str | None = None) -> dict[str, Any]:
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        data = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        for answer in self._messages():
            if answer.get("id") == self._last:
                told = str(answer.get("error", ""))
                if any(each in told for each in _MOVED_ON):
                    raise _MovedOnError(told)
                assert "error" not in answer, f"{method}: {told}"
                result: dict[str, Any] = answer["result"]
                return result
            if "method" in answer:
                self.events.append(answer)
        raise AssertionError(f"Chromium did not answer {method}")

    def _messages(self) -> Iterator[dict[str, Any]]:
        end = time.monotonic() + PATIENCE_S
        while True:
            message, nul, rest = self._rest.partition(b"\0")
            if nul:
                self._rest = rest
                yield json.loads(message)
                continue
            ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(self._read, 1 << 20) if ready else b""
            if not piece:
                return
            self._rest += piece


@contextmanager
def chromium(program: str, profile: Path) -> Iterator[Page]:
    """Run the browser with a fresh profile, and give a tab of it."""
    to_browser, from_us = os.pipe()
    to_us, from_browser = os.pipe()

    def take_places() -> None:  # the browser reads from descriptor 3 and writes to 4
        first, second = os.dup(to_browser), os.dup(from_browser)
        os.dup2(first, 3)
        os.dup2(second, 4)

    with (profile.parent / f"{profile.name}.log").open("wb") as log:
        process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=log,
            stderr=log,
            pass_fds=(3, 4),
            preexec_fn=take_places,
        )
    os.close(to_browser)
    os.close(from_browser)
    pipe = _Pipe(from_us, to_us)
    try:
        target = pipe.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = pipe.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        yield Page(pipe, session)
    finally:
        os.close(from_us)
        os.close(to_us)
        process.terminate()
        process.wait(timeout=PATIENCE_S)
