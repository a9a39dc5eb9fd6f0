"""What was estimated of a fleet, for a terminal and as plain values; never a figure without its interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from sim.lab.fleet.estimate import Estimates, Figure, Link
from sim.lab.fleet.fleet import Fleet
from sim.lab.fleet.population import Population
from sim.lab.intervals import Interval

PETS_RATE, PETS = 3.13, Interval(2.67, 3.61)
"""False wakes of an Echo in a day of television (PETS 2020, each pass by itself); `misheard lab pets` counts them."""

_KINDS = {"talk": "while people talk", "television": "while television is on", "requests": "about requests"}
PROBABILITY = (
    "These are probabilities over synthetic talk by synthetic voices in this population, not over homes of people: "
    "nobody knows how often people say such things."
)
MESSAGES_MEAN = (
    "Misdirected messages: those that come of a false wake, where nobody asked for one. Their upper bound is the "
    "largest product of links that what was seen does not speak against; it takes for granted that what comes through "
    "a link unseen goes on as what was seen to. Without that it is {} in 1,000,000 days."
)


def number(value: float, digits: int = 3) -> str:
    """So many digits that count: ``0.0123``, ``1.23``, ``12,300``; with an exponent what is under 0.0001."""
    if not value:
        return "0"
    if abs(value) >= 10 ** (digits - 1):
        rounded = float(f"{value:.{digits}g}")
        return f"{rounded:,.0f}"
    return f"{value:.{digits}g}"


def told(value: float, interval: Interval) -> str:
    """``1.23 (0.8 to 2.1)``; none seen is ``none seen (at most 3.69)``."""
    if not value:
        return f"none seen (at most {number(interval.high)})"
    return f"{number(value)} ({number(interval.low)} to {number(interval.high)})"


def figures_table(found: Estimates, policy: str) -> Table:
    """What a manufacturer would see."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("of a device and day", "estimate (95 %)", "plays with any, worth"):
        table.add_column(name, overflow="fold")

    def add(name: str, figure: Figure) -> None:
        worth = f"{figure.seen}, {figure.effective:.1f}" if figure.seen else "0"
        table.add_row(*map(Text, [name, told(figure.value, figure.interval), worth]))

    add("false wakes", found.false_wakes)
    for kind, figure in found.by_kind.items():
        add(f"  {_KINDS[kind]}", figure)
    if found.television_day is not None:
        add("false wakes in a day of nothing but television", found.television_day)
        pets = f"{number(PETS_RATE)} ({number(PETS.low)} to {number(PETS.high)})"
        table.add_row("  an Echo of 2020, measured (PETS 2020)", pets, "")
    add("seconds uploaded", found.uploaded_s)
    add(f"clips drawn for review in 1,000 days ({policy})", scaled(found.drawn, 1000))
    add("misdirected messages in 1,000,000 days", found.messages)
    if found.plays["requests"]:
        add("  the same of somebody's request, in 1,000,000 days", found.after_requests)
    return table


def links_table(links: tuple[Link, ...]) -> Table:
    """The chain from a false wake to a message."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("link", "plays", "given the link before (95 %)", "of a device and day (95 %)"):
        table.add_column(name, overflow="fold")
    for at, link in enumerate(links):
        given = f"{link.name} | {links[at - 1].name}" if at else "false wake"
        share = "-" if link.share is None or not at else told(link.share, link.interval)
        rate = "-" if not link.came else told(link.rate.value, link.rate.interval)
        table.add_row(*map(Text, [given, f"{link.held}/{link.came}", share, rate]))
    return table


def scaled(figure: Figure, by: float) -> Figure:
    """The same of so many device-days."""
    low, high = figure.interval
    return figure._replace(value=by * figure.value, interval=Interval(by * low, by * high))


def notes(population: Population, fleet: Fleet, found: Estimates, threshold: float) -> list[str]:
    """What the figures are of, and what they rest on."""
    plays = ", ".join(f"{count} of {kind}" for kind, count in found.plays.items() if count)
    worth = ", ".join(f"{size:.0f} of {kind}" for kind, size in found.effective.items())
    hours = found.seconds / 3600
    lines = [
        f"{fleet.homes} homes over {fleet.days} days, {fleet.device_days} device-days; played: {plays}; {hours:.1f} h "
        f"of sound. Weighted, they are worth as much as {worth}."
    ]
    silence = found.silence
    if silence["plays"]:
        bound = number(silence["per_hour"].high)
        high = f", highest score {silence['highest']:.3f} of the {threshold:g} that wake"
        seen = (
            f"{silence['false_wakes']} false wakes" if silence["false_wakes"] else f"no wake (at most {bound} an hour)"
        )
        what = "counted above" if silence["false_wakes"] else "taken as none at all: this bound is not in the figures"
        lines.append(f"Silence: {silence['hours']:.2f} h played, {seen}{high}; {what}.")
    sourced = ", ".join(f"{name} ({source})" for name, source in population.sources.items())
    lines.append(
        f"Of the {len(population.figures())} figures of the population {population.name}, {len(population.assumed)} "
        f"are assumed" + (f"; from a source: {sourced}." if sourced else ".")
    )
    return [*lines, PROBABILITY, MESSAGES_MEAN.format(number(found.messages_unseen))]


def as_results(population: Population, fleet: Fleet, found: Estimates) -> dict[str, Any]:
    """Everything as plain values."""
    estimates = asdict(found)
    for name in ("false_wakes", "television_day", "uploaded_s", "drawn", "messages", "after_requests"):
        estimates[name] = _plain(estimates[name])
    estimates["by_kind"] = {kind: _plain(figure) for kind, figure in found.by_kind.items()}
    estimates["links"] = [{**link._asdict(), "rate": _plain(link.rate)} for link in found.links]
    return {
        "fleet": {"homes": fleet.homes, "days": fleet.days, "devices": fleet.devices, "device_days": fleet.device_days},
        "stretches": dict(fleet.stretches),
        "pets_2020": {"per_device_day": PETS_RATE, "interval": PETS},
        "assumed": population.assumed,
        "sources": population.sources,
        "over": PROBABILITY,
        "estimates": estimates,
    }


def _plain(figure: Any) -> Mapping[str, Any] | None:
    return None if figure is None else dict(zip(Figure._fields, figure, strict=True))
