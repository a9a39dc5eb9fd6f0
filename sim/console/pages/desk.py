"""The annotator's page: one clip after the other, worked by keyboard; the page's script asks for what is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from sim.console.programme import Programme
from sim.console.request import Asked, Reception, clean
from sim.console.wav import sound_response
from sim.review.labels import Labels
from sim.review.task import REPORTED_SECONDS_PER_CLIP, Task
from wakeword.sound import RATE

SHIFT = 1_000
"""Clips in a shift, as reported."""
_AHEAD = 2
"""Tasks that somebody may hold: the one before them, and the next."""
_LABELS = ("transcript", "addressed", "wake_word", "kind", "language", "speakers", "seconds")


@dataclass(frozen=True)
class DeskPages:
    """The desk as an annotator works at it."""

    programme: Programme
    reception: Reception

    def routes(self) -> list[BaseRoute]:
        """Give the routes of these pages."""
        route = self.reception.route
        return [
            route("/desk", self._page, "annotator"),
            route("/desk/next", self._next, "annotator", method="POST"),
            route("/desk/{task}/sound", self._sound, "annotator"),
            route("/desk/{task}/again", self._again, "annotator", method="POST"),
            route("/desk/{task}/submit", self._submit, "annotator", method="POST"),
            route("/desk/{task}/skip", self._skip, "annotator", method="POST"),
            route("/desk/{task}/distress", self._distress, "annotator", method="POST"),
        ]

    def _page(self, asked: Asked) -> Response:
        policy = self.programme.policy
        facts = {
            "who": asked.who,
            "policy": policy,
            "shift": SHIFT,
            "reported": REPORTED_SECONDS_PER_CLIP,
            "pace": self._pace(asked.name),
        }
        return self.programme.views.page("desk.html", facts)

    def _next(self, asked: Asked) -> Response:
        held = asked.fields.get("besides", [])
        besides = [each for each in held if isinstance(each, str)][:_AHEAD] if isinstance(held, list) else []
        if len(set(besides) & set(self.programme.desk.held(asked.name))) >= _AHEAD:
            return JSONResponse({"task": None, "pace": self._pace(asked.name)})
        task = self.programme.desk.next_task(asked.name, besides)
        return JSONResponse({"task": None if task is None else _told(task), "pace": self._pace(asked.name)})

    def _sound(self, asked: Asked) -> Response:
        samples = self.programme.desk.sound(asked.path["task"], asked.name)
        return sound_response(samples, asked.request.headers.get("range"))

    def _again(self, asked: Asked) -> Response:
        # It is in the log by this; the page has the sound already.
        self.programme.desk.sound(asked.path["task"], asked.name)
        return JSONResponse({})

    def _submit(self, asked: Asked) -> Response:
        labels = Labels.of(**{name: _plain(asked.fields.get(name)) for name in _LABELS})
        self.programme.desk.submit(asked.path["task"], asked.name, labels)
        return JSONResponse({"pace": self._pace(asked.name)})

    def _skip(self, asked: Asked) -> Response:
        self.programme.desk.skip(asked.path["task"], asked.name)
        return JSONResponse({"pace": self._pace(asked.name)})

    def _distress(self, asked: Asked) -> Response:
        told = self.programme.desk.distress(asked.path["task"], asked.name, asked.text("why", 2_000))
        return JSONResponse({"told": told})

    def _pace(self, annotator: str) -> Mapping[str, float | int | None]:
        return asdict(self.programme.desk.pace(annotator))


def _plain(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


def _told(task: Task) -> dict[str, object]:
    return {**asdict(task), "seconds": task.samples / RATE}
