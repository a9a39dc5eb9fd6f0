"""A spool whose file is damaged: what is whole goes on, what is not is named, and nothing crashes."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.spool_kit import Row, clip_id, content, fill, row
from uplink.errors import SpoolError
from uplink.spool import Spool

PAGE = 4096


class Told:
    """Keeps what a spool tells."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, Mapping[str, Any]]] = []

    def __call__(self, kind: str, facts: Mapping[str, Any]) -> None:
        self.facts.append((kind, facts))

    def all(self, kind: str) -> list[Mapping[str, Any]]:
        return [facts for told, facts in self.facts if told == kind]


def closed(path: Path, clips: int = 10, parts: int = 4, size: int = 3_000) -> list[Row]:
    spool = Spool(path)
    rows = fill(spool, clips, parts, size)
    spool.remember("serial", "7")
    spool.drop(clip_id(0), "purged")
    spool.close()
    return rows[parts:]


def assert_nothing_unnamed(path: Path, rows: list[Row], told: Told) -> list[Row]:
    """Open it; every clip must be there whole, bit for bit, or be named; gives what is there."""
    spool = Spool(path, on_fact=told)
    here = content(spool)
    named = {drop.clip for drop in spool.drops()}
    for clip in {one[0] for one in rows}:
        assert [one for one in here if one[0] == clip] in ([], [one for one in rows if one[0] == clip])
        assert clip in {one[0] for one in here} | named
    assert spool.put(*row("dot-new", 0))
    assert spool.settle([row("dot-new", 0)[:3]])
    spool.close()
    return here


@pytest.mark.parametrize("size", [300, 3_000, 30_000])
def test_flipped_bytes_anywhere_lose_no_clip_without_naming_it(tmp_path: Path, size: int) -> None:
    chance = random.Random(size)
    rescued = 0
    for turn in range(25):
        path = tmp_path / str(turn) / "spool.sqlite"
        rows = closed(path, size=size)
        data = bytearray(path.read_bytes())
        for _ in range(chance.choice([1, 1, 30])):
            data[chance.randrange(len(data))] ^= chance.randrange(1, 256)
        path.write_bytes(data)
        rescued += len({one[0] for one in assert_nothing_unnamed(path, rows, Told())})
    assert rescued > 100


def test_a_damaged_page_costs_its_clips_and_no_other(tmp_path: Path) -> None:
    path, told = tmp_path / "spool.sqlite", Told()
    rows = closed(path)
    data = bytearray(path.read_bytes())
    where = data.find(row(clip_id(5), 2, 3_000)[3][:200])
    data[where + 100] ^= 1
    path.write_bytes(data)
    here = assert_nothing_unnamed(path, rows, told)
    assert here == [one for one in rows if one[0] != clip_id(5)]
    (rescue,) = told.all("spool_rescued")
    assert rescue["clips"] == 8
    assert rescue["lost"] == 1
    assert "is no longer what was written" in rescue["reason"]
    assert Path(rescue["aside"]).name == "spool.sqlite.damaged-1"
    assert Path(rescue["aside"]).exists()
    assert [(drop["clip"], drop["parts"], drop["why"]) for drop in told.all("dropped")] == [(clip_id(5), 4, "damaged")]


def test_memos_and_the_drop_report_are_rescued_too(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    closed(path)
    data = bytearray(path.read_bytes())
    data[data.find(row(clip_id(5), 2, 3_000)[3][:200])] ^= 1
    path.write_bytes(data)
    spool = Spool(path)
    assert spool.recall("serial") == "7"
    assert [(drop.clip, drop.why) for drop in spool.drops()] == [(clip_id(0), "purged"), (clip_id(5), "damaged")]
    spool.close()


def cut_off(data: bytes) -> bytes:
    return data[: len(data) // 2 // PAGE * PAGE]


def cut_in_a_page(data: bytes) -> bytes:
    return data[: len(data) - 1_000]


def blank(data: bytes) -> bytes:
    return data[:PAGE] + b"\xa5" * (len(data) - PAGE)


def text(_data: bytes) -> bytes:
    return b"this is not a database, and it is long enough to be read as one" * 100


def head_gone(data: bytes) -> bytes:
    return bytes(100) + data[100:]


@pytest.mark.parametrize("damage", [cut_off, cut_in_a_page, blank, text, head_gone])
def test_a_file_that_is_cut_off_or_overwritten_is_set_aside(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path, told = tmp_path / "spool.sqlite", Told()
    rows = closed(path)
    path.write_bytes(damage(path.read_bytes()))
    spool = Spool(path, on_fact=told)
    here = content(spool)
    assert all(one in rows for one in here)
    assert len(told.all("spool_rescued")) == 1
    assert spool.put(*row("dot-new", 0))
    spool.close()
    again = Spool(path, on_fact=told)
    assert content(again) == [*here, row("dot-new", 0)]
    assert len(told.all("spool_rescued")) == 1
    again.close()


@pytest.mark.parametrize("foreign", ["PRAGMA user_version = 99", "CREATE TABLE other (x)", "DROP TABLE memo"])
def test_a_file_of_something_else_or_of_another_version_is_set_aside_and_its_parts_go_on(
    tmp_path: Path, foreign: str
) -> None:
    path, told = tmp_path / "spool.sqlite", Told()
    rows = closed(path)
    other = sqlite3.connect(path)
    other.execute(foreign)
    if "other" in foreign:
        other.execute("PRAGMA application_id = 1")
    other.commit()
    other.close()
    spool = Spool(path, on_fact=told)
    spool.remember("serial", "8")
    assert content(spool) == rows
    assert len(told.all("spool_rescued")) == 1
    spool.close()


def test_damage_that_comes_while_it_runs_is_mended_on_the_way(tmp_path: Path) -> None:
    path, told = tmp_path / "spool.sqlite", Told()
    spool = Spool(path, on_fact=told)
    rows = fill(spool, 6, 4, 3_000)
    other = sqlite3.connect(path)
    other.execute("UPDATE part SET payload = zeroblob(3000) WHERE clip = ? AND number = 2", (clip_id(3),))
    other.commit()
    other.close()
    assert spool.get(clip_id(2), 0) is not None
    assert spool.get(clip_id(3), 2) is None
    assert content(spool) == [one for one in rows if one[0] != clip_id(3)]
    assert [drop.clip for drop in spool.drops()] == [clip_id(3)]
    spool.close()


def test_several_damaged_files_stand_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    for number in (1, 2, 3):
        path.write_bytes(text(b""))
        Spool(path).close()
        assert (tmp_path / f"spool.sqlite.damaged-{number}").exists()


def test_a_guest_leaves_a_damaged_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "spool.sqlite"
    path.write_bytes(text(b""))
    with pytest.raises(SpoolError, match=r"is damaged .*; its device mends it at its next start"):
        Spool(path, guest=True)
    assert path.read_bytes() == text(b"")
