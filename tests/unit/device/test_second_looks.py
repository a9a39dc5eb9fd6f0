"""A device that looks again at what woke it, with what was learned from shipped speech."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device.config import WakeSettings
from device.errors import ConfigError
from device.firmware import Firmware
from device.second_looks import describe_verifier, load_second_looks
from sim.cloud.settings import VerifierSettings
from sim.cloud.verifier import load_verifier, opening_of
from tests.firmware_kit import STREAM, FakeScorers, FakeVoice, Sound, hear, kinds, plain, settings_of, sound_of
from tests.verifier_kit import (
    CALLS,
    NEW_CALLS,
    NEW_OTHERS,
    OTHERS,
    judging_firmware,
    line,
    opened,
    plain_firmware,
    scorers,
    shipped_verifier,
    verifier_file,
)
from wakeword.frames import HOP

PHASES = (320, 960)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return verifier_file(tmp_path)


@pytest.mark.parametrize("text", [*CALLS[:2], *NEW_CALLS])
def test_a_call_still_wakes_it_and_says_how_sure_it_is(text: str, file: Path) -> None:
    for phase in PHASES:
        events = hear(judging_firmware(file), line(text, phase))
        (wake,) = kinds(events, "wake")
        score = wake.facts["verifier_score"]
        assert isinstance(score, float)
        assert shipped_verifier().threshold <= score <= 1
        assert opened(events)[1]["verifier_score"] == score, "the far end is told, too"


@pytest.mark.parametrize("text", [*OTHERS[3:], *NEW_OTHERS])
def test_what_only_sounds_like_it_begins_no_capture(text: str, file: Path) -> None:
    for phase in PHASES:
        assert kinds(hear(plain_firmware(), line(text, phase)), "wake"), "without the second look it wakes"
        firmware = judging_firmware(file)
        events = hear(firmware, line(text, phase)) + firmware.finish()
        assert not kinds(events, "wake", "capture_begin", "part", "light")
        (near, *_) = kinds(events, "near_miss")
        assert near.facts["score"] >= near.facts["threshold"]  # type: ignore[operator]
        assert near.facts["verifier_score"] < near.facts["verifier_threshold"]  # type: ignore[operator]


def test_a_call_right_after_what_was_refused_is_heard(file: Path) -> None:
    """Nothing was taken for a call, so no refractory time passes."""
    one, two = line(NEW_OTHERS[0])[:-24_000], line(NEW_CALLS[0])[36_000:]
    firmware = judging_firmware(file)
    events = hear(firmware, np.concatenate([one, two]))
    refused, woke = kinds(events, "near_miss"), kinds(events, "wake")
    assert refused
    (wake,) = woke
    assert wake.sample - refused[0].sample < 32_000 + len(one)
    assert wake.sample > len(one)


class Look:
    """Gives this score to sound of `samples` and more."""

    threshold = 0.5

    def __init__(self, samples: int, score: float) -> None:
        self.samples, self._score = samples, score
        self.heard: list[int] = []

    def score(self, sound: Sound) -> float | None:
        self.heard.append(len(sound))
        return self._score if len(sound) >= self.samples else None


@pytest.mark.parametrize(("samples", "score", "wakes"), [(9 * HOP, 0.4, 0), (9 * HOP, 0.5, 1), (11 * HOP, 0.4, 1)])
def test_it_wakes_unless_the_look_speaks_against_it(samples: int, score: float, wakes: int) -> None:
    """With too little sound heard, as after a loss, nothing does."""
    look = Look(samples, score)
    firmware = Firmware(settings_of(), STREAM, FakeScorers(), FakeVoice(), {"alexa": look})
    events = hear(firmware, plain(0, 9 * HOP)) + hear(firmware, sound_of(9 * HOP, HOP, alexa=0.9))
    assert len(kinds(events, "wake")) == wakes
    assert len(kinds(events, "near_miss")) == 1 - wakes
    assert look.heard == [min(samples, 10 * HOP)]


def test_another_word_is_not_judged() -> None:
    firmware = Firmware(settings_of(), STREAM, FakeScorers(), FakeVoice(), {"computer": Look(HOP, 0.0)})
    events = hear(firmware, plain(0, 9 * HOP)) + hear(firmware, sound_of(9 * HOP, HOP, alexa=0.9))
    assert len(kinds(events, "wake")) == 1


def test_the_far_end_gives_the_same_score(file: Path) -> None:
    verifier = load_verifier(VerifierSettings(method="learned", model=file))
    assert verifier is not None
    for text in (*CALLS, *NEW_CALLS):
        events = hear(judging_firmware(file), line(text, 480))
        clip, facts, begin, sound = opened(events)
        opening = opening_of(clip, facts, begin, sound, whole=True)
        assert opening is not None
        verdict = verifier.look(opening)
        assert verdict is not None
        assert verdict.passed
        assert (verdict.method, verdict.score) == ("learned", facts["verifier_score"])
        assert verifier.look(replace(opening, word="hey_jarvis")) is None, "another word is not judged"


@pytest.mark.parametrize("text", NEW_OTHERS)
def test_the_far_end_stops_what_the_device_let_pass(text: str, file: Path) -> None:
    verifier = load_verifier(VerifierSettings(method="learned", model=file))
    assert verifier is not None
    clip, facts, begin, sound = opened(hear(plain_firmware(), line(text)))
    opening = opening_of(clip, facts, begin, sound, whole=True)
    assert opening is not None
    verdict = verifier.look(opening)
    assert verdict is not None
    assert not verdict.passed


def test_it_must_fit_the_device(tmp_path: Path) -> None:
    about = shipped_verifier().manifest
    other_word = verifier_file(tmp_path, replace(shipped_verifier(), manifest={**about, "word": "hey_jarvis"}))
    with pytest.raises(ConfigError, match="judges hey_jarvis, and this device listens for alexa"):
        load_second_looks(WakeSettings(verifier=other_word), scorers())
    other_model = verifier_file(tmp_path, replace(shipped_verifier(), manifest={**about, "model": "0" * 64}))
    with pytest.raises(ConfigError, match="another model of alexa"):
        load_second_looks(WakeSettings(verifier=other_model), scorers())
    with pytest.raises(ConfigError, match=r"wake\.verifier: the verifier .*gone\.npz cannot be read"):
        load_second_looks(WakeSettings(verifier=tmp_path / "gone.npz"), scorers())


def test_a_run_says_which_one_it_had(file: Path) -> None:
    assert describe_verifier(WakeSettings(verifier=file)) == {"verifier": shipped_verifier().sha256}
    assert describe_verifier(WakeSettings()) == {}


def test_silence_before_the_word_is_sound_too(file: Path) -> None:
    """Sound that is nobody's word gives a score like any other."""
    (look,) = load_second_looks(WakeSettings(verifier=file), scorers()).values()
    score = look.score(plain(0, look.samples))
    assert score is not None
    assert score < look.threshold
