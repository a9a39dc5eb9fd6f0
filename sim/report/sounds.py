"""The sound of a page: what the microphone heard, and the clips; within the page where there is room for it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log10
from urllib.parse import quote

from sim.report.clips import Clip
from sim.report.envelope import Envelope
from sim.report.folder import Run
from sim.report.lane import Lane
from wakeword.errors import SoundError
from wakeword.sound import RATE, stream_sound

ROOM = 6_000_000
"""Bytes of FLAC that a page takes in; base64 makes a third more of them, and a page stays under 10 MB."""


@dataclass
class Sounds:
    """Addresses of sounds, `data:` or relative to the run directory; `remarks` say what is not in the page.

    `clips` by name, `homes` (what the microphone heard) by device; `stretches` the device, begin
    and end of each clip.
    """

    clips: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    room: int = ROOM
    stretches: list[tuple[str, int, int]] = field(default_factory=list)

    def add_clips(self, clips: Sequence[Clip], beside: Mapping[str, str]) -> None:
        """Take the clips in, in order, as long as there is room; `beside` leads to the folder of each device."""
        left_out = 0
        for clip in clips:
            if clip.sound is None:
                continue
            self.stretches.append((clip.device, clip.begin, clip.stop))
            if len(clip.sound.data) <= self.room:
                self.clips[clip.name] = self._take(clip.sound.data)
            else:
                self.clips[clip.name] = f"{beside[clip.device]}clips/{quote(clip.sound.path.name)}"
                left_out += 1
        if left_out:
            self.remarks.append(
                f"The sound of {left_out} of {len(clips)} clips would make this page too large; it is played from the "
                "folder clips beside it."
            )

    def add_home(self, run: Run) -> tuple[Lane | None, int]:
        """Take in what the microphone heard; give its lane and its samples, None and 0 where nothing was kept."""
        path, envelope = run.folder / "home.flac", Envelope()
        if not path.is_file():
            self.remarks.append("What the microphone heard was not kept.")
            return None, 0
        try:
            for chunk in stream_sound(path):
                envelope.append(chunk)
        except SoundError:
            damage = "is damaged; what could be read of it is shown" if envelope.length else "holds no sound"
            self.remarks.append(f"{run.beside}home.flac {damage}.")
        if not envelope.length:
            return None, 0
        if path.stat().st_size <= self.room:
            self.homes[run.name] = self._take(path.read_bytes())
        else:
            self.homes[run.name] = f"{run.beside}home.flac"
            self.remarks.append(
                "What the microphone heard would make this page too large; it is played from "
                f"{run.beside}home.flac beside it."
            )
        wave = envelope.wave()
        loudest = f"{20 * log10(wave.peak):.0f}".replace("-", "−")
        note = f"loudest {loudest} dBFS"
        return Lane("microphone", "microphone", note, wave=wave, device=run.name), envelope.length

    def hears(self, device: str, begin: int) -> bool:
        """Whether a device's stream can be heard on the page from about a sample on."""
        return device in self.homes or any(
            whose == device and first <= begin + RATE and begin < last for whose, first, last in self.stretches
        )

    def _take(self, data: bytes) -> str:
        self.room -= len(data)
        return "data:audio/flac;base64," + base64.b64encode(data).decode("ascii")
