"""The safeguards, from the wake word to the message: what could have stopped it, each a small class."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches

from sim.cloud.settings import load_cloud
from sim.errors import WhatIfError
from sim.play.setup import Setup
from sim.scenario import Mute as Press
from sim.whatif.safeguard import Safeguard


class Threshold(Safeguard):
    """A higher bar for the wake word."""

    name, usual, shows = "threshold", "0.8", "wakes at a score of {}"

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        return setup.with_devices("wake", threshold=self.number(value, 0.01, 1, ""))


class Patience(Safeguard):
    """A wake word must last."""

    name, usual, shows = "patience", "3", "wakes after {} hops of 80 ms in a row"

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        return setup.with_devices("wake", patience_hops=int(self.number(value, 1, 25, "hops")))


class Engine(Safeguard):
    """Another wake-word model."""

    name, usual, shows = "engine", "micro", "another wake-word engine, {}"

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        return setup.with_devices(
            "wake", engine=self.choice(value, "openwakeword", "micro", "reference"), threshold=None
        )

    def missing(self, value: str) -> str | None:
        """See `Safeguard.missing`."""
        return _micro() if value == "micro" else None


def _micro() -> str | None:
    return None if importlib.util.find_spec("pymicro_wakeword") else "pip install pymicro-wakeword"


class Mute(Safeguard):
    """The microphone was switched off."""

    name, usual, shows = "mute", "0:00", "muted at {}"

    def apply(self, setup: Setup, value: str) -> Setup:
        """Take the time of day at the home, HH:MM; before the scenario begins it is muted from the beginning."""
        hours, _, minutes = value.partition(":")
        if not (hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60):
            raise self.refuse(value, "a time of day")
        began = setup.scenario.utc
        at = began.replace(hour=int(hours), minute=int(minutes), second=0, microsecond=0)
        at_ms = max(0, round((at - began) / timedelta(milliseconds=1)))
        presses = [Press(device=name, at_ms=at_ms, muted=True) for name in setup.devices]
        return replace(setup, scenario=setup.scenario.model_copy(update={"mute": tuple(presses)}))


class SecondLook(Safeguard):
    """The far end checks the wake word again."""

    name, usual, shows = "verifier", "on", "the far end looks twice at the wake word: {}"
    also = ("engine",)

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        method = {"on": "recognizer", "off": "none"}.get(value, value)
        return setup.with_cloud("verifier", method=self.choice(method, "none", "recognizer", "phonetic", "engine"))

    def missing(self, value: str) -> str | None:
        """See `Safeguard.missing`."""
        return _micro() if value == "engine" else None


class Request(Safeguard):
    """What counts as a request."""

    name, usual, shows = "request", "0.9", "words must resemble a request by {}"

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        return setup.with_cloud("dialog", intent_score=self.number(value, 0, 1, ""))


class Contact(Safeguard):
    """Who counts as a contact."""

    name, usual, shows = "contact", "0.9", "words must resemble a contact by {}"

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        return setup.with_cloud("dialog", contact_score=self.number(value, 0, 1, ""))


class Confirm(Safeguard):
    """What counts as a yes."""

    name, usual, shows = "confirm", "strict", "confirmation: {}"

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        return setup.with_cloud("dialog", confirm=self.choice(value, "none", "eager", "strict"))


class AskBody(Safeguard):
    """The device asks for the message before it records one."""

    name, usual, shows = "ask_body", "on", "asks what the message is: {}"

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        return setup.with_cloud("dialog", ask_body=self.choice(value, "on", "off") == "on")


class Window(Safeguard):
    """How long the microphone stays open for a reply."""

    name, usual, shows = "window_s", "2", "the microphone is open for {} s after a question"

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        return setup.with_cloud("dialog", expect_ms=round(1000 * self.number(value, 0.08, 60, "s")))


class PromptLevel(Safeguard):
    """Louder prompts, so that somebody hears them."""

    name, usual, shows = "prompt_db", "+12", "prompts {} dB louder"

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        louder = self.number(value, -60, 60, "dB")
        devices = {
            name: each.model_copy(
                update={
                    "acoustics": each.acoustics.model_copy(
                        update={"loudspeaker_db_spl": each.acoustics.loudspeaker_db_spl + louder}
                    )
                }
            )
            for name, each in setup.devices.items()
        }
        return replace(setup, devices=devices)


class Communications(Safeguard):
    """Messages removed altogether."""

    name, usual, shows = "communications", "off", "messages can be sent: {}"

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        return setup.with_cloud("dialog", communications=self.choice(value, "on", "off") == "on")


class Profile(Safeguard):
    """The far end of another time."""

    name, usual, shows = "profile", "strict", "the far end of the profile {}"

    def apply(self, setup: Setup, value: str) -> Setup:
        """See `Safeguard.apply`."""
        other = load_cloud(value)
        return replace(setup, cloud=other.model_copy(update={"ears": setup.cloud.ears}))


SAFEGUARDS: Mapping[str, Safeguard] = {
    each.name: each
    for each in (
        Threshold(),
        Patience(),
        Engine(),
        Mute(),
        SecondLook(),
        Request(),
        Contact(),
        Confirm(),
        AskBody(),
        Window(),
        PromptLevel(),
        Communications(),
        Profile(),
    )
}
"""In the order in which the evening meets them."""


def chosen(texts: list[str]) -> list[tuple[Safeguard, str]]:
    """Read ``NAME``, ``NAME=VALUE`` or ``all``; raises WhatIfError for what is not known."""
    found: list[tuple[Safeguard, str]] = []
    for text in texts:
        name, _, value = text.partition("=")
        if text == "all":
            found += [(each, value) for each in SAFEGUARDS.values() for value in (each.usual, *each.also)]
        elif name in SAFEGUARDS:
            found.append((SAFEGUARDS[name], value or SAFEGUARDS[name].usual))
        else:
            near = get_close_matches(name, SAFEGUARDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: all, {', '.join(SAFEGUARDS)}"
            raise WhatIfError(f"--what-if {text}: nothing is called that; {hint}")
    return list(dict.fromkeys(found))
