"""The second look at the wake word: what it needs, and what it makes of the word and of what sounds like it."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.cloud.looks import LOOKS
from sim.cloud.settings import VerifierSettings
from sim.cloud.verifier import AFTER, Opening, Openings, Verdict, Verifier, load_verifier
from sim.errors import RecognizerError
from sim.speech.manifest import read_manifest, shipped_folder
from uplink.message import JSON, Part
from wakeword import load_scorer
from wakeword.frames import HOP
from wakeword.sound import RATE, Samples, encode_flac, read_sound
from wakeword.span import word_span

PRE_ROLL = RATE // 2


def opening_of(sound: Samples) -> Opening | None:
    """What a far end gets of the first wake in ``sound``, if it wakes."""
    sound = np.concatenate([np.zeros(2 * RATE, np.int16), sound, np.zeros(RATE, np.int16)])
    woke = np.flatnonzero(load_scorer("alexa").score(sound) >= 0.5)
    if not len(woke):
        return None
    begin, end = word_span("alexa", (int(woke[0]) + 1) * HOP)
    clip = begin - PRE_ROLL
    return Opening("dot-1", "alexa", sound[clip : end + AFTER], PRE_ROLL, end - clip)


@pytest.fixture(scope="module")
def people(shared_data: Path) -> list[Opening]:
    files = sorted((shared_data / "alexa-recordings").glob("*.flac"))[:10]
    if not files:
        pytest.skip("the shared recordings are not here")
    return [opening for file in files if (opening := opening_of(read_sound(file))) is not None]


@pytest.fixture(scope="module")
def ordinary() -> list[Opening]:
    """Shipped lines that are something else than the wake word, as if the device had heard it in them."""
    lines = sorted((one for one in read_manifest(shipped_folder()).values()), key=lambda one: one.file)
    others = [one for one in lines if "alexa" not in one.text.lower() and one.n_samples > 9_200 + AFTER][:8]
    return [
        Opening(f"dot-{number}", "alexa", np.pad(sound, (PRE_ROLL, 0)), PRE_ROLL, PRE_ROLL + 9_200)
        for number, one in enumerate(others)
        for sound in [read_sound(shipped_folder() / one.file)[: 9_200 + AFTER]]
    ]


def look(method: str, **settings: float) -> Verifier:
    found = load_verifier(VerifierSettings.model_validate({"method": method, **settings}))
    assert found is not None
    return found


@pytest.mark.parametrize("method", sorted(LOOKS))
def test_people_pass_and_noise_does_not(method: str, people: list[Opening]) -> None:
    verifier = look(method)
    assert len(people) >= 8
    verdicts = [verifier.look(opening) for opening in people]
    assert all(verdict is not None and verdict.method == method for verdict in verdicts)
    assert sum(verdict.passed for verdict in verdicts if verdict) >= len(people) - 2
    noise = (np.random.default_rng(0).standard_normal(len(people[0].samples)) * 1000).astype(np.int16)
    verdict = verifier.look(Opening("dot-3", "alexa", noise, people[0].word_begin, people[0].word_end))
    assert verdict is not None
    assert not verdict.passed


@pytest.mark.parametrize("method", ["recognizer", "engine"])
def test_ordinary_speech_is_stopped(method: str, ordinary: list[Opening]) -> None:
    verifier = look(method)
    verdicts = [verifier.look(opening) for opening in ordinary]
    assert len(verdicts) == 8
    assert sum(verdict.passed for verdict in verdicts if verdict) <= 2
    assert [verifier.look(opening) for opening in reversed(ordinary)] == verdicts[::-1], "whatever was seen before"
    (verdict, *_), (opening, *_) = verdicts, ordinary
    assert verdict is not None
    assert verdict.facts(opening) == {
        "clip": "dot-0",
        "word": "alexa",
        "passed": verdict.score >= verdict.threshold,
        "method": method,
        "score": verdict.score,
        "threshold": LOOKS[method]().threshold,
    }


@pytest.mark.parametrize("method", sorted(LOOKS))
def test_the_settings_set_the_bar(method: str, ordinary: list[Opening]) -> None:
    verdict = look(method, threshold=0.0).look(ordinary[0])
    assert verdict == Verdict(True, method, verdict.score if verdict else 0.0, 0.0)


def test_none_does_not_look() -> None:
    assert load_verifier(VerifierSettings()) is None


def test_a_word_that_the_look_does_not_know_is_not_judged(ordinary: list[Opening]) -> None:
    strange = replace(ordinary[0], word="hey_qwfpgj")
    assert look("recognizer").look(strange) is None
    assert look("engine").look(strange) is None


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymicro_wakeword", None)
    with pytest.raises(RecognizerError, match="pip install pymicro-wakeword"):
        look("engine")
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(RecognizerError, match="pip install pocketsphinx"):
        look("recognizer")


# Gathering an opening from parts.

CLIP = (np.arange(40_000) % 3000).astype(np.int16)
BEGIN = 100_000
FACTS: dict[str, JSON] = {
    "initiator": "wakeword",
    "word": "alexa",
    "word_begin": BEGIN + PRE_ROLL,
    "word_end": BEGIN + PRE_ROLL + 9_200,
}
LONG_ENOUGH = PRE_ROLL + 9_200 + AFTER


def parts(samples: Samples, size: int = RATE, facts: dict[str, JSON] = FACTS) -> list[tuple[Part, Samples]]:
    cut = [samples[begin : begin + size] for begin in range(0, len(samples), size)]
    ends = list(itertools.accumulate(map(len, cut), initial=BEGIN))
    return [
        (
            Part(
                "dot",
                "dot-5",
                number,
                number == len(cut) - 1,
                ends[number],
                ends[number + 1],
                facts if number == 0 else {},
                encode_flac(piece),
            ),
            piece,
        )
        for number, piece in enumerate(cut)
    ]


@settings(max_examples=20)
@given(st.sampled_from([4000, 9000, 16_000]).flatmap(lambda size: st.permutations(parts(CLIP, size))))
def test_an_opening_comes_once_in_whatever_order_the_parts_come(arriving: list[tuple[Part, Samples]]) -> None:
    openings = Openings()
    found = [opening for each in (*arriving, *arriving) if (opening := openings.push(*each)) is not None]
    (opening,) = found
    assert (opening.clip, opening.word) == ("dot-5", "alexa")
    assert (opening.word_begin, opening.word_end) == (PRE_ROLL, PRE_ROLL + 9_200)
    assert np.array_equal(opening.samples, CLIP[:LONG_ENOUGH])


def test_it_comes_with_the_first_part_that_makes_it_long_enough() -> None:
    openings = Openings()
    came = [openings.push(*each) is not None for each in parts(CLIP, 4000)]
    assert came.index(True) == -(-LONG_ENOUGH // 4000) - 1


@pytest.mark.parametrize(("length", "looked"), [(PRE_ROLL + 9_199, False), (PRE_ROLL + 9_200, True)])
def test_a_clip_that_ends_soon_is_looked_at_if_the_word_is_in_it(length: int, looked: bool) -> None:
    openings = Openings()
    found = [openings.push(*each) for each in parts(CLIP[:length], 9000)]
    assert (found[-1] is not None) == looked


@pytest.mark.parametrize(
    "facts",
    [
        {"initiator": "expect_speech"},
        {"word_begin": None, "word_end": None},
        {"word_end": BEGIN},
        {"word_begin": BEGIN - 1},
        {"word": 5},
    ],
)
def test_without_a_word_and_its_place_there_is_no_second_look(facts: dict[str, JSON]) -> None:
    openings = Openings()
    assert [openings.push(*each) for each in parts(CLIP, facts={**FACTS, **facts})] == [None, None, None]
