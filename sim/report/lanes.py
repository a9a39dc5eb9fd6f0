"""The lanes of the timeline, from top to bottom: what was heard, said, thought, shown, recorded and lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from sim.report.chain import Chain
from sim.report.clips import Clip, Part
from sim.report.folder import Facts, Run
from sim.report.hearing import prompts_of
from sim.report.lane import Lane, Span
from sim.report.scores import muted, score_lanes
from sim.report.speech import Spoken
from sim.report.telling import words_of_step
from sim.report.wording import ENDS, STATES, clock, count, seconds

VOICES = 6
"""Colours of speakers; a seventh begins anew."""


def lanes_of(run: Run, clips: tuple[Clip, ...], chains: tuple[Chain, ...]) -> tuple[list[Lane], list[str]]:
    """Give what a device did, lanes that have something to show, and the names of those that have not."""
    scores = tuple(score_lanes(run))
    rest = (
        Lane("heard", "heard", "by the recognizer", tuple(_heard(clips))),
        Lane("prompts", "device says", "", tuple(_prompts(run))),
        *scores,
        Lane("light", "light", "what the device showed", tuple(lights(run))),
        Lane("recording", "recording", "for the far end", tuple(_recordings(run, clips))),
        Lane("decisions", "decisions", "step by step", tuple(_decisions(chains))),
        Lane("sent", "on the wire", "parts, and their receipts", tuple(_parts(clips))),
        Lane("losses", "lost sound", "", tuple(_losses(run))),
        Lane("mute", "mute", "nothing is kept", tuple(_mutes(run))),
        Lane("trouble", "trouble", "", tuple(_trouble(run))),
    )
    shown = [lane for lane in rest if lane.spans or lane in scores]
    return shown, [lane.title for lane in rest if lane not in shown]


def speech_lanes(lines: Iterable[Spoken]) -> tuple[Lane, ...]:
    """Give a lane for everybody who spoke, in order of their first lines."""
    voices: dict[str, list[Span]] = {}
    for line in lines:
        number = list(voices).index(line.who) if line.who in voices else len(voices)
        voices.setdefault(line.who, []).append(
            Span(
                line.begin,
                line.end,
                line.text,
                f"voice-{number % VOICES}{' addressed' if line.addressed else ''}",
                (f"{line.who}: {line.text}", *(["said to the device"] if line.addressed else [])),
                words=tuple((word.text, word.begin, word.end, "") for word in line.words),
            )
        )
    return tuple(Lane("said", who, "says", tuple(spans)) for who, spans in voices.items())


def _heard(clips: Iterable[Clip]) -> Iterator[Span]:
    for clip in clips:
        if clip.heard is None:
            continue
        others = [f"or: “{text}”" for text in clip.alternatives if text != clip.heard]
        yield Span(
            clip.begin,
            clip.stop,
            clip.heard or "nothing",
            "transcript" if clip.heard else "transcript silent",
            (f"clip {clip.number}, heard by {clip.recognizer or 'the far end'}: “{clip.heard}”", *others),
            words=tuple((word.text, word.begin, word.end, _sure(word.confidence)) for word in clip.words),
        )


def _sure(confidence: float | None) -> str:
    return "" if confidence is None else f"confidence {confidence:.2f}"


def _decisions(chains: Iterable[Chain]) -> Iterator[Span]:
    """Numbered as in the story; those of one moment together."""
    for chain in chains:
        numbered = enumerate(chain.steps, 1)
        for at, together in groupby(numbered, lambda pair: pair[1].at):
            numbers, steps = zip(*together, strict=True)
            text = "–".join(str(number) for number in dict.fromkeys((numbers[0], numbers[-1])))
            look = next((step.look for step in steps if " " in step.look), steps[0].look)
            yield Span(at, at, text, f"decision {look}", tuple(line for step in steps for line in words_of_step(step)))


def lights(run: Run) -> Iterator[Span]:
    """Give what the light showed, cut where it or the state changes; what lasts no time is not seen."""
    light, state, since = "off", "IDLE", 0
    last = run.last
    for sample, facts in [*run.of("light", "state"), (last, {})]:
        if light != "off" and sample > since:
            yield Span(since, sample, light, light, (f"light: {light}", f"device: {STATES.get(state, state)}"))
        since = sample
        light, state = facts.get("light", light), facts.get("to", state)


def _recordings(run: Run, clips: Iterable[Clip]) -> Iterator[Span]:
    last = run.last
    for clip in clips:
        end = max(clip.begin, last) if clip.end is None else clip.end
        why = f"ended: {ENDS.get(clip.reason, clip.reason)}" if clip.reason else "did not end"
        yield Span(
            clip.begin,
            end,
            f"clip {clip.number}, {seconds(end - clip.begin)}",
            "capture" if clip.received else "capture kept",
            (f"clip {clip.number}: {clock(clip.begin)} to {clock(end)}", why),
        )
        wake = clip.wake or {}
        if "word_begin" in wake and "word_end" in wake:
            yield Span(wake["word_begin"], wake["word_end"], "", "word", (f"taken for “{wake['word']}”",))


def _parts(clips: Iterable[Clip]) -> Iterator[Span]:
    for clip in clips:
        for part in clip.parts.values():
            yield Span(part.begin, part.end, str(part.number), _fate(part), tuple(_journey(part)))
        if clip.complete is not None:
            yield Span(clip.complete, clip.complete, "✓", "complete", ("receipt: the far end has the whole clip",))


def _fate(part: Part) -> str:
    return "part received" if part.received is not None else "part sent" if part.sent is not None else "part kept"


def _journey(part: Part) -> Iterator[str]:
    size = f", {part.bytes / 1000:.1f} kB" if part.bytes is not None else ""
    yield f"part {part.number}: {seconds(part.end - part.begin)}{size}"
    if part.sent is not None:
        yield f"sent at {clock(part.sent)}"
    yield "no receipt" if part.received is None else f"receipt at {clock(part.received)}"


def _prompts(run: Run) -> Iterator[Span]:
    for prompt in prompts_of(run):
        heard = any(listener.heard for listener in prompt.listeners)
        yield Span(
            prompt.begin,
            prompt.end,
            prompt.text,
            "prompt" if heard or not prompt.listeners else "prompt unheard",
            (f"device: {prompt.text}", *(listener.told for listener in prompt.listeners)),
        )


_MOMENTS: Mapping[str, str] = {
    "thinking_timed_out": "no answer from the far end in time",
    "expect_timed_out": "nobody answered the device",
    "directive_refused": "an order from the far end was refused",
    "unanswered": "the far end could not answer",
    "refused": "a message was refused",
    "spool_error": "the spool failed",
    "events_dropped": "events were dropped",
}


def _losses(run: Run) -> Iterator[Span]:
    for sample, facts in run.of("audio_lost"):
        lost = f"{seconds(facts['samples'])} of sound lost"
        yield Span(sample, facts["end"], "lost", "lost", (lost, facts["why"]))


def _mutes(run: Run) -> Iterator[Span]:
    for begin, end in muted(run):
        yield Span(begin, end, "muted", "muted", ("microphone off: nothing is kept", seconds(end - begin)))


def _trouble(run: Run) -> Iterator[Span]:
    yield from _offline(run)
    for event in run.events:
        if event.kind in _MOMENTS:
            yield Span(event.sample, event.sample, "!", "moment", (_MOMENTS[event.kind], *_details(event.facts)))


def _offline(run: Run) -> Iterator[Span]:
    """From a lost connection to the next one, or to the last event."""
    since: tuple[int, str] | None = None
    for event in run.events:
        if event.kind == "disconnected" and since is None:
            since = event.sample, str(event.facts.get("reason", ""))
        elif since is not None and (event.kind == "connected" or event is run.events[-1]):
            yield Span(since[0], event.sample, "offline", "offline", ("no connection to the broker", since[1]))
            since = None


def _details(facts: Facts) -> Iterator[str]:
    for name in ("name", "why", "reason"):
        if isinstance(facts.get(name), str):
            yield facts[name]
    if isinstance(number := facts.get("count"), int):
        yield count(number, "event")
