"""The interaction model: what people may ask and answer, and what the device says (configs/cloud/interaction)."""

from __future__ import annotations

import string
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from device.errors import ConfigError
from device.yaml_model import SettingFault, load_yaml_model
from sim.cloud.grammar import Parsed, Sentence, expand, numbers, parse
from sim.errors import ScenarioError

Request = Literal["send_message", "stop", "cancel", "time", "timer", "volume", "delete_last", "delete_today"]
Reply = Literal["right", "wrong", "cancel", "stop"]
Name = Annotated[str, Field(pattern=r"^[a-z_]+$")]
Templates = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=500)], ...], Field(max_length=100)]

SLOTS: Mapping[Request, frozenset[str]] = {
    "send_message": frozenset({"contact", "body"}),
    "timer": frozenset({"hours", "minutes", "seconds"}),
    "volume": frozenset({"level", "step"}),
}
"""Which slots a request may have; the others have none."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class SlotList(_Model):
    """What may be said in a slot: whole numbers ``from`` .. ``to``, or words and what each means."""

    begin: Annotated[int, Field(ge=0, le=999)] | None = Field(None, alias="from")
    to: Annotated[int, Field(ge=0, le=999)] | None = None
    values: dict[str, int] = {}

    @model_validator(mode="after")
    def _one_of_both(self) -> SlotList:
        if (self.begin is None) != (self.to is None) or (self.begin is None) != bool(self.values):
            raise ValueError("a list has from and to, or values")
        if self.begin is not None and self.to is not None and self.begin > self.to:
            raise ValueError("its from is greater than its to")
        return self

    def said(self) -> Mapping[str, int]:
        """What may be said, and what it means."""
        return self.values if self.begin is None or self.to is None else numbers(self.begin, self.to)


class Prompts(_Model):
    """What the device says; an empty text is said by saying nothing."""

    to_whom: str
    to_whom_again: str
    which: str
    confirm: str
    what_message: str
    what_message_again: str
    sent: str
    given_up: str
    same_name: str
    no_contacts: str
    no_communications: str
    cancelled: str
    time: str
    timer: str
    volume: str
    deleted_last: str
    deleted_today: str
    fallback: str

    @model_validator(mode="after")
    def _known_names(self) -> Prompts:
        for prompt, text in self:
            known = _PROMPT_SLOTS.get(prompt, set())
            try:
                names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            except ValueError as error:
                raise SettingFault((prompt,), text, f"it is no text with names in braces ({error})") from None
            for name in sorted(names - known):
                there = ", ".join(sorted(known)) or "none"
                raise SettingFault((prompt,), text, f"it knows no {{{name}}}; there are: {there}")
        return self


_PROMPT_SLOTS = {
    "which": {"contact", "choices"},
    "confirm": {"contact"},
    "sent": {"contact"},
    "same_name": {"contact"},
    "time": {"time"},
    "volume": {"level"},
}


class InteractionModel(_Model):
    """All of it; ``requests`` and ``replies`` are templates of hassil."""

    language: Literal["en"] = "en"
    skip_words: tuple[str, ...] = ()
    rules: dict[Name, str] = {}
    lists: dict[Name, SlotList] = {}
    requests: dict[Request, Templates]
    replies: dict[Reply, Templates]
    prompts: Prompts

    @model_validator(mode="after")
    def _expands(self) -> InteractionModel:
        self.sentences()
        return self

    def sentences(self) -> tuple[dict[Request, list[Sentence]], dict[Reply, list[Sentence]]]:
        """Every sentence of each request and reply, in the order of the file; raises SettingFault."""
        rules: dict[str, Parsed] = {}
        for name, text in self.rules.items():
            try:
                rules[name] = parse(text)
            except ValueError as error:
                raise SettingFault(("rules", name), text, str(error)) from None
        lists = {name: one.said() for name, one in self.lists.items()}
        requests: dict[Request, list[Sentence]] = {}
        for request, templates in self.requests.items():
            for n, template in enumerate(templates):
                try:
                    sentences = expand(template, rules, lists)
                    _require_slots(sentences, SLOTS.get(request, frozenset()))
                except ValueError as error:
                    raise SettingFault(("requests", request, n), template, str(error)) from None
                requests.setdefault(request, []).extend(sentences)
        replies: dict[Reply, list[Sentence]] = {}
        for reply, templates in self.replies.items():
            for n, template in enumerate(templates):
                try:
                    sentences = expand(template, rules, {})
                    _require_slots(sentences, frozenset())
                except ValueError as error:
                    raise SettingFault(("replies", reply, n), template, str(error)) from None
                replies.setdefault(reply, []).extend(sentences)
        missing = [one for one in get_args(Reply) if not replies.get(one)]
        if missing:
            raise SettingFault(("replies",), list(self.replies), f"there is no sentence for {missing[0]}")
        return requests, replies


def _require_slots(sentences: tuple[Sentence, ...], allowed: frozenset[str]) -> None:
    for sentence in sentences:
        opened = {piece.strip("{}") for piece in sentence.pieces if piece.startswith("{")}
        for name in sorted({*sentence.slots, *opened} - allowed):
            raise ValueError(f"it cannot have a {name}; here it may have {', '.join(sorted(allowed)) or 'no slot'}")


def load_interaction(name: str = "en") -> InteractionModel:
    """A shipped model by its name, or a YAML file by its path; raises ScenarioError, with file and line."""
    folder = files("configs").joinpath("cloud", "interaction")
    shipped = folder.joinpath(f"{name}.yaml")
    try:
        if shipped.is_file():
            where = f"configs/cloud/interaction/{name}.yaml"
            return load_yaml_model(shipped.read_text("utf-8"), InteractionModel, name=where)
        if Path(name).is_file():
            return load_yaml_model(Path(name), InteractionModel)
    except ConfigError as error:
        raise ScenarioError(str(error)) from None
    names = sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))
    raise ScenarioError(f"there is no interaction model or file called {name}; the models are {', '.join(names)}")
