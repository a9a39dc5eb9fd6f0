"""`misheard lab mine`: words that wake the device though nobody says the wake word."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from sim.lab.mine import Alone, Wish
    from sim.lab.ranking import Candidate

COMMAND = "lab mine"
LEDGERS = ("alone.jsonl", "sentences.jsonl", "replays.jsonl")
TRIGGERS = "triggers.csv"
SHOWN = 30
"""Rows of the table on the terminal."""


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it."""
    from sim.lab.running import add_options
    from wakeword.canvas import picture_path

    parser = actions.add_parser(
        "mine",
        help="words that wake though nobody says the wake word",
        description="Ranks the dictionary by how near it sounds, speaks the best, and scores them in bulk.",
    )
    add = parser.add_argument
    add("word", nargs="?", default="alexa", metavar="WORD", help="the wake word [alexa]")
    add("--engine", action="append", metavar="NAME", help="may be repeated [openwakeword, and micro where it is here]")
    add("--voice", action="append", metavar="V", help="may be repeated [flite:slt, flite:rms and flite:awb]")
    add("--words", type=_number, default=500, metavar="N", help="so many of the nearest words [500]")
    add("--pairs", type=_number, default=500, metavar="N", help="so many pairs of common words [500]")
    add("--spread", type=_number, default=100, metavar="N", help="so many words from anywhere, to compare [100]")
    confirm = "so many of the surest go into sentences and replays [100]"
    add("--confirm", type=_number, default=100, metavar="N", help=confirm)
    look = "how the far end looks again at what wakes in replays: none, phonetic or recognizer [phonetic]"
    add("--second-look", choices=("none", "phonetic", "recognizer"), default="phonetic", help=look)
    add("--seed", type=int, default=1, metavar="N", help="of what is drawn [1]")
    add("--plot", type=picture_path, metavar="FILE", help="draw shares by distance into FILE (.png, .svg, .pdf)")
    add_options(parser)
    parser.set_defaults(run=run)


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) > 100_000:
        raise argparse.ArgumentTypeError(f"{text} is no number of candidates; take 0 to 100000")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Mine; 0 where everything could be said."""
    from dataclasses import asdict

    from rich.console import Console

    from device.rundir import versions
    from sim.lab.cluster import Cluster
    from sim.lab.ledger import digest, prepare_resumable
    from sim.lab.mine import alone, best, by_distance, candidates, replays, sayings, sentences, trigger_rows
    from sim.lab.mine_plot import MinePlot
    from sim.lab.results import write_results, write_rows
    from sim.lab.running import Stages
    from sim.lab.triggers import CARRIERS, replay, score

    plot = None if args.plot is None else MinePlot(args.plot)
    cluster = Cluster(args.scheduler, args.workers)
    wish = _wish(args)
    console = Console(highlight=False)
    prepare_resumable(args.out, COMMAND, LEDGERS)
    found = candidates(wish)
    of = [each._asdict() for each in found]
    facts = _facts(wish)
    plan = {"versions": versions(), "word": wish.word, "candidates": digest(of), **facts}
    with Stages(args.out, cluster, console) as stages:
        said = sayings(wish, found)
        results = stages.run(LEDGERS[0], {**plan, "tasks": digest(said)}, score, said.__getitem__, len(said), "sayings")
        heard = [alone(wish, number, result) for number, result in enumerate(results)]
        every = [each for each in heard if each is not None]
        woke = best(every, found)
        confirmed = woke[: wish.confirm]
        # Not how many are confirmed: it may become more.
        plan |= {"woke": digest([(each.candidate, each.voice) for each in woke])}
        said = sentences(wish, confirmed, found)
        in_sentences = stages.run(
            LEDGERS[1], {**plan, "sentences": CARRIERS}, score, said.__getitem__, len(said), "sentences"
        )
        again = replays(wish, confirmed, found)
        replayed = stages.run(
            LEDGERS[2], {**plan, "seed": wish.seed, "look": wish.look}, replay, again.__getitem__, len(again), "replays"
        )
    rows = trigger_rows(wish, found, woke, every, in_sentences, replayed)
    distances = by_distance(wish, found, every)
    write_rows(args.out / TRIGGERS, rows)
    write_rows(args.out / "candidates.csv", _all_rows(wish, found, every))
    _write_audio(args.out / "audio", rows)
    manifest = {**asdict(wish), "candidates": len(found), "candidates_sha256": digest(of), **facts}
    write_results(
        args.out,
        COMMAND,
        manifest,
        {
            "triggers": rows,
            "by_distance": distances,
            "not_said": len(heard) - len(every),
            "woke": len(woke),
            "confirmed": len(confirmed),
        },
    )
    if plot is not None:
        plot.draw(wish.word, distances)
    console.print(triggers_table(wish, rows[:SHOWN]))
    told = f"{len(woke)} of {len(found)} candidates wake {wish.word} alone in some voice at some place"
    kept = f"{len(confirmed)} of them were confirmed; all are in {args.out / TRIGGERS}"
    console.print(f"{told}, {kept}", soft_wrap=True, markup=False)
    return 0 if len(every) == len(heard) else 1


def _wish(args: argparse.Namespace) -> Wish:
    """What is asked for; raises LabError, VoiceError, ModelError and EngineMissing for what is not here."""
    from sim.errors import LabError
    from sim.lab.mine import Wish
    from sim.speech.voices import Voice, must_speak
    from wakeword.errors import WakewordError
    from wakeword.scorer import load_scorers

    thresholds: dict[str, float] = {}
    for engine in args.engine or ("openwakeword", "micro"):
        try:
            thresholds[engine] = load_scorers([args.word], engine).thresholds[0]
        except WakewordError:
            if args.engine or engine == "openwakeword":
                raise
    voices = tuple(dict.fromkeys(args.voice or ("flite:slt", "flite:rms", "flite:awb")))
    for voice in voices:
        try:
            must_speak(Voice.parse(voice))
        except ValueError as error:
            raise LabError(f"--voice: {error}") from None
    return Wish(
        args.word, voices, tuple(thresholds), tuple(thresholds.values()),
        args.words, args.pairs, args.spread, args.confirm, args.seed, args.second_look,
    )  # fmt: skip


def _facts(wish: Wish) -> dict[str, Any]:
    """What scored and what spoke."""
    from sim.speech.voices import Voice, renderer
    from wakeword.scorer import load_scorers

    engines = []
    for engine, threshold in zip(wish.engines, wish.thresholds, strict=True):
        scorers = load_scorers([wish.word], engine)
        about = {"engine": engine, "model": scorers.names[0], "sha256": scorers.hashes[0]}
        engines.append({**about, "threshold": threshold})
    return {"engines": engines, "voices": {voice: renderer(Voice.parse(voice)) for voice in wish.voices}}


def _all_rows(wish: Wish, found: Sequence[Candidate], every: Sequence[Alone]) -> list[dict[str, Any]]:
    """Each saying of each candidate: the highest score and how many places wake, by engine."""
    rows = []
    for each in every:
        candidate = found[each.candidate]
        row: dict[str, Any] = {"text": candidate.text, "phones": " ".join(candidate.phones)}
        row |= {"distance": candidate.distance / 100, "voice": each.voice}
        for engine, fired, scores in zip(wish.engines, each.fired, each.scores, strict=True):
            row |= {f"{engine} highest": max(scores), f"{engine} places": fired}
        rows.append(row)
    return rows


def _write_audio(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write each trigger as FLAC, with `metadata.csv` as Hugging Face's AudioFolder has it. Raises LabError."""
    from sim.errors import LabError
    from sim.lab.results import write_rows
    from sim.speech.library import write_whole
    from sim.speech.voices import Voice, render
    from wakeword.sound import encode_flac

    about = []
    try:
        folder.mkdir(exist_ok=True)
        for row in rows:
            name = f"{row['rank']:03d}-{'-'.join(str(row['text']).replace(chr(39), '').split())}.flac"
            write_whole(folder / name, encode_flac(render(Voice.parse(row["voice"]), row["text"])))
            about.append({"file_name": name, "text": row["text"], "voice": row["voice"], "distance": row["distance"]})
    except OSError as error:
        raise LabError(f"{folder} cannot be written ({error.strerror}); make room, then go on") from None
    write_rows(folder / "metadata.csv", about)


def triggers_table(wish: Wish, rows: Sequence[Mapping[str, Any]]) -> Table:
    """What wakes, for a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from sim.lab.triggers import CARRIERS, PHASES, REPLAYS

    alone = f"p: places of {PHASES}, v: voices of {len(wish.voices)}"
    confirmed = f"s: sentences of {len(CARRIERS)}, r: replays of {REPLAYS}"
    looked = f"look: replays that pass the second look ({wish.look}) of those in which {wish.engines[0]} wakes"
    caption = f"{alone}, {confirmed}; {looked}"
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption=caption, caption_justify="left")
    for name in ("words", "dist", "voice"):
        table.add_column(name, no_wrap=True)
    for engine in wish.engines:
        table.add_column(f"{engine}\nscore p v s  r", no_wrap=True)
    table.add_column("look", no_wrap=True)
    for row in rows:
        look = "" if row["looked"] is None else f"{row['passed']} of {row['looked']}"
        cells = [_cell(row, engine) for engine in wish.engines]
        table.add_row(str(row["text"]), f"{row['distance']:.2f}", str(row["voice"]), *cells, look)
    return table


def _cell(row: Mapping[str, Any], engine: str) -> str:
    alone = f"{row[f'{engine} highest']:.2f}  {row[f'{engine} places']} {row[f'{engine} voices']}"
    if row[f"{engine} replays"] is None:
        return alone
    return f"{alone} {row[f'{engine} sentences']} {row[f'{engine} replays']:2}"
