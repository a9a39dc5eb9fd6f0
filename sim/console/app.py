"""The console as one web application: its pages behind the guard."""

from __future__ import annotations

from collections.abc import Collection

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sim.console.guard import Guard
from sim.console.pages.desk import DeskPages
from sim.console.pages.device import DevicePages
from sim.console.pages.lead import LeadPages
from sim.console.pages.log import LogPages
from sim.console.pages.login import LoginPages
from sim.console.pages.recordings import RecordingPages
from sim.console.programme import Programme
from sim.console.request import MissingError, Reception


def application(programme: Programme, hosts: Collection[str] = (), *, secure: bool = False) -> Starlette:
    """Put the pages together; `hosts` as for `Guard`, `secure`: over TLS."""
    # A browser takes a cookie of this name over TLS alone, for this host alone.
    cookie = "__Host-misheard" if secure else "misheard"
    reception = Reception(programme, cookie)

    def not_there(request: Request, _error: Exception) -> Response:
        return reception.told(request, MissingError("There is no such page here."))

    return Starlette(
        routes=[
            Route("/static/{name}", programme.views.file),
            *LoginPages(programme, reception, cookie, secure).routes(),
            *DeskPages(programme, reception).routes(),
            *LeadPages(programme, reception).routes(),
            *RecordingPages(programme, reception).routes(),
            *DevicePages(programme, reception, cookie).routes(),
            *LogPages(programme, reception).routes(),
        ],
        middleware=[Middleware(Guard, hosts, secure=secure)],
        exception_handlers={404: not_there, 405: not_there},
    )
