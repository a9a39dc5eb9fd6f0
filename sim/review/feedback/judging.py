"""The wakes of the days held out, judged again from what the far end has of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sim.cloud.settings import VerifierSettings
from sim.cloud.store import ClipStore
from sim.cloud.verifier import load_verifier, opening_of
from sim.review.feedback.examples import Example, example_of
from sim.review.feedback.playing import STORE, Day
from sim.speech.library import write_whole
from wakeword.features import Features
from wakeword.scorer import load_scorer


@dataclass(frozen=True)
class Judging:
    """The wakes of one played day that are to be judged by one of the far end's second looks; `file` gets the verdicts.

    A wake that cannot be judged passes.
    """

    day: Path
    verifier: VerifierSettings
    file: Path


def judge_day(work: Judging) -> None:
    """Do it, once; raises SimError."""
    if work.file.is_file():
        return
    verifier = load_verifier(work.verifier)
    assert verifier is not None  # somebody who does not want to look does not ask
    store = ClipStore(work.day / STORE)
    try:
        passed = {}
        for wake in Day.read(work.day).wakes:
            clip = store.clip(wake.clip)
            if clip is None:
                continue
            opening = opening_of(clip.id, clip.opening, clip.begin, store.audio(clip.id), whole=True)
            verdict = None if opening is None else verifier.look(opening)
            passed[clip.id] = verdict is None or verdict.passed
    finally:
        store.close()
    write_whole(work.file, json.dumps(passed, indent=1).encode())


def verdicts(work: Judging) -> dict[str, bool]:
    """By clip, as they were written."""
    return {str(clip): bool(passed) for clip, passed in json.loads(work.file.read_text("utf-8")).items()}


class Maker:
    """Makes examples of stored clips."""

    def __init__(self, word: str) -> None:
        self._features, self._scorer = Features(), load_scorer(word)

    def examples(self, folder: Path, clips: list[str]) -> dict[str, Example]:
        """Those of these clips of a store that began with a wake and can be learned from, by clip."""
        store = ClipStore(folder)
        try:
            return {name: example for name in clips if (example := self.example(store, name)) is not None}
        finally:
            store.close()

    def example(self, store: ClipStore, name: str) -> Example | None:
        """Make one of a clip; none where it did not begin with a wake, or cannot be learned from."""
        clip = store.clip(name)
        if clip is None or not clip.complete:
            return None
        return example_of(clip.id, clip.opening, clip.begin, store.audio(clip.id), self._features, self._scorer)
