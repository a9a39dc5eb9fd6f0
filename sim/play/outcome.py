"""What a play came to: how far the chain from a wake to a message went, and where it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from device.events import Event, Kind
from sim.play.truth import Truth
from wakeword.sound import RATE
from wakeword.span import word_span

REQUEST = "send_message"


@dataclass
class Outcome:
    """Collects from the events of all devices; give `note` to each of them as an observer.

    `verified` and `confirmed` are None where nobody asked; `intent` is the request that went furthest, `contact` who
    was taken for its recipient. `heard_by`: people who heard any prompt.
    """

    truth: Truth
    false_wakes: int = 0
    true_wakes: int = 0
    uploaded: int = 0
    verified: bool | None = None
    intent: str | None = None
    contact: str | None = None
    confirmed: bool | None = None
    blocked: str | None = None
    sent: list[str] = field(default_factory=list)
    misdirected: int = 0
    heard_by: list[str] = field(default_factory=list)
    prompts: int = 0

    def note(self, event: Event) -> None:
        """Take an event of any device, in order."""
        handler = _HANDLERS.get(event.kind)
        if handler is not None:
            handler(self, event.sample, event.facts)

    def row(self) -> dict[str, Any]:
        """Give it as a row of a table of what-ifs."""
        return {
            "woke": bool(self.false_wakes or self.true_wakes),
            "false_wakes": self.false_wakes,
            "uploaded_s": round(self.uploaded / RATE, 2),
            "verified": self.verified,
            "intent": self.intent,
            "contact": self.contact,
            "confirmed": self.confirmed,
            "sent": bool(self.sent),
            "misdirected": bool(self.misdirected),
            "heard_by": list(self.heard_by),
            "stopped": self.stopped(),
        }

    def stopped(self) -> str:
        """Name the link of the chain that did not hold; nothing where a message went out."""
        if self.sent:
            return ""
        if not (self.false_wakes or self.true_wakes):
            return "wake"
        if self.verified is False and self.intent is None:
            return "second look"
        if self.blocked is not None:
            return "communications"
        if self.intent != REQUEST:
            return "request"
        if self.contact is None:
            return "contact"
        return "message" if self.confirmed else "confirmation"

    def _wake(self, sample: int, facts: Mapping[str, Any]) -> None:
        if self.truth.addressed(*word_span(facts["word"], sample)):
            self.true_wakes += 1
        else:
            self.false_wakes += 1

    def _capture_end(self, _: int, facts: Mapping[str, Any]) -> None:
        self.uploaded += facts["end"] - facts["begin"]

    def _verified(self, _: int, facts: Mapping[str, Any]) -> None:
        self.verified = bool(self.verified or facts["passed"])

    def _intent(self, _: int, facts: Mapping[str, Any]) -> None:
        if facts["intent"] != "none" and self.intent != REQUEST:
            self.intent = facts["intent"]

    def _contact(self, _: int, facts: Mapping[str, Any]) -> None:
        self.contact = facts["name"] or self.contact

    def _confirmation(self, _: int, facts: Mapping[str, Any]) -> None:
        self.confirmed = bool(self.confirmed or facts["answer"] == "yes")

    def _blocked(self, _: int, facts: Mapping[str, Any]) -> None:
        self.blocked = facts["why"]

    def _message(self, sample: int, facts: Mapping[str, Any]) -> None:
        self.sent.append(facts["to"])
        begins = [int(step["clip"].rpartition("-")[2]) for step in facts["because"]]
        self.misdirected += not self.truth.meant(facts, min(begins, default=sample), sample)

    def _audible(self, _: int, facts: Mapping[str, Any]) -> None:
        if facts["heard"] and facts["who"] not in self.heard_by:
            self.heard_by.append(facts["who"])

    def _prompt(self, _sample: int, _facts: Mapping[str, Any]) -> None:
        self.prompts += 1


_HANDLERS = {
    Kind.WAKE: Outcome._wake,
    Kind.CAPTURE_END: Outcome._capture_end,
    Kind.PROMPT: Outcome._prompt,
    "verified": Outcome._verified,
    "intent": Outcome._intent,
    "contact": Outcome._contact,
    "confirmation": Outcome._confirmation,
    "blocked": Outcome._blocked,
    "message": Outcome._message,
    "prompt_audible": Outcome._audible,
}
