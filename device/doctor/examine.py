"""All that is looked at, in the order in which it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from device.doctor import computer, sound, way
from device.doctor.finding import Finding, Patient

CHECKS: tuple[Callable[[Patient], Iterator[Finding]], ...] = (
    computer.python,
    sound.groups,
    sound.microphone,
    sound.models,
    computer.clock,
    computer.zone,
    computer.disk,
    computer.heat,
    way.broker,
    way.certificates,
    way.keys,
    way.spool,
    way.services,
)


def examine(patient: Patient) -> list[Finding]:
    """Look at everything; a check that breaks is a finding, and the others go on."""
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found += check(patient)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a machine, the rest of it is to be told
            text = f"it cannot be looked at ({type(error).__name__}: {error})"
            found.append(Finding(check.__name__, "wrong", text, "please report this bug"))
    return found
