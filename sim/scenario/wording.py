"""Templates of what may be said: ``(one|other)`` is a choice, ``{name}`` one of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Annotated

import numpy as np
from pydantic import Field

from device.yaml_model import Loc, SettingFault

_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")
_PIECE = re.compile(r"\([^()]*\)|\{\w+\}")

Template = Annotated[str, Field(min_length=1, max_length=200)]
Lists = Mapping[str, Sequence[str]]


def must_have_lists(template: str, lists: Lists, at: Loc) -> None:
    """Refuse a template that names a list which is not there; raises SettingFault."""
    for slot in _SLOT.findall(template):
        if slot not in lists:
            raise SettingFault(at, template, f"there is no list {slot}; there are: {', '.join(lists)}")


def fill(template: str, lists: Lists, chance: np.random.Generator) -> str:
    """A line of it, drawn: choices from left to right, then what stands for names."""

    def choose(found: re.Match[str]) -> str:
        options = found.group(1).split("|")
        return options[int(chance.integers(len(options)))]

    def of_list(found: re.Match[str]) -> str:
        options = lists[found.group(1)]
        return options[int(chance.integers(len(options)))]

    return _SLOT.sub(of_list, _CHOICE.sub(choose, template))


def spellings(template: str, lists: Lists) -> Iterator[tuple[str, float]]:
    """Every line that `fill` may give, and how likely it is; a list named within a choice is filled, too."""
    found = _PIECE.search(template)
    if found is None:
        yield template, 1.0
        return
    piece = found.group()
    options = piece[1:-1].split("|") if piece[0] == "(" else lists[piece[1:-1]]
    share = 1 / len(options)
    for option, (rest, likely) in product(options, spellings(template[found.end() :], lists)):
        for said, of_option in spellings(option, lists) if piece[0] == "(" else [(option, 1.0)]:
            yield f"{template[: found.start()]}{said}{rest}", share * of_option * likely
