"""``misheard models``: which models are there, and how to get more."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``models`` to the commands."""
    models = subparsers.add_parser(
        "models",
        help="list, download, import or train models",
        description="Models of wake words and of the far end's recognizers.",
    )
    actions = models.add_subparsers(required=True, metavar="ACTION")
    parser = actions.add_parser("list", help="what is there, where, under which licence")
    parser.add_argument("--json", action="store_true", help="as JSON, with hashes in full")
    parser.set_defaults(run=run_list)
    parser = actions.add_parser("pull", help="download Vosk's small English model (41 MB) from its author's site")
    parser.add_argument("model", choices=["vosk"], help="the small model of American English, Apache-2.0")
    parser.add_argument("--url", metavar="URL", help="take the same file from elsewhere; its checksum stays")
    parser.set_defaults(run=run_pull)
    parser = actions.add_parser("import", help="take a Vosk model from disk")
    parser.add_argument("path", type=Path, metavar="PATH", help="a model's folder, or the zip of one")
    parser.set_defaults(run=run_import)
    parser = actions.add_parser(
        "train-vosk", help="train a small Vosk model of household English from rendered speech (about two minutes)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of everything drawn at random (1)")
    parser.set_defaults(run=run_train)


def run_list(args: argparse.Namespace) -> int:
    """Print what is there; gives 0."""
    import json
    from dataclasses import asdict

    from sim.cloud.models import listing

    entries = list(listing.entries())
    if args.json:
        print(json.dumps([asdict(entry) | {"path": str(entry.path)} for entry in entries], indent=2))
        return 0
    for entry in entries:
        name = f"{entry.name} (used)" if entry.used else entry.name
        print(f"{entry.kind:<14}{name:<36}{entry.origin:<14}{entry.sha256[:12]}  {entry.path}")
    for licence in dict.fromkeys(entry.licence for entry in entries):
        print(f"licence {licence}: {', '.join(entry.name for entry in entries if entry.licence == licence)}")
    return 0


def run_pull(args: argparse.Namespace) -> int:
    """Download the model; gives 0."""
    from dataclasses import replace

    from sim.cloud.models import pull

    archive = replace(pull.SMALL_ENGLISH, url=args.url) if args.url else pull.SMALL_ENGLISH
    with _progress(download=True) as bar:
        task = bar.add_task(archive.url.rpartition("/")[2], total=archive.size)
        folder = pull.pull(archive, lambda count: bar.advance(task, count))
    print(f"the model is in {folder} (SHA-256 of the download {archive.sha256})")
    return 0


def run_import(args: argparse.Namespace) -> int:
    """Import a model; gives 0."""
    from sim.cloud.models import placement

    print(f"the model is in {placement.import_model(args.path)}")
    return 0


def run_train(args: argparse.Namespace) -> int:
    """Train the small model; gives 0."""
    from sim.cloud.models import registry
    from sim.cloud.models.trainer import train

    with _progress() as bar:
        tasks = {stage: bar.add_task(stage, total=1.0) for stage in ("speaking", "training", "testing")}
        folder = train.train_model(
            train.Settings(seed=args.seed), lambda stage, share: bar.advance(tasks[stage], share)
        )
    rates = registry.manifest(folder)["held_out_word_error_rate"]
    print(f"the model is in {folder}; word error rate on held-out sentences: {rates}")
    return 0


def _progress(download: bool = False) -> Progress:
    """A progress bar on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    amount = DownloadColumn() if download else TextColumn("{task.percentage:>3.0f} %")
    return Progress(
        TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn(), console=Console(stderr=True)
    )
