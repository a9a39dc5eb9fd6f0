"""The device's end of the wire: parts go out of the spool until the far end says that it has them."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TypeAlias

from uplink.address import ANYBODY, Access
from uplink.envelope import JSON
from uplink.errors import MessageError, SpoolError, UplinkError
from uplink.freshness import require_fresh
from uplink.link import Link, Will
from uplink.message import (
    Directive,
    Kind,
    Part,
    decode_directive,
    decode_receipt,
    encode_event,
    encode_status,
    parse_topic,
    topic,
)
from uplink.seal import Seal
from uplink.spool import Spool

OnFact: TypeAlias = Callable[[str, Mapping[str, JSON]], None]
OnDirective: TypeAlias = Callable[[Directive], None]

_LONGEST_PAUSE = 8
"""How many times `resend_s` the repetitions are apart at most while no receipt comes at all."""


class Sender:
    """Sends what is in the spool, in order, `in_flight` parts at a time, each again and again until it is receipted.

    One thread owns the logic; the network and the callers post to it. `on_directive` and `on_fact` run on that
    thread and should return soon; what they raise ends the sender and comes out of its next call as UplinkError.

    Facts: ``connected``, ``disconnected`` (reason), ``part_sent`` (clip, number, bytes), ``receipt`` (clip, number,
    complete), ``refused`` (kind, reason, why) for a message that is not to be believed, ``events_dropped`` (count),
    ``spool_error`` (reason).
    """

    def __init__(
        self,
        device: str,
        spool: Spool,
        url: str,
        *,
        seal: Seal,
        on_directive: OnDirective,
        on_fact: OnFact,
        in_flight: int = 16,
        resend_s: float = 5.0,
        access: Access = ANYBODY,
    ) -> None:
        """Prepare, without connecting; raises AddressError or MessageError for a broker or device that cannot be."""
        self.device = device
        self._spool = spool
        self._seal = seal
        self._on_directive = on_directive
        self._on_fact = on_fact
        self._in_flight = in_flight
        self._resend_s = resend_s
        self._posts: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._settled = threading.Condition()
        self._failure: Exception | None = None
        self._ending = False
        # Only the owning thread touches these.
        self._up = False
        self._status: dict[str, JSON] = {"state": "online"}
        self._sent: dict[tuple[str, int], float] = {}  # when each part on its way is given up and sent again
        self._place = 0  # of the newest part sent in this round through the spool
        self._missed = False  # a part was given up since the last round began
        self._again = math.inf  # when to look at the spool again, if nothing is posted before
        self._broken = False  # the spool could not be read; leave it alone until then
        self._pause = 1
        self._dropped = 0
        self._link = Link(
            url,
            f"misheard-{device}",
            topics=[topic(device, "receipt"), topic(device, "directive")],
            on_message=lambda name, payload: self._posts.put(lambda: self._receive(name, payload)),
            on_up=lambda: self._posts.put(self._rise),
            on_down=lambda reason: self._posts.put(lambda: self._fall(reason)),
            will=Will(topic(device, "status"), encode_status(device, {"state": "offline"}, seal)),
            access=access,
        )
        self._thread = threading.Thread(target=self._run, name="uplink-sender", daemon=True)

    def start(self, strict: bool = False) -> None:
        """Connect and begin to send. With `strict`, raises LinkError where the broker cannot be had at once."""
        self._link.open(strict)
        self._thread.start()

    def submit(self, part: Part) -> None:
        """Take a part over: it is on the disk when this returns, and will arrive. From any thread.

        Raises MessageError or SpoolError where the part could not be kept.
        """
        self._spool.put(part)
        self._check()
        self._posts.put(_nothing)

    def tell(self, event: Mapping[str, JSON]) -> None:
        """Send an event as well as it goes: dropped and counted while there is no connection. From any thread."""
        self._check()
        try:
            payload = encode_event(self.device, event, self._seal)
        except MessageError as error:
            if error.reason == "malformed":
                raise
            payload = None  # there is nobody to tell it to: no far end is trusted any more
        self._posts.put(lambda: self._tell(payload))

    def status(self, facts: Mapping[str, JSON]) -> None:
        """Say, retained, that the device is online, with these facts beside it; repeated at every connection."""
        self._check()
        status: dict[str, JSON] = {**facts, "state": "online"}
        encode_status(self.device, status, self._seal)
        self._posts.put(lambda: self._say(status))

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing is left in the spool; False where that took longer."""
        with self._settled:
            empty = self._settled.wait_for(
                lambda: self._failure is not None or self._spool.summary().parts == 0, timeout_s
            )
        self._check()
        return empty

    def close(self) -> None:
        """Say that the device is offline, and end; what is not receipted stays in the spool."""
        self._posts.put(self._end)
        if self._thread.is_alive():
            self._thread.join()
        self._link.close()
        self._check()

    def __enter__(self) -> Sender:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self) -> None:
        if self._failure is not None:
            raise UplinkError(
                f"the sender has ended ({self._failure!r}); this is a bug, please report it"
            ) from self._failure

    # From here on, everything runs on the owning thread.

    def _run(self) -> None:
        try:
            while not self._ending:
                self._step()
        except Exception as error:
            with self._settled:
                self._failure = error
                self._settled.notify_all()
            raise

    def _step(self) -> None:
        try:
            post = self._posts.get(timeout=self._patience())
        except queue.Empty:
            post = _nothing
        post()
        if self._up and not self._ending and self._posts.empty():
            self._pump()

    def _patience(self) -> float | None:
        """Seconds until something is to be sent again; None where only a post can bring that about."""
        if not self._up or self._again == math.inf:
            return None
        return max(0.0, self._again - time.monotonic())

    def _pump(self) -> None:
        """Fill the window; a part without receipt loses its seat and has its turn again in the next round.

        So a part that the far end never receipts costs repetitions, and never holds up the others.
        """
        now = time.monotonic()
        if self._broken and now < self._again:
            return
        late = [key for key, deadline in self._sent.items() if deadline <= now]
        for key in late:
            del self._sent[key]
        if late:
            self._missed = True
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        try:
            self._fill(now + self._resend_s * self._pause)
            self._broken, self._again = False, min(self._sent.values(), default=math.inf)
        except SpoolError as error:
            self._broken, self._again = True, now + self._resend_s
            self._on_fact("spool_error", {"reason": str(error)})

    def _fill(self, deadline: float) -> None:
        while free := self._in_flight - len(self._sent):
            parts = self._spool.waiting(free, self._place)
            if not parts:
                if not self._missed:
                    return
                self._missed, self._place = False, 0
            for part in parts:
                self._place = part.place
                if (part.clip, part.number) in self._sent:
                    continue
                if not self._link.publish(topic(self.device, "part"), part.payload, qos=1):
                    return  # the link has just gone down; its word is on the way
                self._sent[part.clip, part.number] = deadline
                self._on_fact("part_sent", {"clip": part.clip, "number": part.number, "bytes": len(part.payload)})

    def _rise(self) -> None:
        self._up, self._place, self._missed, self._pause = True, 0, False, 1
        self._sent.clear()
        self._say(self._status)
        self._on_fact("connected", {})
        if self._dropped:
            self._on_fact("events_dropped", {"count": self._dropped})
            self._dropped = 0

    def _fall(self, reason: str) -> None:
        self._up = False
        self._on_fact("disconnected", {"reason": reason})

    def _end(self) -> None:
        self._ending = True
        self._say({**self._status, "state": "offline"})

    def _say(self, status: dict[str, JSON]) -> None:
        if not self._ending:
            self._status = status
        if self._up:
            try:
                payload = encode_status(self.device, status, self._seal)
            except MessageError as error:  # a key was taken away: that costs this status, and not the sender
                self._refuse("status", error)
                return
            self._link.publish(topic(self.device, "status"), payload, qos=1, retain=True)

    def _tell(self, payload: bytes | None) -> None:
        if not (payload and self._up and self._link.publish(topic(self.device, "event"), payload, qos=0)):
            self._dropped += 1

    def _receive(self, name: str, payload: bytes) -> None:
        kind: Kind | None = None
        try:
            device, kind = parse_topic(name)
            if kind == "receipt":
                self._settle(device, payload)
            elif kind == "directive":
                order = decode_directive(device, payload, self._seal)
                require_fresh(self._spool, order)
                self._on_directive(order.directive)
        except MessageError as error:
            self._refuse(kind, error)
        except SpoolError as error:
            self._on_fact("spool_error", {"reason": str(error)})

    def _refuse(self, kind: Kind | None, error: MessageError) -> None:
        self._on_fact("refused", {"kind": kind, "reason": error.reason, "why": str(error)})

    def _settle(self, device: str, payload: bytes) -> None:
        receipt = decode_receipt(device, payload, self._seal)
        self._pause = 1
        if self._spool.settle(receipt.clip, receipt.number, receipt.digest):
            self._sent.pop((receipt.clip, receipt.number), None)
            with self._settled:
                self._settled.notify_all()
            self._on_fact("receipt", {"clip": receipt.clip, "number": receipt.number, "complete": receipt.complete})


def _nothing() -> None:
    """Wake the owning thread."""
