"""The people in the home."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sim.scenario.base import Name, Place, Strict, VoiceName

NORMAL_SPEECH_DB_SPL = 62.35
"""Normal vocal effort at 1 m; ANSI S3.5-1997, table 3 (raised 68.34, loud 74.85, shout 82.30)."""


class Person(Strict):
    """Somebody in the home: who speaks, listens, or both."""

    voice: VoiceName | None = None
    """``engine:name``, such as ``flite:slt``, ``espeak:en``, ``piper:voice.onnx``; none: every line brings a sound."""
    room: Name
    at_m: Place
    level_db_spl: Annotated[float, Field(ge=30, le=100)] = NORMAL_SPEECH_DB_SPL
    """Active speech at 1 m from the mouth."""
    on_prompt: Literal["ignore", "react", "pause"] = "ignore"
    """When a device is heard to speak: talk on; or wait with the next line until it is over; or that, and answer."""
