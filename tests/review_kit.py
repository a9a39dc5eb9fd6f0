"""A store with customers and clips for people to listen to, and what the desk needs beside it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from sim.cloud.customers import Account, Choice
from sim.cloud.schema import ClipRow, PartRow, TranscriptRow, stamp
from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript, Word
from sim.review.audit import Audit
from sim.review.signer import Signer
from tests.uplink_kit import cut, noise
from uplink.keyring import Keyring
from uplink.message import JSON

NOON = datetime(2019, 4, 10, 12, tzinfo=UTC)
SAMPLES = noise(2_000)


@dataclass
class Clock:
    """A time that goes on only when it is told to."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **delta: float) -> None:
        self.at += timedelta(**delta)


@dataclass
class Programme:
    """A store on a database, its log, and a clock."""

    folder: Path
    database: str | None = None
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.store = ClipStore(self.folder / "store", self.database)
        self.signer = Signer.of(Keyring.of_far_end(self.folder / "store"))
        self.audit = Audit(self.store.database, self.signer, self.heads)

    @property
    def heads(self) -> tuple[Path, Path]:
        return self.folder / "store" / "keys" / "audit.head", self.folder / "elsewhere" / "audit.head"

    def customer(self, number: int, first_name: str = "Ann", choice: Choice | None = None, device: str = "") -> str:
        """Make a customer with one device, and give the device's name."""
        device = device or f"dot-{number}"
        account = Account(f"A{number:010d}", first_name, 45.5, -122.6, choice, {device: f"G0{number:014d}"})
        self.store.customers.register(account)
        return device

    def clip(
        self, device: str = "dot", begin: int = 0, text: str = "alexa play a song", confidence: float = 0.9
    ) -> str:
        """Store a clip with sound and transcript, and give its id."""
        first, *rest = cut(SAMPLES, 1_000, device=device, begin=begin)
        facts: dict[str, JSON] = {"initiator": "wakeword", "word": "alexa", "score": 0.9}
        for part in (replace(first, facts=facts), *rest):
            self.store.add(part)
        words = tuple(Word(word, 0, 100, confidence) for word in text.split())
        self.store.add_transcript(first.clip, Transcript.of(words, "test"))
        return first.clip

    def rows(self, device: str, count: int, text: str = "alexa play a song", first: int = 0) -> list[str]:
        """Store many clips of a device without their sound, and give their ids."""
        owner = self.store.customers.of_device(device).number
        ids = [f"{device}-20190410t120000000000-{number * 16_000:012d}" for number in range(first, first + count)]
        heard = [[word, 0, 100, 0.9] for word in text.split()]
        facts = {"initiator": "wakeword", "word": "alexa", "score": 0.9}
        with self.store.database.writing() as session:
            session.execute(
                insert(ClipRow),
                [
                    {"id": each, "device": device, "complete": True, "customer": owner, "utc": stamp(NOON)}
                    for each in ids
                ],
            )
            part = {"number": 0, "last": True, "begin": 0, "end": 16_000, "digest": "", "sealed": "", "facts": facts}
            session.execute(insert(PartRow), [{"clip": each, **part} for each in ids])
            heard_row = {"recognizer": "test", "text": text, "words": heard}
            session.execute(insert(TranscriptRow), [{"clip": each, **heard_row} for each in ids])
        return ids

    def close(self) -> None:
        self.store.close()


def seeded(seed: int = 1) -> random.Random:
    return random.Random(seed)


def names(count: int) -> Sequence[str]:
    return [f"annotator-{number}" for number in range(count)]
