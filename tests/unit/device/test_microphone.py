"""A microphone whose helper crashes, hangs, refuses and comes back, as a script has it."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import device.absence
import device.microphone
from device.audio import Block
from device.errors import DeviceError
from device.microphone import Microphone
from uplink.message import JSON
from wakeword.sound import RATE

MONO: list[Any] = ["found", {"rate": RATE, "channels": 1, "form": "int16"}]
HUNDREDTH: list[Any] = ["piece", [7], RATE // 100]
HANG: list[Any] = ["hang"]


class Heard:
    """What a microphone gives and tells; it is closed when `enough` says so of a block or a fact."""

    def __init__(self, folder: Path, plan: list[list[Any]], enough: Callable[[Heard], bool], **form: Any) -> None:
        self.blocks: list[Block] = []
        self.facts: list[tuple[str, Mapping[str, JSON]]] = []
        script = folder / "script.json"
        script.write_text(json.dumps(plan))
        command = [sys.executable, str(Path(__file__).parents[2] / "sound_helper.py"), str(script)]
        self.microphone = Microphone(on_fact=lambda *fact: self.facts.append(fact), command=command, **form)
        for block in self.microphone.blocks():
            self.blocks.append(block)
            if enough(self):
                self.microphone.close()

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.facts]

    def samples(self) -> list[int]:
        return [int(value) for block in self.blocks for value in block.samples]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.microphone, "RETRY_S", 0.01)
    monkeypatch.setattr(device.microphone, "STALL_S", 30.0)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))


@pytest.mark.parametrize(
    ("parting", "why"),
    [
        (["gone"], "the microphone 'stick' has disappeared; it is waited for"),
        (["crash"], "the helper that holds the microphone crashed (SIGSEGV); it is waited for"),
        (HANG, "the microphone 'stick' has given nothing for 1.2 s; it is waited for"),
        (["error", "it broke"], "it broke"),
    ],
)
def test_what_goes_is_told_and_taken_up_again_with_the_gap_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parting: Any, why: str
) -> None:
    monkeypatch.setattr(device.microphone, "STALL_S", 1.2)
    plan: list[list[Any]] = [[MONO, HUNDREDTH, HUNDREDTH, parting], [MONO, HUNDREDTH, HANG]]
    heard = Heard(tmp_path, plan, lambda so_far: len(so_far.samples()) == 3 * RATE // 100)
    assert [(kind, facts.get("why")) for kind, facts in heard.facts] == [
        ("microphone_gone", why),
        ("microphone_back", None),
    ]
    lost = sum(block.lost for block in heard.blocks)
    assert heard.facts[1][1]["samples"] == lost > 0
    assert {block.why for block in heard.blocks if block.lost} == {"gone"}
    end = 0
    for block in heard.blocks:
        assert block.begin == end + block.lost
        end = block.end
    assert end == 3 * RATE // 100 + lost
    assert heard.microphone.helper is None


def test_a_long_absence_is_counted_step_by_step_and_never_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device.absence, "_FIRST_S", 0.05)
    monkeypatch.setattr(device.absence, "_SHORTLY_S", 0.0)
    monkeypatch.setattr(device.microphone, "TICK_S", 0.01)
    monkeypatch.setattr(device.microphone, "RETRY_S", 0.6)
    plan = [[MONO, HUNDREDTH, ["gone"]], [MONO, HUNDREDTH, HANG]]
    heard = Heard(tmp_path, plan, lambda so_far: len(so_far.samples()) == 2 * RATE // 100)
    lost = [block for block in heard.blocks if block.lost]
    assert len(lost) >= 3
    assert [bool(len(block.samples)) for block in lost] == [False] * (len(lost) - 1) + [True]
    end = 0
    for block in heard.blocks:
        assert block.begin == end + block.lost
        end = block.end
    counted = sum(block.lost for block in lost)
    assert counted > 0.6 * RATE
    assert heard.facts[1][1]["samples"] == counted


def test_what_keeps_it_from_coming_back_is_told_once(tmp_path: Path) -> None:
    refused = [["error", "in use"]]
    plan = [[MONO, HUNDREDTH, ["gone"]], refused, refused, [["error", "there is none"]], [MONO, HUNDREDTH, HANG]]
    heard = Heard(tmp_path, plan, lambda so_far: len(so_far.samples()) == 2 * RATE // 100)
    told = [(kind, facts.get("why")) for kind, facts in heard.facts]
    assert told[1:] == [
        ("microphone_refused", "in use"),
        ("microphone_refused", "there is none"),
        ("microphone_back", None),
    ]


def test_whoever_waits_for_it_is_given_empty_blocks_and_can_close_it(tmp_path: Path) -> None:
    plan = [[MONO, HUNDREDTH, ["gone"]], [HANG]]
    heard = Heard(tmp_path, plan, lambda so_far: sum(not len(block.samples) for block in so_far.blocks) > 3)
    assert heard.kinds() == ["microphone_gone"]
    assert heard.microphone.helper is None


def test_a_close_from_another_thread_ends_a_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.microphone, "TICK_S", 3600.0)  # longer than a test may take
    monkeypatch.setattr(device.microphone, "STALL_S", 3600.0)

    def close_soon(heard: Heard) -> bool:
        threading.Timer(0.05, heard.microphone.close).start()
        return False

    assert len(Heard(tmp_path, [[MONO, HUNDREDTH, HANG]], close_soon).samples()) == RATE // 100


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ([["error", "the microphone 'stick' is in use"]], "the microphone 'stick' is in use"),
        ([MONO, ["error", "it was taken"]], "it was taken"),
        ([MONO, ["gone"]], "the microphone 'stick' has disappeared; plug it in and start again, or listen to a file"),
        ([MONO, ["crash"]], "the helper that holds the microphone crashed"),
        ([["crash"]], "the helper that holds the microphone crashed"),
        ([MONO, HANG], "the microphone 'stick' has given nothing for 0.6 s; plug it in"),
        ([HANG], "the sound system has not answered for 0.6 s"),
    ],
)
def test_one_that_was_never_heard_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: list[Any], sentence: str
) -> None:
    monkeypatch.setattr(device.microphone, "START_S", 0.6)
    with pytest.raises(DeviceError) as caught:
        Heard(tmp_path, [steps], lambda _: False)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_the_loudest_channel_is_listened_to(tmp_path: Path) -> None:
    stereo = ["found", {"rate": RATE, "channels": 2, "form": "int16"}]
    half = [["piece", [500, 30], 100], ["piece", [500, -30], 100]] * 80
    heard = Heard(tmp_path, [[stereo, *half, HANG]], lambda so_far: len(so_far.samples()) == RATE, channel="loudest")
    assert set(heard.samples()) == {30, -30}


@pytest.mark.parametrize(("value", "words"), [(0, "nothing but the value 0"), (32_767, "nothing but the value 32767")])
def test_its_first_second_is_looked_at(tmp_path: Path, value: int, words: str) -> None:
    plan = [[MONO, *[["piece", [value], 1600]] * 10, HANG]]
    heard = Heard(tmp_path, plan, lambda so_far: bool(so_far.facts))
    [(kind, facts)] = heard.facts
    assert kind == "microphone_level"
    assert facts["constant"] == value
    assert words in str(facts["advice"])


def test_its_clock_tells_the_sample_of_a_time(tmp_path: Path) -> None:
    at: list[int | None] = []

    def enough(so_far: Heard) -> bool:
        at.append(so_far.microphone.sample_at(0.0))
        return len(so_far.samples()) == 2 * RATE // 100

    microphone = Heard(tmp_path, [[MONO, HUNDREDTH, HUNDREDTH, HANG]], enough).microphone
    assert at[0] is None
    later, sooner = microphone.sample_at(100.0), microphone.sample_at(99.0)
    assert later is not None
    assert sooner is not None
    assert later - sooner == RATE
