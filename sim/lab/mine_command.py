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
    add("--confirm", type=_number, default=50, metavar="N", help="so many go into sentences and replays [50]")
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
    from sim.lab.triggers import replay, score

    plot = None if args.plot is None else MinePlot(args.plot)
    cluster = Cluster(args.scheduler, args.workers)
    wish = _wish(args)
    console = Console(highlight=False)
    prepare_resumable(args.out, COMMAND, LEDGERS)
    found = candidates(wish)
    of = [each._asdict() for each in found]
    plan = {"versions": versions(), "word": wish.word, "engines": wish.engines, "candidates": digest(of)}
    with _Stages(args.out, cluster, console) as stages:
        results = stages.run(LEDGERS[0], plan, score, sayings(wish, found), "sayings")
        heard = [alone(wish, number, result) for number, result in enumerate(results)]
        every = [each for each in heard if each is not None]
        chosen = best(wish, every, found)
        chosen_plan = {**plan, "chosen": [(each.candidate, each.voice) for each in chosen]}
        in_sentences = stages.run(LEDGERS[1], chosen_plan, score, sentences(wish, chosen, found), "sentences")
        replayed = stages.run(
            LEDGERS[2],
            {**chosen_plan, "seed": wish.seed, "look": wish.look},
            replay,
            replays(wish, chosen, found),
            "replays",
        )
    rows = trigger_rows(wish, found, chosen, every, in_sentences, replayed)
    distances = by_distance(wish, found, every)
    write_rows(args.out / "triggers.csv", rows)
    write_rows(args.out / "candidates.csv", _all_rows(wish, found, every))
    _write_audio(args.out / "audio", rows)
    manifest = {**asdict(wish), "candidates": len(found), "candidates_sha256": digest(of)}
    write_results(
        args.out,
        COMMAND,
        manifest,
        {"triggers": rows, "by_distance": distances, "not_said": len(heard) - len(every), "woke": _woke(every)},
    )
    if plot is not None:
        plot.draw(wish.word, distances)
    console.print(triggers_table(wish, rows[:SHOWN]))
    told = f"{_woke(every)} of {len(found)} candidates wake {wish.word} alone in some voice at some place"
    console.print(f"{told}; results in {args.out}", soft_wrap=True, markup=False)
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


class _Stages:
    """Runs stages one after the other, with workers only where something is still to be done; to be entered."""

    def __init__(self, out: Path, cluster: Any, console: Any) -> None:
        from contextlib import ExitStack

        self._out, self._cluster, self._console = out, cluster, console
        self._stack, self._started = ExitStack(), False

    def __enter__(self) -> _Stages:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, name: str, plan: Mapping[str, Any], function: Any, tasks: Sequence[Any], what: str) -> list[Any]:
        """Do what is missing of a stage; gives the results of all its tasks."""
        from sim.lab.ledger import Ledger, digest
        from sim.lab.running import work

        with Ledger(self._out / name, {**plan, "tasks": digest(tasks)}, len(tasks)) as ledger:
            if ledger.done < len(tasks):
                if not self._started:
                    self._stack.enter_context(self._cluster)
                    self._started = True
                work(ledger, function, tasks.__getitem__, self._cluster, self._console, what)
            return list(ledger.results())


def _woke(every: Sequence[Alone]) -> int:
    return len({each.candidate for each in every if any(each.fired)})


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
    """Write each trigger as FLAC, with `metadata.csv` as Hugging Face's AudioFolder has it."""
    from sim.lab.results import write_rows
    from sim.speech.library import write_whole
    from sim.speech.voices import Voice, render
    from wakeword.sound import encode_flac

    folder.mkdir(exist_ok=True)
    about = []
    for row in rows:
        name = f"{row['rank']:03d}-{'-'.join(str(row['text']).replace(chr(39), '').split())}.flac"
        write_whole(folder / name, encode_flac(render(Voice.parse(row["voice"]), row["text"])))
        about.append({"file_name": name, "text": row["text"], "voice": row["voice"], "distance": row["distance"]})
    write_rows(folder / "metadata.csv", about)


def triggers_table(wish: Wish, rows: Sequence[Mapping[str, Any]]) -> Table:
    """What wakes, for a terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("words", "distance", "voice"):
        table.add_column(name)
    for engine in wish.engines:
        table.add_column(f"{engine}: score, places of 8, voices, sentences of 5, replays of 10")
    table.add_column(f"past the second look ({wish.look})")
    for row in rows:
        cells = [
            f"{row[f'{engine} highest']:.2f}  {row[f'{engine} places']}  {row[f'{engine} voices']}  "
            f"{row[f'{engine} sentences']}  {row[f'{engine} replays']} {row[f'{engine} repeatability']}"
            for engine in wish.engines
        ]
        table.add_row(
            str(row["text"]), f"{row['distance']:.2f}", str(row["voice"]), *cells, f"{row['passed']} of {row['looked']}"
        )
    return table
