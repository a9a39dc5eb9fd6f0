from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sim.lab.conditions import TAIL, Condition
from sim.lab.conditions import heard as heard_in
from sim.lab.mine import Alone, Wish, alone, best, by_distance, candidates, trigger_rows
from sim.lab.ranking import Candidate
from sim.lab.triggers import CARRIERS, PHASES, Replaying, Saying, fires, in_sentence, look_again, replay, score
from sim.speech.voices import Voice, render
from wakeword.frames import HOP
from wakeword.scorer import load_scorers

WISH = Wish("alexa", ("flite:slt", "flite:rms"), ("openwakeword", "micro"), (0.5, 0.9), 5, 3, 4, 2, 1)


@pytest.fixture(autouse=True)
def flite(needs: Callable[[str], str]) -> str:
    return needs("flite")


def said(text: str, voice: str = "flite:rms", *engines: str) -> Saying:
    return Saying(text, voice, "alexa", engines or ("openwakeword",))


def test_a_word_is_scored_at_eight_places_as_it_is_after_long_silence() -> None:
    found = score(said("lexus"))["openwakeword"]
    assert len(found) == PHASES == 8
    assert len(set(found)) > 1
    scorers, sound = load_scorers(["alexa"]), render(Voice.parse("flite:rms"), "lexus")
    for at in (0, 5):
        padded = np.concatenate([np.zeros(40 * HOP + at * 160, np.int16), sound, np.zeros(8 * HOP, np.int16)])
        assert found[at] == pytest.approx(float(scorers.score(padded)[40:, 0].max()), abs=1e-4)
    assert fires(found, 0.5) == 8


@pytest.mark.parametrize("text", ["lexus", "a letter"])
def test_micro_hears_only_what_differs(text: str) -> None:
    found = score(said(text, "flite:slt", "micro"))["micro"]
    scorers, sound = load_scorers(["alexa"], "micro"), render(Voice.parse("flite:slt"), text)
    for at in range(PHASES):
        padded = np.concatenate([np.zeros(40 * HOP + at * 160, np.int16), sound, np.zeros(8 * HOP, np.int16)])
        assert found[at] == pytest.approx(float(scorers.score(padded)[40:, 0].max()), abs=1e-4)
    assert len(set(found)) > 1


@pytest.mark.parametrize("carrier", CARRIERS)
def test_the_sentences_themselves_wake_nothing(carrier: str) -> None:
    found = score(said(in_sentence(carrier, "bread"), "flite:slt", "openwakeword", "micro"))
    assert fires(found["openwakeword"], 0.5) == fires(found["micro"], 0.9) == 0


def test_a_voice_that_cannot_say_it_is_told() -> None:
    assert "flite has no voice called 'nobody'" in score(said("lexus", "flite:nobody"))["error"]


def test_replays_are_ten_and_drawn_from_their_number() -> None:
    one, again, other = (replay(Replaying(said("lexus"), 1, number)) for number in (3, 3, 4))
    assert one == again
    assert one["conditions"] != other["conditions"]
    assert len(set(one["conditions"])) == len(one["openwakeword"]) == 10
    assert max(one["openwakeword"]) > 0.5 > min(one["openwakeword"])


def test_what_wakes_in_a_replay_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.lab.triggers.REPLAYS", 2)
    looked, unlooked = (replay(Replaying(said("lexus"), 1, 3, look)) for look in ("phonetic", "none"))
    woke = [score >= 0.5 for score in looked["openwakeword"]]
    assert [passed is not None for passed in looked["passed"]] == woke
    assert any(woke)
    assert unlooked == {**looked, "passed": [None, None]}


def test_the_second_look_knows_the_word_from_others() -> None:
    for text, passes in (("alexa", True), ("boring", False)):
        sound = heard_in(render(Voice.parse("flite:slt"), text), Condition(), 1, 1)
        woke = len(sound) - TAIL
        assert look_again(Replaying(said(text), 1, 1, "phonetic"), sound, woke) is passes


def test_candidates_are_near_words_near_pairs_and_words_from_anywhere() -> None:
    found = candidates(WISH)
    assert len(found) == len({each.text for each in found}) == 12
    assert [" " in each.text for each in found] == [False] * 5 + [True] * 3 + [False] * 4
    assert all("alexa" not in each.text.split() and each.distance > 0 for each in found)
    assert max(each.distance for each in found[:5]) < min(each.distance for each in found[8:])


FOUND = [Candidate("near", ("N",), 30), Candidate("far", ("F",), 130), Candidate("farther", ("F",), 140)]


def heard(number: int, *scores: float) -> Alone:
    result = {engine: [at] * 8 for engine, at in zip(WISH.engines, scores, strict=True)}
    found = alone(WISH, number, result)
    assert found is not None
    return found


def test_the_surest_come_first_each_candidate_once() -> None:
    every = [heard(0, 0.6, 0.1), heard(1, 0.7, 0.95), heard(2, 0.2, 0.2), heard(3, 0.8, 0.2), heard(4, 0.9, 0.3)]
    woke = best(every, FOUND)
    assert [(each.candidate, each.voice) for each in woke] == [(0, "flite:rms"), (2, "flite:slt"), (1, "flite:rms")]
    assert alone(WISH, 0, {"error": "no voice"}) is None


def test_a_share_is_of_candidates_that_wake_in_any_voice() -> None:
    every = [heard(0, 0.6, 0.1), heard(1, 0.1, 0.95), heard(2, 0.2, 0.2), heard(3, 0.8, 0.2), heard(4, 0.1, 0.3)]
    rows = {(row["from"], row["engine"]): row for row in by_distance(WISH, FOUND, every)}
    assert rows[0.25, "all engines"]["share"] == 1.0
    assert (rows[1.25, "openwakeword"]["woke"], rows[1.25, "openwakeword"]["candidates"]) == (1, 2)
    assert rows[1.25, "micro"]["woke"] == 0


def test_a_trigger_is_told_with_what_came_of_it() -> None:
    every = [heard(0, 0.6, 0.1), heard(1, 0.7, 0.95), heard(2, 0.1, 0.95)]
    sentences: list[dict[str, Any]] = [
        {"openwakeword": [0.6] * 8, "micro": [0.1] * 8},
        {"error": "x"},
        *[{"openwakeword": [0.0], "micro": [0.9]}] * 3,
    ]
    replayed = [{"openwakeword": [0.6] * 8 + [0.1] * 2, "micro": [0.0] * 10, "passed": [True, None, False, True]}]
    row, other = trigger_rows(WISH, FOUND, best(every, FOUND), every, sentences, replayed)
    assert (row["text"], row["distance"], row["openwakeword places"], row["openwakeword voices"]) == ("near", 0.3, 8, 2)
    assert (row["openwakeword sentences"], row["micro sentences"], row["micro voices"]) == (1, 3, 1)
    assert (row["looked"], row["passed"]) == (3, 2)
    assert (row["openwakeword repeatability"], row["micro repeatability"]) == ("high", "low")
    assert (other["text"], other["micro places"], other["micro voices"]) == ("far", 8, 1)
    assert {other[f"{engine} {what}"] for engine in WISH.engines for what in ("sentences", "replays")} == {None}
