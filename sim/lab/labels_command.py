"""`misheard lab labels`: what was said, and where devices woke, as other programs and data sets have it."""

from __future__ import annotations

import argparse
from pathlib import Path

FORMATS = {"audacity": "txt", "rttm": "rttm", "textgrid": "TextGrid", "audiofolder": ""}
"""With the endings of their files."""


def add_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add it."""
    parser = actions.add_parser(
        "labels",
        help="labels for Audacity, RTTM and Praat, and AudioFolders",
        description="Writes the labels of a run, or of an evaluation, as other programs read them.",
    )
    add = parser.add_argument
    add("source", type=Path, metavar="RUN_OR_RESULTS", help="a run directory, or what lab evaluate or compare left")
    add("--format", choices=FORMATS, default="audacity", help="of what is written [audacity]")
    add("--word", default="alexa", metavar="NAME", help="the wake word, by which an AudioFolder is divided [alexa]")
    add("--out", type=Path, required=True, metavar="DIR", help="a folder that is empty, or not there yet")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write them; gives 0."""
    from sim.errors import LabError
    from sim.lab.labelled import recordings_of, write_audio_folder
    from sim.lab.labels import audacity, rttm, textgrid
    from sim.lab.results import write_text

    if args.out.exists() and (not args.out.is_dir() or any(args.out.iterdir())):
        raise LabError(f"{args.out} is there already; choose another folder with --out")
    if args.format == "audiofolder":
        _make(args.out)
        print(f"{write_audio_folder(args.source, args.word, args.out)} sounds in {args.out}")
        return 0
    write = {"audacity": audacity, "rttm": rttm, "textgrid": textgrid}[args.format]
    recordings = recordings_of(args.source)
    _make(args.out)
    for number, recording in enumerate(recordings):
        name = Path(recording.name).stem
        ahead = f"{number:05}-" if len(recordings) > 1 else ""
        write_text(args.out / f"{ahead}{name}.{FORMATS[args.format]}", write(recording))
    print(f"labels of {len(recordings)} recordings in {args.out}")
    return 0


def _make(out: Path) -> None:
    from sim.errors import LabError

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"{out} cannot be made ({error.strerror}); choose another folder with --out") from None
