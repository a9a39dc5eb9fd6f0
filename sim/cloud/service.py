"""The far end as a plain object: parts go in, receipts come out; a whole clip is answered. No clock, no network."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from sim.cloud.answer import Answer, Directed, Fact
from sim.cloud.hearings import Hearings
from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript
from sim.errors import Refused
from uplink.inventory import Inquiry, Inventory
from uplink.message import JSON, Directive, Part, Receipt
from wakeword.errors import SoundError
from wakeword.sound import Samples, decode_flac

if TYPE_CHECKING:
    from sim.cloud.recognizer import Recognizer
    from sim.cloud.store import Clip


Came: TypeAlias = Receipt | Directed | Fact
"""What a part leads to."""


class Assistant(Protocol):
    """What a far end thinks beyond storing and hearing; `sim.cloud.assistant.Assistant` does."""

    def glance(self, part: Part, sound: Samples) -> list[Directed | Fact]:
        """Look at a part as it comes; give what that decides at once."""
        ...

    later: Callable[[list[Directed | Fact]], None]
    """Takes what is decided when nobody waits for it; called from any thread."""

    def think(self, clip: Clip, transcript: Transcript) -> tuple[list[Fact], list[Directed]]:
        """Decide on what was heard in a whole clip."""
        ...

    def forget(self, clips: Collection[str]) -> int:
        """Let go of what is in memory of these clips; gives of how many that was something."""
        ...


class Cloud:
    """Receives parts, and answers clips; the same parts in the same order give the same receipts and answers.

    Without an assistant it stores, listens, and ends each turn.
    """

    def __init__(self, store: ClipStore, recognizer: Recognizer, assistant: Assistant | None = None) -> None:
        self.store = store
        self._assistant = assistant
        self._hearings = Hearings(recognizer)
        store.deletions.on_gone.append(self.forget)

    def receive(self, part: Part) -> list[Came]:
        """Store a part and receipt it; the same part again is receipted again. Then say what else it leads to.

        Raises Refused for audio that is not the FLAC of its samples, or a part that contradicts what is stored, and
        StoreError where the store fails.
        """
        (answers,) = self.receive_all([part])
        if isinstance(answers, Refused):
            raise answers
        return answers

    def receive_all(self, parts: Sequence[Part]) -> list[list[Came] | Refused]:
        """Receive parts in their order, all in one transaction: of each what `receive` gives, or why it is refused.

        Raises StoreError where the store fails, and then none of them counts as received.
        """
        sounds = [_sound_of(part) for part in parts]
        good = [part for part, sound in zip(parts, sounds, strict=True) if not isinstance(sound, Refused)]
        stored = iter(self.store.add_all(good) if good else ())
        return [
            sound if isinstance(sound, Refused) else self._answers(part, sound, next(stored))
            for part, sound in zip(parts, sounds, strict=True)
        ]

    def _answers(self, part: Part, sound: Samples, outcome: bool | Refused) -> list[Came] | Refused:
        if isinstance(outcome, Refused):
            return outcome
        self._hearings.push(part, sound)
        decided = [] if self._assistant is None else self._assistant.glance(part, sound)
        return [Receipt(part.device, part.clip, part.number, part.sealed or part.digest, outcome), *decided]

    def forget(self, clips: Collection[str]) -> int:
        """Let go of what is in memory of these clips; gives of how many that was something."""
        decided = 0 if self._assistant is None else self._assistant.forget(clips)
        return self._hearings.forget(clips) + decided

    def tidy(self) -> None:
        """Let go of what is in memory of clips that another program deleted; raises StoreError."""
        opened = self._hearings.clips
        if opened:
            self.forget(self.store.deletions.gone(opened))

    def decide_later(self, take: Callable[[list[Directed | Fact]], None]) -> None:
        """Have what is decided on a part after `receive` has returned given to `take`, from any thread."""
        if self._assistant is not None:
            self._assistant.later = take

    def take_stock(self, inquiry: Inquiry) -> Inventory:
        """Say which of the parts that a device asks about are stored; raises StoreError."""
        parts, complete = self.store.stock(inquiry.parts)
        return Inventory(inquiry.device, inquiry.question, parts, complete)

    def answer(self, clip: str) -> Answer:
        """Say what was heard in a complete clip, keep it, and decide; the turn goes on, or ends.

        Raises StoreError where the clip is not complete, TakenOverError where another receiver took it,
        and RecognizerError where the recognizer fails.
        """
        transcript = self._hearings.finish(clip, lambda: self.store.audio(clip))
        self.store.add_transcript(clip, transcript)
        heard = Fact("transcript", _told(clip, transcript))
        if self._assistant is None:
            device = self.store.device_of(clip)
            return Answer(clip, device, transcript, (heard,), (Directed(device, Directive("TurnEnd", clip)),))
        stored = self.store.clip(clip)
        assert stored is not None  # its transcript has just been kept
        facts, directives = self._assistant.think(stored, transcript)
        return Answer(clip, stored.device, transcript, (heard, *facts), tuple(directives))


def _told(clip: str, heard: Transcript) -> dict[str, JSON]:
    words: list[JSON] = [[word.text, word.begin, word.end, round(word.confidence, 4)] for word in heard.words]
    about: dict[str, JSON] = {"clip": clip, "text": heard.text, "recognizer": heard.recognizer, "words": words}
    return {**about, "alternatives": list(heard.alternatives)}


def _sound_of(part: Part) -> Samples | Refused:
    """Give the part's samples, or what is wrong with its audio unless it is FLAC of exactly so many."""
    length = part.end - part.begin
    if not length:
        return np.zeros(0, np.int16)
    about = f"part {part.number} of clip {part.clip}"
    if _promised(part.audio) != length:  # first: a few bytes of FLAC can promise, and unpack to, gigabytes
        return Refused(f"{about} does not hold {length} samples of FLAC", "undecodable")
    try:
        samples = decode_flac(part.audio)
    except SoundError as error:
        return Refused(f"{about} cannot be decoded ({error})", "undecodable")
    if len(samples) != length:
        return Refused(f"{about} holds {len(samples)} samples instead of {length}", "undecodable")
    return samples


def _promised(audio: bytes) -> int | None:
    """Give how many samples the head of a FLAC (its STREAMINFO, the low 36 bits from byte 21 on) says that follow."""
    if audio[:4] != b"fLaC" or len(audio) < 26:
        return None
    return int.from_bytes(audio[21:26], "big") & (2**36 - 1)
