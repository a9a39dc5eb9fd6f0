"""The device's end of the wire: parts go out of the spool until the far end says that it has them."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TypeAlias

from uplink.address import ANYBODY, Access
from uplink.delivery import Delivery
from uplink.envelope import JSON, digest_of
from uplink.errors import MessageError, SpoolError, UplinkError
from uplink.figures import Figures
from uplink.freshness import require_fresh
from uplink.inventory import Inquiry, Parts, decode_inventory, encode_inquiry
from uplink.link import Link, Will
from uplink.message import (
    Directive,
    Kind,
    Part,
    Receipt,
    decode_directive,
    decode_receipts,
    encode_event,
    encode_part,
    encode_status,
    parse_topic,
    topic,
)
from uplink.seal import Seal
from uplink.spool import Deposit, OnFact, Spool, Spooled

OnDirective: TypeAlias = Callable[[Directive], None]

_SESSION_S = 60
"""On MQTT 5, how long the broker keeps receipts and directives for a device that is lost; the latter expire sooner."""
_EVENT_EXPIRY_S = 300
_BATCH = 64
"""Posts that are taken together at most, so that their receipts cost one transaction."""


class Sender:
    """Sends what is in the spool, `in_flight` parts at a time, each again and again until it is receipted.

    One thread owns the logic; the network and the callers post to it. `on_directive` and `on_fact` run on that
    thread and should return soon; what they raise ends the sender and comes out of its next call as UplinkError.

    Facts: those of `Delivery`, the notices of the `Link`, and ``connected``, ``disconnected`` (reason), ``refused``
    (kind, reason, why) for a message that is not to be believed, ``events_dropped`` (count).
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
        in_flight: int = 32,
        resend_s: float = 5.0,
        access: Access = ANYBODY,
        clock: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        """Prepare, without connecting; raises AddressError or MessageError for a broker or device that cannot be."""
        self.device = device
        self._spool = spool
        self._seal = seal
        self._on_directive = on_directive
        self._on_fact = on_fact
        self._clock = clock
        self._posts: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._settled = threading.Condition()
        self._failure: Exception | None = None
        self._ending = False
        # Only the owning thread touches these.
        self._receipts: list[Receipt] = []  # came, and not settled yet
        self._up = False
        self._status: dict[str, JSON] = {"state": "online"}
        self._untold = 0
        self._delivery = Delivery(
            spool,
            publish=lambda payload: self._link.publish(topic(device, "part"), payload, qos=1),
            ask=self._ask,
            wait_s=lambda: self._link.wait_s(),
            on_fact=on_fact,
            in_flight=in_flight,
            resend_s=resend_s,
            chance=chance or random.Random(),
        )
        self._link = Link(
            url,
            f"misheard-{device}",
            topics=[topic(device, "receipt"), topic(device, "directive"), topic(device, "inventory")],
            on_message=lambda name, payload: self._posts.put(lambda: self._receive(name, payload)),
            on_up=lambda: self._posts.put(self._rise),
            on_down=lambda reason: self._posts.put(lambda: self._fall(reason)),
            on_notice=lambda kind, facts: self._posts.put(lambda: self._on_fact(kind, facts)),
            will=Will(topic(device, "status"), encode_status(device, {"state": "offline"}, seal)),
            access=access,
            session_s=_SESSION_S,
            clock=clock,
            generator=chance,
        )
        self._thread = threading.Thread(target=self._run, name="uplink-sender", daemon=True)

    def start(self, strict: bool = False) -> None:
        """Connect and begin to send. With `strict`, raises LinkError where the broker cannot be had at once."""
        self._link.open(strict)
        self._thread.start()

    def submit(self, part: Part) -> bool:
        """Take a part over: it is on the disk when this returns, and will arrive. From any thread.

        False where the spool's budget has dropped its clip. Raises MessageError or SpoolError where the part could not
        be kept.
        """
        (kept,) = self._keep([part])
        return kept

    def submit_all(self, parts: Sequence[Part]) -> int:
        """Take over as many parts as it goes, from the first on, in one wait for the disk; how many. From any thread.

        They are on the disk when this returns, and will arrive, save those whose clip the spool's budget has dropped.
        Raises as `submit` does where the first of them could not be kept.
        """
        if len(parts) > 1:
            try:
                return len(self._keep(parts))
            except (MessageError, SpoolError):  # one of them: those before it shall not suffer for it
                pass
        return len(self._keep(parts[:1]))

    def carry(self, parts: Sequence[Part]) -> None:
        """Send parts out of memory that the spool cannot keep; soon, from any thread. Raises MessageError.

        They are as safe as this program until their receipts come, as the facts ``receipt``.
        """
        spooled = []
        for part in parts:
            deposit = self._deposit(part)
            spooled.append(Spooled(deposit.clip, deposit.number, deposit.digest, deposit.payload))
        self._check()
        self._posts.put(lambda: self._delivery.carry(spooled))

    def trouble(self, reason: str) -> None:
        """Have it told that the spool cannot be used, once until it can; soon, from any thread."""
        self._posts.put(lambda: self._delivery.trouble(SpoolError(reason)))

    def _keep(self, parts: Sequence[Part]) -> list[bool]:
        kept = self._spool.put_all([self._deposit(part) for part in parts])
        self._check()
        new = [(part.clip, part.number) for part, taken in zip(parts, kept, strict=True) if taken]
        if new:
            self._posts.put(lambda: self._delivery.offer_all(new))
        return kept

    def _deposit(self, part: Part) -> Deposit:
        payload, score = encode_part(part, self._seal), part.facts.get("score")
        priority = float(score) if isinstance(score, int | float) else 0.0
        return Deposit(part.clip, part.number, digest_of(payload), payload, part.last, priority)

    def forget(self, clip: str) -> None:
        """Drop what waits of a clip, as the far end wants it; soon, from any thread."""
        self._posts.put(lambda: self._forget(clip))

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

    def figures(self) -> Figures:
        """Give a look at it all; from any thread."""
        return Figures(
            up=self._up,
            waiting=self._spool.summary(),
            on_their_way=self._delivery.on_their_way,
            dropped=self._spool.dropped(),
            tally=self._delivery.tally.copy(),
        )

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
        delivery, now = self._delivery, self._clock()
        try:
            self._posts.get(timeout=max(0.0, delivery.next_time() - now))()
            for _ in range(_BATCH):
                if self._ending:
                    return
                self._posts.get_nowait()()
        except queue.Empty:
            pass
        now = self._clock()
        if self._receipts:
            receipts, self._receipts = self._receipts, []
            delivery.settle(receipts, now)
            self._notify()
        delivery.pump(now)

    def _ask(self, question: int, parts: Parts) -> None:
        payload = encode_inquiry(Inquiry(self.device, question, parts), self._seal)
        self._link.publish(topic(self.device, "inquiry"), payload, qos=1)

    def _rise(self) -> None:
        self._up = True
        self._delivery.rise(self._link.limits.in_flight)
        self._say(self._status)
        self._on_fact("connected", {})
        if self._untold:
            self._on_fact("events_dropped", {"count": self._untold})
            self._untold = 0

    def _fall(self, reason: str) -> None:
        self._up = False
        self._delivery.fall()
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
        where, told = topic(self.device, "event"), False
        if payload and self._up:
            told = self._link.publish(where, payload, qos=0, expiry_s=_EVENT_EXPIRY_S)
        if not told:
            self._untold += 1
            self._delivery.tally.events_dropped += 1

    def _receive(self, name: str, payload: bytes) -> None:
        kind: Kind | None = None
        try:
            device, kind = parse_topic(name)
            if kind == "receipt":
                self._receipts += decode_receipts(device, payload, self._seal)
            elif kind == "inventory":
                self._delivery.reconcile(decode_inventory(device, payload, self._seal), self._clock())
                self._notify()
            elif kind == "directive":
                order = decode_directive(device, payload, self._seal)
                require_fresh(self._spool, order)
                self._on_directive(order.directive)
        except MessageError as error:
            self._refuse(kind, error)
        except SpoolError as error:
            self._delivery.trouble(error)

    def _forget(self, clip: str) -> None:
        self._delivery.forget(clip)
        try:
            self._spool.drop(clip, "deleted")
        except SpoolError as error:
            self._delivery.trouble(error)
        self._notify()

    def _refuse(self, kind: Kind | None, error: MessageError) -> None:
        self._delivery.tally.refused[error.reason] += 1
        self._on_fact("refused", {"kind": kind, "reason": error.reason, "why": str(error)})

    def _notify(self) -> None:
        with self._settled:
            self._settled.notify_all()
