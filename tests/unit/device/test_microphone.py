"""The microphone's queue and clock, fed by hand-made callbacks, and how a microphone is chosen and opened."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import device.microphone
from device.audio import Block, Source
from device.errors import DeviceError
from device.intake import Drift, Intake, Piece, Stalled, Timeline
from device.microphone import Microphone, Opening, choose, openings
from wakeword.sound import RATE

# ---- the queue ----


def test_a_full_queue_counts_what_it_turns_away() -> None:
    intake = Intake(room=100)
    for number in range(5):
        intake.put(bytes([number, 0]) * 40, 40, 0.0, number / 10, number == 3)
    intake.end()
    pieces = list(intake.pieces(1, 1))
    assert [(piece.data[0], piece.frames, piece.dropped) for piece in pieces[:2]] == [(0, 40, 0), (1, 40, 0)]
    assert pieces[2] == Piece(b"", 0, 0.0, 0.0, False, 120)


def test_what_was_dropped_stands_before_the_next_piece_that_fits() -> None:
    intake = Intake(room=100)
    pieces = intake.pieces(1, 1)
    intake.put(bytes(160), 80, 0.0, 0.0, False)
    intake.put(bytes(160), 80, 0.0, 0.1, True)
    intake.put(bytes(60), 30, 0.0, 0.2, False)
    assert next(pieces).dropped == 0
    intake.put(bytes(160), 80, 0.0, 0.3, False)
    assert next(pieces) == Piece(bytes(160), 80, 0.0, 0.3, True, 110)


def test_an_empty_queue_gives_up() -> None:
    intake = Intake(room=100)
    intake.put(bytes(2), 1, 0.0, 0.0, False)
    pieces = intake.pieces(10, 0.01)
    next(pieces)
    with pytest.raises(Stalled) as caught:
        next(pieces)
    assert caught.value.seconds == 0.01


@dataclass(frozen=True)
class Call:
    """One callback: frames, and whether the reader takes what waits before it."""

    frames: int
    reads: bool


@given(
    calls=st.lists(st.builds(Call, st.integers(1, 700), st.booleans()), max_size=60),
    rate=st.sampled_from([16_000, 44_100, 48_000]),
    room=st.integers(1, 2000),
)
def test_whatever_is_dropped_the_clock_counts_it(calls: list[Call], rate: int, room: int) -> None:
    intake, timeline = Intake(room), Timeline(rate)
    blocks: list[Block] = []
    kept = total = 0

    def read() -> None:
        nonlocal kept
        with contextlib.suppress(Stalled):
            for piece in intake.pieces(0, 0):
                kept += piece.frames
                blocks.extend(timeline.blocks(piece))

    for call in calls:
        if call.reads:
            read()
        time_s = total / rate
        total += call.frames
        intake.put(bytes(2 * call.frames), call.frames, 5 + time_s, 9 + total / rate, False)
    intake.end()
    read()
    blocks.extend(timeline.finish())

    end = lost = heard = 0
    for number, block in enumerate(blocks):
        assert block.begin == end + block.lost
        assert block.lost >= 0
        assert block.why == ("late" if block.lost else None)
        assert len(block.samples) or number == len(blocks) - 1
        end, lost, heard = block.end, lost + block.lost, heard + len(block.samples)
    assert end == lost + heard
    assert abs(end - total * RATE / rate) <= 1
    assert abs(lost - (total - kept) * RATE / rate) <= 1 + sum(1 for block in blocks if block.lost)


# ---- the clock over losses ----


class Card:
    """A sound card with a ring of `ring_s`: what is not fetched in time is lost, and flagged, as ALSA does it."""

    def __init__(self, rate: int, seed: int, ring_s: float = 0.2, ppm: float = 80.0) -> None:
        self.rate, self.ring_s = rate, ring_s
        self.true_rate = rate * (1 + ppm * 1e-6)
        self.random = np.random.default_rng(seed)
        self.captured = 0  # the index of the next frame to hand over, losses counted

    def pieces(self, seconds: float, frames: int, stalls: Mapping[int, float]) -> Iterator[tuple[Piece, int]]:
        """Give pieces and the frames truly lost before each; `stalls`: seconds by which a callback is late."""
        free_at = 0.0
        number = 0
        while self.captured < seconds * self.rate:
            due = (self.captured + frames) / self.true_rate
            now = max(due, free_at) + float(self.random.exponential(0.0005)) + stalls.get(number, 0.0)
            waiting = int(now * self.true_rate) - self.captured
            lost = 0
            if waiting > self.ring_s * self.rate:
                lost = waiting
                self.captured += lost
                now += frames / self.true_rate
            capture_s = self.captured / self.true_rate + float(self.random.normal(0, 0.0002))
            yield Piece(bytes(2 * frames), frames, 1.7e9 + capture_s, 40 + now, lost > 0, 0), lost
            self.captured += frames
            free_at = now
            number += 1


@pytest.mark.parametrize("frames", [64, 320, 960])
@pytest.mark.parametrize("seed", range(3))
def test_overruns_are_estimated_and_their_errors_stay_small(frames: int, seed: int) -> None:
    rate = 48_000
    drift = Drift(rate)
    random = np.random.default_rng(seed)
    count = 300 * rate // frames
    stalls = {int(number): float(random.uniform(0.25, 1.5)) for number in random.choice(count, 20, replace=False)}
    card = Card(rate, seed)
    estimated = true = overruns = 0
    for piece, lost in card.pieces(300, frames, stalls):
        estimated += drift.lost(piece)
        true += lost
        overruns += lost > 0
        assert abs(estimated - true) < 0.005 * rate
    assert overruns >= 15


@given(late=st.lists(st.floats(0, 0.19), min_size=200, max_size=200), step=st.floats(-3600, 3600))
def test_lateness_and_a_set_clock_are_no_loss(late: list[float], step: float) -> None:
    drift = Drift(RATE)
    for number, late_s in enumerate(late):
        set_s = step if number > 100 else 0.0
        piece = Piece(bytes(640), 320, 1e9 + set_s + number * 0.02, 5 + (number + 1) * 0.02 + late_s, False, 0)
        assert drift.lost(piece) == 0


def test_a_wrong_capture_time_at_the_start_is_no_loss() -> None:
    # PulseAudio's delay shrinks from half a second to nothing while frames arrive steadily.
    drift = Drift(RATE)
    for number in range(200):
        capture_s = 1e9 + number * 0.02 - max(0.0, 0.5 - max(0, number - 24) * 0.02)
        assert drift.lost(Piece(bytes(640), 320, capture_s, 5 + number * 0.02, False, 0)) == 0


@pytest.mark.parametrize("adc", [True, False])
def test_a_lasting_pause_without_a_flag_is_a_loss(adc: bool) -> None:
    drift = Drift(RATE)
    lost = []
    for number in range(200):
        time_s = number * 0.02 + (0.75 if number >= 100 else 0.0)
        lost.append(drift.lost(Piece(bytes(640), 320, 1e9 + time_s if adc else 0.0, 5 + time_s, False, 0)))
    assert sum(lost) == pytest.approx(0.75 * RATE, abs=2)
    assert sum(1 for frames in lost if frames) == 1
    assert lost.index(max(lost)) <= 126


def test_a_flag_without_a_loss_loses_nothing() -> None:
    drift = Drift(RATE)
    assert sum(drift.lost(Piece(bytes(640), 320, 1e9 + n * 0.02, 5 + n * 0.02, n % 7 == 0, 0)) for n in range(99)) <= 1


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_sound_after_a_loss_is_at_its_index_and_nothing_leaks_across(rate: int) -> None:
    frames = rate // 50
    loud = (10_000 * np.sin(2 * np.pi * 500 * np.arange(rate) / rate)).astype(np.int16)
    timeline = Timeline(rate)
    blocks: list[Block] = []
    for number in range(50):
        dropped = rate // 10 if number == 20 else 0
        silent = number < 20
        at = number * frames
        data = np.zeros(frames, np.int16) if silent else loud[at : at + frames]
        blocks.extend(timeline.blocks(Piece(data.tobytes(), frames, 0.0, 0.0, False, dropped)))
    blocks.extend(timeline.finish())
    gap = next(block for block in blocks if block.lost)
    assert (gap.begin, gap.lost, gap.why) == (8_000, 1_600, "late")
    assert not any(block.samples.any() for block in blocks if block.end <= 6_400)
    after = np.concatenate([block.samples for block in blocks if block.begin >= 8_000])
    expected = 10_000 * np.sin(2 * np.pi * 500 * (np.arange(len(after)) / RATE + 0.4))
    assert np.abs(after - expected)[100:-100].max() < 20
    assert blocks[-1].end == 17_600


def test_one_channel_is_listened_to() -> None:
    frames = np.arange(12, dtype=np.int16).reshape(4, 3)
    [block] = Timeline(RATE, channels=3, channel=1).blocks(Piece(frames.tobytes(), 4, 0.0, 0.0, False, 0))
    np.testing.assert_array_equal(block.samples, [1, 4, 7, 10])


# ---- choosing and opening ----


def card(name: str, index: int, channels: int = 1, rate: float = 44_100.0) -> dict[str, Any]:
    return {"name": name, "index": index, "max_input_channels": channels, "default_samplerate": rate}


CARDS = [
    card("HDMI: 0 (hw:0,3)", 0, channels=0),
    card("USB Mic: Audio (hw:1,0)", 1),
    card("usb mic", 2),
    card("USB", 3),
]


@pytest.mark.parametrize(("name", "index"), [("USB Mic", 2), ("usb", 3), ("hw:1", 1), (None, 3)])
def test_a_microphone_is_chosen_by_name(name: str | None, index: int) -> None:
    assert choose(CARDS, 3, name)["index"] == index


@pytest.mark.parametrize(
    ("cards", "name", "sentence"),
    [
        (CARDS, "HDMI", "no microphone called 'HDMI'; there are: 'USB Mic: Audio"),
        (CARDS, "mi", "2 microphones are called 'mi'; give more of the name"),
        (CARDS, None, "no default microphone"),
        (CARDS[:1], "USB", "there is no microphone; plug one in"),
        ([], None, "there is no microphone; plug one in"),
    ],
)
def test_a_microphone_that_is_not_there_is_one_sentence(cards: list[Any], name: str | None, sentence: str) -> None:
    with pytest.raises(DeviceError, match="(?s)^[^\n]*" + sentence.replace("(", r"\(")):
        choose(cards, -1, name)


def test_16_khz_mono_is_tried_first_then_what_the_microphone_likes() -> None:
    ways = openings(card("array", 0, channels=6, rate=96_000.0), channel=0)
    assert ways[:3] == [Opening(16_000, 1), Opening(16_000, 2), Opening(16_000, 6)]
    assert list(dict.fromkeys(way.rate for way in ways)) == [16_000, 96_000, 48_000, 44_100]
    assert {way.channels for way in openings(card("array", 0, channels=6), channel=2)} == {3, 6}
    with pytest.raises(DeviceError, match="has 6 channels and no channel 6"):
        openings(card("array", 0, channels=6), channel=6)


class PortAudioError(Exception):
    """As sounddevice raises it: text and code."""


@dataclass
class Times:
    inputBufferAdcTime: float  # noqa: N815 - PortAudio's name


@dataclass
class Status:
    input_overflow: bool


class FakeSoundDevice:
    """A card that opens only at `rate` with `channels`; the test runs the callbacks."""

    PortAudioError = PortAudioError

    def __init__(self, rate: int, channels: int, refusal: tuple[str, int] = ("Invalid sample rate", -9997)) -> None:
        self.rate, self.channels, self.refusal = rate, channels, refusal
        self.default = type("Default", (), {"device": (0, -1)})()
        self.closed = threading.Event()
        self.callback: Callable[..., None] = lambda *_: None
        self.finished: Callable[[], None] = lambda: None
        self.started = threading.Event()

    def query_devices(self) -> list[dict[str, Any]]:
        return [card("USB Mic", 0, channels=max(2, self.channels))]

    def check_input_settings(self, device: int, channels: int, samplerate: int, dtype: str) -> None:
        assert (device, dtype) == (0, "int16")
        if (samplerate, channels) != (self.rate, self.channels):
            raise PortAudioError(*self.refusal)

    def RawInputStream(self, **settings: Any) -> FakeSoundDevice:  # noqa: N802 - sounddevice's name
        self.check_input_settings(settings["device"], settings["channels"], settings["samplerate"], settings["dtype"])
        self.callback, self.finished = settings["callback"], settings["finished_callback"]
        return self

    def start(self) -> None:
        self.started.set()

    def abort(self) -> None:
        self.finished()

    def close(self) -> None:
        self.closed.set()

    def hear(self, number: int, time_s: float = 0.0, overflow: bool = False) -> None:
        """One callback of 20 ms, captured at `time_s`, whose left channel is `number` and whose right is -1."""
        frames = self.rate // 50
        data = np.full((frames, self.channels), -1, np.int16)
        data[:, 0] = number
        self.callback(memoryview(data.tobytes()), frames, Times(time_s), Status(overflow))


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeSoundDevice], FakeSoundDevice]:
    def put(fake: FakeSoundDevice) -> FakeSoundDevice:
        monkeypatch.setattr(device.microphone, "_load", lambda: fake)
        return fake

    return put


Plug = Callable[[FakeSoundDevice], FakeSoundDevice]


def test_a_card_that_knows_48_khz_stereo_alone_is_heard_at_16_khz(plug: Plug) -> None:
    fake = plug(FakeSoundDevice(48_000, 2))
    microphone = Microphone("usb")
    assert (microphone.name, microphone.opening) == ("USB Mic", Opening(48_000, 2))
    blocks: list[Block] = []
    error: list[DeviceError] = []

    def listen() -> None:
        try:
            blocks.extend(microphone.blocks())
        except DeviceError as problem:
            error.append(problem)

    thread = threading.Thread(target=listen)
    thread.start()
    assert fake.started.wait(10)
    for _ in range(50):
        fake.hear(1000)
    fake.finished()
    thread.join(10)
    assert fake.closed.is_set()
    assert "the microphone 'USB Mic' has disappeared; plug it in" in str(error[0])
    samples = np.concatenate([block.samples for block in blocks])
    assert len(samples) == RATE
    assert np.abs(samples[200:-200] - 1000).max() <= 1


def test_an_overrun_of_the_card_is_a_loss_with_its_length(plug: Plug) -> None:
    fake = plug(FakeSoundDevice(16_000, 1))
    time_s = 100.0

    def sound() -> None:
        nonlocal time_s
        assert fake.started.wait(10)
        for number in range(20):
            time_s += 0.02 + (0.3 if number == 10 else 0.0)
            fake.hear(number, time_s, overflow=number == 10)
        fake.finished()

    threading.Thread(target=sound).start()
    given: list[Block] = []
    with pytest.raises(DeviceError, match="disappeared"):
        given.extend(Microphone(now=lambda: time_s + 0.02).blocks())
    assert [(block.begin, block.lost, block.why) for block in given if block.lost] == [(8_000, 4_800, "overrun")]
    assert given[-1].end == 20 * 320 + 4_800


def test_closing_from_another_thread_ends_the_blocks_and_lets_go_of_the_card(plug: Plug) -> None:
    fake = plug(FakeSoundDevice(16_000, 1))
    microphone: Source = Microphone()
    blocks: list[Block] = []
    thread = threading.Thread(target=lambda: blocks.extend(microphone.blocks()))
    thread.start()
    assert fake.started.wait(10)
    microphone.close()
    thread.join(1)
    assert not thread.is_alive()
    assert fake.closed.is_set()
    assert blocks == []


def test_a_silent_microphone_is_one_sentence(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.microphone, "START_S", 0.01)
    fake = plug(FakeSoundDevice(16_000, 1))
    with pytest.raises(DeviceError, match=r"'USB Mic' has given nothing for 0\.01 s; plug it in"):
        list(Microphone().blocks())
    assert fake.closed.is_set()


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (("Device unavailable", -9985), "in use by another program"),
        (("Invalid sample rate", -9997), r"cannot be opened \(Invalid sample rate\)"),
    ],
)
def test_a_card_that_cannot_be_opened_is_one_sentence(plug: Plug, refusal: tuple[str, int], sentence: str) -> None:
    plug(FakeSoundDevice(1, 1, refusal))
    with pytest.raises(DeviceError, match=sentence) as caught:
        Microphone()
    assert "--source FILE" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_card_that_is_taken_between_looking_and_opening_is_one_sentence(plug: Plug) -> None:
    fake = plug(FakeSoundDevice(16_000, 1, ("Device unavailable", -9985)))
    microphone = Microphone()
    fake.rate = 1
    with pytest.raises(DeviceError, match="in use by another program"):
        list(microphone.blocks())
