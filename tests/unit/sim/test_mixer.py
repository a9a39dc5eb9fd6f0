from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from sim.errors import ScenarioError
from sim.home.mixer import Mix, active_rms, mix, pink_noise
from sim.scenario import Scenario
from wakeword.sound import RATE, Samples

Speech = Mapping[tuple[str, str], Samples]


def tone(seconds: float, hz: float, amplitude: float = 3000.0) -> Samples:
    return np.rint(amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)).astype(np.int16)


SPEECH: Speech = {("flite:slt", "One."): tone(1.0, 400.0), ("flite:rms", "Two."): tone(0.5, 900.0, 300.0)}


def scenario(gap_ms: int = 250, snr_db: float | None = None, seed: int = 1, level_dbfs: float = -20.0) -> Scenario:
    return Scenario.model_validate(
        {
            "name": "tones",
            "shows": "Tones instead of words.",
            "seed": seed,
            "utc": "2018-05-24T18:30:00Z",
            "rooms": {"hall": {"size_m": [4, 3, 2.5], "background": None if snr_db is None else {"snr_db": snr_db}}},
            "people": {
                "ann": {"voice": "flite:slt", "room": "hall", "at_m": [1, 1, 1], "level_db_spl": level_dbfs + 88},
                "ben": {"voice": "flite:rms", "room": "hall", "at_m": [1, 1, 1], "level_db_spl": level_dbfs + 78},
            },
            "devices": {"dot": {"room": "hall", "at_m": [2, 2, 1]}},
            "script": [
                {"who": "ann", "say": "One.", "gap_ms": 100},
                {"who": "ben", "say": "Two.", "gap_ms": gap_ms, "to": "dot"},
            ],
            "tail_ms": 50,
        },
        strict=False,
    )


def level_dbfs(mixed: Mix, begin: int, end: int) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean((mixed.samples[begin:end] / 32768.0) ** 2))))


def test_lines_stand_where_the_truth_says_at_their_speakers_level() -> None:
    mixed = mix(scenario(), SPEECH)
    one, two = mixed.truth
    assert (one.who, one.text, one.addressed) == ("ann", "One.", False)
    assert (one.begin, one.end) == (1600, 17600)
    assert (two.begin, two.end, two.addressed) == (17600 + 4000, 17600 + 4000 + 8000, True)
    assert len(mixed.samples) == two.end + 800
    assert level_dbfs(mixed, one.begin, one.end) == pytest.approx(-20, abs=0.05)
    assert level_dbfs(mixed, two.begin, two.end) == pytest.approx(-30, abs=0.05)
    assert not mixed.samples[: one.begin].any()
    assert not mixed.samples[one.end : two.begin].any()
    assert mixed.attenuation_db == 0


def test_a_negative_gap_lets_two_speak_at_once() -> None:
    alone, both = mix(scenario(), SPEECH), mix(scenario(gap_ms=-200), SPEECH)
    assert both.truth[1].begin == both.truth[0].end - 3200
    over = slice(both.truth[1].begin, both.truth[0].end)
    first = alone.samples[over].astype(int)
    second = alone.samples[alone.truth[1].begin :][:3200].astype(int)
    assert np.max(np.abs(both.samples[over] - (first + second))) <= 1


def test_cutting_in_before_the_beginning_is_refused() -> None:
    assert mix(scenario(gap_ms=-1100), SPEECH).truth[1].begin == 0
    with pytest.raises(ScenarioError, match=r"script\.1\.gap_ms is -1101.*-1100 at least"):
        mix(scenario(gap_ms=-1101), SPEECH)


def test_a_line_within_another_does_not_pull_the_next_one_forward() -> None:
    base = scenario(gap_ms=-900)
    three = base.model_copy(update={"script": (*base.script, base.script[0].model_copy(update={"gap_ms": 100}))})
    one, two, last = mix(three, SPEECH).truth
    assert two.end < one.end
    assert last.begin == one.end + 1600


def test_the_same_scenario_gives_the_same_bytes_and_the_seed_changes_only_the_noise() -> None:
    first, again = mix(scenario(snr_db=30), SPEECH), mix(scenario(snr_db=30), SPEECH)
    other, quiet = mix(scenario(snr_db=30, seed=2), SPEECH), mix(scenario(), SPEECH)
    assert first.samples.tobytes() == again.samples.tobytes()
    assert first.samples.tobytes() != other.samples.tobytes()
    assert first.truth == other.truth == quiet.truth
    noise = [np.subtract(mixed.samples, quiet.samples, dtype=np.float64) for mixed in (first, other)]
    assert np.std(noise[0]) == pytest.approx(np.std(noise[1]), rel=0.02)
    assert abs(np.corrcoef(noise[0], noise[1])[0, 1]) < 0.1


def test_the_noise_is_as_far_under_the_speech_as_it_should_be() -> None:
    noisy, quiet = mix(scenario(snr_db=12), SPEECH), mix(scenario(), SPEECH)
    noise = np.subtract(noisy.samples, quiet.samples, dtype=np.float64)
    spoken = np.concatenate([quiet.samples[line.begin : line.end] for line in quiet.truth]).astype(np.float64)
    assert 10 * np.log10(np.mean(spoken**2) / np.mean(noise**2)) == pytest.approx(12, abs=0.05)


def test_pink_noise_has_as_much_power_in_each_octave() -> None:
    noise = pink_noise(20 * RATE, np.random.default_rng(5))
    power, hz = np.abs(np.fft.rfft(noise)) ** 2, np.fft.rfftfreq(len(noise), 1 / RATE)
    octaves = [float(np.sum(power[(hz >= low) & (hz < 2 * low)])) for low in (50, 200, 800, 3200)]
    assert 10 * np.log10(max(octaves) / min(octaves)) < 1
    assert float(np.mean(noise**2)) == pytest.approx(1)


def test_what_would_clip_is_turned_down_and_that_is_said() -> None:
    spiky = tone(1.0, 400.0, 1000.0)
    spiky[::160] = 20000  # little power, high peaks
    mixed = mix(scenario(level_dbfs=-10.0), {**SPEECH, ("flite:slt", "One."): spiky})
    assert mixed.attenuation_db > 1
    assert int(np.max(np.abs(mixed.samples.astype(int)))) == 32767
    assert level_dbfs(mixed, mixed.truth[0].begin, mixed.truth[0].end) == pytest.approx(
        -10 - mixed.attenuation_db, abs=0.1
    )


def test_pauses_do_not_count_as_active_speech() -> None:
    word = tone(0.5, 400.0)
    paused = np.concatenate([word, np.zeros(RATE, np.int16), word])
    assert active_rms(paused) == pytest.approx(active_rms(word))
