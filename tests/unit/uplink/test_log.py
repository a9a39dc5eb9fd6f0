"""A spool's log that the disk has changed after its program was killed: SQLite says nothing, so the spool does."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.spool_kit import Row, clip_id, content, fill, row
from tests.unit.uplink.test_rescue import Told
from uplink import database
from uplink.errors import SpoolError
from uplink.log import cut_log
from uplink.spool import Spool

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.spool_kit import clip_id, row
from uplink.spool import Spool
spool = Spool(Path(sys.argv[1]))
for clip in range(3, 6):
    for number in range(3):
        spool.put(*row(clip_id(clip), number), last=number == 2)
spool.settle([row(clip_id(0), number)[:3] for number in range(3)])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[Row]]:
    """A spool whose program was killed, and what is in it: clips 1 and 2 in the file, 3 to 5 in the log."""
    monkeypatch.setattr(database, "RESERVE_BYTES", 4096)
    path = tmp_path / "killed" / "spool.sqlite"
    spool = Spool(path)
    fill(spool, 3, 3)
    spool.close()
    subprocess.run([sys.executable, "-c", KILLED, path], check=False, timeout=60)
    assert path.with_name("spool.sqlite-wal").stat().st_size > 40_000
    return path, [row(clip_id(clip), number) for clip in range(1, 6) for number in range(3)]


def copied(path: Path, folder: Path) -> Path:
    shutil.copytree(path.parent, folder)
    return folder / path.name


def spoil(path: Path, at: float, data: bytes) -> None:
    log = path.with_name(f"{path.name}-wal")
    whole = bytearray(log.read_bytes())
    begin = int(at * (len(whole) - len(data)))
    whole[begin : begin + len(data)] = bytes(one ^ other for one, other in zip(whole[begin:], data, strict=False))
    log.write_bytes(whole)


def test_a_log_that_is_whole_is_taken_in_silence(killed: tuple[Path, list[Row]]) -> None:
    path, rows = killed
    told = Told()
    assert cut_log(path) is None
    spool = Spool(path, on_fact=told)
    assert content(spool) == rows
    assert told.facts == []
    spool.close()


@pytest.mark.parametrize("width", [1, 600, 9_000])
def test_no_damage_to_the_log_costs_a_part_that_is_not_named(
    killed: tuple[Path, list[Row]], tmp_path: Path, width: int
) -> None:
    path, rows = killed
    chance, kept = random.Random(width), 0
    for turn in range(40):
        copy, told = copied(path, tmp_path / str(turn)), Told()
        spoil(copy, 0.9 * turn / 39, bytes(chance.randrange(1, 256) for _ in range(width)))
        spool = Spool(copy, on_fact=told)
        here = content(spool)
        assert all(one in rows for one in here if one[0] != clip_id(0)), "what was settled may be there again"
        named = {drop.clip for drop in spool.drops()}
        assert all(one in here or one[0] in named for one in rows), turn
        assert [one[0] for one in told.facts].count("spool_rescued") == 1
        assert spool.put(*row("dot-new", 0))
        spool.close()
        again = Spool(copy, on_fact=told)
        assert row("dot-new", 0) in content(again)
        assert len(told.all("spool_rescued")) == 1, "told once"
        again.close()
        kept += len(here)
    assert kept > 40 * len(rows) * (0.9 if width == 1 else 0.5)


def test_a_transaction_that_was_never_finished_is_no_damage(killed: tuple[Path, list[Row]]) -> None:
    path, rows = killed
    log = path.with_name("spool.sqlite-wal")
    whole = log.read_bytes()
    log.write_bytes(whole[: -4096 - 24])  # the last transaction lacks its end
    told = Told()
    spool = Spool(path, on_fact=told)
    here = content(spool)
    assert told.facts == []
    assert [one for one in here if one[0] != clip_id(0)] == rows
    spool.close()


def test_a_guest_leaves_a_damaged_log_as_it_is(killed: tuple[Path, list[Row]]) -> None:
    path, _ = killed
    spoil(path, 0.5, b"\1")
    before = path.with_name("spool.sqlite-wal").read_bytes()
    with pytest.raises(SpoolError, match=r"the log of the spool .* is damaged; its device mends it"):
        Spool(path, guest=True)
    assert path.with_name("spool.sqlite-wal").read_bytes() == before
