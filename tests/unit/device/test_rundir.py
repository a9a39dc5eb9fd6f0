"""What a run leaves behind."""

from __future__ import annotations

import csv
import json
import math
import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device.audio import Block
from device.errors import DeviceError
from device.events import Event, Stream
from device.rundir import Addressed, RunDirectory
from tests.firmware_kit import STREAM, WORDS, Scene, clip_of, kinds, number, plain
from uplink.message import JSON
from wakeword.frames import HOP
from wakeword.sound import read_sound
from wakeword.span import word_span


@pytest.fixture(scope="module")
def scene() -> Scene:
    """A wake at the very beginning, a near miss, a later wake that is muted away, a prompt, and a gap."""
    scene = Scene()
    clip = scene.turn()
    scene.say(clip, "To whom?", 3)
    scene.hear(6)
    scene.hear(1, alexa=0.4)
    scene.hear(20)
    scene.wake()
    scene.hear(2, speech=1.0)
    scene.order("SetMute", muted=True)
    scene.hear(5)
    scene.order("SetMute", muted=False)
    scene.hear(3)
    clock = scene.firmware.clock + 30 * HOP
    scene.events += scene.firmware.hear(Block(clock, plain(clock, 2 * HOP)))
    for complete in (False, True):
        scene.events.append(Event(clock, "receipt", {"clip": clip, "number": 0, "complete": complete}))
    scene.events.append(Event(clock, "transcript", {"clip": clip, "text": 'so "what", then', "recognizer": "r"}))
    return scene


def record(folder: Path, scene: Scene, addressed: Addressed | None = None, keep_audio: bool = True) -> dict[str, Any]:
    made = RunDirectory(folder, STREAM, WORDS, keep_audio=keep_audio, addressed=addressed)
    made.label(100, 200, "ann: so what")
    made.hear(Block(0, scene.sound))
    for event in scene.events:
        made.note(event)
    return made.close({"seed": 7})


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_all_files_are_there(scene: Scene, tmp_path: Path) -> None:
    record(tmp_path / "run", scene)
    clips = [str(event.facts["clip"]) for event in kinds(scene.events, "capture_end")]
    assert sorted(path.relative_to(tmp_path / "run").as_posix() for path in (tmp_path / "run").rglob("*")) == sorted(
        ["clips", "clips/metadata.csv", "events.jsonl", "home.flac", "labels.txt", "run.json", "scores.npy"]
        + [f"clips/{clip}.flac" for clip in clips]
    )
    record(tmp_path / "quiet", scene, keep_audio=False)
    assert not (tmp_path / "quiet" / "home.flac").exists()


def test_every_event_but_the_hops_is_a_line_in_order(scene: Scene, tmp_path: Path) -> None:
    record(tmp_path, scene)
    written = lines(tmp_path / "events.jsonl")
    told = [event for event in scene.events if event.kind != "hop"]
    assert [(line["sample"], line["kind"]) for line in written] == [(event.sample, event.kind) for event in told]
    for line, event in zip(written, told, strict=True):
        assert list(line)[:3] == ["sample", "utc", "kind"]
        assert line["utc"] == STREAM.utc_at(event.sample)
        assert {name: line[name] for name in event.facts} == json.loads(json.dumps(event.facts))


def test_no_fact_takes_the_place_of_what_a_line_is_about(tmp_path: Path) -> None:
    made = RunDirectory(tmp_path, STREAM, WORDS, keep_audio=False)
    made.note(Event(5, "refused", {"kind": "receipt", "reason": "no JSON"}))
    made.close({})
    assert lines(tmp_path / "events.jsonl")[0]["kind"] == "refused"


def test_the_outcome(scene: Scene, tmp_path: Path) -> None:
    run = record(tmp_path, scene)
    assert run == json.loads((tmp_path / "run.json").read_text())
    assert run["wakes"] == {"all": 2, "near_misses": 1}
    ends = kinds(scene.events, "capture_end")
    uploaded = sum(number(end, "end") - number(end, "begin") for end in ends) / 16_000
    assert run["clips"] == {"captured": 2, "received": 1, "uploaded_s": uploaded}
    assert (run["messages"], run["deleted"]) == ([], [])
    manifest = run["manifest"]
    assert (manifest["seed"], manifest["stream"], manifest["words"]) == (7, STREAM.name, list(WORDS))
    assert {"python", "misheard", "numpy", "onnxruntime"} <= set(manifest["versions"])


def test_where_the_truth_is_known_a_wake_is_true_or_false(scene: Scene, tmp_path: Path) -> None:
    first, second = (event.sample for event in kinds(scene.events, "wake"))
    cases: list[tuple[Callable[[int, int], bool], dict[str, int]]] = [
        (lambda begin, end: (begin, end) == word_span("alexa", first), {"true": 1, "false": 1}),
        (lambda begin, end: (begin, end) == word_span("alexa", second), {"true": 1, "false": 1}),
        (lambda *_: False, {"true": 0, "false": 2}),
    ]
    for addressed, wakes in cases:
        assert record(tmp_path / "run", scene, addressed)["wakes"] == {**wakes, "near_misses": 1}


def test_the_clips_are_an_audio_folder(scene: Scene, tmp_path: Path) -> None:
    record(tmp_path, scene)
    with (tmp_path / "clips" / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(rows[0]) >= {"file_name", "transcript"}, "what datasets' audiofolder wants"
    for row, end in zip(rows, kinds(scene.events, "capture_end"), strict=True):
        sound = read_sound(tmp_path / "clips" / row["file_name"])
        np.testing.assert_array_equal(sound, clip_of(scene.events, row["clip"]))
        assert (int(row["begin"]), int(row["end"])) == (end.facts["begin"], end.facts["end"])
        assert row["reason"] == end.facts["reason"]
    assert [(row["received"], row["transcript"]) for row in rows] == [("True", 'so "what", then'), ("", "")]


def test_a_row_of_scores_stands_at_its_hop(scene: Scene, tmp_path: Path) -> None:
    record(tmp_path, scene)
    scores = np.load(tmp_path / "scores.npy")
    assert scores.dtype == np.float32
    expected = np.full((kinds(scene.events, "hop")[-1].sample // HOP, len(WORDS)), math.nan, np.float32)
    for event in kinds(scene.events, "hop"):
        expected[event.sample // HOP - 1] = np.array(event.facts["scores"], np.float32)
    np.testing.assert_array_equal(scores, expected)
    assert np.isnan(scores).any(), "muted and lost"
    assert scores[kinds(scene.events, "wake")[1].sample // HOP - 1, 0] == np.float32(0.9)


def test_a_run_without_a_hop_has_no_scores(tmp_path: Path) -> None:
    RunDirectory(tmp_path, STREAM, WORDS, keep_audio=True).close({})
    assert np.load(tmp_path / "scores.npy").shape == (0, 2)
    assert (tmp_path / "labels.txt").read_text() == ""
    assert (tmp_path / "clips" / "metadata.csv").read_text().startswith("file_name,")


def test_the_labels_are_for_audacity(scene: Scene, tmp_path: Path) -> None:
    record(tmp_path, scene)
    rows = [line.split("\t") for line in (tmp_path / "labels.txt").read_text("utf-8").splitlines()]
    times = [(float(begin), float(end)) for begin, end, _ in rows]
    assert times == sorted(times)
    assert all(0 <= begin <= end for begin, end in times)
    texts = [text for *_, text in rows]
    assert sorted(texts) == [
        "ann: so what",
        "capture, ended by muted",
        "capture, ended by silence",
        "near miss alexa 0.40",
        "prompt: To whom?",
        "wake alexa 0.90",
        "wake alexa 0.90",
    ]
    begin, end = word_span("alexa", kinds(scene.events, "wake")[1].sample)
    assert (begin / 16_000, end / 16_000) in times


def test_a_gap_is_silence_in_the_home(tmp_path: Path) -> None:
    made = RunDirectory(tmp_path, STREAM, WORDS, keep_audio=True)
    later = 100 * 16_000  # over a minute: written in pieces
    made.hear(Block(0, plain(0, 500)))
    made.hear(Block(later, plain(later, 500)))
    made.hear(Block(later + 500, plain(later, 10)))
    made.close({})
    home = read_sound(tmp_path / "home.flac")
    assert len(home) == later + 510
    assert not home[500:later].any()
    np.testing.assert_array_equal(home[later : later + 500], plain(later, 500))


def test_an_earlier_run_is_replaced(scene: Scene, tmp_path: Path) -> None:
    record(tmp_path, scene)
    (tmp_path / "report.html").write_text("old")
    (tmp_path / "evening.pdf").write_text("drawn")
    (tmp_path / "devices" / "shelf").mkdir(parents=True)
    (tmp_path / "devices" / "shelf" / "run.json").write_text("old")
    RunDirectory(tmp_path, Stream("dot", STREAM.utc), WORDS, keep_audio=False).close({})
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    ours = {"clips", "clips/metadata.csv", "events.jsonl", "labels.txt", "run.json", "scores.npy"}
    assert left == {*ours, "evening.pdf"}, "a picture stays"


@pytest.mark.parametrize("foreign", ["thesis.odt", "clips/holiday.flac", "clips/more/x", "devices/thesis/thesis.odt"])
def test_a_folder_with_anything_else_is_left_alone(foreign: str, scene: Scene, tmp_path: Path) -> None:
    record(tmp_path, scene)
    (tmp_path / foreign).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / foreign).write_text("mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(DeviceError, match="holds more than a run; choose another folder with --out, or empty it"):
        RunDirectory(tmp_path, STREAM, WORDS, keep_audio=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("where", ["a-file", "a-file/run", "/proc/run"])
def test_a_folder_that_cannot_be_written_is_one_sentence(where: str, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    with pytest.raises(DeviceError) as refused:
        RunDirectory(tmp_path / where, STREAM, WORDS, keep_audio=True)
    assert str(refused.value).startswith(f"{tmp_path / where} cannot be written (")
    assert str(refused.value).endswith("choose another with --out")


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """As a disk that fills: no file of this process can grow over this many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_does_not_end_the_run_and_is_told_at_its_end(scene: Scene, tmp_path: Path) -> None:
    made = RunDirectory(tmp_path, STREAM, WORDS, keep_audio=True)
    with no_file_over(2000):
        made.hear(Block(0, np.random.default_rng(1).integers(-9999, 9999, 100_000, dtype=np.int16)))
        for event in scene.events:
            made.note(event)
    with pytest.raises(DeviceError, match=r"the run directory .* is not complete \(.*\); make room there"):
        made.close({})


class TestLatest:
    """runs/latest leads to the newest run in runs/."""

    def test_it_follows_the_runs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for name in ("one", "two"):
            RunDirectory(Path("runs") / name, STREAM, WORDS, keep_audio=False).close({})
            assert (tmp_path / "runs" / "latest").resolve() == tmp_path / "runs" / name
        RunDirectory(Path("elsewhere"), STREAM, WORDS, keep_audio=False).close({})
        assert not (tmp_path / "latest").exists()

    def test_a_real_folder_of_that_name_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "runs" / "latest").mkdir(parents=True)
        RunDirectory(tmp_path / "runs" / "one", STREAM, WORDS, keep_audio=False).close({})
        assert not (tmp_path / "runs" / "latest").is_symlink()

    def test_writing_to_it_writes_the_run_it_leads_to(self, tmp_path: Path) -> None:
        RunDirectory(tmp_path / "runs" / "one", STREAM, WORDS, keep_audio=False).close({})
        RunDirectory(tmp_path / "runs" / "latest", STREAM, WORDS, keep_audio=False).close({"seed": 9})
        assert json.loads((tmp_path / "runs" / "one" / "run.json").read_text())["manifest"]["seed"] == 9


def test_messages_are_judged_by_what_was_meant_since_the_first_clip_of_their_chain(tmp_path: Path) -> None:
    asked: list[tuple[str, int, int]] = []

    def meant(message: Mapping[str, Any], begin: int, end: int) -> bool:
        asked.append((message["to"], begin, end))
        return False

    made = RunDirectory(tmp_path, STREAM, WORDS, addressed=lambda *_: False, meant=meant)
    first, body = STREAM.clip(1000), STREAM.clip(9000)
    for clip, begin in ((first, 1000), (body, 9000)):
        made.note(Event(begin, "capture_begin", {"clip": clip, "begin": begin, "initiator": "wakeword"}))
    because: list[JSON] = [{"step": "wake", "clip": first}, {"step": "body", "clip": body}]
    message: dict[str, JSON] = {
        "to": "Frank",
        "id": "m",
        "clip": body,
        "audio_s": 2.0,
        "text": "oak",
        "because": because,
    }
    made.note(Event(20_000, "message", message))
    made.note(Event(30_000, "deleted", {"clips": [first, body], "what": ["audio"]}))
    made.note(Event(30_000, "deleted", {"clips": [first], "what": ["audio"]}))
    made.close({})
    assert asked == [("Frank", 1000, 20_000)]
    (sent,) = made.messages
    assert sent == {"to": "Frank", "id": "m", "clip": body, "audio_s": 2.0, "misdirected": True}
    assert made.deleted == [first, body]
