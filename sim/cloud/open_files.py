"""Sound from before there were keys lies open in a store; once such a store is taken up, it is closed."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from sim.cloud import outbox
from sim.cloud.database import Database, rows_of
from sim.cloud.files import Files
from sim.cloud.keychain import Keychain
from sim.cloud.schema import ClipRow, CounterRow, MessageRow, PartRow
from sim.cloud.vault import named_in
from sim.errors import StoreAwayError, StoreError

_MARK = "open files"
"""The counter that a migration leaves where there is something to close."""


def close_open_files(database: Database, files: Files, keys: Keychain) -> int:
    """Close what lies open, and give how many files that were; the same again does nothing."""
    with database.reading() as session:
        if session.get(CounterRow, _MARK) is None:
            return 0
    count = 0
    for customer, name in _sounds(database):
        try:
            content = files.read(name)
        except StoreAwayError:
            raise
        except StoreError:  # it is gone, and whoever wants it is told
            continue
        if named_in(content) is None:
            files.write_all({name: keys.key_of(customer).close(content)})
            count += 1
    with database.writing() as session:
        mark = session.get(CounterRow, _MARK)
        if mark is not None:
            session.delete(mark)
    return count


def _sounds(database: Database) -> Iterator[tuple[str, str]]:
    """Give the customer and the name of each file of sound."""
    with database.reading() as session:
        clips = {row.id: (row.customer, row.device) for row in rows_of(session, select(ClipRow))}
        parts = session.execute(select(PartRow.clip, PartRow.number, PartRow.digest, PartRow.begin, PartRow.end)).all()
        messages = session.execute(select(MessageRow.device, MessageRow.clip, MessageRow.id)).all()
    for clip, number, digest, begin, end in parts:
        customer, device = clips[clip]
        if end > begin:
            yield customer, part_file(device, clip, number, digest)
    for device, clip, message in messages:
        if clip in clips:
            yield clips[clip][0], outbox.sound_file(device, clip, message)


def part_file(device: str, clip: str, number: int, digest: str) -> str:
    """Name a part's file by what it holds too: two that contradict each other never meet in one."""
    return f"audio/{device}/{clip}/{number:05d}-{digest[:16]}.flac"
