"""Which part goes out next: what waits, what is on its way, what is to be tried again. No clock, no network, no disk.

Times are seconds on any clock that does not go back; each method that needs one is told `now`.
"""

from __future__ import annotations

import math
import random
from collections import OrderedDict, deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TypeAlias

Key: TypeAlias = tuple[str, int]
"""A part: its clip and its number."""

_LONGEST_SILENCE = 8
"""How many times `resend_s` a seat is kept at most while no receipt comes at all."""
_LONGEST_REFUSAL = 64
"""How many times `resend_s` a part waits at most that gets no receipt while others do."""
_LANES = 3


@dataclass(frozen=True)
class _Flight:
    sent: float
    deadline: float
    again: bool


class Window:
    """At most `in_flight` parts on their way, each until its receipt, or until it has had its time.

    Turn about: a part of the oldest clip, one of the newest, one that is to be tried again. So within a clip the order
    is kept; a long clip, or many, cannot hold up the one that is spoken now, nor it them; and what the far end always
    refuses costs repetitions, ever fewer, and holds up nothing.
    """

    def __init__(self, in_flight: int, resend_s: float, chance: random.Random) -> None:
        self.in_flight = in_flight
        self._resend_s = resend_s
        self._chance = chance
        self._fresh: OrderedDict[str, deque[int]] = OrderedDict()  # the oldest clip first, and no clip without parts
        self._flights: dict[Key, _Flight] = {}
        self._later: dict[Key, float] = {}  # given up for now: when each may go again
        self._order: list[tuple[float, Key]] = []  # a heap of the same, and of some that are `_later` no more
        self._turns: dict[Key, int] = {}  # how often a part was given up while others got receipts
        self._sent: set[Key] = set()  # at some time, and without receipt
        self._lane = 0
        self._silence = 1
        self._heard = -math.inf  # when the newest receipt came

    def __len__(self) -> int:
        """How many parts it knows."""
        return sum(map(len, self._fresh.values())) + len(self._flights) + len(self._later)

    @property
    def on_their_way(self) -> int:
        """How many parts were sent and are not given up."""
        return len(self._flights)

    def offer(self, key: Key) -> None:
        """Add a part behind the others of its clip, and its clip behind the others."""
        clip, number = key
        self._fresh.setdefault(clip, deque()).append(number)

    def next(self, now: float) -> Key | None:
        """Give the part to be sent now; None where every seat is taken, or nothing waits."""
        if len(self._flights) >= self.in_flight:
            return None
        for step in range(_LANES):
            lane = (self._lane + step) % _LANES
            key = self._due(now) if lane == 2 else self._first(newest=lane == 1)
            if key is not None:
                self._lane = lane
                return key
        return None

    def send(self, key: Key, now: float) -> bool:
        """Note that a part goes out, the one that `next` gave; whether it was sent before."""
        self._lane = (self._lane + 1) % _LANES
        self._take(key)
        again = key in self._sent
        self._sent.add(key)
        self._flights[key] = _Flight(now, now + self._resend_s * self._silence, again)
        return again

    def wait(self, key: Key, until: float) -> None:
        """Let a part wait that cannot be sent now, the one that `next` gave; it is the others' turn."""
        self._lane = (self._lane + 1) % _LANES
        self._take(key)
        self._later[key] = until
        heappush(self._order, (until, key))

    def receipt(self, key: Key, now: float) -> float | None:
        """Forget a part that is safe; gives its round trip in seconds where that can be told.

        A receipt for anything else does no harm.
        """
        self._heard, self._silence = now, 1
        flight = self._flights.get(key)
        self.withdraw(key)
        return now - flight.sent if flight is not None and not flight.again else None

    def withdraw(self, key: Key) -> None:
        """Forget a part that waits no more."""
        self._flights.pop(key, None)
        self._turns.pop(key, None)
        self._sent.discard(key)
        self._take(key)

    def give_up(self, now: float) -> list[Key]:
        """Free the seats of parts that had no receipt in time, and give these; they have their turn again.

        Where others had theirs meanwhile, the part was lost, or the far end does not want it: from the second time on
        it waits, twice as long each time. Where nobody had, the far end is away or slow: then all get twice as long, by
        chance some more, lest a fleet comes at once.
        """
        late = [key for key, flight in self._flights.items() if flight.deadline <= now]
        silent = False
        for key in late:
            if self._heard > self._flights.pop(key).sent:
                turn = self._turns.get(key, 0)
                wait = self._resend_s * min(2**turn - 1, _LONGEST_REFUSAL)
                self._turns[key] = min(turn + 1, 16)
            else:
                silent = True
                wait = self._resend_s * self._silence * self._chance.uniform(0.0, 0.25)
            self._later[key] = now + wait
            heappush(self._order, (now + wait, key))
        if silent:
            self._silence = min(2 * self._silence, _LONGEST_SILENCE)
        return late

    def next_time(self) -> float:
        """Give when there is something to do, if nothing comes before; infinity where there is not."""
        deadline = min((flight.deadline for flight in self._flights.values()), default=math.inf)
        if len(self._flights) >= self.in_flight:
            return deadline
        self._tidy()
        return min(deadline, self._order[0][0] if self._order else math.inf)

    def take_back(self) -> list[Key]:
        """Give what was sent and has no receipt, in order, and leave it to the caller: the connection is a new one."""
        self._silence = 1
        back = sorted([*self._flights, *self._later])
        for key in back:
            self._flights.pop(key, None)
            self._later.pop(key, None)
        return back

    def put_back(self, keys: list[Key], now: float) -> None:
        """Let parts, given in order, wait again in front of all others; but those behind that were given up often."""
        for key in reversed(keys):
            if self._turns.get(key, 0) > 1:
                self._later[key] = now
                heappush(self._order, (now, key))
                continue
            clip, number = key
            if clip not in self._fresh:
                self._fresh[clip] = deque()
                self._fresh.move_to_end(clip, last=False)
            self._fresh[clip].appendleft(number)

    def _first(self, *, newest: bool) -> Key | None:
        if not self._fresh:
            return None
        clip = next(reversed(self._fresh) if newest else iter(self._fresh))
        return clip, self._fresh[clip][0]

    def _due(self, now: float) -> Key | None:
        self._tidy()
        return self._order[0][1] if self._order and self._order[0][0] <= now else None

    def _tidy(self) -> None:
        while self._order and self._later.get(self._order[0][1]) != self._order[0][0]:
            heappop(self._order)

    def _take(self, key: Key) -> None:
        """Take a part from where it waits."""
        self._later.pop(key, None)
        clip, number = key
        waiting = self._fresh.get(clip)
        if waiting is None:
            return
        if waiting[0] == number:
            waiting.popleft()
        elif number in waiting:
            waiting.remove(number)
        if not waiting:
            del self._fresh[clip]
