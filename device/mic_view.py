"""How `misheard mic-check` looks on a terminal: level with its peak, score against the threshold, near misses."""

from __future__ import annotations

from collections import deque

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from device.mic_check import Examination, Now
from wakeword.frames import HOP
from wakeword.sound import RATE

WIDTH = 48
"""Cells of a bar."""
_LOWEST_DBFS = -80.0
_LOUD_DBFS, _TOO_LOUD_DBFS = -12.0, -3.0
_HOLD_HOPS = 18
"""How long a peak stays: 1.4 s."""
_METER = " ▁▂▃▄▅▆▇█"
_LAST = 4
"""Lines of what happened."""


class View:
    """What is on the screen; `take` a hop, `tell` a line, then draw it with `render`."""

    def __init__(self, examination: Examination, source: str) -> None:
        self._examination, self._source = examination, source
        self._now = Now(_LOWEST_DBFS, _LOWEST_DBFS, False, tuple(0.0 for _ in examination.words))
        self._peaks: deque[float] = deque(maxlen=_HOLD_HOPS)
        self._recent: deque[float] = deque([0.0] * WIDTH, maxlen=WIDTH)
        self._lines: deque[Text] = deque(maxlen=_LAST)
        self._told = dict.fromkeys(examination.words, (0, 0))

    def take(self, now: Now) -> None:
        """Take the newest hop."""
        self._now = now
        self._peaks.append(now.peak_dbfs)
        self._recent.append(max(now.scores))
        for name, word in self._examination.words.items():
            wakes, near = self._told[name]
            if len(word.wakes) > wakes:
                self.tell(f"▲ woke on “{name}”, {word.wakes[-1].score:.2f}", "bold yellow")
            if len(word.near_misses) > near:
                missed = word.near_misses[-1]
                self.tell(f"· near miss: “{name}” {missed.score:.2f} under {word.threshold:g}", "yellow")
            self._told[name] = len(word.wakes), len(word.near_misses)

    def tell(self, text: str, style: str) -> None:
        """Add a line of what happened."""
        self._lines.append(Text.assemble((f"{self._examination.clock / RATE:7.1f} s  ", "dim"), (text, style)))

    def render(self) -> RenderableType:
        """The screen."""
        level = self._examination.level()
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", style="dim")
        table.add_column(no_wrap=True)
        table.add_column(justify="right", min_width=12)
        table.add_row("level", self._level_bar(), f"{self._now.dbfs:.0f} dBFS")
        for (name, word), score in zip(self._examination.words.items(), self._now.scores, strict=True):
            table.add_row(name, score_bar(score, word.threshold), f"{score:.2f} of {word.threshold:g}")
        table.add_row("", Text("".join(_METER[min(8, round(score * 8))] for score in self._recent), style="yellow"), "")
        voice = Text("● somebody speaks", "bold cyan") if self._now.speech else Text("○ nobody speaks", "dim")
        table.add_row("", voice, "")
        figures = Table.grid(padding=(0, 3))
        figures.add_row(
            _figure("noise floor", level.floor_dbfs, "dBFS"),
            _figure("speech", level.speech_dbfs, "dBFS"),
            _figure("over the noise", level.snr_db, "dB"),
            Text(f"clipped {level.clipped}", "bold red" if level.clipped else "dim"),
            Text(f"offset {level.offset:+.1%}", "dim"),
        )
        parts: list[RenderableType] = [table, Text(), figures]
        if self._lines:
            parts += [Text(), *self._lines]
        seconds = self._examination.clock / RATE
        title = Text.assemble((" " + self._source, "bold"), (f"  {seconds:.0f} s ", "dim"))
        return Panel(Group(*parts), title=title, title_align="left", border_style="dim", expand=False, padding=(1, 2))

    def _level_bar(self) -> Text:
        filled, held = _cell(self._now.dbfs), _cell(max(self._peaks, default=_LOWEST_DBFS))
        bar = Text()
        for cell in range(WIDTH):
            dbfs = _LOWEST_DBFS * (1 - (cell + 1) / WIDTH)
            style = "red" if dbfs > _TOO_LOUD_DBFS else "yellow" if dbfs > _LOUD_DBFS else "green"
            mark = "█" if cell < filled else "┃" if held and cell == held - 1 else "─"
            bar.append(mark, style if mark != "─" else "bright_black")
        return bar


def _cell(dbfs: float) -> int:
    return max(0, min(WIDTH, round(WIDTH * (1 - dbfs / _LOWEST_DBFS))))


def score_bar(score: float, threshold: float) -> Text:
    """A bar from 0 to 1 with a mark at the threshold."""
    filled, mark = round(WIDTH * min(1.0, score)), min(WIDTH - 1, round(WIDTH * threshold))
    bar = Text()
    for cell in range(WIDTH):
        if cell == mark:
            bar.append("┃", "bold white")
        elif cell < filled:
            bar.append("█", "bold yellow" if score >= threshold else "cyan")
        else:
            bar.append("─", "bright_black")
    return bar


def _figure(name: str, value: float | None, unit: str) -> Text:
    shown = "–" if value is None else f"{value:.0f} {unit}"
    return Text.assemble((f"{name} ", "dim"), shown)


def summary(examination: Examination) -> RenderableType:
    """What it came to, and what to do."""
    level = examination.level()
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_column(style="dim")
    spoken = f"speech in {examination.spoken_hops * HOP / RATE:.1f} s of it" if examination.spoken_hops else "no speech"
    table.add_row("heard", f"{level.seconds:.1f} s, {spoken}")
    for name, value, unit in (
        ("level", level.rms_dbfs, "dBFS"),
        ("peak", level.peak_dbfs, "dBFS"),
        ("noise floor", level.floor_dbfs, "dBFS"),
        ("speech", level.speech_dbfs, "dBFS"),
        ("speech over the noise", level.snr_db, "dB"),
    ):
        table.add_row(name, "–" if value is None else f"{value:.1f} {unit}")
    table.add_row("clipped", f"{level.clipped} samples")
    table.add_row("offset", f"{level.offset:+.2%} of full scale")
    for name, word in examination.words.items():
        counts = f"wakes {len(word.wakes)}, near misses {len(word.near_misses)}"
        table.add_row(f"“{name}”", f"{counts}, highest {word.highest:.3f} against {word.threshold:g}")
    found = examination.advice()
    lines = [Text(f"→ {each}", "yellow") for each in found] or [Text("✓ nothing to mend", "green")]
    return Group(table, Text(), *lines)
