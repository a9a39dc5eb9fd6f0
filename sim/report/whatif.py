"""The table of what-ifs: each safeguard tried on the same evening, and where the chain then ended."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.report.wording import count, listing, long, plain


class Tried(BaseModel):
    """A row: what was changed, and what came of it. What is None was not reached, or is not known.

    `stopped`: the station at which it ended, or a word for what ended it. `missing`: it could not be played, and what
    must be installed for that.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    name: str
    value: str | int | float | bool | None = None
    shows: str = ""
    woke: bool | None = None
    uploaded_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    verified: bool | None = None
    intent: str | None = None
    contact: str | None = None
    confirmed: bool | None = None
    sent: bool = False
    misdirected: bool = False
    heard_by: list[str] | None = None
    false_wakes: Annotated[int, Field(ge=0)] | None = None
    stopped: str = ""
    missing: str | None = None

    @property
    def title(self) -> str:
        """What was changed, as on the command line."""
        return self.name if self.value in (None, "") else f"{self.name}={self.value}"


class Cell(NamedTuple):
    """What a row says in a column: `look` is a key of ABOUT."""

    look: str
    text: str


STAGES = ("woke", "second look", "request", "contact", "confirmed", "message")
"""The stations of the chain, which are columns of the table."""

NAMES = {"wake": 0, "second look": 1, "request": 2, "contact": 3, "confirmation": 4, "message": 5}
"""What rows call the stations in `stopped`."""

MARKS = {"on": "●", "end": "■", "skip": "○", "off": "·"}
"""Shapes, so that nobody needs the colours."""

ABOUT = {"on": "went on", "end": "ended here", "skip": "skipped", "off": "not reached"}
"""What they mean."""


def read_tried(rows: Sequence[Any]) -> tuple[tuple[Tried, ...], int]:
    """Give the rows that are whole, and how many are not."""
    whole = []
    for row in rows:
        try:
            whole.append(Tried.model_validate(row))
        except ValidationError:
            continue
    return tuple(whole), len(rows) - len(whole)


def stages(row: Tried) -> tuple[Cell, ...]:
    """Give what happened at each station: it went on, it was skipped, it ended there; after that there is nothing."""
    found = [
        _decided(row.woke, "yes", "no"),
        _decided(row.verified, "passed", "stopped it"),
        _named(row.intent),
        _named(row.contact),
        _decided(row.confirmed, "yes", "no"),
        Cell("on", _sent(row)) if row.sent else OFF,
    ]
    last = max((place for place, cell in enumerate(found) if cell.look != "off"), default=-1)
    found[: max(0, last)] = [Cell("skip", "none") if cell.look == "off" else cell for cell in found[: max(0, last)]]
    if row.sent:
        return tuple(found)
    end = NAMES.get(row.stopped) if row.stopped in NAMES else _first_end(found)
    if end is None:  # it ended between two stations: at the first that it did not reach
        end = last + 2 if STAGES[last + 1] == "second look" else last + 1
    ahead = [cell if cell.look == "on" else Cell("skip", cell.text or "none") for cell in found[:end]]
    return (*ahead, Cell("end", found[end].text or _why(row)), *[OFF] * (len(found) - end - 1))


def _why(row: Tried) -> str:
    if row.stopped in NAMES:
        return "no answer" if row.stopped == "confirmation" else "none"
    return plain(row.stopped) or "not reached"


def _first_end(found: Sequence[Cell]) -> int | None:
    return next((place for place, cell in enumerate(found) if cell.look == "end"), None)


OFF = Cell("off", "")


def _decided(value: bool | None, yes: str, no: str) -> Cell:
    return OFF if value is None else Cell("on", yes) if value else Cell("end", no)


def _named(name: str | None) -> Cell:
    if name is None:
        return OFF
    return Cell("end", "none") if name in ("", "none") else Cell("on", plain(name))


def _sent(row: Tried) -> str:
    return "" if not row.sent else "sent, not meant" if row.misdirected else "sent"


def question(rows: Sequence[Tried]) -> str:
    """The title of the table."""
    astray = bool(rows) and rows[0].sent and rows[0].misdirected
    return "What would have stopped it" if astray else "The same evening with other settings"


def verdict(rows: Sequence[Tried]) -> str:
    """Say in a sentence how many of the changes kept the message from being sent; empty where none was sent."""
    played = [row for row in rows[1:] if row.missing is None]
    if not played or not rows[0].sent:
        return ""
    kept = [row for row in played if not row.sent]
    silent = sum(row.woke is False for row in kept)
    told = f"With {len(kept)} of {count(len(played), 'change')} no message was sent"
    return f"{told}, with {silent} of them because the device did not wake at all." if silent else f"{told}."


def table(rows: Sequence[Tried]) -> str:
    """Give the table as HTML; empty where nothing was tried."""
    if not rows:
        return ""
    names = ("what if", *STAGES, "heard by", "left the home", "false wakes")
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    body = "".join(_row(row, first=not number) for number, row in enumerate(rows))
    said = f"<p>{escape(verdict(rows))}</p>" if verdict(rows) else ""
    key = "".join(
        f'<span class="{look}">{MARKS[look]} {about}</span>' for look, about in ABOUT.items() if look != "off"
    )
    return (
        f'{said}<div class="scroll" tabindex="0" role="region" aria-labelledby="whatif-title"><table class="whatif">'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        f'<p class="key" aria-hidden="true">{key}</p>'
    )


def _row(row: Tried, first: bool) -> str:
    shows = f"<small>{escape(row.shows)}</small>" if row.shows else ""
    fate = f'<small class="fate">{escape(_fate(row))}</small>'  # for narrow screens, where the rest is out of sight
    head = f'<th scope="row">{escape(row.title)}{shows}{fate}</th>'
    if row.missing is not None:
        return f'<tr>{head}<td colspan="9">not played: it needs <code>{escape(row.missing)}</code></td></tr>'
    cells = stages(row)
    drawn = "".join(map(_cell, cells))
    heard = "" if row.heard_by is None else listing(row.heard_by) or "nobody"
    left = "" if row.uploaded_s is None else long(row.uploaded_s)
    wakes = "" if row.false_wakes is None else str(row.false_wakes)
    rest = "".join(f'<td class="fact">{escape(text)}</td>' for text in (heard, left, wakes))
    look = ("astray" if row.misdirected else "sent") if row.sent else "kept"
    return f'<tr class="{look}{" as-it-was" if first else ""}">{head}{drawn}{rest}</tr>'


def _fate(row: Tried) -> str:
    if row.missing is not None:
        return "not played"
    if row.sent:
        return f"{MARKS['on']} {_sent(row)}"
    end = next(place for place, cell in enumerate(stages(row)) if cell.look == "end")
    return f"{MARKS['end']} ended at: {list(NAMES)[end]}"


def _cell(cell: Cell) -> str:
    return (
        f'<td class="stage {cell.look}"><i aria-hidden="true">{MARKS[cell.look]}</i>'
        f'<span class="sr">{ABOUT[cell.look]}: </span>{escape(cell.text)}</td>'
    )
