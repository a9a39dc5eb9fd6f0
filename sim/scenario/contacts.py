"""Whom messages can be sent to."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from device.yaml_model import SettingFault
from sim.scenario.base import Strict, Text


class Contact(Strict):
    """An entry of the address book."""

    name: Text
    say_as: Text | None = None
    """How the device says it, where that is not as it is written."""
    id: Text | None = None
    """Tells apart two of one name: a surname, a town. The far end asks for it."""


def folded(name: str) -> str:
    """A name without case, accents and punctuation: what makes two the same."""
    letters = (one for one in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(one))
    return " ".join("".join(one if one.isalnum() else " " for one in letters).split())


def refuse_twins(contacts: Sequence[Contact]) -> None:
    """Two contacts of one name must have an ``id`` each, and not the same. Raises SettingFault."""
    seen: dict[str, list[Contact]] = {}
    for number, contact in enumerate(contacts):
        twins = seen.setdefault(folded(contact.name), [])
        if any(one.id is None or contact.id is None or folded(one.id) == folded(contact.id) for one in twins):
            why = "two contacts are called that; give each an id of its own (a surname, a town) to tell them apart"
            raise SettingFault(("contacts", number, "name"), contact.name, why)
        twins.append(contact)
