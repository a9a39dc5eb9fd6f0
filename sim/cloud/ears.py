"""Listening with an engine: speech detection before it, the confidence floor and the whole clip after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice, zip_longest
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sim.cloud.gate import Piece, SpeechGate
from sim.cloud.settings import EarSettings
from sim.cloud.transcript import Transcript, Word
from wakeword.vad import VoiceActivity


@dataclass(frozen=True)
class Decoded:
    """What an engine makes of a stretch of speech; places count from its begin, the likeliest alternative is first."""

    words: tuple[Word, ...]
    alternatives: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The words with blanks between."""
        return " ".join(word.text for word in self.words)


class Decoding(Protocol):
    """One stretch of speech on its way through a decoder whose state is new; the cuts do not matter."""

    def push(self, samples: NDArray[np.int16]) -> None:
        """Take the next samples; raises RecognizerError."""

    def finish(self) -> Decoded:
        """Say what it was; raises RecognizerError."""


class Engine(Protocol):
    """What decodes. Several decodings may be open at once."""

    name: str

    def decode(self) -> Decoding:
        """Begin a stretch of speech."""


class Ears:
    """A `Recognizer` that lets an engine hear what is speech, and believes it as far as the settings say."""

    def __init__(self, engine: Engine, settings: EarSettings) -> None:
        self.name = engine.name
        self._engine, self._settings = engine, settings
        self._idle: list[VoiceActivity] = []

    def listen(self) -> Hearing:
        """See `Recognizer.listen`."""
        voice = self._idle.pop() if self._idle else VoiceActivity()
        voice.reset()
        return Hearing(self._engine, self._settings, voice, self._idle)

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:
        """See `Recognizer.transcribe`."""
        hearing = self.listen()
        hearing.push(samples)
        return hearing.finish()


class Hearing:
    """One open clip; see `sim.cloud.recognizer.Listening`."""

    def __init__(self, engine: Engine, settings: EarSettings, voice: VoiceActivity, idle: list[VoiceActivity]) -> None:
        self._engine, self._settings = engine, settings
        self._gate: SpeechGate | None = SpeechGate(voice, settings.speech_probability)
        self._voice, self._idle = voice, idle
        self._decoding: Decoding | None = None
        self._begin = 0
        self._heard: list[Decoded] = []

    def push(self, samples: NDArray[np.int16]) -> None:
        """See `Listening.push`."""
        assert self._gate is not None, "this clip is over"
        for piece in self._gate.push(samples):
            self._decode(piece)

    def finish(self) -> Transcript:
        """See `Listening.finish`."""
        assert self._gate is not None, "this clip is over"
        for piece in self._gate.finish():
            self._decode(piece)
        self.close()
        believed = [_believed(one, self._settings.confidence_floor) for one in self._heard]
        words = tuple(word for one in believed for word in one.words)
        others = islice(_alternatives(believed), self._settings.alternatives)
        return Transcript.of(words, self._engine.name, tuple(others))

    def close(self) -> None:
        """See `Listening.close`."""
        if self._gate is not None:
            self._gate = self._decoding = None
            self._idle.append(self._voice)

    def _decode(self, piece: Piece) -> None:
        if self._decoding is None:
            self._decoding, self._begin = self._engine.decode(), piece.begin
        self._decoding.push(piece.samples)
        if piece.last:
            found = self._decoding.finish()
            self._decoding = None
            words = (replace(w, begin=w.begin + self._begin, end=w.end + self._begin) for w in found.words)
            self._heard.append(replace(found, words=tuple(words)))


class Deaf:
    """The recognizer that hears nothing, for a far end that only stores."""

    name = "none"

    def listen(self) -> Deaf:
        """See `Recognizer.listen`."""
        return self

    def push(self, samples: NDArray[np.int16]) -> None:
        """Take it, and forget it."""

    def finish(self) -> Transcript:
        """Nothing was heard."""
        return Transcript.of((), self.name)

    def close(self) -> None:
        """There is nothing to give up."""

    def transcribe(self, samples: NDArray[np.int16]) -> Transcript:  # noqa: ARG002 - it hears nothing
        """Nothing was heard."""
        return self.finish()


def _believed(found: Decoded, floor: float) -> Decoded:
    """Without the words under the floor; where none is left, nothing else may have been said either."""
    words = tuple(word for word in found.words if word.confidence >= floor)
    return Decoded(words, found.alternatives if words else ())


def _alternatives(heard: Sequence[Decoded]) -> Iterator[str]:
    """The clip's text with one stretch of it heard otherwise: first the second guesses of all stretches, in order."""
    texts = [one.text for one in heard]
    seen = {" ".join(filter(None, texts))}
    guesses = ([(k, other) for other in one.alternatives] for k, one in enumerate(heard))
    for guess in chain.from_iterable(zip_longest(*guesses)):
        if guess is not None:
            k, other = guess
            text = " ".join(filter(None, [*texts[:k], other, *texts[k + 1 :]]))
            if text not in seen:
                seen.add(text)
                yield text
