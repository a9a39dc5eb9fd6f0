"""Rates for people: a number never without its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from sim.lab.compare import Difference
from sim.lab.detection import Delays, Wished
from sim.lab.evaluate import Row
from sim.lab.intervals import Interval


def share(value: float | None, interval: Interval) -> str:
    """``2.4 % (0.4 to 12.6)``."""
    if value is None:
        return "-"
    return f"{100 * value:.1f} % ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def rate(value: float | None, interval: Interval, digits: int = 2) -> str:
    """``0.40 (0.11 to 1.02)``; none at all is ``0 (at most 3.69)``."""
    if value is None:
        return "-"
    if value == 0:
        return f"0 (at most {interval.high:.{digits}f})"
    return f"{value:.{digits}f} ({interval.low:.{digits}f} to {interval.high:.{digits}f})"


def wished(found: Wished) -> str:
    """``0.52 (0.31 to 0.90)``; bounds that this sound does not show are left open."""
    if found.threshold is None:
        return "not reached"
    low = "-" if found.low is None else f"{found.low:g}"
    return f"{found.threshold:g} ({low} to {'not shown' if found.high is None else format(found.high, 'g')})"


def delay(found: Delays | None) -> str:
    """``80 ms (-40 to 160)``, the median and the middle 90 %."""
    return "-" if found is None else f"{found.median_ms:.0f} ms ({found.p5_ms:.0f} to {found.p95_ms:.0f})"


def rates_table(rows: Sequence[Row]) -> Table:
    """What each engine does at its own threshold, a line for each condition and voice there is."""

    def cells(row: Row) -> list[str]:
        point, at = row.evaluation.point, row.evaluation.at
        missed = f"{point.misses}/{point.words}: {share(at.miss_rate, at.miss_interval)}" if point.words else "-"
        false = rate(at.false_per_hour, at.false_interval)
        return [
            f"{at.threshold:g}",
            missed,
            f"{point.false_wakes} in {point.hours:.2f} h: {false}" if point.hours else "-",
        ]

    return _by_row(rows, ["at", "missed", "false wakes an hour"], cells)


def thresholds_table(rows: Sequence[Row], per_hour: float) -> Table:
    """Which threshold keeps to the wished-for rate, and how soon words are answered."""

    def cells(row: Row) -> list[str]:
        found = row.evaluation
        return [wished(found.wished) if found.point.hours else "-", delay(found.delay)]

    return _by_row(rows, [f"threshold for {per_hour:g} false wakes an hour", "delay after the word"], cells)


def _by_row(rows: Sequence[Row], names: Sequence[str], cells: Callable[[Row], list[str]]) -> Table:
    """A line each; a condition or voice is named where there are several."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    conditions, voices = len({row.condition for row in rows}) > 1, len({row.voice for row in rows}) > 1
    for name, shown in (("engine", True), ("condition", conditions), ("voice", voices)):
        if shown:
            table.add_column(name, overflow="fold")
    for name in names:
        table.add_column(name)
    for row in rows:
        about = [row.engine, *([row.condition] if conditions else []), *([row.voice or "all"] if voices else [])]
        table.add_row(*map(Text, [*about, *cells(row)]))
    return table


def difference_table(rows: Sequence[Difference]) -> Table:
    """One line a pair and measure, under each condition where there are several."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    several = len({row.condition for row in rows}) > 1
    for name in ("condition", "engines", "at", "difference of", "is", "shown"):
        if name != "condition" or several:
            table.add_column(name, no_wrap=name == "engines")
    for row in rows:
        factor, unit = (100, " %") if row.measure == "miss rate" else (1, "")
        low, high = factor * row.interval.low, factor * row.interval.high
        told = f"{factor * row.difference:+.2f}{unit} ({low:+.2f} to {high:+.2f})"
        cells = [f"{row.one} - {row.other}", row.at, row.measure, told, "yes" if row.shown else "no"]
        table.add_row(*map(Text, [row.condition, *cells] if several else cells))
    return table
