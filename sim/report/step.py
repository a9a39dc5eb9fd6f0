"""A step in a chain of decisions: what was really said, what it was taken for, and how sure that was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from device.events import Event
from sim.report.clips import Clip
from sim.report.folder import Run
from sim.report.hearing import Prompt
from sim.report.quote import Quote, heard_in, said_at
from sim.report.speech import Spoken, meant_between
from sim.report.wording import ENDS, INTENTS, count, level, listing, long, plain
from wakeword.sound import RATE

LEAD = RATE // 2
"""What is played of a word has this much around it, so that it can be told what it was."""


BY = {"exact": "letter by letter", "spelling": "by spelling", "sound": "by sound"}
"""How a contact was found."""


@dataclass(frozen=True)
class Step:
    """What happened at sample `at`; samples `begin` to `end` are its sound.

    `look`: its CSS class. `said` and `heard`: the same moment as it was and as it was heard; `taken_for` what became
    of it, `meant` what somebody who addressed the device had meant. `score` needed `needed`, both 0 to 1. `result`:
    what this step did, `stop`: why nothing more came, each in a few words and only where that is so.
    """

    at: int
    look: str
    title: str
    text: str
    begin: int = 0
    end: int = 0
    clip: Clip | None = None
    said: Quote | None = None
    heard: Quote | None = None
    taken_for: str = ""
    meant: str = ""
    score: float | None = None
    needed: float | None = None
    others: tuple[str, ...] = ()
    prompt: Prompt | None = None
    result: str = ""
    stop: str = ""


@dataclass(frozen=True)
class Scene:
    """What is known of a run besides its decisions."""

    run: Run
    clips: Mapping[str, Clip]
    lines: Sequence[Spoken] = ()
    prompts: Sequence[Prompt] = ()

    def setting(self, *names: str) -> Any:
        """A setting of the far end, None where it is not known."""
        value: Any = self.run.outcome.manifest.cloud
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def share(self, *names: str) -> float | None:
        """A setting that is a number, None where it is not."""
        return _number(self.setting(*names))


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
        _clip(clip),
        clip.begin,
        clip.stop,
        clip,
        said=said_at(scene.lines, clip.begin, clip.stop, context=False),
        heard=Quote(clip.heard or ""),
    )


def went_on(step: Step) -> Step:
    """Take from a step that it stopped the chain: it was asked again, and something more was heard."""
    return replace(step, look=step.look.removesuffix(" stopped"), stop="") if step.stop else step


def _verified(_: Scene, clip: Clip, event: Event) -> Step:
    passed, facts = event.facts["passed"], event.facts
    method = f" by the method “{facts['method']}”" if isinstance(facts.get("method"), str) else ""
    return Step(
        event.sample,
        "look" if passed else "look stopped",
        "Second look",
        f"{'It passed' if passed else 'It did not pass: the capture was stopped'}{method}.",
        clip.begin,
        clip.stop,
        clip,
        score=_number(facts.get("score")),
        needed=_number(facts.get("threshold")),
        stop="" if passed else "stopped by the second look at the wake word",
    )


def _arbitrated(scene: Scene, clip: Clip, event: Event) -> Step:
    winner = str(event.facts["winner"])
    mine = winner in (scene.run.name, event.facts.get("device"))
    levels = [f"{name} at {level(db)}" for name, db in _pairs(event.facts.get("of"))]
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


def _interpretation(scene: Scene, clip: Clip, event: Event, phrase: str, **more: Any) -> Step:
    """What was heard was taken for something; how sure that had to be, the fact or else a setting says."""
    heard, begin, end = heard_in(clip, phrase)
    whole = (begin, end) == (clip.begin, clip.stop)
    said = said_at(scene.lines, begin, end, context=not whole)
    margin = 0 if whole else LEAD // 2
    what = {"contact": "contact", "confirmation": "confirm"}.get(event.kind, "intent")
    meant = meant_between(scene.lines, begin, end, what)
    needed = _number(event.facts.get("needed"))
    return Step(
        event.sample, begin=max(0, begin - margin), end=end + margin, clip=clip, said=said, heard=heard,
        score=_number(event.facts.get("score")),
        needed=scene.share("dialog", f"{what}_score") if needed is None else needed,
        meant="" if meant is None else _meant(meant), **more,
    )  # fmt: skip


def _intent(scene: Scene, clip: Clip, event: Event) -> Step:
    facts, intent = event.facts, str(event.facts["intent"])
    nothing = intent == "none"
    phrase = facts.get("phrase")
    text = phrase if isinstance(phrase, str) and phrase else clip.heard or ""
    slots = facts.get("slots")
    named = [f"{plain(name)}: {value}" for name, value in slots.items()] if isinstance(slots, dict) else []
    like = (
        f" The pattern was “{facts['template']}”."
        if isinstance(facts.get("template"), str) and facts["template"]
        else ""
    )
    return _interpretation(
        scene, clip, event, text,
        look="heard stopped" if nothing else "heard",
        title="Heard no request" if nothing else "Heard a request",
        text=_clip(clip) + like,
        taken_for="nothing" if nothing else INTENTS.get(intent, plain(intent)),
        others=tuple(named),
        stop="not taken for a request" if nothing else "",
    )  # fmt: skip


def _contact(scene: Scene, clip: Clip, event: Event) -> Step:
    facts = event.facts
    name = facts.get("name")
    known = isinstance(name, str) and bool(name)
    by = facts.get("by")
    matched = f" Matched {BY.get(by, by)}." if known and isinstance(by, str) else ""
    others = [f"{who} {score:.2f}" for who, score in _pairs(facts.get("candidates")) if who != name]
    score, needed = _number(facts.get("score")), _number(facts.get("needed"))
    several = not known and score is not None and needed is not None and score >= needed
    return _interpretation(
        scene, clip, event, str(facts["heard"]),
        look="heard" if known else "heard stopped",
        title="Heard a name" if known else "Heard no name",
        text=_clip(clip) + matched,
        taken_for=str(name) if known else "several contacts" if several else "nobody in the contacts",
        others=tuple(others),
        stop="" if known else "several contacts have that name" if several else "no contact was close enough",
    )  # fmt: skip


def _confirmation(scene: Scene, clip: Clip, event: Event) -> Step:
    answer = str(event.facts["answer"])
    return _interpretation(
        scene, clip, event, str(event.facts.get("heard", "") or clip.heard or ""),
        look="heard" if answer == "yes" else "heard stopped",
        title="Heard an answer",
        text=_clip(clip),
        taken_for=f"“{answer}”" if answer in ("yes", "no") else "no clear answer",
        stop="" if answer == "yes" else "not confirmed",
    )  # fmt: skip


def _meant(value: object) -> str:
    return (
        {True: "yes", False: "no"}.get(value, "")
        if isinstance(value, bool)
        else INTENTS.get(str(value), plain(str(value)))
    )


def _message(scene: Scene, clip: Clip, event: Event) -> Step:
    to, audio_s = str(event.facts["to"]), _number(event.facts.get("audio_s"))
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
    names, what, kept = (list(map(str, _list(event.facts[name]))) for name in ("clips", "what", "kept"))
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
    if facts["name"] == "timer" and (seconds := _number(value)) is not None:
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
    "intent": _intent,
    "contact": _contact,
    "confirmation": _confirmation,
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


def _clip(clip: Clip) -> str:
    """Which clip it is and how it came about."""
    asked = ", recorded without a wake word" if clip.initiator == "expect_speech" else ""
    by = f", heard by {clip.recognizer}" if clip.recognizer else ""
    return f"Clip {clip.number}, {long((clip.stop - clip.begin) / RATE)}{asked}{by}."


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _pairs(listed: object) -> Iterator[tuple[str, float]]:
    """Names with numbers, those that are whole."""
    for one in _list(listed):
        if isinstance(one, list) and len(one) == 2 and (value := _number(one[1])) is not None:
            yield str(one[0]), value
