"""From the spool to the wire and back: parts are sent, asked about, receipted and forgotten. No thread, no clock."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence

from uplink.errors import MessageError, SpoolError
from uplink.figures import Tally
from uplink.inventory import Inventory, Parts
from uplink.message import Receipt
from uplink.reconciler import Reconciler
from uplink.spool import OnFact, Spool, Spooled
from uplink.window import Key, Window

_MEMORY = 600
"""Parts that are sent out of memory at most; of more the oldest goes."""
_LOOK_S = 600.0
"""How often to look for clips that have become too old."""
_ERRORS = 8
"""Parts that are tried at a time where the disk fails: each may take it seconds to say so."""
_LONGEST_WAIT = 8
"""How many times `resend_s` a part waits at most that cannot be read."""


class Delivery:
    """Brings what waits in a spool to the far end, `in_flight` parts at a time. One thread at a time may use it.

    publish(payload): sends a part; False where the connection is gone. ask(question, parts): sends a question about
    parts; raises MessageError where nobody can be asked. wait_s(): seconds until the broker takes another message.
    Times are seconds on any clock that does not go back; each method that needs one is told `now`.

    Facts: ``part_sent`` (clip, number, bytes), ``receipt`` (clip, number, complete), ``reconciled`` (stored, missing),
    ``spool_error`` (reason).
    """

    def __init__(
        self,
        spool: Spool,
        *,
        publish: Callable[[bytes], bool],
        ask: Callable[[int, Parts], None],
        wait_s: Callable[[], float],
        on_fact: OnFact,
        in_flight: int,
        resend_s: float,
        chance: random.Random,
    ) -> None:
        """Take over what waits in the spool; raises SpoolError."""
        self._spool = spool
        self._publish = publish
        self._ask = ask
        self._wait_s = wait_s
        self._on_fact = on_fact
        self._in_flight = in_flight
        self._resend_s = resend_s
        self._window = Window(in_flight, resend_s, chance)
        self._reconciler = Reconciler(resend_s)
        self._up = False
        self._rest = -math.inf  # until then nothing is asked: the spool could not be read
        self._unread: dict[Key, int] = {}  # parts that could not be read, and how often
        self._pace = -math.inf  # until then the broker wants no more
        self._look = -math.inf  # when to look for clips that are too old
        self._memory: dict[Key, Spooled] = {}  # parts that the spool could not keep
        self._told = ""  # of the spool's trouble; empty while there is none
        self.tally = Tally()
        self._reconciler.hold(spool.waiting())  # what an earlier start left: nobody knows what became of it

    @property
    def on_their_way(self) -> int:
        """How many parts were sent and wait for their receipts."""
        return self._window.on_their_way

    def offer_all(self, keys: Iterable[Key]) -> None:
        """Send parts that have just come into the spool, in their turn."""
        for key in keys:
            if self._memory.pop(key, None) is not None:  # sealed anew, so that only its own receipt settles it
                self._window.withdraw(key)
            self._window.offer(key)

    def carry(self, parts: Iterable[Spooled]) -> None:
        """Send parts that the spool cannot keep, out of memory; they may come into the spool later nevertheless."""
        for part in parts:
            key = part.clip, part.number
            if key not in self._memory:
                self._window.offer(key)
            self._memory[key] = part
        while len(self._memory) > _MEMORY:
            del self._memory[next(iter(self._memory))]

    def forget(self, clip: str) -> None:
        """Let go of what is in memory of a clip."""
        for key in [key for key in self._memory if key[0] == clip]:
            del self._memory[key]

    def rise(self, in_flight: int | None) -> None:
        """Begin a new connection, over which a broker takes so many parts at once; None for any number."""
        self._up = True
        self._rest = -math.inf
        self.tally.connections += 1
        self._window.in_flight = self._in_flight if in_flight is None else min(self._in_flight, in_flight)
        self._reconciler.hold(self._window.take_back())

    def fall(self) -> None:
        """Send nothing until the next connection."""
        self._up = False

    def pump(self, now: float) -> None:
        """Do what is to be done now: look for what is too old, ask what is to be asked, fill the window."""
        try:
            if now >= self._look:
                self._look = now + _LOOK_S
                self._spool.expire()
                self._told = ""
        except SpoolError as error:
            self.trouble(error)
        if self._up:
            self._pace = -math.inf
            self._fill(now)

    def trouble(self, error: SpoolError) -> None:
        """Tell that the spool cannot be used, once until it can."""
        if str(error) != self._told:
            self._told = str(error)
            self._on_fact("spool_error", {"reason": self._told})

    def next_time(self) -> float:
        """Say when there is something to do, if nothing comes before."""
        if not self._up:
            return self._look
        if self._pace > -math.inf:  # it may be past: something is to be done at once then
            return min(self._look, self._pace)
        return min(self._look, self._window.next_time(), self._reconciler.deadline)

    def settle(self, receipts: Sequence[Receipt], now: float) -> None:
        """Forget what is receipted; where the disk fails, it is sent again."""
        gone = self._settle([(receipt.clip, receipt.number, receipt.digest) for receipt in receipts])
        for receipt in receipts:
            key = receipt.clip, receipt.number
            if key in gone:
                gone.discard(key)  # it may have come twice
                seconds = self._window.receipt(key, now)
                if seconds is not None:
                    self.tally.round_trips.add(seconds)
                self.tally.receipts += 1
                self._tell_receipt(key, receipt.complete)

    def reconcile(self, inventory: Inventory, now: float) -> None:
        """Forget what the far end has, and send what it has not."""
        answered = self._reconciler.answer(inventory)
        if answered is None:
            return
        stored, missing = answered
        gone = self._settle(stored)
        if self._told:  # what could not be settled is sent again
            missing = sorted([*missing, *({part[:2] for part in stored} - gone)])
        self._window.put_back(missing, now)
        self.tally.reconciled += len(gone)
        self._on_fact("reconciled", {"stored": len(gone), "missing": len(missing)})
        last = dict(sorted(gone))  # of each clip
        for key in sorted(gone):
            self._window.withdraw(key)
            self._tell_receipt(key, key[0] in inventory.complete and key[1] == last[key[0]])

    def _fill(self, now: float) -> None:
        self._window.put_back(self._reconciler.give_up(now), now)
        if self._reconciler.ready and now >= self._rest:
            self._inquire(now)
        self._window.give_up(now)
        errors = 0
        while (key := self._window.next(now)) is not None:
            if (wait_s := self._wait_s()) > 0:
                self._pace = now + wait_s
                return
            if errors >= _ERRORS and key not in self._memory:
                self._window.wait(key, now + self._resend_s)
                continue
            try:
                if not self._send(key, now):
                    return
            except SpoolError as error:  # what is in memory, or elsewhere on the disk, shall not suffer for it
                errors += 1
                self._let_wait(key, now, error)

    def _let_wait(self, key: Key, now: float, error: SpoolError) -> None:
        """Let a part that cannot be read wait, twice as long each time; its trouble is told once."""
        times = self._unread.get(key, 0)
        if not times:
            self.trouble(error)
        self._unread[key] = times + 1
        self._window.wait(key, now + self._resend_s * min(2**times, _LONGEST_WAIT))

    def _inquire(self, now: float) -> None:
        try:
            question = self._reconciler.ask(self._digests, now)
        except SpoolError as error:  # they go out unasked when the time for an answer is over
            self._rest = now + self._resend_s
            self.trouble(error)
            return
        if question is not None:
            try:
                self._ask(*question)
            except MessageError as error:  # the answer will be overdue
                self._on_fact("refused", {"kind": "inquiry", "reason": error.reason, "why": str(error)})

    def _digests(self, clip: str) -> dict[int, str]:
        spooled = {number: digest for number, _, digest in self._spool.parts(clip)}
        return spooled | {part.number: part.digest for part in self._memory.values() if part.clip == clip}

    def _settle(self, parts: Sequence[tuple[str, int, str]]) -> set[Key]:
        """Forget parts that are safe; gives those that waited, but for those that the spool cannot forget now."""
        gone = set()
        for clip, number, digest in parts:
            held = self._memory.get((clip, number))
            if held is not None and held.digest == digest:
                del self._memory[clip, number]
                gone.add((clip, number))
        spooled = [part for part in parts if part[:2] not in gone]
        if not spooled:  # one of them that comes into the spool nevertheless has another digest: `offer_all` sends it
            return gone
        try:
            settled = self._spool.settle(spooled)
        except SpoolError as error:
            self.trouble(error)
            return gone
        if settled:  # where there was nothing to forget, nothing was written: the disk may be as broken as before
            self._told = ""
        return gone | settled

    def _send(self, key: Key, now: float) -> bool:
        """Send a part; False where the link has just gone down: its word is on the way."""
        part = self._memory.get(key) or self._spool.get(*key)
        self._unread.pop(key, None)
        if part is None:
            self._window.withdraw(key)  # dropped, or another program has delivered it
            return True
        if not self._publish(part.payload):
            return False
        if self._window.send(key, now):
            self.tally.retries += 1
        else:
            self.tally.sent += 1
        self._on_fact("part_sent", {"clip": part.clip, "number": part.number, "bytes": len(part.payload)})
        return True

    def _tell_receipt(self, key: Key, complete: bool) -> None:
        self._on_fact("receipt", {"clip": key[0], "number": key[1], "complete": complete})
