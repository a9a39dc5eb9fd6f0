"""Parts into the tables, any number in one transaction: what fits is stored, what contradicts is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sqlalchemy import JSON, Connection, String, TextClause, bindparam, text

from sim.cloud.customers import Held, owners
from sim.cloud.keychain import Owner, StaleKeyError
from sim.cloud.moment import begun
from sim.errors import Refused
from uplink.message import Part


def _of_clips(sql: str, *more: str) -> TextClause:
    return text(sql).bindparams(*(bindparam(name, expanding=True) for name in ("clips", *more)))


# Plain SQL, because beside the sound's own cost that of an object for every row would be the larger one.
_NEW_CLIP = text(
    "INSERT INTO clips (id, device, complete, customer, utc) VALUES (:clip, :device, false, :customer, :utc) "
    "ON CONFLICT (id) DO NOTHING"
)
_CLIPS = "SELECT id, device, complete, customer, utc FROM clips WHERE id IN :clips ORDER BY id"
_LOCK = {"sqlite": _of_clips(_CLIPS), "postgresql": _of_clips(f"{_CLIPS} FOR NO KEY UPDATE")}
"""Who adds to a clip gets its row, and nobody else before the end; on SQLite the transaction shuts out all others."""
_COUNT = _of_clips("SELECT clip, count(*), max(number) FROM parts WHERE clip IN :clips GROUP BY clip")
_NEAR = _of_clips(
    'SELECT clip, number, last, begin, "end", digest FROM parts WHERE clip IN :clips AND (number IN :numbers OR last)',
    "numbers",
)
_DELETED_SINCE = text(
    "INSERT INTO deleted (clip, device, asked, what, swept, spool) "
    "VALUES (:clip, :device, :deletion, :what, false, '') ON CONFLICT (clip) DO NOTHING"
).bindparams(bindparam("what", type_=JSON))
_DELETED = _of_clips("SELECT clip, what FROM deleted WHERE clip IN :clips").columns(clip=String, what=JSON)
_SWEEP_AGAIN = _of_clips("UPDATE deleted SET swept = false WHERE clip IN :clips")
_NO_PARTS = _of_clips("DELETE FROM parts WHERE clip IN :clips")
_DATE = text("UPDATE clips SET utc = :utc WHERE id = :clip")
_UNMAKE = _of_clips("DELETE FROM clips WHERE id IN :clips")
_NEW_PART = text(
    'INSERT INTO parts (clip, number, last, begin, "end", digest, sealed, facts) '
    "VALUES (:clip, :number, :last, :begin, :end, :digest, :sealed, :facts)"
).bindparams(bindparam("facts", type_=JSON))
_CAME_AGAIN = text("UPDATE parts SET sealed = :sealed WHERE clip = :clip AND number = :number")
_COMPLETE = _of_clips("UPDATE clips SET complete = true WHERE id IN :clips")
_NEW_TURN = text("INSERT INTO turns (clip, owner, beat) VALUES (:clip, NULL, 0)")


class Outcome(Enum):
    """What became of a part that is neither stored nor refused."""

    DELETED = "its clip was deleted, and what comes late of it is not kept"


@dataclass
class _Known:
    """A clip as far as it must be known to add to it: `near` has its part beside and under each that came."""

    device: str
    complete: bool
    customer: str
    dated: bool
    deleted: bool = False
    stored: int = 0
    highest: int = -1
    final: int | None = None
    near: dict[int, tuple[int, int, str]] = field(default_factory=dict)  # begin, end, digest, by number

    def add(self, number: int, last: bool, begin: int, end: int, digest: str) -> None:
        self.near[number] = begin, end, digest
        if last:
            self.final = number


def add_parts(
    connection: Connection, parts: Sequence[Part], closed: Mapping[str, Owner]
) -> list[bool | Refused | Outcome]:
    """Add parts in their order, within a transaction; of each, whether its clip is complete then, or why it is not.

    closed: by clip, for whom and with which key its files were closed; raises StaleKeyError where that is no more so.

    The same part again is taken in silence. The clips' rows are locked in the order of their names, so that of several
    who add at once none waits for one that waits for it.
    """
    # The first to name a clip has it, and part 0 knows most of it.
    firsts = {part.clip: part for part in (*reversed(parts), *(part for part in parts if part.number == 0))}
    known = _known(connection, firsts, closed, {n for part in parts for n in range(part.number - 1, part.number + 2)})
    new, again, completed = [], [], []
    outcomes: list[bool | Refused | Outcome] = []
    for part in parts:
        clip = known[part.clip]
        if clip.deleted:
            outcomes.append(Outcome.DELETED)
            continue
        sealed = {"clip": part.clip, "number": part.number, "sealed": part.sealed or part.digest}
        try:
            if _is_stored(part, clip):
                again.append(sealed)
                outcomes.append(clip.complete)
                continue
            _require_fit(part, clip)
        except Refused as error:
            outcomes.append(error)
            continue
        facts = {"digest": part.digest, "facts": dict(part.facts)}
        new.append({**sealed, **facts, "last": part.last, "begin": part.begin, "end": part.end})
        clip.add(part.number, part.last, part.begin, part.end, part.digest)
        clip.stored += 1
        clip.highest = max(clip.highest, part.number)
        if clip.final is not None and clip.stored == clip.final + 1:
            clip.complete = True
            completed.append(part.clip)
        outcomes.append(clip.complete)
    for statement, rows in ((_NEW_PART, new), (_CAME_AGAIN, again)):
        if rows:
            connection.execute(statement, rows)
    if completed:
        connection.execute(_COMPLETE, {"clips": completed})
        connection.execute(_NEW_TURN, [{"clip": clip} for clip in completed])
    return outcomes


def _known(
    connection: Connection, firsts: Mapping[str, Part], closed: Mapping[str, Owner], numbers: Iterable[int]
) -> dict[str, _Known]:
    """Lock the rows of these clips, made where they are missing, and read what is stored of them."""
    clips = sorted(firsts)
    whose = owners(connection, (part.device for part in firsts.values()))
    connection.execute(_NEW_CLIP, [_new_clip(firsts[clip], whose) for clip in clips])
    rows = connection.execute(_LOCK[connection.dialect.name], {"clips": clips})
    known = {clip: _Known(device, bool(complete), whose, bool(utc)) for clip, device, complete, whose, utc in rows}
    _date(connection, [clip for clip in known if not known[clip].dated], firsts)
    _delete_late(connection, firsts, whose)
    counts = connection.execute(_COUNT, {"clips": clips}).all()
    near = connection.execute(_NEAR, {"clips": clips, "numbers": sorted(numbers)}).all()
    deleted = connection.execute(_DELETED, {"clips": clips}).all()
    if known.keys() != set(clips) or not known.keys() >= {row[0] for row in (*counts, *near, *deleted)}:
        raise ValueError("it gives other clips than it is asked for")  # its file was changed
    _require_keys(closed, known, whose)
    for clip, stored, highest in counts:
        known[clip].stored, known[clip].highest = _number(stored), _number(highest)
    for clip, number, last, begin, end, digest in near:
        known[clip].add(_number(number), bool(last), _number(begin), _number(end), digest)
    for clip, what in deleted:
        known[clip].deleted = "audio" in what
    if gone := [clip for clip in clips if known[clip].deleted]:
        connection.execute(_SWEEP_AGAIN, {"clips": gone})  # their sound is on the disk by now
    if unmade := [clip for clip in gone if not known[clip].stored]:
        connection.execute(_UNMAKE, {"clips": unmade})  # they had to be there to be locked
    return known


def _date(connection: Connection, clips: Sequence[str], firsts: Mapping[str, Part]) -> None:
    """Say of clips when they were, where that shows only now."""
    for clip in clips:
        if utc := _begun(firsts[clip]):
            connection.execute(_DATE, {"clip": clip, "utc": utc})


def _begun(part: Part) -> str:
    return begun(part.clip, part.facts if part.number == 0 else {}, part.begin)


def _delete_late(connection: Connection, firsts: Mapping[str, Part], whose: Mapping[str, Held]) -> None:
    """Count clips as deleted that began in a time that a customer had deleted before anything of them came."""
    for clip, part in firsts.items():
        spans = whose[part.device].spans
        utc = _begun(part) if spans else ""
        for span in spans:
            if utc and span.begin <= utc < span.end:
                row = {"clip": clip, "device": part.device, "what": span.what, "deletion": span.deletion}
                connection.execute(_DELETED_SINCE, row)
                if "audio" in span.what:
                    connection.execute(_NO_PARTS, {"clips": [clip]})  # that came while it was not known when it was


def _require_keys(closed: Mapping[str, Owner], known: Mapping[str, _Known], whose: Mapping[str, Held]) -> None:
    """Raise StaleKeyError unless each clip's files are closed with the newest key of him whose clip it is."""
    for clip, there in known.items():
        held = whose.get(there.device)
        newest = held.key if held is not None and held.customer == there.customer else closed[clip].key.name
        if there.customer and (there.customer, newest) != (closed[clip].customer, closed[clip].key.name):
            raise StaleKeyError({other: each.customer for other, each in known.items() if each.customer})


def _new_clip(part: Part, whose: Mapping[str, Held]) -> dict[str, str]:
    whose_now = whose[part.device].customer
    return {"clip": part.clip, "device": part.device, "customer": whose_now, "utc": _begun(part)}


def _number(value: object) -> int:
    """Give a number of the database as one; raises ValueError where its file was changed, and holds something else."""
    if not isinstance(value, int):
        raise ValueError("where a number must be, it has none")
    return value


def _is_stored(part: Part, clip: _Known) -> bool:
    """Whether this very part is stored; raises Refused where another is, or the clip is another device's."""
    if part.device != clip.device:
        raise Refused(f"clip {part.clip} is one of {clip.device}, and not of {part.device}")
    here = clip.near.get(part.number)
    if here is not None and here[2] != part.digest:
        raise Refused(f"part {part.number} of clip {part.clip} is already stored with other audio")
    return here is not None


def _require_fit(part: Part, clip: _Known) -> None:
    """Raise Refused where a part does not join its neighbours, or stands behind the last one."""
    before, behind = clip.near.get(part.number - 1), clip.near.get(part.number + 1)
    if before is not None and before[1] != part.begin:
        raise Refused(
            f"part {part.number} of clip {part.clip} begins at {part.begin}, but the one before ends at {before[1]}"
        )
    if behind is not None and behind[0] != part.end:
        raise Refused(f"part {part.number} of clip {part.clip} ends at {part.end}, but the next begins at {behind[0]}")
    if (clip.final is not None and (part.last or part.number > clip.final)) or (
        part.last and clip.highest > part.number
    ):
        raise Refused(f"part {part.number} of clip {part.clip} contradicts where the clip ends")
