"""A training set out of annotated clips: an AudioFolder in which each file bears its licence and consent.

It is registered in the store, so that a customer's deletion reaches it for as long as it stays where it was written.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from sim.cloud.schema import (
    AnnotationRow,
    ClipRow,
    CustomerRow,
    DeletedRow,
    ExportFileRow,
    ExportRow,
    TaskRow,
    stamp,
)
from sim.cloud.store import ClipStore
from sim.cloud.training_sets import TABLE, remove_files
from sim.errors import FeedbackError, StoreAwayError, StoreError
from sim.review.audit import Audit
from sim.review.chain import Entry
from sim.review.policy import ReviewPolicy
from uplink.message import JSON
from wakeword.sound import encode_flac

FIELDS = (
    "file_name",
    "transcription",
    "addressed",
    "wake_word",
    "word",
    "kind",
    "language",
    "speakers",
    "annotators",
    "licence",
    "consent",
)
"""No account, no device, no time: what is heard in the sound is all that tells whose it is."""


@dataclass(frozen=True)
class Exported:
    """What was written; left_out: how many annotated clips were not, by why."""

    id: str
    folder: Path
    files: int
    left_out: dict[str, int]


@dataclass(frozen=True)
class _Line:
    clip: str
    customer: str | None
    cells: dict[str, str]


def export(
    store: ClipStore,
    policy: ReviewPolicy,
    audit: Audit,
    now: Callable[[], datetime],
    *,
    name: str,
    out: Path,
    licence: str,
    who: str = "command",
) -> Exported:
    """Write every annotated clip that the policy lets people listen to; `name` is the set's own, for ever.

    First the set is registered, then written, then looked over again: a deletion in between finds it, or is found.
    Raises FeedbackError, and StoreAwayError while the store cannot be used.
    """
    if not licence.strip():
        raise FeedbackError("a training set needs a licence; name one with --licence, such as CC-BY-NC-4.0")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FeedbackError(f"{out} has other things in it; name an empty folder, or a new one, with --out")
    folder = out.absolute()
    left_out: dict[str, int] = {}
    utc = now()
    with store.database.writing() as session:
        lines = []
        for line in _lines(session, policy, licence):
            if isinstance(line, str):
                left_out[line] = left_out.get(line, 0) + 1
            else:
                lines.append(line)
        if not lines:
            why = "".join(f", {count} {reason}" for reason, count in sorted(left_out.items()))
            raise FeedbackError(f"no clip with annotations may be exported{why}; have some reviewed first")
        consent = ", ".join(sorted({line.cells["consent"] for line in lines}))
        session.add(ExportRow(id=name, path=str(folder), utc=stamp(utc), licence=licence, consent=consent))
        session.flush()
        session.add_all(ExportFileRow(export=name, file=line.cells["file_name"], clip=line.clip) for line in lines)
        session.flush()
        for line in lines:
            details: dict[str, JSON] = {"export": name, "licence": licence, "consent": line.cells["consent"]}
            audit.append(session, Entry(who, "command", "export", line.clip, line.customer, details), utc)
    written = _write(store, folder, lines)
    gone = [line.cells["file_name"] for line in written if line.clip not in _still(store, name)]
    if gone:
        remove_files(folder, gone)
    missing = len(lines) - len(written) + len(gone)
    if missing:
        left_out["deleted"] = left_out.get("deleted", 0) + missing
    return Exported(name, folder, len(lines) - missing, left_out)


def _lines(session: Session, policy: ReviewPolicy, licence: str) -> Iterator[_Line | str]:
    """Of each annotated clip its line, or why it has none."""
    rows = session.execute(
        select(
            AnnotationRow.clip,
            AnnotationRow.transcript,
            AnnotationRow.addressed,
            AnnotationRow.wake_word,
            AnnotationRow.kind,
            AnnotationRow.language,
            AnnotationRow.speakers,
            ClipRow.customer,
            CustomerRow.choice,
            DeletedRow.what,
        )
        .join(TaskRow, TaskRow.id == AnnotationRow.task)
        .join(ClipRow, ClipRow.id == AnnotationRow.clip)
        .join(CustomerRow, CustomerRow.number == ClipRow.customer, isouter=True)
        .join(DeletedRow, DeletedRow.clip == ClipRow.id, isouter=True)
        .order_by(AnnotationRow.clip, TaskRow.copy, AnnotationRow.task)
    ).all()
    for number, (clip, group) in enumerate(groupby(rows, key=lambda row: row.clip)):
        those = list(group)
        first = those[0]
        refused = "deleted" if first.what is not None else policy.refusal(first.choice)
        if refused is not None:
            yield refused
            continue
        kinds = [row.kind for row in those]
        yield _Line(
            clip,
            first.customer,
            {
                "file_name": f"{number:06d}.flac",
                "transcription": first.transcript,
                "addressed": _agreed(those, "addressed"),
                "wake_word": _agreed(those, "wake_word"),
                "word": "",
                "kind": max(kinds, key=("mundane", "upsetting", "criminal").index),
                "language": first.language,
                "speakers": str(max(row.speakers for row in those)),
                "annotators": str(len(those)),
                "licence": licence,
                "consent": {"in": "opted in", "out": "opted out", None: "never asked"}[first.choice],
            },
        )


def _agreed(rows: Sequence[Row[tuple[object, ...]]], label: str) -> str:
    """Yes, no, or nothing where those who annotated a clip do not agree, or could not tell."""
    said = {getattr(row, label) for row in rows}
    return {(True,): "yes", (False,): "no"}.get(tuple(said), "")


def _write(store: ClipStore, folder: Path, lines: Sequence[_Line]) -> list[_Line]:
    """Write files and table; a clip that was deleted meanwhile is left out. Raises FeedbackError."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for line in lines:
            clip = store.clip(line.clip)
            try:
                sound = None if clip is None else encode_flac(store.audio(line.clip))
            except StoreAwayError:
                raise
            except StoreError:  # it is gone, or damaged: there is nothing to write
                sound = None
            if clip is None or sound is None:
                continue
            (folder / line.cells["file_name"]).write_bytes(sound)
            written.append(_Line(line.clip, line.customer, {**line.cells, "word": str(clip.opening.get("word", ""))}))
        with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, FIELDS, lineterminator="\n")
            table.writeheader()
            table.writerows(line.cells for line in written)
    except OSError as error:
        raise FeedbackError(f"{folder} cannot be written ({error.strerror}); name another --out") from None
    return written


def _still(store: ClipStore, name: str) -> set[str]:
    """The clips of a set that nobody has had deleted meanwhile."""
    rows = (
        select(ExportFileRow.clip)
        .join(ClipRow, ClipRow.id == ExportFileRow.clip)
        .join(DeletedRow, DeletedRow.clip == ClipRow.id, isouter=True)
        .where(ExportFileRow.export == name, DeletedRow.clip.is_(None))
    )
    with store.database.reading() as session:
        return set(session.scalars(rows))
