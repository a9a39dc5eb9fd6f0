"""A home as its devices and people hear it, with noises whose levels can be computed."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from device.config import AcousticSettings
from sim.home.home import Home
from sim.home.overhear import overhear
from sim.scenario import Scenario, load_scenario
from sim.speech.library import load_speech
from tests.home_kit import PROMPT, SPEECH, hiss, home, level_dbfs, scenario, tone
from wakeword.sound import Samples

SECOND = 16_000
ONE = {"who": "ann", "say": "One.", "gap_ms": 100}
TWO = {"who": "ben", "say": "Two.", "gap_ms": 500}
NOISY = {
    "living": {"size_m": [6.0, 5.0, 3.0], "rt60_s": 0.4, "background": {"db_spl": 35}},
    "hall": {"size_m": [4.0, 3.0, 3.0], "rt60_s": 0.6, "background": {"db_spl": 25}},
}
FULL_SCALE = 90.0
SQUARE = FULL_SCALE + 3.01
"""dB SPL of what has the RMS of a square wave of full scale."""


def lived(home: Home, hop: int = 1280) -> dict[str, Samples]:
    blocks: dict[str, list[Samples]] = {}
    while not home.over:
        for name, block in home.advance(hop).items():
            blocks.setdefault(name, []).append(block)
    return {name: np.concatenate(them) for name, them in blocks.items()}


def people(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = scenario().model_dump(mode="json")["people"]
    for who, what in changes.items():
        found[who] |= what
    return found


def test_a_line_is_where_the_truth_says_at_the_level_of_its_distance() -> None:
    of = scenario(ONE, {**TWO, "to": "dot", "means": {"intent": "stop"}})
    here = home(of)
    heard = lived(here)["dot"]
    one, two = here.truth
    assert (one.who, one.text, one.begin, one.end, one.addressed) == ("ann", "One.", 1600, 17_600, False)
    assert (two.begin, two.end, two.to, two.means) == (25_600, 33_600, "dot", {"intent": "stop"})
    assert not heard[: one.begin].any()
    assert level_dbfs(heard[one.begin + 200 : one.end]) == pytest.approx(60 - SQUARE, abs=0.3)
    assert level_dbfs(heard[two.begin + 200 : two.end]) == pytest.approx(60 - 6.02 - SQUARE, abs=0.3)
    late = int(np.flatnonzero(np.abs(heard[one.begin :].astype(int)) > 10)[0])
    assert late == pytest.approx(1.0 / 343 * SECOND, abs=6)


def test_it_is_over_when_the_tail_has_passed() -> None:
    here = home(scenario(ONE, tail_ms=1000))
    heard = lived(here, 160)["dot"]
    assert len(heard) == here.clock == 17_600 + SECOND
    assert here.over


def test_the_microphone_of_a_louder_scale_hears_everything_smaller() -> None:
    quiet, loud = (lived(home(scenario(), full_scale_db_spl=scale))["dot"] for scale in (100, 90))
    assert level_dbfs(loud[1600:17_600]) - level_dbfs(quiet[1600:17_600]) == pytest.approx(10, abs=0.1)


def test_what_is_too_loud_clips_and_is_counted() -> None:
    here = home(scenario(), full_scale_db_spl=62)
    heard = lived(here)["dot"]
    assert here.clipped["dot"] == np.count_nonzero((heard == 32767) | (heard == -32768)) > 100
    assert here.clipped["far"] == 0


def test_a_wall_takes_off_what_it_should() -> None:
    """The middle of the wall at x = 0 is 2.94 m from Ann."""
    for loss_db in (10, 30):
        heard = lived(home(scenario(walls=[{"between": ["hall", "living"], "loss_db": loss_db}]), full_scale_db_spl=60))
        level = level_dbfs(heard["far"][2000:17_600]) + 63.01
        assert level == pytest.approx(60 - 20 * np.log10(2.99) - loss_db, abs=0.5)


def test_two_devices_in_one_room_hear_it_each_from_its_place() -> None:
    devices = {"dot": {"room": "living", "at_m": [2, 2, 1]}, "near": {"room": "living", "at_m": [3, 2.5, 1]}}
    heard = lived(home(scenario(devices=devices)))
    assert list(heard) == ["dot", "near"]
    assert level_dbfs(heard["near"]) - level_dbfs(heard["dot"]) == pytest.approx(6.02, abs=0.3)


def test_noise_is_as_loud_as_the_room_says_and_another_one_at_each_device() -> None:
    devices = {"dot": {"room": "living", "at_m": [2, 2, 1]}, "near": {"room": "living", "at_m": [3, 2.5, 1]}}
    heard = lived(home(scenario({**ONE, "gap_ms": 9000}, rooms=NOISY, devices=devices), full_scale_db_spl=60))
    before = {name: sound[: 9 * SECOND] for name, sound in heard.items()}
    for sound in before.values():
        assert level_dbfs(sound) == pytest.approx(35 - 63.01, abs=0.5)
    assert abs(np.corrcoef(before["dot"], before["near"])[0, 1]) < 0.1


def test_noise_can_be_given_under_the_speech_at_the_first_device() -> None:
    rooms = {**NOISY, "living": {"size_m": [6.0, 5.0, 3.0], "rt60_s": 0, "background": {"snr_db": 20}}}
    heard = lived(home(scenario({**ONE, "gap_ms": 9000}, rooms=rooms), full_scale_db_spl=80))["dot"]
    assert level_dbfs(heard[: 9 * SECOND]) == pytest.approx(60 - 20 - 83.01, abs=0.5)


def test_the_same_seed_gives_the_same_bytes_and_another_one_changes_only_the_noise() -> None:
    first, again = (home(scenario(ONE, TWO, rooms=NOISY)) for _ in range(2))
    sounds = [lived(first), lived(again)]
    assert all(sounds[0][name].tobytes() == sounds[1][name].tobytes() for name in sounds[0])
    assert first.sound_of() == again.sound_of()
    other = home(scenario(ONE, TWO, rooms=NOISY, seed=2))
    assert lived(other)["dot"].tobytes() != sounds[0]["dot"].tobytes()
    assert (other.truth, other.sound_of()) == (first.truth, first.sound_of())
    louder = home(scenario(ONE, TWO, rooms=NOISY, people=people(ben={"level_db_spl": 61})))
    lived(louder)
    assert louder.sound_of() != first.sound_of()


TV = {"room": "hall", "at_m": [1, 1, 1], "voice": "flite:awb", "lines": [{"say": "News."}]}
REACTING = scenario(
    ONE,
    {**TWO, "when_heard": "*", "gap_ms": 200},
    {**ONE, "gap_ms": -300},
    rooms=NOISY,
    people=people(ann={"on_prompt": "pause"}, ben={"on_prompt": "react"}),
    media={
        "tv": {"room": "hall", "at_m": [1, 1, 1], "voice": "flite:awb", "lines": [{"say": "News."}], "end_ms": 1900}
    },
)
WHOLE = 4 * SECOND
PLAYED, BROKEN_OFF = 20_000, 29_000


def cut(pieces: list[int]) -> tuple[bytes, list[object]]:
    """A home in which a prompt begins and is broken off, advanced in pieces."""
    here = home(REACTING)
    moments = sorted({0, PLAYED, BROKEN_OFF, WHOLE, *pieces})
    sounds: list[bytes] = []
    for begin, end in pairwise(moments):
        if begin == PLAYED:
            here.play("dot", PROMPT, "To whom?")
        if begin == BROKEN_OFF:
            here.stop("dot")
        sounds.append(b"".join(here.advance(end - begin)[name].tobytes() for name in ["dot"]))
    return b"".join(sounds), [here.truth, here.happenings(), here.clipped, here.sound_of()]


@settings(max_examples=40)
@given(st.lists(st.integers(1, WHOLE - 1), max_size=30))
def test_however_time_is_cut_the_home_is_the_same(pieces: list[int]) -> None:
    assert cut(pieces) == cut([])


def test_in_that_home_everything_happens() -> None:
    _, (truth, happened, *_) = cut([])
    assert [(line.who, line.begin) for line in truth] == [  # type: ignore[attr-defined]
        ("ann", 1600),
        ("tv", 4800),
        ("ben", BROKEN_OFF + 3200),
        ("ann", BROKEN_OFF + 3200 + 8000 - 4800),
    ]
    assert truth[1].end == 1900 * 16  # type: ignore[index]
    kinds = [(one.kind, one.sample) for one in happened]  # type: ignore[attr-defined]
    assert kinds == sorted(kinds, key=lambda kind: kind[1])
    assert [one for one in kinds if one[0] != "said"] == [("prompt_audible", BROKEN_OFF)] * 2


def test_a_prompt_reaches_its_own_microphone_less_what_echo_cancellation_takes() -> None:
    of = scenario({**ONE, "gap_ms": 5000})
    levels = {}
    for loss_db in (0, 30):
        here = home(of, loudspeaker_db_spl=60, echo_loss_db=loss_db, full_scale_db_spl=100)
        here.play("dot", PROMPT, "To whom?")
        heard = here.advance(SECOND)
        levels[loss_db] = level_dbfs(heard["dot"][200:]) + 103.01
    assert levels[0] == pytest.approx(60 + 20, abs=0.6)  # 10 cm away
    assert levels[30] == pytest.approx(60 + 20 - 30, abs=0.6)


def test_a_prompt_begins_at_the_clock_and_another_device_hears_it_from_where_it_is() -> None:
    devices = {"dot": {"room": "living", "at_m": [2, 2, 1]}, "near": {"room": "living", "at_m": [4, 2, 1]}}
    here = home(scenario({**ONE, "gap_ms": 5000}, devices=devices), loudspeaker_db_spl=60)
    assert not any(sound.any() for sound in here.advance(1280).values())
    here.play("dot", PROMPT, "To whom?")
    heard = here.advance(SECOND)["near"]
    assert int(np.flatnonzero(heard)[0]) == pytest.approx(2.0 / 343 * SECOND, abs=40)
    assert level_dbfs(heard[300:]) == pytest.approx(60 - 6.02 - SQUARE, abs=0.3)


def test_what_is_broken_off_fades_within_10_ms_and_is_gone() -> None:
    here = home(scenario({**ONE, "gap_ms": 5000}), echo_loss_db=0)
    here.play("dot", PROMPT, "To whom?")
    here.advance(8000)
    here.stop("dot")
    after = here.advance(8000)["dot"]
    assert level_dbfs(after[:80]) > -40
    assert not after[300:].any()
    here.stop("dot")
    assert not here.advance(1280)["dot"].any()


def test_a_new_prompt_breaks_the_old_one_off() -> None:
    here = home(scenario({**ONE, "gap_ms": 5000}))
    here.play("dot", PROMPT, "One")
    here.advance(8000)
    here.play("dot", PROMPT[:8000], "Two")
    here.advance(SECOND)
    heard = [(one.sample, one.facts["text"]) for one in here.happenings() if one.kind == "prompt_audible"]
    assert heard == [(8000, "One")] * 2 + [(16_000, "Two")] * 2


def test_the_one_who_speaks_hears_no_quiet_prompt_and_the_one_who_listens_does() -> None:
    here = home(scenario(ONE), loudspeaker_db_spl=55)
    here.advance(1280)
    here.play("dot", PROMPT, "To whom?")
    lived(here)
    said, ann, ben = here.happenings()
    assert (said.kind, said.sample, said.facts["who"], said.facts["words"]) == (
        "said",
        1600,
        "ann",
        [["One", 1600, 17_600]],
    )
    assert ann.facts.keys() == {"device", "text", "prompt", "who", "level_db_spl", "rest_db_spl", "share", "heard"}
    assert (ann.facts["who"], ann.facts["heard"], ben.facts["who"], ben.facts["heard"]) == ("ann", False, "ben", False)
    assert ann.facts["level_db_spl"] == pytest.approx(55, abs=0.3)  # at 1 m, and the other at 2 m from it
    assert ben.facts["level_db_spl"] == pytest.approx(55 - 6, abs=0.3)
    assert ann.facts["rest_db_spl"] == pytest.approx(60 + 15.4, abs=0.6)
    json.dumps([ann.facts, ben.facts, said.facts])
    quiet = home(scenario({**ONE, "gap_ms": 3000}), loudspeaker_db_spl=55)
    quiet.play("dot", PROMPT, "To whom?")
    lived(quiet)
    assert [one.facts["heard"] for one in quiet.happenings() if one.kind == "prompt_audible"] == [True, True]


def test_a_prompt_that_is_text_alone_is_heard_by_nobody() -> None:
    here = home(scenario())
    here.play("dot", np.zeros(0, np.int16), "To whom?")
    here.advance(1280)
    assert [one.facts["heard"] for one in here.happenings()] == [False, False]


def test_a_television_plays_a_file_of_any_rate_and_is_turned_off(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "news.wav", np.repeat(hiss(10.0, 7)[:, None], 2, axis=1), 44_100)
    tv = {"room": "living", "at_m": [2, 3, 1], "level_db_spl": 60, "file": "news.wav", "begin_ms": 1000}
    plain = scenario(media={"tv": tv}).model_dump(mode="json") | {"script": []}
    (tmp_path / "tv.json").write_text(json.dumps(plain))
    of = load_scenario_json(tmp_path / "tv.json")
    heard = lived(home(of))["dot"]
    n = 10 * SECOND * SECOND // 44_100
    assert len(heard) == pytest.approx(SECOND + n + 800, abs=1280)
    assert not heard[:SECOND].any()
    assert level_dbfs(heard[SECOND + 200 : SECOND + n]) == pytest.approx(60 - SQUARE, abs=0.4)
    off = of.model_copy(update={"media": {"tv": of.media["tv"].model_copy(update={"end_ms": 2000})}})
    heard = lived(home(off))["dot"]
    assert level_dbfs(heard[SECOND + 200 : 2 * SECOND - 200]) == pytest.approx(60 - SQUARE, abs=0.4)
    assert not heard[2 * SECOND + 200 :].any()


def load_scenario_json(path: Path) -> Scenario:
    """JSON is YAML."""
    renamed = path.with_suffix(".yaml")
    renamed.write_text(path.read_text())
    return load_scenario(renamed)


def test_words_are_given_where_they_are_known(tmp_path: Path) -> None:
    of = load_scenario("kitchen-unacceptable")
    speech = load_speech(of, cache=tmp_path)
    here = Home(of, speech, dict.fromkeys(of.devices, AcousticSettings()))
    here.advance(2 * SECOND)
    (line,) = here.truth
    assert line.words == tuple(
        (word, begin + SECOND, end + SECOND) for word, begin, end in speech.words(of.utterances[0])
    )


def test_overhearing_gives_each_device_and_the_truth() -> None:
    of = scenario(ONE, TWO)
    found = overhear(of, SPEECH)
    assert list(found.devices) == ["dot", "far"]
    assert found.samples is found.devices["dot"]
    assert len(found.samples) % 1280 == 0
    assert [line.who for line in found.truth] == ["ann", "ben"]


def test_a_tone_comes_through_as_it_is() -> None:
    of = scenario({**ONE, "gap_ms": 0})
    here = Home(of, {("flite:slt", "One."): tone(1.0, 500)}, home(of)._acoustics)
    heard = here.advance(SECOND)["dot"][1000:15_000].astype(float)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert np.argmax(spectrum) == pytest.approx(500 * len(heard) / SECOND, abs=1)
    far = np.delete(spectrum, range(int(np.argmax(spectrum)) - 20, int(np.argmax(spectrum)) + 20))
    assert 20 * np.log10(np.max(spectrum) / np.max(far)) > 60
