"""How fast the lab hears on one core: test sets, and words that are mined, beside the packages themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import cycle

import numpy as np

from device.config import load_device
from sim.errors import VoiceError
from sim.lab.clips import Clip
from sim.lab.conditions import LEAD, Condition
from sim.lab.evaluate import Plan, run
from sim.lab.tally import load_engine
from sim.lab.triggers import PHASE, PHASES, TAIL, Saying, score
from sim.speech.voices import Voice, must_speak, render
from tests.bench.effort import Effort
from tests.bench.figure import Row, in_turn
from tests.bench.kitchen import hops, repeated
from tests.bench.machine import one_core
from tests.bench.peers import MicroWakeWord, open_wake_word
from wakeword.frames import whole_hops
from wakeword.sound import RATE, Samples

SPOKEN = ("lexus", "a letter", "unacceptable", "elixir", "collection", "like the")
"""Candidates of `lab mine`, as long as most."""

VOICE = "flite:slt"
MINED = "mine, a candidate in a voice"


def rows(effort: Effort) -> Iterator[Row]:
    """Measure."""
    with one_core() as unbound:
        yield _evaluation(effort, unbound)
        yield _mine(effort)


def _evaluation(effort: Effort, unbound: str) -> Row:
    """All of `lab evaluate` but its tables: speech is looked for, scored, and wakes are counted at each threshold."""
    sound, settings, peer = repeated(effort.speech_s), load_device("echo-dot").wake, open_wake_word()
    clip = Clip("kitchen", lambda: iter([sound]), ())
    plan = Plan("alexa", (clip,), (load_engine("openwakeword", "alexa", settings),), (Condition(),), settings)
    hours = len(sound) / RATE / 3600
    speed = in_turn(
        effort.bulk,
        effort.warm_up,
        {
            "ours": lambda: hours / _seconds(lambda: run(plan)),
            "theirs": lambda: hours / _seconds(lambda: peer.predict_clip(sound, padding=0)),
        },
    )
    ours, theirs = speed["ours"], speed["theirs"]
    what = "evaluating, hours of sound"
    beside = "openwakeword predict_clip, scores alone"
    return Row(what, "a second", ours, beside, theirs, ours.over(theirs), remark=unbound)


def _mine(effort: Effort) -> Row:
    what = MINED
    try:
        must_speak(Voice.parse(VOICE))
        micro = MicroWakeWord()
    except (VoiceError, ImportError) as error:
        return Row(what, peer="the packages themselves", remark=f"skipped: {error}")
    peer, texts = open_wake_word(), cycle(SPOKEN)

    def theirs(text: str) -> None:
        said = render(Voice.parse(VOICE), text)
        for place in range(PHASES):
            sound = whole_hops(_laid(said, LEAD + place * PHASE))
            peer.predict_clip(sound, padding=0)
            for hop in hops(sound):
                micro.push(hop)

    engines = ("openwakeword", "micro")
    cost = in_turn(
        effort.wakes,
        1,  # what is loaded comes first
        {
            "ours": lambda: 1000 * _seconds(lambda: score(Saying(next(texts), VOICE, "alexa", engines))),
            "theirs": lambda: 1000 * _seconds(lambda: theirs(next(texts))),
        },
    )
    remark = "both engines, eight places"
    return Row(
        what,
        "ms",
        cost["ours"],
        "the packages themselves, after 2 s of silence",
        cost["theirs"],
        cost["theirs"].over(cost["ours"]),
        remark=remark,
    )


def _laid(said: Samples, before: int) -> Samples:
    return np.concatenate([np.zeros(before, np.int16), said, np.zeros(TAIL, np.int16)])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
