"""The configuration read again while the device listens: what holds at once, and what waits for the next start."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from device.config import DeviceSettings
from device.errors import ConfigError

_LIVE = ("earcons", "wake.", "capture.", "deadlines.", "keep.", "uplink.spool_", "uplink.drain_ms")
_AT_START = ("wake.words", "wake.engine", "wake.verifier", "keep.run_hours", "keep.clip_days", "keep.clip_mb")
"""Of the live ones: what is loaded, or opened, once."""


@dataclass(frozen=True)
class Change:
    """`settings`: what to go on with. `live`, `restart`: dotted keys that hold now, or with the next start."""

    settings: DeviceSettings
    live: tuple[str, ...]
    restart: tuple[str, ...]


def is_live(key: str) -> bool:
    """Whether a setting (its dotted key) holds as soon as it is changed."""
    return key not in _AT_START and any(key == live or (live[-1] in "._" and key.startswith(live)) for live in _LIVE)


def compare(running: DeviceSettings, wanted: DeviceSettings) -> Change:
    """Say what a device that runs by some settings can take over of others."""
    before, after = _leaves(running.model_dump()), _leaves(wanted.model_dump())
    changed = [key for key in after if before.get(key) != after[key]]
    live = tuple(key for key in changed if is_live(key))
    merged = running.model_dump()
    for key in live:
        *above, last = key.split(".")
        place = merged
        for name in above:
            place = place[name]
        place[last] = after[key]
    return Change(DeviceSettings.model_validate(merged), live, tuple(key for key in changed if not is_live(key)))


def _leaves(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tree.items():
        found |= _leaves(value, f"{above}{name}.") if isinstance(value, dict) else {f"{above}{name}": value}
    return found


@contextmanager
def reloaded_by_signal(
    load: Callable[[], DeviceSettings], take: Callable[[DeviceSettings], None], failed: Callable[[str], None]
) -> Iterator[None]:
    """Have SIGHUP read the configuration again, on a thread of its own, for as long as the block runs.

    `take` gets what was read; where it cannot be read, `failed` gets the sentence and what runs goes on as it does.
    """
    asked: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def work() -> None:
        while asked.get():
            try:
                settings = load()
            except ConfigError as error:
                failed(str(error))
            else:
                take(settings)

    def ask(_number: int, _frame: Any) -> None:
        asked.put(True)  # all that may be done in a handler; it interrupts whatever runs

    thread = threading.Thread(target=work, name="reload", daemon=True)
    thread.start()
    before = signal.signal(signal.SIGHUP, ask)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
        asked.put(False)
        thread.join()
