"""When somebody has finished speaking: silence after speech, or no speech at all."""

from __future__ import annotations

from device.config import CaptureSettings, samples
from wakeword.frames import HOP

_HYSTERESIS = 0.15
"""Speech that has begun is believed to go on until its probability is clearly lower, as Silero's own examples do. Half
the probability at most, so that with a low one there still is silence."""


class Endpointer:
    """Watches the speech probability of a capture, hop by hop.

    `after` is where the wake word ends, so that the word itself is not taken for the request: until something is said
    after it, the capture waits for `first_speech_ms`; then it ends after `silence_ms` without speech.
    """

    def __init__(self, settings: CaptureSettings, after: int) -> None:
        self._settings, self._after = settings, after
        self._speaking = False
        self._last_speech: int | None = None

    def push(self, probability: float, end: int) -> str | None:
        """Take the speech probability (0 to 1) of the hop ending at `end`; give the reason to stop, if there is one."""
        settings = self._settings
        lower = min(_HYSTERESIS, settings.speech_probability / 2) if self._speaking else 0.0
        self._speaking = probability >= settings.speech_probability - lower
        if self._speaking and end - HOP >= self._after:
            self._last_speech = end
        if self._last_speech is None:
            return "no_speech" if end - self._after >= samples(settings.first_speech_ms) else None
        return "silence" if end - self._last_speech >= samples(settings.silence_ms) else None
