"""Runs for months: one directory after the other, and the oldest go."""

from __future__ import annotations

import errno
import json
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.config import KeepSettings
from device.errors import DeviceError
from device.events import Event, Kind
from device.rolling import RollingRuns
from device.rundir import RunDirectory
from device.shelf import Shelved, next_number, overdue, shelved
from tests.firmware_kit import STREAM, WORDS
from uplink.message import JSON
from wakeword.frames import HOP
from wakeword.sound import RATE

HOUR = 3600 * RATE
DEADLINE_S = 20.0


class Diary:
    """Who is told."""

    def __init__(self) -> None:
        self.news: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def __call__(self, kind: str, facts: JSON) -> None:
        self.news.put((kind, facts))

    def wait(self) -> tuple[str, Any]:
        return self.news.get(timeout=DEADLINE_S)


@contextmanager
def rolling(folder: Path, diary: Diary, **keep: float) -> Iterator[RollingRuns]:
    settings = KeepSettings.model_validate({"run_hours": 1.0, **keep})
    runs = RollingRuns(folder, STREAM, WORDS, lambda: settings, lambda: {"seed": 7}, diary)
    try:
        yield runs
    finally:
        runs.close()


def heartbeat(sample: int) -> Event:
    return Event(sample, Kind.HEARTBEAT, {"hops": 0, "wakes": 0, "near_misses": 0, "lost": 0})


def hop(sample: int) -> Event:
    return Event(sample, Kind.HOP, {"scores": [0.25, 0.5]})


def run_of(folder: Path) -> Any:
    return json.loads((folder / "run.json").read_text("utf-8"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_run_ends_at_the_first_quiet_moment_after_its_time_and_none_of_it_is_lost(tmp_path: Path) -> None:
    with rolling(tmp_path, Diary()) as runs:
        for event in (heartbeat(HOUR - HOP), hop(HOUR), heartbeat(HOUR), hop(HOUR + HOP), hop(HOUR + 2 * HOP)):
            runs.note(event)
    first, second = sorted(tmp_path.iterdir())
    assert [first.name, second.name] == ["000001-20260101t000000", "000002-20260101t010000"]
    assert run_of(first)["manifest"]["samples"] == [0, HOUR]
    assert run_of(second)["manifest"] | {"samples": [HOUR, HOUR + 2 * HOP], "seed": 7} == run_of(second)["manifest"]
    assert np.load(second / "scores.npy").tolist() == [[0.25, 0.5]] * 2
    kinds = [json.loads(line)["sample"] for line in (first / "events.jsonl").read_text().splitlines()]
    assert kinds == [HOUR - HOP, HOUR]


def test_a_clip_is_not_cut_and_a_device_that_is_never_quiet_is_not_waited_for_longer_than_an_hour(
    tmp_path: Path,
) -> None:
    begin: dict[str, JSON] = {"clip": "dot-1", "begin": 0}
    end: dict[str, JSON] = {"clip": "dot-1", "begin": 0, "end": HOP, "reason": "silence"}
    part = Event(2 * HOUR, Kind.PART, {"clip": "dot-1"}, np.ones(HOP, np.int16))
    with rolling(tmp_path, Diary()) as runs:
        for event in (
            hop(2 * HOUR - HOP),
            Event(2 * HOUR - HOP, Kind.CAPTURE_BEGIN, begin),
            part,
            hop(2 * HOUR),
            heartbeat(2 * HOUR),
        ):
            runs.note(event)
        assert len(names(tmp_path)) == 1
        runs.note(Event(2 * HOUR, Kind.CAPTURE_END, end))
        runs.note(hop(2 * HOUR + HOP))
        assert len(names(tmp_path)) == 2
    assert run_of(min(tmp_path.iterdir()))["clips"]["captured"] == 1


def test_names_go_on_where_the_last_start_ended_also_where_the_clock_went_back(tmp_path: Path) -> None:
    for _ in range(2):
        with rolling(tmp_path, Diary()):
            pass
    (tmp_path / "000041-19700101t000000").mkdir()
    assert next_number(tmp_path) == 42
    with rolling(tmp_path, Diary()) as runs:
        runs.note(Event(0, Kind.CLOCK_SET, {"zero": "2030-05-06T07:08:09.000000Z", "was": "", "step_s": 1}))
        runs.note(heartbeat(HOUR))
    assert names(tmp_path)[-2:] == ["000042-20260101t000000", "000043-20300506t080809"]
    told = (tmp_path / "000042-20260101t000000" / "events.jsonl").read_text().splitlines()
    assert json.loads(told[-1])["utc"] == "2030-05-06T08:08:09.000000Z"


def test_what_is_older_in_listened_time_or_too_much_goes_the_oldest_first() -> None:
    day = [Shelved(Path(str(k)), 1_000_000, 86_400.0) for k in range(10)]

    def keep(**values: float) -> KeepSettings:
        return KeepSettings.model_validate(values)

    assert overdue(day, keep()) == []
    assert overdue(day, keep(run_days=3)) == day[:6]  # what ended three days ago stays, and what ended before goes
    assert overdue(day, keep(run_mb=4)) == day[:6]
    assert overdue(day, keep(run_mb=4), open_size=2_500_000) == day[:9]
    assert overdue(day, keep(run_mb=4), open_size=9_000_000) == day
    assert overdue([], keep(run_days=1, run_mb=1)) == []


def test_old_runs_go_as_the_device_runs_and_that_is_told_and_what_is_none_stays(tmp_path: Path) -> None:
    foreign = tmp_path / "000001-20200101t000000"
    foreign.mkdir(parents=True)
    (foreign / "letter.txt").write_text("dear")
    (tmp_path / "notes").write_text("mine")
    diary = Diary()
    with rolling(tmp_path, diary, run_days=1.5 / 24) as runs:
        for k in range(1, 5):
            runs.note(heartbeat(k * HOUR))
        gone = 0
        while gone < 2:
            kind, facts = diary.wait()
            assert kind == "runs_removed"
            assert facts["bytes"] > 0
            gone += len(facts["runs"])
    left = names(tmp_path)
    assert left[0] == foreign.name
    assert left[-1] == "notes"
    assert [run.path.name[:6] for run in shelved(tmp_path)] == ["000004", "000005", "000006"]


def test_a_run_that_fills_half_the_room_by_itself_ends_early(tmp_path: Path) -> None:
    with rolling(tmp_path, Diary(), run_mb=1) as runs:
        (tmp_path / "000001-20260101t000000" / "home.flac").write_bytes(bytes(700_000))
        runs._remove_old()
        runs.note(heartbeat(2 * HOP))
        assert len(names(tmp_path)) == 2


def refuse_to_write(run: RunDirectory, monkeypatch: pytest.MonkeyPatch, number: int, why: str) -> None:
    def refuse(_: str) -> None:
        raise OSError(number, why)

    monkeypatch.setattr(run._events, "write", refuse)


def test_a_run_that_the_disk_no_longer_takes_is_said_at_once_and_another_is_begun_when_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary = Diary()
    with rolling(tmp_path, diary, run_hours=24) as runs:
        assert runs._run is not None
        refuse_to_write(runs._run, monkeypatch, errno.EROFS, "Read-only file system")
        for k in range(1, 4):
            runs.note(hop(k * HOP))
            runs.note(Event(k * HOP, Kind.LIGHT, {"light": "off"}))
        kind, facts = diary.wait()
        assert kind == "runs_error"
        assert "(Read-only file system); look at that disk" in str(facts["reason"])
        runs.note(heartbeat(HOUR))
        runs.note(hop(HOUR + HOP))
    assert run_of(tmp_path / names(tmp_path)[1])["manifest"]["samples"] == [HOUR, HOUR + HOP]
    assert diary.news.empty()


def test_a_full_disk_is_tried_once_an_hour_and_said_once_until_something_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary, full = Diary(), [False]

    class Run(RunDirectory):
        """On a disk that takes names, and while it is full nothing else."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            if full[0]:
                refuse_to_write(self, monkeypatch, errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("device.rolling.RunDirectory", Run)
    beats = iter(range(300 * RATE, 10 * 24 * HOUR, 300 * RATE))
    with rolling(tmp_path, diary, run_hours=24) as runs:
        for days in (1, 2):
            full[0] = True
            assert runs._run is not None
            refuse_to_write(runs._run, monkeypatch, errno.ENOSPC, "No space left on device")
            for _ in range(3 * 12):
                runs.note(heartbeat(next(beats)))
            full[0] = False
            for _ in range(2 * 12):  # an hour until it is tried, and one in which it is written
                runs.note(heartbeat(next(beats)))
            told = [diary.wait() for _ in range(diary.news.qsize())]
            assert [kind for kind, _ in told] == ["runs_error"], "once each time"
            assert "(No space left on device); make room there" in told[0][1]["reason"]
            assert len(names(tmp_path)) <= 1 + 5 * days
            assert runs._run.broken is None


def test_a_folder_that_cannot_be_written_costs_the_record_and_is_said_once(tmp_path: Path, monkeypatch: Any) -> None:
    diary = Diary()
    with rolling(tmp_path, diary) as runs:

        def refuse(*_: object, **__: object) -> None:
            raise DeviceError("the disk is read-only")

        with monkeypatch.context() as patched:
            patched.setattr("device.rolling.RunDirectory", refuse)
            for k in range(1, 4):
                runs.note(heartbeat(k * HOUR))
        assert diary.wait() == ("runs_error", {"reason": "the disk is read-only"})
        assert diary.news.empty()
        runs.note(heartbeat(4 * HOUR))
        runs.note(hop(4 * HOUR + HOP))
    assert [run_of(tmp_path / name)["manifest"]["samples"] for name in names(tmp_path)] == [
        [0, HOUR],
        [4 * HOUR, 4 * HOUR + HOP],
    ]
    with pytest.raises(DeviceError, match="cannot be written"):
        RollingRuns(tmp_path / names(tmp_path)[0] / "run.json", STREAM, WORDS, KeepSettings, dict, diary)
