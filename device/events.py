"""What the firmware says: everything that happens, in order, with numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from uplink.message import JSON
from wakeword.sound import RATE


class Kind(StrEnum):
    """The kinds of events that the firmware has; `docs/events.md` lists the facts of each."""

    HOP = "hop"
    STATE = "state"
    LIGHT = "light"
    EARCON = "earcon"
    WAKE = "wake"
    WAKE_REFUSED = "wake_refused"
    NEAR_MISS = "near_miss"
    CAPTURE_BEGIN = "capture_begin"
    PART = "part"
    CAPTURE_END = "capture_end"
    AUDIO_LOST = "audio_lost"
    PROMPT = "prompt"
    PROMPT_END = "prompt_end"
    EXPECT_TIMED_OUT = "expect_timed_out"
    THINKING_TIMED_OUT = "thinking_timed_out"
    DIRECTIVE_REFUSED = "directive_refused"
    DELETE_CLIP = "delete_clip"
    MUTE = "mute"
    HEARTBEAT = "heartbeat"
    CLOCK_SET = "clock_set"


@dataclass(frozen=True)
class Event:
    """One thing that happened at a sample of the stream; a PART or PROMPT carries its int16 samples as `audio`.

    What surrounds the firmware adds events of other kinds: the uplink's facts, what the far end made of a clip.
    """

    sample: int
    kind: str
    facts: Mapping[str, JSON] = field(default_factory=dict)
    audio: NDArray[np.int16] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Stream:
    """One unbroken run of the sample clock: its device, and the UTC time of sample 0."""

    device: str
    utc: datetime

    @classmethod
    def from_zero(cls, device: str, zero: str) -> Stream:
        """Give the stream whose sample 0 was at this UTC, in ISO 8601."""
        return cls(device, datetime.fromisoformat(zero))

    @property
    def name(self) -> str:
        """Device and time in one word, the beginning of every clip id of this stream."""
        return f"{self.device}-{self.utc.astimezone(UTC):%Y%m%dt%H%M%S%f}"

    def utc_at(self, sample: int) -> str:
        """UTC time of a sample in ISO 8601 with microseconds."""
        time = self.utc.astimezone(UTC) + timedelta(microseconds=sample * 1_000_000 // RATE)
        return time.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def clip(self, begin: int) -> str:
        """Id of the clip that begins at this sample."""
        return f"{self.name}-{begin:012d}"
