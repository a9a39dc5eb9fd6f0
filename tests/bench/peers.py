"""The programs that ours are measured beside; each is asked as its own documentation asks it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from uplink.address import Address
from wakeword.models import find_model
from wakeword.sound import Samples

_ANSWER_S = 60.0


def open_wake_word(words: Sequence[str] = ("alexa",), vad_threshold: float = 0.0) -> Any:
    """An `openwakeword.Model` of these words, on ONNX models and one thread, as is its default."""
    import openwakeword

    paths = [str(find_model(word).path) for word in words]
    return openwakeword.Model(wakeword_models=paths, inference_framework="onnx", vad_threshold=vad_threshold)


class MicroWakeWord:
    """pymicro-wakeword's `alexa`, features and model; raises ImportError where it is not installed."""

    def __init__(self) -> None:
        import pymicro_wakeword as package

        self._features = package.MicroWakeWordFeatures()
        self._model = package.MicroWakeWord.from_builtin(package.Model.ALEXA)

    def push(self, hop: Samples) -> None:
        """Take one hop, int16[1280]."""
        for features in self._features.process_streaming(hop.tobytes()):
            self._model.process_streaming(features)


class BarePublisher:
    """paho and nothing else: publishes at QoS 1 and waits for the broker's word."""

    def __init__(self, url: str) -> None:
        import paho.mqtt.client as mqtt
        from paho.mqtt.enums import CallbackAPIVersion

        self._acknowledged = threading.Event()
        self._owed = 0
        self._connected = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, "bench-bare")
        self._client.on_connect = lambda *_: self._connected.set()
        self._client.on_publish = lambda *_: self._count()
        address = Address.parse(url)
        self._client.connect(address.host, address.port)
        self._client.loop_start()
        _require(self._connected)

    def seconds(self, payload: bytes) -> float:
        """Publish once; the time until the broker has acknowledged it."""
        return self.seconds_of_all([payload])

    def seconds_of_all(self, payloads: Sequence[bytes]) -> float:
        """Publish these as fast as paho takes them; the time until the broker has acknowledged the last."""
        self._acknowledged.clear()
        self._owed = len(payloads)
        began = time.perf_counter()
        for payload in payloads:
            self._client.publish("bench/part", payload, qos=1)
        _require(self._acknowledged)
        return time.perf_counter() - began

    def _count(self) -> None:
        self._owed -= 1
        if not self._owed:
            self._acknowledged.set()

    def __enter__(self) -> BarePublisher:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _require(event: threading.Event) -> None:
    if not event.wait(_ANSWER_S):
        raise TimeoutError(f"the broker has not answered a bare client in {_ANSWER_S:g} s")


STARTED = """
import openwakeword
model = openwakeword.Model(wakeword_models=[{path!r}], inference_framework="onnx")
print("listening", flush=True)
"""

LISTENS = (
    STARTED
    + """
import sys
import numpy as np
while len(hop := sys.stdin.buffer.read(2560)) == 2560:
    model.predict(np.frombuffer(hop, np.int16))
"""
)
"""Programs of their own around openwakeword: one that is ready, and one that listens to standard input."""

_MICROPHONE = """
import os
import socket
import numpy as np
import sounddevice
def ready():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
stream = sounddevice.RawInputStream(samplerate=16000, channels=1, dtype="int16", blocksize=1280)
stream.start()
"""

OPEN_WAKE_WORD_HEARS = (
    _MICROPHONE
    + """
import openwakeword
model = openwakeword.Model(wakeword_models=[{path!r}], inference_framework="onnx")
blocks, woke = 0, -25
while True:
    data, _ = stream.read(1280)
    (score,) = model.predict(np.frombuffer(data, np.int16)).values()
    if score > 0.5 and blocks - woke >= 25:
        print("wake", flush=True)
        woke = blocks
    blocks += 1
    if blocks == 1:
        ready()
"""
)
"""What openWakeWord's `examples/detect_from_microphone.py` does: blocks of 1280 from the system's microphone, a score
for each, above 0.5 is a wake. Other than there: sounddevice instead of PyAudio, both of which are PortAudio, a line for
a wake, as our device has it not within 2 s of another, instead of a table for each score, which a service does not
draw."""

MICRO_WAKE_WORD_HEARS = (
    _MICROPHONE
    + """
import pymicro_wakeword as package
features = package.MicroWakeWordFeatures()
model = package.MicroWakeWord.from_builtin(package.Model.ALEXA)
blocks, woke = 0, -25
while True:
    data, _ = stream.read(1280)
    wakes = [model.process_streaming(each) for each in features.process_streaming(bytes(data))]
    if any(wakes) and blocks - woke >= 25:
        print("wake", flush=True)
        woke = blocks
    blocks += 1
    if blocks == 1:
        ready()
"""
)
"""The live loop of `python -m pymicro_wakeword`, which reads a pipe of arecord, on the same microphone."""


def program(source: str) -> list[str]:
    """The arguments that run one of them."""
    return [sys.executable, "-c", source.format(path=str(find_model("alexa").path))]
