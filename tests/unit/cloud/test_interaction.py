"""The interaction model: what ships, and what is refused, with file and line."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest

from sim.cloud.grammar import MOST, expand, numbers, parse
from sim.cloud.interaction import Reply, Request, load_interaction
from sim.errors import ScenarioError

SHIPPED = files("configs").joinpath("cloud", "interaction", "en.yaml").read_text("utf-8")


def test_the_shipped_model_knows_every_request_and_reply() -> None:
    requests, replies = load_interaction().sentences()
    assert set(requests) == set(get_args(Request))
    assert set(replies) == set(get_args(Reply))


def test_a_template_becomes_its_sentences() -> None:
    rules = {"send": parse("(send|write)")}
    found = expand("<send> [a] message to {contact} saying {body}", rules, {})
    assert [each.pieces for each in found] == [
        (f"{verb} {a}message to", "{contact}", "saying", "{body}") for verb in ("send", "write") for a in ("a ", "")
    ]
    timers = expand("timer for {minutes} minute[s]", {}, {"minutes": numbers(20, 21)})
    assert [(each.pieces, each.slots) for each in timers] == [
        (("timer for twenty minutes",), {"minutes": 20}),
        (("timer for twenty one minutes",), {"minutes": 21}),
        (("timer for twenty minute",), {"minutes": 20}),
        (("timer for twenty one minute",), {"minutes": 21}),
    ]


@pytest.mark.parametrize(
    ("old", "new", "key", "told"),
    [
        ('- "shut up"', '- "shut (up"', "requests.stop.1", "it is no template"),
        ('- "be quiet"', '- "be <quite>"', "requests.stop.2", "Missing expansion rule <quite>"),
        ('- "be quiet"', '- "be {quiet}"', "requests.stop.2", "there is no list called 'quiet'; there are: hours"),
        ('- "be quiet"', '- "wait {minutes} minutes"', "requests.stop.2", "it cannot have a minutes; here it may"),
        ('- "be quiet"', '- "[be quiet]"', "requests.stop.2", "it must begin with words"),
        ('- "be quiet"', '- "[]"', "requests.stop.2", "it is no template"),
        ('- "(message|text) {contact}"', '- "{contact} message"', "requests.send_message.4", "it must begin with"),
        ("that {body}", "{body} okay", "requests.send_message.5", "{body} must be its last word"),
        ('replies:\n  right: ["yes"', 'replies:\n  right: ["yes {minutes}"', "replies.right.0", "there is no list"),
        ('"To whom?"', '"To {whom}?"', "prompts.to_whom", "it knows no {whom}; there are: none"),
        ('"Timer set."', '"Timer set}."', "prompts.timer", "it is no text with names in braces"),
        ("  fallback:", "  falback:", "", "there is no setting prompts.falback; did you mean fallback?"),
        ("requests:", "request:", "", "there is no setting request; did you mean requests?"),
        ("  stop:\n", "  halt:\n", "requests.halt", "but should be 'send_message'"),
        ("hours: {from: 1, to: 12}", "hours: {from: 12, to: 1}", "lists.hours", "from is greater"),
        ("hours: {from: 1, to: 12}", "hours: {from: 1}", "lists.hours", "from and to, or values"),
        ("step: {values: {up: 1,", "step: {values: {up: loud,", "lists.step.values.up", "integer"),
        ('set: "(set|start)"', 'set: "(set|"', "rules.set", "it is no template"),
        ('set: "(set|start)"', 'set: "<set> now"', "requests.timer.0", "a rule leads back to itself"),
        ('stop: ["stop", "stop it"]', "stop: []", "replies", "there is no sentence for stop"),
    ],
)
def test_a_bad_model_is_named_with_file_and_line(old: str, new: str, key: str, told: str, tmp_path: Path) -> None:
    assert SHIPPED.count(old) == 1
    file = tmp_path / "mine.yaml"
    file.write_text(SHIPPED.replace(old, new))
    with pytest.raises(ScenarioError) as caught:
        load_interaction(str(file))
    text = str(caught.value)
    where, _, rest = text.removeprefix(f"{file}:").partition(": ")
    assert where.isdecimal()
    assert rest.startswith(f"{key} is" if key else "there is no setting")
    assert told in rest
    line = file.read_text().splitlines()[int(where) - 1]
    assert new.splitlines()[-1][:8].strip() in line or key in ("lists.hours", "replies", "requests.timer.0")


def test_more_than_anybody_can_say_is_refused() -> None:
    with pytest.raises(ValueError, match=f"more than {MOST}"):
        expand("say " + "[a|b|c|d] " * 8, {}, {})
    with pytest.raises(ValueError, match=f"more than {MOST}"):
        expand("say {n} {n}", {}, {"n": numbers(1, 99)})


def test_a_model_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ScenarioError, match="there is no interaction model or file called de; the models are en"):
        load_interaction("de")
