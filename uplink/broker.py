"""A broker inside this program, on loopback; the only file that knows amqtt."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any

from uplink.errors import LinkError

_START_S = 10.0
_STOP_S = 5.0


class EmbeddedBroker:
    """An MQTT 3.1.1 broker on 127.0.0.1, on a port the system chooses, with a thread and an event loop of its own.

    A context manager; `url` is where it listens. It keeps nothing between two runs.
    """

    def __init__(self, port: int = 0) -> None:
        """Prepare for this port; 0 lets the system choose."""
        self._port = port
        self._ready: Future[int] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="embedded-broker", daemon=True)

    def start(self) -> None:
        """Listen; raises LinkError where that cannot be."""
        self._thread.start()
        self._port = self._ready.result(_START_S)

    @property
    def url(self) -> str:
        """Where it listens, once started."""
        return f"mqtt://127.0.0.1:{self._port}"

    def close(self) -> None:
        """Disconnect everyone, and end."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            if self._ready.done():
                raise
            self._ready.set_exception(
                LinkError(f"the embedded broker cannot listen on 127.0.0.1:{self._port} ({error}); choose another port")
            )

    async def _serve(self) -> None:
        # Late, because it takes a third of a second and is not needed with a broker elsewhere.
        from amqtt.broker import Broker

        # It tells of every packet, and warns of every client that leaves; whoever wants that can raise the level again.
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self._port}", "max_connections": 0}},
                # Named, because the plugins that come unasked log every packet and publish under $SYS.
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        guests: set[asyncio.StreamWriter] = set()
        serve = broker.stream_connected

        async def serve_and_close(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
        ) -> None:
            # amqtt leaves a connection open when its client's end and its own meet.
            guests.add(writer)
            try:
                with suppress(OSError):  # it trips over whoever has hung up first
                    await serve(reader, writer, listener_name)
            finally:
                guests.discard(writer)
                writer.close()

        broker.stream_connected = serve_and_close
        await broker.start()
        try:
            self._ready.set_result(_port_of(broker))
            await self._stop.wait()
        finally:
            for guest in list(guests):  # or it would wait for those who never said a word
                guest.transport.abort()
            await asyncio.wait_for(broker.shutdown(), _STOP_S)
            if rest := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(rest, timeout=_STOP_S)


def _port_of(broker: Any) -> int:
    """Give the port that the system chose; amqtt has no public word for it."""
    port: int = broker._servers["default"].instance.sockets[0].getsockname()[1]
    return port
