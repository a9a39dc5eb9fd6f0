"""How words are pronounced: flite's own pronunciations, and the short forms that it uses inside a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sim.cloud.models.trainer.rendering import phones_of

REDUCED: Mapping[str, tuple[str, ...]] = {
    "a": ("ax",),
    "and": ("ae n", "ax n d"),
    "at": ("ax t",),
    "can": ("k ax n",),
    "for": ("f er",),
    "from": ("f r ax m",),
    "had": ("hh ax d",),
    "has": ("hh ax z",),
    "have": ("hh ax v",),
    "of": ("ax v",),
    "our": ("aa r",),
    "some": ("s ax m",),
    "that": ("dh ax t",),
    "the": ("dh ax", "dh iy"),
    "them": ("dh ax m",),
    "to": ("t ax", "t uw"),
    "us": ("ax s",),
    "was": ("w ax z",),
    "would": ("w ax d",),
    "you": ("y ax",),
    "your": ("y er",),
}
"""Unstressed forms of small words, in flite's phones."""

Lexicon = Mapping[str, tuple[tuple[str, ...], ...]]
"""Each word's pronunciations, each a tuple of phones."""


def pronounce(words: Sequence[str]) -> Lexicon:
    """The pronunciations of each word, without doubles, in a fixed order. Raises VoiceError without flite."""
    lexicon: dict[str, tuple[tuple[str, ...], ...]] = {}
    for word in words:
        forms = [phones_of(word), *(tuple(form.split()) for form in REDUCED.get(word, ()))]
        lexicon[word] = tuple(dict.fromkeys(forms))
    return lexicon
