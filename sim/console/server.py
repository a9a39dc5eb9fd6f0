"""The console on a port: this machine alone, or others over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from sim.errors import ConsoleError

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_BACKLOG = 512
_KEPT_S = 75
"""A connection is kept while somebody listens to a clip, so that the next one needs no new one."""
_END_S = 3
"""How long requests that are under way are waited for."""


@dataclass(frozen=True)
class Place:
    """Where the console listens; port 0 takes any that is free."""

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ConsoleError("TLS needs a certificate and its key; name both: --tls-cert and --tls-key")
        if not self.secure and not self.on_loopback:
            raise ConsoleError(
                f"{self.host} can be reached from elsewhere, where others could read along; "
                "name --tls-cert and --tls-key, or leave --host away"
            )

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.certificate is not None

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names by which it may be asked for; over TLS the certificate says that."""
        return () if self.secure else LOOPBACK

    def open(self) -> socket.socket:
        """Listen; raises ConsoleError where that cannot be."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # Said to be TCP, or asyncio leaves Nagle's algorithm on, which holds up each answer for 40 ms.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self.host, self.port))
            listening.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            listening.close()
            why = getattr(error, "strerror", None) or str(error)
            raise ConsoleError(
                f"{self.host}:{self.port} cannot be listened on ({why}); choose another --port"
            ) from None
        return listening

    def url(self, listening: socket.socket) -> str:
        """The address to be opened in a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{listening.getsockname()[1]}"

    def check_files(self) -> None:
        """Raise ConsoleError where certificate and key cannot be used."""
        if self.certificate is None:
            return
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
        except OSError as error:  # ssl.SSLError is one
            raise ConsoleError(
                f"{self.certificate} and {self.key} are no certificate with its key ({error.strerror or error}); "
                "name the PEM files"
            ) from None


def serve(app: Starlette, place: Place, listening: socket.socket) -> None:
    """Answer until Ctrl-C or SIGTERM."""
    _server(app, place).run([listening])


@contextmanager
def serving(app: Starlette, place: Place | None = None) -> Iterator[str]:
    """Answer in a thread while the block runs; gives the address."""
    place = place or Place()
    with contextlib.closing(place.open()) as listening:
        server = _server(app, place)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), name="console")
        thread.start()
        try:
            yield place.url(listening)
        finally:
            server.should_exit = True
            thread.join()


def _server(app: Starlette, place: Place) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=_KEPT_S,
        timeout_graceful_shutdown=_END_S,
        ssl_certfile=None if place.certificate is None else str(place.certificate),
        ssl_keyfile=None if place.key is None else str(place.key),
    )
    return uvicorn.Server(config)
