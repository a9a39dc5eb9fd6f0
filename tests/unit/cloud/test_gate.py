"""Speech detection before the recognizer, with the shipped detector and shipped speech."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.cloud.gate import LONG, LONGEST, MARGIN, PAUSE, Piece, SpeechGate
from sim.speech.manifest import read_manifest, shipped_folder
from wakeword.frames import HOP
from wakeword.sound import RATE, Samples, read_sound
from wakeword.vad import VoiceActivity

VOICE = VoiceActivity()


def shipped(n: int) -> Samples:
    """The n-th shipped line, in the order of their files."""
    recordings = sorted(read_manifest(shipped_folder()).values(), key=lambda one: one.file)
    return read_sound(shipped_folder() / recordings[n].file)


def quiet(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), np.int16)


CLIP = np.concatenate([quiet(1.5), shipped(0), quiet(2), shipped(1), quiet(1.2), quiet(0.03)])


def stretches(samples: Samples, cuts: list[int] | None = None, probability: float = 0.5) -> list[tuple[int, Samples]]:
    VOICE.reset()
    gate = SpeechGate(VOICE, probability)
    pieces: list[Piece] = []
    for part in np.split(samples, sorted(cuts or [])):
        pieces += gate.push(part)
    pieces += gate.finish()
    found: list[tuple[int, Samples]] = []
    begin, gathered = 0, [quiet(0)]
    for piece in pieces:
        if len(gathered) == 1:
            begin = piece.begin
        assert piece.begin == begin + sum(map(len, gathered)), "the pieces of a stretch follow each other"
        gathered.append(piece.samples)
        if piece.last:
            found.append((begin, np.concatenate(gathered)))
            gathered = [quiet(0)]
    assert len(gathered) == 1, "the last stretch has ended"
    return found


def test_two_lines_are_two_stretches_with_margins_and_all_of_the_speech() -> None:
    (a, first), (b, second) = stretches(CLIP)
    for begin, samples in ((a, first), (b, second)):
        assert np.array_equal(CLIP[begin : begin + len(samples)], samples)
    loud = np.flatnonzero(np.abs(CLIP) > 500)
    gap = int(np.argmax(np.diff(loud)))
    assert loud[0] - MARGIN - 2 * HOP <= a <= loud[0]
    assert loud[gap] <= a + len(first) <= loud[gap] + MARGIN + 3 * HOP
    assert b <= loud[gap + 1]
    assert loud[-1] <= b + len(second) <= len(CLIP)


@settings(max_examples=15)
@given(st.lists(st.integers(0, len(CLIP)), max_size=12))
def test_the_cuts_do_not_matter(cuts: list[int]) -> None:
    whole, cut = stretches(CLIP), stretches(CLIP, cuts)
    assert [begin for begin, _ in cut] == [begin for begin, _ in whole]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(cut, whole, strict=True))


@pytest.mark.parametrize("level", [0, 3, 100, 3000])
def test_neither_silence_nor_noise_is_speech(level: int) -> None:
    noise = (np.random.default_rng(1).standard_normal(4 * RATE) * level).clip(-32768, 32767).astype(np.int16)
    assert stretches(noise) == []


@pytest.mark.parametrize("length", [0, 1, HOP - 1, HOP, HOP + 1])
def test_a_short_clip_of_speech_is_let_through_whole_where_everything_is_speech(length: int) -> None:
    samples = shipped(0)[4000 : 4000 + length]
    found = stretches(samples, probability=0.0)
    assert [(begin, len(all_of_it)) for begin, all_of_it in found] == ([(0, length)] if length else [])


def test_a_stretch_without_an_end_is_ended() -> None:
    endless = np.tile(shipped(0), 30)[: LONGEST + 5 * RATE]
    found = stretches(endless, probability=0.0)
    assert [begin for begin, _ in found] == [0, LONGEST]
    assert sum(len(samples) for _, samples in found) == len(endless)


def test_a_long_stretch_ends_at_the_first_pause() -> None:
    """Lines so close to each other that they would be one stretch, were they not so many."""
    line = np.concatenate([shipped(0), quiet(PAUSE / RATE / 2)])
    clip = np.tile(line, -(-2 * LONG // len(line)))
    found = stretches(clip)
    assert len(found) > 1
    assert all(len(samples) < LONG + len(line) + MARGIN for _, samples in found)
