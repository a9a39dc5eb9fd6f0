"""Which model files wake the devices of a piece of work: it goes on with no others under the same names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from device.config import WakeSettings
from device.ear import thresholds
from device.second_looks import describe_verifier
from sim.play.setup import Setup
from wakeword.scorer import load_scorers
from wakeword.second_look import load_learned


def detectors(settings: WakeSettings) -> list[dict[str, Any]]:
    """Of each wake word its engine, model, hash and threshold, and the hash of a second look.

    Raises WakewordError for what is not here, ConfigError for a second look that is none.
    """
    scorers = load_scorers(settings.words, settings.engine)
    at, look = thresholds(settings, scorers), describe_verifier(settings)
    return [
        {"engine": scorers.engine, "model": name, "sha256": sha256, "threshold": at[name], **look}
        for name, sha256 in zip(scorers.names, scorers.hashes, strict=True)
    ]


def detectors_of(wakes: Iterable[WakeSettings]) -> list[dict[str, Any]]:
    """Those of all these devices, each once, in their order; raises as `detectors`."""
    found: list[dict[str, Any]] = []
    for wake in dict.fromkeys(wakes):
        found += [each for each in detectors(wake) if each not in found]
    return found


def files_of(setup: Setup) -> dict[str, list[Any]]:
    """Of a play: `detectors_of` its devices, and the hash of what its far end looks again with; raises as these."""
    look = setup.cloud.verifier.model
    looks = [] if look is None else [load_learned(look).sha256]
    return {"engines": detectors_of(each.wake for each in setup.devices.values()), "second_looks": looks}
