"""From samples to scores, on one core: bulk, streaming, several words."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice, pairwise
from typing import Any

import numpy as np

from tests.bench.arithmetic import MatrixProduct, multiplications_per_hop
from tests.bench.effort import Effort
from tests.bench.figure import Row, in_turn
from tests.bench.kitchen import hops, kitchen, repeated
from tests.bench.machine import one_core
from tests.bench.peers import MicroWakeWord, open_wake_word
from wakeword import load_scorer, load_scorers
from wakeword.frames import EMBEDDING, HOP
from wakeword.second_look import BLIND, Learned, SecondLook, hops_of
from wakeword.sound import RATE, Samples

WORDS = ("alexa", "hey_jarvis", "hey_mycroft", "hey_rhasspy")


def rows(effort: Effort) -> Iterator[Row]:
    """Measure bulk and streaming scoring."""
    with one_core() as unbound:
        yield from _bulk(effort, unbound)
        yield from _streaming(effort)
        yield from _second_look(effort)


def _bulk(effort: Effort, unbound: str) -> Iterator[Row]:
    sound, scorer, peer = repeated(effort.speech_s), load_scorer("alexa"), open_wake_word()
    product = MatrixProduct()
    figures = in_turn(
        effort.bulk,
        effort.warm_up,
        {
            "ours": lambda: _times_real(sound, lambda: scorer.score(sound)),
            # Without the 2 s of silence that it would add.
            "theirs": lambda: _times_real(sound, lambda: peer.predict_clip(sound, padding=0)),
            "product": product.gflops,
        },
    )
    ours, theirs = figures["ours"], figures["theirs"]
    yield Row(
        f"bulk scoring, {effort.speech_s} s of speech",
        "x real time",
        ours,
        "openwakeword predict_clip",
        theirs,
        ours.over(theirs),
        aim="ratio 15 or more",
        remark=unbound,
    )
    work = multiplications_per_hop("alexa")
    reached = ours.each(lambda times: times * RATE / HOP * 2e-9 * work)
    yield Row(
        "bulk scoring, arithmetic",
        "GFLOP/s",
        reached,
        "matrix product, the limit",
        figures["product"],
        reached.over(figures["product"]),
        remark=f"{work / 1e6:.2f} million multiply-adds a hop, counted from the graphs",
    )


def _times_real(sound: Samples, work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return len(sound) / RATE / (time.perf_counter() - began)


def _streaming(effort: Effort) -> Iterator[Row]:
    one, four = load_scorer("alexa"), load_scorers(WORDS)
    contenders: dict[str, Callable[[Samples], Any]] = {
        "one": one.push,
        "openwakeword": open_wake_word().predict,
        "four": four.push,
        "openwakeword four": open_wake_word(WORDS).predict,
    }
    missing = ""
    try:
        contenders["micro"] = MicroWakeWord().push
    except ImportError as error:
        missing = f"skipped: {error.name} is not installed"
    measures = {name: per_hop(push, effort.hops) for name, push in contenders.items()}
    cost = in_turn(effort.streaming, effort.warm_up, measures)
    yield Row(
        "streaming, a hop",
        "ms",
        cost["one"],
        "openwakeword predict",
        cost["openwakeword"],
        cost["openwakeword"].over(cost["one"]),
        aim="ratio 7 or more",
    )
    if missing:
        yield Row("streaming, a hop", peer="pymicro-wakeword", remark=missing)
    else:
        micro = cost["micro"]
        yield Row("streaming, a hop", "ms", cost["one"], "pymicro-wakeword", micro, micro.over(cost["one"]))
    yield Row(
        f"streaming, a hop of {len(WORDS)} words",
        "ms",
        cost["four"],
        "openwakeword predict",
        cost["openwakeword four"],
        cost["openwakeword four"].over(cost["four"]),
    )
    shares = cost["one"].each(lambda ms: len(WORDS) * ms).over(cost["four"])
    yield Row(
        f"{len(WORDS)} words on one feature extraction",
        "ms",
        cost["four"],
        f"{len(WORDS)} times one word",
        cost["one"].each(lambda ms: len(WORDS) * ms),
        shares,
    )


def _second_look(effort: Effort) -> Iterator[Row]:
    """What a learned verifier adds to a wake, beside what each hop costs anyway."""
    windows = hops_of("alexa") - BLIND
    about = {"format": 1, "word": "alexa", "model": "", "embedding": ""}
    look = SecondLook(Learned(np.zeros((windows, EMBEDDING)), 0.0, 0.5, about))
    sound = kitchen()[: look.samples]
    cost = in_turn(
        effort.streaming,
        effort.warm_up,
        {
            "look": lambda: hop_ms(look.score, [sound] * 20),
            "hop": per_hop(load_scorer("alexa").push, effort.hops),
        },
    )
    yield Row(
        "second look, a wake",
        "ms",
        cost["look"],
        "scoring one hop",
        cost["hop"],
        cost["look"].over(cost["hop"]),
        remark=f"{windows + BLIND} hops of embeddings, once a wake; the ratio is hops, lower is better",
    )


def per_hop(push: Callable[[Samples], object], count: int) -> Callable[[], float]:
    """Each call measures the next `count` hops of the kitchen; see `hop_ms`."""
    sound = cycle(hops(kitchen()))
    return lambda: hop_ms(push, list(islice(sound, count)))


def hop_ms(push: Callable[[Samples], object], sound: Sequence[Samples]) -> float:
    """Milliseconds of the median hop: those in which something else took the core do not count."""
    times = [time.perf_counter()]
    for hop in sound:
        push(hop)
        times.append(time.perf_counter())
    return 1e3 * statistics.median(after - before for before, after in pairwise(times))
