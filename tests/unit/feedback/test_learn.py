"""From labelled wakes to a threshold and a second look, and what these are worth: on numbers made up for it."""

from __future__ import annotations

import numpy as np
import pytest

from sim.errors import FeedbackError
from sim.lab.intervals import garwood
from sim.review.feedback.annotating import Label, Reviewed, label_of
from sim.review.feedback.comparing import Tried, against, played, worth
from sim.review.feedback.examples import Example
from sim.review.feedback.learn import calibrate, learn
from sim.review.feedback.plan import Plan
from sim.review.feedback.playing import Day, Wake
from wakeword.frames import EMBEDDING
from wakeword.sound import RATE

TRUE, FALSE = [0.66, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.99, 1.0, 1.0], [0.51, 0.55, 0.6, 0.64, 0.7, 0.85]
PEAKS, SPOKEN = TRUE + FALSE, [True] * len(TRUE) + [False] * len(FALSE)


class TestThreshold:
    def test_none_of_the_calls_may_fall(self) -> None:
        found = calibrate(PEAKS, SPOKEN, 0.5, 0.0, hours=2.0)
        assert found.threshold == 0.66
        assert (found.kept_true.count, found.kept_false.count) == (10, 2)
        assert found.false_per_hour == (1.0, *garwood(2, 2.0))

    def test_one_in_ten_may(self) -> None:
        found = calibrate(PEAKS, SPOKEN, 0.5, 0.1)
        assert found.threshold == 0.8
        assert (found.kept_true.count, found.kept_false.count) == (9, 1)
        assert found.false_per_hour is None

    def test_it_is_never_lowered(self) -> None:
        assert calibrate([0.4] * 10 + FALSE, SPOKEN, 0.5, 0.0).threshold == 0.5

    def test_from_a_handful_nothing_is_learned(self) -> None:
        with pytest.raises(FeedbackError, match=r"there are 4 true and 6 false wakes with labels, too few"):
            calibrate(PEAKS[6:], SPOKEN[6:], 0.5, 0.0)


def examples(count: int, apart: float, model: str = "a" * 64) -> tuple[list[Example], list[bool], list[str]]:
    chance = np.random.default_rng(7)
    spoken = [n % 2 == 0 for n in range(count)]
    made = [
        Example(f"c-{n}", "alexa", model, 0.9, (chance.normal(size=(5, EMBEDDING)) + apart * call).astype(np.float32))
        for n, call in enumerate(spoken)
    ]
    return made, spoken, [str(n // 4) for n in range(count)]


class TestSecondLook:
    def test_what_can_be_told_apart_is(self) -> None:
        made, spoken, days = examples(80, 0.5)
        learned, judged = learn(made, spoken, days, 0.0, {"embedding": "e"})
        assert judged.kept_true.count == 40
        assert judged.kept_false.count <= 2
        assert (learned.manifest["true_wakes"], learned.manifest["false_wakes"], learned.word) == (40, 40, "alexa")
        fresh, calls, _ = examples(120, 0.5)
        passed = [learned.judge(each.embeddings) >= learned.threshold for each in fresh[80:]]
        assert np.mean(np.array(passed) == calls[80:]) > 0.9
        assert learn(made, spoken, days, 0.0, {"embedding": "e"})[0].as_bytes() == learned.as_bytes()

    def test_what_cannot_be_told_apart_is_let_pass(self) -> None:
        """It is judged on examples that were not learned from: by heart it could do everything."""
        made, spoken, days = examples(80, 0.0)
        _, judged = learn(made, spoken, days, 0.0, {"embedding": "e"})
        assert judged.kept_true.count == 40
        assert judged.kept_false.count > 30

    def test_a_few_calls_may_fall_so_that_more_is_stopped(self) -> None:
        made, spoken, days = examples(200, 0.12)
        none = learn(made, spoken, days, 0.0, {"embedding": "e"})[1]
        some = learn(made, spoken, days, 0.1, {"embedding": "e"})[1]
        assert none.kept_true.count == 100
        assert some.kept_true.count == 90
        assert some.kept_false.count < none.kept_false.count

    def test_wakes_of_two_models_are_not_mixed(self) -> None:
        made, spoken, days = examples(40, 0.5)
        others, *_ = examples(40, 0.5, model="b" * 64)
        with pytest.raises(FeedbackError, match="several words or models"):
            learn(made + others, spoken * 2, days * 2, 0.0, {"embedding": "e"})


TRIED = [
    *[Tried(f"f{n}", False, {"a": n >= 6, "b": n >= 2}) for n in range(8)],
    *[Tried(f"t{n}", True, {"a": n >= 1, "b": True}) for n in range(10)],
]


class TestWorth:
    def test_avoided_and_lost_are_counted(self) -> None:
        found = worth(TRIED, "a")
        assert (found["false_wakes_avoided"]["count"], found["false_wakes_avoided"]["of"]) == (6, 8)
        assert (found["true_wakes_lost"]["count"], found["true_wakes_lost"]["of"]) == (1, 10)

    def test_two_ways_are_compared_on_the_same_wakes(self) -> None:
        found = against(TRIED, "a", "b")
        assert found["avoided"]["difference"] == 0.5
        assert found["avoided"]["low"] > 0
        assert found["lost"]["difference"] == 0.1
        assert found["lost"]["low"] < 0

    def test_days_are_compared_line_by_line(self) -> None:
        def day(*wakes: tuple[str, str | None]) -> Day:
            made = [Wake(str(n), 0.9, said, line) for n, (said, line) in enumerate(wakes)]  # type: ignore[arg-type]
            return Day(0, 0, samples=3600 * RATE, wakes=made, asked=["ann: Alexa 1", "ann: Alexa 2"])

        before = day(
            ("false", "x"), ("false", "x"), ("false", "y"), ("true", "ann: Alexa 1"), ("other", "z"), ("false", None)
        )
        after = day(("false", "y"), ("false", "new"), ("false", None), ("true", "ann: Alexa 2"))
        found = played([after], [before])
        assert (found["false_wakes"], found["false_wakes_while_nobody_spoke"]) == (3, 1)
        assert found["lines_waking_falsely"]["before"] == 2
        assert found["lines_waking_falsely"]["avoided"]["count"] == 1
        assert found["lines_waking_falsely"]["new"] == 1
        assert (found["calls"]["lost"]["count"], found["calls"]["new"]) == (1, 1)
        assert (found["calls_answered"]["count"], found["calls_answered"]["of"]) == (1, 2)


class TestLabels:
    def test_only_what_all_agree_on_is_learned_from(self) -> None:
        call: Label = (True, True)
        none: Label = (False, False)
        half: Label = (True, False)
        labels: dict[str, list[Label]] = {"a": [call, call], "b": [none], "c": [call, none], "d": [half, half]}
        labels["e"] = [none, (None, False)]
        assert Reviewed(5, 5, labels, 0.0).agreed == {"a": True, "b": False}

    def test_annotators_err_as_often_as_is_stated(self) -> None:
        plan = Plan(error=0.1)
        labels = [label_of(plan, f"clip-{n}", n % 2, (True, False)) for n in range(4000)]
        wrong = [label != said for labels_ in labels for label, said in zip(labels_, (True, False), strict=True)]
        assert 0.085 < np.mean(wrong) < 0.115
        assert labels == [label_of(plan, f"clip-{n}", n % 2, (True, False)) for n in range(4000)]
        assert {label_of(Plan(error=0.0), f"clip-{n}", 0, (True, False)) for n in range(50)} == {(True, False)}
