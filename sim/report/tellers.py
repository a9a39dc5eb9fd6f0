"""How each kind of event that begins, decides or ends something becomes a step of the story."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from device.events import Event
from sim.report.clips import Clip
from sim.report.quote import Quote, said_at
from sim.report.step import LEAD, Scene, Step, about_clip, listed, number, pairs
from sim.report.taken import confirmation, contact, intent
from sim.report.wording import ENDS, count, level, listing, long, plain
from wakeword.sound import RATE


def woke(scene: Scene, clip: Clip) -> Step:
    """Tell of the wake that began a clip."""
    wake = clip.wake or {}
    begin, end = wake.get("word_begin"), wake.get("word_end")
    if not isinstance(begin, int) or not isinstance(end, int):
        begin, end = clip.begin, wake["sample"]
    said = said_at(scene.lines, begin, end)
    own = [prompt for prompt in scene.prompts if prompt.begin < end and begin < prompt.end]
    if own and (said is None or not said.text):
        said = Quote(own[0].text, who=(f"{scene.run.name} itself",))
    known = {True: "Nobody had addressed the device.", False: "The device had been addressed.", None: ""}[clip.false]
    return Step(
        wake["sample"],
        "woke",
        "Woke",
        known,
        max(0, begin - LEAD),
        end + LEAD,
        clip,
        said=said,
        taken_for=f"“{wake['word']}”",
        score=wake["score"],
        needed=wake["threshold"],
    )


def no_second_look(clip: Clip) -> Step:
    """Tell that this far end believes its devices."""
    assert clip.wake is not None
    return Step(
        clip.wake["sample"], "absent", "No second look", "This far end does not check the wake word.", clip=clip
    )


def undecided(scene: Scene, clip: Clip) -> Step:
    """Tell of a clip that was written down and of which nothing was decided, as far as is known."""
    at = clip.stop if clip.complete is None else max(clip.complete, clip.stop)
    return Step(
        at,
        "heard",
        "Heard",
        about_clip(clip),
        clip.begin,
        clip.stop,
        clip,
        said=said_at(scene.lines, clip.begin, clip.stop, context=False),
        heard=Quote(clip.heard or ""),
    )


def _verified(_: Scene, clip: Clip, event: Event) -> Step:
    passed, facts = event.facts["passed"], event.facts
    method = f", by {facts['method']}" if isinstance(facts.get("method"), str) else ""
    return Step(
        event.sample,
        "look" if passed else "look stopped",
        "Second look",
        f"Checked again{method}: {'it passed' if passed else 'it did not pass, and the capture was stopped'}.",
        clip.begin,
        clip.stop,
        clip,
        score=number(facts.get("score")),
        needed=number(facts.get("threshold")),
        stop="" if passed else "stopped by the second look at the wake word",
    )


def _arbitrated(scene: Scene, clip: Clip, event: Event) -> Step:
    winner = str(event.facts["winner"])
    mine = winner in (scene.run.name, event.facts.get("device"))
    levels = [f"{name} at {level(db)}" for name, db in pairs(event.facts.get("of"))]
    return Step(
        event.sample,
        "look" if mine else "look stopped",
        "Which device",
        f"{f'The word arrived at {listing(levels)}: ' if levels else ''}{winner} answers.",
        clip.begin,
        clip.stop,
        clip,
        stop="" if mine else f"left to {winner}",
    )


def _message(scene: Scene, clip: Clip, event: Event) -> Step:
    to, audio_s = str(event.facts["to"]), number(event.facts.get("audio_s"))
    begin = clip.begin if audio_s is None else max(clip.begin, clip.stop - round(audio_s * RATE))
    length = long((clip.stop - clip.begin) / RATE if audio_s is None else audio_s)
    astray = any(one.misdirected for one in scene.run.outcome.messages if one.clip == clip.name)
    return Step(
        event.sample,
        "sent astray" if astray else "sent",
        f"Sent to {to}",
        f"{length} of what was said went to {to}{', which nobody had meant' if astray else ''}.",
        begin,
        clip.stop,
        clip,
        said=said_at(scene.lines, begin, clip.stop, context=False),
        heard=Quote(text if isinstance(text := event.facts.get("text"), str) else clip.heard or ""),
        result=f"{length} sent to {to}",
    )


def _deleted(scene: Scene, clip: Clip, event: Event) -> Step:
    names, what, kept = (list(map(str, listed(event.facts[name]))) for name in ("clips", "what", "kept"))
    here = [str(scene.clips[name].number) for name in names if name in scene.clips]
    which = f" (here {listing(here)})" if here else ""
    gone, stayed = listing([plain(one) for one in what]) or "nothing", listing([plain(one) for one in kept])
    return Step(
        event.sample,
        "deleted kept" if stayed else "deleted",
        "Deleted",
        f"Of {count(len(names), 'clip')}{which} went: {gone}. What stayed: {stayed or 'nothing'}.",
        clip.begin,
        clip.stop,
        clip,
        result=f"{count(len(names), 'clip')} deleted{f', {stayed} kept' if stayed else ''}",
    )


def _action(_: Scene, clip: Clip, event: Event) -> Step:
    told = f"{plain(str(event.facts['name']))}{_value(event.facts)}"
    return Step(event.sample, "did", "Did", told, clip.begin, clip.stop, clip, result=told)


def _value(facts: Mapping[str, Any]) -> str:
    value = facts.get("value")
    if facts["name"] == "timer" and (seconds := number(value)) is not None:
        return f" of {long(seconds)}"
    if facts["name"] == "time" and isinstance(value, str) and "T" in value:
        return f" told: {value.partition('T')[2][:5]}"
    return "" if value is None or isinstance(value, dict | list) else f": {value}"


def _blocked(_: Scene, clip: Clip, event: Event) -> Step:
    what, why = plain(str(event.facts["what"])), event.facts.get("why")
    told = f"{what}{f': {why}' if isinstance(why, str) and why else ''}"
    return Step(event.sample, "blocked stopped", "Refused", told, clip.begin, clip.stop, clip, stop=f"refused: {told}")


def _ended(_: Scene, clip: Clip, event: Event) -> Step:
    why = plain(str(event.facts["why"]))
    return Step(event.sample, "ended", "Ended", why, clip=clip, stop=why)


def _timed_out(_: Scene, clip: Clip, event: Event) -> Step:
    text = "Nobody answered the device." if event.kind == "expect_timed_out" else "The far end did not answer in time."
    return Step(event.sample, "ended stopped", "Time ran out", text, clip=clip, stop=text[0].lower() + text[1:-1])


def _muted(_: Scene, clip: Clip, event: Event) -> Step | None:
    if event.facts["reason"] not in ("muted", "audio_lost", "interrupted"):
        return None
    why = ENDS[str(event.facts["reason"])]
    return Step(event.sample, "ended stopped", "Broken off", f"{why}.", clip=clip, stop=why)


Teller = Callable[[Scene, Clip, Event], Step | None]

TELLERS: Mapping[str, Teller] = {
    "verified": _verified,
    "arbitrated": _arbitrated,
    "intent": intent,
    "contact": contact,
    "confirmation": confirmation,
    "message": _message,
    "deleted": _deleted,
    "action": _action,
    "blocked": _blocked,
    "dialog_ended": _ended,
    "expect_timed_out": _timed_out,
    "thinking_timed_out": _timed_out,
    "capture_end": _muted,
}
"""How each kind of event that decides something is told."""
