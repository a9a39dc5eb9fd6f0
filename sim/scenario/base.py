"""What all nouns of a scenario share: strictness, names, places, and the nearest right name for a wrong one."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from device.yaml_model import Loc, SettingFault
from sim.speech.voices import Voice


class Strict(BaseModel):
    """Frozen; unknown keys, wrong types and infinite numbers are refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def _spoken(text: str) -> str:
    if not any(character.isalnum() for character in text):
        raise ValueError("there is nothing in it to say")
    return text


def _voice(text: str) -> str:
    return str(Voice.parse(text))


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_ -]{0,39}$")]
DeviceName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
"""Goes into topics and file names."""

Text = Annotated[str, Field(max_length=2000), AfterValidator(_spoken)]
VoiceName = Annotated[str, AfterValidator(_voice)]
Metres = Annotated[float, Field(ge=0, le=100)]
Place = tuple[Metres, Metres, Metres]
"""x, y and height in the room, from one of its corners."""

DbSpl = Annotated[float, Field(ge=0, le=120)]
Moment = Annotated[int, Field(ge=0, le=86_400_000)]
"""Milliseconds since the scenario began; a day at most."""


def must_be_known(name: str, known: Collection[str], at: Loc, nobody: str, those: str) -> None:
    """Refuse a ``name`` that is not ``known``, with the nearest one that is; ``nobody`` and ``those`` make the words.

    Raises SettingFault.
    """
    if name in known:
        return
    near = get_close_matches(name, list(known), n=1) or [one for one in known if one.casefold() == name.casefold()]
    hint = f"did you mean {near[0]}?" if near else f"{those}: {', '.join(known) or 'none'}"
    raise SettingFault(at, name, f"{nobody}; {hint}")
