"""What is derived from a model once and kept: a cache by content hash that may also be missing or read-only."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

from wakeword.models import ModelFile

_VERSION = 1
"""Raise this when a derivation changes, so that old results are not taken."""


def derived(model: ModelFile, kind: str, derive: Callable[[bytes], bytes]) -> bytes:
    """Give ``derive(model.data)``, from the cache where it is there and whole.

    A cache that cannot be read or written costs the time of deriving again, nothing else.
    """
    key = hashlib.sha256(f"{_VERSION}:{kind}:{model.sha256}".encode()).hexdigest()[:32]
    path = user_cache_path("misheard") / "derived" / f"{kind}-{key}"
    with suppress(OSError):
        digest, _, data = path.read_bytes().partition(b"\n")
        if digest.decode("ascii", "replace") == hashlib.sha256(data).hexdigest():
            return data
    data = derive(model.data)
    with suppress(OSError):
        _write(path, hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
    return data


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
