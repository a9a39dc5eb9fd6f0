"""What a far end makes of what it hears: the second look at the wake, who answers, the dialog, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.cloud.answer import Directed, Fact
from sim.cloud.arbiter import claim_of
from sim.cloud.contacts import Contact, ContactBook
from sim.cloud.dialog import Dialog
from sim.cloud.interaction import load_interaction
from sim.cloud.settings import CloudSettings
from sim.cloud.speaking import DeviceVoice, directives
from sim.cloud.store import Clip, ClipStore
from sim.cloud.transcript import Transcript
from sim.cloud.turn import Heard
from uplink.message import Directive, Part
from wakeword.pronunciation import Pronouncer
from wakeword.sound import RATE


@dataclass(frozen=True)
class Household:
    """Whom a far end answers: their address book, their local time, and all their devices where that is known."""

    contacts: tuple[Contact, ...] = ()
    zone: tzinfo = UTC
    devices: tuple[str, ...] = ()


class Assistant:
    """Thinks for a `Cloud`, under one profile and for one household. What it must remember is in the store."""

    def __init__(
        self, store: ClipStore, settings: CloudSettings, household: Household, *, text_alone: bool = False
    ) -> None:
        """Load what it takes; raises SimError. With `text_alone` a prompt without a voice is sent as text."""
        pronouncer = Pronouncer()
        names = ContactBook(household.contacts, pronouncer)
        self._store, self._settings, self._household = store, settings, household
        self._dialog = Dialog(settings, load_interaction(settings.dialog.interaction), names, pronouncer)
        self._voice = DeviceVoice(settings.voice, text_alone)
        self._bench = store.bench

    def glance(self, part: Part, _sound: NDArray[np.int16]) -> list[Directed | Fact]:
        """Look at a part as it comes, int16[n]; say what that decides at once: who of several devices is to go on."""
        found: list[Directed | Fact] = []
        claim = claim_of(part) if self._settings.arbitration.on else None
        for ruling in () if claim is None else self._bench.hear(claim):
            found.append(Fact("arbitrated", ruling.facts()))
            if not ruling.won:
                found.append(Directed(ruling.device, Directive("StopCapture", ruling.clip)))
        return found

    def think(self, clip: Clip, transcript: Transcript) -> tuple[list[Fact], list[Directed]]:
        """Answer a whole clip: go on with its device's dialog, keep what that leads to, and say what to do."""
        due = clip.end + self._settings.answer_ms * RATE // 1000
        if not self._bench.answers(clip.id):
            return [], [Directed(clip.device, Directive("TurnEnd", clip.id, {"due": due}))]
        heard = self._heard(clip, transcript)
        turn = self._dialog.take(self._store.outbox.situation(clip.device), heard)
        deleted = self._store.conclude(clip, turn, self._household.devices)
        orders = [Directed(clip.device, each) for each in directives(turn, clip.id, self._voice, due)]
        if deleted is None:
            return list(turn.facts), orders
        return [*turn.facts, deleted.fact()], [*deleted.directives(), *orders]

    def _heard(self, clip: Clip, transcript: Transcript) -> Heard:
        opening = clip.opening
        initiator: Literal["wakeword", "expect_speech"] = "wakeword"
        if opening.get("initiator") == "expect_speech":
            initiator = "expect_speech"
        answers, word, word_end = opening.get("answers"), opening.get("word"), opening.get("word_end")
        return Heard(
            clip=clip.id,
            device=clip.device,
            at=self._time(clip),
            samples=clip.end - clip.begin,
            transcript=transcript,
            initiator=initiator,
            answers=answers if isinstance(answers, str) else None,
            word=word if isinstance(word, str) else None,
            word_end=word_end - clip.begin if isinstance(word_end, int) else None,
        )

    def _time(self, clip: Clip) -> datetime:
        """When a clip ended, by the device's own clock; where its opening does not say, it is counted from 1970."""
        said = clip.opening.get("utc")
        try:
            anchor = datetime.fromisoformat(str(said))
        except ValueError:
            anchor = datetime.fromtimestamp(0, UTC)
        anchor = anchor if anchor.tzinfo else anchor.replace(tzinfo=UTC)
        return (anchor + timedelta(seconds=clip.end / RATE)).astimezone(self._household.zone)


def live_assistant(store: ClipStore, settings: CloudSettings) -> Assistant:
    """The assistant of a far end on its own: the profile's contacts, this machine's time, text where no voice is."""
    contacts = tuple(Contact(each.name, each.id, each.say_as) for each in settings.contacts)
    zone = datetime.now(UTC).astimezone().tzinfo
    assert zone is not None  # astimezone makes it aware
    return Assistant(store, settings, Household(contacts, zone), text_alone=True)
