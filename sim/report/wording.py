"""How the report says things: times, lengths, counts, and the device's own words in plain ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wakeword.sound import RATE

ENDS: Mapping[str, str] = {
    "silence": "nobody spoke any more",
    "no_speech": "nobody said anything after the wake word",
    "limit": "it was as long as a clip may be",
    "stop_capture": "the far end said stop",
    "muted": "the microphone was switched off",
    "interrupted": "the run ended in the middle of it",
    "audio_lost": "too much sound was lost",
}
"""Why a capture ended."""

STATES: Mapping[str, str] = {
    "IDLE": "idle",
    "RECOGNIZING": "recording, streaming to the far end",
    "BUSY": "waiting for the far end's answer",
    "SPEAKING": "saying something",
    "EXPECTING_SPEECH": "microphone open without a wake word",
}
"""What a state of the device means."""

INTENTS: Mapping[str, str] = {
    "send_message": "a request to send a message",
    "time": "a question for the time",
    "timer": "a request for a timer",
    "volume": "a request to change the volume",
    "stop": "“stop”",
    "cancel": "“cancel”",
    "delete_last": "a request to delete what was just said",
    "delete_today": "a request to delete everything that was said today",
}
"""What words were taken for."""


def clock(sample: int) -> str:
    """Time since the stream began: ``m:ss.cc``, from an hour on ``h:mm:ss.cc``."""
    hundredths = sample * 100 // RATE
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    ahead = f"{hours}:{minutes:02d}" if hours else str(minutes)
    return f"{ahead}:{rest // 100:02d}.{rest % 100:02d}"


def seconds(samples: int) -> str:
    """A length: ``8.40 s``, on one line."""
    return f"{samples / RATE:.2f}\N{NO-BREAK SPACE}s"


def long(time_s: float) -> str:
    """A length for the headline: in ms under a second, in seconds, in minutes from two on, in hours from two on."""
    if 0 < time_s < 1:
        return f"{time_s * 1000:.0f}\N{NO-BREAK SPACE}ms"
    unit, name = (3600, "h") if time_s >= 7200 else (60, "min") if time_s >= 120 else (1, "s")
    return f"{time_s / unit:.1f}\N{NO-BREAK SPACE}{name}"


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 clip``, ``2 clips``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def times(number: int) -> str:
    """``once``, ``twice``, ``3 times``."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def listing(names: Sequence[str]) -> str:
    """``ann``, ``ann and ben``, ``ann, ben and eve``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def plain(name: str) -> str:
    """A name of the program's own in plain words: ``not_confirmed`` becomes ``not confirmed``."""
    return name.replace("_", " ")


def level(db: float) -> str:
    """A level: ``−31 dB``."""
    return f"{db:.0f} dB".replace("-", "−")
