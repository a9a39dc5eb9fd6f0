"""The fleet without a play: who lives there, what is said, for how much a stretch stands, what is made of the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.errors import LabError
from sim.lab.conditions import Condition
from sim.lab.fleet.drawing import Drawing, steps
from sim.lab.fleet.estimate import drawn_of, estimate
from sim.lab.fleet.fleet import SILENCE, Fleet
from sim.lab.fleet.hearing import Ears, Hearing, Listening, chance, listen, listenings
from sim.lab.fleet.household import KINDS, days, household
from sim.lab.fleet.lines import REQUESTS, Lines, lines_of
from sim.lab.fleet.playing import COLUMNS, About
from sim.lab.fleet.population import Population, load_population
from sim.lab.fleet.report import figures_table, number, told
from sim.lab.fleet.scene import scene
from sim.lab.fleet.stretch import HEAVIEST, Proposal, blended, near
from sim.lab.intervals import Interval
from sim.main import main
from sim.review.policy import load_policy
from tests.lab_kit import POPULATION, population_file


@pytest.fixture(scope="module")
def shipped() -> Population:
    return load_population()


@pytest.fixture(scope="module")
def lines(shipped: Population) -> Lines:
    return lines_of(shipped.model_dump_json())


def test_all_but_what_a_source_is_named_for_is_assumed(shipped: Population) -> None:
    assert set(shipped.sources) == {"television.words_an_hour"}
    assert set(shipped.assumed) == set(shipped.figures()) - {"television.words_an_hour"}
    assert {"people.count", "books.messages", "talk.hours_a_day", "lines_a_stretch"} <= set(shipped.assumed)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('count: {"1": 1.0}', 'count: {"1": 0.7}', ':3: people.count is {"1": 0.7}: shares sum to 1, not to 0.7'),
        ("hours_a_day: [1, 2]", "hours_a_day: [3, 2]", "from must not be above to"),
        ("hours_a_day: [1, 2]", "hours_a_day: [1, 24]", "a day has more than 24 hours"),
        ("voices:", "voces:", "did you mean voices?"),
        ("share: 0.5, lines", "share: 0.6, lines", "shares sum to 1, not to 1.2"),
        ("{name}", "{names}", "there is no list names; there are: name"),
        ("television.words_an_hour", "television.words", "there is no such figure"),
        ("echo-dot: 1.0", "echo-dit: 1.0", "echo-dit"),
        ("lines: [Then we say it was the cat.]", "text: nowhere", "the text nowhere of the book 'daily'"),
        ("Then we say it was the cat.", "I said, Alexa it was.", "says the wake word alexa"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence_with_its_place(
    old: str, new: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in POPULATION
    path = population_file(tmp_path, POPULATION.replace(old, new))
    assert main(["lab", "fleet", "--population", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_home_depends_on_its_number_and_the_seed_and_more_days_are_some_more(shipped: Population) -> None:
    homes = [household(shipped, 3, number) for number in range(400)]
    assert homes[7] == household(shipped, 3, 7)
    assert homes[7] != household(shipped, 4, 7)
    shares = {count: np.mean([len(home.people) == count for home in homes]) for count in (1, 2, 3, 4)}
    assert [shares[count] for count in (1, 2, 3, 4)] == pytest.approx([0.3, 0.4, 0.2, 0.1], abs=0.07)
    few, many = (days(shipped, homes[7], 3, count, 9.0) for count in (5, 400))
    assert many[:5].tolist() == few.tolist()
    aired = homes[7].television_h * shipped.television.words_an_hour / 9.0 / shipped.lines_a_stretch
    expected = [homes[7].talk_h * homes[7].lines_an_hour / shipped.lines_a_stretch, aired, homes[7].requests_a_day]
    assert many.mean(axis=0).tolist() == pytest.approx(expected, rel=0.1)


def test_lines_are_as_likely_as_their_books_and_near_by_how_they_sound(lines: Lines, shipped: Population) -> None:
    assert float(lines.shares.sum()) == pytest.approx(1)
    messages = [at for at, text in enumerate(lines.texts) if "essage" in text]
    assert float(lines.shares[messages].sum()) == pytest.approx(shipped.books["messages"].share)
    far = dict(zip(lines.texts, lines.distances(["alexa"]).tolist(), strict=True))
    assert far["A Lexus for stamps."] < far["I wrote a full page about the election of eighteen sixty."] < 90
    assert far["Did you see what the neighbours did to their front yard?"] > 90
    nearest = np.argsort(lines.distances(REQUESTS), kind="stable")[:16].tolist()
    assert set(nearest) <= set(messages)


TINY_WAKE, TINY_ASKS = near(np.array([200, 15, 90]), 15), near(np.array([150, 150, 10]), 12)
TINY_REPLY = blended(np.array([0.9, 0.06, 0.04]), [(TINY_WAKE, 0.5), (np.ones(3), 0.5)])
TINY = Proposal(np.array([0.9, 0.06, 0.04]), steps(TINY_WAKE, TINY_ASKS, TINY_REPLY, 3), 3)
"""Of three lines the second is near what the first tilt is towards, and the third near that of the second."""


def test_weights_are_one_on_the_average_and_bring_back_what_is_in_the_population() -> None:
    """Over every stretch there is: the mixture is a distribution, and weighted it is the population."""
    of = np.array([0.9, 0.06, 0.04])
    every = list(product(range(3), repeat=3))
    likely = np.array([np.prod(of[list(each)]) for each in every])
    weights = np.array([TINY.weight(each) for each in every])
    assert float(np.sum(likely / weights)) == pytest.approx(1)  # how likely they are to be drawn
    assert weights.max() <= TINY.heaviest
    random = np.random.default_rng(2)
    drawn = [TINY.draw(random) for _ in range(20_000)]
    counts = dict.fromkeys(every, 0)
    for one in drawn:
        counts[one.lines] += 1
        assert one.weight == TINY.weight(one.lines)
    for each, share in zip(every, (likely / weights).tolist(), strict=True):
        assert counts[each] / len(drawn) == pytest.approx(share, abs=5 * (share / len(drawn)) ** 0.5)


def test_weighted_draws_estimate_what_plain_ones_do_where_the_event_is_common() -> None:
    """An event of one line in six against 40,000 plain draws; one so rare that these see few of it, far more surely."""
    of, chances = np.array([0.9, 0.06, 0.04]), np.array([0.15, 0.8, 0.3])
    random = np.random.default_rng(5)
    plain = random.choice(3, (40_000, 3), p=of)
    common = float(np.mean(random.random(40_000) < 1 - np.prod(1 - chances[plain], axis=1)))
    rare = [np.mean((plain[:, at] == 1) & (plain[:, at + 1] == 2)) for at in (0, 1)]
    drawn = [TINY.draw(random) for _ in range(8000)]
    weights = np.array([one.weight for one in drawn])
    hit = random.random(len(drawn)) < [1 - float(np.prod(1 - chances[list(one.lines)])) for one in drawn]
    both = np.array([one.lines[:2] == (1, 2) or one.lines[1:] == (1, 2) for one in drawn])
    sizes = weights * hit
    assert float(sizes.mean()) == pytest.approx(common, abs=4 * float(sizes.std()) / len(drawn) ** 0.5 + 0.01)
    sizes = weights * both
    exact = 2 * 0.06 * 0.04
    assert float(sizes.mean()) == pytest.approx(exact, abs=4 * float(sizes.std()) / len(drawn) ** 0.5)
    assert float(sizes.std()) / len(drawn) ** 0.5 < 0.5 * (exact / len(drawn)) ** 0.5  # what plain draws would have
    assert sum(rare) == pytest.approx(exact, abs=5 * (exact / len(plain)) ** 0.5)


def test_a_stretch_of_each_kind_is_a_scenario(shipped: Population, lines: Lines) -> None:
    home = next(one for number in range(99) if (one := household(shipped, 1, number)).people[0].on_prompt == "react")
    numbers = tuple(range(shipped.lines_a_stretch))
    talk, aired, asked, silent = (scene(shipped, lines, home, kind, 5, numbers) for kind in (*KINDS, SILENCE))
    assert scene(shipped, lines, home, "talk", 5, numbers) == talk
    assert scene(shipped, lines, home, "talk", 6, numbers) != talk
    said = [line.say for line in talk.script if line.when_heard is None]
    assert said == [lines.texts[at] for at in numbers]
    assert not any(line.addressed for line in talk.script)
    assert [line.say for line in aired.media["television"].lines] == said
    assert not aired.script
    assert asked.script[0].to == "dot-1"
    assert asked.script[0].means is not None
    assert (silent.script, dict(silent.media)) == ((), {})


EARS = Ears("openwakeword", ("alexa",))


def heard(lines: Lines, loud: Mapping[tuple[str, int], float], voices: Sequence[str]) -> Hearing:
    """What was heard in each voice: a score for some lines, and nothing of all others."""
    tasks = [Listening(0, lines.texts, voice, EARS, Condition()) for voice in voices]
    return Hearing(tasks, [[loud.get((voice, at), 0.0) for at in range(len(lines.texts))] for voice in voices])


def test_lines_that_wake_in_the_voice_that_speaks_are_drawn_more_often_than_those_that_are_near(
    shipped: Population, lines: Lines
) -> None:
    """A line far from the wake word, as common as most, that wakes in one voice of four."""
    about = About("population", None, (), 1)
    home = household(shipped, 1, 0)
    far = lines.texts.index("Did you see what the neighbours did to their front yard?")
    voices = shipped.people.voices
    drawing = Drawing(shipped, lines, about, heard(lines, {("flite:slt", far): 0.99}, voices))
    share = float(lines.shares[far])
    by_voice = {voice: float(drawing.proposal(home, [voice]).runs[0][0][far]) for voice in voices}
    assert by_voice["flite:slt"] * share > 0.1  # of one common line in a thousand it makes one in ten
    assert by_voice["flite:rms"] < 2
    both = float(drawing.proposal(home, ["flite:slt", "flite:rms"]).runs[0][0][far])
    assert by_voice["flite:rms"] < both < by_voice["flite:slt"]
    without = Drawing(shipped, lines, about, None).proposal(home, ["flite:slt"])
    assert float(without.runs[0][0][far]) < 0.1
    random = np.random.default_rng(3)
    weights = [drawing.draw(home, "talk", random).weight for _ in range(800)]
    assert max(weights) <= HEAVIEST
    assert float(np.mean(weights)) == pytest.approx(1, abs=4 * float(np.std(weights)) / len(weights) ** 0.5)


def test_a_louder_score_is_likelier_to_wake_and_none_is_impossible() -> None:
    found = chance(np.array([0.0, 0.01, 0.2, 0.5, 0.9, 1.0]), 0.5)
    assert np.all(np.diff(found) >= 0)
    assert 0 < found[0] < found[2] < found[-1] <= 1
    assert chance(np.array([0.5]), 0.9) < chance(np.array([0.5]), 0.5)


def test_lines_are_heard_as_the_model_scores_them_and_what_no_voice_says_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shipped speech: a line that wakes at every phase, between one that does not and one that cannot be said."""
    wakes, other = "A lecture about opening windows.", "Okay."
    task = Listening(0, (other, wakes, other, "..."), "flite:slt", EARS, Condition())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = listen(task)
    assert found[1] is not None
    assert found[1] > 0.9
    assert [each is not None and each < 0.1 for each in (found[0], found[2])] == [True, True]
    assert found[3] is None
    monkeypatch.setattr("sim.lab.fleet.hearing.heard", lambda *_: pytest.fail("it is heard again"))
    assert listen(task._replace(begin=32)) == found
    with pytest.raises(pytest.fail.Exception):
        listen(task._replace(where=Condition(snr_db=20.0)))


def test_everything_is_listened_to_once_by_every_voice_and_all_ears(shipped: Population) -> None:
    texts = [str(number) for number in range(70)]
    tasks = listenings(shipped, texts, [EARS, Ears("micro", ("alexa",))])
    said = [(task.ears, task.voice, task.begin + at, text) for task in tasks for at, text in enumerate(task.texts)]
    assert len(said) == len(set(said)) == 2 * 4 * 70
    assert all(text == str(number) for _, _, number, text in said)


def test_plays_are_drawn_by_how_much_is_said_and_more_of_them_change_none(shipped: Population) -> None:
    about = About("population", None, (), 1)
    fleet = Fleet(shipped, about, 30, 4)
    where = [fleet.where(number) for number in range(3000)]
    assert [fleet.where(number) for number in (5, 2000)] == [where[5], where[2000]]
    assert {kind for kind, *_ in where} == {*KINDS, SILENCE}
    assert all(home < 30 and day < 4 for _, home, day, _ in where)
    counts = np.array(
        [
            days(shipped, household(shipped, 1, home), 1, 4, lines_of(shipped.model_dump_json()).words_a_line)
            for home in range(30)
        ]
    )
    expected = counts[:, :, 1].sum(axis=1) / counts[:, :, 1].sum()
    aired = [home for kind, home, *_ in where if kind == "television"]
    found = np.bincount(aired, minlength=30) / len(aired)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=0.025)
    assert fleet.stretches["talk"] == counts[:, :, 0].sum()
    jobs = [fleet.job(number) for number in range(60)]
    assert jobs[7] == fleet.job(7)
    assert {job.drawn.step for job in jobs if job.drawn.lines} == {0, 1, 2, 3}
    assert {bool(job.drawn.lines) for job in jobs if job.kind in KINDS[2:]} == {False}
    with pytest.raises(LabError, match="take fewer"):
        Fleet(shipped, about, 10_000, 10_000)


def row(kind: str, weight: float = 1.0, **changes: Any) -> dict[str, Any]:
    usual = {
        "kind": kind,
        "step": 0,
        "log_weight": math.log(weight),
        "seconds": 36.0,
        "devices": 1,
        "false_wakes": 0,
        "true_wakes": 0,
    }
    rest = {"uploaded_s": 0.0, "woke": False, "sent": False, "misdirected": 0, "highest": 0.01, "clips": []}
    return {**dict.fromkeys(COLUMNS), **usual, **rest, **changes}


WOKE: dict[str, Any] = {"woke": True, "false_wakes": 1, "uploaded_s": 5.0, "intent": None}
SENT: dict[str, Any] = {
    **WOKE,
    "intent": "send_message",
    "contact": "Frank",
    "confirmed": True,
    "sent": True,
    "misdirected": 1,
}
ASKED = {"true_wakes": 1, "woke": True, "uploaded_s": 4.0}
STRETCHES = {"talk": 4000.0, "television": 20_000.0, "requests": 500.0, SILENCE: 1e6}
ROWS = [
    *[row("talk")] * 30,
    *[row("talk", weight=0.5, **WOKE)] * 8,
    *[row("talk", weight=0.001, **SENT)] * 2,
    *[row("television")] * 48,
    *[row("television", weight=0.25, **WOKE)] * 2,
    *[row("requests", **ASKED)] * 20,
    *[row(SILENCE, seconds=60.0)] * 3,
    row("talk", error="no voice"),
]


def test_figures_are_what_the_plays_stand_for() -> None:
    found = estimate(ROWS, STRETCHES, 100.0, load_policy("2019-april"), 1)
    assert found.plays == {"talk": 40, "television": 50, "requests": 20, SILENCE: 3}
    talk, aired = 4000 / 100 / 40, 20_000 / 100 / 50
    assert found.by_kind["talk"].value == pytest.approx(talk * (8 * 0.5 + 2 * 0.001))
    assert found.by_kind["television"].value == pytest.approx(aired * 2 * 0.25)
    assert found.false_wakes.value == pytest.approx(sum(one.value for one in found.by_kind.values()))
    assert found.false_wakes.interval.low < found.false_wakes.value < found.false_wakes.interval.high
    assert found.false_wakes.interval.high > aired * HEAVIEST  # what may have gone unseen on air
    assert found.by_kind["requests"].value == 0
    assert found.by_kind["requests"].interval.high == pytest.approx(3.689 * 500 / 100 / 20, rel=1e-3)
    assert found.television_day is not None
    assert found.television_day.value == pytest.approx(2 * 0.25 / ((48 + 0.5) * 36 / 86_400))
    assert found.uploaded_s.value == pytest.approx(talk * (8 * 0.5 + 2 * 0.001) * 5 + aired * 2.5 + 5 * 4)
    assert found.messages.value == pytest.approx(1e6 * talk * 0.002)
    assert found.messages.interval.low < found.messages.value < found.messages.interval.high < found.messages_unseen
    assert [(link.came, link.held) for link in found.links] == [(90, 12), (12, 2), (2, 2), (2, 2), (2, 2)]
    assert 1e6 * found.links[-1].rate.interval.high == pytest.approx(found.messages.interval.high)
    assert found.links[-1].rate.interval.high < found.links[0].rate.interval.high
    assert found.links[1].share == pytest.approx(0.002 / (4.002 + 2.0))
    assert found.silence["highest"] == 0.01
    assert found.silence["per_hour"].high == pytest.approx(3.689 / 0.05, rel=1e-3)


def test_no_message_seen_is_not_none() -> None:
    rows = [each for each in ROWS if not each["sent"]]
    found = estimate(rows, STRETCHES, 100.0, load_policy("2019-april"), 1)
    assert (found.messages.value, found.messages.interval.low) == (0, 0)
    assert 1e3 < found.messages.interval.high < 1e8
    assert found.after_requests.interval.high == pytest.approx(1e6 * 3.689 * 500 / 100 / 20, rel=1e-3)
    assert "none seen (at most" in told(found.messages.value, found.messages.interval)
    assert figures_table(found, "none").row_count == 10


def test_a_wake_in_silence_counts() -> None:
    rows = [*ROWS, row(SILENCE, seconds=60.0, **WOKE)]
    found = estimate(rows, STRETCHES, 100.0, load_policy("2019-april"), 1)
    assert found.false_wakes.value > 1e6 / 100 / 4
    assert found.silence["false_wakes"] == 1


def test_clips_are_drawn_by_their_queue_and_whose_they_are() -> None:
    policy = load_policy("2019-april").model_copy(update={"strata": {"false-wakes": 0.5, "general": 0.125}})
    named = {"initiator": "wakeword", "word": "alexa", "words": [["alexa", 0.9], ["stop", 0.8]]}
    other = {"initiator": "wakeword", "word": "alexa", "words": [["a", 0.9], ["lexus", 0.9]]}
    clips = [named, other, {"initiator": "expect", "words": None}]
    assert drawn_of(row("talk", clips=clips), policy) == 0.125 + 0.5 + 0.125
    asked = policy.model_copy(update={"consent": "opt-out"})
    assert drawn_of(row("talk", clips=clips, choice="out"), asked) == 0
    assert drawn_of(row("talk", clips=clips, choice="in"), asked) == 0.75


def test_numbers_are_short() -> None:
    assert [number(value) for value in (0.0, 0.0000123456, 1.5, 99.96, 123.4, 91_649_123.0)] == [
        "0", "1.23e-05", "1.5", "100", "123", "91,600,000",
    ]  # fmt: skip
    assert told(0.0, Interval(0, 3.689)) == "none seen (at most 3.69)"
