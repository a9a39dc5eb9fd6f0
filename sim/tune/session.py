"""A tuning session: the word said some times, then whatever is not the word, from the microphone or from files."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from device.audio import Block, FileSource, Source
from device.config import WakeSettings
from device.mic_check import Examination
from device.mic_view import View
from sim.errors import LabError
from sim.lab.matching import LATE
from sim.tune.hearing import Hearing
from wakeword.errors import SoundError
from wakeword.scorer import ScorerGroup
from wakeword.sound import RATE, SoundWriter
from wakeword.vad import VoiceActivity

LEAST = 3
"""Sayings that say anything at all."""
_PICTURES = 12
"""A second."""


@dataclass
class Heard:
    """What a session came to; `others` is one stretch for each file, or the one of the microphone."""

    said: Hearing
    others: list[Hearing] = field(default_factory=list)

    @property
    def hours(self) -> float:
        """Of sound without the word."""
        return sum(each.hours for each in self.others)

    def check(self) -> None:
        """Raise LabError where there is too little to say anything."""
        if len(self.said.spans) < LEAST:
            raise LabError(
                f"only {len(self.said.spans)} of at least {LEAST} sayings of the word were found; leave a second of "
                "silence after each"
            )
        if not self.hours:
            raise LabError("there was no sound without the word; listen longer, or give some with --negatives FILE")


class Session:
    """Listens with one detector, and shows how it goes on a terminal."""

    def __init__(self, settings: WakeSettings, scorers: ScorerGroup, console: Console, quiet: bool = False) -> None:
        self._settings, self._scorers = settings, scorers
        self._console, self._quiet = console, quiet
        self._told: list[tuple[str, Mapping[str, Any]]] = []

    def note(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Take a fact of the microphone."""
        self._told.append((kind, facts))

    def file(self, path: Path) -> Hearing:
        """Hear a sound file. Raises DeviceError and SoundError."""
        if not path.is_file():
            raise LabError(f"there is no sound file {path}; give the path of one")
        hearing = Hearing(self._examination())
        for block in FileSource(path).blocks():
            hearing.hear(block)
        hearing.finish()
        return hearing

    def microphone(self, source: Source, times: int, seconds: float, keep: Path | None, said: Hearing | None) -> Heard:
        """Hear the word said so many times, where that is not in `said` already, then so many seconds without it.

        Ctrl-C ends the latter early. With `keep` the sound stays in that folder. Raises DeviceError.
        """
        examination = self._examination()
        view = View(examination, source.name)
        word = self._scorers.names[0]
        with ExitStack() as stack:
            blocks = source.blocks()
            stack.callback(source.close)
            show = self._screen(stack, view)
            if said is None:
                self._tell(view, f"say “{word}” {times} times, as you would, with a second of silence after each")
                said = Hearing(examination)
                with _kept(keep, "word.flac") as write:
                    for block in self._noted(blocks, view):
                        write(block)
                        before = len(said.spans)
                        for now in said.hear(block):
                            view.take(now)
                        for number, span in enumerate(said.spans[before:], before + 1):
                            self._tell(view, f"{number} of {times}: highest score {said.best(span):.2f}")
                        show()
                        if len(said.spans) >= times and examination.clock >= said.spans[-1][1] + LATE:
                            break
                said.finish()
            self._tell(
                view, f"now {seconds / 60:g} min without “{word}”: talk, television, music; Ctrl-C ends it early"
            )
            other = Hearing(examination)
            end = examination.clock + seconds * RATE
            with _kept(keep, "rest.flac") as write:
                try:
                    for block in self._noted(blocks, view):
                        write(block)
                        for now in other.hear(block):
                            view.take(now)
                        show()
                        if examination.clock >= end:
                            break
                except KeyboardInterrupt:  # enough; what was heard counts
                    pass
            other.finish()
        return Heard(said, [other])

    def _examination(self) -> Examination:
        return Examination(self._settings, self._scorers, VoiceActivity())

    def _noted(self, blocks: Iterator[Block], view: View) -> Iterator[Block]:
        for block in blocks:
            while self._told:
                kind, facts = self._told.pop(0)
                if kind in ("microphone_gone", "microphone_refused"):
                    self._tell(view, str(facts["why"]))
                elif kind == "microphone_level":
                    for each in facts["advice"]:
                        self._tell(view, each)
            yield block

    def _tell(self, view: View, text: str) -> None:
        view.tell(text, "bold")
        if not self._console.is_terminal and not self._quiet:
            self._console.print(text, markup=False, soft_wrap=True)

    def _screen(self, stack: ExitStack, view: View) -> Callable[[], None]:
        """What draws the view, as often as it is worth it; nothing where there is no terminal."""
        if not self._console.is_terminal or self._quiet:
            return lambda: None
        live = stack.enter_context(Live(console=self._console, auto_refresh=False, transient=True))
        drawn = -math.inf

        def show() -> None:
            nonlocal drawn
            if time.monotonic() - drawn > 1 / _PICTURES:
                drawn = time.monotonic()
                live.update(view.render(), refresh=True)

        return show


class _kept:  # noqa: N801 - used as a function
    """Writes the sound of blocks into a file of a folder, where there is one; a gap is left out."""

    def __init__(self, folder: Path | None, name: str) -> None:
        self._file = None if folder is None else SoundWriter(folder / name)

    def __enter__(self) -> Callable[[Block], None]:
        def write(block: Block) -> None:
            if self._file is not None and len(block.samples):
                self._file.append(block.samples)

        return write

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def prepare(folder: Path) -> None:
    """Make the folder for the sound, before anybody speaks; raises LabError where it cannot be, or holds some."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise LabError(f"{folder} cannot be made ({error.strerror}); choose another with --keep") from None
    if any((folder / name).exists() for name in ("word.flac", "rest.flac")):
        raise LabError(f"{folder} holds the sound of another session; choose another folder with --keep")


def hear_files(session: Session, paths: Sequence[Path]) -> list[Hearing]:
    """Each a stretch of its own. Raises LabError, DeviceError."""
    try:
        return [session.file(path) for path in paths]
    except SoundError as error:
        raise LabError(str(error)) from error
