"""Whether a person hears a prompt: how much of it stands out of everything else at that person's ears. Pure.

Inspired by the glimpses of Cooke (2006, JASA 119, 1562): regions of time and frequency in which the target is stronger
than the rest. Here a region is a third of an octave for 20 ms. The margin and the share that makes a prompt heard are
assumed, not measured on listeners; who attends to something else may miss what this calls heard.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sim.home.levels import FRAME, Sound, active_power, db_spl, frame_powers
from wakeword.sound import RATE

MARGIN_DB = 3.0
"""A region stands out where the prompt is so much over the rest. Assumed."""

HEARD_SHARE = 0.3
"""A prompt is heard where so much of it stands out. Assumed; Li and Loizou (2007, JASA 122, 1165) found the best scores
where 60 % of an utterance's time could be glimpsed, and some understanding well below."""

SPEECH_DB = 30.0
"""Regions of the prompt so far under its loudest one are not counted."""

CENTRES_HZ = (100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300)

THRESHOLD_DB_SPL = np.array(
    [26.5, 22.1, 17.9, 14.4, 11.4, 8.4, 5.8, 3.8, 2.1, 1.0, 0.8, 1.9, 0.5, -1.5, -3.1, -4.0, -3.8, -1.8, 2.5]
)
"""Of hearing, in a diffuse field, for each of these bands; ISO 389-7:2005."""

_WINDOW = 2 * FRAME


@dataclass(frozen=True)
class Audibility:
    """How a prompt reached somebody."""

    level_db_spl: float
    """Its active speech there."""
    rest_db_spl: float
    """The mean of everything else during it."""
    share: float
    """Of its regions, those that stand out."""

    @property
    def heard(self) -> bool:
        """Whether that is enough."""
        return self.share >= HEARD_SHARE


def audibility(prompt: Sound, rest: Sound) -> Audibility:
    """Of what arrives at a person from one loudspeaker, and of all else in the same time, float32[n] both."""
    if len(prompt) < _WINDOW:
        return Audibility(db_spl(0.0), db_spl(0.0), 0.0)
    target, masker = _regions(prompt), _regions(rest)
    counted = target >= np.max(target) * 10.0 ** (-SPEECH_DB / 10.0)
    bar = np.maximum(masker * 10.0 ** (MARGIN_DB / 10.0), 10.0 ** (THRESHOLD_DB_SPL / 10.0))
    out = counted & (target > bar)
    share = round(int(np.count_nonzero(out)) / max(1, int(np.count_nonzero(counted))), 3)
    rest_power = float(np.mean(rest.astype(np.float64) ** 2))
    return Audibility(db_spl(active_power(frame_powers(prompt))), db_spl(rest_power), share)


def _regions(sound: Sound) -> NDArray[np.float64]:
    """Power in each frame and band, float64[frames, bands], as a mean square over the frame."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, _WINDOW)[::FRAME]
    spectra = np.abs(np.fft.rfft(frames * _hann(), axis=1)).astype(np.float64) ** 2
    powers: NDArray[np.float64] = spectra @ _bands()
    return powers


@cache
def _hann() -> NDArray[np.float32]:
    return np.hanning(_WINDOW + 1)[:_WINDOW].astype(np.float32)


@cache
def _bands() -> NDArray[np.float64]:
    """float64[bins, bands]: which part of a bin's energy lies in a band, scaled to a mean square (Parseval)."""
    width = RATE / _WINDOW
    bins = np.arange(_WINDOW // 2 + 1) * width
    low, high = np.array(CENTRES_HZ) * 2 ** (-1 / 6), np.array(CENTRES_HZ) * 2 ** (1 / 6)
    inside = np.minimum(bins[:, None] + width / 2, high) - np.maximum(bins[:, None] - width / 2, low)
    energy = _WINDOW * float(np.sum(_hann().astype(np.float64) ** 2))
    shares: NDArray[np.float64] = np.clip(inside / width, 0, 1) * 2 / energy
    return shares
