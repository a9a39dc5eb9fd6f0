"""The machine that is measured on, and how to measure on one core of it."""

from __future__ import annotations

import os
import platform
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

_FILES = 8192
"""Enough for a thousand connections, and no more than any system is known to allow."""


def describe() -> dict[str, str]:
    """What the figures depend on."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f} in the minute before",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "onnxruntime": version("onnxruntime"),
        "openwakeword": version("openwakeword"),
    }


def _processor() -> str:
    """Its name, where the system tells; Linux on Arm does not."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


@contextmanager
def one_core() -> Iterator[str]:
    """Keep this thread, and the matrix products of numpy, to one core; gives why where that is not possible, or ""."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1):
        if not hasattr(os, "sched_setaffinity"):
            yield "one thread, on any core: this system does not bind threads"
            return
        allowed, refused = os.sched_getaffinity(0), ""
        try:
            os.sched_setaffinity(0, {max(allowed)})
        except OSError as error:
            refused = f"one thread, on any core ({error.strerror})"
        try:
            yield refused
        finally:
            if not refused:
                os.sched_setaffinity(0, allowed)


def mosquitto_program() -> str | None:
    """Where Mosquitto is installed, if it is; Debian puts it where only an administrator looks."""
    return shutil.which("mosquitto", path=os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/sbin")


@contextmanager
def many_files() -> Iterator[int]:
    """Let this program, and those that it starts, open more files and connections; gives how many, in each."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _FILES if most == resource.RLIM_INFINITY else min(most, _FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    try:
        yield allowed
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def resident_mb(process: int) -> float | None:
    """Memory that a process holds now, in MB (10^6 bytes); None where there is no /proc to ask."""
    return memory_mb(process, "status", "VmRSS")


def peak_mb(process: int) -> float | None:
    """The most memory that a process has ever held, likewise."""
    return memory_mb(process, "status", "VmHWM")


def memory_mb(process: int, file: str, which: str) -> float | None:
    """What a file of /proc says of a process's memory."""
    try:
        lines = Path(f"/proc/{process}/{file}").read_text("ascii", "replace").splitlines()
    except OSError:
        return None
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith(f"{which}:"))
    return kilobytes * 1024 / 1e6
