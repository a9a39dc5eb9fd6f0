"""The auditor's page: the log, what of it is wanted, whether it is whole, and a copy of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from sim.console.programme import Programme
from sim.console.request import Asked, Reception
from sim.errors import AuditError

_A_PAGE = 100
_FILTERS = ("who", "role", "action", "clip", "customer")


@dataclass(frozen=True)
class LogPages:
    """The log as an auditor reads it."""

    programme: Programme
    reception: Reception

    def routes(self) -> list[BaseRoute]:
        """Give the routes of these pages."""
        route = self.reception.route
        return [
            route("/log", self._page, "auditor"),
            route("/log/verify", self._verify, "auditor", method="POST"),
            route("/log/export", self._export, "auditor", method="POST"),
        ]

    def _page(self, asked: Asked) -> Response:
        return self._shown(asked, None)

    def _shown(self, asked: Asked, verdict: tuple[bool, str] | None) -> Response:
        which = {name: asked.query(name) for name in _FILTERS}
        chosen = {name: value for name, value in which.items() if value}
        before = asked.query("before", 18)
        self.programme.note(asked.name, "auditor", "view", what="log", which={**chosen})
        links = self.programme.audit.page(int(before) if before.isdecimal() else None, _A_PAGE, **chosen)
        older = urlencode({**chosen, "before": links[-1].number}) if len(links) == _A_PAGE else ""
        facts = {"who": asked.who, "which": which, "links": links, "older": older, "verdict": verdict}
        return self.programme.views.page("log.html", facts)

    def _verify(self, asked: Asked) -> Response:
        try:
            fault = self.programme.audit.verify()
        except AuditError as error:
            return self._shown(asked, (False, str(error)))
        head = self.programme.audit.head()
        entries = 0 if head is None else head.number
        whole = f"The log is whole: {entries} entries, each bound to the one before, and its end as it was noted."
        verdict = (True, whole) if fault is None else (False, f"The log is not what was written. {fault}.")
        self.programme.note(asked.name, "auditor", "verify", whole=fault is None)
        return self._shown(asked, verdict)

    def _export(self, asked: Asked) -> Response:
        self.programme.note(asked.name, "auditor", "export", what="log")
        headers = {"content-disposition": 'attachment; filename="misheard-log.jsonl"'}
        return StreamingResponse(self._lines(), 200, headers, "application/jsonl")

    def _lines(self) -> Iterator[str]:
        for link in self.programme.audit.entries():
            yield json.dumps(asdict(link), ensure_ascii=False) + "\n"
