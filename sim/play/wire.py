"""Between the devices and the far end of a play: a part goes one way, all that it leads to comes back."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from device.events import Event, Kind
from sim.cloud.answer import Directed, Fact
from sim.cloud.service import Cloud
from uplink.message import JSON, Part, Receipt

Reply: TypeAlias = Fact | Directed


class Wire(Protocol):
    """Carries parts in lockstep: `send` returns when the far end has nothing more to say to the part."""

    name: str

    def send(self, part: Part) -> list[Reply]:
        """Give a part to the far end; its receipt (a fact), what it decided, and its directives, in this order."""
        ...

    def note(self, device: str, event: Event) -> None:
        """Tell the far end what happened on a device."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Direct:
    """No wire at all: the far end is called. The same bytes every time."""

    name = "inprocess"

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def send(self, part: Part) -> list[Reply]:
        """See `Wire.send`."""
        replies: list[Reply] = []
        complete = False
        for came in self._cloud.receive(part):
            if isinstance(came, Receipt):
                complete = complete or came.complete
                facts: dict[str, JSON] = {"clip": came.clip, "number": came.number, "complete": came.complete}
                replies.append(Fact("receipt", facts))
            else:
                replies.append(came)
        if complete:
            answer = self._cloud.answer(part.clip)
            replies += [*answer.facts, *answer.directives]
        return replies

    def note(self, device: str, event: Event) -> None:
        """Take note that a device forgot a clip, which without a wire has no spool; nothing else decides anything."""
        if event.kind == Kind.DELETE_CLIP:
            self._cloud.store.deletions.forgotten(device, str(event.facts["clip"]))

    def close(self) -> None:
        """Do nothing."""
