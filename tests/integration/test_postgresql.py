"""The far end's store on a real PostgreSQL, also when that goes away and comes back."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from sim.cloud import database
from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from sim.cloud.transcript import Transcript, Word
from sim.errors import Refused, StoreAwayError
from tests.postgres_kit import PostgreSQL
from tests.uplink_kit import DEADLINE_S, Counter, Diary, cut, free_port, known, noise
from uplink.broker import EmbeddedBroker
from uplink.sender import Sender
from uplink.spool import Spool

SAMPLES = noise(8_000)
PARTS = cut(SAMPLES, 1_000, begin=2**40)


@pytest.fixture(scope="module")
def postgresql(needs: Callable[[str], str]) -> Iterator[PostgreSQL]:
    with PostgreSQL(needs("postgresql")) as running:
        yield running


@pytest.fixture
def url(postgresql: PostgreSQL) -> str:
    return postgresql.database(f"clips{free_port()}")


def test_it_keeps_what_sqlite_keeps(url: str, tmp_path: Path) -> None:
    store = ClipStore(tmp_path, url)
    assert [store.add(part) for part in reversed(PARTS)] == [False] * 7 + [True]
    assert [store.add(part) for part in PARTS] == [True] * 8
    with pytest.raises(Refused, match="already stored with other audio"):
        store.add(replace(PARTS[1], audio=PARTS[0].audio))
    heard = Transcript.of((Word("unacceptable", 10, 9_000, 0.5),), "vosk")
    assert store.unanswered() == [PARTS[0].clip]
    store.add_transcript(PARTS[0].clip, heard)
    assert [store.next_serial(floor) for floor in (2**60, 5)] == [2**60, 2**60 + 1]
    store.close()
    again = ClipStore(tmp_path, url)
    np.testing.assert_array_equal(again.audio(PARTS[0].clip), SAMPLES)
    assert again.transcript(PARTS[0].clip) == heard
    assert again.unanswered() == []
    assert not list(tmp_path.glob("*.sqlite"))
    again.close()


def test_a_database_that_is_not_there_is_one_sentence(postgresql: PostgreSQL, tmp_path: Path) -> None:
    for address, why in (
        (f"postgresql://127.0.0.1:{free_port()}/clips", "Connection refused"),
        (f"postgresql://misheard@127.0.0.1:{postgresql.port}/nowhere", 'database "nowhere" does not exist'),
        (f"postgresql://stranger@127.0.0.1:{postgresql.port}/postgres", 'role "stranger" does not exist'),
    ):
        with pytest.raises(StoreAwayError, match=rf"cannot be used \(.*{why}\); check that it runs and lets you in$"):
            ClipStore(tmp_path, address)


def test_a_restart_while_nobody_looks_costs_nothing(postgresql: PostgreSQL, url: str, tmp_path: Path) -> None:
    store = ClipStore(tmp_path, url)
    store.add(PARTS[0])
    postgresql.stop(signal.SIGINT)
    postgresql.start()
    store.add(PARTS[1])
    clip = store.clip(PARTS[0].clip)
    assert clip is not None
    assert clip.parts == 2
    store.close()


def test_another_program_that_is_stuck_with_a_clip_holds_up_nobody_for_good(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database._POSTGRESQL, "options", "-c lock_timeout=200")
    store, stuck = ClipStore(tmp_path, url), ClipStore(tmp_path, url)
    store.add(PARTS[0])
    with stuck._database._engine.begin() as connection:
        connection.execute(text("SELECT id FROM clips FOR UPDATE"))
        with pytest.raises(StoreAwayError, match="lock timeout"):
            store.add(PARTS[1])
        other = cut(SAMPLES, 1_000, begin=0)
        assert not store.add(other[0]), "another clip is not concerned"
    assert not store.add(PARTS[1])
    store.close()
    stuck.close()


def test_a_database_that_goes_and_comes_back_is_told_once_each_and_costs_nothing(
    postgresql: PostgreSQL, url: str, tmp_path: Path
) -> None:
    diary, device = Diary(), Diary()
    store = ClipStore(tmp_path, url)
    spool = Spool(tmp_path / "spool.sqlite")
    with (
        EmbeddedBroker() as broker,
        FarEnd(Cloud(store, Counter()), broker.url, known().far_end, on_event=diary, look_s=0.1) as far_end,
        Sender(
            "dot",
            spool,
            broker.url,
            seal=known().device,
            on_directive=lambda directive: device("directive", {"name": directive.name}),
            on_fact=device,
            resend_s=0.2,
        ) as sender,
    ):
        for part in PARTS[:4]:
            sender.submit(part)
        assert sender.drain(DEADLINE_S)
        postgresql.stop()
        for part in PARTS[4:]:
            sender.submit(part)
        assert "cannot be used" in diary.wait("store_away")["reason"]
        assert not sender.drain(0.5), "nothing is receipted that is not stored"
        postgresql.start()
        assert sender.drain(DEADLINE_S)
        assert diary.wait("store_back")["refused"] > 0
        assert device.wait("directive") == {"name": "TurnEnd"}
        assert far_end.wait_answered(DEADLINE_S)
    np.testing.assert_array_equal(store.audio(PARTS[0].clip), SAMPLES)
    assert len(diary.all("store_away")) == 1
    assert len(diary.all("store_back")) == 1
    assert diary.all("refused") == []
    assert len(diary.all("transcript")) == 1
    spool.close()
    store.close()


def test_a_clip_whose_answer_could_not_be_recorded_is_answered_once_the_database_is_back(
    postgresql: PostgreSQL, url: str, tmp_path: Path
) -> None:
    class Untimely(Counter):
        stopped = False

        def transcribe(self, samples: np.typing.NDArray[np.int16]) -> Transcript:
            if not self.stopped:
                postgresql.stop()
            self.stopped = True
            return super().transcribe(samples)

    store = ClipStore(tmp_path, url)
    for part in PARTS:
        store.add(part)
    diary = Diary()
    with (
        EmbeddedBroker() as broker,
        FarEnd(Cloud(store, Untimely()), broker.url, known().far_end, on_event=diary, look_s=0.1),
    ):
        diary.wait("store_away")
        postgresql.start()
        assert diary.wait("transcript")["clip"] == PARTS[0].clip
    assert store.unanswered() == []
    store.close()
