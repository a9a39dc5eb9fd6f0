"""What lies between the speech detector and the transcript, with an engine that says what it was given."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.cloud.ears import Deaf, Decoded, Ears
from sim.cloud.settings import EarSettings
from sim.cloud.transcript import Transcript, Word
from sim.errors import RecognizerError
from sim.speech.manifest import read_manifest, shipped_folder
from wakeword.sound import RATE, Samples, read_sound


class Script:
    """An engine at the seam: stretch by stretch it hears what is written."""

    name = "script"

    def __init__(self, *stretches: Decoded) -> None:
        self.stretches = list(stretches)
        self.given: list[int] = []

    def decode(self) -> Reading:
        return Reading(self)


class Reading:
    def __init__(self, script: Script) -> None:
        self._script, self._length = script, 0

    def push(self, samples: NDArray[np.int16]) -> None:
        self._length += len(samples)

    def finish(self) -> Decoded:
        self._script.given.append(self._length)
        if not self._script.stretches:
            raise RecognizerError("the script is over")
        return self._script.stretches.pop(0)


def said(*words: tuple[str, float]) -> tuple[Word, ...]:
    return tuple(Word(text, 100 * k, 100 * k + 50, sure) for k, (text, sure) in enumerate(words))


ONE = Decoded(said(("send", 0.9), ("him", 0.2)), ("sand him", "send it"))
TWO = Decoded(said(("right", 0.8)), ("write",))


def quiet(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), np.int16)


@pytest.fixture(scope="module")
def clip() -> Samples:
    """Two lines, two seconds apart."""
    recordings = sorted(read_manifest(shipped_folder()).values(), key=lambda one: one.file)
    first, second = (read_sound(shipped_folder() / one.file) for one in recordings[:2])
    return np.concatenate([quiet(1), first, quiet(2), second, quiet(1)])


def hear(clip: Samples, **settings: float) -> Transcript:
    return Ears(Script(ONE, TWO), EarSettings.model_validate(settings)).transcribe(clip)


def test_the_words_of_all_stretches_stand_where_they_are_in_the_clip(clip: Samples) -> None:
    heard = hear(clip)
    assert (heard.text, heard.recognizer) == ("send him right", "script")
    send, him, right = heard.words
    assert him.begin - send.begin == 100
    assert right.begin > 3 * RATE
    assert [word.end - word.begin for word in heard.words] == [50, 50, 50]


def test_the_second_guesses_of_all_stretches_come_before_the_third(clip: Samples) -> None:
    assert hear(clip).alternatives == ("sand him right", "send him write", "send it right")
    assert hear(clip, alternatives=1).alternatives == ("sand him right",)
    assert hear(clip, alternatives=0).alternatives == ()


def test_words_under_the_floor_are_not_heard(clip: Samples) -> None:
    assert hear(clip, confidence_floor=0.2).text == "send him right"
    assert hear(clip, confidence_floor=0.21).text == "send right"
    nothing = hear(clip, confidence_floor=0.95)
    assert (nothing.text, nothing.words, nothing.alternatives) == ("", (), ())


def test_what_is_no_speech_is_not_given_to_the_engine(clip: Samples) -> None:
    silent, all_of_it = Script(ONE, TWO), Script(ONE, TWO)
    assert Ears(silent, EarSettings()).transcribe(quiet(5)).text == ""
    assert silent.given == []
    Ears(all_of_it, EarSettings(speech_probability=0.0)).transcribe(clip)
    assert all_of_it.given == [len(clip)]


def test_clips_do_not_know_of_each_other(clip: Samples) -> None:
    """One that fails, one that is given up, and one between them."""
    alone = hear(clip)
    ears = Ears(Script(ONE, TWO), EarSettings())
    given_up, good = ears.listen(), ears.listen()
    for begin in range(0, len(clip), 4000):
        given_up.push(quiet(0.25))
        good.push(clip[begin : begin + 4000])
    given_up.close()
    given_up.close()
    assert good.finish() == alone
    with pytest.raises(RecognizerError, match="over"):
        ears.transcribe(clip)


def test_the_deaf_one_hears_nothing(clip: Samples) -> None:
    deaf = Deaf()
    listening = deaf.listen()
    listening.push(clip)
    listening.close()
    assert listening.finish() == deaf.transcribe(clip) == Transcript("", (), "none")
