"""What a person sees while the device runs: one line for each thing that happens, and a moving line under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from device.events import Event, Kind
from device.runtime import Observer
from wakeword.sound import RATE

_LIGHTS = {"off": ("○", "dim"), "listening": ("●", "bold cyan"), "thinking": ("◐", "cyan"), "speaking": ("◉", "blue")}
_METER = " ▁▂▃▄▅▆▇█"


class Timeline:
    """Prints events as they come; on a terminal, a last line shows the clock, the light and the newest score.

    An observer of `device.runtime.Runtime`; called one event at a time.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._light = "off"
        self._hearing = False
        self._recent = [0.0] * 30
        moving = console.is_terminal
        self._live = Live(console=console, refresh_per_second=10, transient=True) if moving else None

    def __enter__(self) -> Timeline:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def other(self, name: str) -> Observer:
        """Give an observer for a further device of one home: its lines have its name; what all hear is left out."""
        return lambda event: None if event.kind in _HEARD_BY_ALL else self._show(event, f"{name}: ")

    def note(self, event: Event) -> None:
        """Show an event, if it is worth it."""
        facts: Mapping[str, Any] = event.facts
        if event.kind == Kind.HOP:
            self._hop(event.sample, max(facts["scores"]))
            return
        if event.kind == Kind.LIGHT:
            self._light = facts["light"]
        self._show(event)

    def _show(self, event: Event, whose: str = "") -> None:
        line = _LINES.get(event.kind)
        text = line(event.facts) if line is not None else None
        if text is not None:
            mark, style, words = text
            self._console.print(
                Text.assemble((_clock(event.sample), "dim"), "  ", (f"{mark} {whose}{words}", style)), soft_wrap=True
            )

    def _hop(self, sample: int, score: float) -> None:
        if not self._hearing:
            self._hearing = True
            self._console.print(Text.assemble((_clock(sample), "dim"), ("  ~ hearing", "dim")))
        if self._live is None:
            return
        self._recent = [*self._recent[1:], score]
        meter = "".join(_METER[min(8, round(value * 8))] for value in self._recent)
        dot, style = _LIGHTS.get(self._light, ("■", "red"))
        clock, light = (_clock(sample), "dim"), (f"{dot} {self._light:<9}", style)
        self._live.update(Text.assemble(clock, "  ", light, " ", (meter, "yellow"), f" {score:4.2f}"))


def _clock(sample: int) -> str:
    seconds = sample / RATE
    return f"{int(seconds // 60):3d}:{seconds % 60:05.2f}"


_Line = Callable[[Mapping[str, Any]], tuple[str, str, str] | None]


def _receipt(facts: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Only the last one of a clip is worth a line."""
    return ("✓", "green", "receipt from the far end: the clip is complete") if facts["complete"] else None


def _light(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    return _LIGHTS.get(facts["light"], ("■", "red"))[0], "cyan", f"light: {facts['light']}"


def _intent(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    if facts["intent"] == "none":
        return "?", "green", "no request in it"
    return "?", "bold green", f"“{facts['phrase']}” taken for {facts['intent']}, {facts['score']:.2f}"


def _contact(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    if facts["name"] is None:
        return "?", "green", "no contact in it"
    return "?", "bold green", f"“{facts['heard']}” taken for {facts['name']}, {facts['score']:.2f} by {facts['by']}"


def _confirmation(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    if facts["answer"] == "unclear":
        return "?", "green", "neither a yes nor a no in it"
    return "?", "bold green", f"“{facts['heard']}” taken for a {facts['answer']}"


def _audible(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    levels = f"{facts['level_db_spl']:.0f} dB against {facts['rest_db_spl']:.0f} dB"
    heard = "heard" if facts["heard"] else "did not hear"
    return "”", "blue", f"{facts['who']} {heard} it: {levels}"


def _verified(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    levels = f"{facts['score']:.2f} {'over' if facts['passed'] else 'under'} {facts['threshold']:g}"
    verdict = "passed" if facts["passed"] else "a false wake"
    return "?", "yellow", f"second look at “{facts['word']}” by {facts['method']}: {verdict}, {levels}"


def _near_miss(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    word, score = f"“{facts['word']}”", f"{facts['score']:.3f}"
    if "verifier_score" in facts:
        judged = f"{facts['verifier_score']:.2f} under {facts['verifier_threshold']:g}"
        return "·", "yellow", f"no wake: {word} {score}, but the second look gives it {judged}"
    return "·", "yellow", f"near miss: {word} {score} under {facts['threshold']:g}"


def _reloaded(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    now = ", ".join(facts["changed"]) or "nothing new"
    later = f"; with the next start: {', '.join(facts['restart'])}" if facts["restart"] else ""
    return "~", "dim", f"configuration read again: {now}{later}"


def _level(facts: Mapping[str, Any]) -> tuple[str, str, str]:
    if facts["advice"]:
        return "!", "yellow", "; ".join(facts["advice"])
    return "~", "dim", f"the microphone gives {facts['rms_dbfs']:.0f} dBFS, its peak {facts['peak_dbfs']:.0f}"


_HEARD_BY_ALL = {Kind.HOP, "said", "prompt_audible"}

_LINES: Mapping[str, _Line] = {
    "verified": _verified,
    "arbitrated": lambda f: ("?", "yellow", f"{f['winner']} answers, it heard it best"),
    "intent": _intent,
    "contact": _contact,
    "confirmation": _confirmation,
    "message": lambda f: ("✉", "bold red", f"sent to {f['to']}: {f['audio_s']:.1f} s of sound, “{f['text']}”"),
    "deleted": lambda f: ("✂", "magenta", f"deleted: {', '.join(f['what'])} of {len(f['clips'])} clips"),
    "action": lambda f: ("✓", "green", f"{f['name']} {f['value'] or ''}".rstrip()),
    "blocked": lambda f: ("✂", "green", f"{f['what']} refused: {f['why']}"),
    "dialog_ended": lambda f: None if f["why"] == "sent" else ("·", "dim", f"the far end gives up: {f['why']}"),
    "prompt_audible": _audible,
    "said": lambda f: ("“", "white", f"{f['who']}: {f['text']}"),
    Kind.WAKE: lambda f: ("▲", "bold yellow", f"woke on “{f['word']}”, score {f['score']:.3f} over {f['threshold']:g}"),
    Kind.WAKE_REFUSED: lambda f: ("△", "yellow", f"heard “{f['word']}” again ({f['score']:.3f}) while {f['state']}"),
    Kind.NEAR_MISS: _near_miss,
    Kind.LIGHT: _light,
    Kind.CAPTURE_BEGIN: lambda f: ("→", "magenta", f"streaming clip {f['clip']} ({f['initiator']})"),
    "part_sent": lambda f: ("→", "magenta", f"part {f['number']} sent, {f['bytes'] / 1000:.1f} kB"),
    "receipt": _receipt,
    Kind.CAPTURE_END: lambda f: (
        "→",
        "magenta",
        f"capture ended by {f['reason'].replace('_', ' ')}, {(f['end'] - f['begin']) / RATE:.2f} s",
    ),
    "transcript": lambda f: ("?", "bold green", f"{f['recognizer']} made of it: “{f['text']}”"),
    "really_said": lambda f: ("=", "green", f"really said: “{f['text']}”"),
    Kind.PROMPT: lambda f: ("”", "blue", f"device says: {f['text']}"),
    Kind.AUDIO_LOST: lambda f: ("!", "red", f"{f['samples'] / RATE:.3f} s of sound lost ({f['why']})"),
    Kind.MUTE: lambda f: ("■", "red", "microphone off, nothing is kept" if f["muted"] else "microphone on"),
    Kind.THINKING_TIMED_OUT: lambda _: ("!", "red", "no answer from the far end in time"),
    Kind.EXPECT_TIMED_OUT: lambda _: ("!", "red", "nobody answered the device"),
    Kind.DIRECTIVE_REFUSED: lambda f: ("!", "red", f"{f['name']} refused: {f['why']}"),
    "unanswered": lambda f: ("!", "red", f"the far end could not answer: {f['reason']}"),
    Kind.CLOCK_SET: lambda f: ("~", "dim", f"the clock was set by {f['step_s']:+.1f} s"),
    "reloaded": _reloaded,
    "reload_failed": lambda f: ("!", "red", f"{f['reason']}; it goes on as it was"),
    "runs_removed": lambda f: ("✂", "dim", f"{len(f['runs'])} old runs deleted, {f['bytes'] / 1e6:.1f} MB"),
    "runs_error": lambda f: ("!", "red", f["reason"]),
    "connected": lambda _: ("~", "dim", "connected to the broker"),
    "disconnected": lambda f: ("!", "red", f"broker gone: {f['reason']}"),
    "home_connected": lambda _: ("~", "dim", "connected to the home's broker"),
    "home_disconnected": lambda f: ("!", "red", f"the home's broker is gone: {f['reason']}"),
    "home_refused": lambda f: ("!", "red", f"a message of the home on {f['topic']} refused: {f['why']}"),
    "home_rejected": lambda f: ("!", "red", f"the home's broker does not take {f['topic']}: {f['reason']}"),
    "home_dropped": lambda f: ("!", "red", f"{f['count']} events were not told to the home: there was no room"),
    "home_failed": lambda f: ("!", "red", f"the home is told nothing any more ({f['why']}); please report this bug"),
    "refused": lambda f: ("!", "red", f"message refused: {f['reason']}"),
    "spool_error": lambda f: ("!", "red", f["reason"]),
    "microphone_gone": lambda f: ("!", "bold red", f["why"]),
    "microphone_refused": lambda f: ("!", "red", f["why"]),
    "microphone_back": lambda f: ("~", "green", f"the microphone is back after {f['samples'] / RATE:.2f} s"),
    "microphone_level": _level,
    "loudspeaker": lambda f: ("!", "yellow", f["why"]) if f["why"] else ("~", "dim", f"prompts come from {f['name']}"),
}
