"""The dialog: a clip that was heard, and where things stood, make a turn. Pure; it knows nothing but what was heard.

The way of a message follows Amazon's account of May 2018: a request, "To whom?", a name, "[name], right?", a "right",
and what is said next is recorded and sent. How little it takes at each step is the profile's (`DialogSettings`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sim.cloud import actions
from sim.cloud.answer import Fact
from sim.cloud.contacts import ContactBook, Resolution
from sim.cloud.interaction import InteractionModel, Reply, Request
from sim.cloud.likeness import Words
from sim.cloud.prompts import which
from sim.cloud.settings import CloudSettings
from sim.cloud.turn import Body, Heard, Message, Situation, Step, Took, TookStep, Turn
from sim.cloud.understanding import Eagerness, Match, Understanding
from uplink.message import JSON
from wakeword.phonetics import Pronouncer

_EARLY = 2_400
"""Samples (0.15 s) by which the detected end of a wake word may lie before its real one."""
_BREAK_OFF: tuple[Reply, ...] = ("cancel", "stop")


class Dialog:
    """How a far end answers under one profile, for one address book; keeps nothing between turns."""

    def __init__(
        self, settings: CloudSettings, model: InteractionModel, names: ContactBook, pronouncer: Pronouncer
    ) -> None:
        self._settings = settings.dialog
        self._reaches = settings.deletion.reaches
        self._says = model.prompts
        self._names = names
        eager = settings.dialog
        eagerness = Eagerness(eager.intent_score, eager.contact_score, eager.sound_share, eager.spotting)
        deletions: frozenset[Request] = frozenset({"delete_last", "delete_today"})
        without = frozenset[Request]() if settings.deletion.by_voice else deletions
        self._understanding = Understanding(model, names, pronouncer, eagerness, without)

    def take(self, situation: Situation, heard: Heard) -> Turn:
        """Answer a clip. A clip with a wake word begins anew; one without is the reply to the question that is open."""
        if heard.initiator == "expect_speech":
            if situation.step == "idle" or heard.answers != situation.clip:
                # Nobody said a wake word, and nothing was asked that this could answer.
                return Turn(situation, (_intent(heard, None),))
            if not set(filter(None, (situation.contact, *situation.candidates))) <= set(self._names):
                return self._give_up(situation, heard, "the contact is gone", self._says.given_up)
            readings = self._readings(heard, 0)
            return _REPLIES[situation.step](self, situation, heard, readings)
        before = self.ended(situation, "no reply")
        turn = self._request(before.situation, heard)
        return _after(before.facts, turn)

    def ended(self, situation: Situation, why: str) -> Turn:
        """End a dialog from outside, as when nobody replied; nothing is said."""
        facts = () if situation.step == "idle" else (_ended(situation.clip, why),)
        return Turn(situation.over(), facts)

    # What is asked for.

    def _request(self, situation: Situation, heard: Heard) -> Turn:
        words = [word.text for word in heard.transcript.words]
        first = _first_after(heard)
        readings = self._readings(heard, first)
        match = self._understanding.request(readings)
        fact = _intent(heard, match)
        if match is None:
            fact = _nearly(fact, self._understanding.nearest_request(readings))
            return Turn(situation, (fact,), says=self._says.fallback if any(map(len, readings)) else "")
        if match.intent != "send_message":
            return _after((fact,), actions.carry_out(match, situation, heard, self._says, self._reaches))
        if not self._settings.communications:
            blocked: dict[str, JSON] = {"clip": heard.clip, "what": match.intent, "why": "communications are off"}
            return Turn(situation, (fact, Fact("blocked", blocked)), says=self._says.no_communications)
        if not len(self._names):
            return Turn(situation, (fact, _ended(heard.clip, "no contacts")), says=self._says.no_contacts)
        because = [] if heard.word is None else [_took("wake", heard, " ".join(words[:first]), heard.word)]
        because.append(_took("intent", heard, match.phrase, match.intent))
        opened = situation.to(because=tuple(because), body=self._body_in(match, heard, readings))
        if match.contact is None:
            return self._ask(opened.to(step="contact"), heard, self._says.to_whom, (fact,))
        return _after((fact,), self._named(opened, heard, match.contact))

    def _body_in(self, match: Match[Request], heard: Heard, readings: Sequence[Words]) -> Body | None:
        """The message that was said in the request itself."""
        if match.body is None:
            return None
        reading = readings[match.reading]
        begin = 0  # only the words of the transcript itself have their places
        if match.reading <= _may_belong_to_wake(heard) and heard.transcript.words:
            begin = heard.transcript.words[reading.places[match.body]].begin
        return Body(clip=heard.clip, begin=begin, end=heard.samples, text=str(reading.cut(match.body)))

    # To whom.

    def _contact(self, situation: Situation, heard: Heard, readings: Sequence[Words]) -> Turn:
        if self._breaks_off(readings):
            return self._give_up(situation, heard, "cancelled", self._says.cancelled)
        among = situation.candidates if situation.step == "which" else ()
        resolution = self._understanding.contact(readings, among)
        if resolution.found:
            return self._named(situation, heard, resolution)
        fact = self._contact_fact(heard, resolution)
        again = which(self._says, self._names, among) if among else self._says.to_whom_again
        return self._ask_again(situation, heard, again, "no contact", (fact,))

    def _named(self, situation: Situation, heard: Heard, resolution: Resolution) -> Turn:
        fact = self._contact_fact(heard, resolution)
        if len(resolution.found) > 1:
            if self._settings.same_name == "refuse" or situation.step == "which":
                says = self._says.same_name.format(contact=self._names.called(resolution.found[0]))
                return _after((fact,), self._give_up(situation, heard, "several of that name", says))
            choosing = situation.to(step="which", candidates=resolution.found)
            return self._ask(choosing, heard, which(self._says, self._names, resolution.found), (fact,))
        contact = resolution.found[0]
        took = _took("contact", heard, resolution.heard, self._names.label(contact))
        named = situation.to(contact=contact, candidates=(), because=(*situation.because, took))
        if self._settings.confirm == "none":
            return _after((fact,), self._record(named, heard))
        says = self._says.confirm.format(contact=self._names.spoken(contact))
        return self._ask(named.to(step="confirm"), heard, says, (fact,))

    def _contact_fact(self, heard: Heard, resolution: Resolution) -> Fact:
        return Fact("contact", {"clip": heard.clip, **resolution.facts(self._names)})

    # Whether that is right.

    def _confirm(self, situation: Situation, heard: Heard, readings: Sequence[Words]) -> Turn:
        if self._breaks_off(readings):
            return self._give_up(situation, heard, "cancelled", self._says.cancelled)
        whole = self._settings.confirm == "strict"
        match = self._understanding.reply(readings, ("right", "wrong"), whole)
        answer = "unclear" if match is None else "yes" if match.intent == "right" else "no"
        said = str(readings[0]) if match is None else match.phrase
        fact = Fact(
            "confirmation",
            {"clip": heard.clip, "heard": said, "answer": answer, "score": 0.0 if match is None else match.score},
        )
        if answer == "yes":
            took = _took("confirmation", heard, said, "yes")
            return _after((fact,), self._record(situation.to(because=(*situation.because, took)), heard))
        if answer == "no":
            return _after((fact,), self._give_up(situation, heard, "not confirmed", self._says.given_up))
        says = self._says.confirm.format(contact=self._names.spoken(situation.contact))
        return self._ask_again(situation, heard, says, "not confirmed", (fact,))

    # The message.

    def _record(self, situation: Situation, heard: Heard) -> Turn:
        """Send what was said in the request, or record what comes."""
        if situation.body is not None:
            return self._send(situation, situation.body)
        says = self._says.what_message if self._settings.ask_body else ""
        return self._ask(situation.to(step="body"), heard, says, ())

    def _message(self, situation: Situation, heard: Heard, readings: Sequence[Words]) -> Turn:
        if self._understanding.reply(readings, _BREAK_OFF, whole=True) is not None:
            return self._give_up(situation, heard, "cancelled", self._says.cancelled)
        text = heard.transcript.text
        if not heard.samples or (self._settings.ask_body and not text):
            again = self._says.what_message_again if self._settings.ask_body else ""
            return self._ask_again(situation, heard, again, "no message", ())
        body = Body(clip=heard.clip, begin=0, end=heard.samples, text=text)
        took = _took("body", heard, text, "the message")
        return self._send(situation.to(because=(*situation.because, took)), body)

    def _send(self, situation: Situation, body: Body) -> Turn:
        message = Message(f"{body.clip}-message", self._names.label(situation.contact), body, situation.because)
        says = self._says.sent.format(contact=self._names.spoken(situation.contact)) if self._settings.read_back else ""
        facts = (Fact("message", message.facts()), _ended(situation.because[-1].clip, "sent"))
        return Turn(situation.over(), facts, says, message=message)

    # Asking and ending.

    def _breaks_off(self, readings: Sequence[Words]) -> bool:
        return self._understanding.reply(readings, _BREAK_OFF) is not None

    def _ask(self, situation: Situation, heard: Heard, says: str, facts: tuple[Fact, ...]) -> Turn:
        asked = situation.to(clip=heard.clip, asked=0)
        return Turn(asked, facts, says, expect_ms=self._settings.expect_ms)

    def _ask_again(self, situation: Situation, heard: Heard, says: str, why: str, facts: tuple[Fact, ...]) -> Turn:
        if situation.asked >= self._settings.reprompts:
            return _after(facts, self._give_up(situation, heard, why, self._says.given_up))
        again = situation.to(clip=heard.clip, asked=situation.asked + 1)
        return Turn(again, facts, says, expect_ms=self._settings.expect_ms)

    def _give_up(self, situation: Situation, heard: Heard, why: str, says: str) -> Turn:
        return Turn(situation.over(), (_ended(heard.clip, why),), says)

    # What was heard.

    def _readings(self, heard: Heard, first: int) -> list[Words]:
        """The transcript, then its alternatives, each without the words before `first`, which woke the device."""
        words = [word.text for word in heard.transcript.words] or heard.transcript.text.split()
        readings = [self._understanding.words(words, first)]
        if heard.initiator == "wakeword" and _may_belong_to_wake(heard):
            readings.append(self._understanding.words(words, first + 1))
        for alternative in heard.transcript.alternatives:
            other = alternative.split()
            if other[:first] == words[:first]:
                readings.append(self._understanding.words(other, first))
            elif self._settings.spotting == "anywhere":  # what woke it may be a part of what is found, or it is not
                readings.append(self._understanding.words(other))
        return readings


_REPLIES: Mapping[Step, Callable[[Dialog, Situation, Heard, Sequence[Words]], Turn]] = {
    "contact": Dialog._contact,
    "which": Dialog._contact,
    "confirm": Dialog._confirm,
    "body": Dialog._message,
}


def _first_after(heard: Heard) -> int:
    """How many words of the transcript belong to what woke the device: those that began before it had ended."""
    if heard.word_end is None:
        return 0
    return sum(word.begin < heard.word_end for word in heard.transcript.words)


def _may_belong_to_wake(heard: Heard) -> bool:
    """Whether the next word may belong to it too: a detector's end is early, by up to 0.11 s in what was measured.

    "Alexa, delete" is heard as "alex and delete". Whether the "and" counts is tried both ways.
    """
    first = _first_after(heard)
    words = heard.transcript.words
    return heard.word_end is not None and first < len(words) and words[first].begin < heard.word_end + _EARLY


def _took(step: TookStep, heard: Heard, words: str, taken_for: str) -> Took:
    return Took(step=step, clip=heard.clip, heard=words, taken_for=taken_for)


def _intent(heard: Heard, match: Match[Request] | None) -> Fact:
    facts: dict[str, JSON] = {"clip": heard.clip, "intent": "none", "phrase": "", "template": "", "score": 0.0}
    slots: dict[str, JSON] = {}
    if match is not None:
        facts.update(intent=match.intent, phrase=match.phrase, template=match.template, score=match.score)
        facts["needed"] = match.needed
        slots.update(match.slots)
        if match.contact is not None:
            slots["contact"] = match.contact.heard
    return Fact("intent", {**facts, "slots": slots})


def _nearly(fact: Fact, near: Match[Request] | None) -> Fact:
    if near is None:
        return fact
    told: dict[str, JSON] = {"intent": near.intent, "phrase": near.phrase, "score": near.score, "needed": near.needed}
    return Fact(fact.kind, {**fact.facts, "nearest": told})


def _ended(clip: str, why: str) -> Fact:
    return Fact("dialog_ended", {"clip": clip, "why": why})


def _after(facts: tuple[Fact, ...], turn: Turn) -> Turn:
    return replace(turn, facts=facts + turn.facts)
