"""The machine: Python, clock and time zone, disk, heat and power."""

from __future__ import annotations

import ctypes
import errno
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from device.doctor.finding import Finding, Level, Patient

_ROOM = 300_000_000
"""Bytes that should be free: the spool at its default, and some more."""
_HOT_C, _WARM_C = 80.0, 70.0
"""A Raspberry Pi slows down from 80 degrees on."""
_THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"
_NOW_BITS = {
    0: "too little voltage",
    1: "its frequency is capped",
    2: "it is slowed down",
    3: "it is near its limit of heat",
}
_UNSYNCHRONISED = 5
"""TIME_ERROR of adjtimex(2)."""


def python(_patient: Patient) -> Iterator[Finding]:
    """The Python that runs this."""
    text = f"Python {platform.python_version()} on {platform.machine()}, {platform.system()} {platform.release()}"
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        yield Finding("python", "ok", text)
    else:
        yield Finding("python", "wrong", text, "use Python 3.11, 3.12 or 3.13: make PYTHON=python3.12")


def clock(patient: Patient) -> Iterator[Finding]:
    """Whether the time is kept, and whether it can be right at all."""
    now, made = datetime.now(UTC), datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now < made:
        text = f"it is {now:%Y-%m-%d} by this clock, earlier than misheard was installed ({made:%Y-%m-%d})"
        yield Finding("clock", "wrong", text, "set it: sudo timedatectl set-ntp true, with a network")
        return
    kept = patient.file("/run/systemd/timesync/synchronized").exists() or _synchronised()
    if kept:
        yield Finding("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC, kept by the network")
    else:
        text = f"{now:%Y-%m-%d %H:%M:%S} UTC, and nothing keeps it right"
        yield Finding("clock", "note", text, "sudo timedatectl set-ntp true; recordings carry this time")
    if not patient.file("/dev/rtc0").exists() and not patient.file("/dev/rtc").exists():
        text = (
            "no clock chip: after a start the time is wrong until the network tells it, and then it is set (clock_set)"
        )
        yield Finding("clock", "note", text)


def _synchronised() -> bool:
    """Whether the kernel takes its clock to be synchronised."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return False
    return 0 <= state != _UNSYNCHRONISED


def zone(patient: Patient) -> Iterator[Finding]:
    """The time zone; the device itself counts in UTC."""
    name = patient.environment.get("TZ", "").removeprefix(":")
    if name:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            text = f"TZ is {name}, which is no time zone here, so days are counted in UTC"
            yield Finding("time zone", "wrong", text, "name one that is in: timedatectl list-timezones")
            return
    link = patient.file("/etc/localtime")
    if not name and link.is_symlink():
        name = str(link.readlink()).rpartition("zoneinfo/")[2]
    offset = time.strftime("%z")
    yield Finding("time zone", "ok", f"{name or 'UTC'} ({offset}); recordings are in UTC, whatever it is")


def disk(patient: Patient) -> Iterator[Finding]:
    """Whether the device's folder can be written, and how much room there is."""
    folder = patient.state
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as probe:
            probe.write(b"x")
    except OSError as error:
        mend = "mount it for writing, or name another folder with --state"
        if error.errno != errno.EROFS:
            mend = f"make room there, or give it to you: sudo chown -R $USER {patient.state}"
        yield Finding("disk", "wrong", f"{patient.state} cannot be written ({error.strerror})", mend)
        return
    usage = shutil.disk_usage(folder)
    text = f"{usage.free / 1e9:.1f} of {usage.total / 1e9:.1f} GB free under {patient.state}"
    budget = patient.settings.uplink.spool_mb * 1_000_000
    if usage.free < min(_ROOM, budget):
        yield Finding(
            "disk", "wrong", text, f"make room, or let less wait: --set uplink.spool_mb={usage.free // 2_000_000}"
        )
    else:
        yield Finding("disk", "ok", text)


def heat(patient: Patient) -> Iterator[Finding]:
    """How hot it is, and whether it was slowed down for that or for want of power."""
    zones = sorted(patient.file("/sys/class/thermal").glob("thermal_zone*/temp"))
    degrees = [int(text) / 1000 for zone in zones if (text := _number(zone))]
    if degrees:
        hottest = max(degrees)
        level: Level = "wrong" if hottest >= _HOT_C else "note" if hottest >= _WARM_C else "ok"
        mend = "" if level == "ok" else "give it air, or a heat sink"
        yield Finding("heat", level, f"{hottest:.0f} degrees", mend)
    word = patient.text(_THROTTLED)
    if word is None:
        return
    try:
        bits = int(word, 16)
    except ValueError:
        return
    now = [text for bit, text in _NOW_BITS.items() if bits >> bit & 1]
    if now:
        yield Finding("power", "wrong", ", ".join(now), "use the power supply made for it, and a short cable")
    elif bits >> 16:
        text = "since its start it had too little voltage or was too hot for a while"
        yield Finding("power", "note", text, "use the power supply made for it")
    else:
        yield Finding("power", "ok", "enough, and it was never slowed down")


def _number(file: Path) -> str | None:
    try:
        text = file.read_text().strip()
    except OSError:  # a sensor that does not answer
        return None
    return text if text.lstrip("-").isdecimal() else None
