"""The decoding graph: which words may follow which, each spelled out in phones, as one weighted automaton.

A state for each word that was just said holds what may follow it (a bigram with absolute discounting and a back-off
to single words). Each word is spelled once, however many words may come before it. Costs are negative logarithms.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sim.cloud.models.trainer.lexicon import Lexicon
from sim.cloud.models.trainer.phones import Phone, Place, places
from sim.cloud.models.trainer.rendering import PAUSE

DISCOUNT = 0.6
"""Taken from each count of a pair and given to pairs that were never seen."""

SILENCE = 0.3
"""Probability of a pause between two words."""

NOTHING = 0
"""The label that stands for no input or no word."""

_EDGE = ""
"""What stands before the first and after the last word of a sentence."""


@dataclass(frozen=True)
class Arc:
    """From one state to ``target``, taking a transition id (``label``) and giving a word id (``word``), 0 for none."""

    label: int
    word: int
    cost: float
    target: int


@dataclass
class Graph:
    """States from 0: ``arcs[state]``, and ``finals[state]`` the cost of ending there."""

    start: int = 0
    arcs: list[list[Arc]] = field(default_factory=list)
    finals: dict[int, float] = field(default_factory=dict)

    def state(self) -> int:
        """A new state without arcs."""
        self.arcs.append([])
        return len(self.arcs) - 1

    def arc(self, source: int, target: int, cost: float = 0.0, label: int = NOTHING, word: int = NOTHING) -> None:
        """A new arc from ``source``."""
        self.arcs[source].append(Arc(label, word, cost, target))


def words_txt(words: Iterable[str]) -> str:
    """The text of ``graph/words.txt``: the words in the lexicon's order, from 1; 0 is no word."""
    names = ("<eps>", *words, "#0")
    return "".join(f"{name} {number}\n" for number, name in enumerate(names))


def build(lexicon: Lexicon, sentences: Sequence[Sequence[str]], phones: Sequence[Phone]) -> Graph:
    """The graph for the lexicon's words as the sentences use them; ``phones`` as the transition model numbers them."""
    graph = Graph()
    speller = _Speller(graph, {(phone.name, phone.place): (number, phone) for number, phone in enumerate(phones, 1)})
    graph.start = graph.state()
    after = {word: graph.state() for word in (_EDGE, *lexicon)}
    before = {word: graph.state() for word in lexicon}
    back_off = graph.state()
    speller.pause(graph.start, after[_EDGE])
    for number, (word, forms) in enumerate(lexicon.items(), 1):
        for form in forms:
            end = speller.spell(before[word], form, number, math.log(len(forms)))
            speller.pause(end, after[word])
    _language(graph, sentences, before, after, back_off)
    return graph


def _language(
    graph: Graph, sentences: Sequence[Sequence[str]], before: Mapping[str, int], after: Mapping[str, int], back_off: int
) -> None:
    """Arcs from what was said to what may follow, and the costs of ending."""
    singles: Counter[str] = Counter((*before, _EDGE))
    pairs: dict[str, Counter[str]] = {word: Counter() for word in after}
    for sentence in sentences:
        for word, follower in zip((_EDGE, *sentence), (*sentence, _EDGE), strict=True):
            singles[follower] += 1
            pairs[word][follower] += 1
    total = sum(singles.values())
    for word, count in singles.items():
        cost = -math.log(count / total)
        if word == _EDGE:
            graph.finals[back_off] = cost
        else:
            graph.arc(back_off, before[word], cost)
    for word, followers in pairs.items():
        seen = sum(followers.values())
        for follower, count in sorted(followers.items()):
            cost = -math.log((count - DISCOUNT) / seen)
            if follower == _EDGE:
                graph.finals[after[word]] = cost
            else:
                graph.arc(after[word], before[follower], cost)
        left = DISCOUNT * len(followers) / seen if seen else 1.0
        graph.arc(after[word], back_off, -math.log(left))


@dataclass(frozen=True)
class _Speller:
    """Writes phones into a graph. Phone p enters by transition id 2p and stays by 2p - 1."""

    graph: Graph
    phones: Mapping[tuple[str, Place], tuple[int, Phone]]

    def spell(self, source: int, names: Sequence[str], word: int, cost: float) -> int:
        """A chain of phones that gives ``word`` on its first arc; returns its last state."""
        for name, place in zip(names, places(len(names)), strict=True):
            source = self.phone(source, name, place, word, cost)
            word, cost = NOTHING, 0.0
        return source

    def phone(self, source: int, name: str, place: Place, word: int = NOTHING, cost: float = 0.0) -> int:
        """One phone, for one step or more; returns the state in which it lasts."""
        number, phone = self.phones[name, place]
        state = self.graph.state()
        self.graph.arc(source, state, cost - math.log(1 - phone.stay), 2 * number, word)
        self.graph.arc(state, state, -math.log(phone.stay), 2 * number - 1)
        return state

    def pause(self, source: int, target: int) -> None:
        """To ``target`` with or without a silence."""
        self.graph.arc(source, target, -math.log(1 - SILENCE))
        self.graph.arc(self.phone(source, PAUSE, "nonword", cost=-math.log(SILENCE)), target)
