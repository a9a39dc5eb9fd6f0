"""The customer's page: what was recorded, why, what was heard, where each copy is and who listened; and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from sim.cloud.archive import Kept
from sim.cloud.customers import Choice, Customer
from sim.cloud.order import Order
from sim.cloud.turn import Reach
from sim.console.programme import Programme
from sim.console.request import Asked, MissingError, Reception
from sim.console.wav import sound_response
from sim.review.deletion import delete
from sim.review.retention import KEEP
from sim.review.statement import deletions, statement_of, write

_A_PAGE = 30
_CHOICES: Mapping[str, Choice] = {"in": "in", "out": "out"}
Scope: TypeAlias = Literal["clip", "day", "all"]
_CALLED: Mapping[Reach, str] = {
    "audio": "the sound, wherever it lies",
    "transcripts": "what was heard in it",
    "messages": "copies that were made to be sent",
    "annotations": "what people wrote of it",
    "exports": "its files in training sets",
}

_PLACES: Mapping[str, str] = {
    "keys": "your key",
    "audio": "sound in the archive",
    "transcripts": "what was heard",
    "dialog": "open questions of the dialog",
    "turns": "what waited for an answer",
    "messages": "copies to be sent",
    "tasks": "tasks at the review desk",
    "annotations": "what people wrote of it",
    "escalations": "what people reported",
    "exports": "training sets",
    "caches": "memory of running programs",
    "database": "free pages of the database",
    "spools": "your devices",
    "wire": "still on the way",
    "recipients": "with whom a message is",
    "listeners": "people who listened",
    "backups": "copies of the store",
}
"""What the places of a statement are called on the page."""


@dataclass(frozen=True)
class _Wanted:
    """What somebody wants deleted."""

    scope: Scope
    clip: str
    day: date | None

    @property
    def words(self) -> str:
        if self.scope == "clip":
            return "this recording"
        return "everything" if self.day is None else f"everything recorded on {self.day:%d %B %Y} (UTC)"


@dataclass(frozen=True)
class RecordingPages:
    """What a customer sees of their own recordings, and of nobody else's."""

    programme: Programme
    reception: Reception

    def routes(self) -> list[BaseRoute]:
        """Give the routes of these pages."""
        route = self.reception.route
        return [
            route("/recordings", self._page, "customer"),
            route("/recordings/{clip}/sound", self._sound, "customer"),
            route("/choice", self._choose, "customer", method="POST"),
            route("/keep", self._keep, "customer", method="POST"),
            route("/delete", self._ask, "customer"),
            route("/delete", self._delete, "customer", method="POST"),
            route("/deletions/{deletion}", self._statement, "customer"),
            route("/deletions/{deletion}/statement.json", self._file, "customer"),
        ]

    def _page(self, asked: Asked) -> Response:
        customer = self._customer(asked)
        utc, clip = asked.query("utc", 40), asked.query("clip", 200)
        kept = self.programme.store.customer_clips(customer.number, (utc, clip) if clip else None, _A_PAGE)
        self.programme.note(asked.name, "customer", "view", customer=customer.number, what="recordings")
        older = urlencode({"utc": kept[-1].utc, "clip": kept[-1].id}) if len(kept) == _A_PAGE else ""
        policy = self.programme.policy
        facts = {
            "who": asked.who,
            "customer": customer,
            "policy": policy,
            "refusal": policy.refusal(customer.choice),
            "keep": [(name.replace("-", " "), days) for name, days in KEEP.items()],
            "days": _by_day(kept),
            "older": older,
            "newest": not clip,
            "deletions": deletions(self.programme.store, customer.number)[::-1],
        }
        return self.programme.views.page("recordings.html", facts)

    def _sound(self, asked: Asked) -> Response:
        clip, number = asked.path["clip"], self._customer(asked).number
        if self.programme.store.customer_of(clip) != number:
            raise MissingError("There is no such recording of yours.")
        self.programme.note(asked.name, "customer", "listen", clip, number)
        return sound_response(self.programme.store.audio(clip), asked.request.headers.get("range"))

    def _choose(self, asked: Asked) -> Response:
        number, choice = self._customer(asked).number, _CHOICES.get(asked.text("choice"))
        if choice is None:
            raise ValueError("A choice is in or out; go back and choose again.")
        self.programme.store.customers.choose(number, choice)
        self.programme.note(asked.name, "customer", f"opt_{choice}", customer=number)
        return RedirectResponse("/recordings#choices", 303)

    def _keep(self, asked: Asked) -> Response:
        number, days = self._customer(asked).number, asked.text("days")
        known = {str(each or ""): each for each in KEEP.values()}
        if days not in known:
            raise ValueError("That is not how long recordings can be kept; go back and choose again.")
        self.programme.store.customers.keep(number, known[days])
        self.programme.note(asked.name, "customer", "keep", customer=number, days=known[days])
        return RedirectResponse("/recordings#choices", 303)

    def _ask(self, asked: Asked) -> Response:
        wanted = self._wanted(asked, {name: asked.query(name, 200) for name in ("scope", "clip", "day")})
        reaches = self.programme.reaches
        facts = {
            "who": asked.who,
            "wanted": wanted,
            "goes": [text for reach, text in _CALLED.items() if reach in reaches],
            "stays": [text for reach, text in _CALLED.items() if reach not in reaches],
        }
        return self.programme.views.page("delete.html", facts)

    def _delete(self, asked: Asked) -> Response:
        wanted = self._wanted(asked, {name: asked.text(name, 200) for name in ("scope", "clip", "day")})
        if asked.text("sure") != "yes":
            raise ValueError("Say that you are sure first; nothing was deleted.")
        number, now = self._customer(asked).number, self.programme.now()
        order = Order(
            "customer", asked.name, wanted.scope, now, number, clip=wanted.clip, day=wanted.day,
            reaches=self.programme.reaches,
        )  # fmt: skip
        deletion = delete(self.programme.store, self.programme.audit, order)
        return RedirectResponse(f"/deletions/{deletion}", 303)

    def _wanted(self, asked: Asked, said: Mapping[str, str]) -> _Wanted:
        if said["scope"] == "clip":
            if self.programme.store.customer_of(said["clip"]) != self._customer(asked).number:
                raise MissingError("There is no such recording of yours.")
            return _Wanted("clip", said["clip"], None)
        if said["scope"] == "day":
            try:
                return _Wanted("day", "", date.fromisoformat(said["day"]))
            except ValueError:
                raise ValueError("A day is written like 2019-04-10; go back and choose one.") from None
        if said["scope"] == "all":
            return _Wanted("all", "", None)
        raise ValueError("Say what is to be deleted: a recording, a day, or everything.")

    def _statement(self, asked: Asked) -> Response:
        signed = self._signed(asked)
        facts = {"who": asked.who, "statement": signed["statement"], "places": _PLACES}
        return self.programme.views.page("statement.html", facts)

    def _file(self, asked: Asked) -> Response:
        headers = {"content-disposition": 'attachment; filename="deletion-statement.json"'}
        return Response(write(self._signed(asked)), 200, headers, "application/json")

    def _signed(self, asked: Asked) -> dict[str, Any]:
        number, deletion = self._customer(asked).number, asked.path["deletion"]
        if deletion not in [each.id for each in deletions(self.programme.store, number)]:
            raise MissingError("There is no such deletion of yours.")
        return statement_of(self.programme.store, self.programme.signer, deletion)

    def _customer(self, asked: Asked) -> Customer:
        number = asked.who.account.customer
        if number is None:
            raise MissingError("This account is of no customer; whoever runs the console can make one that is.")
        return self.programme.store.customers.get(number)


def why(opening: Mapping[str, Any]) -> str:
    """Why a device recorded, as its first part says."""
    if opening.get("initiator") == "expect_speech":
        return "The device had asked something and opened the microphone by itself."
    word, score, threshold = (opening.get(name) for name in ("word", "score", "threshold"))
    if not isinstance(word, str):
        return "The device does not say why."
    told = f"The device took something for “{word.replace('_', ' ')}”"
    if isinstance(score, float | int) and isinstance(threshold, float | int):
        return f"{told}: it scored {score:.2f}, and {threshold:g} is enough."
    return f"{told}."


def _by_day(kept: list[Kept]) -> list[tuple[str, list[tuple[Kept, str]]]]:
    days: dict[str, list[tuple[Kept, str]]] = {}
    for clip in kept:
        days.setdefault(clip.utc[:10], []).append((clip, why(clip.opening)))
    return list(days.items())
