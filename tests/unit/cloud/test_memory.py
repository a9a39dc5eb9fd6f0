"""What was heard once is not listened to again, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.cloud.memory import Remembering
from sim.cloud.recognizer import Listening
from sim.cloud.settings import EarSettings
from sim.cloud.transcript import Transcript, Word

SOUND = np.arange(5000, dtype=np.int16)


class Once:
    """Hears how many samples there are, and counts how often it was asked."""

    name = "once"

    def __init__(self) -> None:
        self.asked = 0

    def listen(self) -> Listening:
        return _Open(self)

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        clip = self.listen()
        clip.push(samples)
        return clip.finish()


class _Open:
    def __init__(self, ear: Once) -> None:
        self._ear, self._length = ear, 0

    def push(self, samples: NDArray[np.int16]) -> None:
        self._length += len(samples)

    def finish(self) -> Transcript:
        self._ear.asked += 1
        word = Word(str(self._length), 0, self._length, 0.25)
        return Transcript.of((word,), "once", ("something else",))

    def close(self) -> None:
        pass


@pytest.mark.parametrize("eager", [True, False])
def test_a_clip_is_heard_once_in_whatever_pieces_it_comes(eager: bool, tmp_path: Path) -> None:
    ear = Once()
    first = Remembering(ear, EarSettings(), tmp_path, eager=eager).transcribe(SOUND)
    assert (first.text, ear.asked) == ("5000", 1)
    clip = Remembering(ear, EarSettings(), tmp_path, eager=False).listen()
    for begin in range(0, 5000, 777):
        clip.push(SOUND[begin : begin + 777])
    assert clip.finish() == first == Once().transcribe(SOUND)
    assert ear.asked == 1


def test_other_sound_and_other_ears_are_heard_anew(tmp_path: Path) -> None:
    ear = Once()
    Remembering(ear, EarSettings(), tmp_path, eager=False).transcribe(SOUND)
    Remembering(ear, EarSettings(), tmp_path, eager=False).transcribe(SOUND[::-1].copy())
    Remembering(ear, EarSettings(confidence_floor=0.5), tmp_path, eager=False).transcribe(SOUND)
    assert ear.asked == 3
