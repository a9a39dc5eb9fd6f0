"""Remembering what was heard in a clip: the same samples give the same words, so a replay need not listen again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim.cloud.recognizer import Listening, Recognizer
from sim.cloud.settings import EarSettings
from sim.cloud.transcript import Transcript, Word


class Remembering:
    """A `Recognizer` that keeps its transcripts in a folder, which several programs may share.

    ``ears`` belong to what is remembered: other settings hear other words. With `eager` a clip is listened to while it
    comes, as in real time; without, only once it is whole and nobody remembers it.
    """

    def __init__(self, recognizer: Recognizer, ears: EarSettings, folder: Path, *, eager: bool) -> None:
        self.name = recognizer.name
        self.recognizer, self.folder, self.eager = recognizer, folder, eager
        self.about = f"{recognizer.name} {ears.model_dump_json()}".encode()
        self.kept: set[Path] = set()
        """What this one has read or written."""

    def listen(self) -> Listening:
        """See `Recognizer.listen`."""
        return _Clip(self)

    def forget(self, _clips: Collection[str]) -> int:
        """Forget what was heard, for a deletion; gives how many transcripts that were.

        They are kept by their sound and not by clip, so all go that this one knows: what is wanted again of the
        others is heard again, and is the same.
        """
        known, self.kept = self.kept, set()
        for path in known:
            path.unlink(missing_ok=True)
        return len(known)

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        """See `Recognizer.transcribe`."""
        clip = self.listen()
        clip.push(samples)
        return clip.finish()


class _Clip:
    """One open clip; see `sim.cloud.recognizer.Listening`."""

    def __init__(self, memory: Remembering) -> None:
        self._memory = memory
        self._digest = hashlib.sha256(memory.about)
        self._samples: list[NDArray[np.int16]] = []
        self._listening = memory.recognizer.listen() if memory.eager else None

    def push(self, samples: NDArray[np.int16]) -> None:
        self._digest.update(samples.astype("<i2").tobytes())
        if self._listening is not None:
            self._listening.push(samples)
        else:
            self._samples.append(samples)

    def finish(self) -> Transcript:
        path = self._memory.folder / f"{self._digest.hexdigest()}.json"
        if self._listening is None:
            try:
                heard = _read(path.read_text("utf-8"))
                self._memory.kept.add(path)
                return heard
            except FileNotFoundError:
                whole = np.concatenate([np.zeros(0, np.int16), *self._samples])
                heard = self._memory.recognizer.transcribe(whole)
        else:
            heard = self._listening.finish()
        draft = path.with_suffix(f".{os.getpid()}")  # nobody ever reads half of it
        draft.write_text(json.dumps(asdict(heard)), "utf-8")
        draft.replace(path)
        self._memory.kept.add(path)
        return heard

    def close(self) -> None:
        if self._listening is not None:
            self._listening.close()


def _read(text: str) -> Transcript:
    told = json.loads(text)
    words = tuple(Word(**word) for word in told["words"])
    return Transcript(told["text"], words, told["recognizer"], tuple(told["alternatives"]))
