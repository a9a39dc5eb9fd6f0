"""A wake word for others in the home, over the wyoming protocol; the only file that knows the library of that name.

Home Assistant and wyoming satellites ask it as they ask wyoming-openwakeword: ``describe``, ``detect``, then
``audio-start``, ``audio-chunk``, ``audio-stop``. See https://github.com/OHF-Voice/wyoming.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import numpy as np

from device.config import WakeSettings
from device.ear import thresholds
from device.errors import DeviceError
from device.orders import Refused
from wakeword.frames import HOP
from wakeword.models import LICENCE
from wakeword.scorer import ScorerGroup
from wakeword.sound import RATE
from wakeword.trigger import Trigger, TriggerSettings

MAX_CLIENTS = 16
_MAX_BYTES = 1 << 20
"""Of one event's data or sound: 30 s of it."""


class Detector:
    """What one client is told: its stream, the words it waits for, and the triggers of all."""

    def __init__(self, settings: WakeSettings, scorers: ScorerGroup) -> None:
        self._scorers = scorers
        self._settings = {
            word: TriggerSettings(
                threshold,
                settings.patience_hops,
                settings.hysteresis,
                settings.refractory_ms * RATE // 1000,
                settings.near_miss_margin,
            )
            for word, threshold in thresholds(settings, scorers).items()
        }
        self._names = frozenset(scorers.names)
        self.begin()

    def await_words(self, names: object) -> None:
        """Wait for these words alone, or for all; raises Refused for one that is not here."""
        if names is not None and not (isinstance(names, list) and all(isinstance(name, str) for name in names)):
            raise Refused("the names of detect are no list of words")
        wanted = frozenset(names or self._scorers.names)
        if unknown := sorted(wanted - frozenset(self._scorers.names)):
            raise Refused(f"there is no wake word {ascii(unknown[0])[:60]} here, but {', '.join(self._scorers.names)}")
        self._names = wanted

    def begin(self) -> None:
        """A stream begins."""
        self._stream = self._scorers.fresh()
        self._triggers = {word: Trigger(settings) for word, settings in self._settings.items()}
        self._rest, self._clock = np.empty(0, np.int16), 0
        self.heard = False

    def push(self, sound: bytes, rate: object, width: object, channels: object) -> list[tuple[str, int]]:
        """Take 16-bit little-endian samples; gives each word that was heard and its milliseconds in the stream."""
        if (rate, width, channels) != (RATE, 2, 1) or len(sound) % 2:
            raise Refused(f"the sound is not {RATE} Hz, 16 bit, mono; convert it before it is sent")
        samples = np.concatenate((self._rest, np.frombuffer(sound, "<i2").astype(np.int16)))
        whole = len(samples) - len(samples) % HOP
        self._rest, found = samples[whole:], []
        for scores in self._stream.push(samples[:whole]) if whole else ():
            self._clock += HOP
            for word, score in zip(self._scorers.names, scores, strict=True):
                detection = self._triggers[word].push(float(score), self._clock)
                if detection is not None and detection.woke and word in self._names:
                    found.append((word, detection.sample * 1000 // RATE))
        self.heard = self.heard or bool(found)
        return found


async def read_header(reader: asyncio.StreamReader) -> tuple[str, Mapping[str, Any], bytes] | None:
    """Read one event, its type, data and payload; None at the end. Raises Refused for what is none, or too large.

    The library's own reader takes any length that a client claims.
    """
    try:
        line = await reader.readline()
        if not line:
            return None
        header = json.loads(line)
        if not isinstance(header, dict) or not isinstance(header.get("type"), str):
            raise Refused("it is no event")
        data = header.get("data") or {}
        if more := await _read(reader, header.get("data_length")):
            data = {**data, **json.loads(more)}
        if not isinstance(data, dict):
            raise Refused("its data is no JSON object")
        return header["type"], data, await _read(reader, header.get("payload_length"))
    except (ValueError, TypeError, RecursionError):  # no JSON, a line that is too long, data that is no object
        raise Refused("it is no event") from None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _read(reader: asyncio.StreamReader, length: object) -> bytes:
    if length is None:
        return b""
    if not isinstance(length, int) or not 0 <= length <= _MAX_BYTES:
        raise Refused(f"it claims a length that is not from 0 to {_MAX_BYTES} bytes")
    return await reader.readexactly(length)


class Service:
    """The wake words of one engine, for up to `MAX_CLIENTS` at once on the loop that calls `serve`."""

    def __init__(self, settings: WakeSettings, scorers: ScorerGroup) -> None:
        """Prepare; raises DeviceError without the library."""
        try:
            import wyoming.event
        except ImportError:
            raise DeviceError("wyoming is not installed; pip install 'misheard[home]'") from None
        self._wyoming = wyoming.event
        self._settings, self._scorers = settings, scorers
        self._clients = 0

    async def serve(self, host: str, port: int, ready: Callable[[int], None] = lambda _port: None) -> None:
        """Answer whoever connects, until cancelled; `ready` is told the port. Raises DeviceError where it is taken."""
        try:
            server = await asyncio.start_server(self._meet, host, port)
        except OSError as error:
            raise DeviceError(
                f"{host}:{port} cannot be listened on ({error.strerror}); name another with --uri"
            ) from None
        ready(server.sockets[0].getsockname()[1])
        try:  # not serve_forever, which from Python 3.12 on ends no sooner than every client
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            if self._clients > MAX_CLIENTS:
                await self._say(writer, "error", {"text": f"there are {MAX_CLIENTS} already", "code": "busy"})
                return
            detector = Detector(self._settings, self._scorers)
            while (event := await read_header(reader)) is not None:
                await self._answer(detector, writer, *event)
        except Refused as refused:
            await self._say(writer, "error", {"text": str(refused), "code": "refused"})
        except ConnectionError:
            pass  # it has gone, which is all there is to say
        finally:
            self._clients -= 1
            writer.close()

    async def _answer(
        self, detector: Detector, writer: asyncio.StreamWriter, kind: str, data: Mapping[str, Any], payload: bytes
    ) -> None:
        match kind:
            case "describe":
                await self._say(writer, "info", self.info())
            case "ping":
                await self._say(writer, "pong", {"text": data.get("text")})
            case "detect":
                detector.await_words(data.get("names"))
            case "audio-start":
                detector.begin()
            case "audio-chunk":
                for word, at_ms in detector.push(payload, data.get("rate"), data.get("width"), data.get("channels")):
                    await self._say(writer, "detection", {"name": word, "timestamp": at_ms})
            case "audio-stop":
                if not detector.heard:
                    await self._say(writer, "not-detected", {})

    async def _say(self, writer: asyncio.StreamWriter, kind: str, data: Mapping[str, Any]) -> None:
        with suppress(ConnectionError):  # nobody is left to be told
            await self._wyoming.async_write_event(self._wyoming.Event(kind, dict(data)), writer)

    def info(self) -> dict[str, Any]:
        """What there is here, as ``describe`` wants to know it."""
        ours = version("misheard")
        models = [
            {
                "name": word,
                "phrase": word.replace("_", " "),
                "description": f"{word.replace('_', ' ')}; {LICENCE}",
                "languages": ["en"],
                "attribution": {"name": self._scorers.engine, "url": "https://github.com/dscripka/openWakeWord"},
                "installed": True,
                "version": ours,
            }
            for word in self._scorers.names
        ]
        program = {
            "name": "misheard",
            "description": "an emulated smart speaker that really mishears",
            "attribution": {"name": "misheard", "url": ""},
            "installed": True,
            "version": ours,
            "models": models,
        }
        return {"wake": [program]}
