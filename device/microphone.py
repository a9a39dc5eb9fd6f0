"""A real microphone through PortAudio; the only file that knows sounddevice.

PortAudio reads the list of devices once, when the library is loaded.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from device.audio import Block
from device.errors import DeviceError
from device.intake import Intake, Stalled, Timeline

RATES = (16_000, 48_000, 44_100)
"""Hz, as tried, with the microphone's own default after the first."""
START_S = 10.0
"""The longest that a microphone may take to begin: one behind Bluetooth or a sleeping sound server needs seconds."""
STALL_S = 2.0
"""A microphone that gives nothing for so long has gone; also the longest that PortAudio may take to let go of it."""
BUFFER_S = 0.1
"""What PortAudio is asked to keep for a callback that comes late; it hands over about a third of it at once."""

_OTHERWISE = "or listen to a file with --source FILE"


@dataclass(frozen=True)
class Opening:
    """How a microphone is opened: Hz, and how many channels."""

    rate: int
    channels: int


class Microphone:
    """One channel of a microphone, at 16 kHz on a clock that keeps counting over losses; a `device.audio.Source`.

    It is chosen by name, for a card's number moves between boots, and opened at the first rate that it supports.
    """

    def __init__(
        self,
        name: str | None = None,
        channel: int = 0,
        rates: Sequence[int] = RATES,
        block_ms: float = 20.0,
        room_s: float = 8.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look for the microphone; it is opened by `blocks`.

        `name` is the whole name or a part that only one has (None: the system's default); `channel` counts from 0;
        `room_s` is how long the device may be busy elsewhere before blocks are lost; `now` is a clock in seconds that
        never goes back. Raises DeviceError.
        """
        self._sounddevice = _load()
        device = choose(list(self._sounddevice.query_devices()), _default(self._sounddevice), name)
        self.name = str(device["name"])
        self._index = int(device["index"])
        self._channel = channel
        self._block_ms = block_ms

        def supports(opening: Opening) -> None:
            self._sounddevice.check_input_settings(
                self._index, channels=opening.channels, samplerate=opening.rate, dtype="int16"
            )

        try:
            self.opening = first_supported(openings(device, channel, rates), supports, self._sounddevice.PortAudioError)
        except self._sounddevice.PortAudioError as error:
            raise self._translated(error) from error
        self._intake = Intake(round(room_s * self.opening.rate))
        self._now = now
        self._closed = False

    def close(self) -> None:
        """Make `blocks` end at once."""
        self._closed = True
        self._intake.end()

    def blocks(self) -> Iterator[Block]:
        """Open the microphone and give what it hears; see `Source.blocks`.

        Raises DeviceError when it cannot be opened, when it disappears, and when it gives nothing any more.
        """
        timeline = Timeline(self.opening.rate, self.opening.channels, self._channel)
        stream = self._start()
        try:
            why = "has disappeared"
            try:
                for piece in self._intake.pieces(START_S, STALL_S):
                    for block in timeline.blocks(piece):
                        if self._closed:
                            return
                        yield block
            except Stalled as stalled:
                why = f"has given nothing for {stalled.seconds:g} s"
            if self._closed:
                return
            yield from timeline.finish()
            raise DeviceError(f"the microphone {self.name!r} {why}; plug it in and start again")
        finally:
            self._let_go(stream)

    def _start(self) -> Any:
        rate, put, now = self.opening.rate, self._intake.put, self._now

        def callback(data: Any, frames: int, times: Any, status: Any) -> None:
            put(bytes(data), frames, times.inputBufferAdcTime, now(), status.input_overflow)

        try:
            stream = self._sounddevice.RawInputStream(
                device=self._index,
                samplerate=rate,
                channels=self.opening.channels,
                dtype="int16",
                blocksize=max(1, round(rate * self._block_ms / 1000)),
                latency=BUFFER_S,
                callback=callback,
                finished_callback=self._intake.end,
            )
            stream.start()
        except self._sounddevice.PortAudioError as error:
            raise self._translated(error) from error
        return stream

    def _let_go(self, stream: Any) -> None:
        """Close the stream, and wait for it only so long: the sound system may have gone and never answer."""

        def close() -> None:
            stream.abort()
            stream.close()

        closing = threading.Thread(target=close, name="microphone-closing", daemon=True)
        closing.start()
        closing.join(STALL_S)
        if closing.is_alive():
            # It would wait there again when the program ends.
            atexit.unregister(self._sounddevice._exit_handler)

    def _translated(self, error: Exception) -> DeviceError:
        """Word a PortAudioError for a person."""
        text, code = str(error.args[0]), error.args[1] if len(error.args) > 1 else None
        if code == _BUSY:
            return DeviceError(
                f"the microphone {self.name!r} is in use by another program or gone; end that program, {_OTHERWISE}"
            )
        return DeviceError(f"the microphone {self.name!r} cannot be opened ({text}); choose another, {_OTHERWISE}")


_BUSY = -9985  # paDeviceUnavailable


def _load() -> Any:
    try:
        import sounddevice
    except OSError as error:
        raise DeviceError(
            f"the microphone needs the PortAudio library; install it with apt-get install libportaudio2, {_OTHERWISE}"
        ) from error
    return sounddevice


def _default(sounddevice: Any) -> int:
    """The index of the system's default microphone; -1 without one."""
    index = sounddevice.default.device[0]
    if index is None or index < 0:
        apis = sounddevice.query_hostapis()
        index = next((api["default_input_device"] for api in apis if api["default_input_device"] >= 0), -1)
    return int(index)


def choose(devices: Sequence[Mapping[str, Any]], default: int, name: str | None) -> Mapping[str, Any]:
    """Choose among PortAudio's devices by whole name, else by part of a name, whatever the case.

    `default` is the index meant by None. Raises DeviceError that lists the microphones there are.
    """
    microphones = [device for device in devices if device["max_input_channels"] > 0]
    there = "; there are: " + ", ".join(repr(device["name"]) for device in microphones)
    if not microphones:
        raise DeviceError(f"there is no microphone; plug one in, {_OTHERWISE}")
    if name is None:
        for device in microphones:
            if device["index"] == default:
                return device
        raise DeviceError(f"the system has no default microphone; choose one by its name{there}")
    whole = [device for device in microphones if device["name"].casefold() == name.casefold()]
    part = [device for device in microphones if name.casefold() in device["name"].casefold()]
    found = whole or part
    if not found:
        raise DeviceError(f"there is no microphone called {name!r}{there}")
    if len(found) > 1 and not whole:
        raise DeviceError(f"{len(found)} microphones are called {name!r}; give more of the name{there}")
    return found[0]


def openings(device: Mapping[str, Any], channel: int, rates: Sequence[int] = RATES) -> list[Opening]:
    """List the ways to try: 16 kHz first, then what the microphone likes; as few channels as hold the wanted one.

    Raises DeviceError if the microphone has no such channel.
    """
    most = int(device["max_input_channels"])
    if not 0 <= channel < most:
        raise DeviceError(
            f"the microphone {device['name']!r} has {most} channels and no channel {channel}; the first is 0"
        )
    tried = dict.fromkeys((rates[0], round(device["default_samplerate"]), *rates[1:]))
    counts = sorted(count for count in {1, 2, channel + 1, most} if channel < count <= most)
    return [Opening(rate, count) for rate in tried for count in counts]


def first_supported(ways: Sequence[Opening], supports: Callable[[Opening], None], refusal: type[Exception]) -> Opening:
    """Give the first way that `supports` does not refuse; raises the first refusal when there is none."""
    refusals = []
    for way in ways:
        try:
            supports(way)
        except refusal as error:
            refusals.append(error)
        else:
            return way
    raise refusals[0]
