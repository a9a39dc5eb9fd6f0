"""Whose turn it is: a script whose lines wait for pauses, for prompts, and for people who listen. Pure.

Time is handed in. `Turns.due` says when the next line begins as things stand; whoever runs the home comes back then,
asks `hold` whether the speaker is listening to a prompt instead, and tells of what was said and heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from sim.scenario import Line, Scenario
from sim.scenario.timing import MS

WAIT_MS = 10_000
"""How long a prompt is waited for where the scenario does not say."""

NOTICE_MS = 200
"""A prompt that has sounded for less holds nobody up. Assumed: what it takes to notice and to hold one's tongue."""


@dataclass
class Prompt:
    """A prompt that a device plays; its end moves forward where it is broken off."""

    number: int
    device: str
    text: str
    begin: int
    end: int


@dataclass
class _Next:
    """The line that comes next: after ``gap`` from ``since``, or at ``at``."""

    line: Line
    at: int | None = None
    """An absolute sample: of the script, or of a reaction whose prompt was heard."""
    held_by: Prompt | None = None
    floor: int = 0


@dataclass
class Turns:
    """The state of a script that is being played."""

    scenario: Scenario
    said_end: int = 0
    """End of everything that people have said or begun to say."""
    _queue: deque[_Next] = field(init=False)
    _armed: list[Line] = field(default_factory=list)
    _busy: dict[str, int] = field(default_factory=dict)
    _recent: list[tuple[Prompt, str]] = field(default_factory=list)
    """Prompts and who heard them, since somebody last said something that was no reaction."""
    _answered: set[tuple[int, str]] = field(default_factory=set)
    """Prompts and who has reacted to them."""

    def __post_init__(self) -> None:
        lines = self.scenario.script
        at = [None if line.at_ms is None else line.at_ms * MS for line in lines]
        self._queue = deque(_Next(line, when) for line, when in zip(lines, at, strict=True))
        self._arm()

    @property
    def done(self) -> bool:
        """Whether everything has been said; reactions that nobody waits for may still come."""
        return not self._queue

    @property
    def next(self) -> Line:
        """The line that comes next."""
        return self._queue[0].line

    def due(self, playing: Sequence[Prompt]) -> int | None:
        """The sample at which the next line begins, or is given up if it waits for a prompt; None where none is left.

        ``playing``: the prompts whose ends are still to come.
        """
        if not self._queue:
            return None
        coming = self._queue[0]
        line, gap = coming.line, coming.line.gap * MS
        if self._waits(coming):
            wait = WAIT_MS if line.wait_ms is None else line.wait_ms
            return max([self.said_end + wait * MS, *(prompt.end for prompt in playing)])
        when = self.said_end + gap if coming.at is None else coming.at
        if coming.held_by is not None:
            when = max(when, coming.held_by.end + max(gap, 0))
        return max(when, coming.floor, self._busy.get(line.who, 0))

    def gives_up(self) -> bool:
        """Whether what is due is not the next line, but the end of waiting for a prompt."""
        return self._waits(self._queue[0])

    def give_up(self, now: int) -> None:
        """Leave the line out for which no prompt came."""
        self._queue.popleft()
        self._go_on(now)

    def listens(self, now: int, playing: Sequence[Prompt]) -> Prompt | None:
        """The prompt, if any, that the next speaker would rather hear to its end, if it is heard at all."""
        who = self.scenario.people[self.next.who]
        noticed = [prompt for prompt in playing if prompt.begin + NOTICE_MS * MS <= now < prompt.end]
        return noticed[-1] if noticed and who.on_prompt != "ignore" else None

    def hold(self, prompt: Prompt) -> None:
        """Let the next line wait for the end of a prompt."""
        self._queue[0].held_by = prompt

    def say(self, begin: int, end: int) -> Line:
        """The next line is said from ``begin`` to ``end``."""
        line = self._queue.popleft().line
        self._busy[line.who] = end
        self.said_end = max(self.said_end, end)
        if line.when_heard is None:
            self._recent.clear()
        self._go_on(begin)
        return line

    def heard(self, prompt: Prompt, who: str) -> None:
        """Somebody has heard a prompt, which has just ended; tell in the order of the scenario's people."""
        self._recent.append((prompt, who))
        ready = next((line for line in self._armed if self._answers(line, prompt, who)), None)
        if ready is None:
            self._react(prompt.end)
            return
        self._armed.remove(ready)
        self._answered.add((prompt.number, who))
        before = sum(coming.line.when_heard is not None and coming.at is not None for coming in self._queue)
        self._queue.insert(before, _Next(ready, prompt.end + ready.gap * MS))

    def _go_on(self, now: int) -> None:
        self._arm()
        if self._queue:
            self._queue[0].floor = max(self._queue[0].floor, now)
            self._react(self.said_end)

    def _arm(self) -> None:
        """Reactions that nobody waits for stand ready from here on, beside what comes next."""
        while self._queue and self._queue[0].at is None and self._queue[0].line.wait_ms == 0:
            self._armed.append(self._queue.popleft().line)

    def _react(self, since: int) -> None:
        """Let the next line, if it waits for a prompt, have one that its speaker has heard and not yet reacted to."""
        if not self._queue or not self._waits(self._queue[0]):
            return
        line = self._queue[0].line
        for prompt, who in self._recent:
            if who == line.who and self._answers(line, prompt, who):
                self._answered.add((prompt.number, who))
                self._queue[0].at = since + line.gap * MS
                return

    def _answers(self, line: Line, prompt: Prompt, who: str) -> bool:
        words = line.when_heard or ""
        fits = words == "*" or words.casefold() in prompt.text.casefold()
        return line.who == who and fits and (prompt.number, who) not in self._answered

    @staticmethod
    def _waits(coming: _Next) -> bool:
        return coming.line.when_heard is not None and coming.at is None
