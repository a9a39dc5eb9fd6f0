"""The far end as a plain object: a part goes in, receipts come out; a whole clip is answered. No clock, no network."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript
from sim.errors import Refused
from uplink.inventory import Inquiry, Inventory
from uplink.message import Directive, Part, Receipt
from wakeword.errors import SoundError
from wakeword.sound import Samples, decode_flac

if TYPE_CHECKING:
    from sim.cloud.recognizer import Recognizer

_RECENT_PARTS = 256
"""Parts whose samples are kept for the recognizer: 8 MB at most."""


@dataclass(frozen=True)
class Answer:
    """What the far end makes of a clip: the transcript, and what it wants of the device."""

    clip: str
    device: str
    transcript: Transcript
    directives: tuple[Directive, ...]


class Cloud:
    """Receives parts, and answers clips; the same parts in the same order give the same receipts and answers."""

    def __init__(self, store: ClipStore, recognizer: Recognizer) -> None:
        self.store = store
        self._recognizer = recognizer
        self._recent = _Recent()

    def receive(self, part: Part) -> list[Receipt | Directive]:
        """Store a part and receipt it; the same part again is receipted again.

        Raises Refused for audio that is not the FLAC of its samples, or a part that contradicts what is stored, and
        StoreError where the store fails.
        """
        (answers,) = self.receive_all([part])
        if isinstance(answers, Refused):
            raise answers
        return answers

    def receive_all(self, parts: Sequence[Part]) -> list[list[Receipt | Directive] | Refused]:
        """Receive parts in their order, all in one transaction: of each what `receive` gives, or why it is refused.

        Raises StoreError where the store fails, and then none of them counts as received.
        """
        faults = [self._fault(part) for part in parts]
        sound = [part for part, fault in zip(parts, faults, strict=True) if fault is None]
        stored = iter(self.store.add_all(sound) if sound else ())
        return [
            _answers(part, next(stored) if fault is None else fault) for part, fault in zip(parts, faults, strict=True)
        ]

    def take_stock(self, inquiry: Inquiry) -> Inventory:
        """Say which of the parts that a device asks about are stored; raises StoreError."""
        parts, complete = self.store.stock(inquiry.parts)
        return Inventory(inquiry.device, inquiry.question, parts, complete)

    def answer(self, clip: str) -> Answer:
        """Listen to a complete clip, keep what was heard, and end the turn.

        Raises StoreError where the clip is not complete, TakenOverError where another receiver took it,
        and RecognizerError where the recognizer fails.
        """
        transcript = self._recognizer.transcribe(self.store.audio(clip, self._recent.take))
        self.store.add_transcript(clip, transcript)
        return Answer(clip, self.store.device_of(clip), transcript, (Directive("TurnEnd", clip),))

    def _fault(self, part: Part) -> Refused | None:
        """Say what is wrong with the audio of a part, unless it is FLAC of exactly the part's samples."""
        length = part.end - part.begin
        if not length:
            return None
        if _promised(part.audio) != length:  # first: a few bytes of FLAC can promise, and unpack to, gigabytes
            return Refused(
                f"part {part.number} of clip {part.clip} does not hold {length} samples of FLAC", "undecodable"
            )
        try:
            samples = decode_flac(part.audio)
        except SoundError as error:
            return Refused(f"part {part.number} of clip {part.clip} cannot be decoded ({error})", "undecodable")
        if len(samples) != length:
            return Refused(
                f"part {part.number} of clip {part.clip} holds {len(samples)} samples instead of {length}",
                "undecodable",
            )
        self._recent.add(part.digest, samples)
        return None


class _Recent:
    """The sound of the parts that came last, by digest, so that it need not be unpacked a second time; given once."""

    def __init__(self) -> None:
        self._samples: OrderedDict[str, Samples] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, digest: str, samples: Samples) -> None:
        with self._lock:
            self._samples[digest] = samples
            if len(self._samples) > _RECENT_PARTS:
                self._samples.popitem(last=False)

    def take(self, digest: str) -> Samples | None:
        with self._lock:
            return self._samples.pop(digest, None)


def _answers(part: Part, outcome: bool | Refused) -> list[Receipt | Directive] | Refused:
    if isinstance(outcome, Refused):
        return outcome
    return [Receipt(part.device, part.clip, part.number, part.sealed or part.digest, outcome)]


def _promised(audio: bytes) -> int | None:
    """Give how many samples the head of a FLAC (its STREAMINFO, the low 36 bits from byte 21 on) says that follow."""
    if audio[:4] != b"fLaC" or len(audio) < 26:
        return None
    return int.from_bytes(audio[21:26], "big") & (2**36 - 1)
