"""`misheard device` on files and pipes: a real broker, a real far end, and everything that can go wrong."""

from __future__ import annotations

import csv
import json
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.cloud.server import FarEnd
from sim.cloud.service import Cloud
from sim.cloud.store import ClipStore
from sim.main import main
from tests.firmware_kit import Sound, hear, kinds, kitchen, real_firmware
from tests.uplink_kit import Counter, Diary, Keys, free_port
from uplink.broker import EmbeddedBroker
from uplink.message import decode_part
from uplink.spool import Spool
from wakeword.sound import RATE, encode_flac, read_sound

DEADLINE_S = 60.0


def lecture() -> Sound:
    """The end of the kitchen conversation, in which "A lecture about opening windows." wakes at every phase."""
    begin = next(line.begin for line in kitchen().truth if line.text.startswith("A lecture"))
    return kitchen().samples[begin - RATE // 2 :]


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole kitchen as a sound file."""
    folder = tmp_path_factory.mktemp("sound") / "["
    folder.mkdir()
    path = folder / "kitchen].flac"  # [/kitchen]: what a terminal's markup would take for its own
    path.write_bytes(encode_flac(kitchen().samples))
    return path


@pytest.fixture(scope="module")
def wakes() -> list[int]:
    """Where the firmware wakes in it."""
    return [event.sample for event in kinds(hear(real_firmware(), kitchen().samples), "wake")]


def events(folder: Path, *wanted: str) -> list[dict[str, Any]]:
    lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] in wanted]


def device(source: Path | str, state: Path, *more: str) -> list[str]:
    return ["device", "--source", str(source), "--state", str(state), *more]


def require_whole(out: Path, wakes: list[int]) -> None:
    """Check a run directory of the kitchen."""
    run = json.loads((out / "run.json").read_text())
    assert run["wakes"] == {"all": 2, "near_misses": len(events(out, "near_miss"))}
    assert (run["clips"]["captured"], run["clips"]["received"]) == (2, 2)
    assert [event["sample"] for event in events(out, "wake")] == wakes
    with (out / "clips" / "metadata.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        clip = read_sound(out / "clips" / row["file_name"])
        np.testing.assert_array_equal(clip, kitchen().samples[int(row["begin"]) : int(row["end"])])
        assert row["transcript"]
    assert len(rows) == 2
    assert {"report.html", "labels.txt", "scores.npy"} <= {path.name for path in out.iterdir()}


def test_a_file_is_heard_and_its_clips_delivered(
    conversation: Path,
    wakes: list[int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "400")  # a path may be long
    out = tmp_path / "run"
    assert main(device(conversation, tmp_path / "state", "--pace", "fast", "--out", str(out), "--keep-audio")) == 0
    require_whole(out, wakes)
    np.testing.assert_array_equal(read_sound(out / "home.flac"), kitchen().samples)
    shown = capsys.readouterr().out
    assert f"listening to {conversation} for alexa" in shown
    assert shown.count("▲ woke on “alexa”") == 2
    store = ClipStore(tmp_path / "state" / "cloud")
    assert [clip.complete for clip in store.clips()] == [True, True]
    store.close()


def test_a_pipe_is_heard_as_well(wakes: list[int], tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "sim.main", *device("-", tmp_path, "--pace", "fast", "--out", str(out))]
    raw = kitchen().samples.astype("<i2").tobytes()
    done = subprocess.run(command, input=raw, capture_output=True, timeout=DEADLINE_S, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    require_whole(out, wakes)
    assert not (out / "home.flac").exists(), "sound is kept only where that is asked for"


def test_with_a_profile_the_embedded_far_end_answers(conversation: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert (
        main([*device(conversation, tmp_path / "state", "--pace", "fast", "--cloud", "2018"), "--out", str(out)]) == 0
    )
    told = [json.loads(line) for line in (out / "events.jsonl").read_text("utf-8").splitlines()]
    clips = {event["clip"] for event in told if event["kind"] == "capture_end"}
    assert clips
    assert {event["clip"] for event in told if event["kind"] == "intent"} == clips
    assert any(event["kind"] == "prompt" and event["samples"] for event in told), "it speaks in the shipped voice"
    assert all(event["kind"] != "directive_refused" for event in told)


def sentence(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that fails; gives its one sentence."""
    assert main(arguments) == code
    said = capsys.readouterr().err
    assert said.startswith("misheard: ")
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--source", "nosuchfile"], 2, "there is no sound file nosuchfile"),
        (["--set", "wake.treshold=1"], 2, "did you mean threshold?"),
        (["--set", "capture.part_ms=5"], 2, "capture.part_ms is 5"),
        (["--set", "wake.words=[computer]"], 2, "computer"),
        (["--set", "wake.engine=openwakewort"], 2, "did you mean openwakeword?"),
        (["--config", "nowhere"], 2, "the profiles are echo-dot"),
        (["--out", "/proc/run"], 1, "/proc/run cannot be written"),
        (["--state", "/proc/state"], 1, "choose another with --state"),
        (["--broker", "http://127.0.0.1"], 2, "http://127.0.0.1"),
        (["--cloud", "2o18"], 2, "the profiles are 2018"),
        (["--cloud", "2018", "--broker", "mqtt://127.0.0.1"], 2, "start misheard cloud --config 2018 there"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    more: list[str],
    code: int,
    words: str,
    conversation: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Keys(tmp_path / "state", "echo-dot")
    assert words in sentence(device(conversation, tmp_path / "state", *more), code, capsys)


def test_a_setting_without_a_value_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["device", "--set", "wake.threshold"])
    assert left.value.code == 2
    assert "wake.threshold is not KEY=VALUE" in capsys.readouterr().err


def test_a_broker_that_is_not_there_is_one_sentence(
    conversation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = f"mqtt://127.0.0.1:{free_port()}"
    out = tmp_path / "run"
    Keys(tmp_path, "echo-dot")
    assert broker in sentence(device(conversation, tmp_path, "--broker", broker, "--out", str(out)), 1, capsys)
    assert json.loads((out / "run.json").read_text())["clips"]["captured"] == 0


@pytest.mark.parametrize("content", [b"", b"hello" * 100], ids=["empty", "text"])
def test_a_file_that_is_no_sound_is_one_sentence(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "sound.flac"
    path.write_bytes(content)
    assert str(path) in sentence(device(path, tmp_path / "state", "--pace", "fast"), 1, capsys)


def test_of_a_damaged_file_what_was_heard_is_delivered_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = encode_flac(lecture())
    path = tmp_path / "cut.flac"
    path.write_bytes(data[: len(data) // 2])
    out = tmp_path / "run"
    said = sentence(device(path, tmp_path / "state", "--pace", "fast", "--out", str(out)), 1, capsys)
    assert "is damaged after" in said
    (end,) = events(out, "capture_end")
    assert end["reason"] == "interrupted"
    assert json.loads((out / "run.json").read_text())["clips"]["received"] == 1


def test_the_disk_of_the_run_directory_fills(tmp_path: Path) -> None:
    path = tmp_path / "noise.flac"
    noise = np.random.default_rng(1).integers(-9999, 9999, 30 * RATE, dtype=np.int16)
    path.write_bytes(encode_flac(np.concatenate((noise, lecture()))))
    out = tmp_path / "run"
    command = device(path, tmp_path / "state", "--pace", "fast", "--out", str(out), "--keep-audio")

    def limit() -> None:  # no file can grow over this: the recording of the home does, nothing else
        resource.setrlimit(resource.RLIMIT_FSIZE, (800_000, 800_000))

    done = subprocess.run(
        [sys.executable, "-m", "sim.main", *command],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        preexec_fn=limit,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"misheard: the run directory {out} is not complete (")
    assert done.stderr.count("\n") == 1
    assert "the clip is complete" in done.stdout, "the device went on, and lost nothing"


def test_ctrl_c_in_the_middle_of_a_clip_loses_nothing(tmp_path: Path) -> None:
    path, state, diary = tmp_path / "lecture.flac", tmp_path / "state", Diary()
    keys = Keys(state, "echo-dot")
    path.write_bytes(encode_flac(lecture()))
    with EmbeddedBroker() as broker:
        command = device(path, state, "--pace", "real", "--broker", broker.url)
        run = [sys.executable, "-m", "sim.main", *command]
        with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert any("streaming clip" in line for line in process.stdout)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=DEADLINE_S)
        assert (process.returncode, errors) == (130, "")

        spool = Spool(state / "echo-dot" / "spool.sqlite")
        waiting = [spool.get(*key) for key in spool.waiting()]
        parts = [decode_part("echo-dot", one.payload, keys.far_end) for one in waiting if one is not None]
        spool.close()
        assert parts[-1].last
        assert parts[-1].facts["reason"] == "interrupted"
        assert {part.clip for part in parts} == {parts[0].clip}

        store = ClipStore(tmp_path / "cloud")
        with FarEnd(Cloud(store, Counter()), broker.url, keys.far_end, on_event=diary):
            quiet = tmp_path / "quiet.flac"
            quiet.write_bytes(encode_flac(np.zeros(RATE, np.int16)))
            assert main(device(quiet, state, "--pace", "fast", "--broker", broker.url)) == 0
        (clip,) = store.clips()
        assert clip.complete
        assert (clip.id, clip.ending["reason"]) == (parts[0].clip, "interrupted")
        np.testing.assert_array_equal(store.audio(clip.id), lecture()[clip.begin : clip.end])
        store.close()
        spool = Spool(state / "echo-dot" / "spool.sqlite")
        assert spool.summary().parts == 0
        spool.close()


def test_ctrl_c_ends_the_wait_for_receipts(tmp_path: Path) -> None:
    path = tmp_path / "lecture.flac"
    path.write_bytes(encode_flac(lecture()[: 3 * RATE]))
    Keys(tmp_path, "echo-dot")
    with EmbeddedBroker() as broker:
        command = device(path, tmp_path, "--pace", "fast", "--broker", broker.url, "--set", "uplink.drain_ms=600000")
        run = [sys.executable, "-m", "sim.main", *command]
        with subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert any("capture ended by interrupted" in line for line in process.stdout)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, errors) == (130, "")
    spool = Spool(tmp_path / "echo-dot" / "spool.sqlite")
    assert spool.summary().clips == 1
    spool.close()


def test_without_a_far_end_what_was_sent_is_said_not_to_have_arrived(tmp_path: Path) -> None:
    path, out = tmp_path / "lecture.flac", tmp_path / "run"
    Keys(tmp_path, "echo-dot")
    path.write_bytes(encode_flac(lecture()[: 3 * RATE]))  # the sound ends in the capture
    with EmbeddedBroker() as broker:
        command = device(path, tmp_path, "--pace", "fast", "--broker", broker.url, "--out", str(out))
        assert main([*command, "--set", "uplink.drain_ms=100"]) == 1
    run = json.loads((out / "run.json").read_text())
    assert (run["clips"]["captured"], run["clips"]["received"]) == (1, 0)


def test_people_who_say_the_wake_word_wake_it(shared_data: Path, tmp_path: Path) -> None:
    recordings = [read_sound(path) for path in sorted((shared_data / "alexa-recordings").glob("*.flac"))[::4]]
    pause = np.zeros(3 * RATE, np.int16)
    path, out = tmp_path / "people.flac", tmp_path / "run"
    path.write_bytes(encode_flac(np.concatenate([piece for sound in recordings for piece in (pause, sound)] + [pause])))
    store, more = ClipStore(tmp_path / "cloud"), ("--set", "capture.first_speech_ms=500", "--out", str(out))
    seal = Keys(tmp_path / "state", "echo-dot").far_end
    with EmbeddedBroker() as broker, FarEnd(Cloud(store, Counter()), broker.url, seal, on_event=Diary()):
        assert main(device(path, tmp_path / "state", "--pace", "fast", "--broker", broker.url, *more)) == 0
    store.close()
    wakes, woke, clock = [event["sample"] for event in events(out, "wake")], 0, 0
    for sound in recordings:
        begin, clock = clock + len(pause), clock + len(pause) + len(sound)
        woke += any(begin < sample <= clock + RATE for sample in wakes)
    assert woke >= 9, f"{woke} of {len(recordings)} woke"
