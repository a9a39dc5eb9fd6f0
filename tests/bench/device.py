"""The device on a microphone: processor, memory, start and wakes, beside other detectors that hear the same sound."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

from sim.home.overhear import overhear
from sim.scenario import load_scenario
from tests.bench.effort import Effort
from tests.bench.figure import Figure, Row, in_turn
from tests.bench.kitchen import hops, kitchen, repeated
from tests.bench.listener import Listener
from tests.bench.machine import one_core
from tests.bench.peers import MICRO_WAKE_WORD_HEARS, OPEN_WAKE_WORD_HEARS, program
from tests.bench.process import COMMAND, far_end
from tests.integration.pulse import VirtualMicrophone, virtual_microphone
from wakeword import load_scorers
from wakeword.frames import HOP
from wakeword.sound import RATE, encode_flac

_ALONE, _WHOLE = "the device", "device, broker, far end and recognizer"
_PEERS = {
    "openwakeword": ("openwakeword's microphone example", OPEN_WAKE_WORD_HEARS),
    "pymicro_wakeword": ("pymicro-wakeword, the same loop", MICRO_WAKE_WORD_HEARS),
}
_WAKE = "<5>wake "
"""How a line of our journal begins that tells of one."""
_SHORT = 2 * RATE
"""From here on in the kitchen somebody says what wakes."""
_LECTURE = 27 * RATE


def rows(effort: Effort) -> Iterator[Row]:
    """Measure all of them at once, at one microphone of PulseAudio."""
    if shutil.which("pulseaudio") is None or shutil.which("paplay") is None:
        yield Row("device", remark="skipped: pulseaudio and its utilities are not installed")
        return
    if not Path("/proc/self/smaps_rollup").exists():
        yield Row("device", remark="skipped: this system has no /proc/self/smaps_rollup")
        return
    with (
        tempfile.TemporaryDirectory(prefix="misheard-bench-") as name,
        far_end(Path(name)) as url,
        virtual_microphone(RATE) as microphone,
    ):
        bench = _Bench(effort, Path(name), url, microphone)
        if effort.listening:
            yield from bench.starts(effort)
        yield from bench.listen(effort)


class _Bench:
    def __init__(self, effort: Effort, folder: Path, url: str, microphone: VirtualMicrophone) -> None:
        self._folder, self._microphone = folder, microphone
        ours = [*COMMAND, "--log", "journal", "--state"]
        embedded = ("--broker", url, "--set", "uplink.broker_profile=embedded")  # which speaks no MQTT 5
        self._commands: dict[str, Sequence[str]] = {_ALONE: [*ours, str(folder / "state"), *embedded]}
        if effort.listening:
            self._commands[_WHOLE] = [*ours, str(folder / "whole")]
        self._commands |= {name: program(source) for module, (name, source) in _PEERS.items() if find_spec(module)}

    def _listener(self, name: str) -> Listener:
        return Listener(self._commands[name], self._microphone.env, _WAKE if name in (_ALONE, _WHOLE) else "wake")

    def starts(self, effort: Effort) -> Iterator[Row]:
        """How long until each has scored the first sound, one after the other."""

        def start(name: str) -> Callable[[], float]:
            def measure() -> float:
                with self._listener(name) as listener:
                    return listener.await_ready()

            return measure

        took = in_turn(effort.starts, effort.warm_up, {name: start(name) for name in self._commands})
        yield from self._beside("device, start to the first sound scored", "s", took)

    def listen(self, effort: Effort) -> Iterator[Row]:
        """What each uses while all hear a conversation, and commands."""
        sounds = {"talk": kitchen()[_LECTURE : _LECTURE + _SHORT]}
        if effort.listening:
            commands = overhear(load_scenario("true-commands"))
            said = sum(line.text.startswith("Alexa") for line in commands.truth)
            sounds = {"talk": kitchen(), "commands": commands.samples}
        files = {name: self._folder / f"{name}.flac" for name in sounds}
        for name, sound in sounds.items():
            files[name].write_bytes(encode_flac(sound))
        with ExitStack() as stack:
            listeners = {name: stack.enter_context(self._listener(name)) for name in self._commands}
            for listener in listeners.values():
                listener.await_ready()
            tables = [self._round(listeners, files) for _ in range(max(1, effort.listening))]
            peaks = {name: Figure((listener.peak_mb(),)) for name, listener in listeners.items()}

        def figures(what: str) -> dict[str, Figure]:
            return {name: Figure(tuple(each[what][name] for each in tables)) for name in listeners}

        seconds = sum(map(len, sounds.values())) / RATE
        share = figures("cpu")
        remark = f"its helper for the microphone with it; {seconds:.0f} s of talk and commands, all at one microphone"
        yield from self._beside("device, of one core", "%", share, remark)
        yield _limit_row(effort, share[_ALONE])
        yield from self._beside("device, memory, all its processes (PSS)", "MB", figures("memory"))
        yield from self._beside("device, memory, their highest (RSS)", "MB", peaks)
        if "commands" in sounds:
            yield from self._counted(f"device, wakes on {said} spoken 'Alexa'", figures("commands"), more=True)
            yield from self._counted("device, wakes on talk without it", figures("talk"), more=False)

    def _round(self, listeners: Mapping[str, Listener], files: Mapping[str, Path]) -> dict[str, dict[str, float]]:
        """Let them hear it once: what each used, in per cent and MB, and how often it woke on what."""
        before = {name: listener.cpu_s() for name, listener in listeners.items()}
        began = time.perf_counter()
        found: dict[str, dict[str, float]] = {}
        for what, file in files.items():
            woke = {name: listener.wakes for name, listener in listeners.items()}
            self._microphone.play(file)
            found[what] = {name: listener.wakes - woke[name] for name, listener in listeners.items()}
        passed = time.perf_counter() - began
        found["cpu"] = {name: 100 * (one.cpu_s() - before[name]) / passed for name, one in listeners.items()}
        found["memory"] = {name: listener.held_mb() for name, listener in listeners.items()}
        return found

    def _beside(self, what: str, unit: str, figures: Mapping[str, Figure], remark: str = "") -> Iterator[Row]:
        """Ours beside each peer, less being better."""
        ours = figures[_ALONE]
        for name, _ in _PEERS.values():
            if name in figures:
                yield Row(what, unit, ours, name, figures[name], figures[name].over(ours), remark=remark)
            else:
                yield Row(what, peer=name, remark=f"skipped: {name.split()[0].removesuffix(',')} is not installed")
        if _WHOLE in figures:
            whole, (name, _) = figures[_WHOLE], _PEERS["openwakeword"]
            yield Row(
                what, unit, whole, name, figures[name], figures[name].over(whole), remark=f"the same, with {_WHOLE}"
            )

    def _counted(self, what: str, figures: Mapping[str, Figure], *, more: bool) -> Iterator[Row]:
        """Wakes of ours beside each peer's; the ratio is left out where somebody never woke."""
        ours = figures[_ALONE]
        for name, _ in _PEERS.values():
            if name not in figures:
                continue
            theirs = figures[name]
            ahead = None
            if min((*ours.values, *theirs.values)) > 0:
                ahead = ours.over(theirs) if more else theirs.over(ours)
            yield Row(what, "", ours, name, theirs, ahead, remark="of each round")


def _limit_row(effort: Effort, share: Figure) -> Row:
    """The arithmetic of the model, hop after hop on a core that does nothing else."""
    scorers = load_scorers(["alexa"])
    sound = hops(repeated(effort.speech_s))

    def alone() -> float:
        began = time.process_time()
        for hop in sound:
            scorers.push(hop)
        return 100 * (time.process_time() - began) / (len(sound) * HOP / RATE)

    with one_core():
        limit = in_turn(len(share.values), effort.warm_up, {"limit": alone})["limit"]
    return Row("device, of one core", "%", share, "its model alone, the limit", limit, limit.over(share))
