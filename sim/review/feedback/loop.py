"""The loop: a week is played, its clips are reviewed, something is learned, and the days held out tell the gain."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from sim.cloud.settings import VerifierSettings
from sim.errors import FeedbackError
from sim.review.feedback.annotating import Review, Reviewed, review_home
from sim.review.feedback.comparing import Tried, against, played, worth
from sim.review.feedback.examples import Example
from sim.review.feedback.intervals import share
from sim.review.feedback.judging import Judging, Maker, judge_day, verdicts
from sim.review.feedback.learn import Judged, Threshold, calibrate, learn
from sim.review.feedback.plan import (
    BEFORE,
    LEARNED,
    RECOGNIZER,
    THRESHOLD,
    WORD,
    Places,
    Plan,
    held_out,
    learned_from,
)
from sim.review.feedback.playing import STORE, Day, play_day
from sim.review.feedback.pool import in_chains
from sim.review.feedback.talk import load_talk
from sim.review.feedback.week import scenario_of
from sim.speech.library import write_whole
from sim.speech.voices import Voice, must_speak
from wakeword.models import EMBEDDING, find_model, shared_model
from wakeword.scorer import load_scorer
from wakeword.second_look import Learned
from wakeword.sound import RATE

NOTE = (
    "The labels are those of simulated annotators: what the scenario knows to be true, but for a stated error rate. "
    "The voices are synthetic. What this gains for people is not known from it."
)

Work = TypeVar("Work")
Progress = Callable[[str, int, int], None]
"""Takes a step's name, how many of its pieces are done, and of how many."""


@dataclass(frozen=True)
class _Material:
    """The labelled wakes to learn from; `groups` are days of homes, `voices` who spoke."""

    examples: list[Example]
    spoken: list[bool]
    groups: list[str]
    voices: list[str]


class Loop:
    """One loop in its folder; what an earlier start has finished there is not done again."""

    def __init__(self, plan: Plan, places: Places, workers: int, progress: Progress) -> None:
        """Raises SimError for what can be known to fail before the long work."""
        self._plan, self._places, self._workers, self._progress = plan, places, workers, progress
        self._talk = load_talk(plan.talk_file)
        days = [
            scenario_of(plan.week, self._talk, home, day)
            for home in range(plan.week.homes)
            for day in range(plan.week.days)
        ]
        for voice in sorted({str(person.voice) for day in days for person in day.people.values()}):
            must_speak(Voice.parse(voice))
        self._maker = Maker(WORD)
        self._now = load_scorer(WORD).threshold

    def run(self) -> dict[str, Any]:
        """Do what is left of it; gives what is in `results.json`. Raises SimError."""
        plan, places = self._plan, self._places
        plan.keep(places.out)
        places.heard.mkdir(exist_ok=True)
        self._chains("playing the week", play_day, learned_from(plan, places))
        reviewed = self._review()
        material = self._material(reviewed)
        threshold, learned, judged = self._learn(material)
        write_whole(places.verifier, learned.as_bytes())
        ways = {
            BEFORE: (),
            LEARNED: (("wake.verifier", str(places.verifier.resolve())),),
        }
        self._chains("playing the days held out", play_day, held_out(plan, places, ways))
        tried, own, other = self._judge(threshold)
        days = {way: self._days(way) for way in ways}
        results = {
            "note": NOTE,
            "plan": asdict(plan),
            "days_learned_from": len(plan.week.learned_from),
            "days_held_out": len(plan.week.held_out),
            "reviewed": self._told(reviewed),
            "learned": _told_of(threshold, learned, judged, material),
            "same_clips": {
                "wakes": {
                    "true": sum(each.true for each in tried),
                    "false": sum(not each.true for each in tried),
                    "while_nobody_spoke": len(own),
                    "other": other,
                },
                "while_nobody_spoke": {
                    way: share(sum(not each.passed[way] for each in own), len(own)).facts()
                    for way in (THRESHOLD, *self._looks())
                },
                "ways": {way: worth(tried, way) for way in (THRESHOLD, *self._looks())},
                "paired": [against(tried, LEARNED, way) for way in (THRESHOLD, *self._looks()) if way != LEARNED],
            },
            "unknown_voices": self._unknown_voices(material),
            "played_again": {way: played(those, days[BEFORE]) for way, those in days.items()},
        }
        write_whole(places.results, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())
        return results

    # The steps.

    def _chains(self, step: str, run: Callable[[Work], object], chains: Sequence[Sequence[Work]]) -> None:
        total, done = sum(map(len, chains)), 0
        self._progress(step, done, total)

        def tell(_work: Work) -> None:
            nonlocal done
            done += 1
            self._progress(step, done, total)

        in_chains(run, chains, self._workers, tell)

    def _review(self) -> list[Reviewed]:
        works = [Review(self._plan, self._places, home) for home in range(self._plan.week.homes)]
        self._chains("reviewing", review_home, [[work] for work in works])
        return [Reviewed.read(work.file) for work in works]

    def _material(self, reviewed: Sequence[Reviewed]) -> _Material:
        """Make an example of each wake whose labels agree, and say that it was a call or that it was none."""
        found = _Material([], [], [], [])
        week = self._plan.week
        for home, those in enumerate(reviewed):
            agreed = those.agreed
            examples = self._maker.examples(self._places.home(home, week.learned_from[-1]) / STORE, sorted(agreed))
            for day in week.learned_from:
                people = scenario_of(week, self._talk, home, day).people
                for wake in Day.read(self._places.home(home, day)).wakes:
                    if wake.clip not in examples:
                        continue
                    found.examples.append(examples[wake.clip])
                    found.spoken.append(agreed[wake.clip])
                    found.groups.append(f"{home} {day}")
                    found.voices.append("" if wake.line is None else str(people[wake.line.partition(":")[0]].voice))
        return found

    def _learn(self, material: _Material) -> tuple[Threshold, Learned, Judged]:
        plan = self._plan
        self._progress("learning", 0, 1)
        samples = sum(
            Day.read(self._places.home(home, day)).samples
            for home in range(plan.week.homes)
            for day in plan.week.learned_from
        )
        about: dict[str, object] = {
            "embedding": shared_model(EMBEDDING).sha256,
            "seed": plan.week.seed,
            "homes": plan.week.homes,
            "days": len(plan.week.learned_from),
            "policy": plan.policy,
            "labels": f"simulated annotators, {plan.error:g} of their labels wrong",
        }
        peaks = [each.peak for each in material.examples]
        threshold = calibrate(peaks, material.spoken, self._now, plan.lose, samples / RATE / 3600)
        learned, judged = learn(material.examples, material.spoken, material.groups, plan.lose, about)
        if learned.model != find_model(WORD).sha256:
            raise FeedbackError(f"these clips are wakes of another model of {WORD}; begin anew in another --out")
        self._progress("learning", 1, 1)
        return threshold, learned, judged

    def _judge(self, threshold: Threshold) -> tuple[list[Tried], list[Tried], int]:
        """Give the wakes of the days held out with what each way makes of them, and how many were neither.

        Apart from the others: those while nobody spoke. They are the device's own voice, which says the same on
        every day, so that what is learned has heard it before.
        """
        plan, places = self._plan, self._places
        settings = self._looks()
        works = {
            (way, home, day): Judging(places.tried(BEFORE, home, day), verifier, places.judged(way, home, day))
            for way, verifier in settings.items()
            for home in range(plan.week.homes)
            for day in plan.week.held_out
        }
        self._chains("judging what woke", judge_day, [[work] for work in works.values()])
        tried: list[Tried] = []
        own: list[Tried] = []
        other = 0
        for home in range(plan.week.homes):
            for day in plan.week.held_out:
                folder = places.tried(BEFORE, home, day)
                wakes = Day.read(folder).wakes
                heights = self._maker.examples(folder / STORE, [wake.clip for wake in wakes])
                passed = {way: verdicts(works[way, home, day]) for way in settings}
                for wake in wakes:
                    if wake.said == "other":
                        other += 1
                        continue
                    height = heights[wake.clip].peak if wake.clip in heights else 1.0
                    ways = {way: passed[way].get(wake.clip, True) for way in settings}
                    ways[THRESHOLD] = height >= threshold.threshold
                    (own if wake.line is None else tried).append(Tried(wake.clip, wake.said == "true", ways))
        return tried, own, other

    def _looks(self) -> dict[str, VerifierSettings]:
        """The far end's second looks: what was learned, and the recognizer's beside it where there is one."""
        looks = {LEARNED: VerifierSettings(method="learned", model=self._places.verifier)}
        if self._plan.recognizer != "none":
            looks[RECOGNIZER] = VerifierSettings(method=RECOGNIZER)
        return looks

    def _unknown_voices(self, material: _Material) -> dict[str, Any]:
        """Learn without each voice, and try it on that voice alone: what a home with strangers in it may expect."""
        found: dict[str, Any] = {}
        for voice in sorted(set(material.voices) - {""}):
            known = [n for n, other in enumerate(material.voices) if other != voice]
            strange = [n for n, other in enumerate(material.voices) if other == voice]
            try:
                learned, _ = learn(
                    [material.examples[n] for n in known],
                    [material.spoken[n] for n in known],
                    [material.groups[n] for n in known],
                    self._plan.lose,
                    {"embedding": ""},
                )
            except FeedbackError as error:
                found[voice] = {"why_not": str(error)}
                continue
            tried = [
                Tried(
                    material.examples[n].clip,
                    material.spoken[n],
                    {LEARNED: learned.judge(material.examples[n].embeddings) >= learned.threshold},
                )
                for n in strange
            ]
            found[voice] = worth(tried, LEARNED)
        return found

    def _days(self, way: str) -> list[Day]:
        week = self._plan.week
        return [Day.read(self._places.tried(way, home, day)) for home in range(week.homes) for day in week.held_out]

    def _told(self, reviewed: Sequence[Reviewed]) -> dict[str, Any]:
        clips = sum(each.considered for each in reviewed)
        return {
            "clips": clips,
            "drawn": sum(each.drawn for each in reviewed),
            "labels": sum(len(labels) for each in reviewed for labels in each.labels.values()),
            "stated_error_rate": self._plan.error,
            "clips_agreed_on": sum(len(each.agreed) for each in reviewed),
            "hours_of_listening": round(sum(each.seconds for each in reviewed) / 3600, 2),
        }


def _told_of(threshold: Threshold, learned: Learned, judged: Judged, material: _Material) -> dict[str, Any]:
    rate = threshold.false_per_hour
    return {
        "wakes": {"true": sum(material.spoken), "false": len(material.spoken) - sum(material.spoken)},
        "threshold": {
            "threshold": threshold.threshold,
            "true_wakes_kept": threshold.kept_true.facts(),
            "false_wakes_kept": threshold.kept_false.facts(),
            "false_wakes_per_hour": None if rate is None else [round(each, 2) for each in rate],
        },
        "second_look": {
            "file": f"verifier-{WORD}.npz",
            "sha256": learned.sha256,
            "threshold": learned.threshold,
            "strength": judged.strength,
            "cross_validated": {
                "true_wakes_kept": judged.kept_true.facts(),
                "false_wakes_kept": judged.kept_false.facts(),
            },
        },
    }
