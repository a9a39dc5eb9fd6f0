"""The far end as a plain object: a part goes in, receipts come out; a whole clip is answered. No clock, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript
from sim.errors import Refused
from uplink.inventory import Inquiry, Inventory
from uplink.message import Directive, Part, Receipt
from wakeword.errors import SoundError
from wakeword.sound import decode_flac

if TYPE_CHECKING:
    from sim.cloud.recognizer import Recognizer


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

    def receive(self, part: Part) -> list[Receipt | Directive]:
        """Store a part and receipt it; the same part again is receipted again.

        Raises Refused for audio that is not the FLAC of its samples, or a part that contradicts what is stored, and
        StoreError where the store fails.
        """
        _require_sound(part)
        complete = self.store.add(part)
        return [Receipt(part.device, part.clip, part.number, part.sealed or part.digest, complete)]

    def take_stock(self, inquiry: Inquiry) -> Inventory:
        """Say which of the parts that a device asks about are stored; raises StoreError."""
        parts, complete = self.store.stock(inquiry.parts)
        return Inventory(inquiry.device, inquiry.question, parts, complete)

    def answer(self, clip: str) -> Answer:
        """Listen to a complete clip, keep what was heard, and end the turn.

        Raises StoreError where the clip is not complete, TakenOverError where another receiver took it,
        and RecognizerError where the recognizer fails.
        """
        transcript = self._recognizer.transcribe(self.store.audio(clip))
        self.store.add_transcript(clip, transcript)
        stored = self.store.clip(clip)
        assert stored is not None  # its audio has just been read
        return Answer(clip, stored.device, transcript, (Directive("TurnEnd", clip),))


def _require_sound(part: Part) -> None:
    """Raise Refused unless the audio is FLAC of exactly the part's samples."""
    length = part.end - part.begin
    if not length:
        return
    if _promised(part.audio) != length:  # first: a few bytes of FLAC can promise, and unpack to, gigabytes
        raise Refused(f"part {part.number} of clip {part.clip} does not hold {length} samples of FLAC", "undecodable")
    try:
        samples = decode_flac(part.audio)
    except SoundError as error:
        raise Refused(f"part {part.number} of clip {part.clip} cannot be decoded ({error})", "undecodable") from None
    if len(samples) != length:
        raise Refused(
            f"part {part.number} of clip {part.clip} holds {len(samples)} samples instead of {length}", "undecodable"
        )


def _promised(audio: bytes) -> int | None:
    """Give how many samples the head of a FLAC (its STREAMINFO, the low 36 bits from byte 21 on) says that follow."""
    if audio[:4] != b"fLaC" or len(audio) < 26:
        return None
    return int.from_bytes(audio[21:26], "big") & (2**36 - 1)
