"""Words that were taken for something: a request, a name, an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from device.events import Event
from sim.report.clips import Clip
from sim.report.quote import heard_in, said_at
from sim.report.speech import meant_between
from sim.report.step import LEAD, Scene, Step, about_clip, number, pairs
from sim.report.wording import INTENTS, plain

BY = {"exact": "letter by letter", "spelling": "by spelling", "sound": "by sound"}
"""How a contact was found."""


def _interpretation(scene: Scene, clip: Clip, event: Event, phrase: str, **more: Any) -> Step:
    """What was heard was taken for something; how sure that had to be, the fact or else a setting says."""
    heard, begin, end = heard_in(clip, phrase)
    whole = (begin, end) == (clip.begin, clip.stop)
    said = said_at(scene.lines, begin, end, context=not whole)
    margin = 0 if whole else LEAD // 2
    what = {"contact": "contact", "confirmation": "confirm"}.get(event.kind, "intent")
    meant = meant_between(scene.lines, begin, end, what)
    needed = number(event.facts.get("needed"))
    return Step(
        event.sample, begin=max(0, begin - margin), end=end + margin, clip=clip, said=said, heard=heard,
        score=number(event.facts.get("score")),
        needed=scene.share("dialog", f"{what}_score") if needed is None else needed,
        meant="" if meant is None else _meant(meant), **more,
    )  # fmt: skip


def intent(scene: Scene, clip: Clip, event: Event) -> Step:
    """Tell of a request, or that there was none."""
    facts, name = event.facts, str(event.facts["intent"])
    nothing = name == "none"
    phrase = facts.get("phrase")
    text = phrase if isinstance(phrase, str) and phrase else clip.heard or ""
    slots = facts.get("slots")
    named = [f"{plain(slot)}: {value}" for slot, value in slots.items()] if isinstance(slots, dict) else []
    template = facts.get("template")
    like = f" The pattern was “{template}”." if isinstance(template, str) and template else ""
    step = _interpretation(
        scene, clip, event, text,
        look="heard stopped" if nothing else "heard",
        title="Heard no request" if nothing else "Heard a request",
        text=about_clip(clip) + like,
        taken_for="nothing" if nothing else INTENTS.get(name, plain(name)),
        others=tuple(named),
        stop="not taken for a request" if nothing else "",
    )  # fmt: skip
    return _nearest(step, facts) if nothing else step


def _nearest(step: Step, facts: Mapping[str, Any]) -> Step:
    """Tell what came nearest to a request, where that is known."""
    near = facts.get("nearest")
    if not isinstance(near, dict):
        return step
    intent, phrase = str(near.get("intent")), str(near.get("phrase"))
    told = f"{step.text} Nearest came “{phrase}”, to {INTENTS.get(intent, plain(intent))}."
    return replace(step, text=told, score=number(near.get("score")), needed=number(near.get("needed")) or step.needed)


def contact(scene: Scene, clip: Clip, event: Event) -> Step:
    """Tell of a name, or that there was none."""
    facts = event.facts
    name = facts.get("name")
    known = isinstance(name, str) and bool(name)
    by = facts.get("by")
    matched = f" Matched {BY.get(by, by)}." if known and isinstance(by, str) else ""
    others = [f"{who} {score:.2f}" for who, score in pairs(facts.get("candidates")) if who != name]
    score, needed = number(facts.get("score")), number(facts.get("needed"))
    several = not known and score is not None and needed is not None and score >= needed
    return _interpretation(
        scene, clip, event, str(facts["heard"]),
        look="heard" if known else "heard stopped",
        title="Heard a name" if known else "Heard no name",
        text=about_clip(clip) + matched,
        taken_for=str(name) if known else "several contacts" if several else "nobody in the contacts",
        others=tuple(others),
        stop="" if known else "several contacts have that name" if several else "no contact was close enough",
    )  # fmt: skip


def confirmation(scene: Scene, clip: Clip, event: Event) -> Step:
    """Tell of an answer, or that there was none."""
    answer = str(event.facts["answer"])
    return _interpretation(
        scene, clip, event, str(event.facts.get("heard", "") or clip.heard or ""),
        look="heard" if answer == "yes" else "heard stopped",
        title="Heard an answer",
        text=about_clip(clip),
        taken_for=f"“{answer}”" if answer in ("yes", "no") else "no clear answer",
        stop="" if answer == "yes" else "not confirmed",
    )  # fmt: skip


def _meant(value: object) -> str:
    return (
        {True: "yes", False: "no"}.get(value, "")
        if isinstance(value, bool)
        else INTENTS.get(str(value), plain(str(value)))
    )
