"""A bad link: a TCP proxy that can do to bytes on their way whatever a network, or what stands in it, does to them."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Literal, TypeAlias, TypeVar, get_args

from tests.faults.processes import DEADLINE_S

T = TypeVar("T")
Sin: TypeAlias = Literal["delay", "drop", "duplicate", "reorder", "corrupt", "truncate", "half-close", "reset", "stall"]
"""What can befall a segment, a piece of the stream as it was read. TCP promises that most of this cannot happen, and
boxes in the middle break that. Up to ``corrupt`` the connection goes on; ``truncate`` lets a piece of the segment
through and ends it, ``half-close`` ends one direction, ``stall`` swallows all that still comes from there."""
SINS: tuple[Sin, ...] = get_args(Sin)
_DELAY_S = 0.3
_SEGMENT = 4096


class Proxy:
    """Listens on `port` for one that listens on `target`, and sins until it is mended; a context manager.

    likely: how likely a segment fares badly; all sins come equally often, in an order drawn by chance. While `dead`,
    it answers every connection with a reset. `counts` has each sin, and ``connections`` and segments ``carried``.
    """

    def __init__(self, target: int, likely: float, chance: random.Random) -> None:
        self.counts: Counter[str] = Counter()
        self.dead = False
        self._target = target
        self._likely = likely
        self._chance = chance
        self._to_come: list[Sin] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._swallowed: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(DEADLINE_S)
        self._loop.close()

    def kill(self) -> None:
        """Go dead: every connection is reset, and every new one."""
        self.dead = True
        self.cut()

    def revive(self) -> None:
        """Let connections through again."""
        self.dead = False

    def cut(self) -> None:
        """Reset every connection."""
        self._call(self._cut())

    def swallow(self) -> None:
        """Let nothing more through on the connections that there are, and tell nobody."""
        self._swallowed = set(self._writers)

    def mend(self) -> None:
        """Sin no more; the connections that there are begin anew."""
        self._likely = 0.0
        self.cut()

    @property
    def sinned(self) -> int:
        """How many segments fared badly so far."""
        return sum(self.counts[sin] for sin in SINS)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DEADLINE_S)

    # From here on, everything runs on the loop.

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.counts["connections"] += 1
        if self.dead:
            self._reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            self._reset(writer)
            return
        self._writers.update((writer, far_writer))
        ends = (writer, far_writer)
        with suppress(asyncio.CancelledError):
            await asyncio.gather(self._pump(reader, far_writer, ends), self._pump(far_reader, writer, ends))
        for each in ends:
            self._writers.discard(each)
            each.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: tuple[asyncio.StreamWriter, ...]
    ) -> None:
        """Carry segments one way until that ends."""
        held = b""
        with suppress(OSError):
            while segment := await reader.read(_SEGMENT):
                sin = "stall" if writer in self._swallowed else self._fall()
                if sin == "delay":
                    await asyncio.sleep(self._chance.uniform(0, _DELAY_S))
                elif sin == "drop":
                    continue
                elif sin == "duplicate":
                    segment += segment
                elif sin == "reorder" and not held:
                    held = segment
                    continue
                elif sin == "corrupt":
                    at = self._chance.randrange(len(segment))
                    segment = segment[:at] + bytes([segment[at] ^ self._chance.randrange(1, 256)]) + segment[at + 1 :]
                elif sin == "truncate":
                    writer.write(segment[: self._chance.randrange(len(segment))])
                    break
                elif sin == "half-close":
                    writer.write_eof()
                    return
                elif sin == "reset":
                    for end in ends:
                        self._reset(end)
                    return
                elif sin == "stall":
                    while await reader.read(_SEGMENT):
                        pass
                    return
                self.counts["carried"] += 1
                writer.write(segment + held)
                held = b""
                await writer.drain()
        for end in ends:
            end.close()

    def _fall(self) -> Sin | None:
        if self._chance.random() >= self._likely:
            return None
        self._to_come = self._to_come or self._chance.sample(SINS, len(SINS))
        sin = self._to_come.pop()
        self.counts[sin] += 1
        return sin

    @staticmethod
    def _reset(writer: asyncio.StreamWriter) -> None:
        """Let the other end see ECONNRESET, not the end of a stream."""
        connection = writer.get_extra_info("socket")
        if connection is not None and connection.fileno() >= 0:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    async def _cut(self) -> None:
        for writer in list(self._writers):
            self._reset(writer)

    async def _end(self) -> None:
        self._server.close()
        await self._cut()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
