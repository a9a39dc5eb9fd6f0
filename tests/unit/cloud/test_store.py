"""The store takes parts in any order and any number of times, and gives the clip back bit for bit."""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.cloud.store import Clip, ClipStore
from sim.cloud.transcript import Transcript, Word
from sim.errors import Refused, StoreAwayError, StoreError
from tests.uplink_kit import cut, noise
from uplink.message import Part

SAMPLES = noise(20_000)
PARTS = cut(SAMPLES, 6_000, begin=160_000)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ClipStore]:
    store = ClipStore(tmp_path / "cloud")
    yield store
    store.close()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(PARTS + PARTS))
def test_any_order_and_any_number_of_times(tmp_path_factory: pytest.TempPathFactory, order: list[Part]) -> None:
    store = ClipStore(tmp_path_factory.mktemp("cloud"))
    stored: set[int] = set()
    for part in order:
        stored.add(part.number)
        assert store.add(part) == (len(stored) == len(PARTS))
    np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)
    store.close()


def test_a_clip_is_described_as_far_as_it_is_stored(store: ClipStore) -> None:
    clip = PARTS[0].clip
    assert store.clip(clip) is None
    store.add(PARTS[1])
    assert store.clip(clip) == Clip(clip, "dot", 166_000, 172_000, 1, False, {}, {})
    for part in PARTS[:-1]:
        store.add(part)
    store.add(replace(PARTS[-1], facts={"reason": "silence"}))
    opening = {"initiator": "wakeword"}
    assert store.clip(clip) == Clip(clip, "dot", 160_000, 180_000, 4, True, opening, {"reason": "silence"})
    assert store.clips() == [store.clip(clip)]


def test_an_incomplete_clip_has_no_audio(store: ClipStore) -> None:
    store.add(PARTS[0])
    with pytest.raises(StoreError, match="is not complete"):
        store.audio(PARTS[0].clip)
    with pytest.raises(StoreError, match="is not complete"):
        store.audio("dot-unknown")


def test_a_clip_may_end_with_an_empty_part(store: ClipStore) -> None:
    only = replace(PARTS[0], last=False)
    store.add(only)
    assert store.add(Part("dot", only.clip, 1, True, only.end, only.end, {"reason": "muted"}, b""))
    np.testing.assert_array_equal(store.audio(only.clip), SAMPLES[:6_000])


def test_a_clip_of_nothing_is_complete_and_empty(store: ClipStore) -> None:
    assert store.add(Part("dot", "dot-1-000", 0, True, 5, 5, {}, b""))
    assert store.audio("dot-1-000").shape == (0,)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"audio": PARTS[0].audio}, "part 1 of clip .* already stored with other audio"),
        ({"number": 2, "begin": 172_001, "end": 172_007}, "begins at 172001, but the one before ends at 172000"),
        ({"number": 0, "begin": 160_001, "end": 166_001}, "ends at 166001, but the next begins at 166000"),
        ({"number": 0, "begin": 160_000, "end": 166_000, "last": True}, "contradicts where the clip ends"),
        ({"number": 5, "begin": 190_000, "end": 196_000}, "contradicts where the clip ends"),
        ({"number": 4, "begin": 180_000, "end": 186_000, "last": True}, "contradicts where the clip ends"),
    ],
)
def test_a_part_that_contradicts_what_is_stored_is_refused(
    store: ClipStore, change: dict[str, object], sentence: str
) -> None:
    store.add(PARTS[1])
    store.add(PARTS[3])
    with pytest.raises(Refused, match=sentence):
        store.add(replace(PARTS[1], **change))  # type: ignore[arg-type]
    store.add(PARTS[0])
    assert store.add(PARTS[2])
    np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)


def test_everything_is_there_after_a_restart(store: ClipStore, tmp_path: Path) -> None:
    for part in PARTS:
        store.add(part)
    store.close()
    again = ClipStore(tmp_path / "cloud")
    assert again.unanswered() == [PARTS[0].clip]
    assert again.add(PARTS[2])
    np.testing.assert_array_equal(again.audio(PARTS[0].clip), SAMPLES)
    again.close()


def test_transcripts(store: ClipStore) -> None:
    for part in [*PARTS, *cut(SAMPLES, 10_000, device="flex")[:1]]:
        store.add(part)
    clip = PARTS[0].clip
    assert store.transcript(clip) is None
    assert store.unanswered() == [clip]
    heard = Transcript.of((Word("unacceptable", 10, 9_000, 0.5), Word("if", 9_000, 9_500, 1.0)), "vosk")
    store.add_transcript(clip, heard)
    assert store.transcript(clip) == heard
    assert store.unanswered() == []
    store.add_transcript(clip, Transcript.of((), "pocketsphinx"))
    assert store.transcript(clip) == Transcript("", (), "pocketsphinx")


def test_audio_lies_in_one_file_a_part_and_no_drafts_stay(store: ClipStore, tmp_path: Path) -> None:
    for part in PARTS:
        store.add(part)
    files = sorted(path for path in (tmp_path / "cloud" / "audio").rglob("*") if path.is_file())
    assert [path.name for path in files] == [f"{part.number:05d}-{part.digest[:16]}.flac" for part in PARTS]
    key = store.vault.key_of(store.customers.of_device(PARTS[0].device).number)
    assert [key.open(path.read_bytes()) for path in files] == [part.audio for part in PARTS]
    assert not any(b"fLaC" in path.read_bytes() for path in files)


def test_a_part_whose_file_was_lost_or_changed_is_named(store: ClipStore, tmp_path: Path) -> None:
    for part in PARTS:
        store.add(part)
    file = next((tmp_path / "cloud").rglob("00002-*.flac"))
    file.write_bytes(PARTS[3].audio)
    with pytest.raises(StoreError, match=r"00002-\w+\.flac is damaged in the store"):
        store.audio(PARTS[0].clip)
    file.write_bytes(b"")
    with pytest.raises(StoreError, match=r"00002-\w+\.flac is damaged in the store"):
        store.audio(PARTS[0].clip)
    file.unlink()
    with pytest.raises(StoreError, match=r"00002-\w+\.flac is gone from the store"):
        store.audio(PARTS[0].clip)


def test_audio_may_lie_anywhere_that_fsspec_reaches(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="its database needs a place of its own; name it with --database"):
        ClipStore("memory://clips")
    store = ClipStore("memory://clips", f"sqlite:///{tmp_path / 'clips.sqlite'}", tmp_path)
    for part in PARTS:
        store.add(part)
    np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)
    assert not (tmp_path / "audio").exists()
    store.close()


def test_a_part_that_comes_many_times_at_one_moment_is_stored_once(tmp_path: Path) -> None:
    stores = [ClipStore(tmp_path) for _ in range(4)]
    gate = threading.Barrier(len(stores))

    def add(store: ClipStore) -> list[bool]:
        gate.wait()
        return [store.add(part) and store.claims.take(part.clip) for part in PARTS]

    with ThreadPoolExecutor(len(stores)) as pool:
        won = [any(each) for each in pool.map(add, stores)]
    assert won.count(True) == 1
    clip = stores[0].clip(PARTS[0].clip)
    assert clip is not None
    assert (clip.parts, clip.complete) == (len(PARTS), True)
    np.testing.assert_array_equal(stores[0].audio(PARTS[0].clip), SAMPLES)
    for store in stores:
        store.close()


def test_a_part_that_is_refused_leaves_no_file(store: ClipStore, tmp_path: Path) -> None:
    store.add(PARTS[0])
    before = list((tmp_path / "cloud" / "audio").rglob("*"))
    with pytest.raises(Refused):
        store.add(replace(PARTS[0], audio=PARTS[1].audio))
    assert list((tmp_path / "cloud" / "audio").rglob("*")) == before


def test_the_same_part_again_mends_its_file(store: ClipStore, tmp_path: Path) -> None:
    for part in PARTS:
        store.add(part)
    next((tmp_path / "cloud").rglob("00002-*.flac")).unlink()
    store.add(PARTS[2])
    np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)


def test_what_is_not_installed_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match=r"the store gs://clips needs gcsfs; install it: pip install gcsfs"):
        ClipStore("gs://clips", "sqlite://")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"//somewhere/clips needs psycopg; install it: pip install 'psycopg\[b"):
        ClipStore(tmp_path, "postgresql://me:secret@somewhere/clips")
    with pytest.raises(StoreError, match="name one of SQLite or PostgreSQL"):
        ClipStore(tmp_path, "mysql://somewhere/clips")


def test_a_secret_in_an_address_is_not_told(tmp_path: Path) -> None:
    store = ClipStore("memory://me:secret@clips", f"sqlite:///{tmp_path / 'clips.sqlite'}", tmp_path)
    assert store.shown == "memory://clips"
    store.close()
    with pytest.raises(StoreAwayError, match=r"postgresql\+psycopg://127.0.0.1:1/clips cannot be used") as caught:
        ClipStore(tmp_path, "postgresql://me:secret@127.0.0.1:1/clips?password=secret")
    assert "secret" not in str(caught.value)


def test_a_store_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be written .*; name another with --store"):
        ClipStore(tmp_path / "file" / "cloud")
    with pytest.raises(StoreError, match="cannot be reached"):
        ClipStore("nonsense://clips")
    (tmp_path / "store.sqlite").write_bytes(b"no database at all, and long enough to be one" * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        ClipStore(tmp_path)
    with pytest.raises(StoreError, match="cannot be used"):
        ClipStore(tmp_path, "nonsense://")


def test_a_full_disk_is_one_sentence_and_loses_nothing(store: ClipStore, tmp_path: Path) -> None:
    store.add(PARTS[0])
    with store._database._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="disk is full"):
        store.add(replace(PARTS[1], facts={"padding": "x" * 20_000}))
    store.close()
    again = ClipStore(tmp_path / "cloud")
    assert [again.add(part) for part in PARTS] == [False, False, False, True]
    np.testing.assert_array_equal(again.audio(PARTS[0].clip), SAMPLES)
    again.close()


def test_the_database_is_plain_enough_to_be_read_by_others(store: ClipStore, tmp_path: Path) -> None:
    for part in PARTS:
        store.add(part)
    database = sqlite3.connect(tmp_path / "cloud" / "store.sqlite")
    rows = database.execute("SELECT number, begin, end FROM parts ORDER BY number").fetchall()
    database.close()
    assert rows == [(part.number, part.begin, part.end) for part in PARTS]


def test_a_row_that_has_lost_its_key_costs_a_sentence(tmp_path: Path) -> None:
    store = ClipStore(tmp_path)
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as file:
        file.execute("DROP TABLE turns")
        file.execute("CREATE TABLE turns (clip, owner, beat)")
        file.execute("INSERT INTO turns VALUES (NULL, NULL, 0)")
        file.commit()
    with pytest.raises(StoreAwayError, match=r"cannot be used \(a row has lost its key\); check disk and file"):
        store.unanswered()
    store.close()


def test_a_table_that_takes_no_device_costs_a_sentence(tmp_path: Path) -> None:
    store = ClipStore(tmp_path)
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as file:
        file.execute("CREATE TRIGGER deaf BEFORE INSERT ON devices BEGIN SELECT RAISE(IGNORE); END")
        file.commit()
    with pytest.raises(StoreAwayError, match="it gives other devices than it is asked for"):
        store.add(PARTS[0])
    store.close()
