"""The lab: hearing, ranking the dictionary, short tasks through the cluster, and plays on one process and on two."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein
from rich.console import Console

import sim.lab.cluster
from sim.lab.cluster import Cluster, Function
from sim.lab.ledger import Ledger
from sim.lab.ranking import dictionary_entries, rank
from sim.lab.running import work
from sim.lab.trial import Trial, base, play
from sim.scenario import load_scenario
from tests.bench import evaluating, mining, stretches
from tests.bench.effort import Effort
from tests.bench.figure import Row, in_turn
from tests.lab_tasks import doubled
from wakeword.phones import CODES
from wakeword.pronunciation import Pronouncer, dictionary_path, read_dictionary

AIM = "1.8"
"""Times as many plays with two processes as with one."""


def rows(effort: Effort) -> Iterator[Row]:
    """Measure; each count of tasks is kept in a ledger on the disk, as in a sweep."""
    on_one_core = list(evaluating.rows(effort))  # all of them, as mining is to have every core again
    yield from on_one_core
    yield from (mining.row(effort, row) for row in on_one_core if row.what == evaluating.MINED)
    yield from stretches.rows(effort)
    ranked = in_turn(effort.starts, effort.warm_up, {"ours": _ranked(), "rapidfuzz": _unweighted()})
    mine, theirs = ranked["ours"], ranked["rapidfuzz"]
    beside = "rapidfuzz, whole words, unweighted"
    yield Row("ranking the dictionary", "ms", mine, beside, theirs, theirs.over(mine))
    kitchen = base("kitchen-unacceptable")
    # The kitchen up to the line after its first wake.
    script = [line.model_dump(mode="json", exclude_unset=True) for line in load_scenario("kitchen-unacceptable").script]
    settings = (("cloud.ears.recognizer", "none"), ("scenario.script", json.dumps(script[:3])))
    with ExitStack() as stack:
        one, two = (stack.enter_context(Cluster(workers=count)) for count in (1, 2))
        for each in (one, two):  # what workers load comes first
            _done(each, play, [Trial(kitchen, seed, settings) for seed in range(each.workers)], "loading")()
        short = list(range(effort.short_tasks))
        speed = in_turn(
            effort.starts,
            effort.warm_up,
            {"bundles": _done(two, doubled, short, "bundles"), "single": _single(_done(two, doubled, short, "single"))},
        )
        trials = [Trial(kitchen, seed, settings) for seed in range(effort.trials)]
        plays = in_turn(
            effort.starts, 0, {"one": _done(one, play, trials, "one"), "two": _done(two, play, trials, "two")}
        )
    single = speed["single"]
    ahead = speed["bundles"].over(single)
    yield Row("rows of a sweep, tasks of nothing", "a second", speed["bundles"], "a task at a time", single, ahead)
    minute = {name: figure.each(lambda value: 60 * value) for name, figure in plays.items()}
    scaled = minute["two"].over(minute["one"])
    yield Row("plays on two processes", "a minute", minute["two"], "one process", minute["one"], scaled, AIM)


def _ranked() -> Callable[[], float]:
    dictionary = read_dictionary(dictionary_path())
    entries, target = dictionary_entries(dictionary), Pronouncer(dictionary).phones("alexa")

    def measure() -> float:
        began = time.perf_counter()
        rank(entries, target)
        return 1000 * (time.perf_counter() - began)

    return measure


def _unweighted() -> Callable[[], float]:
    """Plain edit distances of whole words; a phone is a letter."""
    dictionary = read_dictionary(dictionary_path())
    letters = {phone: chr(ord("0") + code) for phone, code in CODES.items()}
    words = ["".join(letters[phone] for phone in phones) for _, phones in dictionary_entries(dictionary)]
    target = "".join(letters[phone] for phone in Pronouncer(dictionary).phones("alexa"))

    def measure() -> float:
        began = time.perf_counter()
        process.cdist([target], words, scorer=Levenshtein.distance)
        return 1000 * (time.perf_counter() - began)

    return measure


def _done(cluster: Cluster, function: Function, tasks: Sequence[Any], name: str) -> Callable[[], float]:
    """Tasks a second."""
    rounds = iter(range(1_000_000))

    def measure() -> float:
        with (
            TemporaryDirectory() as folder,
            Ledger(Path(folder) / "tasks.jsonl", {"name": name, "round": next(rounds)}, len(tasks)) as ledger,
        ):
            began = time.perf_counter()
            work(ledger, function, tasks.__getitem__, cluster, Console(quiet=True), "tasks")
            return len(tasks) / (time.perf_counter() - began)

    return measure


def _single(measure: Callable[[], float]) -> Callable[[], float]:
    def alone() -> float:
        with patch.object(sim.lab.cluster, "LARGEST", 1):
            return measure()

    return alone
