"""Clips that are being listened to while their parts still come."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.cloud.transcript import Transcript
from sim.errors import RecognizerError
from uplink.message import Part

if TYPE_CHECKING:
    from sim.cloud.recognizer import Listening, Recognizer

MOST = 64
"""Clips listened to at once; of more the oldest is heard from the store, once it is complete."""


@dataclass
class _Open:
    listening: Listening
    number: int = 0
    """Of the part that is to come next."""
    whole: bool = False


class Hearings:
    """Gives parts to the recognizer as they come, in order. A clip whose parts went astray is heard from the store."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._lock = threading.Lock()  # parts come on one thread, and clips are finished on another

    def push(self, part: Part, sound: NDArray[np.int16]) -> None:
        """Listen to a part, int16[n]: the next one of its clip; one that came before makes no difference."""
        with self._lock:
            clip = self._open.get(part.clip) or self._begin(part)
            if clip is None or part.number < clip.number or clip.whole:
                return
            try:
                if part.number == clip.number:
                    clip.listening.push(sound)
                    clip.number += 1
                    clip.whole = part.last
                    return
            except RecognizerError:  # a part is stored all the same; whoever wants the transcript is told
                pass
            del self._open[part.clip]
            clip.listening.close()

    def _begin(self, part: Part) -> _Open | None:
        if part.number:
            return None
        try:
            clip = self._open[part.clip] = _Open(self._recognizer.listen())
        except RecognizerError:  # likewise
            return None
        if len(self._open) > MOST:
            self._open.popitem(last=False)[1].listening.close()
        return clip

    @property
    def clips(self) -> list[str]:
        """Those that are being listened to."""
        with self._lock:
            return list(self._open)

    def forget(self, clips: Collection[str]) -> int:
        """Let go of what was heard of these clips; gives of how many that was something."""
        with self._lock:
            opened = [self._open.pop(clip) for clip in clips if clip in self._open]
        for each in opened:
            each.listening.close()
        return len(opened)

    def finish(self, clip: str, audio: Callable[[], NDArray[np.int16]]) -> Transcript:
        """Say what was heard in a clip, all of which is `audio()`; raises RecognizerError, and what `audio` raises."""
        with self._lock:
            opened = self._open.pop(clip, None)
        if opened is not None and opened.whole:
            return opened.listening.finish()
        if opened is not None:
            opened.listening.close()
        return self._recognizer.transcribe(audio())
