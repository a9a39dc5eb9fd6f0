"""Directives are obeyed once, and in the order in which they were given: a replay is told by its serial."""

from __future__ import annotations

from typing import Protocol

from uplink.errors import MessageError
from uplink.message import Order


class Memory(Protocol):
    """Where words survive a restart; the spool is one."""

    def recall(self, name: str) -> str | None:
        """Give what was kept under a name; None where nothing was."""

    def remember(self, name: str, value: str) -> None:
        """Keep a word under a name, on the disk when this returns."""


def require_fresh(memory: Memory, order: Order) -> None:
    """Remember the serial of an order; raises MessageError unless it is higher than any its signer gave before.

    So one that comes behind a newer one is refused too. Raises what `memory` raises where it cannot remember: what
    could be replayed after the next restart is not obeyed now.
    """
    name = f"serial.{order.signer}"
    if order.serial <= int(memory.recall(name) or "0"):
        raise MessageError(f"the directive {order.directive.name} came twice, or after a newer one", "replayed")
    memory.remember(name, str(order.serial))
