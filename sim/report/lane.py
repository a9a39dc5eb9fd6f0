"""What a lane of the timeline is: spans of samples with words, and perhaps a curve under them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """Something from sample `begin` to `end` (exclusive), or at one moment where they are equal.

    `look` is its CSS class; `about` the lines shown when it is pointed at; `level` (0 to 1) the height of a mark on a
    curve. `words`: its text word by word, each with its begin and end and what is shown of it when it is pointed at.
    """

    begin: int
    end: int
    text: str
    look: str
    about: tuple[str, ...] = ()
    level: float | None = None
    words: tuple[tuple[str, int, int, str], ...] = ()


@dataclass(frozen=True)
class Wave:
    """An envelope: `values` are base64 of int8 pairs, lowest and highest of `size` samples, in 127ths of `peak`."""

    size: int
    peak: float
    values: str


@dataclass(frozen=True)
class Curve:
    """Scores: `values` are base64 of float32, the highest of `size` samples each, NaN where nothing was heard."""

    size: int
    threshold: float | None
    values: str


@dataclass(frozen=True)
class Lane:
    """One row of the timeline. `name` says what it shows; several lanes may have the same. `device`: whose it is."""

    name: str
    title: str
    note: str = ""
    spans: tuple[Span, ...] = ()
    wave: Wave | None = None
    curve: Curve | None = None
    device: str = ""
