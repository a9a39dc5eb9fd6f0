"""What every request meets first: whose page asks, how much it sends; and what every answer says to the browser."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 64 * 1024
"""Of the body of a request."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # without one, a form would say that it comes from nowhere
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}
_A_YEAR = "max-age=31536000"
_SAFE = {"GET", "HEAD"}


class Guard:
    """Lets through what comes from the console's own pages, with its body read; adds the headers to every answer.

    hosts: the names by which it may be asked for, none: any. A page elsewhere whose name was pointed at this machine
    (DNS rebinding) asks for another.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), *, secure: bool = False) -> None:
        self._app, self._hosts, self._secure = app, frozenset(hosts), secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if self._secure:
                    headers.setdefault("strict-transport-security", _A_YEAR)
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._refusal(str(scope["method"]), headers)
        if refusal is None and scope["method"] not in _SAFE:
            body = await _body(receive)
            if body is None:
                refusal = 413, f"That is more than {MOST_BYTES // 1024} KiB; send less."
            scope.setdefault("state", {})["body"] = body
        if refusal is not None:
            status, told = refusal
            await PlainTextResponse(f"{told}\n", status)(scope, receive, answer)
            return
        await self._app(scope, receive, answer)

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._hosts and _name(host) not in self._hosts:
            return 421, "This console is not asked for by that name; use the address that it printed."
        site = headers.get("sec-fetch-site")
        if method in _SAFE:
            # Another site may lead here with a link, and then gets nothing but the page; it may not fetch sound.
            if site == "cross-site" and headers.get("sec-fetch-mode") not in (None, "navigate"):
                return 403, "Another site may not ask for this."
            return None
        origin = headers.get("origin")
        own = f"{'https' if self._secure else 'http'}://{host}"
        if (
            site not in (None, "same-origin")
            or (origin is not None and origin != own)
            or (origin is None and site is None)
        ):
            return 403, "That did not come from a page of this console; open the page anew and try again."
        return None


def _name(host: str) -> str:
    """The name in a Host header, without its port."""
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host


async def _body(receive: Receive) -> bytes | None:
    """The body of a request; None where it is too long."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(pieces)
