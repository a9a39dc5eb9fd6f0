"""What a far end makes of what it hears: the second look at the wake, who answers, the dialog, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future
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
from sim.cloud.moment import told
from sim.cloud.second_looks import Looker, SecondLooks
from sim.cloud.settings import CloudSettings
from sim.cloud.speaking import DeviceVoice, directives
from sim.cloud.store import Clip, ClipStore
from sim.cloud.transcript import Transcript
from sim.cloud.turn import Heard
from sim.cloud.verifier import Opening, Verdict, load_verifier
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
        self,
        store: ClipStore,
        settings: CloudSettings,
        household: Household,
        *,
        looker: Looker | None = None,
        text_alone: bool = False,
    ) -> None:
        """Load what it takes; raises SimError.

        looker: takes the second looks, on a thread beside; none loads what the settings name. With `text_alone` a
        prompt without a voice is sent as text.
        """
        pronouncer = Pronouncer()
        names = ContactBook(household.contacts, pronouncer)
        self._store, self._settings, self._household = store, settings, household
        self._dialog = Dialog(settings, load_interaction(settings.dialog.interaction), names, pronouncer)
        self._voice = DeviceVoice(settings.voice, text_alone)
        self._looks = SecondLooks(looker or load_verifier(settings.verifier), beside=looker is not None)
        self.later: Callable[[list[Directed | Fact]], None] = lambda _decided: None
        """Takes what is decided when nobody waits for it; called from any thread."""

    def glance(self, part: Part, sound: NDArray[np.int16]) -> list[Directed | Fact]:
        """Look at a part as it comes, int16[n]: who of several devices is to go on, and whether the wake was one.

        What takes longer than that is given to `later`.
        """
        found: list[Directed | Fact] = []
        claim = claim_of(part) if self._settings.arbitration.on else None
        for ruling in () if claim is None else self._store.bench.hear(claim):
            found.append(Fact("arbitrated", ruling.facts()))
            if not ruling.won:
                found.append(Directed(ruling.device, Directive("StopCapture", ruling.clip)))
        looking = self._looks.push(part, sound)
        if looking is not None:
            opening, look = looking
            if look.done():
                found += self._judged(part, opening, look)
            else:
                look.add_done_callback(lambda done: self.later(self._judged(part, opening, done)))
        return found

    def _judged(self, part: Part, opening: Opening, look: Future[Verdict | None]) -> list[Directed | Fact]:
        if (failure := look.exception()) is not None:
            return [Fact("unanswered", {"clip": part.clip, "reason": f"the second look failed: {failure}"})]
        verdict = look.result()
        if verdict is None:
            return []
        told = Fact("verified", verdict.facts(opening))
        if verdict.passed:
            return [told]
        word_end = int(part.clip.rpartition("-")[2]) + opening.word_end
        due = max(part.end, word_end + self._settings.verifier.decide_ms * RATE // 1000)
        return [told, Directed(part.device, Directive("StopCapture", part.clip, {"due": due}))]

    def think(self, clip: Clip, transcript: Transcript) -> tuple[list[Fact], list[Directed]]:
        """Answer a whole clip: go on with its device's dialog, keep what that leads to, and say what to do."""
        due = clip.end + self._settings.answer_ms * RATE // 1000
        passed = self._looks.passed(clip, lambda: self._store.audio(clip.id))
        if not passed or not self._store.bench.answers(clip.id):
            return [], [Directed(clip.device, Directive("TurnEnd", clip.id, {"due": due}))]
        heard = self._heard(clip, transcript)
        turn = self._dialog.take(self._store.outbox.situation(clip.device), heard)
        deleted = self._store.conclude(clip, turn, self._household.devices)
        orders = [Directed(clip.device, each) for each in directives(turn, clip.id, self._voice, due)]
        if deleted is None:
            return list(turn.facts), orders
        return [*turn.facts, deleted.fact()], [*deleted.directives(), *orders]

    def forget(self, clips: Collection[str]) -> int:
        """Let go of what is in memory of these clips; gives of how many that was something."""
        return self._looks.forget(clips)

    def close(self) -> None:
        """End what it has started."""
        self._looks.close()

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
        anchor = told(clip.opening.get("utc")) or datetime.fromtimestamp(0, UTC)
        return (anchor + timedelta(seconds=clip.end / RATE)).astimezone(self._household.zone)


def live_assistant(store: ClipStore, settings: CloudSettings, looker: Looker) -> Assistant:
    """The assistant of a far end on its own: the profile's contacts, this machine's time, text where no voice is.

    looker: where second looks do not hold up whoever listens to a microphone.
    """
    contacts = tuple(Contact(each.name, each.id, each.say_as) for each in settings.contacts)
    zone = datetime.now(UTC).astimezone().tzinfo
    assert zone is not None  # astimezone makes it aware
    own = looker if settings.verifier.method != "none" else None
    return Assistant(store, settings, Household(contacts, zone), looker=own, text_alone=True)
