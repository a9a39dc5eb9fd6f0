"""False wakes that may be none: in sound that should be free of the wake word, the recognizer finds it after all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.cloud.looks import RecognizerLook
from sim.cloud.verifier import AFTER, Opening
from sim.lab.clips import Loaded, cut_out
from sim.lab.tally import Tally
from wakeword.sound import RATE
from wakeword.span import word_span

BEFORE = RATE // 2
"""Samples before the word that the recognizer hears too, as a far end does."""


@dataclass(frozen=True)
class Suspect:
    """A false wake at which the wake word may have been said. `fit` (0 to 1) is the recognizer's, or of the `text`."""

    engine: str
    clip: str
    at_s: float
    fit: float
    found_in: str


def suspects(loaded: Sequence[Loaded], tallies: Sequence[Tally], word: str) -> tuple[list[Suspect], bool]:
    """Listen again to each false wake of the sound as it is; False where the recognizer does not know the word.

    A text that has the word is believed without listening, and what a voice has read out is known anyway. Raises
    RecognizerError.
    """
    look: RecognizerLook | None = None
    found: list[Suspect] = []
    known = True
    spoken = word.replace("_", " ")
    for each in tallies:
        if each.condition.place is not None or each.condition.snr_db is not None:
            continue
        for outcome in each.outcomes:
            clip = loaded[outcome.clip]
            if clip.clip.positive or clip.clip.read_out:
                continue
            for at in outcome.false:
                told = spoken in " ".join(clip.clip.text.lower().split())
                look = look or RecognizerLook()
                fit = 1.0 if told else look.score(_opening(clip, at, word))
                known = known and fit is not None
                if fit is not None and fit >= look.threshold:
                    found.append(
                        Suspect(
                            each.engine.label,
                            clip.clip.name,
                            round(at / RATE, 2),
                            round(fit, 3),
                            "text" if told else "sound",
                        )
                    )
    return found, known


def _opening(clip: Loaded, at: int, word: str) -> Opening:
    begin, end = word_span(word, at)
    first, last = max(0, begin - BEFORE), min(clip.n_samples, end + AFTER)
    piece = cut_out(clip.clip, first, max(last, first + 1))
    return Opening("lab", word, piece, max(0, begin - first), max(1, min(end, last) - first))
