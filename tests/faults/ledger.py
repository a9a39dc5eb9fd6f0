"""What the spool took beside what the store has and what the drop report names: the promise, counted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.cloud.store import ClipStore
from tests.faults.clips import audio, samples
from uplink.spool import Spool


@dataclass(frozen=True)
class Taken:
    """What ledgers say: the parts that `submit` took, and what the devices told beside."""

    parts: frozenset[tuple[str, int]]
    facts: tuple[tuple[str, dict[str, Any]], ...]

    @classmethod
    def read(cls, ledgers: Iterable[Path]) -> Taken:
        parts, facts = set(), []
        for ledger in ledgers:
            # A device that is killed may leave half a line, of a part for which nothing was promised.
            for line in ledger.read_text("utf-8").rpartition("\n")[0].splitlines() if ledger.exists() else ():
                if line.startswith("!"):
                    kind, about = json.loads(line[1:])
                    facts.append((kind, about))
                else:
                    clip, number = line.split()
                    parts.add((clip, int(number)))
        return cls(frozenset(parts), tuple(facts))


@dataclass(frozen=True)
class Account:
    """What became of the clips of which the spool took a part.

    torn: clips whose device died before the last part was taken; their taken parts are held to the same. dropped: those
    that the drop report names. parts: taken, and in the store. beyond: parts in the store for which nothing was
    promised, because the device died while `submit` was at work.
    """

    clips: int
    stored: int
    torn: int
    dropped: int
    parts: int
    parts_stored: int
    beyond: int


def settle_up(store_folder: Path, ledgers: Iterable[Path], spools: Iterable[Path] = ()) -> Account:
    """Compare ledgers, store and drop reports bit for bit; fails where a part is missing, twice there, or another."""
    taken = Taken.read(ledgers)
    dropped = {drop.clip for spool in spools for drop in _drops(spool)}
    files = _files(store_folder)
    twice = {key: paths for key, paths in files.items() if len(paths) > 1}
    assert not twice, f"stored more than once: {twice}"
    with closing(ClipStore(store_folder)) as store:  # which has the keys to them
        opened = {key: store.keychain.open(path.read_bytes(), path.name) for key, (path,) in files.items()}
    wrong = [(clip, number) for (clip, number), content in opened.items() if content != audio(clip)[number]]
    assert not wrong, f"not bit for bit in the store: {sorted(wrong)[:10]}"
    missing = {key for key in taken.parts if key not in files and key[0] not in dropped}
    assert not missing, f"{len(missing)} of {len(taken.parts)} taken parts are not in the store: {sorted(missing)[:10]}"
    clips = {clip for clip, _ in taken.parts}
    closed = {clip for clip in clips if (clip, len(audio(clip)) - 1) in taken.parts}
    stored = _complete(store_folder, {clip for clip, _ in files})
    assert closed - dropped <= stored, f"not complete in the store: {sorted(closed - dropped - stored)[:10]}"
    return Account(
        clips=len(closed),
        stored=len(closed & stored),
        torn=len(clips - closed),
        dropped=len(clips & dropped),
        parts=len(taken.parts),
        parts_stored=len(taken.parts & files.keys()),
        beyond=len(files.keys() - taken.parts),
    )


def _complete(folder: Path, on_disk: set[str]) -> set[str]:
    """Give the clips that the store calls complete, each of which it must give back bit for bit."""
    with closing(ClipStore(folder)) as store:
        clips = store.clips()
        assert len({clip.id for clip in clips}) == len(clips), "a clip stands in the store twice"
        assert {clip.id for clip in clips} == on_disk, "the store's list and its files differ"
        for clip in clips:
            if clip.complete:
                np.testing.assert_array_equal(store.audio(clip.id), samples(clip.id), clip.id)
        return {clip.id for clip in clips if clip.complete}


def _files(folder: Path) -> dict[tuple[str, int], list[Path]]:
    """Give every file under the store's audio, by clip and number; but not drafts, which nobody reads."""
    files: dict[tuple[str, int], list[Path]] = {}
    for path in (folder / "audio").rglob("*.flac"):
        if not path.name.startswith("."):
            files.setdefault((path.parent.name, int(path.name[:5])), []).append(path)
    return files


def _drops(path: Path) -> list[Any]:
    spool = Spool(path, guest=True)
    try:
        return spool.drops()
    finally:
        spool.close()
