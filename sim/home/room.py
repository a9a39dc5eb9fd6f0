"""How a room answers a click: image sources for the beginning, decaying noise for the rest.

The only file that knows pyroomacoustics and SciPy.
"""

from __future__ import annotations

import zlib

import numpy as np

from sim.errors import RoomError
from sim.home.levels import Sound
from sim.scenario.base import Place
from sim.scenario.rooms import SPEED_OF_SOUND_M_S, Room
from wakeword.sound import RATE

ORDER = 25
"""Reflections followed one by one, at most; some 20,000 images, 10 ms of work."""

KEPT_DB = 60.0
"""A response ends where it has decayed by so much."""

LOWEST_HZ = 20.0
"""Images are all of one sign and add up at the lowest frequencies, as no wall reflects and no microphone hears them."""

BLEND_S = 0.02
"""Over so long the images give way to noise, whose level is theirs at that time."""

METHOD = "4"
"""Counts up when the same room would sound otherwise, so that nothing old is taken from a cache."""


def response(room: Room, source: Place, listener: Place) -> Sound:
    """float32[n] at 16 kHz, from a source that gives 1 at 1 m in the free field; in it 0 s after is sample 0.

    The images of a box (Allen and Berkley 1979) decay more slowly or faster than Sabine's formula says, and those of
    many reflections are too many: the images' decay is corrected to ``rt60_s``, and where they are no longer complete,
    noise with that decay goes on. The noise depends on the geometry alone. Raises RoomError.
    """
    if room.rt60_s == 0:
        return _images(room, source, listener, absorption=1.0, order=0)
    absorption = room.least_rt60_s / room.rt60_s  # Sabine
    images = _images(room, source, listener, absorption, ORDER)
    direct = round(float(np.linalg.norm(np.subtract(source, listener))) / SPEED_OF_SOUND_M_S * RATE)
    length = direct + round(room.rt60_s * KEPT_DB / 60 * RATE)
    complete = min(ORDER * min(room.size_m) / SPEED_OF_SOUND_M_S, room.rt60_s)
    turn = max(direct + round(BLEND_S * RATE), round(complete * RATE))
    return _with_tail(_decaying(images, direct, turn, room.rt60_s), turn, length, room, (*source, *listener))


def _images(room: Room, source: Place, listener: Place, absorption: float, order: int) -> Sound:
    try:
        import pyroomacoustics as pra
        from scipy.signal import lfilter
    except (ImportError, OSError) as error:  # OSError: its own library does not load
        why = f"pyroomacoustics cannot be used ({error})"
        raise RoomError(f"{why}; install it with: pip install pyroomacoustics") from None
    pra.constants.set("rir_hpf_enable", False)  # it sounds before the source does
    pra.constants.set("num_threads", 1)  # by default one for each core, and each number of them adds up in its own way
    box = pra.ShoeBox(room.size_m, fs=RATE, materials=pra.Material(absorption), max_order=order, air_absorption=False)
    box.add_source(source)
    box.add_microphone(listener)
    box.compute_rir()
    early = pra.constants.get("frac_delay_length") // 2  # each image is a windowed sinc that begins so much before it
    coupled = lfilter([1.0, -1.0], [1.0, -np.exp(-2 * np.pi * LOWEST_HZ / RATE)], box.rir[0][0][early:])
    found: Sound = np.asarray(coupled, np.float32)
    return found


def _decaying(images: Sound, direct: int, turn: int, rt60_s: float) -> Sound:
    """With an exponential over all, so that from 20 ms after the direct sound to `turn` it falls as it should."""
    step = RATE // 100
    begin = direct + 2 * step
    steps = (min(turn, len(images)) - begin) // step
    if steps < 4:
        return images
    powers = np.mean(images[begin : begin + steps * step].reshape(steps, step).astype(np.float64) ** 2, axis=1)
    found = float(np.polyfit(np.arange(steps) / 100, 10 * np.log10(np.maximum(powers, 1e-30)), 1)[0])
    more_db_s = -60.0 / rt60_s - found
    after = np.maximum(np.arange(len(images)) - direct, 0) / RATE
    decayed: Sound = (images * 10.0 ** (more_db_s * after / 20)).astype(np.float32)
    return decayed


def _with_tail(images: Sound, turn: int, length: int, room: Room, geometry: tuple[float, ...]) -> Sound:
    blend = round(BLEND_S * RATE)
    if turn >= length or turn > len(images):
        return images[:length]
    level = np.sqrt(np.mean(images[turn - blend : turn].astype(np.float64) ** 2))
    key = zlib.crc32(repr((METHOD, room.size_m, room.rt60_s, geometry)).encode())
    noise = np.random.default_rng(key).standard_normal(length - turn + blend)
    times = (np.arange(len(noise)) - blend / 2) / RATE
    tail = noise * level * 10.0 ** (-3.0 * times / room.rt60_s)
    fade = np.sin(np.linspace(0, np.pi / 2, blend))
    whole = np.zeros(length)
    whole[:turn] = images[:turn]
    whole[turn - blend : turn] *= fade[::-1]
    tail[:blend] *= fade
    whole[turn - blend :] += tail
    return whole.astype(np.float32)
