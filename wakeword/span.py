"""Where in the stream the wake word was: its begin and end from the sample at which it was detected."""

from __future__ import annotations

from typing import NamedTuple

from wakeword.sound import RATE


class Span(NamedTuple):
    """How long a wake word is, generously, and how long after its end it is detected, in milliseconds."""

    length_ms: int
    lag_ms: int


SPANS = {
    "alexa": Span(575, 50),
    "hey_jarvis": Span(910, 130),
    "hey_mycroft": Span(1250, 0),
    "hey_rhasspy": Span(960, 15),
}
"""Measured: each word by four flite voices at three speeds and four phases of the hop, the phone times from
flite itself (-psdur). The length is the 95th percentile, so that the begin rarely cuts the word; the lag from the
word's end to the end of the first hop over the threshold is the median (its middle 90 % span 200 ms for `alexa`)."""

UNKNOWN = Span(1000, 50)


def word_span(name: str, detected: int) -> tuple[int, int]:
    """Begin and end (sample indices, begin inclusive) of the word `name` that was detected at sample `detected`."""
    span = SPANS.get(name, UNKNOWN)
    end = detected - span.lag_ms * RATE // 1000
    return end - span.length_ms * RATE // 1000, end


def detection_of(name: str, word_end: int) -> int:
    """Give the sample at which the word that `word_span` lets end there was detected."""
    return word_end + SPANS.get(name, UNKNOWN).lag_ms * RATE // 1000
