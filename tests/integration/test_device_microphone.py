"""The whole line from a microphone: PortAudio hears, the device wakes, the clip reaches the far end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.home.overhear import overhear
from sim.scenario import load_scenario
from tests.integration.pulse import VirtualMicrophone, virtual_microphone
from wakeword.sound import RATE, encode_flac, read_sound


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The end of the kitchen conversation, in which "A lecture about opening windows." wakes at every phase."""
    heard = overhear(load_scenario("kitchen-unacceptable"))
    begin = next(line.begin for line in heard.truth if line.text.startswith("A lecture"))
    path = tmp_path_factory.mktemp("sound") / "conversation.flac"
    path.write_bytes(encode_flac(heard.samples[begin - RATE // 2 :]))
    return path


def await_line(process: subprocess.Popen[str], words: str) -> list[str]:
    """Read the device's lines up to one that has these words; the test's time limit ends a wait in vain."""
    assert process.stdout is not None
    seen = []
    while line := process.stdout.readline():
        seen.append(line)
        if words in line:
            return seen
    pytest.fail(f"the device ended without saying {words!r}:\n{''.join(seen)}")


def start(microphone: VirtualMicrophone, folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sim.main", "device", "--state", str(folder / "state"), *more]
    return subprocess.Popen(
        command, env={**microphone.env, "COLUMNS": "200"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_it_wakes_on_a_microphone_of_any_rate_and_delivers(
    rate: int, conversation: Path, tmp_path: Path, needs: Callable[[str], str]
) -> None:
    needs("pulseaudio")
    out = tmp_path / "run"
    with virtual_microphone(rate) as microphone:
        device = start(microphone, tmp_path, "--out", str(out), "--keep-audio")
        await_line(device, "hearing")
        microphone.play(conversation)
        seen = await_line(device, "the clip is complete")
        device.send_signal(signal.SIGTERM)
        _, errors = device.communicate(timeout=60)
    assert device.returncode == 0, errors
    assert any("woke on" in line for line in seen)
    run = json.loads((out / "run.json").read_text())
    assert run["wakes"]["all"] >= 1
    assert run["clips"]["received"] == run["clips"]["captured"] >= 1
    clip = read_sound(next((out / "clips").glob("*.flac")))
    home = read_sound(out / "home.flac")
    begin = json.loads(next(line for line in (out / "events.jsonl").open() if '"capture_begin"' in line))["begin"]
    assert np.array_equal(clip, home[begin : begin + len(clip)])


def test_a_microphone_that_is_not_there_is_one_sentence(tmp_path: Path, needs: Callable[[str], str]) -> None:
    needs("pulseaudio")
    with virtual_microphone(16_000) as microphone:
        device = start(microphone, tmp_path, "--set", "audio.microphone=bathroom")
        _, errors = device.communicate(timeout=60)
    assert device.returncode == 1
    said = [line for line in errors.splitlines() if line.startswith("misheard:")]
    assert len(said) == 1
    assert "bathroom" in said[0]
    assert "Traceback" not in errors


def test_a_microphone_that_is_pulled_out_ends_the_open_clip_and_is_taken_up_again(
    conversation: Path, tmp_path: Path, needs: Callable[[str], str]
) -> None:
    needs("pulseaudio")
    out = tmp_path / "run"
    with virtual_microphone(16_000) as microphone:
        device = start(microphone, tmp_path, "--out", str(out))
        await_line(device, "hearing")
        player = subprocess.Popen(["paplay", str(conversation)], env=microphone.env)
        await_line(device, "streaming clip")
        microphone.control("unload-module", "module-null-sink")
        await_line(device, "has disappeared; it is waited for")
        await_line(device, "the clip is complete")
        player.wait(timeout=20)
        microphone.control("load-module", "module-null-sink", "sink_name=kitchen", "rate=16000")
        await_line(device, "the microphone is back after")
        microphone.play(conversation)
        await_line(device, "streaming clip")
        device.send_signal(signal.SIGTERM)
        _, errors = device.communicate(timeout=120)
    assert device.returncode == 0, errors
    assert errors == ""
    run = json.loads((out / "run.json").read_text())
    assert run["clips"]["received"] == run["clips"]["captured"] == 2
    assert "audio_lost" in (out / "clips" / "metadata.csv").read_text()
    events = [json.loads(line) for line in (out / "events.jsonl").open()]
    lost = sum(event["samples"] for event in events if event["kind"] == "audio_lost" and event["why"] == "gone")
    assert [event["samples"] for event in events if event["kind"] == "microphone_back"] == [lost]
