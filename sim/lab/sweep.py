"""A sweep: its rows, the table they become, and how often what is varied went with which outcome."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from device.errors import DeviceError
from sim.errors import LabError, SimError
from sim.lab.design import Design, Range, Sweep
from sim.lab.intervals import wilson
from sim.lab.ledger import Ledger
from sim.lab.models import files_of
from sim.lab.parquet import column_type
from sim.lab.trial import OUTCOMES, Base, base, prepared
from wakeword.errors import WakewordError

STRETCHES = 8
"""In how many a range of draws is counted."""

SHARES = ("woke", "sent", "misdirected")
"""Outcomes that are counted for each value of what is varied."""


def designed(sweep: Sweep) -> Design:
    """Load what the sweep names, and try every value once; raises LabError for one that cannot be."""
    bases: dict[tuple[str, str | None, str | None], Base] = {}
    try:
        for scenario in sweep.scenarios:
            for profile in sweep.profile or (None,):
                for cloud in sweep.cloud or (None,):
                    bases[scenario, profile, cloud] = base(scenario, profile, cloud)
        design = Design(sweep, bases)
        for trial in dict.fromkeys(design.probes()):
            prepared(trial)
    except (SimError, DeviceError) as error:
        raise LabError(str(error)) from None
    return design


def plan(sweep: Sweep, design: Design) -> dict[str, Any]:
    """Everything that a row depends on, but its number."""
    told = sweep.model_dump(mode="json")
    if sweep.random is not None:  # a row is the same however many are drawn: more may be asked for later
        del told["random"]["rows"]
    files: dict[str, list[Any]] = {"engines": [], "second_looks": []}
    for trial in design.listeners():
        with suppress(SimError, DeviceError, WakewordError):  # rows of what is not here say so themselves
            for what, those in files_of(prepared(trial)).items():
                files[what] += [each for each in those if each not in files[what]]
    return {"sweep": told, "content": design.content, **files}


def columns(sweep: Sweep) -> dict[str, type]:
    """The columns of the table with their types."""
    varied = {key: column_type(values) for key, values in sweep.dimensions.items()}
    for key, field in sweep.fields.items():
        if isinstance(field, Range):
            varied[key] = int if field.whole else float
    return {"row": int, **varied, "profile": str, "cloud": str, **OUTCOMES}


def rows(design: Design, ledger: Ledger) -> Iterator[dict[str, Any]]:
    """Each row of the table, in order."""
    for number, result in enumerate(ledger.results()):
        yield {"row": number, **design.row(number), **result}


def counted(sweep: Sweep, found: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """By what is varied: for each of its values how many rows there are and the share of each of `SHARES`.

    Shares come with Wilson's interval; rows that could not be played do not count.
    """
    several = {key: values for key, values in sweep.dimensions.items() if len(values) > 1 and key != "seed"}
    counts: dict[str, dict[str, dict[str, int]]] = {key: defaultdict(lambda: defaultdict(int)) for key in several}
    for row in found:
        if row["error"] is not None:
            continue
        for key in several:
            cell = counts[key][_label(sweep, key, row[key])]
            cell["rows"] += 1
            for share in SHARES:
                cell[share] += bool(row[share])
    return {
        key: [_shares(label, counts[key][label]) for label in _labels(sweep, key, values) if counts[key][label]["rows"]]
        for key, values in several.items()
    }


def _shares(label: str, cell: Mapping[str, int]) -> dict[str, Any]:
    of = {share: cell.get(share, 0) for share in SHARES}
    told = {share: {"share": n / cell["rows"], "interval": wilson(n, cell["rows"])} for share, n in of.items()}
    return {"value": label, "rows": cell["rows"], **told}


def _labels(sweep: Sweep, key: str, values: Sequence[Any]) -> list[str]:
    field = sweep.fields.get(key)
    if isinstance(field, Range) and field.steps is None:
        return [_stretch(field, number) for number in range(STRETCHES)]
    return [_label(sweep, key, value) for value in values]


def _label(sweep: Sweep, key: str, value: Any) -> str:
    field = sweep.fields.get(key)
    if isinstance(field, Range) and field.steps is None:
        inside = [n for n in range(STRETCHES) if value >= field.at(n / STRETCHES)]
        return _stretch(field, max(inside, default=0) if value < field.high else STRETCHES - 1)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _stretch(field: Range, number: int) -> str:
    return f"{field.at(number / STRETCHES):.4g} to {field.at((number + 1) / STRETCHES):.4g}"
