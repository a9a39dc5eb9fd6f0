"""What a dialog is told, where it stands, and what it makes of it. All of it can be written as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from sim.cloud.answer import Fact
from sim.cloud.transcript import Transcript
from uplink.message import JSON
from wakeword.sound import RATE

Step = Literal["idle", "contact", "which", "confirm", "body"]
"""What the device waits to hear: nothing, a name, which of one name, whether that is right, the message."""
TookStep = Literal["wake", "intent", "contact", "confirmation", "body"]
Reach = Literal["audio", "transcripts", "messages", "annotations", "exports"]
"""What a deletion goes for: annotations are what people wrote of a clip, exports what went into training sets."""
REACHES: tuple[Reach, ...] = get_args(Reach)

LOUDEST = 10


@dataclass(frozen=True)
class Heard:
    """A clip as it was heard: `at` is the home's own time as it ended, `samples` its length.

    answers: the clip that this one answers without a wake word. word, word_end: the wake word that the device took
    it for, and where in the clip it ended; none where the device gave no indices.
    """

    clip: str
    device: str
    at: datetime
    samples: int
    transcript: Transcript
    initiator: Literal["wakeword", "expect_speech"] = "wakeword"
    answers: str | None = None
    word: str | None = None
    word_end: int | None = None


class _Plain(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Took(_Plain):
    """One step towards a message: what was heard in a clip, and what it was taken for."""

    step: TookStep
    clip: str
    heard: str
    taken_for: str

    def as_json(self) -> dict[str, JSON]:
        """As it is told."""
        return {"step": self.step, "clip": self.clip, "heard": self.heard, "taken_for": self.taken_for}


class Body(_Plain):
    """A message: samples `begin` to `end` of a clip, and the words in them."""

    clip: str
    begin: int
    end: int
    text: str


class Situation(_Plain):
    """Where the dialog with one device stands. `clip` asked the question that is open; `asked` how often in vain."""

    step: Step = "idle"
    clip: str = ""
    asked: int = 0
    contact: str = ""
    candidates: tuple[str, ...] = ()
    body: Body | None = None
    because: tuple[Took, ...] = ()
    volume: int = 5

    def to(self, **changes: object) -> Situation:
        """A situation that differs in this."""
        return self.model_copy(update=changes)

    def over(self) -> Situation:
        """No question open any more."""
        return Situation(volume=self.volume)


@dataclass(frozen=True)
class Message:
    """A message for somebody's outbox: the sound and words of `body`, and what each step took for what."""

    id: str
    to: str
    body: Body
    because: tuple[Took, ...]

    @property
    def audio_s(self) -> float:
        """How long its sound is, in seconds."""
        return round((self.body.end - self.body.begin) / RATE, 3)

    def facts(self) -> dict[str, JSON]:
        """What is told of it."""
        return {
            "clip": self.body.clip,
            "id": self.id,
            "to": self.to,
            "text": self.body.text,
            "audio_s": self.audio_s,
            "because": [took.as_json() for took in self.because],
        }


@dataclass(frozen=True)
class Deletion:
    """Somebody wants recordings deleted: those of the turn before `clip` and itself, or all of its day."""

    clip: str
    device: str
    scope: Literal["last", "today"]
    at: datetime
    reaches: tuple[Reach, ...]


@dataclass(frozen=True)
class Turn:
    """What the far end makes of a clip.

    says: what the device is to say, nothing where empty; expect_ms: how long it then listens, None ends the turn.
    """

    situation: Situation
    facts: tuple[Fact, ...] = ()
    says: str = ""
    expect_ms: int | None = None
    message: Message | None = None
    deletion: Deletion | None = None
