"""Stands in for the ``espeak-ng`` program where only the espeakng-loader wheel is installed: one line, one process.

Takes what `sim.speech.espeak_engine` gives the program: ``--version``, or ``-b 1 -v VOICE -w WAV -f TEXT``.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import sys
import wave
from pathlib import Path
from typing import Any

SYNCHRONOUS = 2
"""``AUDIO_OUTPUT_SYNCHRONOUS`` of speak_lib.h: the samples come to the callback before ``espeak_Synth`` returns."""

UTF8 = 1
"""``espeakCHARS_UTF8`` of speak_lib.h."""

CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def speak(library: ctypes.CDLL, data_path: str, voice: str, text: str) -> tuple[int, bytes]:
    """The rate and the int16 samples (native byte order, mono) of ``text``; exits with one sentence on failure."""
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, data_path.encode(), 0)
    if rate <= 0:
        sys.exit("Error: the data of espeakng-loader cannot be read.")
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        sys.exit("Error: The specified espeak-ng voice does not exist.")
    blocks: list[bytes] = []

    def keep(samples: Any, n: int, _events: Any) -> int:
        if samples and n > 0:
            blocks.append(ctypes.string_at(samples, 2 * n))
        return 0

    callback = CALLBACK(keep)  # referenced until the last sample has come
    library.espeak_SetSynthCallback(callback)
    line = text.encode()
    library.espeak_Synth(line, ctypes.c_size_t(len(line) + 1), 0, 1, 0, UTF8, None, None)
    library.espeak_Synchronize()
    return rate, b"".join(blocks)


def main() -> int:
    """Write one line to a WAV file, or say the version."""
    parser = argparse.ArgumentParser(prog="python -m sim.speech.espeak", description=main.__doc__)
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-b", help="encoding of the text; 1 is UTF-8, the only one taken", choices=["1"])
    parser.add_argument("-v", help="voice")
    parser.add_argument("-w", help="WAV file to write")
    parser.add_argument("-f", help="text file to read")
    args = parser.parse_args()
    loader = importlib.import_module("espeakng_loader")
    library = ctypes.CDLL(loader.get_library_path())
    if args.version:
        library.espeak_Info.restype = ctypes.c_char_p
        print(f"eSpeak NG text-to-speech: {library.espeak_Info(None).decode()}")
        return 0
    rate, samples = speak(library, loader.get_data_path(), args.v, Path(args.f).read_text(encoding="utf-8"))
    with wave.open(args.w, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(samples)
    return 0


if __name__ == "__main__":
    sys.exit(main())
