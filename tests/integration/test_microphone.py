"""The microphone through PortAudio, ALSA and a real sound server."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.integration.pulse import VirtualMicrophone, virtual_microphone
from wakeword.sound import RATE, Samples, encode_flac, level_dbfs, read_sound

SPEECH = Path(__file__).parents[2] / "configs" / "scenarios" / "speech"
CHIRPS = 6
STEP = RATE // 2
LEVEL = 0.25
"""Peak of a chirp; full scale is 1."""


def chirp() -> NDArray[np.float64]:
    """100 ms from 300 to 6,000 Hz, rising and falling softly: its correlation has one sharp peak."""
    t = np.arange(RATE // 10) / RATE
    return LEVEL * np.sin(2 * np.pi * (300 * t + 5700 / 0.2 * t**2)) * np.hanning(len(t))


def chirps(folder: Path) -> Path:
    """A chirp every half second, and silence around them: a sound server may swallow the very beginning."""
    step = np.concatenate((np.zeros(RATE // 5), chirp(), np.zeros(RATE // 5)))
    path = folder / "chirps.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.rint(np.tile(step, CHIRPS) * 32767).astype("<i2").tobytes())
    return path


def found(heard: Samples) -> NDArray[np.int64]:
    """Where chirps begin: the peaks of the correlation that reach half of what a chirp has with itself."""
    wanted = chirp() * 32768
    size = 1 << (len(heard) + len(wanted)).bit_length()
    score = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size)), size)[: len(heard)]
    places = []
    while score.max() > 0.5 * float(wanted @ wanted):
        place = int(score.argmax())
        places.append(place)
        score[max(0, place - RATE // 8) : place + RATE // 8] = 0
    return np.sort(np.array(places, np.int64))


@dataclass
class Listener:
    """A listening process, and afterwards what it heard."""

    process: subprocess.Popen[str]
    result: Path
    facts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)

    def finish(self) -> Samples:
        """Wait for the end; returns the samples at their indices."""
        output, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        *facts, told = output.splitlines()
        for line in facts:
            self._note(line)
        self.told = json.loads(told)
        heard: Samples = np.load(self.result)["heard"]
        return heard

    def _note(self, line: str) -> None:
        kind, _, facts = line.partition(" ")
        self.facts.append((kind, json.loads(facts)))

    def await_fact(self, kind: str) -> dict[str, Any]:
        """Wait for a fact of this kind; the test's time limit ends a wait in vain."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            self._note(line)
            if self.facts[-1][0] == kind:
                return self.facts[-1][1]
        pytest.fail(f"it ended without telling {kind}")

    @property
    def lost(self) -> list[tuple[int, int, str]]:
        """Begin, samples and reason of each loss."""
        return [(begin, lost, why) for begin, _, lost, why in self.told["blocks"] if lost]


@contextmanager
def listener(
    microphone: VirtualMicrophone, folder: Path, seconds: float, slow: tuple[float, float] = (0, 0), **arguments: object
) -> Iterator[Listener]:
    """Start to listen, and give the process once it hears."""
    result = folder / "heard.npz"
    command = [sys.executable, "-m", "tests.integration.listener", str(result), str(seconds), *map(str, slow)]
    process = subprocess.Popen(
        [*command, json.dumps(arguments)],
        env=microphone.env,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "hearing\n", process.communicate()[1]
        yield Listener(process, result)
    finally:
        process.kill()
        process.communicate()


def blocks_are_sound(listener: Listener) -> None:
    end = 0
    for begin, count, lost, why in listener.told["blocks"]:
        assert begin == end + lost
        assert (why is None) == (lost == 0)
        end = begin + count


@pytest.mark.parametrize(
    ("sink_rate", "opened"), [(16_000, 16_000), (44_100, 16_000), (48_000, 16_000), (44_100, 44_100), (48_000, 48_000)]
)
def test_hears_every_sample_at_its_level(
    needs: Callable[[str], str], tmp_path: Path, sink_rate: int, opened: int
) -> None:
    needs("pulseaudio")
    with (
        virtual_microphone(sink_rate) as microphone,
        listener(microphone, tmp_path, 5, rates=[opened]) as listening,
    ):
        microphone.play(chirps(tmp_path))
        heard = listening.finish()
    assert listening.told["error"] is None
    assert listening.told["rate"] == opened
    assert listening.lost == []
    blocks_are_sound(listening)
    places = found(heard)
    assert len(places) == CHIRPS
    assert np.abs(places - places[0] - STEP * np.arange(CHIRPS)).max() <= 1
    assert abs(20 * np.log10(np.abs(heard).max() / 32768 / LEVEL)) < 1


@pytest.mark.parametrize(("rate", "block_ms"), [(16_000, 1.0), (48_000, 1.0), (44_100, 20.0)])
def test_a_device_that_is_busy_loses_blocks_but_not_the_time(
    needs: Callable[[str], str], tmp_path: Path, rate: int, block_ms: float
) -> None:
    needs("pulseaudio")
    with virtual_microphone(48_000) as microphone:
        # Busy from 1.1 s on for 0.9 s, with room for 0.3 s: 0.6 s are lost.
        form = {"rates": [rate], "block_ms": block_ms, "room_s": 0.3}
        with listener(microphone, tmp_path, 5, slow=(1.1, 0.9), **form) as listening:
            microphone.play(chirps(tmp_path))
            heard = listening.finish()
    blocks_are_sound(listening)
    assert {why for _, _, why in listening.lost} == {"late"}
    assert 0.4 * RATE < sum(lost for _, lost, _ in listening.lost) < 0.8 * RATE
    places = found(heard)
    off = (places - places[0] + STEP // 2) % STEP - STEP // 2
    assert np.abs(off).max() <= 2
    gap = listening.lost[0][0]
    assert (places < gap).sum() >= 1
    assert (places > gap).sum() >= 2


def test_a_pause_nobody_reports_is_a_loss_too(needs: Callable[[str], str], tmp_path: Path) -> None:
    needs("pulseaudio")
    with virtual_microphone(48_000) as microphone, listener(microphone, tmp_path, 7) as listening:
        microphone.play(chirps(tmp_path))
        began = time.monotonic()
        microphone.control("suspend-sink", "kitchen", "1")
        threading.Event().wait(0.8)  # the pause itself, not a wait for something
        microphone.control("suspend-sink", "kitchen", "0")
        pause_s = time.monotonic() - began
        listening.finish()
    blocks_are_sound(listening)
    assert {why for _, _, why in listening.lost} == {"overrun"}
    assert abs(sum(lost for _, lost, _ in listening.lost) / RATE - pause_s) < 0.1


@pytest.mark.parametrize("parting", ["unplugged", "frozen", "helper killed", "helper frozen"])
def test_a_microphone_that_goes_is_missed_in_two_seconds_and_taken_up_again(
    needs: Callable[[str], str], tmp_path: Path, parting: str
) -> None:
    needs("pulseaudio")
    with virtual_microphone(16_000) as microphone, listener(microphone, tmp_path, 9) as listening:
        helper = listening.await_fact("microphone_level")["helper"]
        began = time.monotonic()
        if parting == "unplugged":
            microphone.control("unload-module", "module-null-sink")
        elif parting == "frozen":
            microphone.daemon.send_signal(signal.SIGSTOP)
        else:
            os.kill(helper, signal.SIGKILL if parting == "helper killed" else signal.SIGSTOP)
        gone = listening.await_fact("microphone_gone")
        if parting == "unplugged":
            microphone.control("load-module", "module-null-sink", "sink_name=kitchen", "rate=16000")
        elif parting == "frozen":
            microphone.daemon.send_signal(signal.SIGCONT)
        back = listening.await_fact("microphone_back")
        listening.finish()
    assert gone["at"] - began < 5  # 2 s, and what a busy machine takes to say so
    why = {
        "unplugged": "the microphone 'default' has disappeared; it is waited for",
        "helper killed": "the helper that holds the microphone crashed (SIGKILL); it is waited for",
    }
    assert gone["why"] == why.get(parting, "the microphone 'default' has given nothing for 1.5 s; it is waited for")
    assert listening.told["error"] is None
    blocks_are_sound(listening)
    lost = [samples for _, samples, why in listening.lost if why == "gone"]
    assert sum(lost) == sum(facts["samples"] for kind, facts in listening.facts if kind == "microphone_back")
    assert abs(back["samples"] / RATE - (back["at"] - began)) < 0.5
    # The clock is where it would be without the gap: blocks come as late after as before.
    end = next(begin for begin, _, samples, _ in reversed(listening.told["blocks"]) if samples)
    lag: dict[bool, list[float]] = {False: [], True: []}
    for (begin, count, _, _), came in zip(listening.told["blocks"], listening.told["came"], strict=True):
        lag[begin >= end].append(came - (begin + count) / RATE)
    assert abs(min(lag[True]) - min(lag[False])) < 0.25


def test_the_helper_outlives_a_signal_to_all_and_not_whoever_started_it(
    needs: Callable[[str], str], tmp_path: Path
) -> None:
    needs("pulseaudio")
    with virtual_microphone(16_000) as microphone, listener(microphone, tmp_path, 60) as listening:
        helper = listening.await_fact("microphone_level")["helper"]
        os.kill(helper, signal.SIGTERM)
        os.kill(helper, signal.SIGINT)
        watch = os.pidfd_open(helper)
        assert select.select([watch], [], [], 1.0)[0] == []
        listening.process.kill()
        assert select.select([watch], [], [], 30.0)[0] == [watch]
        os.close(watch)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_the_microphone_hears_its_own_prompt_where_that_is_said_to_be(
    needs: Callable[[str], str], tmp_path: Path, rate: int
) -> None:
    needs("pulseaudio")
    prompt, result = chirps(tmp_path), tmp_path / "heard.npz"
    with virtual_microphone(rate) as microphone:
        told = echo(microphone.env, result, prompt, "")
    assert told[0] == {"kind": "loudspeaker", "name": "default", "why": None}
    assert told[1]["whole"] is True
    assert told[1]["end"] - told[1]["begin"] == CHIRPS * STEP
    places = found(np.load(result)["heard"])
    assert len(places) == CHIRPS
    assert np.abs(places - places[0] - STEP * np.arange(CHIRPS)).max() <= 2
    assert abs(places[0] - RATE // 5 - told[1]["begin"]) < RATE // 4


def test_the_echo_of_a_prompt_is_taken_out_of_what_is_heard(needs: Callable[[str], str], tmp_path: Path) -> None:
    needs("pulseaudio")
    prompt, result = tmp_path / "prompt.flac", tmp_path / "heard.npz"
    lines = [line for line in sorted(SPEECH.rglob("*.flac")) if "alexa" not in line.name][:4]
    prompt.write_bytes(encode_flac(np.concatenate([read_sound(line) for line in lines])))
    heard = {}
    for way in ("", "cancel"):
        with virtual_microphone(16_000) as microphone:
            told = echo(microphone.env, result, prompt, "", way)
        middle = (told[1]["begin"] + told[1]["end"]) // 2  # by then it has adapted
        heard[way] = level_dbfs(np.load(result)["heard"][middle : told[1]["end"]])
    assert heard[""] > -40
    assert heard["cancel"] < heard[""] - 12


def test_a_device_without_its_loudspeaker_hears_all_the_same(needs: Callable[[str], str], tmp_path: Path) -> None:
    needs("pulseaudio")
    result = tmp_path / "heard.npz"
    with virtual_microphone(16_000) as microphone:
        told = echo(microphone.env, result, chirps(tmp_path), "bathroom")
    assert len(told) == 1
    assert told[0]["why"].startswith("there is no loudspeaker called 'bathroom'; there are: ")
    assert told[0]["why"].endswith("; the device goes on without a voice")


def echo(env: dict[str, str], result: Path, prompt: Path, name: str, *way: str) -> list[dict[str, Any]]:
    """Let a device play a prompt beside its microphone; gives the facts of its loudspeaker."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.echo", str(result), str(prompt), name, *way],
        env=env,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_without_any_microphone(needs: Callable[[str], str]) -> None:
    needs("pulseaudio")
    with virtual_microphone(16_000) as microphone:
        microphone.daemon.kill()
        microphone.daemon.wait()
        sentence = refusal(microphone.env, "Microphone()")
    assert sentence == "there is no microphone; plug one in, or listen to a file with --source FILE"


def test_an_unknown_name_lists_what_is_there(needs: Callable[[str], str]) -> None:
    needs("pulseaudio")
    with virtual_microphone(16_000) as microphone:
        sentence = refusal(microphone.env, "Microphone('bathroom')")
    assert sentence.startswith("there is no microphone called 'bathroom'; there are: ")
    assert "'kitchen'" in sentence


def test_without_portaudio_says_how_to_install_it(needs: Callable[[str], str]) -> None:
    needs("pulseaudio")
    hide = "import ctypes.util; ctypes.util.find_library = lambda name: None; import device.portaudio"
    assert "apt-get install libportaudio2" in refusal(dict(os.environ), "device.portaudio.PortAudio()", first=hide)


def refusal(env: dict[str, str], call: str, first: str = "") -> str:
    """The sentence with which a new process is refused."""
    program = f"""
{first}
from device.errors import DeviceError
from device.microphone import Microphone
try:
    {call}
except DeviceError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=env,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()
