"""Everything that may be said in a population: how likely each line is, and how near it comes to what matters.

A line is near a phrase as far as the nearest stretch of up to three of its words is, in whole hundredths
(`sim.lab.ranking`): to the wake word, to a request for a message, to the name of a contact, to a yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.errors import LabError
from sim.lab.fleet.population import Book, Population
from sim.lab.ranking import Pronunciations
from sim.review.feedback.talk import load_talk
from sim.scenario.wording import spellings
from wakeword.pronunciation import Pronouncer, spoken_words

MOST = 50_000
"""Lines of a population."""

LONGEST = 3
"""Words of a stretch that is compared."""

REQUESTS = ("send a message", "send a text")
YES = ("yes", "yeah", "right", "that's right", "correct", "sure")

Shares = NDArray[np.float64]


class Lines:
    """The lines of a population. `shares`: float64[n], how likely each is; they sum to 1."""

    def __init__(self, population: Population) -> None:
        """Raises LabError where a book cannot be read or says the wake word."""
        found: dict[str, float] = {}
        for name, book in population.books.items():
            for text, share in _lines_of(name, book, population):
                if share > 0:
                    found[text] = found.get(text, 0.0) + share
        if len(found) > MOST:
            raise LabError(
                f"the books of {population.name} hold {len(found)} lines, more than {MOST}; take shorter lists"
            )
        self.texts = tuple(found)
        total = sum(found.values())
        self.shares: Shares = np.array([share / total for share in found.values()])
        self._pronouncer = Pronouncer()
        self._words = [spoken_words(text) for text in self.texts]
        of_lines = [_stretches(words) for words in self._words]
        known = {text: at for at, text in enumerate(dict.fromkeys(each for of in of_lines for each in of))}
        self._stretches = np.array([known[each] for of in of_lines for each in of])
        self._begins = np.cumsum([0, *(len(of) for of in of_lines[:-1])])
        self._pronunciations = Pronunciations([self._pronouncer.phones(text) for text in known])
        self._distances: dict[str, NDArray[np.int64]] = {}
        for word in population.devices.word:
            called = spoken_words(word.replace("_", " "))
            said = next(
                (text for text, words in zip(self.texts, self._words, strict=True) if _has(words, called)), None
            )
            if said is not None:
                raise LabError(f"{said!r} says the wake word {word}; a population talks without it, change the line")

    @property
    def words_a_line(self) -> float:
        """The mean, as likely as lines are."""
        return float(self.shares @ [len(words) for words in self._words])

    def distances(self, phrases: Sequence[str]) -> NDArray[np.int64]:
        """int64[n]: how far each line is from the nearest of these; raises EngineMissing without a dictionary."""
        nearest: NDArray[np.int64] = np.min([self._of(phrase) for phrase in phrases], axis=0)
        return nearest

    def _of(self, phrase: str) -> NDArray[np.int64]:
        if phrase not in self._distances:
            far = self._pronunciations.distances(self._pronouncer.phones(phrase))
            self._distances[phrase] = np.minimum.reduceat(far[self._stretches], self._begins)
        return self._distances[phrase]


@cache
def lines_of(population_json: str) -> Lines:
    """Those of a population, as JSON; made once in a process."""
    return Lines(Population.model_validate_json(population_json))


def _stretches(words: Sequence[str]) -> list[str]:
    return [" ".join(words[at : at + n]) for n in range(1, LONGEST + 1) for at in range(max(1, len(words) - n + 1))]


def _has(words: Sequence[str], called: Sequence[str]) -> bool:
    return any(words[at : at + len(called)] == called for at in range(len(words) - len(called) + 1))


def _lines_of(name: str, book: Book, population: Population) -> list[tuple[str, float]]:
    """Its lines, each with its share of all that is said."""
    if book.text is not None:
        texts = _text(name, book.text)
        return [(text, book.share / len(texts)) for text in texts]
    talk = load_talk() if book.feedback else None
    templates = book.lines if talk is None else talk.near if book.feedback == "near" else talk.ordinary
    lists = population.lists if talk is None else talk.lists
    return [
        (text, book.share * likely / len(templates)) for each in templates for text, likely in spellings(each, lists)
    ]


def _text(name: str, text: str) -> list[str]:
    shipped = files("configs").joinpath("lab", f"{text}.txt")
    try:
        found = Path(text).read_text("utf-8") if text.endswith(".txt") else shipped.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(
            f"the text {text} of the book {name!r} cannot be read ({error}); name one that ships, or a .txt"
        ) from None
    lines = [line.strip() for line in found.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise LabError(f"the text {text} of the book {name!r} has no line; write one, or leave the book out")
    return lines
