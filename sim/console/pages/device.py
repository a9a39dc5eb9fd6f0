"""The customer's own device while it runs, and the timeline of its run."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from sim.console.guard import POLICY
from sim.console.live import Tail, devices_of, folder_of
from sim.console.programme import Programme
from sim.console.request import Asked, MissingError, Reception
from sim.errors import StoreAwayError, TooOftenError

_LOOK_S = 0.16
"""Two hops."""
_LOOKS_A_CHECK = 30
"""So often it is looked whether the session has ended meanwhile."""
_STREAMS = 6
"""That one person may have open."""
REPORT_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; media-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
)
"""A report is one file with its script inside. In the sandbox that has no way to the session, or anywhere else."""


@dataclass(frozen=True)
class DevicePages:
    """What is shown of a run to the customer whose devices took part in it, and to nobody else."""

    programme: Programme
    reception: Reception
    cookie: str
    _open: Counter[str] = field(default_factory=Counter)

    def routes(self) -> list[BaseRoute]:
        """Give the routes of these pages."""
        route = self.reception.route
        return [
            route("/live", self._live, "customer"),
            route("/live/{device}/events", self._events, "customer"),
            route("/run", self._run, "customer"),
            route("/run/report", self._report, "customer"),
        ]

    def _devices(self, asked: Asked) -> list[str]:
        """The devices of the run that are the customer's own."""
        run, number = self.programme.run, asked.who.account.customer
        if run is None or number is None:
            return []
        own = {device.name for device in self.programme.store.customers.get(number).devices}
        return [name for name in devices_of(run) if name in own]

    def _live(self, asked: Asked) -> Response:
        return self.programme.views.page("live.html", {"who": asked.who, "devices": self._devices(asked)})

    def _events(self, asked: Asked) -> Response:
        device, run = asked.path["device"], self.programme.run
        folder = folder_of(run, device) if run is not None and device in self._devices(asked) else None
        if folder is None:
            raise MissingError("No such device of yours runs here.")
        if self._open[asked.name] >= _STREAMS:
            raise TooOftenError("This page is open too often; close some.")
        token = asked.request.cookies.get(self.cookie, "")
        return StreamingResponse(self._stream(asked.name, token, folder), media_type="text/event-stream")

    async def _stream(self, name: str, token: str, folder: Path) -> AsyncIterator[str]:
        tail = Tail(folder)
        self._open[name] += 1
        try:
            looks = 0
            while await self._still_in(token) if looks % _LOOKS_A_CHECK == 0 else True:
                looks += 1
                for news in (*tail.news(), tail.now()):
                    yield f"data: {json.dumps(news)}\n\n"
                await asyncio.sleep(_LOOK_S)
            yield 'data: {"over": true}\n\n'
        finally:
            tail.close()
            self._open[name] -= 1

    async def _still_in(self, token: str) -> bool:
        try:
            return await run_in_threadpool(self.programme.sessions.who, token, watching=True) is not None
        except StoreAwayError:
            return False

    def _all_own(self, asked: Asked) -> Path | None:
        """The report of the run, where each of its devices is the customer's; it tells of all of them."""
        run = self.programme.run
        if run is None or not (devices := devices_of(run)) or self._devices(asked) != devices:
            return None
        report = run / "report.html"
        return report if report.is_file() else None

    def _run(self, asked: Asked) -> Response:
        there = self._all_own(asked) is not None
        page = self.programme.views.page("run.html", {"who": asked.who, "there": there})
        page.headers["content-security-policy"] = f"{POLICY}; frame-src 'self'"
        return page

    def _report(self, asked: Asked) -> Response:
        report = self._all_own(asked)
        if report is None:
            raise MissingError("No run of your devices is shown here.")
        self.programme.note(asked.name, "customer", "view", customer=asked.who.account.customer, what="timeline")
        headers = {"content-security-policy": REPORT_POLICY, "x-frame-options": "SAMEORIGIN"}
        return Response(report.read_bytes(), 200, headers, "text/html; charset=utf-8")
