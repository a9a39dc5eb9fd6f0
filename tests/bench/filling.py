"""An archive as large as wanted: rows as the far end writes them, put straight into the tables, and sound for some."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sim.cloud.customers import number_of, serial_of
from sim.cloud.schema import stamp
from sim.cloud.store import ClipStore
from tests.uplink_kit import noise
from wakeword.sound import encode_flac

CUSTOMERS = 500
"""Who share the clips that are not those of customers who have all deleted."""
SOUND_OF = 10
"""One clip in so many of those that are deleted has its sound; the others are rows alone."""
DRAWN = 0.02
"""So many are drawn for people to listen to, more than anybody has told of; half of them were."""
_BEGIN = datetime(2018, 1, 1, tzinfo=UTC)
_SPREAD_S = 480 * 86_400
_WORDS = ("alexa", "what", "is", "the", "time", "play", "a", "song", "set", "timer", "for", "ten", "minutes", "stop")

Row = tuple[object, ...]


@dataclass(frozen=True)
class Owner:
    """A customer of the archive, who has one device."""

    number: str
    device: str


def crowd() -> list[Owner]:
    """Those who keep their clips."""
    return [Owner(number_of(f"home-{n}"), f"home-{n}") for n in range(CUSTOMERS)]


def leaver(number: int) -> Owner:
    """One of those who have everything deleted."""
    return Owner(number_of(f"leaver-{number}"), f"leaver-{number}")


COLUMNS = {
    "customers": "number, first_name",
    "devices": "name, customer, serial",
    "clips": "id, device, complete, customer, utc",
    "parts": 'clip, number, last, begin, "end", digest, sealed, facts',
    "transcripts": "clip, recognizer, text, words",
    "tasks": "id, clip, copy, policy, reason, chance, queue, state, annotator, taken_until",
    "annotations": "task, clip, annotator, utc, transcript, addressed, wake_word, kind, language, speakers, seconds, "
    "listens",
}


def tables(archived: int, leavers: Sequence[Owner], owned: int) -> Iterator[tuple[str, list[Row]]]:
    """Give rows by table, many at a time, in an order that suits their references."""
    people = crowd()
    everybody = [*people, *leavers]
    yield "customers", [(each.number, "Ann") for each in everybody]
    yield "devices", [(each.device, each.number, serial_of(each.device)) for each in everybody]
    draw = random.Random(0)
    whose = [people[n % CUSTOMERS] for n in range(archived - owned * len(leavers))]
    whose += [each for each in leavers for _ in range(owned)]
    for begin in range(0, len(whose), 20_000):
        yield from _chunk(whose[begin : begin + 20_000], begin, draw)


def _chunk(whose: Sequence[Owner], first: int, draw: random.Random) -> Iterator[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {name: [] for name in ("clips", "parts", "transcripts", "tasks", "annotations")}
    for number, owner in enumerate(whose, first):
        at = _BEGIN + timedelta(seconds=draw.randrange(_SPREAD_S), microseconds=number)
        clip = f"{owner.device}-{at:%Y%m%dt%H%M%S%f}-{0:012d}"
        text = " ".join(draw.choices(_WORDS, k=8))
        words = json.dumps([[word, n * 4_000, n * 4_000 + 3_000, 0.8] for n, word in enumerate(text.split())])
        facts = json.dumps({"initiator": "wakeword", "word": "alexa", "score": 0.87, "utc": stamp(at)})
        found["clips"].append((clip, owner.device, True, owner.number, stamp(at)))
        digest = hashlib.sha256(clip.encode()).hexdigest()
        found["parts"].append((clip, 0, True, 0, 16_000, digest, digest, facts))
        found["transcripts"].append((clip, "test", text, words))
        if draw.random() < DRAWN:
            done = draw.random() < 0.5
            state, who = ("done", "carol") if done else ("open", None)
            handle = digest[:32]
            found["tasks"].append((handle, clip, 0, "2019-april", "random", DRAWN, "general", state, who, None))
            if done:
                found["annotations"].append(
                    (handle, clip, "carol", stamp(at), text, True, True, "mundane", "en", 1, 20.0, 1)
                )
    yield from found.items()


def give_sound(store: ClipStore, root: Path, owner: Owner, clips: Sequence[tuple[str, str]]) -> None:
    """Lay the sound of some of these clips, by id and digest, where the store would, closed with their owner's key."""
    key = store.keychain.key_of(owner.number)
    sound = encode_flac(noise(16_000))
    for clip, digest in clips[::SOUND_OF]:
        folder = root / "audio" / owner.device / clip
        folder.mkdir(parents=True)
        (folder / f"00000-{digest[:16]}.flac").write_bytes(key.close(sound))
