"""PortAudio: what cards there are, and streams from and to them; the only file that knows sounddevice.

It runs in helper processes alone. PortAudio reads the list of devices once, when the library is loaded, so that only a
new process sees a stick that was plugged in; and what crashes or hangs in a driver hangs there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from device.cards import LOUDSPEAKER, MICROPHONE, Card, Opening, Way, choose, first_supported, openings
from device.errors import DeviceError
from device.intake import Intake
from device.usb import usb_cards

BUFFER_S = 0.1
"""What PortAudio is asked to keep for a callback that comes late; it hands over about a third of it at once."""
AHEAD_S = 0.4
"""How far ahead sound is given to a loudspeaker: of less, a sound server on a busy machine may play nothing at all."""

Fill = Callable[[int, float], bytes | None]
"""Gives the bytes of so many frames, fewer at the very end, or None after it; and takes how soon they sound, in s."""

_BUSY = -9985  # paDeviceUnavailable


def load() -> Any:
    """The library; raises DeviceError that says how to install PortAudio."""
    try:
        import sounddevice
    except OSError as error:
        raise DeviceError(
            "microphone and loudspeaker need the PortAudio library; install it with apt-get install libportaudio2, "
            f"{MICROPHONE.otherwise}"
        ) from error
    return sounddevice


class PortAudio:
    """The library, and the cards that it found when it was loaded."""

    def __init__(self, sounddevice: Any | None = None) -> None:
        self._sounddevice = load() if sounddevice is None else sounddevice
        sticks = usb_cards()
        self.cards = [Card.of(device, sticks) for device in self._sounddevice.query_devices()]

    def default(self, way: Way) -> int:
        """The index of the system's default card for this way; -1 without one."""
        which = 0 if way is MICROPHONE else 1
        index = self._sounddevice.default.device[which]
        if index is None or index < 0:
            key = ("default_input_device", "default_output_device")[which]
            index = next((api[key] for api in self._sounddevice.query_hostapis() if api[key] >= 0), -1)
        return int(index)

    def find(self, name: str | None, way: Way, channel: int | None, rates: Sequence[int]) -> tuple[Card, Opening]:
        """The card of this name, and the first way of opening it that works; raises DeviceError."""
        card = choose(self.cards, self.default(way), name, way)
        check = self._sounddevice.check_input_settings if way is MICROPHONE else self._sounddevice.check_output_settings

        def supports(opening: Opening) -> None:
            check(card.index, channels=opening.channels, samplerate=opening.rate, dtype=opening.form)

        try:
            return card, first_supported(
                openings(card, channel, rates, way), supports, self._sounddevice.PortAudioError
            )
        except self._sounddevice.PortAudioError as error:
            raise self._translated(card, way, error) from error

    def listen(
        self, card: Card, opening: Opening, intake: Intake, block_ms: float, now: Callable[[], float] = time.monotonic
    ) -> Any:
        """Start a stream that leaves what it hears in `intake`, and ends it when it ends. Raises DeviceError."""
        put = intake.put

        def callback(data: Any, frames: int, times: Any, status: Any) -> None:
            put(bytes(data), frames, times.inputBufferAdcTime, now(), status.input_overflow)

        try:
            stream = self._sounddevice.RawInputStream(
                device=card.index,
                samplerate=opening.rate,
                channels=opening.channels,
                dtype=opening.form,
                blocksize=max(1, round(opening.rate * block_ms / 1000)),
                latency=BUFFER_S,
                callback=callback,
                finished_callback=intake.end,
            )
            stream.start()
        except self._sounddevice.PortAudioError as error:
            raise self._translated(card, MICROPHONE, error) from error
        return stream

    def speak(self, card: Card, opening: Opening, fill: Fill, ended: Callable[[], None]) -> Any:
        """Start a stream that plays what `fill` gives until that is None; gives the stream. Raises DeviceError."""
        stop = self._sounddevice.CallbackStop
        behind = round(opening.rate * AHEAD_S)  # frames of silence, as the end of what is still ahead may be lost

        def callback(data: Any, frames: int, times: Any, _status: Any) -> None:
            nonlocal behind
            sound = fill(frames, times.outputBufferDacTime - times.currentTime)
            data[:] = (sound or b"").ljust(len(data), b"\0")
            if sound is None:
                behind -= frames
                if behind <= 0:
                    raise stop

        try:
            stream = self._sounddevice.RawOutputStream(
                device=card.index,
                samplerate=opening.rate,
                channels=opening.channels,
                dtype=opening.form,
                latency=AHEAD_S,
                callback=callback,
                finished_callback=ended,
            )
            stream.start()
        except self._sounddevice.PortAudioError as error:
            raise self._translated(card, LOUDSPEAKER, error) from error
        return stream

    def _translated(self, card: Card, way: Way, error: Exception) -> DeviceError:
        """Word a PortAudioError for a person."""
        text, code = str(error.args[0]), error.args[1] if len(error.args) > 1 else None
        if code == _BUSY:
            return DeviceError(
                f"the {way.noun} {card.name!r} is in use by another program or gone; end that program, {way.otherwise}"
            )
        return DeviceError(f"the {way.noun} {card.name!r} cannot be opened ({text}); choose another, {way.otherwise}")
