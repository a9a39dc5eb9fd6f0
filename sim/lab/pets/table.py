"""The study's settings and our devices, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from sim.lab.pets.report import Line, StudyReport
from sim.lab.tables import rate, share


def lines_table(lines: Sequence[Line]) -> Table:
    """Distinct activations with their rate, the worst show, and how many are of low, medium and high repeatability."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("device", "events", "an hour", "worst show", "low/med/high"):
        table.add_column(name)
    for line in lines:
        every, worst = line.all_shows, line.worst
        most = f"{shorten(worst.show, 20, placeholder='…')} {worst.per_hour:.3f}" if worst.events else "-"
        kinds = "/".join(str(each.events) for each in line.classes)
        cells = (line.label, str(every.events), rate(every.per_hour, every.per_hour_interval), most)
        table.add_row(*map(Text, (*cells, kinds if any(each.events for each in line.classes) else "-")))
    return table


def told(report: StudyReport) -> list[str]:
    """The figures that were published, or that sum it up, as sentences."""
    setting, most = report.maximum
    per_day = report.per_day["us"]
    above = [c for s, c in report.cells if not s.published and c.show and c.per_hour > most.per_hour]
    sentences = [
        f"highest: {setting.label}, {most.show}: {most.events} in {most.hours:.2f} h, {most.per_hour:.3f} an hour, "
        f"{most.per_10000_words:.3f} per 10,000 words",
        f"an Echo: {per_day.per_day:.2f} a day ({per_day.interval.low:.2f} to {per_day.interval.high:.2f}), "
        f"{per_day.activations} in {per_day.device_days:.2f} device-days, each pass by itself",
        f"light on for 0 to 1 s: {share(report.short.share, report.short.interval)}; "
        f"for 5 to 6 s: {share(report.long.share, report.long.interval)}",
    ]
    if above:
        most_of_all = max(each.per_hour for each in above)
        cells = "cell" if len(above) == 1 else "cells"
        sentences.append(
            f"passes 2a and 2b of other speakers: {len(above)} higher {cells}, up to {most_of_all:.3f} an hour"
        )
    return sentences
