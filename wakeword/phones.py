"""The phones of English as the pronouncing dictionary writes them (ARPAbet without stress), and how unlike they are.

Costs are whole hundredths, so that sums, minima and ties are the same on every machine. They follow articulation:
vowels by height, backness, rounding and where a diphthong glides to; consonants by place, manner and voice. Schönherr
et al. (2020) found accidental wake words with a weighted phone-level distance whose weights are not known here: these
are our own, inspired by it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CODES", "OMISSION", "PAD", "PHONES", "SUBSTITUTION", "Phones"]

Phones = tuple[str, ...]
"""A pronunciation, such as ``("AH", "L", "EH", "K", "S", "AH")``."""


class _Vowel(NamedTuple):
    """Height (0 close to 1 open), backness (0 front to 1 back) and rounding, where it begins and where it ends."""

    begin: tuple[float, float, float]
    end: tuple[float, float, float]
    rhotic: float = 0


class _Consonant(NamedTuple):
    """Place (0 both lips to 7 glottis), manner, and whether it is voiced."""

    place: float
    manner: str
    voiced: bool


def _steady(height: float, backness: float, rounding: float = 0, rhotic: float = 0) -> _Vowel:
    return _Vowel((height, backness, rounding), (height, backness, rounding), rhotic)


_VOWELS = {
    "AA": _steady(1.0, 0.7),
    "AE": _steady(0.85, 0.15),
    "AH": _steady(0.55, 0.5),
    "AO": _steady(0.75, 0.95, 1),
    "AW": _Vowel((0.95, 0.5, 0), (0.15, 0.9, 1)),
    "AY": _Vowel((0.95, 0.5, 0), (0.1, 0.1, 0)),
    "EH": _steady(0.55, 0.1),
    "ER": _steady(0.45, 0.5, 0, 1),
    "EY": _Vowel((0.4, 0.05, 0), (0.1, 0.05, 0)),
    "IH": _steady(0.2, 0.15),
    "IY": _steady(0.0, 0.0),
    "OW": _Vowel((0.4, 0.9, 1), (0.15, 0.9, 1)),
    "OY": _Vowel((0.7, 0.95, 1), (0.1, 0.1, 0)),
    "UH": _steady(0.2, 0.8, 1),
    "UW": _steady(0.0, 0.95, 1),
}
_CONSONANTS = {
    "B": _Consonant(0, "stop", True),
    "CH": _Consonant(4, "affricate", False),
    "D": _Consonant(3, "stop", True),
    "DH": _Consonant(2, "fricative", True),
    "F": _Consonant(1, "fricative", False),
    "G": _Consonant(6, "stop", True),
    "HH": _Consonant(7, "fricative", False),
    "JH": _Consonant(4, "affricate", True),
    "K": _Consonant(6, "stop", False),
    "L": _Consonant(3, "lateral", True),
    "M": _Consonant(0, "nasal", True),
    "N": _Consonant(3, "nasal", True),
    "NG": _Consonant(6, "nasal", True),
    "P": _Consonant(0, "stop", False),
    "R": _Consonant(4, "glide", True),
    "S": _Consonant(3, "fricative", False),
    "SH": _Consonant(4, "fricative", False),
    "T": _Consonant(3, "stop", False),
    "TH": _Consonant(2, "fricative", False),
    "V": _Consonant(1, "fricative", True),
    "W": _Consonant(0, "glide", True),
    "Y": _Consonant(5, "glide", True),
    "Z": _Consonant(3, "fricative", True),
    "ZH": _Consonant(4, "fricative", True),
}
PHONES: tuple[str, ...] = (*_VOWELS, *_CONSONANTS)
CODES = {phone: code for code, phone in enumerate(PHONES)}
PAD = len(PHONES)
"""The code of no phone, at the end of a shorter sequence: costs nothing to leave out, and is like no phone."""

_MANNERS = {
    frozenset({"stop", "affricate"}): 20,
    frozenset({"affricate", "fricative"}): 20,
    frozenset({"stop", "fricative"}): 35,
    frozenset({"stop", "nasal"}): 40,
    frozenset({"nasal", "lateral"}): 40,
    frozenset({"lateral", "glide"}): 25,
    frozenset({"fricative", "glide"}): 50,
}
_NEARLY = {("Y", "IY"): 40, ("Y", "IH"): 45, ("W", "UW"): 40, ("W", "UH"): 45, ("R", "ER"): 30, ("L", "AH"): 75}
"""Consonants that are much like a vowel."""
_WEAK = {"AH": 50, "IH": 55, "HH": 45, "T": 55, "D": 55, "Y": 60, "W": 60, "R": 60, "L": 60}
"""What people, and recognizers, leave out more easily than the others."""
_ORDINARY = 70


def _vowels_differ(one: _Vowel, other: _Vowel) -> float:
    differences = [abs(a - b) for a, b in zip(one.begin + one.end, other.begin + other.end, strict=True)]
    height, backness, rounding = (differences[n] + differences[n + 3] for n in range(3))
    return min(80, 10 + 45 * (0.5 * height + 0.3 * backness + 0.2 * rounding) + 30 * abs(one.rhotic - other.rhotic))


def _consonants_differ(one: _Consonant, other: _Consonant) -> float:
    step = 4 if one.manner == other.manner == "nasal" else 8  # nasals are told apart with the greatest trouble
    place = min(5, abs(one.place - other.place)) * step
    manner = 0 if one.manner == other.manner else _MANNERS.get(frozenset({one.manner, other.manner}), 60)
    return min(100, 10 + place + manner + 15 * (one.voiced != other.voiced))


def _differ(one: str, other: str) -> float:
    if one == other:
        return 0
    if one in _VOWELS and other in _VOWELS:
        return _vowels_differ(_VOWELS[one], _VOWELS[other])
    if one in _CONSONANTS and other in _CONSONANTS:
        return _consonants_differ(_CONSONANTS[one], _CONSONANTS[other])
    return _NEARLY.get((one, other), _NEARLY.get((other, one), 110))


_FAR = 1_000_000

OMISSION: NDArray[np.int64] = np.array([*(_WEAK.get(phone, _ORDINARY) for phone in PHONES), 0], np.int64)
"""int64[PAD + 1]: what a phone costs that only one of two sequences has."""
SUBSTITUTION: NDArray[np.int64] = np.full((PAD + 1, PAD + 1), _FAR, np.int64)
"""int64[PAD + 1, PAD + 1], symmetric, 0 on the diagonal of phones: what one phone costs in the place of another."""
for _one in PHONES:
    for _other in PHONES:
        _both = OMISSION[CODES[_one]] + OMISSION[CODES[_other]]
        SUBSTITUTION[CODES[_one], CODES[_other]] = min(round(_differ(_one, _other)), _both)
