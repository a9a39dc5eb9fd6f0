from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from device.audio import Block
from device.events import Event, Stream
from device.rundir import RunDirectory
from sim.errors import SimError
from sim.report import write_report
from wakeword.frames import HOP
from wakeword.sound import RATE, encode_flac

STREAM = Stream("kitchen", datetime(2018, 5, 24, 18, 30, tzinfo=UTC))
CLIP = STREAM.clip(20_000)
EVIL = "</script><script>document.title = 'hacked'</script><img src=x onerror=\"document.title = 'hacked'\">"

Told = tuple[int, str, Mapping[str, Any]]

TOLD: tuple[Told, ...] = (
    (16_000, "said", {"who": "ann", "text": "Unacceptable, for that money."}),
    (32_000, "wake", {"word": "alexa", "score": 0.6, "threshold": 0.5, "word_begin": 28_000, "word_end": 31_200}),
    (32_000, "state", {"from": "IDLE", "to": "RECOGNIZING", "cause": "wake", "turn": CLIP}),
    (32_000, "light", {"light": "listening"}),
    (32_000, "capture_begin", {"clip": CLIP, "begin": 20_000, "initiator": "wakeword"}),
    (36_000, "part", {"clip": CLIP, "number": 0, "last": False, "begin": 20_000, "end": 36_000, "facts": {}}),
    (37_000, "part_sent", {"clip": CLIP, "number": 0, "bytes": 9_000}),
    (38_000, "receipt", {"clip": CLIP, "number": 0, "complete": False}),
    (48_000, "part", {"clip": CLIP, "number": 1, "last": True, "begin": 36_000, "end": 48_000, "facts": {}}),
    (48_000, "capture_end", {"clip": CLIP, "reason": "silence", "begin": 20_000, "end": 48_000, "parts": 2}),
    (48_000, "state", {"from": "RECOGNIZING", "to": "BUSY", "cause": "end", "turn": CLIP}),
    (48_000, "light", {"light": "thinking"}),
    (50_000, "receipt", {"clip": CLIP, "number": 1, "complete": True}),
    (50_000, "transcript", {"clip": CLIP, "text": "an acceptable for that money", "recognizer": "pocketsphinx"}),
    (50_000, "really_said", {"clip": CLIP, "text": "Unacceptable, for that money."}),
    (50_000, "state", {"from": "BUSY", "to": "SPEAKING", "cause": "speak", "turn": CLIP}),
    (50_000, "light", {"light": "speaking"}),
    (50_000, "prompt", {"text": "To whom?", "samples": 8_000}),
    (58_000, "state", {"from": "SPEAKING", "to": "IDLE", "cause": "spoken", "turn": None}),
    (58_000, "light", {"light": "off"}),
    (64_000, "near_miss", {"word": "alexa", "score": 0.4, "threshold": 0.5, "peak": 62_720}),
    (65_000, "audio_lost", {"samples": 2_000, "end": 67_000, "why": "overrun"}),
    (70_000, "mute", {"muted": True}),
    (71_000, "disconnected", {"reason": "the broker went away"}),
    (76_000, "mute", {"muted": False}),
    (78_000, "connected", {}),
    (79_000, "thinking_timed_out", {"clip": CLIP}),
    (80_000, "heartbeat", {"hops": 60}),
)
"""A bit of everything that can happen, in five seconds."""


def tone(samples: int) -> NDArray[np.int16]:
    sound: NDArray[np.int16] = np.rint(8_000 * np.sin(np.arange(samples) * 0.2)).astype(np.int16)
    return sound


def make_run(folder: Path, told: Iterable[Told] = TOLD, *, words: tuple[str, ...] = ("alexa",), **more: Any) -> Path:
    """Leave a run directory as the device does, of these events; `more` replaces what the manifest says."""
    record = RunDirectory(folder, STREAM, words, keep_audio=True, addressed=lambda *_: False)
    record.label(16_000, 30_000, "ann: Unacceptable, for that money.")
    record.hear(Block(0, tone(80_000)))
    for hop in range(1, 63):
        record.note(Event(hop * HOP, "hop", {"scores": [hop / 100] * len(words)}))
    for sample, kind, facts in told:
        begin, end = int(facts.get("begin", 0)), int(facts.get("end", 0))
        record.note(Event(sample, kind, facts, tone(end - begin) if kind == "part" else None))
    line = {"who": "ann", "say": "Unacceptable, for that money.", "addressed": False}
    scenario: Any = {"name": "post", "shows": "A letter.", "people": {"ann": {}}, "script": [line]}
    record.close({"scenario": scenario, "device": {"name": "kitchen"}, "engine": "openwakeword", "seed": 6, **more})
    return folder


def page_of(folder: Path) -> str:
    write_report(folder)
    return (folder / "report.html").read_text(encoding="utf-8")


def text_of(page: str) -> str:
    """What is read on the page: no script, no style, no tags."""
    bare = re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def lanes_of(page: str) -> dict[str, dict[str, Any]]:
    """The lanes by title, as the script gets them."""
    found = re.search(r'<script type="application/json" id="run-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return {lane["title"]: lane for lane in json.loads(found[1])["lanes"]}


def spans(lane: Mapping[str, Any]) -> list[tuple[int, int, str]]:
    return [(span["begin"], span["end"], span["look"]) for span in lane["spans"]]


# What the page says.


def test_every_lane_shows_what_happened_and_when(tmp_path: Path) -> None:
    lanes = lanes_of(page_of(make_run(tmp_path / "run")))
    assert list(lanes) == [
        "microphone", "ann", "heard", "device says", "“alexa”", "light", "recording", "decisions", "on the wire",
        "lost sound", "mute", "trouble",
    ]  # fmt: skip
    assert spans(lanes["ann"]) == [(16_000, 30_000, "voice-0")]
    assert spans(lanes["“alexa”"]) == [(32_000, 32_000, "wake"), (62_720, 62_720, "near-miss")]
    assert spans(lanes["light"]) == [
        (32_000, 48_000, "listening"), (48_000, 50_000, "thinking"), (50_000, 58_000, "speaking"),
    ]  # fmt: skip
    assert spans(lanes["recording"]) == [(20_000, 48_000, "capture"), (28_000, 31_200, "word")]
    assert spans(lanes["on the wire"]) == [
        (20_000, 36_000, "part received"), (36_000, 48_000, "part received"), (50_000, 50_000, "complete"),
    ]  # fmt: skip
    assert spans(lanes["device says"]) == [(50_000, 58_000, "prompt")]
    assert spans(lanes["lost sound"]) == [(65_000, 67_000, "lost")]
    assert spans(lanes["mute"]) == [(70_000, 76_000, "muted")]
    assert spans(lanes["trouble"]) == [(71_000, 78_000, "offline"), (79_000, 79_000, "moment")]


def test_the_curves_are_the_scores_and_the_sound(tmp_path: Path) -> None:
    lanes = lanes_of(page_of(make_run(tmp_path / "run")))
    curve, wave = lanes["“alexa”"]["curve"], lanes["microphone"]["wave"]
    assert (curve["size"], curve["threshold"]) == (HOP, 0.5)
    drawn = np.frombuffer(base64.b64decode(curve["values"]), np.float32)
    assert drawn.tolist() == np.load(tmp_path / "run" / "scores.npy")[:, 0].tolist()
    bins = np.frombuffer(base64.b64decode(wave["values"]), np.int8).reshape(-1, 2)
    assert len(bins) == 80_000 // wave["size"]
    assert wave["peak"] == pytest.approx(8_000 / 32_768, abs=1e-3)
    assert (bins.min(), bins.max()) == (-127, 127)


def test_each_wake_word_has_a_lane_of_its_own(tmp_path: Path) -> None:
    lanes = lanes_of(page_of(make_run(tmp_path / "run", words=("alexa", "hey_jarvis"))))
    assert len(spans(lanes["“alexa”"])) == 2
    assert lanes["“hey_jarvis”"]["spans"] == []
    assert lanes["“hey_jarvis”"]["curve"]["threshold"] is None


def test_a_clip_says_why_it_began_and_ended_and_what_was_made_of_it(tmp_path: Path) -> None:
    page = page_of(make_run(tmp_path / "run"))
    text = text_of(page)
    for fact in (
        "Clip 1 false wake 0:01.25 to 0:03.00, 1.75 s",
        "“alexa” scored 0.600; the threshold is 0.5. The word was taken to be at 0:01.75 to 0:01.95",
        "the clip begins 500 ms before it",
        "Nobody spoke any more.",
        "2 parts, 9 kB; the far end has all of it at 0:03.12.",
        "What pocketsphinx made of it",
        "2 words of 4 misheard",
    ):
        assert fact in text
    assert "<del>Unacceptable,</del> for that money." in page
    assert "<ins>an acceptable</ins> for that money" in page
    flac = encode_flac(np.concatenate([tone(16_000), tone(12_000)]))
    assert f'src="data:audio/flac;base64,{base64.b64encode(flac).decode()}"' in page


def test_a_wake_is_true_where_the_line_was_said_to_the_device(tmp_path: Path) -> None:
    line = {"who": "ann", "say": "Unacceptable, for that money.", "addressed": True}
    scenario = {"name": "post", "shows": "A letter.", "people": {"ann": {}}, "script": [line]}
    page = page_of(make_run(tmp_path / "run", scenario=scenario))
    assert "Clip 1 true wake" in text_of(page)
    assert spans(lanes_of(page)["ann"]) == [(16_000, 30_000, "voice-0 addressed")]


def test_what_was_not_received_is_not_shown_as_received(tmp_path: Path) -> None:
    told = [one for one in TOLD if one[1] not in ("receipt", "transcript", "really_said")]
    page = page_of(make_run(tmp_path / "run", told))
    looks = [look for *_, look in spans(lanes_of(page)["on the wire"])]
    assert looks == ["part sent", "part kept"]
    assert "which the far end has not received" in text_of(page)
    assert "2 parts, 9 kB, of which the far end has confirmed 0." in text_of(page)
    assert "no transcript" in text_of(page)


# What goes into it.


def test_the_same_run_gives_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "elsewhere" / "copy")
    assert page_of(tmp_path / "run") == page_of(tmp_path / "elsewhere" / "copy") == page_of(tmp_path / "run")


def test_nothing_said_or_named_becomes_markup(tmp_path: Path) -> None:
    spoiled = {"text": EVIL, "why": EVIL, "reason": EVIL}
    told = [(at, kind, {name: spoiled.get(name, fact) for name, fact in facts.items()}) for at, kind, facts in TOLD]
    line = {"who": EVIL, "say": EVIL}
    scenario = {"name": EVIL, "shows": EVIL, "people": {EVIL: {}}, "script": [line]}
    evil: Any = {"scenario": scenario, "device": {"name": EVIL}, "source": EVIL}
    page = page_of(make_run(tmp_path / "run", told, words=(EVIL,), **evil))
    assert EVIL in text_of(page)  # it is there, as text
    assert page.lower().count("<script") == page.lower().count("</script") == 2
    assert "<img" not in page.lower()
    assert spans(lanes_of(page)["device says"]) == [(50_000, 58_000, "prompt")]


@pytest.mark.parametrize(
    ("name", "remark"),
    [
        ("events.jsonl", "events.jsonl is missing"),
        ("scores.npy", "scores.npy is missing"),
        ("labels.txt", "labels.txt is missing"),
        ("home.flac", "What the microphone heard was not kept."),
        ("clips/metadata.csv", "metadata.csv is missing"),
        (f"clips/{CLIP}.flac", f"The sound of clip {CLIP} is missing or damaged."),
    ],
)
def test_a_missing_file_is_a_remark_and_so_is_a_damaged_one(tmp_path: Path, name: str, remark: str) -> None:
    folder = make_run(tmp_path / "run")
    whole = (folder / name).read_bytes()
    (folder / name).unlink()
    page = text_of(page_of(folder))
    assert remark in page
    assert "The device woke once while nobody addressed it" in page
    (folder / name).write_bytes(b"\xff\x00\n" + whole[: len(whole) // 2 - 7])
    assert "The device woke once while nobody addressed it" in text_of(page_of(folder))


def test_lines_that_are_no_events_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    whole = lanes_of(page_of(folder))
    with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"sample": 81000, "kind": "wake", "score": 0.9}\n[]\n{"sample": 1, "kind": "prompt", "te')
    page = page_of(folder)
    assert "events.jsonl: 3 damaged lines left out." in text_of(page)
    assert lanes_of(page) == whole


def test_a_run_in_which_nothing_was_heard_has_a_page(tmp_path: Path) -> None:
    RunDirectory(tmp_path / "run", STREAM, ("alexa",), keep_audio=True).close({})
    page = page_of(tmp_path / "run")
    assert lanes_of(page) == {}
    assert "The device did not wake, and no sound left the home." in text_of(page)
    assert "Nothing was recorded." in text_of(page)


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read"), *((data, "is damaged") for data in (b"", b"[1]", b'{"wakes": {}}', b"\xff"))],
)
def test_without_a_whole_run_json_there_is_one_sentence(tmp_path: Path, content: bytes | None, why: str) -> None:
    if content is not None:
        (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(SimError, match=why) as caught:
        write_report(tmp_path)
    assert "run.json" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "report.html").exists()


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (make_run(tmp_path / "run") / "report.html").mkdir()
    with pytest.raises(SimError, match=r"report\.html cannot be written"):
        write_report(tmp_path / "run")


def test_the_folder_is_not_left_for_a_clip(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    (tmp_path / "secret.flac").write_bytes(encode_flac(tone(1_234)))
    table = folder / "clips" / "metadata.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(f"{CLIP}.flac", "../../secret.flac"), encoding="utf-8")
    page = page_of(folder)
    assert base64.b64encode(encode_flac(tone(1_234))).decode() not in page
    assert f"The sound of clip {CLIP} is missing or damaged." in page


def test_sound_that_is_too_large_stays_beside_the_page(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    noise = np.random.default_rng(1).integers(-30_000, 30_000, 240 * RATE).astype(np.int16)
    (folder / "home.flac").write_bytes(encode_flac(noise))
    page = page_of(folder)
    assert len(page) < 10_000_000
    assert '<audio class="home" data-device="kitchen" preload="auto" src="home.flac">' in page
    assert "it is played from home.flac beside it" in text_of(page)
    assert lanes_of(page)["microphone"]["wave"] is not None
    (folder / "clips" / f"{CLIP}.flac").write_bytes(encode_flac(noise))
    page = page_of(folder)
    assert len(page) < 10_000_000
    assert f'src="clips/{CLIP}.flac"' in page
    assert "The sound of 1 of 1 clips" in text_of(page)


def test_the_command_line_does_not_pay_for_the_report() -> None:

    code = "import sys, sim.report; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
