"""The far end's end of the wire: parts, events and status of every device come in, receipts and directives go out."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from uplink.address import ANYBODY, Access
from uplink.envelope import JSON
from uplink.errors import AddressError, MessageError
from uplink.inventory import Inquiry, Inventory, decode_inquiry, encode_inventory
from uplink.link import Link
from uplink.message import (
    Directive,
    Kind,
    Part,
    Receipt,
    decode_event,
    decode_part,
    decode_status,
    encode_directive,
    encode_receipts,
    parse_topic,
    topic,
)
from uplink.seal import Seal

OnPart: TypeAlias = Callable[[Part], None]
OnInquiry: TypeAlias = Callable[[Inquiry], None]
OnObject: TypeAlias = Callable[[str, Mapping[str, JSON]], None]
OnRefused: TypeAlias = Callable[[MessageError], None]
OnText: TypeAlias = Callable[[str], None]

_WORK: tuple[Kind, ...] = ("part", "event", "inquiry")
_SHARE = re.compile(r"[a-z0-9-]{1,40}")

_DIRECTIVE_EXPIRY_S = 30
"""On MQTT 5. No wait of a device for an answer is longer, and what is said later than that only startles."""


class Receiver:
    """Hears all devices on a broker. The callbacks run on the network thread: they hand over and return.

    `on_refused(error)` is called for each message that is not to be believed, and for each that cannot be sent because
    its device is no longer known. `next_serial()` gives a larger number every time, also after a restart.

    What is published waits until the broker's rate allows it, so that it is not for the network thread to publish.
    """

    def __init__(
        self,
        url: str,
        *,
        seal: Seal,
        next_serial: Callable[[], int],
        on_part: OnPart,
        on_inquiry: OnInquiry = lambda _inquiry: None,
        on_event: OnObject,
        on_status: OnObject,
        on_refused: OnRefused,
        on_up: Callable[[], None] = lambda: None,
        on_down: OnText = lambda _reason: None,
        access: Access = ANYBODY,
        share: str | None = None,
    ) -> None:
        """Prepare, without connecting; raises AddressError for a broker or a name of a share that cannot be.

        With `share`, each message but a status goes to one of all receivers of this share, where the broker can.
        """
        self._on_part = on_part
        self._on_inquiry = on_inquiry
        self._on_event = on_event
        self._on_status = on_status
        self._on_refused = on_refused
        self._seal = seal
        self._next_serial = next_serial
        self._publishing = threading.Lock()
        self._closed = threading.Event()
        self._link = Link(
            url,
            f"misheard-far-end-{secrets.token_hex(4)}",  # brokers end the older of two clients of one name
            # Every receiver hears each status: it tells which of our keys the device knows.
            topics=[*(_shared(share, topic("+", kind)) for kind in _WORK), topic("+", "status")],
            on_message=self._receive,
            on_up=on_up,
            on_down=on_down,
            access=access,
        )

    def start(self, strict: bool = False) -> None:
        """Connect. With `strict`, raises LinkError where the broker cannot be had at once."""
        self._link.open(strict)

    def publish_receipts(self, receipts: Sequence[Receipt]) -> bool:
        """Send receipts, those of a device in one message; False while there is no connection.

        Then the device will send the parts again.
        """
        by_device: dict[str, list[Receipt]] = {}
        for receipt in receipts:
            by_device.setdefault(receipt.device, []).append(receipt)
        sent = [
            self._publish(device, "receipt", partial(encode_receipts, own, self._seal))
            for device, own in by_device.items()
        ]
        return all(sent)

    def publish_inventory(self, inventory: Inventory) -> bool:
        """Answer a device's question; False while there is no connection: it will go on without an answer."""
        return self._publish(inventory.device, "inventory", partial(encode_inventory, inventory, self._seal))

    def publish_directive(self, device: str, directive: Directive) -> bool:
        """Send a directive; False while there is no connection, and then it is lost."""

        def encode() -> bytes:
            return encode_directive(device, directive, self._next_serial(), self._seal)

        return self._publish(device, "directive", encode, expiry_s=_DIRECTIVE_EXPIRY_S)

    def _publish(self, device: str, kind: Kind, encode: Callable[[], bytes], *, expiry_s: int | None = None) -> bool:
        try:
            payload = encode()
        except MessageError as error:
            self._on_refused(error)
            return False
        with self._publishing:  # or two that waited would both publish
            while (wait_s := self._link.wait_s()) > 0 and not self._closed.wait(wait_s):
                pass
            return self._link.publish(topic(device, kind), payload, qos=1, expiry_s=expiry_s)

    def close(self) -> None:
        """Disconnect and end."""
        self._closed.set()
        self._link.close()

    def _receive(self, name: str, payload: bytes) -> None:
        try:
            device, kind = parse_topic(name)
            if kind == "part":
                self._on_part(decode_part(device, payload, self._seal))
            elif kind == "inquiry":
                self._on_inquiry(decode_inquiry(device, payload, self._seal))
            elif kind == "event":
                self._on_event(device, decode_event(device, payload, self._seal))
            elif kind == "status":
                self._on_status(device, decode_status(device, payload, self._seal))
        except MessageError as error:
            self._on_refused(error)


def _shared(share: str | None, name: str) -> str:
    if share is None:
        return name
    if not _SHARE.fullmatch(share):
        raise AddressError(f"{share!r} cannot name a share; use at most 40 lower-case letters, digits and hyphens")
    return f"$share/{share}/{name}"
