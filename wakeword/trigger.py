"""From scores to wakes: pure arithmetic on raw scores and sample indices."""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class TriggerSettings:
    """When a run of scores is a wake. Raises ValueError for settings that contradict each other.

    `threshold` (0 to 1) must be reached on `patience_hops` hops in a row. After a wake the trigger is spent until the
    score has fallen under ``threshold - hysteresis`` and `refractory` samples have passed since it woke. A peak that
    does not wake and reaches ``threshold - near_miss_margin`` is a near miss; peaks closer than `near_miss_settle`
    samples are one, and none where a wake follows them so soon: then they were its beginning. Margin and hysteresis
    reach down to half the threshold at most, so that a low threshold still has scores under them.
    """

    threshold: float = 0.5
    patience_hops: int = 1
    hysteresis: float = 0.1
    refractory: int = 32_000
    near_miss_margin: float = 0.2
    near_miss_settle: int = 16_000

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ValueError(f"the threshold must lie above 0 and at most at 1, not at {self.threshold}")
        if self.patience_hops < 1 or min(self.refractory, self.near_miss_settle) < 0:
            raise ValueError("patience must be at least one hop, refractory and settling time not negative")
        if min(self.hysteresis, self.near_miss_margin) < 0:
            raise ValueError("hysteresis and near-miss margin must not be negative")

    @property
    def rearm_below(self) -> float:
        """The score under which a word that woke is over."""
        return self.threshold - min(self.hysteresis, self.threshold / 2)

    @property
    def near_miss_from(self) -> float:
        """The lowest peak that is a near miss."""
        return self.threshold - min(self.near_miss_margin, self.threshold / 2)


@dataclass(frozen=True)
class Detection:
    """A wake (`woke`) or a near miss: `sample` is the end of the hop that decided it, `peak_sample` of the highest.

    `raised`: the threshold at the peak, where it stood above that of the settings.
    """

    woke: bool
    sample: int
    score: float
    peak_sample: int
    raised: float | None = None


@dataclass
class Trigger:
    """Takes one score a hop and says when the device wakes. A sustained word wakes once."""

    settings: TriggerSettings = field(default_factory=TriggerSettings)
    _above: int = field(default=0, init=False)
    _spent: bool = field(default=False, init=False)
    _fading: bool = field(default=False, init=False)
    _woke_at: int | None = field(default=None, init=False)
    _peak: tuple[float, int, float | None] | None = field(default=None, init=False)
    _held: Detection | None = field(default=None, init=False)

    def push(self, score: float, end: int, bar: float = 0.0) -> Detection | None:
        """Take the score (0 to 1) of the hop that ends at sample `end` (exclusive); give what it decides, if anything.

        Where `bar` is above the threshold of the settings it takes its place for this hop. A near miss is given when
        its peak is over: when the score has left the margin again, and has settled. How a word that woke fades away is
        none.
        """
        over = score < self.settings.near_miss_from
        if score < self.settings.rearm_below:
            self._spent = False
        if self._spent or (self._woke_at is not None and end - self._woke_at < self.settings.refractory):
            self._above, self._peak = 0, None
            self._fading = self._fading and not over
            return None
        raised = bar if bar > self.settings.threshold else None
        if self._peak is None or score > self._peak[0]:
            self._peak = (score, end, raised)
        self._above = self._above + 1 if score >= (raised or self.settings.threshold) else 0
        if self._above >= self.settings.patience_hops:
            peak, peak_sample, at = self._peak
            self._above, self._peak, self._held, self._woke_at = 0, None, None, end
            self._spent = self._fading = True
            return Detection(True, end, peak, peak_sample, at)
        if over:
            self._hold(end)
        if self._held is None or not over or end - self._held.sample < self.settings.near_miss_settle:
            return None
        held, self._held = self._held, None
        return replace(held, sample=end)

    def _hold(self, end: int) -> None:
        """A run of scores has left the margin: keep it if it was in it, or the higher of it and what is kept."""
        peak, self._peak, self._above = self._peak, None, 0
        faded, self._fading = self._fading, False
        if peak is None or faded or peak[0] < self.settings.near_miss_from:
            return
        held = self._held
        if held is not None and held.score > peak[0]:
            peak = (held.score, held.peak_sample, held.raised)
        self._held = Detection(False, end, *peak)

    def flush(self, end: int) -> Detection | None:
        """Give the near miss under way, if any, and start anew: for the end of a stream, or a pause in listening."""
        self._hold(end)
        held, self._held = self._held, None
        return held and replace(held, sample=end)

    def take_back(self) -> None:
        """What it took for the word was none: it is spent as after a wake, but for no refractory time."""
        self._woke_at = None

    def rearm(self) -> None:
        """Forget the scores so far but not the refractory time: for a stream that was interrupted."""
        self._above, self._peak, self._held = 0, None, None
        self._spent = self._fading = False
