"""``misheard review search``: is anything of this left, anywhere?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.cloud.store import ClipStore
    from wakeword.sound import Samples

_MIB = 2**20


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``search`` to the commands."""
    from sim.review.options import add_store_options

    parser = subparsers.add_parser(
        "search", help="search every byte of the far end for words, or for a clip's sound", allow_abbrev=False
    )
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="words, whatever their case")
    parser.add_argument("--clip", metavar="ID", help="the sound of a clip that is still stored, and its transcript")
    parser.add_argument("--sound", type=Path, metavar="FILE", help="the sound in a file, such as one of a run's clips/")
    parser.set_defaults(run=run)
    add_store_options(parser)


def run(args: argparse.Namespace) -> int:
    """Search, and print what was found; 0 whether or not there was anything."""
    from sim.errors import ReviewWishError
    from sim.review.options import opened
    from sim.review.search import search
    from wakeword.sound import read_sound

    if not args.texts and args.clip is None and args.sound is None:
        raise ReviewWishError("there is nothing to search for; name words, --clip ID or --sound FILE")
    if args.clip is not None and args.sound is not None:
        raise ReviewWishError("--clip and --sound cannot both be the sound; name one of them")
    with opened(args) as review:
        sound = read_sound(args.sound) if args.sound is not None else None
        texts = list(args.texts)
        if args.clip is not None:
            sound, heard = _clip(review.store, args.clip)
            texts += heard
        found = search(review.store, texts, sound)
    for hit in found.hits:
        at = "" if hit.offset is None else f" at byte {hit.offset}"
        print(f"{hit.place}{at}: {hit.what}")
    many = f"{len(found.hits)} found" if found.hits else "found nowhere"
    print(f"{many}, in {found.files} files of {found.size / _MIB:.1f} MiB")
    if found.closed:
        print(f"{found.closed} of them are closed with keys that are not in this vault: nobody can listen to them")
    for place in found.unsearched:
        print(f"not searched: {place}")
    return 0


def _clip(store: ClipStore, clip: str) -> tuple[Samples, list[str]]:
    """Give a clip's sound and what was heard in it; raises StoreError where it is gone."""
    transcript = store.transcript(clip)
    return store.audio(clip), [transcript.text] if transcript is not None and transcript.text else []
