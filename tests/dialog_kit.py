"""Clips that were heard, without sound: what a recognizer would have made of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import cache

from sim.cloud.contacts import Contact, ContactBook
from sim.cloud.dialog import Dialog
from sim.cloud.interaction import load_interaction
from sim.cloud.settings import load_cloud
from sim.cloud.transcript import Transcript, Word
from sim.cloud.turn import Heard, Situation, Turn
from wakeword.phonetics import Pronouncer

DEVICE = "dot"
AT = datetime(2018, 5, 24, 18, 42, 7, tzinfo=timezone(timedelta(hours=-7)))
CONTACTS = (Contact("Frank"), Contact("Linda"), Contact("Wyatt"), Contact("Anna", "Miller"), Contact("Anna", "Jones"))
WORD = 4000
"""Samples of each heard word."""


@cache
def pronouncer() -> Pronouncer:
    return Pronouncer()


@cache
def names(contacts: tuple[Contact, ...] = CONTACTS) -> ContactBook:
    return ContactBook(contacts, pronouncer())


@cache
def dialog(profile: str, *overrides: tuple[str, str], contacts: tuple[Contact, ...] = CONTACTS) -> Dialog:
    return Dialog(load_cloud(profile, overrides), load_interaction(), names(contacts), pronouncer())


def transcript(text: str, *alternatives: str) -> Transcript:
    words = (Word(word, n * WORD, (n + 1) * WORD, 0.9) for n, word in enumerate(text.split()))
    return Transcript.of(tuple(words), "test", alternatives)


def woken(text: str, *alternatives: str, clip: str = "dot-0", woke: int = 1) -> Heard:
    """A clip whose first `woke` words woke the device."""
    heard = transcript(text, *alternatives)
    samples = len(heard.words) * WORD
    return Heard(clip, DEVICE, AT, samples, heard, word="alexa", word_end=woke * WORD)


def reply(text: str, answers: str, *alternatives: str, clip: str = "dot-1", samples: int | None = None) -> Heard:
    """A clip of an opened microphone."""
    heard = transcript(text, *alternatives)
    length = len(heard.words) * WORD if samples is None else samples
    return Heard(clip, DEVICE, AT, length, heard, "expect_speech", answers)


def play(talk: Dialog, said: Sequence[str]) -> list[Turn]:
    """Let a device hear one clip after the other: the first with a wake word, then as the far end asked."""
    turns: list[Turn] = []
    situation = Situation()
    for n, text in enumerate(said):
        asked = bool(turns) and turns[-1].expect_ms is not None
        heard = reply(text, f"dot-{n - 1}", clip=f"dot-{n}") if asked else woken(text, clip=f"dot-{n}")
        turns.append(talk.take(situation, heard))
        # It lives in a database between two clips.
        situation = Situation.model_validate_json(turns[-1].situation.model_dump_json())
    return turns


def facts(turn: Turn, kind: str) -> list[dict[str, object]]:
    return [dict(fact.facts) for fact in turn.facts if fact.kind == kind]
