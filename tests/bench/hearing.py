"""What the recognizers cost: seconds of processor time for a second of sound, speech detection included."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import numpy as np

from sim.cloud.recognizer import Recognizer, load_recognizer
from sim.cloud.settings import EarSettings
from sim.errors import RecognizerError
from sim.speech.manifest import read_manifest, shipped_folder
from tests.bench.effort import Effort
from tests.bench.figure import Row, in_turn
from wakeword.sound import RATE, Samples, read_sound

_LINES = 3
"""Shipped lines that are listened to, one after the other with a second between."""


def rows(effort: Effort) -> Iterator[Row]:
    """Measure each recognizer that is here, beside the same without alternatives."""
    clip = _clip()
    for name in ("pocketsphinx", "vosk"):
        try:
            usual = load_recognizer(name)
            plain = load_recognizer(name, ears=EarSettings(alternatives=0))
        except RecognizerError as error:
            yield Row(f"hearing with {name}", remark=f"skipped: {error}")
            continue
        contenders = {"usual": partial(_factor, usual, clip), "plain": partial(_factor, plain, clip)}
        took = in_turn(effort.hearings, 0, contenders)
        ours, theirs = took["usual"], took["plain"]
        remark = "processor seconds a second of sound"
        yield Row(f"hearing with {name}", "", ours, "without alternatives", theirs, theirs.over(ours), remark=remark)


def _clip() -> Samples:
    lines = sorted(read_manifest(shipped_folder()).values(), key=lambda one: one.n_samples)[:_LINES]
    pause = np.zeros(RATE, np.int16)
    return np.concatenate([piece for one in lines for piece in (pause, read_sound(shipped_folder() / one.file))])


def _factor(recognizer: Recognizer, clip: Samples) -> float:
    began = time.process_time()
    recognizer.transcribe(clip)
    return (time.process_time() - began) / (len(clip) / RATE)
