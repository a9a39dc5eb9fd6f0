"""How long a stream of sound has been away: its clock goes on by the monotonic one, in ever longer steps."""

from __future__ import annotations

from wakeword.sound import RATE

_SHORTLY_S = 0.5
"""So much is not counted yet while it lasts: the first sound after it may already be on its way."""
_FIRST_S, _MOST_S = 1.0, 60.0


class Absence:
    """Counts what is lost, in samples; nothing is counted twice."""

    def __init__(self, since_s: float) -> None:
        """`since_s`: the end of what was heard, on the monotonic clock."""
        self._since_s = since_s
        self._due_s = _FIRST_S
        self.counted = 0

    def step(self, now_s: float) -> int:
        """Count what is due while it lasts, mostly nothing: after 1, 2, 4 s and so on, later once a minute."""
        away_s = now_s - self._since_s - _SHORTLY_S
        if away_s < self._due_s:
            return 0
        self._due_s = away_s + min(away_s, _MOST_S)
        return self._count(away_s)

    def end(self, back_s: float) -> int:
        """Count the rest: the first sound after it was captured at `back_s`."""
        return self._count(back_s - self._since_s)

    def _count(self, away_s: float) -> int:
        lost = max(0, round(away_s * RATE) - self.counted)
        self.counted += lost
        return lost
