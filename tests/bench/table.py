"""The table: two lines for each row, so that it fits a terminal and a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.bench.figure import Figure, Row

_PLAIN_WIDTH = 160

_LEGEND = (
    "Medians, and under them the lowest to the highest round. Each round measures misheard and its peer in turn; the\n"
    "ratio is of the two in one round, and above 1 misheard is ahead. Scoring and firmware run on one core. An aim is\n"
    "no threshold: nothing passes or fails here."
)


def print_table(machine: Mapping[str, str], rows: Sequence[Row]) -> None:
    """Print the machine, the rows, and how to read them; drawn on a terminal, plain in a pipe."""
    console = Console(highlight=False, markup=False)
    drawn = console.is_terminal
    if not drawn:
        console.width = _PLAIN_WIDTH
    for name, value in machine.items():
        console.print(f"{name:<13} {value}", soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD if drawn else None, padding=(0, 1), pad_edge=False)
    table.add_column("what", min_width=max((len(row.what) for row in rows), default=0))
    for heading in ("misheard", "beside it", "ratio", "aim"):
        table.add_column(heading)
    for row in rows:
        table.add_row(*(Text("\n").join(cell) for cell in _cells(row)))
    with console.capture() as lines:
        console.print(table)
    text = "\n".join(line.rstrip() for line in lines.get().splitlines()).strip("\n")
    print(f"\n{text}\n")  # drawn already
    console.print(_LEGEND, soft_wrap=True)


def _cells(row: Row) -> list[list[Text]]:
    theirs = _lines(row.theirs, row.unit)
    theirs[0].append(f" {row.peer}".rstrip() if row.theirs else row.peer)
    what = [Text(row.what), Text(row.remark, "dim")]
    return [what, _lines(row.ours, row.unit), theirs, _lines(row.ratio), [Text(row.aim)]]


def _lines(figure: Figure | None, unit: str = "") -> list[Text]:
    """The median, and the spread under it."""
    if figure is None:
        return [Text(), Text()]
    spread = f"{_number(min(figure.values))} to {_number(max(figure.values))}" if len(figure.values) > 1 else ""
    return [Text(f"{_number(figure.median)} {unit}".rstrip()), Text(spread, "dim")]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
