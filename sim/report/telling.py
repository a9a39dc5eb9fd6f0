"""A step of a chain in words alone: line by line for those who point at it, and in one line."""

from __future__ import annotations

from textwrap import shorten

from sim.report.quote import Quote
from sim.report.step import Step
from sim.report.wording import level


def words_of_step(step: Step) -> tuple[str, ...]:
    """Give a step in words, a line each: for those who point at it, and for those who do not see the page."""
    prompt = step.prompt
    return (
        step.title if prompt is None else f"{step.title}: “{prompt.text}”",
        *([f"really said: “{step.said.text}”"] if step.said is not None and step.said.text else []),
        *([_heard(step.heard)] if step.heard is not None else []),
        *([f"meant: {step.meant}"] if step.meant else []),
        *([f"taken for {step.taken_for}"] if step.taken_for else []),
        *([f"score {step.score:.2f}{needed(step)}"] if step.score is not None else []),
        *filter(None, [step.text]),
        *(listener.told for listener in (prompt.listeners if prompt is not None else ())),
    )


def _heard(quote: Quote) -> str:
    how = "heard, in another reading" if quote.other else "heard"
    return f"{how}: “{quote.text}”" if quote.text else f"{how}: nothing"


def needed(step: Step) -> str:
    """What the score had to reach, where that is known."""
    return "" if step.needed is None else f", {round(step.needed, 2):g} needed"


LONGEST = 70
"""Letters of a quotation in one line."""


def in_short(step: Step) -> str:
    """Give a step in one line; long quotations are cut."""
    if step.prompt is not None:
        listeners = step.prompt.listeners
        levels = "; ".join(f"{one.who} {level(one.level_db)} against {level(one.rest_db)}" for one in listeners)
        heard_by = f", {step.prompt.heard_by} ({levels})" if listeners else ""
        return f"{step.title} “{step.prompt.text}”{heard_by}"
    said = _quoted(step.said.text) if step.said is not None and step.said.text else ""
    heard = _quoted(step.heard.text or "nothing") if step.heard is not None else ""
    both = f"{said}, heard as {heard}" if said and heard else said or heard
    taken = f"taken for {step.taken_for}" if step.taken_for else ""
    sure = f"({step.score:.2f}{needed(step)})" if step.score is not None else ""
    what = " ".join(filter(None, [both, taken, sure]) if both or taken else filter(None, [step.text.rstrip("."), sure]))
    return f"{step.title}: {what}" if what else step.title


def _quoted(text: str) -> str:
    return f"“{shorten(text, LONGEST, placeholder=' …')}”"
