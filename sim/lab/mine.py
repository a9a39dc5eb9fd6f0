"""Accidental triggers of a wake word: who the candidates are, what came of each, and how that goes with distance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sim.lab.intervals import wilson
from sim.lab.pets.repeat import Repeated
from sim.lab.ranking import Candidate, dictionary_entries, rank, rank_pairs
from sim.lab.triggers import CARRIERS, PHASES, Replaying, Saying, fires, in_sentence
from wakeword.commonness import common_words, language_model_path
from wakeword.pronunciation import Pronouncer, dictionary_path, read_dictionary

COMMON = 3000
"""Of so many of the commonest words pairs are made."""

BIN = 25
"""Hundredths of distance that are one bar of the plot."""


@dataclass(frozen=True)
class Wish:
    """What is mined. `spread`: words drawn from the whole dictionary, which show what distance says."""

    word: str
    voices: tuple[str, ...]
    engines: tuple[str, ...]
    thresholds: tuple[float, ...]
    words: int
    pairs: int
    spread: int
    confirm: int
    seed: int
    look: str = "none"

    @property
    def spoken(self) -> str:
        """The wake word as it is written."""
        return self.word.replace("_", " ")


def candidates(wish: Wish) -> list[Candidate]:
    """The nearest words, the nearest pairs of common words, and words from anywhere, each text once; in that order.

    Raises EngineMissing where the dictionary is not installed.
    """
    dictionary = read_dictionary(dictionary_path())
    target = Pronouncer(dictionary).phones(wish.spoken)
    ranked = [each for each in rank(dictionary_entries(dictionary), target) if _may_be(each, wish)]
    common = [word for word in common_words(language_model_path()) if word in dictionary]
    pairs = rank_pairs([(word, tuple(dictionary[word][0].split())) for word in common[:COMMON]], target, 2 * wish.pairs)
    others = ranked[wish.words :]
    drawn = np.random.default_rng(wish.seed).permutation(len(others))[: wish.spread]
    near_pairs = [each for each in pairs if _may_be(each, wish)][: wish.pairs]
    found = [*ranked[: wish.words], *near_pairs, *(others[at] for at in sorted(drawn.tolist()))]
    return list({each.text: each for each in found}.values())


def _may_be(candidate: Candidate, wish: Wish) -> bool:
    """Whether it is not the wake word itself, as it is written or as it sounds."""
    return candidate.distance > 0 and wish.spoken not in candidate.text


class Alone(NamedTuple):
    """What came of a candidate in a voice, said alone: by engine how many of the eight places wake, and the scores."""

    candidate: int
    voice: str
    fired: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]


def sayings(wish: Wish, found: Sequence[Candidate]) -> list[Saying]:
    """Each candidate in each voice, the voices of one after the other."""
    return [Saying(each.text, voice, wish.word, wish.engines) for each in found for voice in wish.voices]


def alone(wish: Wish, number: int, result: Mapping[str, Any]) -> Alone | None:
    """What came of a saying of this number; None where it could not be said."""
    if "error" in result:
        return None
    scores = tuple(tuple(result[engine]) for engine in wish.engines)
    fired = tuple(fires(list(each), at) for each, at in zip(scores, wish.thresholds, strict=True))
    candidate, voice = divmod(number, len(wish.voices))
    return Alone(candidate, wish.voices[voice], fired, scores)


def best(every: Iterable[Alone], found: Sequence[Candidate]) -> list[Alone]:
    """Of each candidate that wakes anything its surest saying; most engines and places first, then nearest."""

    def key(each: Alone) -> tuple[Any, ...]:
        shares = sorted((count / PHASES for count in each.fired), reverse=True)
        return (-sum(shares), -max(map(max, each.scores)), found[each.candidate].distance, each.candidate, each.voice)

    chosen: dict[int, Alone] = {}
    for each in sorted((each for each in every if any(each.fired)), key=key):
        chosen.setdefault(each.candidate, each)
    return list(chosen.values())


def sentences(wish: Wish, chosen: Sequence[Alone], found: Sequence[Candidate]) -> list[Saying]:
    """Each of the chosen in every carrier, in its voice."""
    return [
        Saying(in_sentence(carrier, found[each.candidate].text), each.voice, wish.word, wish.engines)
        for each in chosen
        for carrier in CARRIERS
    ]


def replays(wish: Wish, chosen: Sequence[Alone], found: Sequence[Candidate]) -> list[Replaying]:
    """Each of the chosen, alone, to be replayed ten times."""
    return [
        Replaying(Saying(found[each.candidate].text, each.voice, wish.word, wish.engines), wish.seed, number, wish.look)
        for number, each in enumerate(chosen)
    ]


def trigger_rows(
    wish: Wish,
    found: Sequence[Candidate],
    woke: Sequence[Alone],
    every: Sequence[Alone],
    in_sentences: Sequence[Mapping[str, Any]],
    replayed: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """A row for each that wakes: by engine how many places wake alone, in how many voices, and what confirms it.

    Sentences and replays are those of the first ones; of the others they are None.
    """
    fired: dict[int, Counter[int]] = {}
    for other in every:
        counts = fired.setdefault(other.candidate, Counter())
        counts.update(place for place, count in enumerate(other.fired) if count)
    rows = []
    for number, each in enumerate(woke):
        candidate = found[each.candidate]
        row: dict[str, Any] = {
            "rank": number + 1,
            "text": candidate.text,
            "phones": " ".join(candidate.phones),
            "distance": candidate.distance / 100,
            "voice": each.voice,
        }
        confirmed = number < len(replayed)
        said = in_sentences[number * len(CARRIERS) : (number + 1) * len(CARRIERS)]
        again = replayed[number] if confirmed else {}
        for place, (engine, threshold) in enumerate(zip(wish.engines, wish.thresholds, strict=True)):
            row[f"{engine} highest"] = max(each.scores[place])
            row[f"{engine} places"] = each.fired[place]
            row[f"{engine} voices"] = fired[each.candidate][place]
            row |= dict.fromkeys(f"{engine} {what}" for what in ("sentences", "replays", "repeatability"))
            if confirmed:
                sentences_woke = sum(fires(one[engine], threshold) > 0 for one in said if "error" not in one)
                scores = again.get(engine, [])
                replays_woke = fires(scores, threshold)
                row[f"{engine} sentences"] = sentences_woke
                row[f"{engine} replays"] = replays_woke
                row[f"{engine} repeatability"] = Repeated("", 0, replays_woke, len(scores) or 1).repeatability
        looked = [passed for passed in again.get("passed", []) if passed is not None]
        row |= {"looked": len(looked), "passed": sum(looked)} if confirmed else {"looked": None, "passed": None}
        rows.append(row)
    return rows


def by_distance(wish: Wish, found: Sequence[Candidate], every: Sequence[Alone]) -> list[dict[str, Any]]:
    """For each stretch of distance and each engine: how many candidates wake in any voice at any place, of how many."""
    bins: dict[int, dict[int, list[bool]]] = {}
    for each in every:
        cell = bins.setdefault(found[each.candidate].distance // BIN, {})
        woke = cell.setdefault(each.candidate, [False] * (len(wish.engines) + 1))
        for place, count in enumerate(each.fired):
            woke[place] |= count > 0
        woke[-1] = all(woke[:-1])
    rows = []
    for at, cell in sorted(bins.items()):
        for place, engine in enumerate([*wish.engines, "all engines"]):
            hits = sum(woke[place] for woke in cell.values())
            where = {"from": at * BIN / 100, "to": (at + 1) * BIN / 100, "engine": engine}
            share = hits / len(cell)
            rows.append(
                {**where, "woke": hits, "candidates": len(cell), "share": share, "interval": wilson(hits, len(cell))}
            )
    return rows
