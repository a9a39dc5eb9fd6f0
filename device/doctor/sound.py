"""Microphone and models: what the device listens with."""

from __future__ import annotations

import getpass
import grp
import os
from collections.abc import Iterator
from pathlib import Path

from device.doctor.finding import Finding, Patient, sentence
from device.errors import DeviceError
from wakeword.errors import WakewordError


def groups(patient: Patient) -> Iterator[Finding]:
    """Whether this user may use the sound cards that there are."""
    cards = sorted(patient.file("/dev/snd").glob("pcm*c"))
    if not cards:
        yield Finding("sound cards", "note", "none can record, as far as ALSA knows", "plug a microphone in")
        return
    closed = [card.name for card in cards if not os.access(card, os.R_OK | os.W_OK)]
    if closed:
        mend = f"sudo usermod -aG audio {getpass.getuser()}, then log in again"
        yield Finding("sound cards", "wrong", f"{', '.join(closed)} may not be used by this user", mend)
    else:
        yield Finding("sound cards", "ok", f"{len(cards)} can record{_in_group()}")


def _in_group() -> str:
    try:
        return ", this user is in group audio" if grp.getgrnam("audio").gr_gid in os.getgroups() else ""
    except KeyError:
        return ""


def microphone(patient: Patient) -> Iterator[Finding]:
    """The microphone that the settings mean, by PortAudio."""
    from device.microphone import Microphone

    try:
        found = Microphone(patient.settings.audio.microphone)
        found.close()
    except DeviceError as error:
        finding = sentence("microphone", error)
        yield Finding(
            "microphone", "wrong", finding.text, finding.mend.removesuffix(", or listen to a file with --source FILE")
        )
    else:
        yield Finding("microphone", "ok", found.name)


def models(patient: Patient) -> Iterator[Finding]:
    """The wake words' models, with the beginning of their hashes."""
    from wakeword.scorer import load_scorers

    wake = patient.settings.wake
    try:
        scorers = load_scorers(wake.words, wake.engine)
    except WakewordError as error:
        yield sentence("models", error)
        return
    pairs = zip(scorers.names, scorers.hashes, strict=True)
    yield Finding("models", "ok", ", ".join(f"{name} {digest[:12]}" for name, digest in pairs) + f" ({wake.engine})")
    if wake.verifier is not None and not Path(wake.verifier).is_file():
        mend = "learn one with misheard review loop, or leave wake.verifier"
        yield Finding("models", "wrong", f"there is no second look {wake.verifier}", mend)
