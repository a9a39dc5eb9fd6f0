"""The whole firmware on one core: a hop in its two lives, and the hop that wakes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from device.audio import Block
from device.events import Kind
from device.states import State
from tests.bench.effort import Effort
from tests.bench.figure import Figure, Row, in_turn
from tests.bench.kitchen import hear, hops, kitchen, new_firmware, scene
from tests.bench.machine import one_core
from tests.bench.peers import open_wake_word
from tests.bench.scoring import hop_ms, per_hop
from wakeword import load_scorers
from wakeword.frames import HOP
from wakeword.scorer import ScorerGroup
from wakeword.sound import RATE

_HOP_MS = 1000 * HOP / RATE

_LONG_CAPTURE = (("capture.limit_ms", "120000"), ("capture.silence_ms", "10000"), ("capture.first_speech_ms", "30000"))


def rows(effort: Effort) -> Iterator[Row]:
    """Measure a hop while nothing happens, a hop while a clip is captured, and the waking hop."""
    with one_core():
        yield from _hops(effort)
        yield from _waking(effort)


def _hops(effort: Effort) -> Iterator[Row]:
    sleeper = new_firmware(load_scorers(["alexa"]), ("wake.threshold", "1"))
    cost = in_turn(
        effort.streaming,
        effort.warm_up,
        {
            "idle": per_hop(lambda hop: sleeper.hear(Block(sleeper.clock, hop)), effort.hops),
            "predict": per_hop(open_wake_word().predict, effort.hops),
            "capturing": _capturing(load_scorers(["alexa"]), effort.hops),
            "predict with vad": per_hop(open_wake_word(vad_threshold=0.5).predict, effort.hops),
        },
    )
    yield _hop_row("firmware, a hop, idle", cost["idle"], "openwakeword predict", cost["predict"])
    yield _hop_row(
        "firmware, a hop, capturing with VAD",
        cost["capturing"],
        "openwakeword predict, its VAD on",
        cost["predict with vad"],
    )


def _hop_row(what: str, ours: Figure, peer: str, theirs: Figure) -> Row:
    remark = f"{100 * ours.median / _HOP_MS:.2f} % of the {_HOP_MS:g} ms that it lasts"
    return Row(what, "ms", ours, peer, theirs, theirs.over(ours), remark=remark)


def _capturing(scorers: ScorerGroup, count: int) -> Callable[[], float]:
    """Each call wakes a device and measures the hops that follow; see `hop_ms`."""
    stage = scene()
    speech = hops(kitchen()[-count * HOP :])

    def measure() -> float:
        firmware = new_firmware(scorers, *_LONG_CAPTURE)
        hear(firmware, stage.sound[: stage.wake])
        cost_ms = hop_ms(lambda hop: firmware.hear(Block(firmware.clock, hop)), speech)
        assert firmware.state is State.RECOGNIZING
        return cost_ms

    return measure


def _waking(effort: Effort) -> Iterator[Row]:
    scorers, predict = load_scorers(["alexa"]), open_wake_word().predict
    stage = scene()
    before, hop = stage.sound[: stage.wake - HOP], stage.sound[stage.wake - HOP : stage.wake]

    def ours() -> float:
        firmware = new_firmware(scorers)
        hear(firmware, before)
        began = time.perf_counter()
        events = firmware.hear(Block(firmware.clock, hop))
        cost_ms = (time.perf_counter() - began) * 1e3
        assert any(event.kind == Kind.WAKE for event in events)
        return cost_ms

    def theirs() -> float:
        for past in hops(before)[-5:]:
            predict(past)
        began = time.perf_counter()
        predict(hop)
        return (time.perf_counter() - began) * 1e3

    cost = in_turn(effort.wakes, effort.warm_up, {"ours": ours, "theirs": theirs})
    yield Row(
        "firmware, the hop that wakes",
        "ms",
        cost["ours"],
        "openwakeword predict",
        cost["theirs"],
        cost["theirs"].over(cost["ours"]),
        remark="from its last sample to the WAKE event, the capture begun",
    )
