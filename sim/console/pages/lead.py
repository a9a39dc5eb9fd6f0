"""The lead's page: what waits, how much two people agree, and what was too much for somebody."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from sim.console.programme import Programme
from sim.console.request import Asked, MissingError, Reception
from sim.console.wav import sound_response
from sim.errors import ReviewError
from sim.review.labels import LABELS


@dataclass(frozen=True)
class LeadPages:
    """The desk as a lead looks after it."""

    programme: Programme
    reception: Reception

    def routes(self) -> list[BaseRoute]:
        """Give the routes of these pages."""
        route = self.reception.route
        return [
            route("/lead", self._page, "lead"),
            route("/lead/{escalation}/sound", self._sound, "lead"),
            route("/lead/{escalation}/resolve", self._resolve, "lead", method="POST"),
        ]

    def _page(self, asked: Asked) -> Response:
        return self._shown(asked, "")

    def _shown(self, asked: Asked, told: str, status: int = 200) -> Response:
        desk = self.programme.desk
        self.programme.note(asked.name, "lead", "view", what="escalations")
        facts = {
            "who": asked.who,
            "policy": self.programme.policy,
            "queues": desk.queues(),
            "agreements": [(label.replace("_", " "), desk.agreement(label)) for label in LABELS],
            "escalations": desk.escalations(),
            "told": told,
        }
        return self.programme.views.page("lead.html", facts, status)

    def _sound(self, asked: Asked) -> Response:
        try:
            samples = self.programme.desk.escalated_sound(asked.path["escalation"], asked.name)
        except ReviewError as error:
            raise MissingError(str(error)) from None
        return sound_response(samples, asked.request.headers.get("range"))

    def _resolve(self, asked: Asked) -> Response:
        try:
            self.programme.desk.resolve(asked.path["escalation"], asked.name, asked.text("note", 2_000))
        except ReviewError as error:
            return self._shown(asked, str(error), 409)
        return RedirectResponse("/lead#escalations", 303)
