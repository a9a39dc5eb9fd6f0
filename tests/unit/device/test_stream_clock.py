"""The microphone's queue and clock, fed by hand-made callbacks, and what becomes of its samples."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.absence import Absence
from device.audio import Block
from device.intake import Intake, Piece, Stalled
from device.stream_clock import Drift, Timeline, decode, loudest
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


def test_a_piece_survives_the_way_to_another_process() -> None:
    piece = Piece(bytes(range(8)), 4, 12.5, 1e5, True, 2**40)
    assert Piece.unpack(piece.pack()) == piece


@pytest.mark.parametrize("form", ["int16", "int24", "int32", "float32"])
def test_samples_of_every_format_come_to_the_same_sound(form: str) -> None:
    wanted = np.array([[-32768, 32767], [-1, 1], [12345, 0]], np.int16)
    packed = {
        "int16": wanted.tobytes(),
        "int24": (wanted.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)[:, :3].tobytes(),
        "int32": (wanted.astype("<i4") << 16).tobytes(),
        "float32": (wanted / np.float32(32768)).astype("<f4").tobytes(),
    }[form]
    assert decode(packed, 2, form).shape == (3, 2)
    [block] = Timeline(RATE, 2, 1, form).blocks(Piece(packed, 3, 0.0, 0.0, False, 0))
    np.testing.assert_array_equal(block.samples, wanted[:, 1])


def test_the_loudest_channel_is_no_constant_one() -> None:
    frames = np.array([[30000, 5, 0], [30000, -5, 1], [30000, 5, 0]], np.int16)
    assert loudest(frames) == 1


def test_a_stream_after_an_absence_begins_where_that_led() -> None:
    timeline = Timeline(RATE, begin=1000, lost=500, why="gone")
    [block] = timeline.blocks(Piece(bytes(640), 320, 0.0, 9.0, False, 0))
    assert (block.begin, block.lost, block.why, block.end) == (1500, 500, "gone", 1820)
    assert (timeline.heard_until, timeline.heard_until_s) == (1820, 9.0)
    [block] = timeline.blocks(Piece(bytes(640), 320, 0.0, 9.02, False, 0))
    assert (block.begin, block.lost, block.why) == (1820, 0, None)


def test_an_absence_is_told_after_1_2_4_seconds_and_later_once_a_minute() -> None:
    absence = Absence(0.0)
    steps = [quarter / 4 for quarter in range(4 * 300) if absence.step(quarter / 4)]
    assert steps == [1.5, 2.5, 4.5, 8.5, 16.5, 32.5, 64.5, 124.5, 184.5, 244.5]


@given(looks=st.lists(st.floats(0.01, 400), max_size=60))
def test_an_absence_is_counted_once_in_ever_longer_steps(looks: list[float]) -> None:
    absence, now, counted = Absence(50.0), 50.0, 0
    steps = []
    for wait in looks:
        now += wait
        lost = absence.step(now)
        counted += lost
        assert lost >= 0
        assert counted <= (now - 50.0) * RATE  # never ahead of the sound that may be on its way
        steps += [now] if lost else []
    counted += absence.end(now)
    assert counted == absence.counted == round((now - 50.0) * RATE)
    assert len(steps) <= 8 + (now - 50.0) / 60
