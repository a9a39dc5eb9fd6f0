"""`misheard lab pets`: the study of 2020 from its data, and its protocol on one's own media, side by side."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.lab.conditions import Place
    from sim.lab.pets.media import FilmWake, Medium
    from sim.lab.pets.report import Line
    from sim.lab.tally import Engine

COMMAND = "lab pets"


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it."""
    from device.command import pair
    from wakeword.canvas import picture_path

    parser = actions.add_parser(
        "pets",
        help="the PETS 2020 study, and its protocol on your own media",
        description='Counts again what "When Speakers Are All Ears" counted, and does the same with media of your own.',
    )
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", help="a copy of the study's data (smart-speakers-study)")
    add("--media", type=Path, metavar="DIR", help="sound with subtitles of the same name beside it (.srt or .vtt)")
    add("--word", default="alexa", metavar="NAME", help="the wake word, and the model of each engine [alexa]")
    engine = "openwakeword, micro or reference, or NAME=MODEL with another model; may be repeated [openwakeword]"
    add("--engine", action="append", default=[], metavar="NAME", help=engine)
    add("--passes", type=int, default=12, metavar="N", help="over all media; the first two give the rates [12]")
    add("--snr", type=float, default=30.0, metavar="DB", help="pink noise so far below speech [30]")
    room = "hear media in a room, too: metres, the seconds of its echo, how far away they play; may be repeated"
    add("--room", action="append", default=[], metavar="L,W,H,RT60,DISTANCE", help=room)
    add("--seed", type=int, default=0, metavar="N", help="of what differs from pass to pass [0]")
    add("--config", default="echo-dot", metavar="F", help="the device's profile or YAML file [echo-dot]")
    add("--set", action="append", default=[], type=pair, metavar="KEY=VALUE", help="such as wake.threshold=0.6")
    add("--plot", type=picture_path, metavar="FILE", help="draw both into FILE (.png, .svg, .pdf)")
    add("--out", type=Path, required=True, metavar="DIR", help="where results.json and its tables go")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Count; 0, or 1 where subtitles do not lie along their sound."""
    from rich.console import Console

    from sim.errors import LabError
    from sim.lab.pets.table import lines_table, told
    from sim.lab.results import prepare, write_results

    if args.data is None and args.media is None:
        raise LabError("name the study's data with --data, or media of your own with --media")
    if args.passes < 2:
        raise LabError(f"--passes {args.passes}: the protocol needs two at least, as rates are of the first two")
    plot = _plot(args.plot)
    console = Console(highlight=False)
    results: dict[str, Any] = {}
    manifest: dict[str, Any] = {"seed": args.seed, "passes": args.passes, "snr_db": args.snr, "word": args.word}
    study: list[Line] = []
    own: list[Line] = []
    durations: dict[int, int] = {}
    unfit = 0
    prepare(args.out, COMMAND)
    if args.data is not None:
        from sim.lab.pets.data import read_study
        from sim.lab.pets.report import study_report

        report = study_report(read_study(args.data))
        study, durations = list(report.lines), report.durations
        results["study"] = report.facts()
    if args.media is not None:
        own, found, unfit = _own(args, manifest)
        results["media"] = found
    write_results(args.out, COMMAND, manifest, results)
    _write_tables(args.out, study, own, results)
    if plot is not None:
        plot.draw(study, own, durations)
    console.print(lines_table([*study, *own]))
    for sentence in told(report) if args.data is not None else ():
        console.print(sentence, soft_wrap=True)
    console.print(f"results in {args.out}", soft_wrap=True)
    return 1 if unfit else 0


def _plot(path: Path | None) -> Any:
    if path is None:
        return None
    from sim.lab.pets.plot import PetsPlot

    return PetsPlot(path)


def _own(args: argparse.Namespace, manifest: dict[str, Any]) -> tuple[list[Line], dict[str, Any], int]:
    """Our devices on one's own media: lines, what goes into the results, and how many subtitles do not fit."""
    from dataclasses import asdict

    from device.config import load_device
    from sim.lab.conditions import Condition, place
    from sim.lab.pets.media import film_wakes
    from sim.lab.pets.report import own_lines
    from sim.lab.tally import load_engine

    settings = load_device(args.config, args.set).wake
    places = [None, *map(place, dict.fromkeys(args.room))]
    engines = [load_engine(label, args.word, settings) for label in dict.fromkeys(args.engine or ["openwakeword"])]
    media, found = _listen(args, engines, settings, places)
    wakes: list[FilmWake] = [wake for medium in media for wake in film_wakes(medium, found[medium.path], args.word)]
    own = own_lines(media, wakes, [_label(engine.label, where) for engine in engines for where in places])
    manifest |= {"engines": [engine.facts() for engine in engines], "wake": settings.model_dump(mode="json")}
    manifest["conditions"] = [str(Condition(where, args.snr)) for where in places]
    rows = [{**asdict(each), "repeatability": each.repeated.repeatability} for each in wakes]
    films = [
        {"name": each.path.stem, "hours": each.hours, "words": each.words, "subtitles": asdict(each.fit)}
        for each in media
    ]
    return own, {"devices": [asdict(line) for line in own], "wakes": rows, "films": films}, sum(map(_complain, media))


def _label(engine: str, where: Place | None) -> str:
    """What a device of ours is called in tables."""
    return engine if where is None else f"{engine}, {where}"


def _listen(
    args: argparse.Namespace, engines: list[Engine], settings: Any, places: list[Place | None]
) -> tuple[list[Medium], dict[Path, Any]]:
    """The media, and for each where each device of ours woke."""
    from functools import partial

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from sim.lab.pets.media import find_media, listen, open_medium

    media = [open_medium(sound, subtitles) for sound, subtitles in find_media(args.media)]
    console = Console(stderr=True)
    found: dict[Path, dict[str, list[list[int]]]] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        for medium in media:
            task = bar.add_task(medium.path.stem, total=medium.hours * 3600 * args.passes * len(places))
            heard, own = partial(bar.advance, task), found.setdefault(medium.path, {})
            for where in places:
                woke = listen(medium, engines, settings, args.passes, args.snr, args.seed, heard, where)
                own |= {_label(engine, where): passes for engine, passes in woke.items()}
    return media, found


def _complain(medium: Medium) -> bool:
    import sys

    fit = medium.fit
    if fit.drifts:
        why = f"drift: {fit.first_s:+.1f} s in the first half, {fit.last_s:+.1f} s in the last"
    elif fit.late:
        why = f"lie {fit.first_s:+.1f} s from its speech"
    else:
        return False
    note = "what they say beside a wake may be wrong; take those of this very copy"
    print(f"misheard: the subtitles of {medium.path} {why}; {note}", file=sys.stderr)
    return True


def _write_tables(out: Path, study: list[Line], own: list[Line], results: dict[str, Any]) -> None:
    from sim.lab.results import write_rows

    rows = []
    for source, lines in (("study", study), ("own", own)):
        for line in lines:
            every = line.all_shows
            row = {"source": source, "device": line.label, "events": every.events, "hours": round(every.hours, 6)}
            row |= {
                "per_hour": every.per_hour,
                "low": every.per_hour_interval.low,
                "high": every.per_hour_interval.high,
            }
            row |= {"per_10000_words": every.per_10000_words, "worst_show": line.worst.show}
            rows.append(row | {each.name: each.events for each in line.classes})
    write_rows(out / "rows.csv", rows)
    wakes = results.get("media", {}).get("wakes", [])
    columns = ("medium", "engine", "at_s", "woke", "passes", "repeatability", "early", "said", "context")
    flat = [{column: {**each, **each["repeated"]}[column] for column in columns} for each in wakes]
    write_rows(out / "wakes.csv", flat or [])
