"""The second look at a wake that a device's settings name, fitted to its wake words."""

from __future__ import annotations

from device.config import WakeSettings
from device.errors import ConfigError
from uplink.message import JSON
from wakeword.errors import ModelError
from wakeword.scorer import ScorerGroup
from wakeword.second_look import Learned, SecondLook, load_learned


def load_second_looks(settings: WakeSettings, scorers: ScorerGroup) -> dict[str, SecondLook]:
    """By wake word; raises ConfigError, with one sentence, where the file is none or is for another word or model."""
    learned = _learned(settings)
    if learned is None:
        return {}
    if learned.word not in scorers.names:
        words = ", ".join(scorers.names)
        raise ConfigError(
            f"wake.verifier: {settings.verifier} judges {learned.word}, and this device listens for {words}; "
            "give it a verifier made from wakes of that word"
        )
    if learned.model != scorers.hashes[scorers.names.index(learned.word)]:
        raise ConfigError(
            f"wake.verifier: {settings.verifier} was made from wakes of another model of {learned.word} than this "
            f"device has ({scorers.engine}); make it anew with this one: misheard review loop"
        )
    return {learned.word: SecondLook(learned)}


def describe_verifier(settings: WakeSettings) -> dict[str, JSON]:
    """What a run's manifest says of it; nothing where there is none."""
    learned = _learned(settings)
    return {} if learned is None else {"verifier": learned.sha256}


def _learned(settings: WakeSettings) -> Learned | None:
    if settings.verifier is None:
        return None
    try:
        return load_learned(settings.verifier)
    except ModelError as error:
        raise ConfigError(f"wake.verifier: {error}") from None
