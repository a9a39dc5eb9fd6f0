"""Pages and the files that they need. Whatever comes from elsewhere is text in them, never markup."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from mimetypes import guess_type

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_KEPT = "max-age=31536000, immutable"
"""A file's address changes with its content, so a browser need not ask twice."""


class Views:
    """Renders the templates, and hands out the static files."""

    def __init__(self) -> None:
        self._static = {file.name: file.read_bytes() for file in files("sim.console").joinpath("static").iterdir()}
        self._templates = Environment(
            loader=PackageLoader("sim.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip
        self._templates.globals["static"] = self.address
        self._templates.filters.update(when=when, day=day, told=told)

    def address(self, name: str) -> str:
        """The address of a static file as it is now."""
        return f"/static/{name}?{hashlib.sha256(self._static[name]).hexdigest()[:12]}"

    async def file(self, request: Request) -> Response:
        """Hand out a static file; it waits for no thread, since it is in memory."""
        name = request.path_params["name"]
        content = self._static.get(name)
        if content is None:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        return Response(content, 200, {"cache-control": _KEPT}, guess_type(name)[0] or "application/octet-stream")

    def page(self, template: str, facts: Mapping[str, object], status: int = 200) -> Response:
        """Render a page."""
        return HTMLResponse(self._templates.get_template(template).render(facts), status)


def when(utc: str) -> str:
    """A moment as the tables keep it, as people read it: 10 April 2019, 12:00:00 UTC."""
    try:
        moment = datetime.fromisoformat(utc)
    except ValueError:
        return "unknown"
    return f"{moment.day} {moment:%B %Y, %H:%M:%S} UTC"


def day(utc: str) -> str:
    """The day of such a moment: 2019-04-10."""
    return utc[:10]


def told(value: object) -> str:
    """A detail of the log as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {told(each)}" for name, each in value.items())
    return ", ".join(map(told, value)) or "nothing" if isinstance(value, list) else str(value)
