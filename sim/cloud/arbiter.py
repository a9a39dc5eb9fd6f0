"""Which device answers where several of one household heard the same word: the one that heard it loudest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

from sim.cloud.moment import parsed
from uplink.message import JSON, Part
from wakeword.sound import RATE

SAMPLE_NS = 1_000_000_000 // RATE
"""Exact: 62,500."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REMEMBERED_NS = 600 * 1_000_000_000
"""Claims that ended so long before the newest one compete no more."""


@dataclass(frozen=True)
class Claim:
    """A device heard its wake word: where, in nanoseconds of UTC since 1970, and how loud (dBFS, RMS of the word).

    ``answered``: this one was answered, so no other may be, however loud.
    """

    clip: str
    device: str
    begin_ns: int
    end_ns: int
    level_db: float
    answered: bool = False

    @property
    def rank(self) -> tuple[bool, float, str, str]:
        """The lowest wins: who was answered, then the loudest, then the first by name."""
        return not self.answered, -self.level_db, self.device, self.clip


@dataclass(frozen=True)
class Ruling:
    """What becomes of a clip that does not stand alone; ``of``: device and level of all, the winner first.

    ``won``: it is the one that is answered; else its capture is to be stopped, and nothing said.
    """

    clip: str
    device: str
    winner: str
    level_db: float
    of: tuple[tuple[str, float], ...]
    won: bool

    def facts(self) -> dict[str, JSON]:
        """As the event `arbitrated` tells it."""
        return {
            "clip": self.clip,
            "device": self.device,
            "winner": self.winner,
            "level_db": self.level_db,
            "of": [[device, level] for device, level in self.of],
        }


def claim_of(part: Part) -> Claim | None:
    """The claim in a clip's part 0; none where no wake word began it, or the device could not say where it was."""
    facts = part.facts
    begin, end, level = (facts.get(name) for name in ("word_begin", "word_end", "voice_dbfs"))
    origin = _nanoseconds(facts.get("utc"))
    if part.number or facts.get("initiator") != "wakeword" or origin is None:
        return None
    if type(begin) is not int or type(end) is not int or type(level) not in (int, float) or not begin < end:
        return None
    heard = (origin + begin * SAMPLE_NS, origin + end * SAMPLE_NS, round(float(cast("float", level)), 2))
    return Claim(part.clip, part.device, *heard)


class Arbiter:
    """Rules among the claims of one household; claims whose words overlap compete, also by way of a third.

    In whatever order the claims come, the same ones have won once all are there, unless one was answered before. The
    `state` is JSON, so that it can lie where several far ends take turns with it.
    """

    def __init__(self, state: Sequence[JSON] = ()) -> None:
        rows = cast("Sequence[tuple[str, str, int, int, float, bool]]", state)
        self._claims = {row[0]: Claim(*row) for row in rows}

    @property
    def state(self) -> list[JSON]:
        """All that is remembered, in an order of its own."""
        return [
            [claim.clip, claim.device, claim.begin_ns, claim.end_ns, claim.level_db, claim.answered]
            for claim in sorted(self._claims.values(), key=lambda claim: (claim.begin_ns, claim.clip))
        ]

    def hear(self, claim: Claim) -> tuple[Ruling, ...]:
        """Take a claim and give what it changes: its own ruling and those of the clips that it decided otherwise.

        A clip that stood alone until now is among them. Nothing where the claim stands alone, or was heard before.
        """
        if claim.clip in self._claims:
            return ()
        before = {other: self.ruling(other) for other in self._claims}
        self._claims[claim.clip] = claim
        rulings = [self.ruling(clip) for clip in (claim.clip, *before)]
        self._forget()
        return tuple(ruling for ruling in rulings if ruling is not None and _is_news(ruling, before.get(ruling.clip)))

    def ruling(self, clip: str) -> Ruling | None:
        """What becomes of a clip as far as is known; nothing where it stands alone, or is not known."""
        if clip not in self._claims:
            return None
        rivals = sorted(self._rivals(self._claims[clip]), key=lambda claim: claim.rank)
        if len(rivals) == 1:
            return None
        claim, first = self._claims[clip], rivals[0]
        of = tuple((each.device, each.level_db) for each in rivals)
        return Ruling(clip, claim.device, first.device, claim.level_db, of, won=first is claim)

    def answered(self, clip: str) -> None:
        """Whoever claims the same word from now on has lost."""
        if clip in self._claims:
            self._claims[clip] = replace(self._claims[clip], answered=True)

    def _rivals(self, claim: Claim) -> Iterator[Claim]:
        """The claim itself, those whose word overlaps with it, those that overlap with these, and so on."""
        left = dict(self._claims)
        queue = [left.pop(claim.clip)]
        while queue:
            one = queue.pop()
            yield one
            near = [each for each in left.values() if each.begin_ns < one.end_ns and one.begin_ns < each.end_ns]
            queue += [left.pop(each.clip) for each in near]

    def _forget(self) -> None:
        newest = max(claim.end_ns for claim in self._claims.values())
        self._claims = {clip: claim for clip, claim in self._claims.items() if claim.end_ns > newest - _REMEMBERED_NS}


def _is_news(ruling: Ruling, before: Ruling | None) -> bool:
    return before is None or ruling.won != before.won


def _nanoseconds(utc: JSON) -> int | None:
    moment = parsed(utc)
    return None if moment is None or moment.tzinfo is None else (moment - _EPOCH) // timedelta(microseconds=1) * 1000
