"""The phones as the decoder counts them: each once for every place in a word, so that it can tell where words end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from sim.cloud.models.trainer.corpus import Corpus
from sim.cloud.models.trainer.rendering import PAUSE, PHONES

STEP = 3
"""Frames of 10 ms to a step of the decoder. libvosk reckons its word times with 3 whatever a model says."""

Place = Literal["nonword", "begin", "end", "internal", "singleton"]
"""Kaldi's words for where in a word a phone stands."""


@dataclass(frozen=True)
class Phone:
    """A phone at a place: ``output`` of the network that hears it, ``stay``: its probability of one more step."""

    name: str
    place: Place
    output: int
    stay: float


def place_phones(corpus: Corpus) -> tuple[Phone, ...]:
    """All phones at all places, silence first, each as long as it is in the corpus."""
    labels = corpus.labels
    starts = labels[np.flatnonzero(np.diff(labels, prepend=-1))]
    frames = np.bincount(labels[labels >= 0], minlength=len(PHONES))
    runs = np.bincount(starts[starts >= 0], minlength=len(PHONES))
    steps = np.maximum(frames / np.maximum(runs, 1) / STEP, 1.2)  # a phone that always or never ends would be infinite
    stay = [float(share) for share in 1 - 1 / steps]
    return tuple(
        Phone(name, place, output, stay[output])
        for output, name in enumerate(PHONES)
        for place in get_args(Place)
        if (name == PAUSE) == (place == "nonword")
    )


def places(count: int) -> Sequence[Place]:
    """The places of a word's phones."""
    inside: list[Place] = ["internal"] * (count - 2)
    return ("singleton",) if count == 1 else ("begin", *inside, "end")


def word_boundary_int(phones: Sequence[Phone]) -> str:
    """The text of ``graph/phones/word_boundary.int``."""
    return "".join(f"{number} {phone.place}\n" for number, phone in enumerate(phones, 1))
