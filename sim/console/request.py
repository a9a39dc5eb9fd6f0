"""What a page gets to see of a request: who asks, and what was sent, checked and bounded."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sim.console.access.accounts import Role
from sim.console.access.sessions import Who
from sim.console.pace import Bucket
from sim.console.programme import Programme
from sim.errors import ReviewError, SimError, StoreAwayError, StoreError, TaskGoneError

_MOST_FIELDS = 100


@dataclass(frozen=True)
class Asked:
    """A request of somebody who is logged in, and may ask it."""

    who: Who
    request: Request
    fields: Mapping[str, Any]
    """What was sent: of a form texts, of JSON whatever it holds."""

    @property
    def name(self) -> str:
        """Who asks."""
        return self.who.account.name

    @property
    def path(self) -> Mapping[str, str]:
        """The parts of the address that are names."""
        return {name: clean(value) for name, value in self.request.path_params.items()}

    def query(self, name: str, longest: int = 100) -> str:
        """A word from the address, empty where it is not there."""
        return clean(self.request.query_params.get(name, ""))[:longest].strip()

    def text(self, name: str, longest: int = 10_000) -> str:
        """A text that was sent, empty where it was not."""
        value = self.fields.get(name, "")
        return clean(value)[:longest] if isinstance(value, str) else ""


Answer: TypeAlias = Callable[[Asked], Response]


class MissingError(SimError):
    """What was asked for is not there, or not for whoever asks: nobody learns which."""


class Reception:
    """Makes routes of pages: each sees only requests of people with its role, and its errors become answers."""

    def __init__(self, programme: Programme, cookie: str) -> None:
        self._programme, self._cookie = programme, cookie
        self._bucket = Bucket()

    def route(self, path: str, answer: Answer, *roles: Role, method: str = "GET") -> Route:
        """A route that these roles may ask for; for others it is not there."""

        def endpoint(request: Request) -> Response:
            try:
                return self._answered(request, answer, roles)
            except (SimError, ValueError) as error:
                return self.told(request, error)

        return Route(path, endpoint, methods=[method])

    def who(self, request: Request) -> Who | None:
        """Who asks; None where nobody is logged in."""
        token = request.cookies.get(self._cookie)
        return self._programme.sessions.who(token) if token else None

    def _answered(self, request: Request, answer: Answer, roles: tuple[Role, ...]) -> Response:
        who = self.who(request)
        if who is None:
            if request.method == "POST" or _wants_json(request):
                return JSONResponse({"error": "Nobody is logged in here any more; log in again."}, 401)
            return RedirectResponse("/login", 303)
        if who.account.role not in roles:
            raise MissingError("There is no such page here.")
        if not self._bucket.take(who.csrf):
            return self._says(request, 429, "That is too much at once; wait a moment and try again.")
        if request.method != "POST":
            return answer(Asked(who, request, {}))
        fields = fields_of(request)
        brought = request.headers.get("x-csrf-token") or fields.get("csrf")
        if not isinstance(brought, str) or not hmac.compare_digest(
            brought.encode("utf-8", "replace"), who.csrf.encode()
        ):
            return self._says(request, 403, "That did not come from a page of this session; open the page anew.")
        return answer(Asked(who, request, fields))

    def told(self, request: Request, error: Exception) -> Response:
        """An error as the one sentence that it is."""
        if isinstance(error, StoreAwayError):
            # Its own sentence names files and addresses that are none of a visitor's business.
            return self._says(request, 503, "The store cannot be reached at the moment; try again in a minute.")
        if isinstance(error, MissingError | TaskGoneError | StoreError):
            return self._says(request, 404, str(error))
        return self._says(request, 409 if isinstance(error, ReviewError) else 400, str(error))

    def _says(self, request: Request, status: int, sentence: str) -> Response:
        headers = {"retry-after": "60"} if status == 503 else None
        if request.headers.get("x-csrf-token") or _wants_json(request):
            return JSONResponse({"error": sentence}, status, headers)
        page = self._programme.views.page("said.html", {"status": status, "sentence": sentence, "who": None}, status)
        page.headers.update(headers or {})
        return page


def fields_of(request: Request) -> dict[str, Any]:
    """What a form or a script sent; raises ValueError for what is neither."""
    body: bytes = request.state.body
    if request.headers.get("content-type", "").partition(";")[0].strip() == "application/json":
        try:
            found = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise ValueError("That is no JSON object; open the page anew.")
        return found
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise ValueError("That form cannot be read; open the page anew.") from None


def clean(text: str) -> str:
    """A text without what not every database can hold."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _wants_json(request: Request) -> bool:
    return request.headers.get("accept", "").startswith("application/json")
