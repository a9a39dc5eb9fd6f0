"""The way in, the way out, and where each role begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sim.console.access.accounts import ROLES, Role
from sim.console.programme import Programme
from sim.console.request import Asked, Reception, clean, fields_of
from sim.errors import AccessError, SimError, TooOftenError

HOMES: Mapping[Role, str] = {
    "customer": "/recordings",
    "annotator": "/desk",
    "lead": "/lead",
    "auditor": "/log",
}


@dataclass(frozen=True)
class LoginPages:
    """Logging in and out; `secure`: the cookie goes over TLS alone."""

    programme: Programme
    reception: Reception
    cookie: str
    secure: bool

    def routes(self) -> list[BaseRoute]:
        """Give the routes of these pages."""
        return [
            Route("/login", self._form, methods=["GET"]),
            Route("/login", self._enter, methods=["POST"]),
            self.reception.route("/", self._home, *ROLES),
            self.reception.route("/logout", self._leave, *ROLES, method="POST"),
        ]

    def _form(self, request: Request) -> Response:
        try:
            who = self.reception.who(request)
        except SimError as error:
            return self.reception.told(request, error)
        return RedirectResponse("/", 303) if who is not None else self._shown("", "")

    def _enter(self, request: Request) -> Response:
        try:
            fields = fields_of(request)
            name, password, code = (clean(str(fields.get(each, "")))[:300] for each in ("name", "password", "code"))
            address = request.client.host if request.client is not None else "unknown"
            token, account = self.programme.door.enter(name, password, code, address)
        except AccessError as error:
            return self._shown(name[:40], str(error), 429 if isinstance(error, TooOftenError) else 401)
        except (SimError, ValueError) as error:
            return self.reception.told(request, error)
        answer = RedirectResponse(HOMES[account.role], 303)
        answer.set_cookie(self.cookie, token, path="/", secure=self.secure, httponly=True, samesite="strict")
        return answer

    def _shown(self, name: str, told: str, status: int = 200) -> Response:
        return self.programme.views.page("login.html", {"name": name, "told": told, "who": None}, status)

    def _home(self, asked: Asked) -> Response:
        return RedirectResponse(HOMES[asked.who.account.role], 303)

    def _leave(self, asked: Asked) -> Response:
        self.programme.door.leave(asked.request.cookies.get(self.cookie, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(self.cookie, path="/", secure=self.secure, httponly=True, samesite="strict")
        return answer
