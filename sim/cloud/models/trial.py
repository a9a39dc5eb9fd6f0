"""Trying a model out before it is trusted: libvosk answers some broken models by ending the process.

So an unknown model is loaded, and decodes a little, in a process of its own first. A success is remembered by the
hash of the model's files and the version of vosk; a failure is not, for it may have been a want of memory.
"""

from __future__ import annotations

import importlib.metadata
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import platformdirs

from sim.cloud.models import registry
from sim.errors import RecognizerError

TIMEOUT_S = 600.0
"""The largest models take a minute to load from a slow card."""


def require(folder: Path, called: object = None) -> None:
    """Return if vosk works with the model; else raise RecognizerError, which says why, ``called`` naming the model."""
    registry.check(folder, called)
    called = called or folder
    try:
        mark = _mark(folder)
    except OSError as error:
        raise _broken(called, f"{error.filename} cannot be read ({error.strerror})") from None
    if not mark.is_file():
        _try(folder, called)
        with suppress(OSError):  # where nothing can be cached, the next start tries again
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()


def _mark(folder: Path) -> Path:
    version = importlib.metadata.version("vosk")
    return platformdirs.user_cache_path("misheard") / "vosk-trials" / f"{registry.content_hash(folder)}-{version}"


def _try(folder: Path, called: object) -> None:
    command = [sys.executable, "-m", "sim.cloud.vosk_recognizer", str(folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        raise _broken(called, f"nothing came of loading it in {TIMEOUT_S:.0f} s") from None
    if done.returncode:
        raise _broken(called, _why(done.returncode, done.stderr.decode("utf-8", "replace")))


def _why(code: int, log: str) -> str:
    """Kaldi's own first complaint, else how the process ended."""
    for line in log.splitlines():
        if line.startswith(("ERROR (", "ASSERTION_FAILED (")):
            return line.partition(") ")[2].strip().rstrip(".")
    if code < 0:
        return f"libvosk ended with {signal.Signals(-code).name}"
    last = log.strip().splitlines()
    return last[-1] if last else f"exit code {code}"


def _broken(called: object, why: str) -> RecognizerError:
    return RecognizerError(f"the Vosk model {called} does not work: {why}; remove it, then {registry.MEND}")
